# SPDX-License-Identifier: Apache-2.0
"""The shipped profiles are whole and sourced; a bad one is refused in plain words."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from device_sim.figure import CASES, CONFIDENCES, NEEDS_BAND, Figure, Source, read_toml
from device_sim.points import Cpu, Memory, Protocol, Transceiver
from device_sim.profiles import (
    FOLDER,
    Profile,
    load_device,
    load_parts,
    load_radio,
    load_software,
    names_of,
    radios_of,
    transceiver_at,
)
from dynamic_deep.errors import ConfigError

SOURCE = Source(text="a data sheet", date=datetime.date(2026, 11, 27))


def all_profiles() -> list[Profile]:
    devices = [load_device(name) for name in names_of("devices")]
    radios = [load_radio(name) for name in names_of("radios")]
    return [*devices, *radios, load_software(), load_parts()]


def changed(tmp_path: Path, old: str, new: str, name: str = "nrf52840") -> Path:
    text = (FOLDER / "devices" / f"{name}.toml").read_text()
    assert text.count(old) == 1, "the test must change one place"
    path = tmp_path / f"{name}.toml"
    path.write_text(text.replace(old, new))
    return path


def test_the_devices_and_radios_of_the_issue_are_there() -> None:
    wanted = {"nrf52840", "nrf54l15", "apollo4", "esp32s3", "raspberry_pi"}
    assert wanted <= set(names_of("devices"))
    assert {"ble_1m", "ble_2m", "wifi", "lte_m", "nb_iot"} <= set(names_of("radios"))


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.toml")), ids=lambda p: p.stem)
def test_each_figure_has_source_date_and_confidence(path: Path) -> None:
    content = read_toml(path)
    sources = content.pop("sources")
    n_figures = 0
    for table in content.values():
        for figure in (f for f in table.values() if isinstance(f, dict)):
            n_figures += 1
            source = sources[figure["source"]]
            assert source["text"].strip()
            assert source["date"] <= datetime.date(2026, 12, 31)
            assert figure["confidence"] in CONFIDENCES
    assert n_figures > 5


@pytest.mark.parametrize("profile", all_profiles(), ids=lambda p: p.name)
def test_what_is_uncertain_has_a_band(profile: Profile) -> None:
    for name, figure in profile.figures().items():
        if figure.confidence in NEEDS_BAND:
            assert figure.low < figure.high, name


@pytest.mark.parametrize("name", names_of("devices"))
@pytest.mark.parametrize("case", CASES)
def test_devices_load_in_every_case(name: str, case: str) -> None:
    device = load_device(name)
    cpu, memory = device.at("cpu", Cpu, case), device.at("memory", Memory, case)
    assert cpu.clock_mhz >= 32
    assert 0.1 < cpu.macs_per_cycle < 16
    assert memory.firmware_ram_kb < memory.ram_kb
    assert memory.firmware_flash_kb < memory.flash_kb
    for radio in radios_of(device):
        assert transceiver_at(device, load_radio(radio), case).tx_current_ma > 0


def test_at_low_every_figure_is_where_the_energy_is_low() -> None:
    device = load_device("nrf52840")
    low, high = device.at("cpu", Cpu, "low"), device.at("cpu", Cpu, "high")
    assert low.active_current_ma < high.active_current_ma
    assert low.macs_per_cycle > high.macs_per_cycle
    protocol = load_radio("ble_1m")
    low_link = protocol.at("protocol", Protocol, "low")
    high_link = protocol.at("protocol", Protocol, "high")
    assert low_link.poll_interval_s > high_link.poll_interval_s
    assert low_link.loss < high_link.loss


def test_a_ble_packet_is_that_of_the_standard() -> None:
    protocol = load_radio("ble_1m").at("protocol", Protocol, "nominal")
    # preamble 1, access address 4, header 2, L2CAP 4, ATT 3, MIC 4, CRC 3
    assert protocol.packet_overhead_bytes == 1 + 4 + 2 + 4 + 3 + 4 + 3
    assert protocol.payload_bytes == 251 - 4 - 3
    fast = load_radio("ble_2m").at("protocol", Protocol, "nominal")
    assert fast.packet_overhead_bytes == protocol.packet_overhead_bytes + 1
    # an empty packet: preamble, access address, header, CRC
    assert protocol.packet_rx_us == (1 + 4 + 2 + 3) * 8
    assert fast.packet_rx_us == (2 + 4 + 2 + 3) * 8 / 2


def test_a_device_without_the_radio_says_which_it_has() -> None:
    device, radio = load_device("nrf52840"), load_radio("wifi")
    with pytest.raises(ConfigError, match="one of ble_1m, ble_2m, lte_m, nb_iot"):
        transceiver_at(device, radio, "nominal")
    assert transceiver_at(load_device("esp32s3"), radio, "low") == load_device(
        "esp32s3"
    ).at("wifi", Transceiver, "low")


def test_an_unknown_profile_lists_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r"apollo4, esp32s3, nrf52840.*'nrf99'"):
        load_device("nrf99")


def test_a_profile_of_a_user_is_read_by_its_path(tmp_path: Path) -> None:
    path = changed(tmp_path, 'name = "nrf52840"', 'name = "patch"')
    assert load_device(path).name == "patch"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("clock_mhz = ", "clock_ghz = ", "must not hold clock_ghz"),
        ("clock_mhz = { value = 64, ", "clock_mhz = { ", "cpu.clock_mhz must be a tab"),
        ("value = 64,", 'value = "64",', "cpu.clock_mhz must hold numbers"),
        ("value = 64,", "value = nan,", "must be finite"),
        ("value = 64,", "value = -64,", "0 <= low <= value"),
        ("value = 64,", "value = 64, low = 70,", "low <= value"),
        ("value = 64,", "value = 64, unit = 3,", "must not hold unit"),
        ("low = 0.21, high = 0.5, ", "", "must have low and high"),
        ("[memory]", "[memories]", r"must hold a table \[memory\]"),
        ("[device]", "[gadget]", r"must begin with a table \[device\]"),
        ("[cpu]", "[cpu", "must be a TOML file"),
        ("date = 2021-11-01", 'date = "2021"', "source ps must have a text and a date"),
        ("ps = { text", "pz = { text", "names the source 'ps'"),
    ],
)
def test_a_bad_profile_is_refused(
    tmp_path: Path, old: str, new: str, words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        load_device(changed(tmp_path, old, new))


def test_a_missing_figure_is_named(tmp_path: Path) -> None:
    text = (FOLDER / "devices" / "nrf52840.toml").read_text()
    lines = [line for line in text.splitlines() if not line.startswith("ram_kb")]
    path = tmp_path / "a.toml"
    path.write_text("\n".join(lines))
    with pytest.raises(ConfigError, match=r"memory must hold ram_kb"):
        load_device(path)


def test_a_radio_has_a_known_kind(tmp_path: Path) -> None:
    text = (FOLDER / "radios" / "ble_1m.toml").read_text()
    path = tmp_path / "zigbee.toml"
    path.write_text(text.replace('kind = "ble"', 'kind = "zigbee"'))
    with pytest.raises(ConfigError, match="ble, wifi, cellular, got 'zigbee'"):
        load_radio(path)


def test_a_figure_knows_its_words() -> None:
    with pytest.raises(ConfigError, match="specified, measured"):
        Figure(value=1, low=1, high=1, confidence="sure", source=SOURCE)
