# SPDX-License-Identifier: Apache-2.0
"""The report: bytes as encoded, energies that add up, honest comparisons."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from device_sim.break_even import find_break_even
from device_sim.energy import message
from device_sim.energy_cost import WayCost, message_bytes
from device_sim.energy_measure import Measured, measure
from device_sim.energy_report import Report, make_report
from device_sim.energy_setting import Band, Setting
from device_sim.energy_text import format_report, number, report_dict, verdict
from device_sim.figure import CASES
from device_sim.network_macs import read_graph
from device_sim.profiles import (
    load_device,
    load_parts,
    load_radio,
    load_software,
    names_of,
    radios_of,
)
from device_sim.ways import PAPER_MACS, Raw, Window
from device_sim.ways_levels import ways_of
from dynamic_deep import Codec, write_recording
from dynamic_deep.bitstream import frame_len
from dynamic_deep.cli import text
from dynamic_deep.container import ContainerReader
from dynamic_deep.errors import ConfigError
from dynamic_deep.synthetic import simulate_ecg
from dynamic_deep.window_codec import WindowPlace

LEVELS = ("wavelet_32", "gain_64", "gain_128")


def setting_of(device: str = "nrf52840", radio: str = "ble_1m") -> Setting:
    return Setting(
        device=load_device(device),
        radio=load_radio(radio),
        software=load_software(),
        parts=load_parts(),
        battery="cr2032",
    )


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("records") / "a.hea"
    write_recording(path, simulate_ecg(89.6, fs=300.0, n_leads=1, seed=4))
    return path


@pytest.fixture(scope="module")
def edge() -> Codec:
    return Codec.load("edge")


@pytest.fixture(scope="module")
def measured(record: Path, edge: Codec) -> Measured:
    return measure([record], ways_of(edge.windows, LEVELS, {}))


@pytest.fixture(scope="module")
def report(measured: Measured) -> Report:
    return make_report(measured, setting_of())


def test_bytes_are_those_of_a_coded_file(
    measured: Measured, record: Path, edge: Codec
) -> None:
    from dynamic_deep import read_recording

    recording = read_recording(record)
    for row in measured.rows:
        if row.name not in ("lossless", *LEVELS):
            continue
        coded = edge.encode(recording, level=row.name)
        frames = list(ContainerReader(coded).frames())
        sizes = [frame_len(frame.level_id, len(frame.payload)) for frame in frames]
        assert row.slot_bytes == sizes, row.name


def test_raw_bytes_by_hand() -> None:
    place = WindowPlace(n_samples=8960, fs=300.0, baseline=0, adc_bits=16)
    window = Window(x=np.arange(8960, dtype=np.int32) % 2048, place=place)
    # 8960 * 11 bits are 12,320 bytes; a frame of that length has 3 + 3 more
    assert Raw(n_bits=11).send(window).n_bytes == 12_320 + 6
    assert Raw(n_bits=11).fits(window)
    assert not Raw(n_bits=10).fits(window)


def test_totals_add_up(report: Report) -> None:
    for line in report.lines:
        assert line.total_mj.nominal == pytest.approx(
            line.compute_mj.nominal + line.radio_mj.nominal
        )
        day_j = 0.024 * (line.total_mj.nominal + report.standby_mj.nominal)
        assert line.day_j.nominal == pytest.approx(day_j)
        sealing = line.compute_mj.nominal - sum(line.parts_mj.values())
        assert 0 < sealing < 0.9 * line.compute_mj.nominal
        for band in (line.compute_mj, line.radio_mj, line.total_mj, line.battery_days):
            assert band.low < band.nominal < band.high
        # 210 mAh at 2.9 V are 2192 J
        assert line.battery_days.nominal == pytest.approx(2192.4 / day_j)


def test_radio_is_that_of_the_messages(report: Report, measured: Measured) -> None:
    link = report.setting.link("nominal", "nominal")
    row = next(row for row in measured.rows if row.kind == "rice")
    expected = sum(message(link, n).radio_mj for n in row.slot_bytes) / measured.hours
    line = report.line("rice")
    assert report.windows_per_message == 1
    assert line.radio_mj.nominal == pytest.approx(expected)


def test_an_hour_costs_the_same_however_long_the_record(
    measured: Measured,
) -> None:
    twice = replace(
        measured,
        slot_s=measured.slot_s * 2,
        slot_samples=measured.slot_samples * 2,
        rows=tuple(
            replace(row, slot_bytes=row.slot_bytes * 2, slot_work=row.slot_work * 2)
            for row in measured.rows
        ),
    )
    for one, two in zip(
        make_report(measured, setting_of()).lines,
        make_report(twice, setting_of()).lines,
        strict=True,
    ):
        assert two.total_mj.nominal == pytest.approx(one.total_mj.nominal)
        assert two.bytes_per_hour == pytest.approx(one.bytes_per_hour)


def test_comparisons_hold_in_every_corner(report: Report, measured: Measured) -> None:
    setting = report.setting
    rows = {row.name: row for row in measured.rows}
    for line in report.lines:
        ours = WayCost(rows[line.name], measured, setting, 1)
        rice = WayCost(rows["rice, lossless"], measured, setting, 1)
        for cpu, radio in itertools.product(CASES, CASES):
            ratio = ours.total_mj(cpu, radio) / rice.total_mj(cpu, radio)
            assert line.against_rice.low <= ratio * 1.000001
            assert line.against_rice.high >= ratio * 0.999999
    assert report.line("rice").against_rice == Band(low=1, nominal=1, high=1)
    assert report.line("lossless").against_lossless == Band(low=1, nominal=1, high=1)


def test_the_papers_encoder_does_not_pay_over_ble(report: Report) -> None:
    """16 M MACs for 2000 samples: some 7 mJ, where raw costs 0.7."""
    paper, raw = report.line("paper"), report.line("raw")
    per_segment = paper.total_mj.nominal / 3600 * 2000 / 300
    assert 2.4 < per_segment < 8.0
    assert paper.total_mj.nominal > raw.total_mj.nominal
    assert paper.against_rice.low > 1
    assert paper.macs_per_window == pytest.approx(PAPER_MACS * 8960 / 2000, rel=0.01)


def test_on_a_cellular_link_nearly_everything_pays(measured: Measured) -> None:
    report = make_report(measured, setting_of(radio="lte_m"))
    assert report.windows_per_message == 121
    assert report.line("neural").against_rice.high < 1
    assert report.line("paper").total_mj.nominal > report.line("neural").total_mj.low


@pytest.mark.parametrize("device", names_of("devices"))
def test_every_device_and_radio_can_be_reported(
    measured: Measured, device: str
) -> None:
    for radio in radios_of(load_device(device)):
        report = make_report(measured, setting_of(device, radio))
        break_even = find_break_even(report, {"edge": 1e6})
        shown = format_report(report, break_even)
        assert "nan" not in shown
        assert device in text.as_json(report_dict(report, break_even))
        per_byte = break_even.macs_per_byte[radio]
        assert per_byte.low < per_byte.nominal < per_byte.high


def test_raw_bits_that_do_not_hold_the_samples_are_left_out(
    tmp_path: Path, edge: Codec
) -> None:
    recording = simulate_ecg(40.0, fs=300.0, n_leads=1, seed=4)
    large = replace(recording, samples=recording.samples * 8)
    write_recording(tmp_path / "large.hea", large)
    measured = measure([tmp_path / "large.hea"], ways_of(edge.windows, (), {}))
    report = make_report(measured, setting_of())
    names = [line.name for line in report.lines]
    assert "raw, 16 bit" in names
    assert "raw, 11 bit" not in names
    assert any(note.startswith("raw, 11 bit, is left out") for note in report.left_out)


def test_messages_of_several_windows_go_around_the_end() -> None:
    assert message_bytes([1, 10, 100], 1).tolist() == [1, 10, 100]
    assert message_bytes([1, 10, 100], 2).tolist() == [11, 110, 101]
    assert message_bytes([1, 10, 100], 7).tolist() == [223, 232, 322]


def test_only_whole_windows_are_measured(tmp_path: Path, edge: Codec) -> None:
    """30 s are one window and 40 samples, which would cost a fifth segment."""
    for seconds, samples in ((30.0, 8960), (40.0, 8960), (60.0, 17_920), (20.0, 6000)):
        path = tmp_path / f"{seconds:g}.hea"
        write_recording(path, simulate_ecg(seconds, fs=300.0, n_leads=1, seed=2))
        measured = measure([path], ways_of(edge.windows, ("gain_64",), {}))
        assert sum(measured.slot_samples) == samples
        n_segments = -(-samples // 2240)
        row = next(row for row in measured.rows if row.name == "gain_64")
        per_segment = read_graph(edge.bundle.networks["encoder"], "encoder").macs(
            [edge.bundle.latents["gain_64"].level_idx]
        )
        assert sum(w.macs for w in row.slot_work) == n_segments * per_segment


def test_leads_share_a_message(tmp_path: Path, edge: Codec) -> None:
    write_recording(tmp_path / "b.hea", simulate_ecg(40.0, n_leads=2, seed=1))
    write_recording(tmp_path / "c.hea", simulate_ecg(40.0, n_leads=1, seed=1))
    ways = ways_of(edge.windows, (), {})
    both = measure([tmp_path / "b.hea"], ways)
    first = measure([tmp_path / "b.hea"], ways, leads=(0,))
    second = measure([tmp_path / "b.hea"], ways, leads=(1,))
    for row, one, two in zip(both.rows, first.rows, second.rows, strict=True):
        if row.kind != "paper":
            sums = [a + b for a, b in zip(one.slot_bytes, two.slot_bytes, strict=True)]
            assert row.slot_bytes == sums
    with pytest.raises(ConfigError, match="as many leads"):
        measure([tmp_path / "b.hea", tmp_path / "c.hea"], ways)
    with pytest.raises(ConfigError, match="--lead must name leads"):
        measure([tmp_path / "c.hea"], ways, leads=(1,))


def test_a_verdict_says_whether_it_is_sure() -> None:
    assert verdict(Band(low=0.2, nominal=0.5, high=0.9)) == (
        "takes 50 % less energy (0.2 to 0.9 times): less, wherever the figures lie"
    )
    assert verdict(Band(low=1.5, nominal=2.0, high=3.0)) == (
        "takes 2 times the energy (1.5 to 3 times): more, wherever the figures lie"
    )
    assert "don't settle" in verdict(Band(low=0.5, nominal=2.0, high=3.0))


def test_numbers_have_three_digits() -> None:
    shown = [number(v) for v in (0.01234, 12.34, 123456.0, 0.0)]
    assert shown == ["0.0123", "12.3", "123,456", "0"]
