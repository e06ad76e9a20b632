# SPDX-License-Identifier: Apache-2.0
"""The command: text, JSON, a plot, a bound, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from device_sim.__main__ import main
from dynamic_deep import write_recording
from dynamic_deep.synthetic import simulate_ecg


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("records") / "a.hea"
    write_recording(path, simulate_ecg(60.0, fs=360.0, n_leads=1, seed=6))
    return str(path)


def energy(*options: str) -> int:
    return main(["energy", "--quiet", *options])


def test_the_table_names_every_way(
    record: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert energy("--records", record, "--levels", "wavelet_32,gain_64") == 0
    shown = capsys.readouterr().out
    for name in ("raw, 16 bit", "rice, lossless", "lossless", "wavelet_32", "gain_64"):
        assert f"\n{name} " in shown
    assert "paper's encoder, gain 32" in shown
    assert "nRF52840" in shown
    assert "ble_2m" in shown, "the break-even of every radio"


def test_json_and_plot_of_a_bound(
    record: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plot = tmp_path / "energy.png"
    levels = ("--levels", "wavelet_12,wavelet_16,gain_64,gain_448")
    options = ("--bundle", "monitor", *levels, "--json")
    bound = ("--bound", "rhythm=0.1", "--risk", "0.05", "--plot", str(plot))
    assert energy("--records", record, *options, *bound) == 0
    report = json.loads(capsys.readouterr().out)
    ways = {way["kind"]: way for way in report["ways"] if way["name"] != "gain_448"}
    assert ways["bound"]["macs_per_window"] > ways["neural"]["macs_per_window"]
    assert ways["bound"]["compute_mj"]["low"] > ways["neural"]["compute_mj"]["low"]
    assert sum(ways["bound"]["levels"].values()) == pytest.approx(1.0)
    # Of the levels that keep to the bound alone the one that costs least: gain_448
    # does not keep to it, and gain_64 costs more than a wavelet.
    (alone,) = report["one_level"].values()
    assert alone["level"] == "wavelet_16"
    assert 0 < alone["risk"] <= 0.05
    assert "nrf52840 cpu.macs_per_cycle" in report["uncertain_figures"]
    from matplotlib.image import imread

    picture = imread(plot)
    assert min(picture.shape[:2]) > 500
    assert len(np.unique(picture.reshape(-1, picture.shape[2]), axis=0)) > 50


def test_figures_are_listed_with_their_sources(
    record: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert energy("--records", record, "--levels", "wavelet_64", "--figures") == 0
    shown = capsys.readouterr().out
    assert "nrf52840 cpu.active_current_ma" in shown
    assert "Nordic DevZone blog" in shown
    assert "estimated" in shown


def test_memory_and_every_device(
    record: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("tflite_micro")
    options = ("--levels", "gain_64", "--memory", "--all")
    assert energy("--records", record, *options) == 0
    shown = capsys.readouterr().out
    assert "RAM: arena" in shown
    assert "It fits." in shown
    largest = next(line for line in shown.splitlines() if line.startswith("lossless  "))
    assert "never more than" in shown
    assert largest
    for device in ("apollo4", "esp32s3", "nrf54l15", "raspberry_pi"):
        assert f"\n{device} " in shown


def test_the_plot_of_the_same_report_is_the_same_file(
    record: str, tmp_path: Path
) -> None:
    files = [tmp_path / "a.svg", tmp_path / "b.svg"]
    for path in files:
        assert energy("--records", record, "--levels", "", "--plot", str(path)) == 0
    assert files[0].read_bytes() == files[1].read_bytes()
    assert energy("--records", record, "--levels", "", "--plot", str(files[0])) == 1
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.svg", "b.svg"]


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        (("--plot", "a.gif"), 2, "--plot must end in .png, .svg, .pdf"),
        (("--risk", "0.05"), 2, "--risk needs --bound"),
        (("--radio", "wifi"), 1, "one of ble_1m, ble_2m, lte_m, nb_iot"),
        (("--profile", "z80"), 1, "a profile must be one of apollo4"),
        (("--levels", "gain_1"), 1, "got 'gain_1'"),
        (("--levels", "lossless"), 1, "must be wavelet or neural"),
        (("--bundle", "edge_without_heads_or_calibration"), 1, "bundle must be"),
        (("--lead", "3"), 1, "--lead must name leads"),
    ],
)
def test_what_makes_no_sense_is_refused(
    record: str,
    capsys: pytest.CaptureFixture[str],
    options: tuple[str, ...],
    status: int,
    words: str,
) -> None:
    assert energy("--records", record, *options) == status
    shown = capsys.readouterr()
    assert words in shown.err
    assert len(shown.err.strip().splitlines()) == 1
    assert shown.out == ""
