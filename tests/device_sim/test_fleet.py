# SPDX-License-Identifier: Apache-2.0
"""Fleets against real brokers: all arrives once, and a run repeats to the byte."""

from __future__ import annotations

import dataclasses
import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from device_sim.__main__ import main
from device_sim.brokers import Mosquitto, find_mosquitto
from device_sim.fleet_broker import BrokerChoice
from device_sim.fleet_check import compare
from device_sim.fleet_flow import UplinkStalledError
from device_sim.fleet_keys import make_keys, read_keys, read_passwords
from device_sim.fleet_link import Weather, outage_of
from device_sim.fleet_options import FleetOptions, device_names
from device_sim.fleet_receiver import FleetReceiver, ReceiverPlace, Reception
from device_sim.fleet_run import Request, run_fleet
from device_sim.summary import RunSummary
from dynamic_deep.cloud.catalog import find_objects
from dynamic_deep.cloud.folder_store import FolderStore
from dynamic_deep.codec import Codec
from dynamic_deep.errors import ConfigError
from dynamic_deep.policy import Fixed
from dynamic_deep.recording import write_recording
from dynamic_deep.uplink.keys import KeyRing
from tests.signals import COSINE, ecg

needs_mosquitto = pytest.mark.skipif(
    find_mosquitto() is None, reason="mosquitto is not installed"
)


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ...]:
    """A minute each of two leads at the odd rates of real records."""
    folder = tmp_path_factory.mktemp("records")
    for fs in (250.0, 360.0):
        write_recording(folder / f"r{fs:g}.hea", ecg(int(70 * fs), fs=fs, n_leads=2))
    return tuple(sorted(folder.glob("*.hea")))


@pytest.fixture
def options(records: tuple[Path, ...]) -> FleetOptions:
    """Three devices for some minutes that bear all there is to bear."""
    return FleetOptions(
        records=records,
        n_devices=3,
        hours=0.1,
        leads=(1, 0),
        session_s=95.0,
        restarts_s=(200.0,),
        rotations_s=(120.0,),
        weather=Weather(outages=(outage_of("1min+1min"),), drop=0.2, seed=7),
    )


def request_of(out: Path, codec: Codec, broker: str) -> Request:
    choice = BrokerChoice(name=broker, n_keys=2)
    policy = Fixed(level="gain_64")
    return Request(out=out, codec=codec, policy=policy, broker=choice)


def check(summary: RunSummary) -> None:
    """Check that all arrived, by the receiver's word and by our own counts."""
    total, arrivals = summary.total, summary.arrivals
    assert arrivals is not None
    assert summary.is_exact, summary.lines()
    assert arrivals.n_windows == total.n_windows > 0
    assert total.n_messages == total.n_acknowledged
    assert summary.real.n_waiting == 0
    for device in summary.fleet.devices:
        assert arrivals.n_samples[device.name] == device.feed.limit


@pytest.mark.parametrize("other", ["embedded", "mosquitto"])
def test_a_run_repeats_to_the_byte_whatever_the_broker(
    other: str, options: FleetOptions, codec: Codec, tmp_path: Path
) -> None:
    if other == "mosquitto" and find_mosquitto() is None:
        pytest.skip("mosquitto is not installed")
    first = run_fleet(options, request_of(tmp_path / "a", codec, "embedded"))
    check(first)
    assert first.total.n_retries > 0
    assert first.total.n_boots == 6
    second = run_fleet(options, request_of(tmp_path / "b", codec, other))
    check(second)
    traces = [(tmp_path / name / "trace.csv").read_bytes() for name in "ab"]
    assert traces[0] == traces[1]
    stored = [
        json.loads((tmp_path / name / "summary.json").read_text()) for name in "ab"
    ]
    assert stored[0]["simulated"] == stored[1]["simulated"]
    assert stored[0]["real"]["received"]["n_lost"] == 0


def test_another_seed_is_another_run(
    options: FleetOptions, codec: Codec, tmp_path: Path
) -> None:
    short = dataclasses.replace(options, hours=0.03, n_devices=1, trace="none")
    offsets = []
    for seed in (1, 2):
        weather = dataclasses.replace(options.weather, seed=seed)
        request = request_of(tmp_path / str(seed), codec, "embedded")
        summary = run_fleet(dataclasses.replace(short, weather=weather), request)
        check(summary)
        offsets.append(summary.fleet.devices[0].feed.sensor.offset)
    assert offsets[0] != offsets[1]


def test_what_is_missing_or_changed_is_told(
    options: FleetOptions, codec: Codec, tmp_path: Path
) -> None:
    few = dataclasses.replace(options, n_devices=1, trace="none")
    summary = run_fleet(few, request_of(tmp_path, codec, "embedded"))
    check(summary)
    store = FolderStore(tmp_path / "received")
    first, second, *_ = list(find_objects(store))
    data = bytearray(store.get(first.name))
    data[-60] ^= 1
    store.put(first.name, bytes(data))
    store.delete(second.name)
    end = Reception(store=store, n_incomplete=0, n_duplicates=0, n_refused=0)
    found = compare(end, summary.fleet.devices)
    assert (found.n_changed, found.is_exact) == (1, False)
    assert found.n_lost >= 2


@needs_mosquitto
def test_without_a_receiver_a_run_stops_and_goes_on_later(
    options: FleetOptions, codec: Codec, tmp_path: Path
) -> None:
    few = dataclasses.replace(options, n_devices=2, restarts_s=(), hours=0.05)
    make_keys(tmp_path / "keys", few.names, n_each=2)
    users = read_passwords(tmp_path / "keys" / "passwords")
    with Mosquitto(tmp_path / "broker", users) as broker:
        choice = BrokerChoice(
            name=str(broker.address),
            ca_file=broker.address.ca_file,
            keys=tmp_path / "keys",
        )
        request = dataclasses.replace(
            request_of(tmp_path / "out", codec, "embedded"),
            broker=choice,
            patience_s=1.0,
        )
        with pytest.raises(UplinkStalledError, match=r"messages waiting.*--resume"):
            run_fleet(few, request)
        with pytest.raises(ConfigError, match="has one already; go on in it with"):
            run_fleet(few, request)
        place = ReceiverPlace(
            address=broker.address,
            password=users["ingest"],
            state=tmp_path / "state",
            store=tmp_path / "store",
        )
        with FleetReceiver(place, KeyRing(tmp_path / "keys")) as receiver:
            going_on = dataclasses.replace(request, resume=True, patience_s=60.0)
            summary = run_fleet(few, going_on)
            arrivals = compare(receiver.finish(), summary.fleet.devices)
    assert summary.arrivals is None
    assert summary.is_exact
    assert (arrivals.n_lost, arrivals.n_twice, arrivals.n_incomplete) == (0, 0, 0)
    for device in summary.fleet.devices:
        assert arrivals.n_samples[device.name] == device.feed.limit


def test_a_killed_run_goes_on_after_what_it_stored(
    records: tuple[Path, ...],
    tmp_path: Path,
    command_env: Callable[..., dict[str, str]],
    capsys: pytest.CaptureFixture[str],
) -> None:
    out = tmp_path / "out"
    args = ["run", "--records", str(records[0]), "--devices", "3", "--hours", "0.5"]
    args += ["--bundle", str(COSINE), "--out", str(out), "--quiet", "--json"]
    paced = [*args, "--speed", "150"]
    process = subprocess.Popen(
        [sys.executable, "-m", "device_sim", *paced],
        env=command_env(),
        stdout=subprocess.DEVNULL,
    )
    due_s = time.monotonic() + 120.0
    while not _has_delivered(out) and time.monotonic() < due_s:
        assert process.poll() is None
        time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not (out / "summary.json").exists()
    assert main([*args, "--resume"]) == 0
    summary = json.loads(capsys.readouterr().out)
    received = summary["real"]["received"]
    total = summary["simulated"]["total"]
    assert summary["real"]["is_exact"]
    assert 0 < total["n_windows"] < received["n_windows"]
    for device in summary["simulated"]["devices"]:
        n_samples = int((1800.0 - device["start_s"]) * 250.0 + 1e-6)
        assert received["n_samples"][device["name"]] == n_samples
    written = sorted(path.name for path in out.iterdir() if "sqlite" not in path.name)
    folders = ["broker", "keys", "received", "receiver"]
    assert written == [*folders, "runs", "summary-2.json", "trace-2.csv"]


def _has_delivered(out: Path) -> bool:
    """Whether something of a run has reached its receiver."""
    inbox = out / "receiver" / "inbox.sqlite"
    try:
        with closing(sqlite3.connect(f"file:{inbox}?mode=ro", uri=True)) as db:
            (count,) = db.execute("SELECT count(*) FROM messages").fetchone()
    except sqlite3.OperationalError:  # not there yet
        return False
    return int(count) > 5


def test_keys_are_made_once_and_fit_together(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    names = device_names(3)
    make_keys(folder, names, n_each=2)
    assert [keys.device for keys in read_keys(folder, names)] == names
    assert {keys.key_id for keys in read_keys(folder, names)} == {1}
    users = read_passwords(folder / "passwords")
    assert sorted(users) == [*names, "ingest"]
    hashed = (folder / "mosquitto").read_text().splitlines()
    assert [line.split(":")[0] for line in hashed] == list(users)
    assert not any(word in "".join(hashed) for word in users.values())
    private = [path.stat().st_mode & 0o077 for path in folder.iterdir()]
    assert private == [0] * 7
    with pytest.raises(ConfigError, match="must be empty"):
        make_keys(folder, names)
    with pytest.raises(ConfigError, match=r"1 of 4 have none, dev-0004"):
        read_keys(folder, device_names(4))
    (folder / "passwords").chmod(0o644)
    with pytest.raises(ConfigError, match="must not be open to others, got mode 0644"):
        read_passwords(folder / "passwords")
