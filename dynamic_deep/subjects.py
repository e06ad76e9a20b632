# SPDX-License-Identifier: Apache-2.0
"""The windows of recordings, ready to be tried at every level."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from dynamic_deep.config import WINDOW_LEN
from dynamic_deep.errors import ConfigError
from dynamic_deep.recording import Recording
from dynamic_deep.segments import window_bounds
from dynamic_deep.trials import Subject
from dynamic_deep.window_codec import only_lossless_fits, window_place


def subjects_of(
    recording: Recording,
    *,
    record: str,
    leads: Sequence[int] | None = None,
    label: str | None = None,
    whole_only: bool = False,
) -> Iterator[Subject]:
    """Yield every window of every lead that a policy would have to decide on.

    Those that are flat or have missing samples are always sent lossless, and left out.

    Args:
        recording: the recording, at its own rate.
        record: what to call it; intervals are by record.
        leads: which leads, from 0; all if None.
        label: rhythm class of the whole recording, if it is known.
        whole_only: whether to leave out a last window that is shorter than others.

    Yields:
        The windows in the order of a file's frames.

    Raises:
        ConfigError: If there is no such lead.
    """
    chosen = range(recording.n_leads) if leads is None else leads
    for lead in chosen:
        if not 0 <= lead < recording.n_leads:
            raise ConfigError(
                f"a lead must be from 0 to {recording.n_leads - 1} in {record}, got "
                f"{lead}"
            )
    for start, stop in window_bounds(recording.n_samples, recording.fs):
        for lead in chosen:
            x = np.ascontiguousarray(recording.samples[start:stop, lead], np.int32)
            place = window_place(len(x), recording.info, lead)
            if only_lossless_fits(x, recording.adc_bits):
                continue
            if whole_only and place.model_len < WINDOW_LEN:
                continue
            yield Subject(record=record, x=x, place=place, label=label)
