# SPDX-License-Identifier: Apache-2.0
"""The bench of decoding: what it counts, and that its figures fit together."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest

from dynamic_deep.bench.decode_inputs import joined
from dynamic_deep.bench.stopwatch import Stopwatch
from dynamic_deep.cli import main
from dynamic_deep.errors import ConfigError
from dynamic_deep.recording import write_recording
from dynamic_deep.synthetic import simulate_ecg
from tests.signals import AWARE, ecg


def busy(seconds: float) -> None:
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


class Work:
    def outer(self) -> None:
        busy(0.02)
        self.inner()

    def inner(self) -> None:
        busy(0.05)


def test_a_part_is_counted_without_those_inside_it() -> None:
    watch, inner = Stopwatch(), Work.inner
    places = {(Work, "outer"): "outer", (Work, "inner"): "inner"}
    with watch.watching(places), watch.part("rest"):
        Work().outer()
        busy(0.01)
    assert watch.seconds["outer"] == pytest.approx(0.02, abs=0.005)
    assert watch.seconds["inner"] == pytest.approx(0.05, abs=0.005)
    assert watch.seconds["rest"] == pytest.approx(0.01, abs=0.005)
    assert Work.inner is inner
    Work().outer()
    assert watch.seconds["inner"] == pytest.approx(0.05, abs=0.005)


def test_whole_windows_of_the_first_leads_are_joined() -> None:
    one, two = ecg(2 * 8960 + 100, n_leads=2), ecg(8960)
    whole = joined([one, two], 9)
    expected = [one.samples[: 2 * 8960, :1], two.samples]
    np.testing.assert_array_equal(whole.samples, np.concatenate(expected))
    assert joined([one, two], 1).n_samples == 2 * 8960
    with pytest.raises(ConfigError, match="one rate"):
        joined([one, ecg(20_000, fs=360.0)], 1)
    with pytest.raises(ConfigError, match="at least"):
        joined([ecg(5000)], 1)


def test_the_figures_fit_together(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], checkout: Path
) -> None:
    write_recording(tmp_path / "a", simulate_ecg(95.0, seed=3))
    options = ["--bundle", str(AWARE), "--level", "gain_32", "--repeats", "1"]
    extent = ["--sizes", "1", "6", "--processes", "2", "--sessions", "2"]
    file = tmp_path / "speed.json"
    command = ["cloud", "bench", str(tmp_path / "a.hea"), *options, *extent]
    assert main([*command, "-o", str(file)]) == 0
    assert "where the time goes" in capsys.readouterr().out
    facts = json.loads(file.read_text())
    assert facts["n_windows"] == 3
    assert facts["levels_used"] == {"gain_32": 3}
    rates = facts["windows_per_s_core"]
    assert set(rates) == {"none", "rpeaks", "rhythm", "both"}
    assert rates["none"] > rates["both"] > 0
    stages = facts["stages_s_per_window"]
    assert all(stages[name] > 0 for name in ("task rhythm", "range decoder"))
    assert stages["lossless"] == 0
    assert sum(stages.values()) == pytest.approx(1 / rates["both"], rel=0.8)
    assert {"lossless", "gain_128"} <= set(facts["levels"])
    one, six = facts["object_sizes"]
    assert (one["n_windows"], six["n_windows"]) == (1, 6)
    assert one["s_per_window"] > six["s_per_window"]  # opening and writing weigh less
    (pair,) = facts["processes"]
    assert (pair["n_windows"], pair["n_sessions"]) == (6, 2)
    assert pair["peak_mib_of_a_process"] < 600
    assert facts["command"].endswith("--sizes 1 6 --processes 2")
    text = (checkout / "docs" / "decode.md").read_text(encoding="utf-8")
    keys = [*facts, *one, *pair, *facts["levels"]["lossless"]]
    assert not [key for key in keys if f"`{key}`" not in text]
    assert main([*command, "-o", str(file)]) == 1  # never overwritten by itself
    assert "--force" in capsys.readouterr().err
