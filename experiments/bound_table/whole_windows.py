# SPDX-License-Identifier: Apache-2.0
"""How well the rhythm is named in whole windows, and in those that ended too early.

A record's class is asked of every window of it. What is left after the last whole one,
or a record that lasts less than 30 s, holds fewer beats to tell it by.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from dynamic_deep.bound_odds import Requirement
from dynamic_deep.config import WINDOW_LEN
from dynamic_deep.trials import Trials
from experiments.outcome import resolved, triple
from experiments.scores import ScoreBootstrap

RAW_SAMPLE_BYTES = 2
KEYS = ("weighted_f1", "nao_f1")


def scores_by_length(
    need: Requirement, trials: Trials, chosen: npt.NDArray[np.integer]
) -> dict[str, dict[str, Any]]:
    """Return the rhythm's scores of whole windows and of short ones.

    Args:
        need: whose fallback counts.
        trials: labelled windows at the model's rate, as CinC 2017 has them.
        chosen: level of each, or the number of levels for the fallback, (n,).

    Returns:
        For `whole` and `short`, if there are any: how many windows and records, and by
        `raw` and `sent` the weighted F1 and the mean F1 of N, A, O, with intervals.
    """
    sent = resolved(need, trials, chosen)
    decided = np.column_stack([trials.decided[:, 1:], trials.decided[:, 0]])
    answers = {"raw": trials.decided[:, 0], "sent": decided[np.arange(len(sent)), sent]}
    is_whole = trials.raw_bytes >= RAW_SAMPLE_BYTES * WINDOW_LEN
    found: dict[str, dict[str, Any]] = {}
    for name, rows in (("whole", is_whole), ("short", ~is_whole)):
        if not rows.any():
            continue
        draws = ScoreBootstrap(trials.records[rows])
        part: dict[str, Any] = {
            "n_windows": int(rows.sum()),
            "n_records": len(np.unique(trials.records[rows])),
        }
        for which, classes in answers.items():
            scores = draws.scores(trials.labels[rows], classes[rows])
            part[which] = {key: triple(scores[key]) for key in KEYS}
        found[name] = part
    return found
