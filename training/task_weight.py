# SPDX-License-Identifier: Apache-2.0
"""How much a task counts at a level of the ladder."""

from __future__ import annotations

UNIT_WEIGHT_GAIN = 144.0  # at this nominal gain a task has the weight it is given
WEIGHT_POWER = 2.0
MAX_SHARE = 3.0


def share_of_weight(nominal_gain: float, power: float = WEIGHT_POWER) -> float:
    """Return how many times its weight a task has at a level.

    The lowest levels keep the shape of the signal, for whatever task may come; the high
    ones, where the shape is lost anyway, keep what the tasks need. The lower the power,
    the more the low levels serve the tasks, too.
    """
    return min((nominal_gain / UNIT_WEIGHT_GAIN) ** power, MAX_SHARE)
