# SPDX-License-Identifier: Apache-2.0
"""A simulated device stores what its sensor gave, whatever happens to it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path

import numpy as np
import pytest

from device_sim.clock import SimClock
from device_sim.device import SimDevice
from device_sim.device_costs import DeviceCosts
from device_sim.device_feed import DeviceFeed
from device_sim.device_parts import DeviceParts, DevicePlan
from device_sim.device_radio import DeviceRadio
from device_sim.device_session import EncoderSetup, windows_per_session
from device_sim.device_totals import DeviceTotals, total_of
from device_sim.fleet import next_key
from device_sim.fleet_gate import GatedOutbox
from device_sim.fleet_link import FleetLink, Weather, outage_of, seconds_of
from device_sim.link import link_of
from device_sim.profiles import load_device, load_radio
from device_sim.sensor import Sensor
from device_sim.trace import Row
from dynamic_deep.codec import Codec
from dynamic_deep.errors import ConfigError
from dynamic_deep.policy import Fixed, MaxPrdn
from dynamic_deep.recording import Recording, with_samples
from dynamic_deep.uplink.assembly import Part, assemble
from dynamic_deep.uplink.keys import DeviceKeys, new_device_keys
from dynamic_deep.uplink.message import SessionId, unpack
from dynamic_deep.uplink.sealing import open_sealed
from tests.signals import ecg

START = datetime(2026, 1, 1, tzinfo=UTC)
LINK = link_of(load_device("nrf52840"), load_radio("ble_1m"))


class Rows:
    """A trace in memory."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def add(self, row: Row) -> None:
        self.rows.append(row)

    def close(self) -> None:
        pass

    def discard(self) -> None:
        pass


class Bench:
    """One device with a real outbox; what it stores stays there."""

    def __init__(
        self,
        codec: Codec,
        sensor: Sensor,
        folder: Path,
        *,
        level: str = "gain_64",
        hours: float = 0.1,
        session_s: float = 3600.0,
        n_frames: int = 1,
        ring_s: float = 60.0,
        outbox_limit: int = 1 << 20,
        weather: Weather | None = None,
    ) -> None:
        setup = EncoderSetup(
            codec=codec,
            policy=Fixed(level=level),
            session_s=session_s,
            n_frames=n_frames,
        )
        plan = DevicePlan(
            encoder=setup,
            costs=DeviceCosts(setup, LINK),
            start_time=START,
            end_s=3600.0 * hours,
            ring_s=ring_s,
            outbox_limit=outbox_limit,
        )
        self.codec, self.sensor, self.trace = codec, sensor, Rows()
        self.level = level
        first = new_device_keys("bed-17").rotated()
        self.keys = DeviceKeys(device="bed-17", keys=first.keys, current=1)
        self.outbox = GatedOutbox(folder / "outbox.sqlite")
        self.clock, self.totals = SimClock(), DeviceTotals()
        radio = DeviceRadio(
            "bed-17",
            self.clock,
            FleetLink(LINK, weather or Weather(), number=0, name="bed-17"),
            lambda message: None,
            totals=self.totals,
            trace=self.trace,
        )
        parts = DeviceParts(
            clock=self.clock,
            outbox=self.outbox,
            radio=radio,
            trace=self.trace,
            totals=self.totals,
            store=self.store,
            rotate=next_key,
        )
        feed = DeviceFeed(sensor, ring_s=ring_s, end_s=plan.end_s)
        self.device = SimDevice(plan, feed, self.keys, parts)

    def store(self, message: object) -> None:
        assert self.outbox.put(message)

    def run(self) -> Bench:
        self.outbox.boot(["bed-17"])
        self.clock.at(self.sensor.start_s, self.device.boot)
        while self.clock.step():
            pass
        self.outbox.commit()
        return self

    def events(self, event: str) -> list[Row]:
        return [row for row in self.trace.rows if row.event == event]

    def files(self) -> list[tuple[SessionId, bytes]]:
        """The files of all sessions, put together from the sealed messages."""
        messages = [unpack(row.data) for row in self.outbox.all_pending("bed-17")]
        places = [(message.session, message.number) for message in messages]
        assert len(set(places)) == len(places), "no nonce is used twice"
        found = []
        for session, group in groupby(messages, key=lambda message: message.session):
            parts = [
                Part(m.number, m.kind, open_sealed(m, self.keys.keys[m.key_id]))
                for m in group
            ]
            found.append((session, assemble(parts)))
        return found

    def spans(self) -> list[tuple[int, Recording]]:
        """Position of each session's first sample, and what it decodes to."""
        spans = []
        for _, data in self.files():
            recording = self.codec.decode(data)
            assert recording.start_time is not None
            at_s = (recording.start_time - START).total_seconds()
            spans.append((self.sensor.count_at(at_s + 0.5 / recording.fs), recording))
        return spans

    def measured(self, position: int, stop: int) -> np.ndarray:
        """What a receiver makes of what the sensor gave there, sent as one file."""
        info, samples = self.sensor.recording.info, self.sensor.read(position, stop)
        coded = self.codec.encode(with_samples(info, samples), level=self.level)
        return self.codec.decode(coded).samples

    def check(self) -> list[int]:
        """Each session is what was measured where it says; return where they begin."""
        spans = self.spans()
        for position, recording in spans:
            stop = position + recording.n_samples
            assert np.array_equal(recording.samples, self.measured(position, stop))
        return [position for position, _ in spans]

    def check_whole(self) -> list[int]:
        """Between the sessions there is nothing; return where they begin."""
        starts, end = self.check(), 0
        for position, recording in self.spans():
            assert position == end
            end += recording.n_samples
        assert end == self.device.feed.limit
        return starts


@pytest.mark.parametrize("fs", [250.0, 300.0, 360.0])
def test_hours_joined_decode_as_one_long_file(
    fs: float, codec: Codec, tmp_path: Path
) -> None:
    sensor = Sensor(recording=ecg(int(130 * fs), fs=fs), offset=77)
    bench = Bench(codec, sensor, tmp_path, session_s=95.0, hours=0.08).run()
    # Three windows a session, since a window at 250 Hz is 7466 2/3 samples.
    assert windows_per_session(fs, 95.0) == 3
    assert bench.check_whole() == [round(k * 89.6 * fs) for k in range(4)]
    decoded = [recording.samples for _, recording in bench.spans()]
    whole = bench.measured(0, bench.device.feed.limit)
    assert np.array_equal(np.concatenate(decoded), whole)
    assert bench.totals.n_windows == 10
    assert bench.totals.n_sessions == len(bench.device.digests) == 4


def test_a_session_is_an_hour_at_most_and_cuts_as_one_file() -> None:
    for fs in (50.0, 128.0, 250.0, 257.3, 300.0, 333.33, 360.0, 500.0, 1000.0):
        n = windows_per_session(fs)
        length = n * 8960 * fs / 300
        assert n * 8960 / 300 <= 3600.0
        assert abs(length - round(length)) < 1e-6 or n == 120
    with pytest.raises(ConfigError, match=r"a window of 29.87 s, got at most 20 s"):
        windows_per_session(300.0, 20.0)


def test_a_file_is_what_its_device_says(codec: Codec, tmp_path: Path) -> None:
    import hashlib

    sensor = Sensor(recording=ecg(20_000, n_leads=2), start_s=3.25)
    bench = Bench(codec, sensor, tmp_path, n_frames=4).run()
    ((session, data),) = bench.files()
    assert bench.device.digests == {session: hashlib.sha256(data).digest()}
    recording = codec.decode(data)
    assert recording.name == "bed-17"
    assert recording.start_time == START + timedelta(seconds=3.25)
    n_samples = sensor.count_at(360.0)
    assert np.array_equal(recording.samples, bench.measured(0, n_samples))
    totals = bench.totals
    assert totals.raw_bytes == 2 * 2 * n_samples == 2 * totals.n_samples
    rows = bench.events("encode")
    assert len(rows) == totals.n_windows == 2 * 12 == bench.device.n_stored[session]
    assert totals.frame_bytes == sum(row.n_bytes for row in rows) < len(data)
    assert totals.compute_mj == pytest.approx(sum(row.energy_mj for row in rows))
    assert [row.event for row in bench.trace.rows].count("acknowledge") == (
        totals.n_messages
    )


def test_an_overrun_is_counted_and_never_silent(codec: Codec, tmp_path: Path) -> None:
    sensor = Sensor(recording=ecg(30_000))
    weather = Weather(outages=(outage_of("1min+5min"),))
    bench = Bench(
        codec,
        sensor,
        tmp_path,
        level="lossless",
        hours=0.12,
        ring_s=40.0,
        outbox_limit=37_000,
        weather=weather,
    ).run()
    totals, feed = bench.totals, bench.device.feed
    lost = bench.events("overrun")
    assert bench.events("full")
    assert totals.n_overrun == sum(row.n_samples for row in lost) > 10_000
    assert totals.n_measured == feed.limit == totals.n_samples + totals.n_overrun
    assert totals.ring_high_water == int(40.0 * 300)
    assert totals.outbox_high_water_bytes <= 37_000
    bench.check()
    n_between, end = 0, 0
    for position, recording in bench.spans():
        n_between += position - end
        end = position + recording.n_samples
    assert (n_between, end) == (totals.n_overrun, feed.limit)


def test_a_full_outbox_is_emptied_before_its_message_is_full(
    codec: Codec, tmp_path: Path
) -> None:
    sensor = Sensor(recording=ecg(30_000))
    bench = Bench(
        *(codec, sensor, tmp_path),
        level="lossless",
        hours=0.07,
        n_frames=100,
        outbox_limit=2 * 18_500,
    ).run()
    assert bench.events("full")
    assert (bench.totals.n_overrun, bench.totals.n_windows) == (0, 9)
    assert bench.totals.n_samples == bench.device.feed.limit


@pytest.mark.parametrize("at_s", [45.0, 67.31, 100.02, 100.0, 231.0])
def test_a_restart_goes_on_after_the_last_window_that_is_stored(
    at_s: float, codec: Codec, tmp_path: Path
) -> None:
    sensor = Sensor(recording=ecg(30_000, fs=360.0), offset=5)
    bench = Bench(codec, sensor, tmp_path, n_frames=2)
    bench.clock.at(at_s, bench.device.restart)
    bench.run()
    starts = bench.check_whole()
    assert bench.totals.n_boots == len(bench.events("boot")) == 2
    assert len(starts) == (1 if at_s < 70.0 else 2)  # nothing was stored yet, or some
    assert bench.totals.n_recoded > 0
    assert bench.totals.n_overrun == 0


def test_a_device_restarted_at_every_step_loses_nothing(
    codec: Codec, tmp_path: Path
) -> None:
    sensor = Sensor(recording=ecg(30_000))
    seen = Bench(codec, sensor, tmp_path).run()
    times = sorted({row.time_s for row in seen.trace.rows if row.time_s < 110.0})
    (tmp_path / "all").mkdir()
    bench = Bench(codec, sensor, tmp_path / "all")
    for time_s in times:
        for shift_s in (0.0, 0.001):
            bench.clock.at(time_s + shift_s, bench.device.restart)
    bench.run()
    assert bench.totals.n_boots > 20
    bench.check_whole()


def test_a_new_key_begins_a_session_after_the_window(
    codec: Codec, tmp_path: Path
) -> None:
    sensor = Sensor(recording=ecg(30_000))
    bench = Bench(codec, sensor, tmp_path)
    bench.clock.at(100.0, bench.device.rotate_key)
    bench.run()
    rows = [unpack(row.data) for row in bench.outbox.all_pending("bed-17")]
    assert [key_id for key_id, _ in groupby(m.key_id for m in rows)] == [1, 2]
    assert bench.check_whole() == [0, 4 * 8960]  # at 119.5 s
    assert next_key(bench.keys).key_id == 2
    with pytest.raises(ConfigError, match="must have another"):
        next_key(next_key(bench.keys))


def test_a_gap_ends_a_session_and_the_next_says_when(
    codec: Codec, tmp_path: Path
) -> None:
    sensor = Sensor(recording=ecg(20_000), offset=4_000, gap_s=10.0)
    bench = Bench(codec, sensor, tmp_path).run()
    assert bench.check_whole() == [0, 16_000, 36_000, 56_000, 76_000]
    spans = bench.spans()
    starts = [recording.start_time for _, recording in spans]
    assert starts[1] == START + timedelta(seconds=16_000 / 300 + 10.0)


def test_what_is_lost_on_the_link_is_tried_again(codec: Codec, tmp_path: Path) -> None:
    weather = Weather(outages=(outage_of("100s+60s"),), drop=0.3, seed=1)
    sensor = Sensor(recording=ecg(30_000))
    bench = Bench(codec, sensor, tmp_path, weather=weather).run()
    totals, lost = bench.totals, bench.events("lost")
    assert totals.n_sent == totals.n_acknowledged == totals.n_messages
    assert len(lost) == totals.n_retries > 3
    in_outage = [row for row in lost if 100.0 <= row.time_s < 160.1]
    assert in_outage
    assert all(row.energy_mj > 0.0 for row in in_outage)
    assert totals.wait_most_s > 30.0
    assert bench.device.radio.is_idle
    sent = [row.time_s for row in bench.events("send")]
    assert not [time_s for time_s in sent if 100.0 <= time_s < 160.0]


def test_what_a_device_cannot_do_is_refused(codec: Codec, tmp_path: Path) -> None:
    sensor = Sensor(recording=ecg(30_000))
    with pytest.raises(ConfigError, match=r"ring buffer must hold .* got 30 s"):
        DeviceFeed(sensor, ring_s=30.0, end_s=100.0)
    with pytest.raises(ConfigError, match=r"two windows .* 36.0 KiB, got 35 KiB"):
        Bench(codec, sensor, tmp_path, outbox_limit=35 * 1024)
    setup = EncoderSetup(codec=codec, policy=MaxPrdn(percent=9.0))
    with pytest.raises(ConfigError, match="decodes on the spot"):
        DeviceCosts(setup, LINK)
    with pytest.raises(ConfigError, match="below 1, got 1"):
        Weather(drop=1.0)
    with pytest.raises(ConfigError, match="0 or more, got -1"):
        Weather(seed=-1)
    with pytest.raises(ConfigError, match=r"START\+LENGTH"):
        outage_of("10min")
    with pytest.raises(ConfigError, match=r"10min or 1\.5h, got .soon."):
        seconds_of("soon")


def test_totals_add_up_and_high_water_marks_do_not() -> None:
    one = DeviceTotals(n_windows=2, ring_high_water=5, wait_most_s=1.0)
    other = DeviceTotals(n_windows=3, ring_high_water=4, wait_most_s=2.0)
    one.levels["a"], other.levels["a"], other.levels["b"] = 1, 2, 3
    total = total_of([one, other])
    assert (total.n_windows, total.ring_high_water, total.wait_most_s) == (5, 5, 2.0)
    assert total.levels == {"a": 3, "b": 3}
    with pytest.raises(ConfigError, match="needs a device"):
        total_of([])
