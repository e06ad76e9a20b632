# SPDX-License-Identifier: Apache-2.0
"""Error heads of a bundle whose levels now need other bits, not trained again.

Heads read the logarithm of the bits that each level needs. Where a window's samples
stay and its bits change, as by context networks, the former logarithms are nearly a
linear map of the new ones; that map goes into the layer that reads them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dynamic_deep.bundle import Bundle
from dynamic_deep.errors import ModelError
from dynamic_deep.heads import log_rates
from dynamic_deep.trials import Subject
from dynamic_deep.window_codec import WindowCodec
from training.lite_read import Operation, read_graph

FloatArray = npt.NDArray[np.float64]
# Variance of a mix of levels' rates below which it isn't trusted to foretell anything:
# differences between neighbouring levels have a hundred times as much.
NOISE = 1e-4


@dataclass(frozen=True, kw_only=True, eq=False)
class RateMap:
    """Former log rates as a linear map of new ones.

    Attributes:
        slope: float64 (n_levels, n_levels), a row for each former rate.
        offset: float64 (n_levels,).
        residual: root mean square of what is left, in natural logarithms.
    """

    slope: FloatArray
    offset: FloatArray
    residual: float


def log_rates_of(bundle: Bundle, subjects: Iterable[Subject]) -> FloatArray:
    """Return the log rates that the heads read of windows, (n, n_levels)."""
    codec = WindowCodec(bundle)
    levels = [bundle.level(str(name)) for name in bundle.config["heads"]["levels"]]
    rates = [
        log_rates(codec.analyze(subject.x, subject.place), levels)
        for subject in subjects
    ]
    return np.stack(rates).astype(np.float64)


def fit_rate_map(former: FloatArray, new: FloatArray) -> RateMap:
    """Fit the map by least squares, drawn to "all changed alike" where data are thin.

    Args:
        former: log rates, (n, n_levels).
        new: of the same windows.
    """
    x = new - new.mean(axis=0)
    change = former - new
    noise = NOISE * len(x) * np.eye(x.shape[1])
    slope = np.linalg.solve(x.T @ x + noise, x.T @ (change - change.mean(axis=0))).T
    slope += np.eye(len(slope))
    offset = former.mean(axis=0) - slope @ new.mean(axis=0)
    left = former - (new @ slope.T + offset)
    return RateMap(
        slope=slope, offset=offset, residual=float(np.sqrt(np.mean(left**2)))
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
    of_rates = weights[:, -n_rates:]
    bias = bias + of_rates @ rates.offset
    weights = np.concatenate([weights[:, :-n_rates], of_rates @ rates.slope], axis=1)
    changed = bytearray(heads)
    model = schema.Model.GetRootAs(changed, 0)
    for tensor, part in zip(layer.inputs[1:], (weights, bias), strict=True):
        place = model.Buffers(model.Subgraphs(0).Tensors(tensor).Buffer())
        place.DataAsNumpy().view("<f4")[:] = part.ravel()
    return bytes(changed)
