# SPDX-License-Identifier: Apache-2.0
"""One row of a decode job: what became of one window of one lead."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class WindowRow:
    """One window of one lead.

    Attributes:
        device: id of the device.
        session: of the device, 16 hexadecimal digits.
        time: when the window begins, in UTC; None where the device did not know.
        window_idx: which window of its session, from 0.
        lead: name of the lead.
        lead_idx: which lead, from 0.
        start_sample: first sample of the window in its session, at `fs`.
        n_samples: length at `fs`.
        fs: rate of the signal, Hz.
        level: name of the level it was sent at; None where the frame is lost.
        n_bytes: of its frame, framing included; 0 where the frame is lost.
        damage: why it could not be decoded; None where it could.
        flat_share, clipped_share: see `quality.WindowQuality`; None if damaged.
        quality: share of the samples that are neither, times the probability that the
            window is not noise if the rhythm task ran; 0 if damaged.
        rhythm: likeliest class, a letter; None if not asked for, or damaged.
        rhythm_probabilities: of A, N, O and ~, mean over the window; likewise.
        rpeaks_ms: R peaks, ms after the window's begin, ascending; likewise.
        heart_rate_bpm: from them; None where they don't tell.
        own: answers of tasks of the user's own, flattened, by name of the task.
        model_id: bundle that the session was written with, 32 hexadecimal digits.
        task_model_id: bundle of the networks of rhythm and rpeaks; None if none ran.
    """

    device: str
    session: str
    time: datetime | None
    window_idx: int
    lead: str
    lead_idx: int
    start_sample: int
    n_samples: int
    fs: float
    level: str | None
    n_bytes: int
    damage: str | None = None
    flat_share: float | None = None
    clipped_share: float | None = None
    quality: float = 0.0
    rhythm: str | None = None
    rhythm_probabilities: tuple[float, float, float, float] | None = None
    rpeaks_ms: tuple[int, ...] | None = None
    heart_rate_bpm: float | None = None
    own: dict[str, tuple[float, ...]] = field(default_factory=dict)
    model_id: str
    task_model_id: str | None = None
