# SPDX-License-Identifier: Apache-2.0
"""`python -m device_sim run` and `keys`: what a person types, and what comes back."""

from __future__ import annotations

import csv
import json
import stat
from pathlib import Path

import pytest

from device_sim.__main__ import main
from device_sim.trace import EVENTS
from dynamic_deep.recording import write_recording
from tests.signals import COSINE, ecg


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A simulated minute."""
    path = tmp_path_factory.mktemp("records") / "a.hea"
    write_recording(path, ecg(20_000))
    return str(path)


def test_a_run_prints_a_table_and_writes_trace_and_summary(
    record: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    args = ["--devices", "2", "--hours", "0.05", "--bundle", str(COSINE), "--seed", "3"]
    assert main(["run", "--records", record, "--out", str(out), *args]) == 0
    printed = capsys.readouterr()
    lines = dict(line.split("  ", 1) for line in printed.out.splitlines())
    assert lines["devices"].split() == ["2", "for", "3", "min"]
    assert "each once" in lines["arrived"]
    assert "lost 0" in lines["arrived"]
    assert {"windows", "bytes", "levels", "battery", "speed"} <= set(lines)
    assert printed.err == ""
    summary = json.loads((out / "summary.json").read_text())
    total = summary["simulated"]["total"]
    assert summary["real"]["received"]["n_windows"] == total["n_windows"] == 12
    assert total["energy_mj"] == pytest.approx(
        total["compute_mj"] + total["radio_mj"] + total["standby_mj"]
    )
    with (out / "trace.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["event"] for row in rows} <= EVENTS.keys()
    times = [float(row["time_s"]) for row in rows]
    assert times == sorted(times)
    stored = sum(int(row["n_bytes"]) for row in rows if row["event"] == "store")
    assert stored == total["message_bytes"]
    assert [row["event"] for row in rows].count("encode") == 12


def test_a_bound_is_kept_by_devices_with_error_heads(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    args = ["--devices", "1", "--hours", "0.03", "--json", "--trace", "none"]
    args += ["--bundle", "monitor", "--bound", "rhythm=0.1", "--risk", "0.05"]
    record = str(data_dir / "mitdb" / "100")
    assert main(["run", "--records", record, "--out", str(tmp_path), *args]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert "Calibrated" in summary["asked"]["policy"]
    assert sum(summary["simulated"]["total"]["levels"].values()) == 4


@pytest.mark.parametrize(
    ("args", "status", "message"),
    [
        (["--level", "gain_7"], 2, "bundle * has the levels"),
        (["--records", "nowhere.hea"], 1, "nowhere.hea"),
        (["--lead", "5"], 1, "leads must be 0 to 0 of a.hea, got 5"),
        (["--ring", "20s"], 1, "a ring buffer must hold a window"),
        (["--drop", "1"], 1, "below 1, got 1"),
        (["--seed", "-1"], 1, "a seed must be 0 or more"),
        (["--outbox-kb", "8"], 1, "an outbox must hold two windows"),
        (["--outage", "1h+10min", "--outage", "1h+1s"], 1, "must not overlap"),
        (["--outage", "soon"], 2, "--outage: an outage must be START+LENGTH"),
        (["--speed", "-1"], 2, "--speed: must be above 0"),
        (["--start", "2026-01-01"], 2, "must be a time with its zone"),
        (["--session", "2h"], 1, "not be longer than an hour"),
        (["--session", "20s"], 1, "a session must hold a window"),
        (["--profile", "toaster"], 1, "toaster"),
        (["--profile", "nrf52840", "--radio", "wifi"], 1, "no transceiver"),
        (["--broker", "http://x"], 1, "needs the devices' keys"),
        (
            ["--broker", "mqtts://h", "--keys", "nowhere"],
            1,
            "keys must lie in a folder",
        ),
        (["--ca", "ca.pem"], 1, "leave --passwords and --ca out"),
        (["--resume"], 1, "holds none; leave --resume out"),
        (["--bound", "rhythm=0.1"], 1, "error heads"),
        (["--prefix", "a/b"], 1, "a device id must be"),
        (["--devices", "0"], 2, "--devices: must be 1 or more"),
    ],
)
def test_bad_arguments_give_one_clear_line(
    args: list[str],
    status: int,
    message: str,
    record: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = ["--devices", "1", "--hours", "0.01", "--bundle", str(COSINE)]
    start = ["run", "--records", record, "--out", str(tmp_path / "out"), *given]
    assert main([*start, *args]) == status
    printed = capsys.readouterr()
    assert printed.out == ""
    last = printed.err.rstrip().splitlines()[-1]
    first, _, second = message.partition("*")
    assert first in last
    assert second in last
    assert "Traceback" not in printed.err
    assert status == 2 or printed.err.count("\n") == 1
    assert not (tmp_path / "out" / "summary.json").exists()


def test_keys_are_made_by_a_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "keys"
    args = ["keys", "--out", str(folder), "--devices", "2", "--prefix", "ward"]
    assert main(args) == 0
    assert "keys of 2 devices" in capsys.readouterr().out
    names = sorted(path.name for path in folder.iterdir())
    devices = ["ward-0001.toml", "ward-0002.toml"]
    assert names == ["ingest_password", "mosquitto", "passwords", "rules", *devices]
    assert stat.S_IMODE((folder / "ward-0001.toml").stat().st_mode) == 0o600
    assert main(args) == 1
    error = capsys.readouterr().err
    assert "must be empty" in error
    assert error.count("\n") == 1


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert "run" in text
    assert "keys" in text
    assert main([]) == 2
