# SPDX-License-Identifier: Apache-2.0
"""What a user asks for, and how likely each level is to break it, as foretold."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dynamic_deep.bound import LEAST_ERROR, Bound
from dynamic_deep.errors import ConfigError

FloatArray = npt.NDArray[np.floating]

# Not to be sent on purpose: what more likely than not breaks the bound.
MAX_ODDS = 0.5
# Of the segments of a window whose beats change, about so many do.
CHANGED_SHARE = 0.4
LOSSLESS = "lossless"


@dataclass(frozen=True, kw_only=True)
class Requirement:
    """What a user asks for.

    Attributes:
        bound: how far the tasks' errors may go.
        risk: the share of windows that may break it, 0 to 1.
        fallback: what a window gets that no other level suits: lossless, or a lossy
            level of high fidelity. With the latter a window that is over the bound
            even uncompressed counts for no violation.
        per_segment: the risk is the share of segments: of those whose beats change, and
            of all of a window that breaks the bound of another task.
    """

    bound: Bound
    risk: float
    fallback: str = LOSSLESS
    per_segment: bool = False

    def __post_init__(self) -> None:
        """Check the risk."""
        if not 0.0 < self.risk < 1.0:
            raise ConfigError(
                f"a risk must lie between 0 and 1, got {self.risk:g}; 0.05 lets 5 % of "
                "the windows break the bound, and level lossless none"
            )
        is_single = self.bound.tasks == ("rpeaks",)
        if self.per_segment and not is_single and "rpeaks" not in self.bound.limits:
            raise ConfigError(
                "a risk counts segments where rpeaks has a bound of its own, got "
                f"{', '.join(self.bound.tasks)}; let it count windows"
            )

    @property
    def is_lenient(self) -> bool:
        """Whether what is over the bound even uncompressed is nobody's fault."""
        return self.fallback != LOSSLESS and self.bound.reference == "label"


def odds(
    requirement: Requirement,
    channels: tuple[str, ...],
    center: FloatArray,
    spread: FloatArray,
) -> FloatArray:
    """Return how likely each lossy level is to break the bound: (..., L).

    Args:
        requirement: what is asked for.
        channels: of the last axis.
        center: foretold logarithms of errors, (..., 1 + L, C), the raw window first.
        spread: the same shape.
    """
    bound = requirement.bound
    columns = bound.columns(channels)
    center, spread = center[..., columns], spread[..., columns]
    if np.isnan(center[..., 1:, :]).any():
        raise ConfigError(
            f"the error heads must foretell {', '.join(bound.channels)}, which these "
            "don't; use a policy that decodes on the spot"
        )
    p = _lossy_odds(requirement, center, spread)
    if requirement.per_segment:
        # A window in which a few segments would change is cheap to lose, but not to be
        # sent on purpose: in noise, of which nothing was calibrated, all of it is lost.
        whole = dataclasses.replace(requirement, per_segment=False)
        p = np.where(_lossy_odds(whole, center, spread) > MAX_ODDS, 1.0, p)
    return np.clip(p, 0.0, 1.0)


def _lossy_odds(
    requirement: Requirement, center: FloatArray, spread: FloatArray
) -> FloatArray:
    bound = requirement.bound
    p = _any_over(requirement, center[..., 1:, :], spread[..., 1:, :])
    if not requirement.is_lenient:
        return p
    is_raw = [channel.endswith(":raw") for channel in bound.channels]
    raw_center = np.where(is_raw, np.log(LEAST_ERROR) - 30.0, center[..., 0, :])
    raw_spread = np.where(is_raw, 1.0, spread[..., 0, :])
    return np.asarray(p - _any_over(requirement, raw_center, raw_spread)[..., None])


def _any_over(
    requirement: Requirement, center: FloatArray, spread: FloatArray
) -> FloatArray:
    p = requirement.bound.probabilities(center, spread)
    if requirement.per_segment:
        is_peaks = np.array([task == "rpeaks" for task in requirement.bound.tasks])
        p = np.where(is_peaks, CHANGED_SHARE * p, p)
    return np.asarray(1.0 - np.prod(1.0 - p, axis=-1))
