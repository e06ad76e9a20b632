# SPDX-License-Identifier: Apache-2.0
"""Transfer: what judges that took no part in training make of decoded windows.

Does a reconstruction serve a task that it has not seen, or only please its own? Rhythm
on CinC 2017 test, by the network of `monitor` and by `experiments.networks.judge`; R
peaks on MIT-BIH test, lead 0, by the network of `monitor` and by xqrs.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from experiments.bootstrap import Bootstrap
from experiments.judge_answers import ask_all
from experiments.transfer.says import compared, rounded, says
from experiments.transfer.section import section
from experiments.transfer.views import Views, peaks_views, rhythm_views
from experiments.transfer.ways import BOUND_NATS, RISK, Twice, ways_of
from experiments.windows import CINC_TEST, MITDB_TEST

__all__ = ["add_arguments", "run", "section"]

# xqrs is pure Python: 0.07 s a window, and 1,403 windows of a dozen ways are too many.
EVERY_MITDB = 8


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add how many windows xqrs sees, and where the figure goes."""
    parser.add_argument(
        "--every",
        type=int,
        default=EVERY_MITDB,
        help="of MIT-BIH, one window of so many (default: %(default)s)",
    )
    parser.add_argument(
        "--figures", type=Path, metavar="FOLDER", help="(default: docs/figures)"
    )
    parser.add_argument("--workers", type=int, help="processes (default: one a core)")


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Judge every way twice.

    Returns:
        For rhythm and rpeaks the rows, a way each, the pairs that are compared, and the
        answer in a sentence; the name of the figure.

    Raises:
        ConfigError: If the records are not there.
        ModelError: If the second network is not there.
    """
    from experiments.transfer.figure import draw

    rhythm = ways_of(CINC_TEST, "rhythm")
    peaks = ways_of(MITDB_TEST, "peaks", every=options.every)
    ask_all([one.way for one in (*rhythm, *peaks)], n_workers=options.workers)
    results: dict[str, Any] = {
        "bound_nats": BOUND_NATS,
        "risk": RISK,
        "every_mitdb": options.every,
        "rhythm": judged("rhythm", rhythm, rhythm_views(rhythm)),
        "rpeaks": judged("rpeaks", peaks, peaks_views(peaks)),
    }
    results["figure"] = draw(results, folder=options.figures)
    for task in ("rhythm", "rpeaks"):
        print(results[task]["says"])
    return results


def judged(task: str, ways: list[Twice], views: list[Views]) -> dict[str, Any]:
    """Return rows, pairs and the answer of one task.

    Args:
        task: rhythm or rpeaks.
        ways: the raw windows, then every way of sending them.
        views: how own and second judge see each.
    """
    records = ways[0].own.records
    bootstrap = Bootstrap(records)
    rows = [_row(*one, bootstrap) for one in zip(ways, views, strict=True)]
    results: dict[str, Any] = {
        "n_windows": len(records),
        "n_records": len(np.unique(records)),
        "rows": rows,
        "compared": compared(rows, views, bootstrap),
    }
    return results | {"says": says(task, results)}


def _row(one: Twice, views: Views, bootstrap: Bootstrap) -> dict[str, Any]:
    """Return the figures of a way, each with its interval: value, low, high."""
    row: dict[str, Any] = {
        "name": one.way.name,
        "family": one.family,
        "gain": rounded(bootstrap.ratio(one.own.raw_bytes, one.own.n_bytes)),
    }
    for judge, view in views.items():
        row[judge] = {
            "f1": rounded(bootstrap.of(view.f1)),
            "error": rounded(bootstrap.mean(view.errors)),
            "over": rounded(bootstrap.mean(view.over)),
        }
    return row
