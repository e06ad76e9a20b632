# SPDX-License-Identifier: Apache-2.0
"""A short day of two devices, through a real broker, to rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from device_sim.brokers import find_mosquitto
from dynamic_deep import write_recording
from dynamic_deep.synthetic import simulate_ecg
from experiments.__main__ import main
from experiments.cloud_day.counts import count_rows

pytestmark = pytest.mark.skipif(
    find_mosquitto() is None, reason="mosquitto is not installed"
)


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A work folder after a day of six minutes, with its results beside."""
    folder = tmp_path_factory.mktemp("day")
    write_recording(folder / "ecg.hea", simulate_ecg(120.0, seed=3))
    words = ["--records", str(folder / "ecg.hea"), "--devices", "2", "--hours", "0.1"]
    words += ["--bundle", "standard", "--level", "gain_64", "--jobs", "1"]
    words += ["--work", str(folder / "work"), "--out", str(folder / "day.json")]
    assert main(["run", "cloud_day", *words]) == 0
    return folder


@pytest.fixture(scope="module")
def results(day: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((day / "day.json").read_text())
    return found


def test_every_window_arrives_once(results: dict[str, Any]) -> None:
    windows = results["windows"]
    # 6 minutes less a start within 30 s, 29.9 s each: 11 or 12 windows a device.
    assert 20 <= windows["encoded"] <= 24
    assert windows["in_store"] == windows["rows"] == windows["encoded"]
    faults = {windows[name] for name in ("lost", "twice", "damaged", "devices_off")}
    assert faults == {0}


def test_bytes_add_up(results: dict[str, Any]) -> None:
    n_bytes = results["bytes"]
    assert n_bytes["frames"] < n_bytes["stored"] < n_bytes["sent"] < n_bytes["raw"]
    assert results["gain"]["stored"] == pytest.approx(
        n_bytes["raw"] / n_bytes["stored"], abs=0.01
    )


def test_results_say_what_made_them(results: dict[str, Any]) -> None:
    assert results["made_by"]["command"].startswith("python -m experiments run")
    assert set(results["costs"]) == {"fleet", "ingest", "check", "decode"}
    assert all(cost["peak_memory_mb"] > 10 for cost in results["costs"].values())


def test_a_lost_session_is_noticed(day: Path, results: dict[str, Any]) -> None:
    rows = day / "work" / "rows"
    path = min((rows / "rows").rglob("*.parquet"))
    device = path.relative_to(rows / "rows").parts[1]
    encoded = {"dev-0001": 0, "dev-0002": 0}
    whole = count_rows(rows, encoded)
    assert whole.n_devices_off == 2
    path.unlink()
    left = count_rows(rows, {device: 1})
    assert left.n_rows < whole.n_rows
    assert left.n_devices_off >= 1


def test_a_work_folder_must_be_empty(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "there").touch()
    words = ["--records", "x", "--work", str(tmp_path)]
    assert main(["run", "cloud_day", *words]) == 1
    assert "must be empty" in capsys.readouterr().err
