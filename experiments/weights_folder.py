# SPDX-License-Identifier: Apache-2.0
"""Where the weights are that rivals, the judge and ablations were trained to."""

from __future__ import annotations

from pathlib import Path

WEIGHTS = Path(__file__).resolve().parent / "weights"
ABLATIONS = WEIGHTS / "ablation"  # a bundle each
