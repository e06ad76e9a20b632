# SPDX-License-Identifier: Apache-2.0
"""From the windows of a session to rows: time, quality and the answers of the tasks."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt

from dynamic_deep.cloud.decode_tools import TaskSet
from dynamic_deep.cloud.decode_windows import LeadWindow
from dynamic_deep.cloud.heart_rate import heart_rate_bpm
from dynamic_deep.cloud.quality import measure_quality
from dynamic_deep.cloud.rows import WindowRow
from dynamic_deep.config import MODEL_FS, WINDOW_LEN
from dynamic_deep.errors import ConfigError
from dynamic_deep.recording import RecordingInfo
from dynamic_deep.tasks import CLASSES, RhythmTask
from dynamic_deep.tasks.peaks import MIN_GAP
from dynamic_deep.window_codec import at_rate_of_model

FloatArray = npt.NDArray[np.float32]
Float64Array = npt.NDArray[np.float64]

_NOISE_IDX = CLASSES.index("~")
_NO_PEAK = -float(MIN_GAP)  # samples: no peak of the windows before is near


class RowMaker:
    """Makes the rows of one session; call it with the windows in order.

    Args:
        device: id of the device.
        session: of the device, hexadecimal.
        start_time: of the session's first sample, in UTC; None: not known.
        info: of the session.
        tasks: what to run.
        model_id: bundle that the session was written with.
    """

    def __init__(
        self,
        *,
        device: str,
        session: str,
        start_time: datetime | None,
        info: RecordingInfo,
        tasks: TaskSet,
        model_id: bytes,
    ) -> None:
        self._device, self._session = device, session
        self._start_time = start_time
        self._info = info
        self._tasks = tasks
        self._model_id = model_id.hex()
        self._last_peak = [_NO_PEAK] * info.n_leads

    def __call__(self, window: LeadWindow) -> WindowRow:
        """Return the row of a window.

        Raises:
            ConfigError: If an own task's answer is no array of numbers.
        """
        answers = {} if window.samples is None else self._judge(window)
        return WindowRow(
            device=self._device,
            session=self._session,
            time=self._time(window.start),
            window_idx=window.window_idx,
            lead=self._info.lead_names[window.lead],
            lead_idx=window.lead,
            start_sample=window.start,
            n_samples=window.place.n_samples,
            fs=self._info.fs,
            level=window.level,
            n_bytes=window.n_bytes,
            damage=window.damage,
            model_id=self._model_id,
            task_model_id=self._tasks.model_id,
            **answers,
        )

    def _time(self, start: int) -> datetime | None:
        if self._start_time is None:
            return None
        try:
            return self._start_time + timedelta(
                microseconds=round(start * 1_000_000 / self._info.fs)
            )
        except OverflowError:  # a damaged file may claim a million years
            return None

    def _judge(self, window: LeadWindow) -> dict[str, Any]:
        samples = window.samples
        if samples is None:
            raise ValueError("a window must have samples to be judged")
        found = measure_quality(samples, self._info, window.lead)
        answers: dict[str, Any] = {
            "flat_share": found.flat_share,
            "clipped_share": found.clipped_share,
            "quality": found.usable_share,
        }
        if not self._tasks.bundled and not self._tasks.own:
            return answers
        x = at_rate_of_model(samples, window.place)
        for name, task in self._tasks.bundled.items():
            if isinstance(task, RhythmTask):
                answer = task.answer(x)
                shares = answer.mean(axis=0, dtype=np.float64)
                answers["rhythm"] = task.decide(answer)
                answers["rhythm_probabilities"] = tuple(shares.tolist())
                answers["quality"] *= 1.0 - float(shares[_NOISE_IDX])
            elif name == "rpeaks":
                at = self._own_peaks(np.asarray(task.answer(x)), window)
                answers["rpeaks_ms"] = tuple(
                    np.rint(1000.0 / MODEL_FS * at).astype(int)
                )
                answers["heart_rate_bpm"] = heart_rate_bpm(at / MODEL_FS)
            else:
                raise ConfigError(
                    f"a task of a bundle must be rhythm or rpeaks, got {name!r}; the "
                    "rows have no column for it"
                )
        answers["own"] = {
            name: _flattened(name, task.answer(x))
            for name, task in self._tasks.own.items()
        }
        return answers

    def _own_peaks(self, at: Float64Array, window: LeadWindow) -> Float64Array:
        """Return the peaks of a window without one that the window before has too."""
        start = float(window.window_idx * WINDOW_LEN)
        if len(at) and start + at[0] - self._last_peak[window.lead] < MIN_GAP:
            at = at[1:]
        if len(at):
            self._last_peak[window.lead] = start + float(at[-1])
        return at


def _flattened(name: str, answer: object) -> tuple[float, ...]:
    array = np.asarray(answer)
    if array.dtype.kind not in "biuf":
        raise ConfigError(
            f"the answer of task {name} must be an array of numbers to stand in a row, "
            f"got {array.dtype}; return numbers"
        )
    return tuple(array.astype(np.float64).ravel().tolist())
