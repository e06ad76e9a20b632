# SPDX-License-Identifier: Apache-2.0
"""Which level a window gets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from dynamic_deep.errors import ConfigError

IntArray = npt.NDArray[np.int32]


class RungLike(Protocol):
    """What a policy needs to know of a level."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def kind(self) -> str:
        """lossless, near_lossless, wavelet or neural."""

    @property
    def nominal_gain(self) -> float:
        """About what it gives."""


RungT = TypeVar("RungT", bound=RungLike)


class Candidate(Protocol):
    """What a policy may ask of a window before it chooses."""

    @property
    def x(self) -> IntArray:
        """The window as measured, (n_samples,), ADC units."""

    def decoded(self, level: Any) -> IntArray:
        """Return what a receiver makes of it at a level."""


class Policy(Protocol):
    """Chooses a level window by window."""

    def ladder(self, levels: Sequence[RungT]) -> list[RungT]:
        """Return the levels that windows may get, of those of a bundle."""

    def choose(self, window: Any, levels: Sequence[Any]) -> Any:
        """Return the level of a window, one of its ladder."""


def named_levels(levels: Sequence[RungT], names: Sequence[str]) -> list[RungT]:
    """Return the levels of these names, in this order.

    Raises:
        ConfigError: If there is none of a name.
    """
    by_name = {level.name: level for level in levels}
    for name in names:
        if name not in by_name:
            raise ConfigError(
                f"level must be one of {', '.join(by_name)}; got {name!r}"
            )
    return [by_name[name] for name in names]


@dataclass(frozen=True, kw_only=True)
class Fixed:
    """Every window gets the same level."""

    level: str

    def ladder(self, levels: Sequence[RungT]) -> list[RungT]:
        """Return the one level."""
        return named_levels(levels, [self.level])

    def choose(self, window: Candidate, levels: Sequence[RungT]) -> RungT:
        """Return the one level."""
        return levels[0]


@dataclass(frozen=True, kw_only=True)
class MaxPrdn:
    """The highest gain whose PRDN, measured on the spot, is at most `percent`."""

    percent: float

    def __post_init__(self) -> None:
        """Check the bound."""
        if not 0.0 < self.percent < 1000.0:
            raise ConfigError(
                f"max_prdn must lie between 0 and 1000 percent, got {self.percent:g}; "
                "use level lossless for no error at all"
            )

    def ladder(self, levels: Sequence[RungT]) -> list[RungT]:
        """Return the lossy levels from high gain to low, then lossless."""
        lossy = [level for level in levels if level.kind in ("wavelet", "neural")]
        lossy.sort(key=lambda level: -level.nominal_gain)
        return lossy + [level for level in levels if level.kind == "lossless"]

    def choose(self, window: Candidate, levels: Sequence[RungT]) -> RungT:
        """Return the first level that keeps to it; the last one unasked."""
        for level in levels[:-1]:
            if self._accepts(window.x, window.decoded(level)):
                return level
        return levels[-1]

    def _accepts(self, x: IntArray, x_hat: IntArray) -> bool:
        """Tell whether the PRDN is within the bound; a flat window has none."""
        x = x.astype(np.float64)
        power = float(np.square(x - x.mean()).sum())
        error = float(np.square(x - x_hat).sum())
        return bool(100.0 * np.sqrt(error) <= self.percent * np.sqrt(power))
