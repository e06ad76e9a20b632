# SPDX-License-Identifier: Apache-2.0
"""Byte years by class and year of operation, against a count day by day."""

from __future__ import annotations

import pytest

from costmodel.retention import Retention, lifecycle_text, parse_lifecycle
from dynamic_deep.errors import ConfigError

COLD = "nearline:30,coldline:90,archive:365"
MINIMUM = [0, 30, 90, 365]
N_DAYS = 365


def day_by_day(retention: Retention) -> dict[str, float]:
    """Count byte years: a byte a day is written at noon, and looked at each noon."""
    ages = [step.after_days for step in retention.steps]
    names = [step.storage_class for step in retention.steps]
    year = retention.bill_year or 200
    held = dict.fromkeys(names, 0.0)
    for today in range((year - 1) * N_DAYS, year * N_DAYS):
        for age in range(min(today + 1, round(retention.years * N_DAYS))):
            place = max(i for i, start in enumerate(ages) if age >= start)
            held[names[place]] += 1.0 / N_DAYS / N_DAYS
    return held


@pytest.mark.parametrize("bill_year", [1, 2, 3, None])
@pytest.mark.parametrize("years", [0.5, 1.0, 2.0])
def test_held_as_counted_day_by_day(years: float, bill_year: int | None) -> None:
    retention = Retention(years=years, bill_year=bill_year, steps=parse_lifecycle(COLD))
    counted = day_by_day(retention)
    for stay in retention.stays(MINIMUM):
        assert stay.held_years == pytest.approx(counted[stay.storage_class], abs=0.003)


def test_a_year_kept_is_a_year_held_in_the_steady_state() -> None:
    (stay,) = Retention(years=1.0).stays([0])
    assert stay.held_years == 1.0


def test_the_first_year_builds_up() -> None:
    # In the middle of month k, k - 1/2 months lie there: (0.5 + ... + 11.5) / 12 / 12
    # is a half. With every begun month taken whole: (1 + ... + 12) / 144 = 6.5 / 12.
    (stay,) = Retention(years=5.0, bill_year=1).stays([0])
    assert stay.held_years == pytest.approx(0.5)
    assert stay.held_years < 6.5 / 12
    (full,) = Retention(years=5.0, bill_year=6).stays([0])
    assert full.held_years == 5.0
    (second,) = Retention(years=5.0, bill_year=2).stays([0])
    assert second.held_years == pytest.approx(1.5)


def test_classes_share_what_is_kept() -> None:
    stays = Retention(years=2.0, steps=parse_lifecycle(COLD)).stays(MINIMUM)
    assert sum(stay.held_years for stay in stays) == pytest.approx(2.0)
    assert [stay.entered for stay in stays] == [0.0, 1.0, 1.0, 1.0]
    assert all(stay.cut_years == 0 for stay in stays)


def test_leaving_a_class_early_is_billed() -> None:
    # Archive is reached on day 365 and left on day 365 + 73: 292 of 365 days are short.
    stays = Retention(years=1.2, steps=parse_lifecycle(COLD)).stays(MINIMUM)
    assert stays[-1].cut_years == pytest.approx(292 / 365)
    # Nearline for 10 days only: 20 are billed besides.
    short = parse_lifecycle("nearline:30,coldline:40")
    stays = Retention(years=1.0, steps=short).stays([0, 30, 90])
    assert stays[1].cut_years == pytest.approx(20 / 365)


def test_what_is_deleted_before_a_step_never_reaches_it() -> None:
    stays = Retention(years=0.2, steps=parse_lifecycle(COLD)).stays(MINIMUM)
    assert [stay.storage_class for stay in stays] == ["standard", "nearline"]


def test_lifecycles_are_read_and_written() -> None:
    assert lifecycle_text(parse_lifecycle(COLD)) == f"standard,{COLD}"
    assert parse_lifecycle("standard") == parse_lifecycle("")


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("nearline", "must look like"),
        ("nearline:soon", "must look like"),
        ("nearline:90,coldline:30", "days of a lifecycle must rise"),
        ("nearline:0", "days of a lifecycle must rise"),
    ],
)
def test_lifecycles_that_are_none(text: str, rule: str) -> None:
    with pytest.raises(ConfigError, match=rule):
        Retention(steps=parse_lifecycle(text))


@pytest.mark.parametrize("years", [0.0, -1.0, 101.0, float("nan")])
def test_retention_must_be_sensible(years: float) -> None:
    with pytest.raises(ConfigError, match="retention must be above 0"):
        Retention(years=years)


def test_years_of_operation_begin_with_one() -> None:
    with pytest.raises(ConfigError, match="bill_year must be at least 1"):
        Retention(bill_year=0)
