# SPDX-License-Identifier: Apache-2.0
"""How long recordings are kept, and in which storage class at which age.

A byte is written at a steady rate from the day the ward starts. What it costs depends
on its age only, so a year's bill needs, for each class, the byte years that fall into
the year, and how many bytes pass each age in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from costmodel.prices import STANDARD
from costmodel.units import DAYS_PER_YEAR
from dynamic_deep.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class Step:
    """From which age on bytes lie in a class.

    Attributes:
        storage_class: name of the class.
        after_days: age, days.
    """

    storage_class: str
    after_days: float


@dataclass(frozen=True, kw_only=True)
class Stay:
    """What happens in one year to what one year writes, in one storage class.

    All figures are per byte (or object) that is written a year.

    Attributes:
        storage_class: name of the class.
        held_years: byte years that lie in the class within the year.
        entered: share that enters the class within the year by a lifecycle rule.
        cut_years: byte years that are billed besides, since bytes left the class
            before its minimum duration.
    """

    storage_class: str
    held_years: float
    entered: float
    cut_years: float


@dataclass(frozen=True, kw_only=True)
class Retention:
    """How long and where bytes are kept.

    Attributes:
        years: from writing to deletion.
        bill_year: which year of operation is billed, from 1; None: the steady state,
            in which as much is deleted as is written.
        steps: lifecycle, by age; the first is Standard at age 0.
    """

    years: float = 1.0
    bill_year: int | None = None
    steps: tuple[Step, ...] = (Step(storage_class=STANDARD, after_days=0.0),)

    def __post_init__(self) -> None:
        """Check the numbers and the order of the steps."""
        if not 0 < self.years <= 100:
            raise ConfigError(
                f"retention must be above 0 and at most 100 years, got {self.years:g}"
            )
        if self.bill_year is not None and self.bill_year < 1:
            raise ConfigError(
                f"bill_year must be at least 1, the first, got {self.bill_year}"
            )
        ages = [step.after_days for step in self.steps]
        if not self.steps or ages[0] != 0 or self.steps[0].storage_class != STANDARD:
            raise ConfigError(
                "a lifecycle must begin with standard at 0 days, got "
                f"{lifecycle_text(self.steps) or 'no step'}"
            )
        if ages != sorted(set(ages)):
            raise ConfigError(
                f"the days of a lifecycle must rise, got {lifecycle_text(self.steps)}"
            )

    def stays(self, minimum_days: Sequence[int]) -> list[Stay]:
        """Return what the billed year sees in each class of the lifecycle.

        Args:
            minimum_days: of the classes, in the order of the steps.
        """
        starts = [step.after_days / DAYS_PER_YEAR for step in self.steps]
        ends = [min(end, self.years) for end in [*starts[1:], self.years]]
        stays = []
        for step, start, end, least in zip(
            self.steps, starts, ends, minimum_days, strict=True
        ):
            if start >= self.years:
                break
            short = max(0.0, least / DAYS_PER_YEAR - (end - start))
            stays.append(
                Stay(
                    storage_class=step.storage_class,
                    held_years=self._years_at_ages(start, end),
                    entered=self._share_at_age(start) if start > 0 else 0.0,
                    cut_years=short * self._share_at_age(end),
                )
            )
        return stays

    def _share_at_age(self, age: float) -> float:
        """Return the share of a year's bytes that reach an age within the year."""
        if self.bill_year is None:
            return 1.0
        return min(1.0, max(0.0, self.bill_year - age))

    def _years_at_ages(self, start: float, end: float) -> float:
        """Return the integral of `_share_at_age` over ages."""
        if self.bill_year is None:
            return end - start
        full_until = self.bill_year - 1.0
        level = max(0.0, min(end, full_until) - min(start, full_until))
        low = min(max(start, full_until), self.bill_year)
        high = min(max(end, full_until), self.bill_year)
        falling = ((self.bill_year - low) ** 2 - (self.bill_year - high) ** 2) / 2
        return level + falling


def parse_lifecycle(text: str) -> tuple[Step, ...]:
    """Read a lifecycle such as "nearline:30,coldline:90,archive:365".

    Args:
        text: classes with the age in days from which they hold; "standard" alone, or
            nothing, for none.

    Raises:
        ConfigError: If it can't be read.
    """
    steps = [Step(storage_class=STANDARD, after_days=0.0)]
    for part in text.split(","):
        name, colon, days = part.strip().partition(":")
        if name in ("", STANDARD) and not colon:
            continue
        try:
            steps.append(Step(storage_class=name, after_days=float(days)))
        except ValueError:
            raise ConfigError(
                "a lifecycle must look like nearline:30,coldline:90,archive:365, got "
                f"{text!r}"
            ) from None
    return tuple(steps)


def lifecycle_text(steps: Sequence[Step]) -> str:
    """Return a lifecycle as `parse_lifecycle` reads it."""
    return ",".join(
        step.storage_class
        if step.after_days == 0
        else f"{step.storage_class}:{step.after_days:g}"
        for step in steps
    )
