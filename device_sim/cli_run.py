# SPDX-License-Identifier: Apache-2.0
"""`run` and `keys`: a fleet of devices, and what it needs to log in and to seal."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from device_sim.fleet_arguments import add_coding, add_events, add_fleet, add_sending
from dynamic_deep.cli.options import count

EXIT_INEXACT = 1


def add_commands(commands: Any) -> None:
    """Add the commands to those of `python -m device_sim`."""
    _add_run(commands)
    _add_keys(commands)


def _add_run(commands: Any) -> None:
    parser = commands.add_parser(
        "run",
        help="replay records from many devices over a real broker",
        description="Replay real records from many devices in one process: encode, "
        "seal, store, send over MQTT, account for every byte and millijoule.",
        epilog="The exit status is 1 if not every window arrived exactly once. See "
        "docs/fleet.md.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--records",
        nargs="+",
        required=True,
        metavar="PATH",
        help="records, or folders of them; the devices share them, each from another "
        "sample on",
    )
    parser.add_argument(
        "--out", required=True, type=Path, metavar="DIR", help="for all that it writes"
    )
    add_fleet(parser)
    add_coding(parser)
    add_sending(parser)
    add_events(parser)
    parser.add_argument(
        "--trace",
        choices=("csv", "parquet", "none"),
        default="csv",
        help="what each device did, as rows (default csv)",
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on with an interrupted run in DIR"
    )
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    parser.set_defaults(do=run, parser=parser)


def _add_keys(commands: Any) -> None:
    parser = commands.add_parser(
        "keys",
        help="make keys and passwords of a fleet",
        description="Make the devices' keys, and passwords for them and the receiver, "
        "as files for devices, mosquitto and `dynamic-deep cloud ingest`.",
        allow_abbrev=False,
    )
    parser.add_argument("--out", required=True, type=Path, metavar="DIR")
    parser.add_argument("--devices", type=count, default=50, metavar="N", help="(50)")
    parser.add_argument("--prefix", default="dev", help="of the devices' ids (dev)")
    parser.add_argument(
        "--per-device", type=count, default=1, metavar="N", help="keys of each (1)"
    )
    parser.set_defaults(do=make_key_files, parser=parser)


def make_key_files(args: argparse.Namespace) -> int:
    """Make keys and passwords."""
    from device_sim.fleet_keys import make_keys
    from device_sim.fleet_options import device_names

    names = device_names(args.devices, args.prefix)
    make_keys(args.out, names, n_each=args.per_device)
    print(
        f"{args.out}: keys of {len(names)} devices; passwords; mosquitto and rules for "
        "mosquitto's password_file and acl_file"
    )
    return 0


def run(args: argparse.Namespace) -> int:
    """Run a fleet, and print what it came to."""
    from device_sim.fleet_run import run_fleet
    from device_sim.summary import as_table
    from dynamic_deep.cli import text
    from dynamic_deep.cli.progress import ProgressBar

    options, request = _asked(args)
    with ProgressBar(f"{options.n_devices} devices", quiet=args.quiet) as bar:
        summary = run_fleet(options, request, bar)
    if args.json:
        print(text.as_json(summary.as_dict()))
    else:
        print(as_table(summary.lines()))
    return 0 if summary.is_exact else EXIT_INEXACT


def _asked(args: argparse.Namespace) -> Any:
    """Return the fleet's options and everything else, checked."""
    from device_sim.fleet_broker import BrokerChoice
    from device_sim.fleet_link import Weather
    from device_sim.fleet_options import DEFAULT_START, FleetOptions
    from device_sim.fleet_run import Request
    from device_sim.sensor import record_paths
    from dynamic_deep.cli.policies import chosen_policy

    policy = chosen_policy(args)
    options = FleetOptions(
        records=tuple(record_paths(args.records)),
        n_devices=args.devices,
        hours=args.hours,
        leads=args.lead,
        is_loop=not args.once,
        gap_s=args.gap,
        session_s=args.session,
        n_frames=args.frames,
        ring_s=args.ring,
        outbox_kb=args.outbox_kb,
        restarts_s=tuple(args.restart),
        rotations_s=tuple(args.new_key),
        speed=args.speed,
        weather=Weather(outages=tuple(args.outage), drop=args.drop, seed=args.seed),
        start_time=args.start or DEFAULT_START,
        prefix=args.prefix,
        trace=args.trace,
    )
    request = Request(
        out=args.out,
        resume=args.resume,
        codec=_codec(args.bundle, args.precision),
        policy=policy,
        max_error_uv=args.max_error_uv,
        device=args.profile,
        radio=args.radio,
        broker=BrokerChoice(
            name=args.broker,
            ca_file=args.ca,
            keys=args.keys,
            passwords=args.passwords,
            n_keys=1 + len(args.new_key),
        ),
        patience_s=args.patience,
    )
    return options, request


def _codec(bundle: str, precision: str) -> Any:
    """Return the codec as a device runs it: in integers, if the bundle can."""
    from dynamic_deep.cli.bundles import load_codec
    from dynamic_deep.window_encoder import FLOAT, INT8

    codec = load_codec(bundle)
    if precision == "auto":
        precision = INT8 if "encoder_int8" in codec.bundle.networks else FLOAT
    return load_codec(bundle, precision)
