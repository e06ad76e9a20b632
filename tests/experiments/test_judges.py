# SPDX-License-Identifier: Apache-2.0
"""Who judges: the tasks of one bundle, which the other's are the same as."""

from __future__ import annotations

import numpy as np
import pytest

from dynamic_deep.synthetic import simulate_ecg
from dynamic_deep.tasks.rpeaks import changed_segments
from dynamic_deep.trials import UNKNOWN, Subject
from dynamic_deep.window_codec import window_place
from experiments import measured
from experiments.coders.levels import LevelCoder
from experiments.coders.roster import find_coder
from experiments.judges import JUDGE, Judge, load_judge
from experiments.measuring import ASKED_ALL
from experiments.windows import Window
from tests.signals import CONTEXT


@pytest.fixture
def window() -> Window:
    """A simulated window that is annotated for both tasks."""
    recording = simulate_ecg(30.0, fs=300.0, seed=4)
    x = recording.samples[:8960, 0].astype(np.int32)
    place = window_place(len(x), recording.info, 0)
    subject = Subject(record="s", x=x, place=place, label="N")
    return Window(subject=subject, start=0.0, beats=np.arange(150.0, 8960.0, 250.0))


@pytest.mark.parametrize("bundle", [name for name in ASKED_ALL if name != "wavelet"])
def test_every_bundle_that_chooses_ships_the_same_tasks(bundle: str) -> None:
    own, judge = Judge(bundle), load_judge(JUDGE)
    for seed in (1, 2, 3):
        x = simulate_ecg(30.0, fs=300.0, seed=seed).samples[:8960, 0]
        signal = x.astype(np.float32)
        answers = own.rhythm.answer(signal), judge.rhythm.answer(signal)
        np.testing.assert_allclose(*answers, atol=1e-5)
        assert not changed_segments(
            own.rpeaks.answer(signal), judge.rpeaks.answer(signal), len(signal)
        ).any()


@pytest.mark.parametrize("asked", ["rhythm", "rpeaks"])
def test_a_task_that_is_not_asked_says_nothing(
    window: Window, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge, coder = load_judge(JUDGE), find_coder("wavelet", "wavelet_64")
    raw = judge.ask(window.subject.x, window)
    monkeypatch.setattr(measured, "load_windows", lambda split: (window,))
    monkeypatch.setattr(measured, "raw_answers", lambda split, judge: [raw])
    whole = measured.measure(coder, "made:up", judge)
    part = measured.measure(coder, "made:up", judge, (asked,))
    columns = {"rhythm": ("kl", "cce"), "rpeaks": ("beat_error", "changed", "beats")}
    for task, names in columns.items():
        for name in names:
            value = getattr(part, name)
            assert np.isfinite(getattr(whole, name)).all()
            if task == asked:
                assert np.array_equal(value, getattr(whole, name))
            else:
                assert np.isnan(value).all()
    assert (part.decided[0] == UNKNOWN) == (asked == "rpeaks")
    assert part.n_bytes == whole.n_bytes
    assert part.prdn == whole.prdn > 1.0


def test_of_the_same_samples_in_other_bytes_these_alone_are_counted(
    window: Window, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = load_judge(JUDGE)
    raw = judge.ask(window.subject.x, window)
    monkeypatch.setattr(measured, "load_windows", lambda split: (window,))
    monkeypatch.setattr(measured, "raw_answers", lambda split, judge: [raw])
    coder = LevelCoder(bundle=str(CONTEXT), level="wavelet_16")
    assert coder.twin is not None
    of_twin = measured.measure(coder.twin, "made:up", judge)
    counted = measured.recount(coder, "made:up", of_twin)
    whole = measured.measure(coder, "made:up", judge)
    for name, values in whole.arrays().items():
        assert (getattr(counted, name) == values).all(), name
    assert counted.n_bytes != of_twin.n_bytes
