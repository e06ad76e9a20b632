# SPDX-License-Identifier: Apache-2.0
"""The choice a window as the paper makes it, on numbers worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.train.paper_check import (
    Tried,
    choice_figures,
    foretelling_figures,
    highest_within,
)

ERRORS = np.array([[0.1, 0.2], [0.1, 0.9], [0.9, 0.1], [2.0, 2.0]], np.float32)
GAINS = 32.0, 64.0
LOSSLESS = np.full(4, 4000.0, np.float32)


def tried() -> Tried:
    return Tried(
        latents={},
        errors=np.stack([ERRORS, ERRORS / 10], axis=-1),
        raw_cce=np.full(4, 0.05),
        prdn=np.full((4, 2), 30.0),
        n_bytes=np.tile([400.0, 200.0], (4, 1)),
        n_samples=np.full(4, 8000, np.int32),
        labels=np.array([0, 1, 1, 1], np.int8),
        decided=np.array([[0, 0, 0], [1, 1, 0], [1, 1, 1], [1, 0, 0]], np.int8),
    )


def test_the_highest_level_within_the_bound_is_taken() -> None:
    assert highest_within(ERRORS, 0.75).tolist() == [2, 1, 2, 0]
    assert highest_within(ERRORS, 0.05).tolist() == [0, 0, 0, 0]


def test_a_choice_counts_its_bytes_and_its_gains() -> None:
    figures = choice_figures(
        tried(), highest_within(ERRORS, 0.75), gains=GAINS, lossless=LOSSLESS
    )
    assert figures["mean_element_gain"] == pytest.approx((64 + 32 + 64 + 1) / 4)
    for fallback, n_bytes in (("raw", 16000), ("lossless", 4000)):
        gain = 64000 / (200 + 400 + 200 + n_bytes)
        found = figures[f"bytes_gain_{fallback}_fallback"]
        assert found == pytest.approx(gain, abs=1e-3)
    assert figures["accuracy"] == 1.0
    assert figures["share_raw"] == 0.25
    assert figures["over_0.75"] == 0.0


def test_a_choice_beyond_the_bound_is_counted() -> None:
    figures = choice_figures(tried(), np.full(4, 2), gains=GAINS, lossless=LOSSLESS)
    assert figures["over_0.75"] == 0.5
    assert figures["over_1.0"] == 0.25
    assert figures["accuracy"] == pytest.approx(0.5)


def test_a_perfect_forecast_ranks_as_the_truth() -> None:
    figures = foretelling_figures(tried(), tried().errors)
    assert figures["64 raw"] == {"rank_correlation": 1.0, "mean_absolute_error": 0.0}
