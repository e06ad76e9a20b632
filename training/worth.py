# SPDX-License-Identifier: Apache-2.0
"""Which neural levels earn their place: those clearly above the wavelet's curve."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from dynamic_deep.config import WINDOW_LEN
from dynamic_deep.entropy import RangeEncoder
from dynamic_deep.wavelet import WaveletCoder, WaveletLevel, inverse
from training.tables import Tables, wavelet_levels

FloatArray = npt.NDArray[np.float32]

MIN_ADVANTAGE = 1.15  # of gain at equal PRDN: what a network must give to be carried


def wavelet_curve(
    tables: Tables, windows: FloatArray
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return PRDN (percent) and bits a sample of every wavelet level.

    Args:
        tables: of `wavelet_tables`.
        windows: normalised windows, float32, (n_windows, WINDOW_LEN).
    """
    points = []
    for level in wavelet_levels():
        coder = WaveletCoder(
            WaveletLevel(
                step=float(tables[f"{level.name}/step"]),
                counts=tables[f"{level.name}/counts"],
                centroids=tables[f"{level.name}/centroids"],
            )
        )
        points.append(np.mean([_point(coder, x) for x in windows], axis=0))
    prdn, rate = np.transpose(points)
    return prdn, rate


def _point(coder: WaveletCoder, x: FloatArray) -> tuple[float, float]:
    message = RangeEncoder()
    coder.encode(message, x)
    x_hat = inverse(coder.level.dequantize(coder.level.quantize(x)), len(x))
    prdn = 100.0 * float(np.linalg.norm(x - x_hat) / np.linalg.norm(x))
    return prdn, 8.0 * len(message.finish()) / WINDOW_LEN


def advantage(
    curve: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]],
    *,
    prdn: float,
    rate: float,
) -> float:
    """Return the wavelet's bits over a level's bits at the level's PRDN.

    Beyond its ends the curve is taken to stay flat.

    Example:
        >>> curve = np.array([10.0, 20.0]), np.array([0.4, 0.1])
        >>> round(advantage(curve, prdn=15.0, rate=0.1), 6)
        2.0
    """
    at_prdn = np.exp(np.interp(prdn, curve[0], np.log(curve[1])))
    return float(at_prdn / rate)
