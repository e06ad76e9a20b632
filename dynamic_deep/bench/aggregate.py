# SPDX-License-Identifier: Apache-2.0
"""From windows to rows: sums over sums, means, and intervals by record.

The gain of a set is the sum of the raw bytes over the sum of the coded bytes. The
bootstrap draws whole records, since windows of one patient are alike.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from dynamic_deep.bench.entrants import Entrant
from dynamic_deep.bench.groups import NEURAL, WAVELET
from dynamic_deep.bench.measure import Table
from dynamic_deep.bench.result import BenchRow, EqualPrdn, Interval

FloatArray = npt.NDArray[np.float64]


def resample_weights(n_records: int, n_resamples: int, seed: int) -> FloatArray:
    """Return how often each record is drawn in each resample.

    Returns:
        float64 array, shape (n_resamples, n_records); every row sums to `n_records`.
    """
    rng = np.random.default_rng(seed)
    share = np.full(n_records, 1.0 / n_records)
    return rng.multinomial(n_records, share, size=n_resamples).astype(np.float64)


class RowSums:
    """The sums of one entrant by record, which the bootstrap is made of.

    Args:
        tables: one table of `WINDOW_DTYPE` a record.
    """

    def __init__(self, tables: Sequence[Table]) -> None:
        """Reduce the windows to sums."""
        kept = [table[~table["is_failed"]] for table in tables]
        self.windows = np.concatenate(kept)
        self.n_failed = sum(len(t) for t in tables) - len(self.windows)
        self.raw = np.array([t["raw_bytes"].sum() for t in kept], np.float64)
        self.coded = np.array([t["coded_bytes"].sum() for t in kept], np.float64)
        self.prdn = np.array([np.nansum(t["prdn"]) for t in kept])
        self.n_prdn = np.array([np.isfinite(t["prdn"]).sum() for t in kept], np.float64)

    def gain(self, weights: FloatArray | None = None) -> FloatArray:
        """Return the aggregate gain, shape (), or (n_resamples,) under `weights`."""
        return _ratio(self.raw, self.coded, weights)

    def mean_prdn(self, weights: FloatArray | None = None) -> FloatArray:
        """Return the mean PRDN over windows, shape (), or (n_resamples,)."""
        return _ratio(self.prdn, self.n_prdn, weights)


def _ratio(
    above: FloatArray, below: FloatArray, weights: FloatArray | None
) -> FloatArray:
    weights = np.ones(len(above)) if weights is None else weights
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((weights @ above) / (weights @ below), dtype=np.float64)


def interval(values: FloatArray, n_records: int) -> Interval | None:
    """Return the middle 95 % of `values`, or None if one record gives no interval."""
    finite = values[np.isfinite(values)]
    if n_records < 2 or finite.size < 0.95 * values.size:
        return None
    low, high = np.percentile(finite, [2.5, 97.5])
    return Interval(float(low), float(high))


def build_row(entrant: Entrant, sums: RowSums, weights: FloatArray) -> BenchRow:
    """Return the row of one entrant that coded at least one window."""
    windows, n_records = sums.windows, len(sums.raw)
    coded, lead_s = windows["coded_bytes"], float(windows["lead_s"].sum())
    n_samples = int(windows["n_samples"].sum())
    prdn = windows["prdn"][np.isfinite(windows["prdn"])]
    median, p95 = np.percentile(prdn, [50, 95]) if prdn.size else (np.nan, np.nan)
    return BenchRow(
        name=entrant.name,
        group=entrant.group,
        bundle=entrant.bundle,
        level=entrant.level,
        note=entrant.note,
        lossless=entrant.lossless,
        n_records=n_records,
        n_windows=len(windows),
        n_failed=sums.n_failed,
        n_flat=len(windows) - prdn.size,
        n_samples=n_samples,
        raw_bytes=int(windows["raw_bytes"].sum()),
        payload_bytes=int(windows["payload_bytes"].sum()),
        coded_bytes=int(coded.sum()),
        gain=float(sums.gain()),
        gain_interval=interval(sums.gain(weights), n_records),
        mean_gain=float(np.mean(windows["raw_bytes"] / coded)),
        bits_per_sample=8.0 * float(coded.sum()) / n_samples,
        prd=_mean(windows["prd"]),
        prd1=_mean(windows["prd1"]),
        prdn=float(sums.mean_prdn()),
        prdn_interval=interval(sums.mean_prdn(weights), n_records),
        prdn_median=float(median),
        prdn_p95=float(p95),
        prd01=_mean(windows["prd01"]),
        max_error_adc=float(windows["max_error_adc"].max()),
        max_error_uv=float(windows["max_error_uv"].max()),
        encode_x=_speed(lead_s, windows["encode_s"]),
        encode_ms_median=float(1e3 * np.median(windows["encode_s"])),
        encode_ms_p99=float(1e3 * np.percentile(windows["encode_s"], 99)),
        decode_x=_speed(lead_s, windows["decode_s"]),
        is_exact=bool(windows["is_exact"].all()),
    )


def _mean(values: FloatArray) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # all windows flat: NaN
        return float(np.nanmean(values))


def _speed(lead_s: float, cpu_s: FloatArray) -> float:
    total = float(cpu_s.sum())
    return lead_s / total if total > 0 else float("nan")


def interpolate_gain(
    prdn: FloatArray, curve_prdn: FloatArray, curve_gain: FloatArray
) -> FloatArray:
    """Return the gain of a curve at a PRDN, linear in log gain between its points.

    Args:
        prdn: float array, any shape, percent.
        curve_prdn: float array, shape (n_points,), percent, any order.
        curve_gain: float array, shape (n_points,).

    Returns:
        float array of the shape of `prdn`; NaN outside the curve.

    Example:
        >>> x, y = np.array([10.0, 20.0]), np.array([10.0, 40.0])
        >>> round(float(interpolate_gain(np.array(15.0), x, y)), 6)
        20.0
    """
    order = np.argsort(curve_prdn)
    log_gain = np.interp(
        prdn, curve_prdn[order], np.log(curve_gain[order]), left=np.nan, right=np.nan
    )
    return np.exp(log_gain)


def compare_at_equal_prdn(
    entrants: Sequence[Entrant], sums: Sequence[RowSums], weights: FloatArray
) -> list[EqualPrdn]:
    """Set each neural level beside the wavelet curve of the same run.

    That is the curve of the first bundle, where bundles have wavelets of their own. In
    each resample both the level and the curve are made of the same records.
    """
    pairs = [pair for pair in zip(entrants, sums, strict=True) if len(pair[1].windows)]
    wavelets = [pair for pair in pairs if pair[0].group == WAVELET]
    curve = [s for entrant, s in wavelets if entrant.bundle == wavelets[0][0].bundle]
    compared = []
    for entrant, level in pairs:
        if entrant.group != NEURAL:
            continue
        ratio, wavelet_gain = _ratio_to_curve(level, curve, None)
        spread = np.zeros(0)
        if np.isfinite(ratio):
            spread = np.array([_ratio_to_curve(level, curve, w)[0] for w in weights])
        known = bool(np.isfinite(ratio))
        compared.append(
            EqualPrdn(
                name=entrant.name,
                prdn=float(level.mean_prdn()),
                gain=float(level.gain()),
                wavelet_gain=wavelet_gain if known else None,
                ratio=ratio if known else None,
                ratio_interval=interval(spread, len(level.raw)) if known else None,
            )
        )
    return compared


def _ratio_to_curve(
    level: RowSums, curve: Sequence[RowSums], weights: FloatArray | None
) -> tuple[float, float]:
    if len(curve) < 2:
        return float("nan"), float("nan")
    wavelet_gain = interpolate_gain(
        level.mean_prdn(weights),
        np.array([s.mean_prdn(weights) for s in curve]),
        np.array([s.gain(weights) for s in curve]),
    )
    return float(level.gain(weights) / wavelet_gain), float(wavelet_gain)
