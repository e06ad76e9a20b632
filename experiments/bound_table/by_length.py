# SPDX-License-Identifier: Apache-2.0
"""What a choice comes to in whole windows, and in those that ended too early.

A record's class is asked of every window of it. What is left after the last whole one,
or a record that lasts less than 30 s, holds fewer beats to tell it by.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from dynamic_deep.bound_odds import Requirement
from dynamic_deep.config import WINDOW_LEN
from dynamic_deep.trials import Trials
from experiments.outcome import Choice, outcome_of
from experiments.scores import ScoreBootstrap

RAW_SAMPLE_BYTES = 2


def outcomes_by_length(
    trials: Trials, choices: Sequence[tuple[Requirement, Choice]]
) -> dict[str, dict[str, Any]]:
    """Return what choices come to in whole windows and in short ones.

    Args:
        trials: 16-bit windows at the model's rate, as CinC 2017 has them.
        choices: each with what its violations are counted against.

    Returns:
        For `whole` and `short`, if there are any: how many windows, and a row for each
        choice.
    """
    is_whole = trials.raw_bytes >= RAW_SAMPLE_BYTES * WINDOW_LEN
    parts = {"whole": is_whole, "short": ~is_whole}
    return {
        name: _outcomes(trials, choices, np.flatnonzero(at))
        for name, at in parts.items()
        if at.any()
    }


def _outcomes(
    trials: Trials,
    choices: Sequence[tuple[Requirement, Choice]],
    at: npt.NDArray[np.intp],
) -> dict[str, Any]:
    names = ("levels", "channels")
    arrays = trials.arrays()
    part = Trials.from_arrays(
        {k: v if k in names else v[at] for k, v in arrays.items()}
    )
    draws = ScoreBootstrap(part.records)
    rows = [
        outcome_of(need, part, dataclasses.replace(one, chosen=one.chosen[at]), draws)
        for need, one in choices
    ]
    return {"n_windows": len(part), "rows": rows}
