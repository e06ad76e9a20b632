# SPDX-License-Identifier: Apache-2.0
"""Which level a window gets: in what order levels are tried, and when one will do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

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


class Policy(Protocol):
    """Chooses a level window by window."""

    @property
    def needs_decoding(self) -> bool:
        """Tell whether `accepts` must see the decoded window."""

    def order(self, levels: Sequence[RungT]) -> list[RungT]:
        """Return the levels to try, in this order; the last one is sent unasked."""

    def accepts(self, x: IntArray, x_hat: IntArray) -> bool:
        """Tell whether a window may be sent so; called if `needs_decoding`."""


@dataclass(frozen=True, kw_only=True)
class Fixed:
    """Every window gets the same level."""

    level: str
    needs_decoding: bool = False

    def order(self, levels: Sequence[RungT]) -> list[RungT]:
        """Return the one level."""
        chosen = [level for level in levels if level.name == self.level]
        if not chosen:
            names = ", ".join(level.name for level in levels)
            raise ConfigError(f"level must be one of {names}; got {self.level!r}")
        return chosen

    def accepts(self, x: IntArray, x_hat: IntArray) -> bool:
        """Accept whatever comes."""
        return True


@dataclass(frozen=True, kw_only=True)
class MaxPrdn:
    """The highest gain whose PRDN, measured on the spot, is at most `percent`."""

    percent: float
    needs_decoding: bool = True

    def __post_init__(self) -> None:
        """Check the bound."""
        if not 0.0 < self.percent < 1000.0:
            raise ConfigError(
                f"max_prdn must lie between 0 and 1000 percent, got {self.percent:g}; "
                "use level lossless for no error at all"
            )

    def order(self, levels: Sequence[RungT]) -> list[RungT]:
        """Return the lossy levels from high gain to low, then lossless."""
        lossy = [level for level in levels if level.kind in ("wavelet", "neural")]
        lossy.sort(key=lambda level: -level.nominal_gain)
        return lossy + [level for level in levels if level.kind == "lossless"]

    def accepts(self, x: IntArray, x_hat: IntArray) -> bool:
        """Tell whether the PRDN is within the bound; a flat window has none."""
        x = x.astype(np.float64)
        power = float(np.square(x - x.mean()).sum())
        error = float(np.square(x - x_hat).sum())
        return bool(100.0 * np.sqrt(error) <= self.percent * np.sqrt(power))
