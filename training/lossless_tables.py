# SPDX-License-Identifier: Apache-2.0
"""Make `dynamic_deep/tables/lossless.npz`: priors, scale weights, probability tables.

    python -m training.lossless_tables [--mitdb-windows N] [--cinc-windows N]

Reads the train records of MIT-BIH (profile 0) and CinC 2017 (profile 1) from the folder
that DYNAMIC_DEEP_DATA names (`.data` by default). Three minutes of one core. Floats
only fit the integers; what is stored and what codes are integers.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dynamic_deep.entropy import normalize_counts
from dynamic_deep.lossless import ClosedLoop
from dynamic_deep.prediction import ORDER
from dynamic_deep.recording import read_recording
from dynamic_deep.residual import (
    ESCAPE,
    LEVELS_PER_OCTAVE,
    LOG_ONE,
    MAX_SYMBOL,
    N_CONTEXTS,
    N_FRACTIONS,
    N_LEVELS,
    N_PROFILES,
    N_SYMBOLS,
    N_TRENDS,
    LosslessTables,
)
from dynamic_deep.segments import window_bounds
from training.datasets import record_paths

IntArray = npt.NDArray[np.int64]

PRIOR_SAMPLES = 30  # how many samples the prior weighs as much as
STATISTICS_SAMPLES = 4096  # what the predictor's memory holds after a long window
NEAR_ERRORS = (1, 2, 4, 8)  # ADC units; the near-lossless tables serve all of them
_SUBSET = 3  # the priors and the scale weights need only every third window
_COEF_ONE = 1024  # of residual.ScaleTracker's fixed point


def load_windows(data_set: str, split: str, per_set: int | None) -> list[IntArray]:
    """Return `per_set` windows of a split, evenly spread over it; None returns all."""
    paths = record_paths(data_set, split)
    windows = []
    if per_set is not None and per_set < len(paths):
        paths = [paths[i] for i in np.linspace(0, len(paths) - 1, per_set).astype(int)]
    per_record = None if per_set is None else -(-per_set // len(paths))
    for path in paths:
        recording = read_recording(path)
        bounds = window_bounds(recording.n_samples, recording.fs)
        spread = [(lead, *b) for lead in range(recording.n_leads) for b in bounds]
        n_chosen = min(per_record or len(spread), len(spread))
        for idx in np.linspace(0, len(spread) - 1, n_chosen).astype(int):
            lead, start, stop = spread[idx]
            windows.append(recording.samples[start:stop, lead].astype(np.int64))
    return windows


class Recorder:
    """Stands for the writer and keeps what it is asked to write."""

    def __init__(self) -> None:
        """Start empty."""
        self.loop: ClosedLoop | None = None
        self.contexts: list[int] = []
        self.symbols: list[int] = []
        self.errors: list[int] = []
        self.logs: list[tuple[int, ...]] = []

    def code(self, context: int, n_dropped: int, error: int) -> int:
        """Keep one error."""
        kept = error >> n_dropped
        self.contexts.append(context)
        self.symbols.append(
            kept + MAX_SYMBOL if -MAX_SYMBOL <= kept <= MAX_SYMBOL else ESCAPE
        )
        self.errors.append(error)
        if self.loop is not None:
            self.logs.append(self.loop.scale.logs)
        return error


def run(
    tables: LosslessTables, profile: int, window: IntArray, max_error: int = 0
) -> tuple[Recorder, ClosedLoop]:
    """Send one window through the closed loop without coding it."""
    recorder = Recorder()
    loop = ClosedLoop(tables, profile=profile, shift=0, max_error=max_error)
    recorder.loop = loop
    loop.run(recorder, int(window[0]), len(window), window.tolist())
    return recorder, loop


def fit_prior(
    tables: LosslessTables, profile: int, windows: list[IntArray]
) -> IntArray:
    """Return the mean statistics of the windows at the weight of a prior."""
    total = np.zeros((ORDER + 1, ORDER + 1))
    for window in windows:
        total += run(tables, profile, window)[1].predictor.statistics
    mean = total / len(windows) * (PRIOR_SAMPLES / STATISTICS_SAMPLES)
    return np.rint(mean).astype(np.int64)


def fit_scale(
    tables: LosslessTables, profile: int, windows: list[IntArray]
) -> list[int]:
    """Return the weights of the logarithms that foretell the size of an error best.

    Best is the likelihood under a Laplace distribution of that size.
    """
    from scipy.optimize import minimize

    logs, errors = [], []
    for window in windows:
        recorder, _ = run(tables, profile, window)
        logs.append(np.array(recorder.logs[::5]) / LOG_ONE - 4)
        errors.append(np.abs(recorder.errors[::5]) + 0.1)
    x = np.concatenate(logs)
    x = np.c_[x, np.ones(len(x))]
    a = np.concatenate(errors)

    # The four weights sum to 1, so that the tables fit a signal of any amplitude.
    base, x = x[:, 0], np.c_[x[:, 1:4] - x[:, :1], x[:, 4]]

    def loss(w: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        z = np.clip(base + x @ w, -20, 20)
        ratio = a * 2.0**-z
        slope = np.log(2) * (x * (1 - ratio)[:, None]).mean(axis=0)
        return float((np.log(2) * z + ratio).mean()), slope

    start = np.linalg.lstsq(x, np.log2(a) - base, rcond=None)[0]
    w = minimize(loss, start, jac=True, method="L-BFGS-B").x
    one = LEVELS_PER_OCTAVE * _COEF_ONE // LOG_ONE
    others = np.rint(w[:3] * one).astype(int).tolist()
    # Level 0 expects an error of a quarter of a step.
    level = LEVELS_PER_OCTAVE * (w[3] + 2) + 0.5
    constant = round(level * _COEF_ONE) - 4 * LOG_ONE * one
    return [one - sum(others), *others, constant]


def count(
    tables: LosslessTables,
    profile: int,
    windows: list[IntArray],
    max_errors: Iterable[int],
) -> npt.NDArray[np.uint16]:
    """Return the normalised counts of the symbols in each context."""
    counts = np.zeros((N_CONTEXTS, N_SYMBOLS))
    for max_error in max_errors:
        for window in windows:
            recorder, _ = run(tables, profile, window, max_error)
            np.add.at(counts, (recorder.contexts, recorder.symbols), 1)
    return normalize_counts(smooth(counts)).astype(np.uint16)


def smooth(counts: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Lend thin contexts the distribution of wider ones."""
    cube = counts.reshape(N_LEVELS, N_TRENDS, N_FRACTIONS, N_SYMBOLS)
    level = cube.sum(axis=(1, 2), keepdims=True) + 0.01
    level /= level.sum(axis=-1, keepdims=True)
    trend = cube.sum(axis=2, keepdims=True) + 20 * level
    trend /= trend.sum(axis=-1, keepdims=True)
    return (cube + 20 * trend).reshape(N_CONTEXTS, N_SYMBOLS)


def main() -> None:
    """Fit everything and write the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mitdb-windows", type=int, default=300)
    parser.add_argument("--cinc-windows", type=int, default=600)
    out = Path(__file__).parent.parent / "dynamic_deep" / "tables" / "lossless.npz"
    parser.add_argument("--out", type=Path, default=out)
    args = parser.parse_args()
    windows = [
        load_windows("mitdb", "train", args.mitdb_windows),
        load_windows("cinc2017", "train", args.cinc_windows),
    ]
    priors = np.zeros((N_PROFILES, ORDER + 1, ORDER + 1), np.int64)
    coefs = [[48, 0, 0, 0, 0]] * N_PROFILES
    counts = np.ones((2 * N_PROFILES, N_CONTEXTS, N_SYMBOLS), np.uint16)
    tables = LosslessTables(priors=priors, scale_coefs=coefs, counts=counts)
    for profile, chosen in enumerate(windows):
        few = chosen[::_SUBSET]
        priors[profile] = fit_prior(tables, profile, few)
        coefs[profile] = fit_scale(tables, profile, few)
        print(f"profile {profile}: scale weights {coefs[profile]}", flush=True)
        counts[2 * profile] = count(tables, profile, chosen, [0])
        counts[2 * profile + 1] = count(tables, profile, few, NEAR_ERRORS)
    args.out.parent.mkdir(exist_ok=True)
    np.savez_compressed(
        args.out, priors=priors, scale_coefs=np.array(coefs), counts=counts
    )
    print(f"{args.out}: {args.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
