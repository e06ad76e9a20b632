# SPDX-License-Identifier: Apache-2.0
"""The data that the counted code works on: real windows, real symbols, real layers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from device_sim.workload import context_macs
from dynamic_deep.bundle import Bundle
from dynamic_deep.config import SEGMENT_LEN
from dynamic_deep.errors import ConfigError
from dynamic_deep.latent import LatentCoder
from dynamic_deep.latent_net import NetCoder
from dynamic_deep.lossless import encode_lossless
from dynamic_deep.recording import read_recording
from dynamic_deep.window_codec import WindowCodec, WindowPlace
from dynamic_deep.window_encoder import INT8

N_SAMPLES = 8960
N_TAPS, UP, DOWN = 121, 5, 6  # of the filter from 360 to 300 Hz
N_RESAMPLED = 7000
N_DENSE_IN, N_DENSE_OUT = 192, 32  # the first layer of error heads
PACKED_BITS = 12
LATENT, WAVELET = "gain_64", "wavelet_32"

IntArray = npt.NDArray[np.integer]


@dataclass(frozen=True, kw_only=True)
class Counted:
    """What the counts belong to.

    Attributes:
        units: how many units each piece of code goes through, by name.
        macs: multiply-accumulates of the encoder for a segment.
        context_macs: those of the context model for the latent.
        n_bytes: what the Python codec makes of the same windows, by name.
    """

    units: Mapping[str, float]
    macs: int
    context_macs: int
    n_bytes: Mapping[str, Sequence[int]]


def write_data(path: Path, records: Sequence[Path], bundle: Bundle) -> Counted:
    """Write the header `data.h`.

    Args:
        path: where to.
        records: the first window of lead 0 of each is taken.
        bundle: whose encoder and tables; with an int8 encoder.

    Raises:
        ConfigError: If a record is shorter than a window.
        ModelError: If the bundle has no int8 encoder.
    """
    windows = [_first_window(record) for record in records]
    layers = encoder_layers(bundle.networks["encoder"])
    coded = _code(bundle, windows[0])
    level = bundle.level(LATENT)
    n_steps, n_channels = coded.latent.shape
    sizes = {
        "N_SAMPLES": N_SAMPLES,
        "N_SEGMENT": SEGMENT_LEN,
        "N_WINDOWS": len(windows),
        "N_TAPS": N_TAPS,
        "N_RESAMPLED": N_RESAMPLED,
        "N_LAYERS": len(layers),
        "LATENT_LEVEL": level.id,
        "WAVELET_LEVEL": bundle.level(WAVELET).id,
        "N_STEPS": n_steps,
        "QUANTIZED": SEGMENT_LEN // bundle.latents[LATENT].stride * n_channels,
        "N_SYMBOLS": coded.latent.size,
        "WIDTH": coded.counts.shape[1],
    }
    lines = ["#include <stdint.h>"]
    lines += [f"#define {name} {value}" for name, value in sizes.items()]
    lines += [
        _array("int16_t SAMPLES[][N_SAMPLES]", windows),
        _array("uint32_t LAYERS[][6]", layers),
        _array("int16_t LATENT[]", coded.latent.ravel()),
        _array("uint16_t COUNTS[][WIDTH]", coded.counts),
        _array("uint8_t ROWS[]", coded.rows),
        _array("uint8_t COLUMNS[]", coded.columns),
    ]
    path.write_text("\n".join(lines) + "\n")
    return Counted(
        units=_units(sizes),
        macs=sum(_macs(layer) for layer in layers),
        context_macs=n_steps * context_macs(bundle.latent_coder(LATENT)),
        n_bytes={
            "lossless_bytes": [len(encode_lossless(x)) for x in windows],
            "neural_bytes": [coded.n_bytes],
        },
    )


def _units(sizes: Mapping[str, int]) -> dict[str, float]:
    return {
        "acquire_per_sample": N_SAMPLES,
        "resample_per_tap": N_RESAMPLED * N_TAPS / UP,
        "scale_per_sample": N_SAMPLES,
        "wavelet_per_sample": N_SAMPLES,
        "quantize_per_value": sizes["QUANTIZED"],
        "head_per_mac": N_DENSE_IN * N_DENSE_OUT,
        "pack_per_byte": N_SAMPLES * PACKED_BITS / 8,
        "rice_per_sample": N_SAMPLES,
        "lossless_per_sample": N_SAMPLES,
        "symbol": sizes["N_SYMBOLS"],
        "coefficient": N_SAMPLES,
    }


def _first_window(record: Path) -> IntArray:
    samples = read_recording(record).samples[:N_SAMPLES, 0]
    if len(samples) < N_SAMPLES:
        raise ConfigError(
            f"a record to count with must have {N_SAMPLES} samples, {record.name} has "
            f"{len(samples)}"
        )
    return samples.astype(np.int16)


def encoder_layers(content: bytes) -> list[tuple[int, ...]]:
    """Return the convolutions of an encoder.

    Args:
        content: a `.tflite` file.

    Returns:
        For each: input channels, output channels, kernel, stride, outputs, and 1 if it
        works on each channel alone.
    """
    from ai_edge_litert import schema_py_generated as schema

    model: Any = schema.ModelT.InitFromPackedBuf(content, 0)
    tensors = model.subgraphs[0].tensors
    codes = schema.BuiltinOperator
    layers: list[tuple[int, ...]] = []
    for operator in model.subgraphs[0].operators:
        code = model.operatorCodes[operator.opcodeIndex]
        kind = max(int(code.builtinCode), int(code.deprecatedBuiltinCode))
        if kind not in (codes.CONV_2D, codes.DEPTHWISE_CONV_2D):
            continue
        weights = [int(n) for n in tensors[operator.inputs[1]].shape]
        made = [int(n) for n in tensors[operator.outputs[0]].shape]
        is_single = int(kind == codes.DEPTHWISE_CONV_2D)
        kernel = weights[1] * weights[2]
        stride = max(operator.builtinOptions.strideW, operator.builtinOptions.strideH)
        n_out = made[1] * made[2]
        layers.append((weights[3], made[3], kernel, int(stride), n_out, is_single))
    return layers


def _macs(layer: tuple[int, ...]) -> int:
    n_in, n_out, kernel, _, steps, is_single = layer
    return steps * n_out * kernel * (1 if is_single else n_in)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Coded:
    """A window at the neural level that is counted."""

    latent: npt.NDArray[np.int32]  # (n_steps, n_channels)
    counts: npt.NDArray[np.uint32]  # the tables of its symbols
    rows: list[int]  # table of each symbol, in the order of coding
    columns: list[int]  # its place in the table
    n_bytes: int


def _code(bundle: Bundle, window: IntArray) -> _Coded:
    codec = WindowCodec(bundle, precision=INT8)
    place = WindowPlace(n_samples=N_SAMPLES, fs=300.0, baseline=0, adc_bits=16)
    analysis = codec.analyze(window.astype(np.int32), place)
    level = bundle.level(LATENT)
    latent = codec.quantized_latent(analysis, level)
    coder = bundle.latent_coder(LATENT)
    if isinstance(coder, NetCoder):
        tables, found = coder.magnitudes, list(_magnitudes(coder, latent))
    else:
        tables, found = coder.symbols.tables, list(_signed(coder, latent))
    return _Coded(
        latent=latent,
        counts=tables.counts,
        rows=[int(v) for rows, _ in found for v in rows.ravel()],
        columns=[int(v) for _, columns in found for v in columns.ravel()],
        n_bytes=len(codec.encode(analysis, level)),
    )


def _signed(
    coder: LatentCoder, latent: npt.NDArray[np.int32]
) -> Iterator[tuple[IntArray, ...]]:
    """Yield the tables and columns of each pass of signed symbols."""
    for steps, group, tables in coder.passes(latent):
        values = latent[steps, group]
        over = np.abs(values) > coder.limit
        yield tables, np.where(over, coder.limit + 1, values) + coder.limit


def _magnitudes(
    coder: NetCoder, latent: npt.NDArray[np.int32]
) -> Iterator[tuple[IntArray, ...]]:
    """Yield those of magnitudes; the few signs count as a part of the context."""
    for one in coder.passes(latent):
        size = np.abs(latent[one.steps, one.channels])
        yield one.table_idx, np.minimum(size, coder.limit + 1)


def _array(declaration: str, values: Any) -> str:
    return f"static const {declaration} = {_braced(np.asarray(values).tolist())};"


def _braced(values: Any) -> str:
    if isinstance(values, list):
        return "{" + ",".join(_braced(value) for value in values) + "}"
    return str(values)
