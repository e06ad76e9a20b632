# SPDX-License-Identifier: Apache-2.0
"""What a bundle asks of a device: work, flash and memory, measured."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from device_sim.network_macs import read_graph
from dynamic_deep.bundle import Bundle, bundle_folder, load_bundle
from dynamic_deep.engine_int8 import IntegerEncoder
from dynamic_deep.errors import ConfigError, ModelError
from dynamic_deep.firmware.arena import measure_arena
from dynamic_deep.firmware.heads_tables import heads_tables
from dynamic_deep.firmware.level_tables import level_tables, net_work
from dynamic_deep.firmware.lossless_tables import lossless_tables


@dataclass(frozen=True, kw_only=True)
class Footprint:
    """What the device's part of a bundle needs.

    Attributes:
        macs_per_segment: multiply-accumulates of the int8 encoder for one segment of
            2240 samples: trunk, the tails of all levels, and the heads' features.
        weights_bytes: flash of the int8 encoder, its whole file, and of the heads.
        tables_bytes: flash of the integer tables of all levels, lossless ones included.
        arena_bytes: memory while the encoder runs, the smallest tensor arena in which
            TensorFlow Lite Micro's interpreter runs it.
        contexts_bytes: memory while a context network runs: its hidden map, of the
            longest window.
    """

    macs_per_segment: int
    weights_bytes: int
    tables_bytes: int
    arena_bytes: int
    contexts_bytes: int

    def __post_init__(self) -> None:
        """Check that there is something of each."""
        for name, value in vars(self).items():
            if value <= 0:
                raise ConfigError(f"{name} of a footprint must be above 0, got {value}")


def measure_footprint(name_or_path: str | Path) -> Footprint:
    """Measure a bundle; a second call with the same content costs nothing.

    Args:
        name_or_path: of a bundle with `encoder_int8.tflite`.

    Raises:
        ModelError: If there is no such bundle, or it has no int8 encoder.
        ConfigError: If the package tflite-micro is not installed.
    """
    bundle = load_bundle(name_or_path)
    if "encoder_int8" not in bundle.networks:
        raise ModelError(
            f"a bundle for a device must hold encoder_int8.tflite, {bundle.name} has "
            "none; make it with `python -m training int8`"
        )
    folder = str(bundle_folder(name_or_path).resolve())
    return _measured(folder, bundle.model_id, bundle.networks["encoder_int8"])


@functools.lru_cache(maxsize=16)
def _measured(folder: str, model_id: bytes, content: bytes) -> Footprint:
    bundle: Bundle = load_bundle(folder)
    encoder = IntegerEncoder(content, model_id.hex())
    n_heads = heads_tables(bundle, encoder)[1] if "heads" in bundle.networks else 0
    return Footprint(
        macs_per_segment=read_graph(content, "encoder_int8").macs(),
        weights_bytes=len(content) + n_heads,
        tables_bytes=lossless_tables()[1] + level_tables(bundle, encoder)[1],
        arena_bytes=measure_arena(content).smallest_bytes,
        contexts_bytes=np.dtype(np.int32).itemsize * net_work(bundle),
    )
