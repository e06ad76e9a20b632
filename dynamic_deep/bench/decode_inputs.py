# SPDX-License-Identifier: Apache-2.0
"""What the bench of decoding decodes: recordings as sessions in a folder store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from dynamic_deep.cloud.objects import ObjectName
from dynamic_deep.cloud.store import open_store
from dynamic_deep.config import MODEL_FS, WINDOW_LEN
from dynamic_deep.errors import ConfigError
from dynamic_deep.recording import Recording
from dynamic_deep.segments import window_start

WINDOW_S = WINDOW_LEN / MODEL_FS
_START = datetime(2026, 1, 1, tzinfo=UTC)


def joined(recordings: Sequence[Recording], n_windows: int) -> Recording:
    """Return the first leads of recordings one after the other, as one recording.

    Args:
        recordings: all at one rate.
        n_windows: how many windows of each are taken, at most.

    Raises:
        ConfigError: If there is none of a window's length, or the rates differ.
    """
    parts = []
    for recording in recordings:
        fs = recording.fs
        if fs != recordings[0].fs:
            raise ConfigError(
                f"recordings must have one rate, got {recordings[0].fs:g} and {fs:g} "
                "Hz; measure them one by one"
            )
        n_samples = min(recording.n_samples, window_start(n_windows, fs))
        n_whole = int(n_samples * MODEL_FS / (fs * WINDOW_LEN) + 1e-9)
        parts.append(recording.samples[: window_start(n_whole, fs), :1])
    samples = np.concatenate(parts) if parts else np.empty((0, 1), np.int16)
    if not len(samples):
        raise ConfigError(
            f"recordings must have a window of {WINDOW_S:.1f} s at least, got none "
            "that long; name others"
        )
    first = recordings[0]
    return replace(
        first,
        samples=samples,
        adc_gain=first.adc_gain[:1],
        adc_baseline=first.adc_baseline[:1],
        units=first.units[:1],
        lead_names=first.lead_names[:1],
        start_time=_START,
    )


def put_sessions(url: str, data: bytes, n_sessions: int) -> None:
    """Put the same session into a store several times, as of hours in a row."""
    store = open_store(url)
    for i in range(n_sessions):
        name = ObjectName(
            device="bench",
            session=i.to_bytes(8, "big"),
            start_time=_START + i * timedelta(hours=1),
        )
        store.put(str(name), data)
