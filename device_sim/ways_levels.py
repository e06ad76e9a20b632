# SPDX-License-Identifier: Apache-2.0
"""Sending at levels of a bundle: a fixed one, or the one that keeps to a bound."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from device_sim.ways import Coded, Lossless, Paper, Raw, Rice, Way, Window
from device_sim.workload import CodecWork, Work, analysis
from dynamic_deep.bound_policy import Calibrated
from dynamic_deep.bundle import Level
from dynamic_deep.errors import ConfigError
from dynamic_deep.heads import Heads
from dynamic_deep.window_candidate import WindowCandidate
from dynamic_deep.window_codec import WindowCodec, WindowPlace, only_lossless_fits


class FixedLevel:
    """One lossy level for every window.

    Args:
        codec: of the bundle.
        work: of the bundle.
        level: the level.
    """

    def __init__(self, codec: WindowCodec, work: CodecWork, level: Level) -> None:
        """Keep them."""
        self.name, self.kind = level.name, level.kind
        self._codec, self._work, self._level = codec, work, level

    def send(self, window: Window) -> Coded:
        """Return a window as it is sent."""
        if only_lossless_fits(window.x, window.place.adc_bits):
            return Lossless().send(window)
        candidate = WindowCandidate(self._codec, window.x, window.place)
        place, work = window.place, analysis(window.place)
        if self._level.kind == "wavelet":
            work += self._work.transform(place)
        else:
            work += self._work.encoder(place, [self._level.name])
        work += self._work.coding(place, self._level)
        n_bytes = candidate.n_bytes(self._level)
        return Coded(n_bytes=n_bytes, work=work, level=self.name)


class Bounded:
    """The level that the error heads choose for a bound.

    All levels whose rates the heads read are coded, since a rate is known by coding
    only; the frame that is sent is one of them.

    Args:
        codec: of the bundle.
        work: of the bundle.
        policy: chooses.
        name: in tables.

    Raises:
        ModelError: If the bundle has no heads.
    """

    kind = "bound"

    def __init__(
        self, codec: WindowCodec, work: CodecWork, policy: Calibrated, name: str
    ) -> None:
        """Load the heads."""
        self.name = name
        self._codec, self._work, self._policy = codec, work, policy
        self._heads = Heads(codec.bundle)
        self._ladder = policy.ladder(codec.bundle.levels)
        rated = [codec.bundle.level(known) for known in self._heads.levels[1:]]
        tried = [*rated, *filter(_is_lossy, self._ladder)]  # the first row is raw
        self.tried = tuple({level.name: level for level in tried}.values())

    def send(self, window: Window) -> Coded:
        """Return a window as it is sent."""
        if only_lossless_fits(window.x, window.place.adc_bits):
            return Lossless().send(window)
        candidate = WindowCandidate(
            self._codec, window.x, window.place, heads=self._heads
        )
        level = self._policy.choose(candidate, self._ladder)
        work = self._trying(window.place)
        if level.kind == "lossless":
            work += Work(lossless=len(window.x))
        return Coded(n_bytes=candidate.n_bytes(level), work=work, level=level.name)

    def _trying(self, place: WindowPlace) -> Work:
        neural = [level.name for level in self.tried if level.kind == "neural"]
        work = analysis(place)
        work += self._work.encoder(place, neural, with_heads=True)
        if any(level.kind == "wavelet" for level in self.tried):
            work += self._work.transform(place)
        for level in self.tried:
            work += self._work.coding(place, level)
        return work


def ways_of(
    codec: WindowCodec, levels: Sequence[str], policies: Mapping[str, Calibrated]
) -> list[Way]:
    """Return the ways to compare: losslessly, at fixed levels, by bounds.

    Args:
        codec: of the bundle.
        levels: names of lossy levels.
        policies: bounds by their names in tables.

    Raises:
        ConfigError: If a level is unknown or not lossy.
    """
    bundle = codec.bundle
    work = CodecWork(bundle)
    ways: list[Way] = [Raw(n_bits=16), Raw(n_bits=12), Raw(n_bits=11)]
    ways += [Rice(), Lossless()]
    for name in levels:
        level = bundle.level(name)
        if not _is_lossy(level):
            raise ConfigError(
                f"a level to compare must be wavelet or neural, got {name}; lossless "
                "is in the table anyway"
            )
        ways.append(FixedLevel(codec, work, level))
    ways += [Bounded(codec, work, policy, name) for name, policy in policies.items()]
    return [*ways, Paper()]


def _is_lossy(level: Level) -> bool:
    return level.kind in ("wavelet", "neural")
