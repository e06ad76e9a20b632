# SPDX-License-Identifier: Apache-2.0
"""What a device, a radio and a piece of code cost, as plain numbers.

Each is one table of a profile (`profiles`) at one case of its figures.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Cpu:
    """What the processor costs.

    Attributes:
        supply_v: supply.
        clock_mhz: clock while it computes.
        active_current_ma: current while it computes, from the supply.
        macs_per_cycle: int8 multiply-accumulates of a convolution a cycle.
        cycles_per_m4_cycle: of other code, against a Cortex-M4.
        sleep_current_ua: current while it waits, RAM kept and a timer running.
    """

    supply_v: float
    clock_mhz: float
    active_current_ma: float
    macs_per_cycle: float
    cycles_per_m4_cycle: float
    sleep_current_ua: float


@dataclass(frozen=True, kw_only=True)
class Memory:
    """What memory there is, and what the rest of a firmware takes of it.

    Attributes:
        flash_kb: program memory, KiB.
        ram_kb: RAM, KiB.
        firmware_flash_kb: system, radio stack and interpreter, KiB.
        firmware_ram_kb: the same of RAM.
    """

    flash_kb: float
    ram_kb: float
    firmware_flash_kb: float
    firmware_ram_kb: float


@dataclass(frozen=True, kw_only=True)
class Transceiver:
    """The radio hardware.

    Attributes:
        supply_v: supply.
        tx_current_ma: current while it sends.
        rx_current_ma: current while it listens.
        wait_current_ma: current between packets.
        setup_mj: energy to get ready to send: wake the radio, or reconnect.
        tail_mj: energy after the last packet until it may sleep.
        floor_current_ua: current that it draws all the time, beside the processor.
    """

    supply_v: float
    tx_current_ma: float
    rx_current_ma: float
    wait_current_ma: float
    setup_mj: float
    tail_mj: float
    floor_current_ua: float


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """What goes over the air.

    Attributes:
        payload_bytes: the most that one packet carries of a message.
        packet_overhead_bytes: what a packet has besides, in bytes of air time.
        bitrate_kbps: of the air.
        packet_rx_us: listening for each packet: its acknowledgement.
        packet_wait_us: gaps for each packet.
        stack_cycles_per_packet: of the processor, in cycles of a Cortex-M4.
        loss: share of packets that have to be sent again.
        latency_ms: from the last bit to the receiver's hands.
        setup_s: how long getting ready takes.
        message_overhead_bytes: what a message has beside its frames.
        reply_bytes: what comes back for each message.
        poll_interval_s: how often the link is kept alive; 0 for never.
        poll_rx_us: listening for it.
        poll_tx_us: sending for it.
        upload_interval_s: how often a message is sent.
    """

    payload_bytes: float
    packet_overhead_bytes: float
    bitrate_kbps: float
    packet_rx_us: float
    packet_wait_us: float
    stack_cycles_per_packet: float
    loss: float
    latency_ms: float
    setup_s: float
    message_overhead_bytes: float
    reply_bytes: float
    poll_interval_s: float
    poll_rx_us: float
    poll_tx_us: float
    upload_interval_s: float


@dataclass(frozen=True, kw_only=True)
class CodeCost:
    """What the code around the network costs a Cortex-M4.

    Attributes:
        acquire_per_sample: from the front end to the ring buffer.
        resample_per_tap: of a polyphase filter.
        scale_per_sample: mean, deviation, int8.
        wavelet_per_sample: six octaves, per sample of the window.
        quantize_per_value: a latent value.
        context_per_mac: of the integer context model.
        symbol: of a latent through the range coder.
        coefficient: of a wavelet, quantised and through the range coder.
        lossless_per_sample: level `lossless`, all of it.
        rice_per_sample: the light lossless coder.
        pack_per_byte: of samples sent as they are.
        seal_per_byte: AES-256-GCM.
        head_per_mac: of the error heads, in float.
    """

    acquire_per_sample: float
    resample_per_tap: float
    scale_per_sample: float
    wavelet_per_sample: float
    quantize_per_value: float
    context_per_mac: float
    symbol: float
    coefficient: float
    lossless_per_sample: float
    rice_per_sample: float
    pack_per_byte: float
    seal_per_byte: float
    head_per_mac: float


@dataclass(frozen=True, kw_only=True)
class Core:
    """The Cortex-M4 that code is counted for.

    Attributes:
        cycles_per_instruction: of compiled code, flash and branches included.
    """

    cycles_per_instruction: float


@dataclass(frozen=True, kw_only=True)
class Battery:
    """A battery.

    Attributes:
        capacity_mah: what it gives at the device's currents.
        voltage_v: mean, under load.
    """

    capacity_mah: float
    voltage_v: float


@dataclass(frozen=True, kw_only=True)
class FrontEnd:
    """The amplifier and converter that measure the ECG.

    Attributes:
        power_uw: of one lead, all the time.
    """

    power_uw: float
