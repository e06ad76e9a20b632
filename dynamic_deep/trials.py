# SPDX-License-Identifier: Apache-2.0
"""What every level does to windows: bytes, task errors, and what the heads foretold.

A calibration is such a table of windows that nothing else has seen; the table of an
evaluation and the targets of the error heads are others.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dynamic_deep.bitstream import frame_len
from dynamic_deep.bound import RAW_ONLY
from dynamic_deep.bundle import Level
from dynamic_deep.errors import ConfigError
from dynamic_deep.heads import RAW_ROW, Heads
from dynamic_deep.tasks.protocol import Task
from dynamic_deep.tasks.rhythm import CLASSES
from dynamic_deep.tasks.rpeaks import changed_segments
from dynamic_deep.window_codec import (
    Analysis,
    WindowCodec,
    WindowPlace,
    at_rate_of_model,
)

FloatArray = npt.NDArray[np.float32]
UNKNOWN = -1  # class of a window without a label, or without rhythm among the tasks


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A window to try.

    Attributes:
        record: whose it is; intervals are by record.
        x: int array, (n_samples,), ADC units.
        place: what both sides know of it.
        label: its rhythm class, or none.
    """

    record: str
    x: npt.NDArray[np.int32]
    place: WindowPlace
    label: str | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Trials:
    """A table of windows. n windows, L lossy levels, C channels.

    Attributes:
        levels: names of the lossy levels.
        channels: `task:reference` of each kind of error.
        records: whose window it is, (n,).
        raw_bytes: of the window as stored, (n,).
        lossless_bytes: of its lossless frame, (n,); 0 where it was not tried.
        n_bytes: of its frame at each level, framing included, (n, L).
        errors: float32, (n, L, C); NaN where unknown.
        raw_errors: the same of the raw window, (n, C).
        changed: share of segments whose beats changed, (n, L); NaN without rpeaks.
        labels: index of the annotated class, (n,).
        decided: index of the class decided, raw first, (n, 1 + L).
        center: foretold logarithms of the errors, raw first, (n, 1 + L, C).
        spread: how sure that is, the same shape.
    """

    levels: tuple[str, ...]
    channels: tuple[str, ...]
    records: npt.NDArray[np.str_]
    raw_bytes: npt.NDArray[np.int32]
    lossless_bytes: npt.NDArray[np.int32]
    n_bytes: npt.NDArray[np.int32]
    errors: FloatArray
    raw_errors: FloatArray
    changed: FloatArray
    labels: npt.NDArray[np.int8]
    decided: npt.NDArray[np.int8]
    center: FloatArray
    spread: FloatArray

    def __len__(self) -> int:
        """Return the number of windows."""
        return len(self.records)

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return everything as arrays that `.npz` holds without pickling."""
        return {name: np.asarray(value) for name, value in vars(self).items()}

    @classmethod
    def from_arrays(cls, arrays: dict[str, npt.NDArray[Any]]) -> Trials:
        """Make a table of what `arrays` gave."""
        names = {
            name: tuple(str(v) for v in arrays[name]) for name in ("levels", "channels")
        }
        rest = {
            name: arrays[name] for name in cls.__dataclass_fields__ if name not in names
        }
        return cls(**names, **rest)  # type: ignore[arg-type]

    @classmethod
    def joined(cls, parts: Sequence[Trials]) -> Trials:
        """Put tables of the same levels and channels under each other."""
        rest = {
            name: np.concatenate([getattr(part, name) for part in parts])
            for name in cls.__dataclass_fields__
            if name not in ("levels", "channels")
        }
        return cls(levels=parts[0].levels, channels=parts[0].channels, **rest)


def task_channels(tasks: Sequence[Task]) -> tuple[str, ...]:
    """Return what can be measured of tasks."""
    return tuple(
        f"{task.name}:{reference}"
        for task in tasks
        for reference in task.references
        if reference == "raw" or task.name not in RAW_ONLY
    )


class LevelTrier:
    """Sends windows at every level of a ladder, and asks the tasks.

    Args:
        codec: of a bundle.
        tasks: to ask.
        levels: names of the lossy levels to try.
        has_forecast: whether to keep what the error heads foretell.
        has_lossless: whether to try lossless, too, which takes as long as two levels.
    """

    def __init__(
        self,
        codec: WindowCodec,
        tasks: Sequence[Task],
        levels: Sequence[str],
        *,
        has_forecast: bool = True,
        has_lossless: bool = True,
    ) -> None:
        """Keep the parts."""
        self.codec = codec
        self.tasks = tuple(tasks)
        self.levels: tuple[Level, ...] = tuple(codec.bundle.level(v) for v in levels)
        self.channels = task_channels(tasks)
        self._heads = Heads(codec.bundle) if has_forecast else None
        self._has_lossless = has_lossless

    def run(self, subjects: Iterable[Subject]) -> Trials:
        """Try windows, one after the other; at least one."""
        parts = [self.try_window(subject) for subject in subjects]
        if not parts:
            raise ConfigError("a table needs a window to try, got none; add recordings")
        return Trials.joined(parts)

    def try_window(self, subject: Subject) -> Trials:
        """Return the table of one window."""
        codec, place = self.codec, subject.place
        window = codec.analyze(subject.x, place)
        payloads = [codec.encode(window, level) for level in self.levels]
        coded = list(zip(payloads, self.levels, strict=True))
        n_bytes = [frame_len(level.id, len(payload)) for payload, level in coded]
        decoded = [codec.decode(payload, level, place) for payload, level in coded]
        asked = [self._ask(x, place) for x in (subject.x, *decoded)]
        errors = [self._errors(asked[0], answers, subject.label) for answers in asked]
        center, spread = self._forecast(window)
        label = UNKNOWN if subject.label is None else CLASSES.index(subject.label)
        return Trials(
            levels=tuple(level.name for level in self.levels),
            channels=self.channels,
            records=np.array([subject.record]),
            raw_bytes=np.array([place.n_samples * place.adc_bits // 8], np.int32),
            lossless_bytes=np.array([self._lossless_bytes(window)], np.int32),
            n_bytes=np.array([n_bytes], np.int32),
            errors=np.array([errors[1:]], np.float32),
            raw_errors=np.array([errors[0]], np.float32),
            changed=np.array([self._changed(asked)], np.float32),
            labels=np.array([label], np.int8),
            decided=np.array([self._decided(asked)], np.int8),
            center=center[None],
            spread=spread[None],
        )

    def _lossless_bytes(self, window: Analysis) -> int:
        if not self._has_lossless:
            return 0
        level = self.codec.bundle.level("lossless")
        return frame_len(level.id, len(self.codec.encode(window, level)))

    def _ask(self, x: npt.NDArray[np.int32], place: WindowPlace) -> list[Any]:
        signal = at_rate_of_model(x, place)
        return [task.answer(signal) for task in self.tasks]

    def _errors(
        self, raw: list[Any], answers: list[Any], label: str | None
    ) -> list[float]:
        found: list[float] = []
        for task, reference, answer in zip(self.tasks, raw, answers, strict=True):
            for channel in task_channels([task]):
                if channel.endswith(":raw"):
                    found.append(task.error(reference, answer))
                elif label is None:
                    found.append(float("nan"))
                else:
                    found.append(task.label_error(label, answer))
        return found

    def _answers_of(self, name: str, asked: list[list[Any]]) -> list[Any] | None:
        for i, task in enumerate(self.tasks):
            if task.name == name:
                return [answers[i] for answers in asked]
        return None

    def _changed(self, asked: list[list[Any]]) -> list[float]:
        peaks = self._answers_of("rpeaks", asked)
        if peaks is None:
            return [float("nan")] * len(self.levels)
        return [
            float(changed_segments(peaks[0], found, peaks[0].n_samples).mean())
            for found in peaks[1:]
        ]

    def _decided(self, asked: list[list[Any]]) -> list[int]:
        answers = self._answers_of("rhythm", asked)
        if answers is None:
            return [UNKNOWN] * len(asked)
        return [int(answer.mean(axis=0).argmax()) for answer in answers]

    def _forecast(self, window: Analysis) -> tuple[FloatArray, FloatArray]:
        shape = 1 + len(self.levels), len(self.channels)
        center = np.full(shape, np.nan, np.float32)
        spread = np.full(shape, np.nan, np.float32)
        if self._heads is not None:
            forecast = self._heads.forecast(window)
            names = [RAW_ROW, *(level.name for level in self.levels)]
            for column, channel in enumerate(self.channels):
                if channel in forecast.channels:
                    at = forecast.channels.index(channel)
                    rows = [forecast.levels.index(name) for name in names]
                    center[:, column] = forecast.center[rows, at]
                    spread[:, column] = forecast.spread[rows, at]
        return center, spread
