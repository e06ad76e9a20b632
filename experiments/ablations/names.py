# SPDX-License-Identifier: Apache-2.0
"""The short trainings of the ablations, by name; what each is needs Keras to say."""

from __future__ import annotations

# By the encoder's size, rising.
SIZES = ("tiny", "small", "edge", "medium", "standard", "large")
NO_RATE = "no_rate"
