# SPDX-License-Identifier: Apache-2.0
"""What a file holds beside its frames, found by writing one."""

from __future__ import annotations

import functools

import numpy as np

from dynamic_deep import Codec, Recording
from dynamic_deep.bitstream import CHECK_LEN, pack_head
from dynamic_deep.config import MODEL_FS, WINDOW_LEN
from dynamic_deep.container import ContainerReader

BUNDLE = "classical"  # loads no network; a header hardly depends on the bundle
LEVEL = "wavelet_64"
USUAL_ADC_GAIN = 200.0  # ADC units a mV; any will do


@functools.cache
def file_overhead_bytes() -> int:
    """Return the bytes of header, index and end mark of a file with one lead."""
    ramp = np.arange(WINDOW_LEN, dtype=np.int16)[:, None]
    recording = Recording(
        samples=ramp,
        fs=MODEL_FS,
        adc_gain=(USUAL_ADC_GAIN,),
        adc_baseline=(0,),
        units=("mV",),
        lead_names=("I",),
    )
    data = Codec.load(BUNDLE).encode(recording, level=LEVEL)
    return len(data) - _frame_bytes(data)


def _frame_bytes(data: bytes) -> int:
    with ContainerReader(data) as reader:
        return sum(
            len(pack_head(frame.level_id, len(frame.payload)))
            + len(frame.payload)
            + CHECK_LEN
            for frame in reader.frames()
        )
