# SPDX-License-Identifier: Apache-2.0
"""The counts in profiles/software.toml are those of the firmware as it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from device_sim import m4_count
from device_sim.figure import Figure
from device_sim.m4_data import encoder_layers
from device_sim.network_macs import read_graph
from device_sim.profiles import load_device, load_software
from dynamic_deep.bundle import load_bundle
from dynamic_deep.errors import ConfigError
from dynamic_deep.firmware.exporter import export_firmware

RECORDS = ("cinc2017/A00001.hea", "cinc2017/A00004.hea", "mitdb/100.hea")


@pytest.fixture(scope="module")
def firmware(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export") / "edge"
    export_firmware(load_bundle("edge"), folder)
    return folder


@pytest.fixture(scope="module")
def counts(firmware: Path, data_dir: Path) -> dict[str, float]:
    if not m4_count.is_available():
        pytest.skip("needs gcc-arm-none-eabi, libnewlib-arm-none-eabi, qemu-system-arm")
    return m4_count.count(firmware, [data_dir / name for name in RECORDS])


def measured_figures() -> dict[str, Figure]:
    figures = load_software().tables["m4_instructions"]
    return {name: f for name, f in figures.items() if f.confidence == "measured"}


def test_the_profile_holds_what_is_counted(counts: dict[str, float]) -> None:
    figures = measured_figures()
    assert len(figures) >= 10
    for name, figure in figures.items():
        assert counts[name] == pytest.approx(figure.value, rel=0.05), name


def test_the_encoder_runs_as_fast_as_the_profile_says(
    counts: dict[str, float],
) -> None:
    """Within the band, at as many cycles an instruction as code has, or fewer."""
    figure = load_device("nrf52840").tables["cpu"]["macs_per_cycle"]
    core = load_software().tables["core"]["cycles_per_instruction"]
    slowest = counts["macs_per_instruction"] / core.high
    assert figure.low < slowest < figure.value
    assert figure.value < counts["macs_per_instruction"] < figure.high


def test_the_layers_that_are_counted_are_the_encoders() -> None:
    content = load_bundle("edge").networks["encoder"]
    macs = [
        steps * n_out * kernel * (1 if is_single else n_in)
        for n_in, n_out, kernel, _, steps, is_single in encoder_layers(content)
    ]
    graph = read_graph(content, "encoder")
    assert macs == [step.macs for step in graph.steps if step.macs]


def test_a_folder_without_firmware_is_refused(tmp_path: Path) -> None:
    if not m4_count.is_available():
        pytest.skip("needs gcc-arm-none-eabi, libnewlib-arm-none-eabi, qemu-system-arm")
    record = tmp_path / "none.hea"
    with pytest.raises(ConfigError, match="lacks dd_context"):
        m4_count.firmware_sources(tmp_path)
    assert m4_count.main([str(tmp_path), "--records", str(record)]) == 1
