# SPDX-License-Identifier: Apache-2.0
"""What the shipped codec of the paper does to windows of CinC 2017, and its own choice.

Also gives the heads of phase 3 their targets: the errors of the networks as shipped.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dynamic_deep.bundle import load_bundle
from dynamic_deep.metrics import prdn
from dynamic_deep.tasks.rhythm import CLASSES, RhythmTask
from dynamic_deep.trials import Subject
from dynamic_deep.window_codec import at_rate_of_model
from experiments.coders.paper import PaperLevel
from experiments.networks.paper import LEVELS, REFERENCES, PaperNetworks, of_window
from experiments.networks.paper_segments import FloatArray, split_segments

TASK_BUNDLE = "monitor"
BOUNDS = (0.5, 0.75, 1.0)  # nats of cross entropy to the label
RAW_BYTES = 2  # of a sample


@dataclass(frozen=True, kw_only=True, eq=False)
class Tried:
    """Windows, n of them, at every level; `raw` first where a row is raw, too.

    Attributes:
        latents: of each level, float32 (n, FORECAST_SEGMENTS, n_elements).
        errors: nats, (n, n_levels, n_references).
        raw_cce: nats, (n,).
        prdn: percent, (n, n_levels).
        n_bytes: (n, n_levels).
        n_samples: (n,).
        labels: index of the class, (n,).
        decided: index of the class decided, raw first, (n, 1 + n_levels).
    """

    latents: dict[int, FloatArray]
    errors: FloatArray
    raw_cce: FloatArray
    prdn: FloatArray
    n_bytes: FloatArray
    n_samples: npt.NDArray[np.int32]
    labels: npt.NDArray[np.int8]
    decided: npt.NDArray[np.int8]


def try_windows(subjects: Iterable[Subject], coders: Sequence[PaperLevel]) -> Tried:
    """Send windows by both levels and ask the rhythm network.

    Args:
        subjects: labelled windows at 300 Hz.
        coders: one a level, in the order of `LEVELS`.
    """
    task = RhythmTask(load_bundle(TASK_BUNDLE).networks["task_rhythm"])
    rows: list[dict[str, Any]] = []
    kept: dict[int, list[FloatArray]] = {level: [] for level in LEVELS}
    for subject in subjects:
        segments, _ = split_segments(subject.x - subject.place.baseline)
        for level, y in coders[0].networks.encode(segments).items():
            kept[level].append(of_window(y))
        rows.append(_try_window(subject, coders, task))
    columns = {key: np.array([row[key] for row in rows]) for key in rows[0]}
    latents = {level: np.stack(found) for level, found in kept.items()}
    return Tried(latents=latents, **columns)


def _try_window(
    subject: Subject, coders: Sequence[PaperLevel], task: RhythmTask
) -> dict[str, Any]:
    raw = task.answer(at_rate_of_model(subject.x, subject.place))
    errors, sizes, distortions = [], [], []
    decided = [task.decide(raw)]
    for coder in coders:
        sent = coder.send(subject)
        answer = task.answer(at_rate_of_model(sent.x_hat, subject.place))
        errors.append(
            (task.label_error(subject.label, answer), task.error(raw, answer))
        )
        decided.append(task.decide(answer))
        sizes.append(sent.n_bytes)
        distortions.append(prdn(subject.x, sent.x_hat))
    return {
        "errors": np.array(errors, np.float32),
        "raw_cce": task.label_error(subject.label, raw),
        "prdn": np.array(distortions),
        "n_bytes": np.array(sizes),
        "n_samples": subject.place.n_samples,
        "labels": CLASSES.index(str(subject.label)),
        "decided": np.array([CLASSES.index(v) for v in decided], np.int8),
    }


def foretold(networks: PaperNetworks, latents: dict[int, FloatArray]) -> FloatArray:
    """Return foretold errors: (n, n_levels, n_references), nats."""
    n = len(latents[LEVELS[0]])
    return np.stack(
        [networks.foretell({v: y[i] for v, y in latents.items()}) for i in range(n)]
    )


def highest_within(errors: FloatArray, bound: float) -> npt.NDArray[np.int64]:
    """Return 0 for raw, or 1 + the index of the highest level within a bound.

    Args:
        errors: nats, (n, n_levels), the levels by rising gain.
        bound: nats.
    """
    within = errors <= bound
    order = np.arange(1, errors.shape[1] + 1)
    return np.asarray((within * order).max(axis=1), np.int64)


def choice_figures(
    tried: Tried,
    chosen: npt.NDArray[np.int64],
    *,
    gains: Sequence[float],
    lossless: FloatArray,
) -> dict[str, float]:
    """Return what a choice a window comes to.

    Args:
        tried: the windows.
        chosen: 0 for raw, else 1 + the index of a level, (n,).
        gains: of elements, each level's.
        lossless: bytes of each window, (n,), for those that would go raw.
    """
    at = np.arange(len(chosen))
    raw_bytes = tried.n_samples * RAW_BYTES
    cce = np.column_stack([tried.raw_cce, tried.errors[:, :, 0]])[at, chosen]
    sent = chosen > 0
    figures = {
        "mean_element_gain": np.array([1.0, *gains])[chosen].mean(),
        "mean_cce": cce.mean(),
        "accuracy": (tried.decided[at, chosen] == tried.labels).mean(),
    }
    for name, fallback in (("raw", raw_bytes), ("lossless", lossless)):
        sizes = np.column_stack([fallback, tried.n_bytes])[at, chosen]
        figures[f"bytes_gain_{name}_fallback"] = raw_bytes.sum() / sizes.sum()
    for i, name in enumerate(("raw", *map(str, LEVELS))):
        figures[f"share_{name}"] = (chosen == i).mean()
    for bound in BOUNDS:
        figures[f"over_{bound}"] = (cce[sent] > bound).sum() / len(chosen)
    return {name: round(float(value), 4) for name, value in figures.items()}


def level_figures(tried: Tried) -> dict[str, dict[str, Any]]:
    """Return what each level does, and the raw windows for comparison."""
    figures: dict[str, dict[str, Any]] = {
        "raw": _task_figures(tried.raw_cce, tried.decided[:, 0], tried.labels)
    }
    for i, level in enumerate(LEVELS):
        one = _task_figures(
            tried.errors[:, i, 0], tried.decided[:, 1 + i], tried.labels
        )
        one["mean_kl"] = round(float(tried.errors[:, i, 1].mean()), 4)
        one["mean_prdn"] = round(float(tried.prdn[:, i].mean()), 2)
        one["median_prdn"] = round(float(np.median(tried.prdn[:, i])), 2)
        gain = (tried.n_samples * RAW_BYTES).sum() / tried.n_bytes[:, i].sum()
        one["bytes_gain"] = round(float(gain), 2)
        figures[str(level)] = one
    return figures


def _task_figures(
    cce: FloatArray, decided: npt.NDArray[np.int8], labels: npt.NDArray[np.int8]
) -> dict[str, Any]:
    f1 = [
        2.0
        * ((decided == c) & (labels == c)).sum()
        / max((decided == c).sum() + (labels == c).sum(), 1)
        for c in range(len(CLASSES))
    ]
    return {
        "cce_quartiles": [
            round(float(v), 3) for v in np.quantile(cce, (0.25, 0.5, 0.75))
        ],
        "mean_cce": round(float(cce.mean()), 4),
        "accuracy": round(float((decided == labels).mean()), 4),
        "f1": dict(zip(CLASSES, (round(float(v), 3) for v in f1), strict=True)),
        "mean_f1_of_3": round(float(np.mean(f1[:3])), 4),
    }


def choices(
    tried: Tried, heads: FloatArray, *, gains: Sequence[float], lossless: FloatArray
) -> dict[str, Any]:
    """Return oracle and head's choice at each bound, by reference.

    Args:
        tried: the windows.
        heads: foretold errors, (n, n_levels, n_references).
        gains: of elements, each level's.
        lossless: bytes of each window, (n,).
    """
    found: dict[str, Any] = {}
    for j, reference in enumerate(REFERENCES):
        for name, errors in (("oracle", tried.errors), ("heads", heads)):
            found[f"{name} {reference}"] = {
                str(bound): choice_figures(
                    tried,
                    highest_within(errors[:, :, j], bound),
                    gains=gains,
                    lossless=lossless,
                )
                for bound in BOUNDS
            }
    return found


def foretelling_figures(tried: Tried, heads: FloatArray) -> dict[str, Any]:
    """Return rank correlation and mean absolute error of what was foretold."""
    found = {}
    for i, level in enumerate(LEVELS):
        for j, reference in enumerate(REFERENCES):
            true, said = tried.errors[:, i, j], heads[:, i, j]
            ranks = np.argsort(np.argsort([true, said], axis=1), axis=1)
            correlation = np.asarray(np.corrcoef(ranks.astype(np.float64)))[0, 1]
            found[f"{level} {reference}"] = {
                "rank_correlation": round(float(correlation), 3),
                "mean_absolute_error": round(float(np.abs(true - said).mean()), 3),
            }
    return found
