# SPDX-License-Identifier: Apache-2.0
"""A run from its options to its summary: folder, broker, fleet, check, files."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from device_sim.device_costs import DeviceCosts
from device_sim.device_parts import DevicePlan
from device_sim.device_session import EncoderSetup
from device_sim.energy import Link
from device_sim.fleet import Fleet, FleetParts, Progress
from device_sim.fleet_broker import BrokerChoice, Station, open_station
from device_sim.fleet_check import Arrivals, compare
from device_sim.fleet_flow import FleetFlow
from device_sim.fleet_gate import GatedOutbox
from device_sim.fleet_options import FleetOptions
from device_sim.link import link_of
from device_sim.mqtt_uplink import MqttUplink
from device_sim.points import Protocol
from device_sim.profiles import load_device, load_radio
from device_sim.sensor import RecordShelf
from device_sim.summary import RealCosts, RunSummary
from device_sim.trace import open_trace
from dynamic_deep.codec import Codec
from dynamic_deep.config import MODEL_FS, WINDOW_LEN
from dynamic_deep.errors import ConfigError
from dynamic_deep.peak_memory import peak_memory_bytes
from dynamic_deep.policy import Policy
from dynamic_deep.recording import PendingFile

DEFAULT_PATIENCE_S = 120.0
OUTBOX = "outbox.sqlite"


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a run needs beside the fleet's options.

    Attributes:
        out: folder for everything that the run writes.
        resume: go on in it, after a run that was interrupted.
        codec: of the bundle.
        policy: chooses the level of each window.
        max_error_uv: bound on the error of every sample, for near_lossless.
        device: profile of the device.
        radio: profile of the radio.
        broker: which broker.
        patience_s: real seconds without any progress after which the run gives up.
    """

    out: Path
    resume: bool = False
    codec: Codec
    policy: Policy
    max_error_uv: float | None = None
    device: str = "nrf52840"
    radio: str = "ble_1m"
    broker: BrokerChoice
    patience_s: float = DEFAULT_PATIENCE_S


def run_fleet(
    options: FleetOptions, request: Request, progress: Progress | None = None
) -> RunSummary:
    """Run a fleet, check what came, and write trace and summary.

    Args:
        options: the fleet.
        request: everything else.
        progress: called with simulated seconds done and in all.

    Raises:
        ConfigError: If something contradicts, is missing, or the folder is in use.
        UplinkStalledError: If broker or receiver take nothing any more.
    """
    link = link_of(load_device(request.device), load_radio(request.radio))
    plan = _plan(options, request, link)
    number = _prepare(request)
    suffix = "" if number == 1 else f"-{number}"
    with contextlib.ExitStack() as stack:
        station = stack.enter_context(
            open_station(request.broker, options.names, request.out)
        )
        trace = open_trace(options.trace, request.out, f"trace{suffix}")
        stack.callback(trace.discard)
        outbox = stack.enter_context(GatedOutbox(request.out / OUTBOX))
        uplink = MqttUplink(outbox, station.address, station.logins)
        stack.enter_context(uplink)
        flow = FleetFlow(outbox, uplink, options.names, patience_s=request.patience_s)
        began_s, began_cpu_s = time.monotonic(), time.process_time()
        fleet = Fleet(
            options,
            RecordShelf(options.records, options.leads),
            FleetParts(
                plan=plan,
                link=link,
                keys=[login.keys for login in station.logins],
                outbox=outbox,
                flow=flow,
                trace=trace,
            ),
        )
        fleet.run(progress)
        took = RealCosts(
            took_s=time.monotonic() - began_s,
            cpu_s=time.process_time() - began_cpu_s,
            waited_s=flow.waited_s,
            memory_mb=peak_memory_bytes() / 1e6,
            connections=uplink.counts,
            n_waiting=outbox.n_messages,
        )
        trace.close()
        summary = RunSummary(
            request=_described(request, plan.encoder),
            fleet=fleet,
            costs=plan.costs,
            real=took,
            arrivals=_arrivals(station, fleet),
        )
    _write_json(request.out / f"summary{suffix}.json", summary)
    return summary


def _arrivals(station: Station, fleet: Fleet) -> Arrivals | None:
    if station.receiver is None:
        return None
    return compare(station.receiver.finish(), fleet.devices)


def _plan(options: FleetOptions, request: Request, link: Link) -> DevicePlan:
    setup = encoder_setup(options, request, link.protocol)
    return DevicePlan(
        encoder=setup,
        costs=DeviceCosts(setup, link),
        start_time=options.start_time,
        end_s=options.end_s,
        ring_s=options.ring_s,
        outbox_limit=round(1024 * options.outbox_kb),
    )


def encoder_setup(
    options: FleetOptions, request: Request, protocol: Protocol
) -> EncoderSetup:
    """Return how the devices encode.

    Unless told otherwise they send as often as the radio's profile says.
    """
    n_frames = options.n_frames
    if n_frames is None:
        window_s = WINDOW_LEN / MODEL_FS
        n_windows = max(1, round(protocol.upload_interval_s / window_s))
        n_frames = n_windows * len(options.leads)
    return EncoderSetup(
        codec=request.codec,
        policy=request.policy,
        max_error_uv=request.max_error_uv,
        session_s=options.session_s,
        n_frames=n_frames,
    )


def _prepare(request: Request) -> int:
    """Make the folder, or look into it; return which run in it this is."""
    out = request.out
    has_run = (out / OUTBOX).is_file()
    if has_run and not request.resume:
        raise ConfigError(
            f"the folder of a run must be new, {out} has one already; go on in it with "
            "--resume, or choose another by --out"
        )
    if request.resume and not has_run:
        raise ConfigError(
            f"a run that goes on must have begun, {out} holds none; leave --resume out"
        )
    out.mkdir(parents=True, exist_ok=True)
    started = out / "runs"
    number = int(started.read_text()) + 1 if started.is_file() else 1
    for left in out.glob(".*.part"):  # of a run that was killed
        left.unlink()
    started.write_text(f"{number}\n")
    return number


def _described(request: Request, setup: EncoderSetup) -> dict[str, object]:
    return {
        "bundle": request.codec.bundle.name,
        "precision": request.codec.windows.precision,
        "model_id": request.codec.model_id.hex(),
        "policy": repr(request.policy),
        "device": request.device,
        "radio": request.radio,
        "broker": request.broker.name,
        "n_frames": setup.n_frames,
    }


def _write_json(path: Path, summary: RunSummary) -> None:
    with _whole(path) as pending:
        text = json.dumps(summary.as_dict(), indent=2, sort_keys=True)
        pending.stream.write(text.encode() + b"\n")


@contextlib.contextmanager
def _whole(path: Path) -> Iterator[PendingFile]:
    pending = PendingFile(path)
    try:
        yield pending
        pending.commit()
    finally:
        pending.discard()
