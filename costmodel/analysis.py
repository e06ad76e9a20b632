# SPDX-License-Identifier: Apache-2.0
"""How a bill answers when one thing changes, and where two models cost the same."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from costmodel.bill import Bill, Scenario, yearly_bill
from costmodel.models import Model

N_BISECTIONS = 60

FETCH_SHARES = tuple(i / 20 for i in range(21))
# Objects from a segment to a day, and from a window to a quarter of an hour a message.
OBJECT_SECONDS = (2000 / 300, 30.0, 60.0, 300.0, 900.0, 3600.0, 21600.0, 86400.0)
MESSAGE_WINDOWS = (0.25, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0)
GAINS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0)


@dataclass(frozen=True, kw_only=True)
class Point:
    """A bill at one value of what is varied."""

    value: float
    bill: Bill


def by_fetch(model: Model, scenario: Scenario) -> list[Point]:
    """Return the bills over the share of history that is fetched."""
    return [
        Point(value=x, bill=yearly_bill(model, replace(scenario, fetch_share=x)))
        for x in FETCH_SHARES
    ]


def with_object_s(scenario: Scenario, object_s: float) -> Scenario:
    """Return the same with objects of another length, s."""
    work = replace(scenario.workload, object_s=object_s)
    return replace(scenario, workload=work)


def with_message_windows(scenario: Scenario, windows: float) -> Scenario:
    """Return the same with another number of windows a message."""
    work = replace(scenario.workload, windows_per_message=windows)
    return replace(scenario, workload=work)


def with_ingest(scenario: Scenario, ingest: str) -> Scenario:
    """Return the same with messages taken in another way."""
    return replace(scenario, ingest=ingest)


def by_object_s(model: Model, scenario: Scenario) -> list[Point]:
    """Return the bills over the length of an object, s."""
    return [
        Point(value=s, bill=yearly_bill(model, with_object_s(scenario, s)))
        for s in OBJECT_SECONDS
    ]


def by_message_windows(model: Model, scenario: Scenario) -> list[Point]:
    """Return the bills over the number of windows a message."""
    return [
        Point(value=n, bill=yearly_bill(model, with_message_windows(scenario, n)))
        for n in MESSAGE_WINDOWS
    ]


def by_gain(model: Model, scenario: Scenario) -> list[Point]:
    """Return the bills over the gain, all else kept."""
    return [
        Point(value=gain, bill=yearly_bill(replace(model, gain=gain), scenario))
        for gain in GAINS
    ]


def saving(bill: Bill, reference: Bill) -> float:
    """Return the share of the whole bill that is saved against a reference."""
    return 1.0 - bill.total_usd / reference.total_usd


def coding_saving(bill: Bill, reference: Bill) -> float:
    """Return the same of what coding changes: no tasks, ingest and keys."""
    return 1.0 - bill.coding_usd / reference.coding_usd


def fetch_at_equal_cost(a: Model, b: Model, scenario: Scenario) -> float | None:
    """Return the share of history at which two models cost the same; None if nowhere.

    Args:
        a: one model.
        b: the other.
        scenario: all else; its fetch_share is not used.
    """

    def difference(x: float) -> float:
        at_x = replace(scenario, fetch_share=x)
        return yearly_bill(a, at_x).coding_usd - yearly_bill(b, at_x).coding_usd

    return _root(difference, 0.0, 1.0)


def object_s_at_equal_cost(model: Model, scenario: Scenario) -> float | None:
    """Return the object length, s, under which operations cost more than storage."""

    def difference(log_s: float) -> float:
        bill = yearly_bill(model, with_object_s(scenario, math.exp(log_s)))
        return bill.operations_usd - bill.storage_usd

    found = _root(difference, math.log(1.0), math.log(30 * 86400.0))
    return None if found is None else math.exp(found)


def gain_at_equal_cost(model: Model, scenario: Scenario) -> float | None:
    """Return the gain beyond which decoding costs more than storage."""

    def difference(log_gain: float) -> float:
        changed = replace(model, gain=math.exp(log_gain))
        bill = yearly_bill(changed, scenario)
        return bill.decode_usd - bill.storage_usd

    found = _root(difference, 0.0, math.log(1e5))
    return None if found is None else math.exp(found)


def decode_s_at_equal_cost(a: Model, b: Model, scenario: Scenario) -> float | None:
    """Return how slow decoding must be for `a` to cost as much as `b`, s a window.

    Args:
        a: the model whose decode time is varied.
        b: the other.
        scenario: all else.
    """

    def difference(log_s: float) -> float:
        slower = replace(a, decode_s_per_window=math.exp(log_s))
        bills = yearly_bill(slower, scenario), yearly_bill(b, scenario)
        return bills[0].coding_usd - bills[1].coding_usd

    found = _root(difference, math.log(1e-6), math.log(1e3))
    return None if found is None else math.exp(found)


def _root(function: Callable[[float], float], low: float, high: float) -> float | None:
    """Return where a monotone function is 0; None if it keeps its sign."""
    at_low, at_high = function(low), function(high)
    if at_low == 0:
        return low
    if at_low * at_high > 0:
        return None
    for _ in range(N_BISECTIONS):
        middle = (low + high) / 2
        if function(middle) * at_low > 0:
            low = middle
        else:
            high = middle
    return (low + high) / 2
