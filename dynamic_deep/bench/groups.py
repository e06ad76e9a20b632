# SPDX-License-Identifier: Apache-2.0
"""The blocks of the table, in its order."""

from __future__ import annotations

LZ77 = "LZ77 family"
LOSSLESS = "lossless"
NEAR_LOSSLESS = "near-lossless"
WAVELET = "wavelet"
NEURAL = "neural"
GROUPS = (LZ77, LOSSLESS, NEAR_LOSSLESS, WAVELET, NEURAL)
