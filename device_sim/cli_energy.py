# SPDX-License-Identifier: Apache-2.0
"""`energy`: what each way to send costs a device, on real records."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from device_sim.energy_options import (
    DEFAULT_LEVELS,
    add_device,
    add_measured,
    add_shown,
)
from dynamic_deep.cli.bounds import add_bound, add_choice, add_risk, add_sum
from dynamic_deep.cli.options import (
    add_command,
)

PLOTS = (".png", ".svg", ".pdf")


def add_commands(commands: Any) -> None:
    """Add the command to those of `python -m device_sim`."""
    parser = add_command(
        commands,
        "energy",
        "Show what each way to send costs a device: energy, battery life, break-even.",
        "Every window is encoded for real; bytes are measured. Energies follow from\n"
        "the figures in device_sim/profiles, each with source and date (--figures).\n\n"
        "examples:\n"
        "  python -m device_sim energy --records .data/mitdb/100 --bundle edge\n"
        "  python -m device_sim energy --records .data/cinc2017 --max-windows 1 \\\n"
        "      --bundle monitor --bound rhythm=0.1 --radio ble_2m --plot energy.svg",
    )
    parser.set_defaults(do=run, bound=None)
    parser.add_argument(
        "--records",
        metavar="RECORD",
        nargs="+",
        required=True,
        help="recordings, or folders of them; they stand for one long one",
    )
    parser.add_argument(
        "--bundle",
        metavar="NAME|DIR",
        default="edge",
        help="edge, standard, monitor, classical or a folder (default edge)",
    )
    add_device(parser)
    add_measured(parser)
    group = parser.add_argument_group("a level chosen for each window by a bound")
    add_bound(group, "as for dynamic-deep encode; may be repeated", several=True)
    add_sum(group)
    add_risk(group, "the share of windows that may break the bound")
    add_choice(group)
    add_shown(parser)


def run(args: argparse.Namespace) -> int:
    """Encode, print the table and draw."""
    from device_sim.break_even import encoders_of, find_break_even
    from device_sim.energy_measure import measure
    from device_sim.energy_one_level import one_level_facts, one_level_text
    from device_sim.energy_report import make_report
    from device_sim.energy_text import format_report, report_dict
    from device_sim.ways_levels import ways_of
    from dynamic_deep.cli import text
    from dynamic_deep.cli.files import print_out
    from dynamic_deep.cli.progress import ProgressBar
    from dynamic_deep.cli.trying import find_inputs

    plot = _plot_path(args)
    setting = _setting(args)
    codec = _windows(args.bundle)
    policies = _policies(args)
    ways = ways_of(codec, _levels(args, codec.bundle), policies)
    with ProgressBar("measuring", quiet=args.quiet) as bar:

        def progress(done: float, total: int, name: str) -> None:
            bar.relabel(f"measuring {name}")
            bar(done, total)

        measured = measure(
            find_inputs(args.records),
            ways,
            leads=args.lead,
            max_windows=args.max_windows,
            progress=progress,
        )
    report = make_report(measured, setting)
    break_even = find_break_even(report, encoders_of(report, Path(args.bundle).name))
    if plot is not None:
        from device_sim.energy_plot import draw

        draw(report, break_even, plot)
    if args.json:
        facts = report_dict(report, break_even)
        facts["one_level"] = one_level_facts(report, policies)
        print_out(text.as_json(facts))
        return 0
    print_out(f"encoder          {args.bundle}, {codec.precision}")
    print_out(format_report(report, break_even), end="")
    if policies:
        print_out(f"\n{one_level_text(report, policies)}", end="")
    for part in _more(args, report, codec.bundle):
        print_out(f"\n{part}", end="")
    return 0


def _more(args: argparse.Namespace, report: Any, bundle: Any) -> list[str]:
    """Return what was asked for beside the report."""
    from device_sim.energy_all import format_all
    from device_sim.energy_text import format_figures

    parts = []
    if args.all:
        parts.append(format_all(report))
    if args.memory:
        parts.append(_memory(report, bundle, args.bundle))
    if args.figures:
        parts.append(format_figures(report))
    if args.plot is not None:
        parts.append(f"plot: {args.plot}\n")
    return parts


def _memory(report: Any, bundle: Any, name: str) -> str:
    from device_sim.footprint import measure_footprint
    from device_sim.memory_text import budget_of, format_frames, format_memory

    found = budget_of(report, measure_footprint(name))
    return f"{format_memory(found)}\n{format_frames(report, bundle)}"


def _setting(args: argparse.Namespace) -> Any:
    from device_sim.energy_setting import Setting
    from device_sim.profiles import (
        load_device,
        load_parts,
        load_radio,
        load_software,
    )

    return Setting(
        device=load_device(args.profile),
        radio=load_radio(args.radio),
        software=load_software(),
        parts=load_parts(),
        battery=args.battery,
        send_every_s=args.send_every_s,
    )


def _plot_path(args: argparse.Namespace) -> Path | None:
    from dynamic_deep.cli.failures import UsageError
    from dynamic_deep.cli.files import require_free

    if args.plot is None:
        return None
    path = Path(args.plot)
    if path.suffix not in PLOTS:
        raise UsageError(f"--plot must end in {', '.join(PLOTS)}; got {args.plot}")
    require_free([path], force=args.force)  # before minutes of work
    return path


def _windows(bundle: str) -> Any:
    """Return the codec of windows as a device runs it: in integers, if it can."""
    from dynamic_deep.cli.bundles import load_codec
    from dynamic_deep.window_codec import WindowCodec
    from dynamic_deep.window_encoder import FLOAT, INT8

    loaded = load_codec(bundle).bundle
    has_int8 = "encoder_int8" in loaded.networks
    return WindowCodec(loaded, precision=INT8 if has_int8 else FLOAT)


def _levels(args: argparse.Namespace, bundle: Any) -> list[str]:
    if args.levels is not None:
        return [name.strip() for name in args.levels.split(",") if name.strip()]
    names = [level.name for level in bundle.levels if level.kind == "neural"]
    known = {level.name for level in bundle.levels}
    return [*(name for name in DEFAULT_LEVELS if name in known), *names]


def _policies(args: argparse.Namespace) -> dict[str, Any]:
    """Return the bounds by the names of their rows."""
    from dynamic_deep.cli import text
    from dynamic_deep.cli.policies import calibrated
    from dynamic_deep.cli.requirements import bound_text, forbid, requirement_of

    if args.bound is None:
        names = ("task", "weights", "risk", "per", "reference", "calibration")
        forbid(args, names, "need", "--bound, the task error that you accept")
    policies = {}
    for values in args.bound or ():
        requirement = requirement_of(values, args)
        name = f"{bound_text(requirement.bound)}, {text.percent(requirement.risk)}"
        policies[name] = calibrated(args.bundle, requirement, args.calibration)
    return policies
