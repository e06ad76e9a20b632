# SPDX-License-Identifier: Apache-2.0
"""Windows under one noise at one level: what is sent, and what the task makes of it."""

from __future__ import annotations

import dataclasses
import zlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dynamic_deep.bound import Bound
from dynamic_deep.bound_odds import LOSSLESS, Requirement
from dynamic_deep.bound_policy import Calibrated
from dynamic_deep.errors import ConfigError
from dynamic_deep.heads import Heads
from dynamic_deep.tasks import Peaks
from dynamic_deep.tasks.protocol import Answer, Task
from dynamic_deep.tasks.rhythm import CLASSES
from dynamic_deep.tasks.rpeaks import changed_segments
from dynamic_deep.tasks.scores import beat_scores
from dynamic_deep.trials import UNKNOWN, Subject
from dynamic_deep.window_candidate import WindowCandidate
from dynamic_deep.window_codec import WindowPlace, at_rate_of_model
from experiments.bundle_trials import load_calibrated
from experiments.coders.levels import load_codec
from experiments.judges import load_judge
from experiments.kept import Arrays, is_kept, keep
from experiments.measured import BEAT_TOLERANCE_S
from experiments.noise.mixing import add_noise, signal_power
from experiments.noise.sources import KINDS, NoiseSource
from experiments.windows import CINC_TEST, MITDB_TEST, Window, load_windows

BUNDLE = "monitor"
RISK = 0.05
CHOSEN = "calibrated"
FIXED = ("gain_64", "wavelet_64")
SENT = (CHOSEN, *FIXED)  # the ways that every window is sent
CLEAN = "none"


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What is asked on which windows.

    Attributes:
        task: rhythm or rpeaks.
        split: the windows.
        limit: the bound on the task's error against its answer on the noisy window.
        calibration: of the bundle.
        n_windows: how many are drawn.
        n_lossless: on how many of them lossless is tried, too; it takes longest.
    """

    task: str
    split: str
    limit: float
    calibration: str
    n_windows: int
    n_lossless: int

    def __post_init__(self) -> None:
        """Check the task."""
        if self.task not in ("rhythm", "rpeaks"):
            raise ConfigError(f"a task must be rhythm or rpeaks, got {self.task!r}")

    @property
    def requirement(self) -> Requirement:
        """The same as a policy takes it."""
        bound = Bound(tasks=(self.task,), limits={self.task: self.limit})
        return Requirement(bound=bound, risk=RISK, per_segment=self.task == "rpeaks")


def settings_of(n_cinc: int, n_mitdb: int, n_lossless: int) -> tuple[Setting, Setting]:
    """Return the two: rhythm on CinC 2017, R peaks on MIT-BIH."""
    rhythm = Setting(
        task="rhythm",
        split=CINC_TEST,
        limit=0.1,
        calibration="cinc2017",
        n_windows=n_cinc,
        n_lossless=n_lossless,
    )
    beats = Setting(
        task="rpeaks",
        split=MITDB_TEST,
        limit=0.0,
        calibration="mitdb",
        n_windows=n_mitdb,
        n_lossless=n_lossless,
    )
    return rhythm, beats


@dataclass(frozen=True, kw_only=True)
class Condition:
    """A kind of noise, or none, at a ratio in dB."""

    kind: str = CLEAN
    snr_db: float = float("inf")


def draw_windows(setting: Setting, seed: int) -> list[Window]:
    """Return windows of the split, in shares as its classes or records have them."""
    groups: dict[str, list[Window]] = {}
    for window in load_windows(setting.split):
        subject = window.subject
        groups.setdefault(subject.label or subject.record, []).append(window)
    rng = np.random.default_rng(seed)
    placed: list[tuple[float, str, Window]] = []
    for name, members in sorted(groups.items()):
        order = rng.permutation(len(members))
        # Ranks spread evenly over 0 to 1: the first n of all are in proportion.
        places = (np.arange(len(members)) + rng.random()) / len(members)
        placed += [
            (float(p), name, members[i]) for p, i in zip(places, order, strict=True)
        ]
    placed.sort(key=lambda entry: entry[:2])
    return [window for _, _, window in placed[: setting.n_windows]]


class NoisyTrier:
    """Sends windows under noise in each way, and asks the task.

    Args:
        setting: what is asked.
        source: of the noise.
        seed: of the windows and the noise. A window has the same noise at each ratio.
    """

    def __init__(self, setting: Setting, source: NoiseSource, seed: int) -> None:
        """Load bundle, tasks and policy."""
        self.setting, self.source, self.seed = setting, source, seed
        self.windows = draw_windows(setting, seed)
        self._codec = load_codec(BUNDLE)
        self._levels = self._codec.bundle.levels
        self._heads = Heads(self._codec.bundle)
        calibration = load_calibrated(BUNDLE, setting.calibration)
        self._policy = Calibrated(setting.requirement, calibration)
        self._judge = load_judge(BUNDLE)
        is_rhythm = setting.task == "rhythm"
        self._task: Task = self._judge.rhythm if is_rhythm else self._judge.rpeaks

    def run(self, condition: Condition) -> Arrays:
        """Return the windows' table, from the folder of what is kept or made now."""
        return keep(*self._key(condition), lambda: self._make(condition))

    def is_kept(self, condition: Condition) -> bool:
        """Tell whether the table is in the folder."""
        return is_kept(*self._key(condition))

    def _key(self, condition: Condition) -> tuple[str, dict[str, Any]]:
        key = {
            "what": "noise",
            "setting": dataclasses.asdict(self.setting),
            "condition": dataclasses.asdict(condition),
            "source": self.source.identity,
            "seed": self.seed,
            "model_id": self._codec.model_id.hex(),
            "policy": repr(self._policy),
        }
        return f"noise-{self.setting.task}-{condition.kind}-{condition.snr_db:g}", key

    def _make(self, condition: Condition) -> Arrays:
        rows = [
            self._try(window, condition, has_lossless=i < self.setting.n_lossless)
            for i, window in enumerate(self.windows)
        ]
        return {name: np.array([row[name] for row in rows]) for name in rows[0]}

    def noisy(self, window: Window, condition: Condition) -> Subject:
        """Return a window with its noise."""
        subject = window.subject
        if condition.kind == CLEAN:
            return subject
        where = zlib.crc32(f"{subject.record} {window.start:.0f}".encode())
        kind_idx = list(KINDS).index(condition.kind)
        rng = np.random.default_rng((self.seed, kind_idx, where))
        fs = subject.place.fs
        noise = self.source.draw(condition.kind, len(subject.x), fs, rng)
        beats = window.beats
        if beats is None:
            signal = at_rate_of_model(subject.x, subject.place)
            beats = self._judge.rpeaks.answer(signal)
        power = signal_power(subject.x, fs, beats)
        return add_noise(subject, noise, power=power, snr_db=condition.snr_db)

    def _try(
        self, window: Window, condition: Condition, *, has_lossless: bool
    ) -> dict[str, object]:
        subject = self.noisy(window, condition)
        candidate = WindowCandidate(
            self._codec.windows, subject.x, subject.place, heads=self._heads
        )
        chosen = self._policy.choose(candidate, self._policy.ladder(self._levels))
        fixed = [self._codec.bundle.level(name) for name in FIXED]
        levels = [chosen, *fixed]
        raw = self._ask(subject.x, subject.place)
        answers = [raw]
        for level in levels:  # what comes back bit for bit is answered as before
            is_exact = level.kind == LOSSLESS
            answers.append(
                raw if is_exact else self._ask(candidate.decoded(level), subject.place)
            )
        lossless = self._codec.bundle.level(LOSSLESS)
        return {
            "records": subject.record,
            "raw_bytes": float(candidate.raw_bytes),
            "lossless_bytes": (
                float(candidate.n_bytes(lossless)) if has_lossless else np.nan
            ),
            "n_bytes": [float(candidate.n_bytes(level)) for level in levels],
            "level": chosen.name,
            "over": [self._over(answers[0], answer) for answer in answers[1:]],
            **self._score(window, answers),
        }

    def _ask(self, x: npt.NDArray[np.integer], place: WindowPlace) -> Answer:
        """Return the task's answer on samples in ADC units."""
        return self._task.answer(at_rate_of_model(x, place))

    def _over(self, raw: Answer, answer: Answer) -> float:
        """Return the share of the window that counts against the risk."""
        if isinstance(raw, Peaks):
            return float(changed_segments(raw, answer, raw.n_samples).mean())
        error = self._task.error(raw, answer)
        return float(self.setting.requirement.bound.is_over(np.array([error])))

    def _score(self, window: Window, answers: list[Answer]) -> dict[str, object]:
        if window.beats is not None:
            return {"beats": [_counts(window.beats, answer) for answer in answers]}
        label = window.subject.label
        return {
            "labels": UNKNOWN if label is None else CLASSES.index(label),
            "decided": [int(a.mean(axis=0).argmax()) for a in answers],
        }


def _counts(beats: npt.NDArray[np.float64], found: Answer) -> list[int]:
    n_samples = found.n_samples if isinstance(found, Peaks) else None
    scores = beat_scores(beats, found, BEAT_TOLERANCE_S, n_samples=n_samples)
    return [scores.n_matched, scores.n_missed, scores.n_extra]
