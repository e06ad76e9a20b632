# SPDX-License-Identifier: Apache-2.0
"""The blocks of the table, in its order."""

from __future__ import annotations

LZ77 = "LZ77 family"
LOSSLESS = "lossless"
NEAR_LOSSLESS = "near-lossless"
WAVELET = "wavelet"
NEURAL = "neural"
CHOSEN = "chosen"  # a level for each window, by a bound
GROUPS = (LZ77, LOSSLESS, NEAR_LOSSLESS, WAVELET, NEURAL, CHOSEN)
KIND_GROUPS = {
    "lossless": LOSSLESS,
    "near_lossless": NEAR_LOSSLESS,
    "wavelet": WAVELET,
    "neural": NEURAL,
}
