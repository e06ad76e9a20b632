# SPDX-License-Identifier: Apache-2.0
"""How long a stretch one decision is for: a segment, a window, several, a record.

R peaks of MIT-BIH, by an oracle: each unit gets the level of the fewest bytes at which
no beat of it changes, lossless if there is none. A segment is charged a quarter of its
window's bytes, since levels are coded by the window; so its gain is an upper limit.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from dynamic_deep.config import SEGMENTS_PER_WINDOW
from dynamic_deep.tasks.rpeaks import changed_segments
from experiments.bootstrap import Bootstrap, Triple
from experiments.coders.levels import LevelCoder
from experiments.judges import load_judge
from experiments.kept import Arrays, keep
from experiments.windows import Window, load_windows

JUDGE = "monitor"
LEVELS = (
    *(("standard", f"wavelet_{gain}") for gain in (12, 24)),
    *(("monitor", f"gain_{gain}") for gain in (64, 128, 288, 704)),
)
LOSSLESS = ("standard", "lossless")
UNITS = (1, 2, 4, 8)  # windows; longer than all records: the whole record
WHOLE_RECORD = 1000
EVERY = 3  # records

Floats = npt.NDArray[np.float64]


def unit_rows(split: str, *, every: int = EVERY) -> dict[str, Any]:
    """Return the gain of the oracle for each length of the unit.

    Args:
        split: of long records.
        every: one record of so many.
    """
    table = _table(split, every)
    records, changed, n_bytes = table["records"], table["changed"], table["n_bytes"]
    raw, bootstrap = table["raw_bytes"], Bootstrap(table["records"])

    def gain(sent: Floats) -> Triple:
        return bootstrap.ratio(raw, sent)

    by_segment = _segment_bytes(n_bytes, changed)
    base = _unit_bytes(n_bytes, changed, records, 1)
    rows = [{"unit": "segment", "windows": 0.25, "gain": gain(by_segment)}]
    rows[0]["over_window"] = bootstrap.ratio(base, by_segment)
    for length in (*UNITS, WHOLE_RECORD):
        sent = _unit_bytes(n_bytes, changed, records, length)
        name = "record" if length == WHOLE_RECORD else f"{length} windows"
        rows.append(
            {
                "unit": "window" if length == 1 else name,
                "windows": length,
                "gain": gain(sent),
                "over_window": bootstrap.ratio(base, sent),
            }
        )
    return {
        "rows": rows,
        "n_windows": len(records),
        "n_records": len(np.unique(records)),
    }


def _segment_bytes(n_bytes: Floats, changed: npt.NDArray[np.bool_]) -> Floats:
    """Return bytes of each window when each of its segments gets its own level."""
    n_segments = changed.shape[-1]
    shares = np.broadcast_to(n_bytes[..., None] / n_segments, changed.shape)
    best: Floats = np.where(changed, np.inf, shares).min(axis=1).sum(axis=-1)
    return best


def _unit_bytes(
    n_bytes: Floats,
    changed: npt.NDArray[np.bool_],
    records: npt.NDArray[np.str_],
    length: int,
) -> Floats:
    """Return bytes of each window when so many in a row get the same level.

    Args:
        n_bytes: of each level, the last lossless, (n, L).
        changed: whether a segment's beats are, (n, L, segments).
        records: whose the windows are, in time, (n,).
        length: windows of a unit; the last of a record may be shorter.
    """
    sent = np.empty(len(records))
    is_over: npt.NDArray[np.bool_] = np.asarray(changed.any(axis=-1))
    for record in np.unique(records):
        (at,) = np.nonzero(records == record)
        for i in range(0, len(at), length):
            unit = at[i : i + length]
            cost = np.where(is_over[unit].any(axis=0), np.inf, n_bytes[unit].sum(0))
            sent[unit] = n_bytes[unit, cost.argmin()]
    return sent


def _table(split: str, every: int) -> Arrays:
    coders = [LevelCoder(bundle=b, level=v) for b, v in (*LEVELS, LOSSLESS)]
    key = {
        "what": "changed segments",
        "split": split,
        "every": every,
        "judge": load_judge(JUDGE).identity,
        "coders": [coder.identity for coder in coders],
    }
    return keep(f"changed-{split}", key, lambda: _measure(split, every, coders))


def _measure(split: str, every: int, coders: list[LevelCoder]) -> Arrays:
    everything = load_windows(split)
    names = sorted({w.subject.record for w in everything})[::every]
    windows = [w for w in everything if w.subject.record in names]
    rows = [_measure_window(window, coders) for window in windows]
    return {
        "records": np.array([w.subject.record for w in windows]),
        "raw_bytes": np.array(
            [w.subject.place.n_samples * w.subject.place.adc_bits // 8 for w in windows]
        ).astype(np.float64),
        "n_bytes": np.array([n_bytes for n_bytes, _ in rows]),
        "changed": np.stack([changed for _, changed in rows]),
    }


def _measure_window(
    window: Window, coders: list[LevelCoder]
) -> tuple[list[float], npt.NDArray[np.bool_]]:
    judge, subject = load_judge(JUDGE), window.subject
    raw = judge.ask(subject.x, window).peaks
    n_bytes, changed = [], np.zeros((len(coders), SEGMENTS_PER_WINDOW), np.bool_)
    for i, coder in enumerate(coders):
        sent = coder.send(subject)
        n_bytes.append(sent.n_bytes)
        if coder.level == LOSSLESS[1]:
            continue
        found = judge.ask(np.asarray(sent.x_hat, np.int32), window).peaks
        flags = changed_segments(raw, found, subject.place.model_len)
        changed[i, : len(flags)] = flags[:SEGMENTS_PER_WINDOW]
        changed[i, -1] |= flags[SEGMENTS_PER_WINDOW:].any()
    return n_bytes, changed
