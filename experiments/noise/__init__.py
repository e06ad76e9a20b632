# SPDX-License-Identifier: Apache-2.0
"""Noise: gain, promise and score as wander, muscle noise and motion are added.

The windows are of the test splits of CinC 2017 (rhythm) and MIT-BIH (R peaks); the
noise is of models, or of nstdb's records where `--nstdb` names them. Each window is
sent as the bound's calibrated choice would send it, whose calibration has seen no added
noise, and at two fixed levels of gain 64. Errors count against the task's answer on the
noisy window itself: what a receiver of the raw samples would have got.
"""

from __future__ import annotations

import argparse
import functools
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from experiments.noise.measured import (
    BUNDLE,
    RISK,
    Condition,
    NoisyTrier,
    Setting,
    settings_of,
)
from experiments.noise.rows import row_of
from experiments.noise.section import section
from experiments.noise.sources import KINDS, load_source

__all__ = ["add_arguments", "run", "section"]

SNRS_DB = (24.0, 18.0, 12.0, 6.0, 0.0)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add how many windows there are, whose noise, and where the figure goes."""
    for name, default, what in (
        ("--cinc", 200, "windows of CinC 2017"),
        ("--mitdb", 150, "windows of MIT-BIH"),
        ("--lossless", 24, "of these many of each lossless is tried, too"),
        ("--seed", 0, "of the choice of windows and of the noise"),
    ):
        parser.add_argument(
            name, type=int, default=default, help=f"{what} (default: %(default)s)"
        )
    parser.add_argument(
        "--nstdb",
        type=Path,
        metavar="FOLDER",
        help="of the records bw, ma and em (default: models of such noise)",
    )
    parser.add_argument(
        "--figures", type=Path, metavar="FOLDER", help="(default: docs/figures)"
    )
    parser.add_argument("--workers", type=int, help="processes (default: one a core)")


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Measure every condition, and draw.

    Returns:
        For rhythm and rpeaks a row for each noise and ratio; the name of the figure;
        whose noise it was.

    Raises:
        ConfigError: If the records are missing, or nstdb's where they were named.
    """
    from experiments.noise.figure import draw

    source = load_source(options.nstdb)
    settings = settings_of(options.cinc, options.mitdb, options.lossless)
    measure_all(settings, options.nstdb, options.seed, n_workers=options.workers)
    results: dict[str, Any] = {
        "bundle": BUNDLE,
        "source": source.name,
        "seed": options.seed,
        "risk": RISK,
    }
    for setting in settings:
        trier = _trier(setting, options.nstdb, options.seed)
        rows = [row_of(setting, c, trier.run(c)) for c in conditions()]
        bound = {"split": setting.split, "limit": setting.limit}
        results[setting.task] = {**bound, "rows": rows}
    results["figure"] = draw(results, folder=options.figures)
    return results


def conditions() -> list[Condition]:
    """Return all: clean, and each kind of noise from the weakest to the strongest."""
    noisy = [Condition(kind=k, snr_db=snr) for k in KINDS for snr in SNRS_DB]
    return [Condition(), *noisy]


def measure_all(
    settings: tuple[Setting, ...],
    nstdb: Path | None,
    seed: int,
    *,
    n_workers: int | None = None,
) -> None:
    """Measure what is not kept yet, and say how far it is."""
    left = [
        (setting, nstdb, seed, condition)
        for setting in settings
        for condition in conditions()
        if not _trier(setting, nstdb, seed).is_kept(condition)
    ]
    if not left:
        return
    began_s = time.monotonic()
    n_workers = n_workers or os.cpu_count() or 1
    # A process of its own for each: the interpreters' threads do not survive a fork.
    with ProcessPoolExecutor(n_workers, mp_context=get_context("spawn")) as pool:
        running = [pool.submit(_measure, *unit) for unit in left]
        for n_done, future in enumerate(as_completed(running), start=1):
            future.result()
            print(
                f"[{time.monotonic() - began_s:5.0f} s] {n_done} of {len(left)}: noise",
                file=sys.stderr,
                flush=True,
            )


def _measure(
    setting: Setting, nstdb: Path | None, seed: int, condition: Condition
) -> None:
    _trier(setting, nstdb, seed).run(condition)


@functools.cache
def _trier(setting: Setting, nstdb: Path | None, seed: int) -> NoisyTrier:
    return NoisyTrier(setting, load_source(nstdb), seed)
