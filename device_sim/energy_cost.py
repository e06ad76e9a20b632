# SPDX-License-Identifier: Apache-2.0
"""What one way to send costs a device: its measured bytes and counted work, priced."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np

from device_sim.energy import compute_mj, compute_s, message, standby_mj
from device_sim.energy_measure import Measured, Row
from device_sim.energy_setting import Band, Setting
from device_sim.figure import CASES, Case
from device_sim.points import FrontEnd, Protocol
from device_sim.workload import Work

PART_NAMES = {
    "macs": "encoder",
    "head_macs": "heads",
    "resample_taps": "resampling",
    "scaled": "scaling",
    "transformed": "wavelet transform",
    "quantized": "quantising",
    "context_macs": "contexts",
    "symbols": "symbols of latents",
    "coefficients": "coefficients of wavelets",
    "packed_bytes": "packing",
    "sealed_bytes": "sealing",
}


def standby_hour_mj(setting: Setting, measured: Measured, case: Case) -> float:
    """Return what runs whatever is sent, an hour, taking in the samples included."""
    front_end = setting.parts.at(setting.front_end, FrontEnd, case)
    link = setting.link(case, case)
    acquired = Work(acquired=sum(measured.slot_samples) / measured.hours)
    m4_cycles = acquired.m4_cycles(setting.code(case))
    sampling_mj = compute_mj(link.cpu, m4_cycles=m4_cycles)
    return sampling_mj + standby_mj(
        link, front_end, hours=1.0, n_leads=measured.n_leads
    )


class WayCost:
    """Energy of one way, by the case of the figures. Energies are of an hour of signal.

    Args:
        row: the way, over all windows.
        measured: what the row belongs to.
        setting: the device.
        per_message: windows of each lead that go as one message.
    """

    def __init__(
        self, row: Row, measured: Measured, setting: Setting, per_message: int
    ) -> None:
        """Sum up."""
        self.row, self.measured, self.setting = row, measured, setting
        self.work = sum(row.slot_work, Work())
        self.n_slots = len(row.slot_bytes)
        self.per_hour = self.n_slots / measured.hours
        self._messages = message_bytes(row.slot_bytes, per_message)
        self._messages_per_hour = self.per_hour / per_message

    def _window_work(self, case: Case) -> tuple[float, float]:
        """Return the multiply-accumulates and other cycles of an hour."""
        overhead = self.setting.radio.at(
            "protocol", Protocol, case
        ).message_overhead_bytes
        sealed = float(self._messages.mean() + overhead) * self._messages_per_hour
        cycles = self.work.m4_cycles(self.setting.code(case)) / self.measured.hours
        cycles += Work(sealed_bytes=sealed).m4_cycles(self.setting.code(case))
        return self.work.macs / self.measured.hours, cycles

    def compute_mj(self, case: Case) -> float:
        """Return the energy of the processor for coding and sealing."""
        macs, cycles = self._window_work(case)
        cpu = self.setting.link(case, case).cpu
        return compute_mj(cpu, macs=macs, m4_cycles=cycles)

    def parts_mj(self) -> dict[str, float]:
        """Return the nominal energy of each kind of work, largest first."""
        cpu = self.setting.link("nominal", "nominal").cpu
        code = self.setting.code("nominal")
        found = {}
        for part in dataclasses.fields(Work):
            alone = Work(**{part.name: getattr(self.work, part.name)})
            cycles = alone.m4_cycles(code)
            total = compute_mj(cpu, macs=alone.macs, m4_cycles=cycles)
            found[PART_NAMES.get(part.name, part.name)] = total / self.measured.hours
        sizes = sorted(found.items(), key=lambda item: -item[1])
        return {name: energy_mj for name, energy_mj in sizes if energy_mj > 0}

    def window_ms(self, case: Case) -> float:
        """Return how long the processor works for one window of every lead."""
        macs, cycles = self._window_work(case)
        cpu = self.setting.link(case, case).cpu
        return 1e3 * compute_s(cpu, macs=macs, m4_cycles=cycles) / self.per_hour

    def radio_mj(self, cpu: Case, radio: Case) -> float:
        """Return the energy of sending."""
        link = self.setting.link(cpu, radio)
        sizes, counts = np.unique(self._messages, return_counts=True)
        energies = [message(link, int(size)).radio_mj for size in sizes]
        return float(np.average(energies, weights=counts)) * self._messages_per_hour

    def total_mj(self, cpu: Case, radio: Case) -> float:
        """Return both."""
        return self.compute_mj(cpu) + self.radio_mj(cpu, radio)

    def against(self, other: WayCost) -> Band:
        """Return the total over another's, over all corners."""
        corners = [
            self.total_mj(cpu, radio) / other.total_mj(cpu, radio)
            for cpu, radio in itertools.product(CASES, CASES)
        ]
        nominal = self.total_mj("nominal", "nominal")
        nominal /= other.total_mj("nominal", "nominal")
        return Band(low=min(corners), nominal=nominal, high=max(corners))


def message_bytes(slot_bytes: list[int], per_message: int) -> np.ndarray:
    """Return the frame bytes of every run of so many slots, going around the end.

    So that records shorter than a message stand for one long one.
    """
    sizes = np.asarray(slot_bytes, np.int64)
    whole, rest = divmod(per_message, len(sizes))
    runs = np.concatenate([sizes, sizes])
    sums = np.concatenate([[0], np.cumsum(runs)])
    starts = np.arange(len(sizes))
    return whole * sizes.sum() + sums[starts + rest] - sums[starts]
