# SPDX-License-Identifier: Apache-2.0
"""The table of levels and what their coders need, as a C source."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import numpy.typing as npt

from dynamic_deep.bundle import Bundle, Level
from dynamic_deep.engine_int8 import IntegerEncoder
from dynamic_deep.errors import ModelError
from dynamic_deep.firmware.c_text import array, head
from dynamic_deep.latent import LatentCoder
from dynamic_deep.latent_context import ContextNet
from dynamic_deep.latent_net import NetCoder
from dynamic_deep.quantizer import quantize
from dynamic_deep.wavelet import N_SUBBANDS

FRACTION_BITS = 20
MAX_FACTOR = 1 << 24  # 255 times it still fits 32 bits
MAX_STEPS = 160  # of 64 samples: the longest window has 10,079
KINDS = {
    "lossless": "DD_LOSSLESS",
    "near_lossless": "DD_NEAR_LOSSLESS",
    "wavelet": "DD_WAVELET",
    "neural": "DD_NEURAL",
}


def net_work(bundle: Bundle) -> int:
    """Return how many values the hidden map of any level takes, at least 1."""
    nets = [_net_of(bundle, level) for level in bundle.levels]
    sizes = [
        (MAX_STEPS + len(net.near) - 1) * net.first.shape[1] for net in nets if net
    ]
    return int(max([1, *sizes]))


def _net_of(bundle: Bundle, level: Level) -> ContextNet | None:
    if level.kind == "wavelet":
        coder = bundle.wavelet_coder(level.name).net
        return coder.context if coder else None
    if level.kind == "neural":
        latent_coder = bundle.latent_coder(level.name)
        return latent_coder.context if isinstance(latent_coder, NetCoder) else None
    return None


def level_tables(bundle: Bundle, encoder: IntegerEncoder) -> tuple[str, int]:
    """Return `dd_levels.c`, and the bytes that its tables take."""
    text, n_bytes = "", 0
    rows = []
    for level in bundle.levels:
        pointers = {"wavelet": "NULL", "neural": "NULL"}
        if level.kind == "wavelet":
            part, size = _wavelet(bundle, level)
        elif level.kind == "neural":
            part, size = _neural(bundle, level, encoder)
        else:
            part, size = "", 0
        if level.kind in pointers:
            pointers[level.kind] = f"&{_identifier(level)}"
        text += part
        n_bytes += size
        rows.append(
            f'    {{{level.id}, {KINDS[level.kind]}, "{level.name}", '
            f"{pointers['wavelet']}, {pointers['neural']}}},"
        )
    scale = bundle.scales.scales.counts[0].astype(np.uint16)
    offset = bundle.scales.offsets.counts[0].astype(np.uint16)
    text += array("uint16_t", "dd_scale_counts", scale, static=False)
    text += array("uint16_t", "dd_offset_counts", offset, static=False)
    text += "\nconst dd_level dd_levels[DD_N_LEVELS] = {\n" + "\n".join(rows) + "\n};\n"
    text += (
        "\nconst dd_level *dd_level_by_id(uint32_t id) {\n"
        "  for (uint32_t i = 0; i < DD_N_LEVELS; i++)\n"
        "    if (dd_levels[i].id == id) return &dd_levels[i];\n"
        "  return NULL;\n}\n"
    )
    before = head(f"bundle {bundle.name}, model {bundle.model_id.hex()}")
    n_bytes += scale.nbytes + offset.nbytes
    return f'{before}#include "dd_levels.h"\n\n{text}', n_bytes


def _identifier(level: Level) -> str:
    return re.sub(r"\W", "_", f"level_{level.name}", flags=re.ASCII)


def _wavelet(bundle: Bundle, level: Level) -> tuple[str, int]:
    name = _identifier(level)
    coder = bundle.wavelet_coder(level.name)
    if coder.net is not None:
        text, n_bytes = _net(name, coder.net)
        tables, limit = f"NULL, &{name}_context", coder.net.limit
    else:
        counts = coder.symbols.tables.counts.astype(np.uint16)
        text = array("uint16_t", f"{name}_counts", counts, static=True)
        tables, limit, n_bytes = (
            f"&{name}_counts[0][0], NULL",
            coder.symbols.limit,
            counts.nbytes,
        )
    text += (
        f"static const dd_wavelet_level {name} = {{{N_SUBBANDS}, {limit}, "
        f"{np.float32(coder.level.step):.9g}f, {tables}}};\n\n"
    )
    return text, n_bytes


def _neural(bundle: Bundle, level: Level, encoder: IntegerEncoder) -> tuple[str, int]:
    name, shape = _identifier(level), bundle.latents[level.name]
    coder = bundle.latent_coder(level.name)
    if isinstance(coder, NetCoder):
        context, n_bytes = _net(name, coder)
        pointers = f"NULL, &{name}_context"
    else:
        context, n_bytes = _linear(name, coder)
        pointers = f"&{name}_context, NULL"
    factors, offset = integer_quantizer(
        encoder.meaning.units[shape.level_idx], shape.threshold
    )
    text = context + array("uint32_t", f"{name}_factors", factors, static=True)
    zero = encoder.zero_of(shape.level_idx)
    text += (
        f"static const dd_neural_level {name} = {{{shape.n_channels}, {shape.stride}, "
        f"{coder.limit}, {pointers}, {zero}, "
        f"{name}_factors, {offset}u}};\n\n"
    )
    return text, n_bytes + factors.nbytes


def _linear(name: str, coder: LatentCoder) -> tuple[str, int]:
    """Return a linear context as C, and its bytes."""
    context = coder.context
    text, n_bytes = _arrays(
        name,
        {
            "bias": ("int16_t", context.bias.astype(np.int16)),
            "earlier": ("int16_t", context.earlier.astype(np.int16)),
            "same": ("int16_t", context.same[[0, 2]].astype(np.int16)),
            "counts": ("uint16_t", coder.symbols.tables.counts.astype(np.uint16)),
        },
    )
    text += (
        f"static const dd_linear_context {name}_context = {{{context.n_groups}, "
        f"{name}_bias, "
        f"&{name}_earlier[0][0][0], &{name}_same[0][0][0], &{name}_counts[0][0]}};\n"
    )
    return text, n_bytes


def _net(name: str, coder: NetCoder) -> tuple[str, int]:
    """Return a context network as C, and its bytes."""
    net = coder.context
    text, n_bytes = _arrays(
        name,
        {
            "bounds": ("int16_t", net.bounds),
            "near": ("int8_t", net.near),
            "first": ("int16_t", net.first),
            "out": ("int8_t", net.out),
            "out_bias": ("int32_t", net.out_bias),
            "magnitudes": ("uint16_t", coder.magnitudes.counts.astype(np.uint16)),
            "signs": ("uint16_t", coder.signs.counts.astype(np.uint16)),
        },
    )
    text += (
        f"static const dd_context_net {name}_context = {{{len(net.near)}, "
        f"{net.n_sizes}, {net.first.shape[1]}, {len(net.groups)}, {name}_bounds, "
        f"&{name}_near[0][0][0][0], &{name}_first[0][0], &{name}_out[0][0][0][0], "
        f"&{name}_out_bias[0][0][0], &{name}_magnitudes[0][0], "
        f"&{name}_signs[0][0]}};\n"
    )
    return text, n_bytes


def _arrays(
    name: str, parts: dict[str, tuple[str, npt.NDArray[Any]]]
) -> tuple[str, int]:
    text = "".join(
        array(kind, f"{name}_{key}", entries, static=True)
        for key, (kind, entries) in parts.items()
    )
    return text, sum(entries.nbytes for _, entries in parts.values())


def integer_quantizer(
    units: npt.NDArray[np.float32], threshold: float
) -> tuple[npt.NDArray[np.uint32], int]:
    """Return what `dd_quantize` needs to do as `quantizer.quantize` does.

    Args:
        units: the value of one unit of each channel, quantiser steps.
        threshold: of the level.

    Returns:
        A factor for each channel and an offset, with `FRACTION_BITS` fraction bits.

    Raises:
        ModelError: If no integers do the same for all 256 values.
    """
    offset = round((1.0 - threshold) * (1 << FRACTION_BITS))
    sizes = np.arange(256, dtype=np.int64)
    factors = []
    for unit in units:
        wanted = quantize(sizes.astype(np.float32) * unit, threshold)
        first = round(float(unit) * (1 << FRACTION_BITS))
        for factor in (first + delta for delta in (0, 1, -1, 2, -2, 3, -3)):
            found = (sizes * factor + offset) >> FRACTION_BITS
            if 0 <= factor < MAX_FACTOR and np.array_equal(found, wanted):
                factors.append(factor)
                break
        else:
            raise ModelError(
                f"a latent's unit must lie on the grid of 2^-{FRACTION_BITS} steps, "
                f"got {float(unit):g}; make the integer encoder again"
            )
    return np.array(factors, np.uint32), offset
