# SPDX-License-Identifier: Apache-2.0
"""What a coder does to each window: bytes, error of the signal, error of the tasks."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from dynamic_deep.metrics import max_error, prd, prdn
from dynamic_deep.tasks import Peaks, RhythmTask, RPeaksTask
from dynamic_deep.tasks.rhythm import CLASSES
from dynamic_deep.tasks.rpeaks import changed_segments
from dynamic_deep.tasks.scores import beat_scores
from dynamic_deep.trials import UNKNOWN
from dynamic_deep.window_codec import at_rate_of_model
from experiments.coders.levels import LevelCoder
from experiments.coders.protocol import Coder
from experiments.judges import Answers, Judge, raw_answers
from experiments.kept import Arrays
from experiments.windows import Window, load_windows

Floats = npt.NDArray[np.float64]
Signal = npt.NDArray[np.float32]
TASKS = ("rhythm", "rpeaks")
BEAT_TOLERANCE_S = 0.15  # of annotated beats, ANSI/AAMI EC57
LEAST_SAMPLE = 1.0  # eq. 1 divides by the sample, which may be 0: ADC units


@dataclass(frozen=True, kw_only=True, eq=False)
class Measured:
    """A table of windows, n of them; NaN where a task was not asked.

    Attributes:
        records: whose window it is, (n,).
        labels: index of the annotated rhythm, or -1, (n,).
        raw_bytes: of the window as stored, (n,).
        n_bytes: sent, (n,).
        prd: percent, mean kept, counted from the ADC's zero, (n,).
        prdn: percent, mean removed, (n,).
        mape: eq. 1 of the paper, mean of |x - x_hat| / max(|x|, 1 ADC unit), x counted
            from the baseline, (n,).
        max_error: ADC units, (n,).
        kl: of the rhythm against its answer on the raw window, nats, (n,).
        cce: of the rhythm against the label, nats, (n,).
        decided: index of the rhythm decided, or -1, (n,).
        beat_error: 1 - F1 at 50 ms against the beats of the raw window, (n,).
        changed: share of segments whose beats changed, (n,).
        beats: matched, missed, extra beats and squared ms against the annotated beats
            at 150 ms, (n, 4).
    """

    records: npt.NDArray[np.str_]
    labels: npt.NDArray[np.int8]
    raw_bytes: Floats
    n_bytes: Floats
    prd: Floats
    prdn: Floats
    mape: Floats
    max_error: Floats
    kl: Floats
    cce: Floats
    decided: npt.NDArray[np.int8]
    beat_error: Floats
    changed: Floats
    beats: Floats

    def __len__(self) -> int:
        """Return the number of windows."""
        return len(self.records)

    def arrays(self) -> Arrays:
        """Return everything as arrays."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def at(self, rows: npt.NDArray[np.generic]) -> Measured:
        """Return some of the windows: indices, or a mask."""
        return Measured(**{name: v[rows] for name, v in self.arrays().items()})


def measure(
    coder: Coder | None,
    split: str,
    judge: Judge | None,
    asked: Sequence[str] = TASKS,
) -> Measured:
    """Send every window of a split by a coder and ask a judge.

    Args:
        coder: None for the raw windows.
        split: such as "cinc2017:test".
        judge: None to measure bytes and the signal alone.
        asked: the tasks that it is asked.
    """
    windows = load_windows(split)
    raw: Sequence[Answers | None] = [None] * len(windows)
    if judge is not None:
        raw = raw_answers(split, judge)
    rows = [
        _measure_window(coder, window, judge, answers, asked)
        for window, answers in zip(windows, raw, strict=True)
    ]
    columns = {
        name: np.array([row[name] for row in rows]) for name in rows[0]
    }  # of numpy's own types
    for name in ("labels", "decided"):
        columns[name] = columns[name].astype(np.int8)
    return Measured(**columns)


def recount(coder: LevelCoder, split: str, twin: Measured) -> Measured:
    """Return the table of a coder that sends the samples of another in other bytes.

    Args:
        coder: one with a twin.
        split: such as "cinc2017:test".
        twin: the other one's table of the same windows.
    """
    n_bytes = [coder.n_bytes(window.subject) for window in load_windows(split)]
    return dataclasses.replace(twin, n_bytes=np.array(n_bytes, np.float64))


def level_table(tables: Mapping[str, Measured], bundle: str, level: str) -> Measured:
    """Return the table of a level: the bundle's own, or that which all bundles share.

    Args:
        tables: by the coder's name.
        bundle: whose level it is.
        level: its name.
    """
    name = f"{bundle}/{level}"
    return tables[name] if name in tables else tables[level]


def gather(
    tables: Mapping[str, Measured], bundle: str, names: npt.NDArray[np.str_]
) -> Measured:
    """Return the table of windows that are each sent by a level of a bundle.

    Args:
        tables: by the coder's name, of the same windows.
        bundle: whose levels they are.
        names: of the level of each window, (n,).
    """
    columns = {k: v.copy() for k, v in next(iter(tables.values())).arrays().items()}
    for name in np.unique(names):
        table, at = level_table(tables, bundle, str(name)), names == name
        for key, values in table.arrays().items():
            columns[key][at] = values[at]
    return Measured(**columns)


def _measure_window(
    coder: Coder | None,
    window: Window,
    judge: Judge | None,
    raw: Answers | None,
    asked: Sequence[str],
) -> dict[str, object]:
    subject = window.subject
    raw_bytes = float(subject.place.n_samples * subject.place.adc_bits // 8)
    n_bytes, x_hat = raw_bytes, subject.x
    if coder is not None:
        sent = coder.send(subject)
        n_bytes, x_hat = float(sent.n_bytes), np.asarray(sent.x_hat, np.int32)
    x = subject.x.astype(np.float64)
    offset = x - subject.place.baseline
    row: dict[str, object] = {
        "records": subject.record,
        "labels": UNKNOWN if subject.label is None else CLASSES.index(subject.label),
        "raw_bytes": raw_bytes,
        "n_bytes": n_bytes,
        "prd": prd(x, x_hat),
        "prdn": prdn(x, x_hat),
        "mape": float(
            np.mean(np.abs(x - x_hat) / np.maximum(np.abs(offset), LEAST_SAMPLE))
        ),
        "max_error": max_error(x, x_hat),
    }
    nan = float("nan")
    row |= dict.fromkeys(("kl", "cce", "beat_error", "changed"), nan)
    row |= {"decided": UNKNOWN, "beats": np.full(4, nan)}
    if judge is None or raw is None:
        return row
    # What came back bit for bit is answered as before.
    is_same = np.array_equal(x_hat, subject.x)
    signal = None if is_same else at_rate_of_model(x_hat, subject.place)
    if "rhythm" in asked:
        row |= _judged_rhythm(window, judge.rhythm, raw.rhythm, signal)
    if "rpeaks" in asked:
        row |= _judged_rpeaks(window, judge.rpeaks, raw.peaks, signal)
    return row


def _judged_rhythm(
    window: Window, task: RhythmTask, raw: Signal, signal: Signal | None
) -> dict[str, object]:
    said = raw if signal is None else task.answer(signal)
    row: dict[str, object] = {
        "kl": task.error(raw, said),
        "decided": CLASSES.index(task.decide(said)),
    }
    if window.subject.label is not None:
        row["cce"] = task.label_error(window.subject.label, said)
    return row


def _judged_rpeaks(
    window: Window, task: RPeaksTask, raw: Peaks, signal: Signal | None
) -> dict[str, object]:
    said = raw if signal is None else task.answer(signal)
    n_samples = window.subject.place.model_len
    row: dict[str, object] = {
        "beat_error": task.error(raw, said),
        "changed": float(changed_segments(raw, said, n_samples).mean()),
    }
    if window.beats is not None:
        scores = beat_scores(window.beats, said, BEAT_TOLERANCE_S, n_samples=n_samples)
        counts = scores.n_matched, scores.n_missed, scores.n_extra, scores.squared_ms
        row["beats"] = np.array(counts, np.float64)
    return row
