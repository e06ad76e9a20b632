# SPDX-License-Identifier: Apache-2.0
"""Estimates what storing and computing emit in a year. Not the network, nor devices.

Operational emissions by the grid's mean; what it took to build the machines is left
out. The figures per vCPU and terabyte are estimates of a third party.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from costmodel.bill import Scenario, compute_s_per_year, stored_bytes_per_year
from costmodel.models import Model
from costmodel.sources import Source, read_sources
from costmodel.toml_table import Table
from costmodel.units import GIB, HOURS_PER_YEAR
from dynamic_deep.errors import ConfigError

PATH = Path(__file__).parent / "carbon.toml"
TB = 10**12  # bytes


@dataclass(frozen=True, kw_only=True)
class CarbonFactors:
    """What services need, and what a kWh emits.

    Attributes:
        vcpu_w: of a vCPU at full load, W.
        memory_w_per_gib: of memory, W.
        storage_wh_per_tb_hour: of a terabyte for an hour, Wh.
        n_copies: that a store keeps.
        overhead_factor: of the data centre, energy in over energy used (PUE).
        g_per_kwh: by region, g CO2e a kWh.
        sources: by what they are of.
    """

    vcpu_w: float
    memory_w_per_gib: float
    storage_wh_per_tb_hour: float
    n_copies: float
    overhead_factor: float
    g_per_kwh: Mapping[str, float]
    sources: Mapping[str, Source]

    def kg_per_year(self, model: Model, scenario: Scenario, region: str) -> float:
        """Return what a model emits in a year, kg CO2e.

        Raises:
            ConfigError: If the region is unknown.
        """
        if region not in self.g_per_kwh:
            raise ConfigError(
                f"region must be one of {', '.join(self.g_per_kwh)}, got {region!r}"
            )
        return self.kwh_per_year(model, scenario) * self.g_per_kwh[region] / 1000

    def kwh_per_year(self, model: Model, scenario: Scenario) -> float:
        """Return the energy that a model needs in a year, kWh."""
        machine = scenario.prices.machine
        hours = math.fsum(compute_s_per_year(model, scenario)) / 3600
        watts = machine.n_vcpus * self.vcpu_w
        watts += machine.memory_bytes / GIB * self.memory_w_per_gib
        held = math.fsum(stay.held_years for stay in scenario.stays())
        tb_hours = stored_bytes_per_year(model, scenario) * held * HOURS_PER_YEAR / TB
        storage_wh = tb_hours * self.storage_wh_per_tb_hour * self.n_copies
        return (hours * watts + storage_wh) * self.overhead_factor / 1000


def load_carbon(path: Path = PATH) -> CarbonFactors:
    """Read and check the factors.

    Raises:
        ConfigError: If the file is not in order.
    """
    file = Table.read(path)
    known = read_sources(file.table("sources"))
    energy, regions = file.table("energy"), file.table("regions")
    grid = regions.table("g_per_kwh")
    names = tuple(known)
    factors = CarbonFactors(
        vcpu_w=energy.number("vcpu_w"),
        memory_w_per_gib=energy.number("memory_w_per_gib"),
        storage_wh_per_tb_hour=energy.number("storage_wh_per_tb_hour"),
        n_copies=energy.number("n_copies", 1.0),
        overhead_factor=energy.number("overhead_factor", 1.0),
        g_per_kwh={name: grid.number(name) for name in grid.names()},
        sources={
            "energy": known[energy.one_of("source", names)],
            "regions": known[regions.one_of("source", names)],
        },
    )
    for table in (energy, regions, file):
        table.finish()
    return factors
