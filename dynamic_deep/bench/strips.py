# SPDX-License-Identifier: Apache-2.0
"""Picks the recordings whose levels a reader should see, window by window."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dynamic_deep.bench.entrants import Entrant
from dynamic_deep.bench.examples import ladder_step, to_mv
from dynamic_deep.bench.groups import CHOSEN
from dynamic_deep.bench.measure import Table, cut_window
from dynamic_deep.bench.result import BenchOptions, BenchRecord
from dynamic_deep.bench.shown import LevelStrip, StripWindow
from dynamic_deep.segments import window_bounds

FloatArray = npt.NDArray[np.float64]

MIN_WINDOWS = 2  # a lead of one window has a strip below its ECG already
POINTS_PER_ROW = 1200
MAX_ROWS = 6
SHORTEST_ROW_S = 60.0
USUAL_ROW_S = 300.0  # ten windows: wide enough for the name of a level in each


def pick_strips(
    entrants: Sequence[Entrant],
    records: Sequence[BenchRecord],
    by_entrant: Sequence[Sequence[Table]],
    options: BenchOptions,
) -> Iterator[LevelStrip]:
    """Yield the leads of lowest, median and highest gain of each choosing coder.

    Args:
        entrants: who took part.
        records: the measured recordings.
        by_entrant: for each entrant one table a record.
        options: `n_examples` is how many leads, 0 for none.
    """
    for entrant, tables in zip(entrants, by_entrant, strict=True):
        if entrant.group != CHOSEN:
            continue
        places = _ranked(tables)
        ranks = {"Lowest": 0, "Median": len(places) // 2, "Highest": len(places) - 1}
        seen: set[int] = set()
        for title, rank in list(ranks.items())[: options.n_examples]:
            if not places or rank in seen:
                continue
            seen.add(rank)
            record, lead = places[rank]
            table = _of_lead(tables[record], lead)
            yield _strip(f"{title} gain", entrant, records[record], table)


def row_length_s(duration_s: float) -> float:
    """Return how many seconds of a recording one row of the page shows.

    Example:
        >>> row_length_s(1800.0), row_length_s(7200.0), row_length_s(20.0)
        (300.0, 1200.0, 60.0)
    """
    n_rows = min(MAX_ROWS, max(1, round(duration_s / USUAL_ROW_S)))
    return max(SHORTEST_ROW_S, duration_s / n_rows)


def _ranked(tables: Sequence[Table]) -> list[tuple[int, int]]:
    """Return (record, lead) of those with enough windows, by gain."""
    gains: dict[tuple[int, int], float] = {}
    for record, table in enumerate(tables):
        for lead in np.unique(table["lead"]):
            kept = _of_lead(table, int(lead))
            if len(kept) >= MIN_WINDOWS:
                gains[record, int(lead)] = _gain(kept)
    return sorted(gains, key=lambda place: gains[place])


def _of_lead(table: Table, lead: int) -> Table:
    kept: Table = table[(table["lead"] == lead) & ~table["is_failed"]]
    return kept


def _gain(table: Table) -> float:
    return float(table["raw_bytes"].sum() / table["coded_bytes"].sum())


def _strip(
    title: str, entrant: Entrant, record: BenchRecord, table: Table
) -> LevelStrip:
    from dynamic_deep.recording import read_recording

    recording = read_recording(Path(record.path))
    n_samples, fs = recording.n_samples, recording.fs
    bounds = window_bounds(n_samples, fs)
    lead = int(table["lead"][0])
    context, samples = cut_window(recording, (0, n_samples), 0, lead)
    duration_s = n_samples / fs
    n_points = POINTS_PER_ROW * duration_s / row_length_s(duration_s)
    low, high = envelope(to_mv(samples, context), int(np.ceil(n_points)))
    return LevelStrip(
        title=title,
        row=entrant.name,
        record=record.name,
        lead_name=recording.lead_names[lead],
        duration_s=duration_s,
        low=low,
        high=high,
        gain=_gain(table),
        windows=tuple(
            StripWindow(
                start_s=bounds[window["window_idx"]][0] / fs,
                stop_s=bounds[window["window_idx"]][1] / fs,
                step=ladder_step(entrant, window),
            )
            for window in np.sort(table, order="window_idx")
        ),
    )


def envelope(mv: FloatArray, n_points: int) -> tuple[FloatArray, FloatArray]:
    """Return lowest and highest sample of `n_points` stretches of about equal length.

    Example:
        >>> envelope(np.array([3.0, 1.0, 2.0, 8.0]), 2)
        (array([1., 2.]), array([3., 8.]))
    """
    starts = np.unique(np.linspace(0, len(mv), n_points, endpoint=False).astype(int))
    return np.minimum.reduceat(mv, starts), np.maximum.reduceat(mv, starts)
