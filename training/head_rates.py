# SPDX-License-Identifier: Apache-2.0
"""Error heads of a bundle whose levels now need other bits, not trained again.

Heads read the logarithm of the bits that each level needs. Where a window's samples
stay and its bits change, as by context networks, the former logarithms are nearly a
linear map of the new ones and of the window's summary; that map goes into the layer
that reads both.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dynamic_deep.bundle import Bundle
from dynamic_deep.errors import ModelError
from dynamic_deep.firmware.heads_tables import device_heads
from dynamic_deep.heads import log_rates, segment_features
from dynamic_deep.trials import Subject
from dynamic_deep.window_codec import WindowCodec
from training.lite_read import Operation, read_graph

FloatArray = npt.NDArray[np.float64]
# Variance of a mix of what is read below which it isn't trusted to foretell anything:
# differences between neighbouring levels' rates have a hundred times as much.
NOISE = 1e-4


@dataclass(frozen=True, kw_only=True, eq=False)
class Readings:
    """What the heads' last part reads of windows.

    Attributes:
        summary: float64 (n, n_summary).
        rates: log rates of the levels, float64 (n, n_levels).
    """

    summary: FloatArray
    rates: FloatArray


@dataclass(frozen=True, kw_only=True, eq=False)
class RateMap:
    """Former log rates as a linear map of new ones and of the summary.

    Attributes:
        by_summary: float64 (n_levels, n_summary), a row for each former rate.
        by_rates: float64 (n_levels, n_levels).
        offset: float64 (n_levels,).
        residual: root mean square of what is left, in natural logarithms.
    """

    by_summary: FloatArray
    by_rates: FloatArray
    offset: FloatArray
    residual: float


def read_windows(bundle: Bundle, subjects: Iterable[Subject]) -> Readings:
    """Return what the heads of a bundle read of windows."""
    codec, heads = WindowCodec(bundle), device_heads(bundle)
    levels = [bundle.level(str(name)) for name in bundle.config["heads"]["levels"]]
    summary, rates = [], []
    for subject in subjects:
        window = codec.analyze(subject.x, subject.place)
        summary.append(heads.summary(segment_features(window)))
        rates.append(log_rates(window, levels))
    return Readings(
        summary=np.stack(summary).astype(np.float64),
        rates=np.stack(rates).astype(np.float64),
    )


def fit_rate_map(former: Readings, new: Readings) -> RateMap:
    """Fit the map by least squares, drawn to "nothing changed" where data are thin.

    Args:
        former: of some windows.
        new: of the same windows.
    """
    read = np.concatenate([new.summary, new.rates], axis=1)
    x = read - read.mean(axis=0)
    change = former.rates - new.rates
    noise = NOISE * len(x) * np.eye(x.shape[1])
    found = np.linalg.solve(x.T @ x + noise, x.T @ (change - change.mean(axis=0))).T
    n_summary = new.summary.shape[1]
    slope = found + np.eye(len(found), x.shape[1], k=n_summary)
    offset = former.rates.mean(axis=0) - slope @ read.mean(axis=0)
    left = former.rates - (read @ slope.T + offset)
    return RateMap(
        by_summary=slope[:, :n_summary],
        by_rates=slope[:, n_summary:],
        offset=offset,
        residual=float(np.sqrt(np.mean(left**2))),
    )


def rate_layer(heads: bytes, n_rates: int) -> Operation:
    """Return the operation of error heads that reads the rates, its last inputs.

    Raises:
        ModelError: If there is none.
    """
    dense = read_graph(heads).of_kind("FULLY_CONNECTED")
    hidden = [op for op in dense if "hidden" in op.name and len(op.constants) == 2]
    if len(hidden) != 1 or hidden[0].constants[0].shape[1] <= n_rates:
        raise ModelError(
            f"error heads must have one hidden layer that reads {n_rates} rates, got "
            f"{len(hidden)} such layers; train heads by `python -m training heads`"
        )
    return hidden[0]


def with_new_rates(heads: bytes, rates: RateMap) -> bytes:
    """Return the `.tflite` of heads that reads new rates and foretells as before.

    Raises:
        ModelError: If it has no layer that reads as many rates.
    """
    from ai_edge_litert import schema_py_generated as schema

    n_rates = len(rates.offset)
    layer = rate_layer(heads, n_rates)
    weights, bias = (part.astype(np.float64) for part in layer.constants)
    of_summary, of_rates = weights[:, :-n_rates], weights[:, -n_rates:]
    parts = (of_summary + of_rates @ rates.by_summary, of_rates @ rates.by_rates)
    constants = np.concatenate(parts, axis=1), bias + of_rates @ rates.offset
    changed = bytearray(heads)
    model = schema.Model.GetRootAs(changed, 0)
    for tensor, values in zip(layer.inputs[1:], constants, strict=True):
        place = model.Buffers(model.Subgraphs(0).Tensors(tensor).Buffer())
        place.DataAsNumpy().view("<f4")[:] = values.ravel()
    return bytes(changed)
