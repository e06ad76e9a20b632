# SPDX-License-Identifier: Apache-2.0
"""The options of `run`, and the types of their values."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any

from dynamic_deep.cli.options import count, lead_numbers, not_negative, positive

DEFAULT_BUNDLE = "edge"


def duration(text: str) -> float:
    """Return the seconds of a duration such as 10min, for argparse."""
    from device_sim.fleet_link import seconds_of
    from dynamic_deep.errors import ConfigError

    try:
        return seconds_of(text)
    except ConfigError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def outage(text: str) -> Any:
    """Return the outage of START+LENGTH, for argparse."""
    from device_sim.fleet_link import outage_of
    from dynamic_deep.errors import ConfigError

    try:
        return outage_of(text)
    except ConfigError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def speed(text: str) -> float:
    """Return how many simulated seconds pass in a real one, for argparse."""
    return math.inf if text == "max" else positive(text)


def moment(text: str) -> Any:
    """Return a time with its zone, for argparse."""
    from datetime import datetime

    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise argparse.ArgumentTypeError(
            f"must be a time with its zone such as 2026-01-01T00:00:00Z, got {text}"
        )
    return found


def add_fleet(parser: Any) -> None:
    """Add what the devices are."""
    group = parser.add_argument_group("the devices")
    group.add_argument("--devices", type=count, default=50, metavar="N", help="(50)")
    group.add_argument(
        "--hours", type=positive, default=24.0, metavar="H", help="simulated (24)"
    )
    group.add_argument(
        "--speed",
        type=speed,
        default=math.inf,
        metavar="max|X",
        help="simulated seconds in a real one; 1 is real time (default max)",
    )
    group.add_argument(
        "--lead",
        type=lead_numbers,
        default=(0,),
        metavar="N,...",
        help="which leads of a record to measure, from 0 (default 0)",
    )
    group.add_argument(
        "--once", action="store_true", help="stop at a record's end; else begin again"
    )
    group.add_argument(
        "--gap",
        type=duration,
        default=0.0,
        metavar="TIME",
        help="measure nothing for so long before a record begins again (default 0)",
    )
    group.add_argument(
        "--ring",
        type=duration,
        default=60.0,
        metavar="TIME",
        help="signal that the ring buffer holds (default 60s)",
    )
    group.add_argument(
        "--outbox-kb",
        type=positive,
        default=512.0,
        metavar="KIB",
        help="of a device, for what is not yet acknowledged (default 512)",
    )
    group.add_argument(
        "--seed", type=int, default=0, metavar="N", help="of all chance (default 0)"
    )
    group.add_argument(
        "--start",
        type=moment,
        metavar="TIME",
        help="when the simulation begins (default 2026-01-01T00:00:00Z)",
    )
    group.add_argument("--prefix", default="dev", help="of the devices' ids (dev)")


def add_coding(parser: Any) -> None:
    """Add how they encode."""
    from dynamic_deep.cli.bounds import (
        UNITS,
        add_bound,
        add_choice,
        add_risk,
        add_sum,
    )
    from dynamic_deep.cli.options import add_bundle

    group = parser.add_argument_group("how they encode")
    add_bundle(group, DEFAULT_BUNDLE)
    group.add_argument(
        "--precision",
        choices=("auto", "float", "int8"),
        default="auto",
        help="of the encoder (default auto: int8 if the bundle has it)",
    )
    group.add_argument("--level", metavar="NAME", help="of every window (gain_64)")
    group.add_argument(
        "--max-error-uv", type=not_negative, metavar="UV", help="for near_lossless"
    )
    add_bound(group, f"let each device choose by its error heads ({UNITS})")
    add_sum(group)
    add_risk(group, "the share of windows that may break the bound")
    add_choice(group)
    parser.set_defaults(check=False, max_prdn=None)


def add_sending(parser: Any) -> None:
    """Add how they send."""
    group = parser.add_argument_group("how they send")
    group.add_argument(
        "--profile", default="nrf52840", metavar="NAME|FILE", help="device (nrf52840)"
    )
    group.add_argument(
        "--radio", default="ble_1m", metavar="NAME|FILE", help="radio (ble_1m)"
    )
    group.add_argument(
        "--frames",
        type=count,
        metavar="N",
        help="of a message (default: as often as the radio's profile says)",
    )
    group.add_argument(
        "--session",
        type=duration,
        default=3600.0,
        metavar="TIME",
        help="the longest session, of signal: a file in the cloud (default 1h)",
    )
    group.add_argument(
        "--broker",
        default="embedded",
        metavar="embedded|mosquitto|URL",
        help="the run's own, with a receiver that checks what comes, or "
        "mqtts://HOST:PORT (default embedded)",
    )
    group.add_argument("--ca", type=Path, metavar="FILE", help="trusted by mqtts://")
    group.add_argument(
        "--keys", type=Path, metavar="DIR", help="made by `python -m device_sim keys`"
    )
    group.add_argument(
        "--passwords",
        type=Path,
        metavar="FILE",
        help="user:password, one a line (default: KEYS/passwords)",
    )
    group.add_argument(
        "--patience",
        type=duration,
        default=120.0,
        metavar="TIME",
        help="give up after so much real time without any progress (default 120s)",
    )


def add_events(parser: Any) -> None:
    """Add what they have to bear."""
    group = parser.add_argument_group("what they have to bear, in simulated time")
    group.add_argument(
        "--outage",
        type=outage,
        action="append",
        default=[],
        metavar="START+LENGTH",
        help="no link, such as 1h+10min; may be repeated",
    )
    group.add_argument(
        "--drop",
        type=float,
        default=0.0,
        metavar="SHARE",
        help="of messages that are lost after they were sent (default 0)",
    )
    group.add_argument(
        "--restart",
        type=duration,
        action="append",
        default=[],
        metavar="TIME",
        help="every device loses power; may be repeated",
    )
    group.add_argument(
        "--new-key",
        type=duration,
        action="append",
        default=[],
        metavar="TIME",
        help="every device changes to its next key; may be repeated",
    )
