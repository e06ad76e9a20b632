# SPDX-License-Identifier: Apache-2.0
"""Picks the windows that a reader should see, and codes them once more."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dynamic_deep.bench.entrants import Entrant, LeadContext
from dynamic_deep.bench.groups import CHOSEN, NEURAL, WAVELET
from dynamic_deep.bench.measure import Table, cut_window, measure_window
from dynamic_deep.bench.result import BenchOptions, BenchRecord
from dynamic_deep.bench.shown import Example, LadderStep
from dynamic_deep.errors import ConfigError
from dynamic_deep.recording import mv_per_unit
from dynamic_deep.segments import window_bounds

Places = list[tuple[int, int]]  # (record, row of its table)


def pick_examples(
    entrants: Sequence[Entrant],
    records: Sequence[BenchRecord],
    by_entrant: Sequence[Sequence[Table]],
    options: BenchOptions,
) -> Iterator[Example]:
    """Yield the windows of lowest, median and highest PRDN of one row.

    Args:
        entrants: who took part.
        records: the measured recordings.
        by_entrant: for each entrant one table a record.
        options: how many examples, and from which row.

    Raises:
        ConfigError: If `options.example_level` is not among the rows.
    """
    chosen = _choose_row(entrants, options) if options.n_examples else None
    if chosen is None:
        return
    places = _ranked(by_entrant[chosen])
    ranks = {"Best": 0, "Median": len(places) // 2, "Worst": len(places) - 1}
    seen: set[int] = set()
    for title, rank in list(ranks.items())[: options.n_examples]:
        if not places or rank in seen:
            continue
        seen.add(rank)
        record, row = places[rank]
        ladder = [
            ladder_step(entrant, tables[record][row])
            for entrant, tables in zip(entrants, by_entrant, strict=True)
            if entrant.bundle
            and entrant.group != CHOSEN
            and not tables[record][row]["is_failed"]
        ]
        yield _example(
            f"{title} PRDN", entrants[chosen], records[record],
            by_entrant[chosen][record][row], tuple(ladder),
        )  # fmt: skip


def _choose_row(entrants: Sequence[Entrant], options: BenchOptions) -> int | None:
    names = [entrant.name for entrant in entrants]
    if options.example_level is not None:
        wanted = options.example_level
        for i, entrant in enumerate(entrants):
            if wanted in (entrant.name, entrant.level):
                return i
        raise ConfigError(
            f"example_level must be among {', '.join(names)}, got {wanted}; choose "
            "from the list"
        )
    for group in (CHOSEN, NEURAL, WAVELET):
        of_group = [i for i, entrant in enumerate(entrants) if entrant.group == group]
        if of_group:
            return of_group[len(of_group) // 2]
    return None


def _ranked(tables: Sequence[Table]) -> Places:
    places = [(r, i) for r, table in enumerate(tables) for i in range(len(table))]
    prdn = np.concatenate([np.where(t["is_failed"], np.nan, t["prdn"]) for t in tables])
    order = [int(i) for i in np.argsort(prdn, kind="stable") if np.isfinite(prdn[i])]
    return [places[i] for i in order]


def ladder_step(entrant: Entrant, window: Table) -> LadderStep:
    """Return what a coder made of one window, a row of its table."""
    n_bytes = int(window["coded_bytes"])
    level, group = entrant.sent_at(int(window["level_id"]))
    return LadderStep(
        name=entrant.name,
        group=group,
        level=level,
        gain=float(window["raw_bytes"]) / n_bytes,
        prdn=float(window["prdn"]),
        n_bytes=n_bytes,
    )


def _example(
    title: str,
    entrant: Entrant,
    record: BenchRecord,
    window: Table,
    ladder: tuple[LadderStep, ...],
) -> Example:
    from dynamic_deep.recording import read_recording

    recording = read_recording(Path(record.path))
    window_idx, lead = int(window["window_idx"]), int(window["lead"])
    bounds = window_bounds(recording.n_samples, recording.fs)[window_idx]
    context, samples = cut_window(recording, bounds, window_idx, lead)
    _, decoded = measure_window(entrant, samples, context, int(window["raw_bytes"]))
    return Example(
        title=title,
        row=entrant.name,
        record=record.name,
        lead_name=recording.lead_names[lead],
        window_idx=window_idx,
        start_s=bounds[0] / recording.fs,
        fs=recording.fs,
        x=to_mv(samples, context),
        x_hat=to_mv(decoded, context),
        step=ladder_step(entrant, window),
        ladder=ladder,
    )


def to_mv(
    samples: npt.NDArray[np.integer], lead: LeadContext
) -> npt.NDArray[np.float64]:
    """Return samples in mV; a unit that is no voltage is taken as if it were mV."""
    is_voltage = math.isfinite(lead.uv_per_adc)
    scale = mv_per_unit(lead.units) if is_voltage else 1.0
    physical = (samples.astype(np.float64) - lead.adc_baseline) / lead.adc_gain
    return np.asarray(physical * scale)
