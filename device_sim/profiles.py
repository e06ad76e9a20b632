# SPDX-License-Identifier: Apache-2.0
"""Devices, radios, batteries and the cost of code: profiles, one a TOML file.

    profiles/devices/NAME.toml   a microcontroller or gateway, with the radios on it
    profiles/radios/NAME.toml    what a link sends and waits for, maybe with a modem
    profiles/software.toml       instructions of the code around the network
    profiles/parts.toml          batteries and the ECG front end

A profile holds figures (`figure`), and `at` gives plain numbers for one case: every
figure nominal, or each at the end of its band where the energy is low or high.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from device_sim.figure import Case, Figure, figures_of, read_toml, sources_of
from device_sim.points import (
    Battery,
    CodeCost,
    Core,
    Cpu,
    FrontEnd,
    Memory,
    Protocol,
    Transceiver,
)
from dynamic_deep.errors import ConfigError

FOLDER = Path(__file__).parent / "profiles"
RADIO_KINDS = ("ble", "wifi", "cellular")
BATTERIES = ("cr2032", "lipo_150", "lipo_500")

# The more of these, the less energy.
_CHEAPER_HIGH = frozenset(
    {"macs_per_cycle", "payload_bytes", "bitrate_kbps", "poll_interval_s"}
)

PointT = TypeVar("PointT")
Figures = Mapping[str, Figure]


@dataclass(frozen=True, kw_only=True)
class Profile:
    """The figures of a profile, by table and name."""

    name: str
    summary: str
    tables: Mapping[str, Figures]
    kind: str = ""

    def at(self, table: str, form: type[PointT], case: Case) -> PointT:
        """Return one table as plain numbers.

        Raises:
            ConfigError: If the profile lacks the table.
        """
        if table not in self.tables:
            raise ConfigError(
                f"profile {self.name} must have a table [{table}] for this; it has "
                f"{', '.join(self.tables)}"
            )
        return form(**_numbers(self.tables[table], case))

    def figures(self) -> dict[str, Figure]:
        """Return every figure by its full name, `table.name`."""
        return {
            f"{table}.{name}": figure
            for table, figures in self.tables.items()
            for name, figure in figures.items()
        }


def _numbers(figures: Figures, case: Case) -> dict[str, float]:
    return {
        name: figure.at(case, is_costlier_high=name not in _CHEAPER_HIGH)
        for name, figure in figures.items()
    }


def names_of(folder: str) -> list[str]:
    """Return the profiles that are shipped: of "devices" or "radios"."""
    return sorted(path.stem for path in (FOLDER / folder).glob("*.toml"))


def load_device(name_or_path: str | Path) -> Profile:
    """Read a device: tables `cpu`, `memory` and a `ble`, `wifi` for each radio on it.

    Raises:
        ConfigError: If there is none, or a figure is missing or malformed.
    """
    path = _find(name_or_path, "devices")
    forms: dict[str, type] = {"cpu": Cpu, "memory": Memory}
    optional: dict[str, type] = {"ble": Transceiver, "wifi": Transceiver}
    return _profile(path, "device", forms, optional)


def load_radio(name_or_path: str | Path) -> Profile:
    """Read a radio: table `protocol`, and `modem` if it is a part beside the chip.

    Raises:
        ConfigError: If there is none, or a figure is missing or malformed.
    """
    path = _find(name_or_path, "radios")
    radio = _profile(path, "radio", {"protocol": Protocol}, {"modem": Transceiver})
    if radio.kind not in RADIO_KINDS:
        raise ConfigError(
            f"{path.name}: radio.kind must be one of {', '.join(RADIO_KINDS)}, got "
            f"{radio.kind!r}"
        )
    return radio


def load_software() -> Profile:
    """Read what the code around the network costs: cycles are in table `m4_cycles`."""
    forms: dict[str, type] = {"core": Core, "m4_instructions": CodeCost}
    profile = _profile(FOLDER / "software.toml", "software", forms, {})
    core = profile.tables["core"]["cycles_per_instruction"]
    cycles = {
        name: _cycles(count, core)
        for name, count in profile.tables["m4_instructions"].items()
    }
    return replace(profile, tables={**profile.tables, "m4_cycles": cycles})


def _cycles(count: Figure, core: Figure) -> Figure:
    return replace(
        count,
        value=count.value * core.value,
        low=count.low * core.low,
        high=count.high * core.high,
        confidence="estimated",
        note=f"{count.value:g} instructions of {core.value:g} cycles",
    )


def load_parts() -> Profile:
    """Read batteries (tables of the type `Battery`) and front ends (`FrontEnd`)."""
    forms: dict[str, type] = {"max30003": FrontEnd, **dict.fromkeys(BATTERIES, Battery)}
    return _profile(FOLDER / "parts.toml", "parts", forms, {})


def transceiver_at(device: Profile, radio: Profile, case: Case) -> Transceiver:
    """Return the radio hardware that a device sends with, as plain numbers.

    Raises:
        ConfigError: If the device has none of that kind.
    """
    if "modem" in radio.tables:
        return radio.at("modem", Transceiver, case)
    if radio.kind in device.tables:
        return device.at(radio.kind, Transceiver, case)
    raise ConfigError(
        f"the radio of {device.name} must be one of {', '.join(radios_of(device))}; "
        f"got {radio.name}, which it has no transceiver for"
    )


def radios_of(device: Profile) -> list[str]:
    """Return the shipped radios that a device can send with."""
    radios = [load_radio(name) for name in names_of("radios")]
    return [r.name for r in radios if "modem" in r.tables or r.kind in device.tables]


def _find(name_or_path: str | Path, folder: str) -> Path:
    path = Path(name_or_path)
    return path if path.suffix == ".toml" else FOLDER / folder / f"{path.name}.toml"


def _profile(
    path: Path, head: str, forms: dict[str, type], optional: dict[str, type]
) -> Profile:
    content = read_toml(path)
    about = content.pop(head, None)
    if not isinstance(about, dict) or not {"name", "summary"} <= set(about):
        raise ConfigError(
            f"{path.name} must begin with a table [{head}] of name and summary"
        )
    sources = sources_of(content, path.name)
    content.pop("sources", None)
    tables: dict[str, Figures] = {}
    for name, form in (forms | optional).items():
        if name in content:
            where = f"{path.name}: {name}"
            tables[name] = figures_of(_table(content, name), form, sources, where)
        elif name in forms:
            raise ConfigError(f"{path.name} must hold a table [{name}]; add it")
    if unknown := sorted(set(content) - set(tables)):
        raise ConfigError(f"{path.name} must not hold {', '.join(unknown)}")
    return Profile(
        name=str(about["name"]),
        summary=str(about["summary"]),
        tables=tables,
        kind=str(about.get("kind", "")),
    )


def _table(content: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    table = content[name]
    if not isinstance(table, dict):
        raise ConfigError(f"[{name}] must be a table of figures, got {table!r}")
    return table
