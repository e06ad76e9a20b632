# SPDX-License-Identifier: Apache-2.0
"""`training.beats`: R peaks of a bundle against annotated ones."""

from __future__ import annotations

import numpy as np
import pytest

from dynamic_deep.bundle import load_bundle
from dynamic_deep.synthetic import simulate_ecg
from dynamic_deep.tasks import load_task
from dynamic_deep.tasks.scores import BeatScores
from training.__main__ import main
from training.beats import score_beats, summed_up
from training.datasets import Lead


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """Two leads of a record without annotations but those of the bundle itself."""
    x = simulate_ecg(29.8, seed=2).samples[:, 0].astype(np.float32)
    leads = [Lead(record="a", lead=0, x=x), Lead(record="a", lead=1, x=0.0 * x)]
    peaks = np.asarray(load_task(load_bundle("monitor"), "rpeaks").answer(x))
    monkeypatch.setattr("training.beats.load_leads", lambda data_set, split: leads)
    # One beat is annotated 30 ms late, one not at all, and one only by the annotator.
    annotated = np.append(peaks[1:], 8900.0)
    annotated[0] += 9.0
    monkeypatch.setattr("training.beats.beat_times", lambda record: annotated)
    return peaks


def test_beats_by_hand(found: np.ndarray) -> None:
    assert len(found) > 20
    assert found[-1] < 8800.0
    (scores,) = score_beats(load_bundle("monitor"), "test")  # of lead 0 alone
    n = len(found) - 1
    assert (scores.n_matched, scores.n_missed, scores.n_extra) == (n, 1, 1)
    assert scores.squared_ms == pytest.approx(30.0**2)


def test_figures_are_of_all_beats_and_intervals_of_records() -> None:
    scores = [BeatScores(n_matched=90, n_missed=10), BeatScores(n_matched=100)]
    figures = summed_up(scores)
    assert figures["sensitivity"].value == pytest.approx(190 / 200)
    assert (figures["sensitivity"].low, figures["sensitivity"].high) == (0.9, 1.0)
    assert figures["jitter, ms"].value == 0.0


def test_the_command_prints_them(
    found: np.ndarray, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["beats", "monitor"]) == 0
    share = (len(found) - 1) / len(found)
    assert f"sensitivity                {share:.4f}" in capsys.readouterr().out
