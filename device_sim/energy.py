# SPDX-License-Identifier: Apache-2.0
"""Energy of computing, of sending and of waiting: pure functions of a device's figures.

Millijoules, seconds and bytes throughout. `mA V = mW`, `mW s = mJ`, `mW / MHz = nJ` a
cycle. What a device draws while it sleeps is counted all the time; what it draws more
while it works comes on top.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from device_sim.points import Battery, Cpu, FrontEnd, Protocol, Transceiver
from dynamic_deep.errors import ConfigError

SECONDS_PER_HOUR = 3600.0
HOURS_PER_DAY = 24.0


@dataclass(frozen=True, kw_only=True)
class Link:
    """A device's side of a link: all that sending costs it."""

    cpu: Cpu
    radio: Transceiver
    protocol: Protocol


@dataclass(frozen=True, kw_only=True)
class Message:
    """What sending a message costs on average.

    Attributes:
        n_packets: packets, each counted once.
        airtime_s: sending and listening, repeated packets included.
        radio_mj: energy of the radio, and of the processor for its stack.
    """

    n_packets: int
    airtime_s: float
    radio_mj: float


def cycle_nj(cpu: Cpu) -> float:
    """Return the energy of one cycle, nJ."""
    return cpu.supply_v * cpu.active_current_ma / cpu.clock_mhz


def n_cycles(cpu: Cpu, *, macs: float = 0.0, m4_cycles: float = 0.0) -> float:
    """Return the cycles of a network and of other code.

    Args:
        cpu: the processor.
        macs: int8 multiply-accumulates of a network.
        m4_cycles: of other code, as a Cortex-M4 would need.
    """
    return macs / cpu.macs_per_cycle + m4_cycles * cpu.cycles_per_m4_cycle


def compute_mj(cpu: Cpu, *, macs: float = 0.0, m4_cycles: float = 0.0) -> float:
    """Return the energy of a network and of other code; see `n_cycles`."""
    return n_cycles(cpu, macs=macs, m4_cycles=m4_cycles) * cycle_nj(cpu) * 1e-6


def compute_s(cpu: Cpu, *, macs: float = 0.0, m4_cycles: float = 0.0) -> float:
    """Return the time of a network and of other code; see `n_cycles`."""
    return n_cycles(cpu, macs=macs, m4_cycles=m4_cycles) / (cpu.clock_mhz * 1e6)


def n_packets(protocol: Protocol, n_bytes: int) -> int:
    """Return how many packets carry a message of `n_bytes`, overhead included.

    Raises:
        ConfigError: If `n_bytes` is negative.
    """
    if n_bytes < 0:
        raise ConfigError(f"a message must have 0 bytes or more, got {n_bytes}")
    return math.ceil(n_bytes / int(protocol.payload_bytes))


def bytes_s(protocol: Protocol, n_bytes: float) -> float:
    """Return the air time of bytes."""
    return 8e-3 * n_bytes / protocol.bitrate_kbps


def packet_mj(link: Link, tx_s: float) -> float:
    """Return the energy of one packet of an air time, acknowledgement included."""
    radio, protocol = link.radio, link.protocol
    listening = protocol.packet_rx_us * radio.rx_current_ma
    waiting = protocol.packet_wait_us * radio.wait_current_ma
    radio_mj = radio.supply_v * (
        tx_s * radio.tx_current_ma + 1e-6 * (listening + waiting)
    )
    return radio_mj + compute_mj(link.cpu, m4_cycles=protocol.stack_cycles_per_packet)


def packet_s(protocol: Protocol, tx_s: float) -> float:
    """Return the time that one packet takes, acknowledgement included."""
    return tx_s + 1e-6 * (protocol.packet_rx_us + protocol.packet_wait_us)


def session_mj(link: Link) -> float:
    """Return the energy around the packets of a message: before, after, its reply."""
    radio, protocol = link.radio, link.protocol
    reply = protocol.packet_overhead_bytes + protocol.reply_bytes
    reply_mj = radio.supply_v * radio.rx_current_ma * bytes_s(protocol, reply)
    return radio.setup_mj + radio.tail_mj + reply_mj


def message(link: Link, frame_bytes: int) -> Message:
    """Return what sending frames as one message costs on average.

    Args:
        link: the device's side.
        frame_bytes: of all frames; the message's own bytes come on top. Without any
            nothing is sent.
    """
    if frame_bytes == 0:
        return Message(n_packets=0, airtime_s=0.0, radio_mj=0.0)
    protocol = link.protocol
    n_bytes = frame_bytes + int(protocol.message_overhead_bytes)
    count = n_packets(protocol, n_bytes)
    tries = 1.0 / (1.0 - protocol.loss)
    tx_s = bytes_s(protocol, n_bytes + count * protocol.packet_overhead_bytes)
    # Energy and time of a packet are linear in its air time: the mean packet will do.
    return Message(
        n_packets=count,
        airtime_s=tries * count * packet_s(protocol, tx_s / count),
        radio_mj=session_mj(link) + tries * count * packet_mj(link, tx_s / count),
    )


def marginal_mj_per_byte(link: Link) -> float:
    """Return what one more byte of a long message costs: full packets, no session."""
    protocol = link.protocol
    payload = int(protocol.payload_bytes)
    tx_s = bytes_s(protocol, payload + protocol.packet_overhead_bytes)
    return packet_mj(link, tx_s) / (1.0 - protocol.loss) / payload


def standby_mj(link: Link, front_end: FrontEnd, *, hours: float, n_leads: int) -> float:
    """Return what runs whatever is sent: sleep, front end, keeping the link alive.

    Args:
        link: the device's side.
        front_end: of each lead.
        hours: how long.
        n_leads: leads that are measured.
    """
    cpu, radio, protocol = link.cpu, link.radio, link.protocol
    seconds = hours * SECONDS_PER_HOUR
    steady_mw = (
        1e-3 * cpu.sleep_current_ua * cpu.supply_v
        + 1e-3 * radio.floor_current_ua * radio.supply_v
        + 1e-3 * front_end.power_uw * n_leads
    )
    if protocol.poll_interval_s == 0:
        return steady_mw * seconds
    poll_mj = poll_event_mj(link)
    return steady_mw * seconds + poll_mj * seconds / protocol.poll_interval_s


def poll_event_mj(link: Link) -> float:
    """Return the energy of keeping the link alive once."""
    radio, protocol = link.radio, link.protocol
    charge = (
        protocol.poll_rx_us * radio.rx_current_ma
        + protocol.poll_tx_us * radio.tx_current_ma
        + (protocol.packet_wait_us / 2 if protocol.poll_tx_us else 0.0)
        * radio.wait_current_ma
    )
    return radio.setup_mj + 1e-6 * charge * radio.supply_v


def battery_mj(battery: Battery) -> float:
    """Return what a battery holds."""
    return battery.capacity_mah * battery.voltage_v * SECONDS_PER_HOUR


def battery_days(battery: Battery, mj_per_hour: float) -> float:
    """Return how long a battery lasts.

    Raises:
        ConfigError: If nothing is drawn.
    """
    if mj_per_hour <= 0:
        raise ConfigError(f"a device must draw energy, got {mj_per_hour:g} mJ an hour")
    return battery_mj(battery) / mj_per_hour / HOURS_PER_DAY


def break_even_macs(link: Link, bytes_saved: float, *, m4_cycles: float = 0.0) -> float:
    """Return the multiply-accumulates that saving bytes pays for.

    Args:
        link: the device's side.
        bytes_saved: that are not sent, of long messages.
        m4_cycles: of other code that saving them takes.

    Returns:
        MACs at which computing and sending cost the same; 0 if the other code alone
        costs more than the bytes.
    """
    budget_mj = bytes_saved * marginal_mj_per_byte(link)
    budget_mj -= compute_mj(link.cpu, m4_cycles=m4_cycles)
    return max(0.0, budget_mj / compute_mj(link.cpu, macs=1.0))
