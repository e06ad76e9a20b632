# SPDX-License-Identifier: Apache-2.0
"""The fixed numbers of the house: rate, segment, window. Nothing here is tunable.

Sources: DESIGN of the project, section 3; the paper decides on 8960 samples because
its rhythm classifier was trained on records of that length.
"""

from __future__ import annotations

MODEL_FS = 300.0  # Hz; the rate of CinC 2017, which the networks are trained at
SEGMENT_LEN = 2240  # samples at MODEL_FS (7.47 s), 35 x 64: one pass of the encoder
SEGMENTS_PER_WINDOW = 4  # rhythm needs about 30 s of context
WINDOW_LEN = SEGMENT_LEN * SEGMENTS_PER_WINDOW  # 8960 samples, 29.87 s

# A last stretch shorter than this joins the window before it, so that a record of
# 9,000 samples is one window, and not one and a stub that costs a frame of its own.
MIN_TAIL_LEN = SEGMENT_LEN // 2

MIN_FS = 1.0  # Hz; slower is not an ECG, and a window would have under 30 samples
MAX_FS = 100_000.0  # Hz
MAX_LEADS = 255  # one byte in the file header

# Of the rhythm task: atrial fibrillation, normal, other, noise; CinC 2017's letters.
RHYTHM_CLASSES = ("A", "N", "O", "~")
RPEAKS_REACH = 60  # samples at MODEL_FS from a peak, where its distance map reaches 1
RHYTHM_STEP_LEN = 256  # samples at MODEL_FS an answer, as in the paper's classifier
