# SPDX-License-Identifier: Apache-2.0
"""`report`: from the options to the table, the files and the figures."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from costmodel.bill import BROKER, FREE_INGEST, KEY_FOLDER, KEY_STORES, Scenario
from costmodel.carbon import load_carbon
from costmodel.measured import (
    DECODE_SPEED,
    GAINS,
    DecodeSpeed,
    MeasuredGain,
    find_gain,
    read_decode_speed,
    read_gains,
)
from costmodel.models import all_models
from costmodel.price_files import LATEST, load_prices, price_list_names
from costmodel.report import Compared, as_csv, make_report
from costmodel.retention import Retention, parse_lifecycle
from costmodel.workload import Workload
from dynamic_deep.cli import text
from dynamic_deep.cli.files import print_out, whole_file
from dynamic_deep.errors import ConfigError

DEFAULT_PRICES = "gcp_2021"  # the paper's time, so that its figure can be compared
DEFAULT_TASKS = "rhythm,rpeaks"
DEFAULT_REGION = "us-central1"
USUAL = Workload()
Group = argparse._ArgumentGroup  # argparse has no public name for it


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `report`."""
    parser = commands.add_parser(
        "report",
        help="what a ward costs in a year, by model",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    _add_ward(parser.add_argument_group("ward"))
    _add_cloud(parser.add_argument_group("cloud"))
    _add_measured(parser.add_argument_group("measured"))
    _add_output(parser.add_argument_group("output"))
    parser.set_defaults(do=run)


def _add_ward(group: Group) -> None:
    number: dict[str, Any] = {"type": float, "metavar": "N"}
    group.add_argument("--beds", default=USUAL.beds, help="devices", **number)
    group.add_argument("--leads", default=USUAL.leads, type=int, help="of a device")
    group.add_argument("--fs", default=USUAL.fs, help="Hz", **number)
    group.add_argument(
        "--bytes-per-sample", default=USUAL.bytes_per_sample, help="raw", **number
    )
    group.add_argument(
        "--hours-per-day", default=USUAL.hours_per_day, help="recorded", **number
    )
    group.add_argument(
        "--windows-per-message",
        default=USUAL.windows_per_message,
        help="of each lead",
        **number,
    )
    group.add_argument(
        "--object-minutes", default=USUAL.object_s / 60, help="of signal", **number
    )
    group.add_argument(
        "--fetch", default=0.1, help="share of a year's recordings", **number
    )
    group.add_argument(
        "--tasks", default=DEFAULT_TASKS, help='run on every window, or "none"'
    )


def _add_cloud(group: Group) -> None:
    group.add_argument(
        "--prices",
        default=DEFAULT_PRICES,
        metavar="NAME|FILE",
        help=f"{', '.join(price_list_names())}, {LATEST} or a .toml file",
    )
    group.add_argument(
        "--retention-years", default=1.0, type=float, metavar="N", help="kept"
    )
    group.add_argument(
        "--bill-year",
        type=int,
        metavar="N",
        help="year of operation, from 1; without it the steady state",
    )
    group.add_argument(
        "--lifecycle",
        default="standard",
        metavar="CLASS:DAYS,...",
        help="such as nearline:30,coldline:90,archive:365",
    )
    group.add_argument(
        "--ingest",
        default=BROKER,
        help=f"{BROKER}, {FREE_INGEST}, or a messaging service such as pubsub",
    )
    group.add_argument("--keys", default=KEY_FOLDER, choices=KEY_STORES, help="where")
    group.add_argument(
        "--egress",
        default=0.0,
        type=float,
        metavar="N",
        help="share of what is fetched",
    )
    group.add_argument(
        "--region", default=DEFAULT_REGION, help="whose grid the emissions are of"
    )


def _add_measured(group: Group) -> None:
    group.add_argument(
        "--measured", type=Path, default=DECODE_SPEED, metavar="FILE", help="times"
    )
    group.add_argument(
        "--gains", type=Path, default=GAINS, metavar="FILE", help="gains by bound"
    )
    group.add_argument(
        "--bound", metavar="BOUND", help="which of them; the first if not given"
    )
    group.add_argument(
        "--slowdown",
        type=float,
        default=1.0,
        metavar="N",
        help="of the worker against the machine that times were measured on",
    )


def _add_output(group: Group) -> None:
    group.add_argument("--json", action="store_true", help="print one JSON object")
    group.add_argument("--csv", type=Path, metavar="FILE", help="the table as CSV")
    group.add_argument(
        "--plot", type=Path, metavar="FILE", help="cost against what is fetched"
    )
    group.add_argument(
        "--plot-sensitivity", type=Path, metavar="FILE", help="batching and gain"
    )
    group.add_argument(
        "--out", type=Path, metavar="DIR", help="all of these into a folder"
    )


def run(options: argparse.Namespace) -> None:
    """Compute, print, write.

    Raises:
        ConfigError: If an option or a file is not in order.
    """
    speed = read_decode_speed(options.measured)
    gain = find_gain(read_gains(options.gains), options.bound)
    compared = Compared(
        models={model.name: model for model in all_models(gain, speed)},
        scenario=_scenario(options, speed),
        carbon=load_carbon(),
        region=options.region,
    )
    report = make_report(compared, _facts(gain, speed))
    _write_files(report, options)
    if options.json:
        print_out(text.as_json(report))
    else:
        from costmodel.report_text import as_text

        print_out(as_text(report))


def _scenario(options: argparse.Namespace, speed: DecodeSpeed) -> Scenario:
    return Scenario(
        workload=Workload(
            beds=options.beds,
            leads=options.leads,
            fs=options.fs,
            bytes_per_sample=options.bytes_per_sample,
            hours_per_day=options.hours_per_day,
            windows_per_message=options.windows_per_message,
            object_s=options.object_minutes * 60,
        ),
        prices=load_prices(options.prices),
        retention=Retention(
            years=options.retention_years,
            bill_year=options.bill_year,
            steps=parse_lifecycle(options.lifecycle),
        ),
        fetch_share=options.fetch,
        egress_share=options.egress,
        tasks_s_per_window=_tasks_s(options.tasks, speed),
        file_overhead_bytes=speed.file_overhead_bytes,
        ingest=options.ingest,
        key_store=options.keys,
        slowdown=options.slowdown,
    )


def _tasks_s(names: str, speed: DecodeSpeed) -> float:
    if names == "none":
        return 0.0
    times = speed.tasks_s_per_window
    wanted = [name.strip() for name in names.split(",")]
    unknown = [name for name in wanted if name not in times]
    if unknown:
        raise ConfigError(
            f"--tasks must be of {', '.join(times)}, or none, got {', '.join(unknown)}"
        )
    return sum(times[name] for name in wanted)


def _facts(gain: MeasuredGain, speed: DecodeSpeed) -> dict[str, Any]:
    measured = (
        f"{gain.bound}, risk {gain.risk:g}: {gain.gain:.4g} ({gain.low:.4g}-"
        f"{gain.high:.4g}), over the bound {text.percent(gain.violations)}; "
        f"{gain.records} ({gain.path})"
    )
    return {
        "bound": gain.bound,
        "gain_measured": measured,
        "decode_measured": f"{speed.machine} ({speed.path})",
    }


def _write_files(report: dict[str, Any], options: argparse.Namespace) -> None:
    plots = {options.plot: "fetch", options.plot_sensitivity: "sensitivity"}
    tables = [options.csv]
    folder: Path | None = options.out
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        plots |= {folder / "cost_fetch.svg": "fetch"}
        plots |= {folder / "cost_sensitivity.svg": "sensitivity"}
        tables.append(folder / "report.csv")
        _write(folder / "report.json", text.as_json(report))
    for path in tables:
        if path is not None:
            _write(path, as_csv(report))
    for path, what in plots.items():
        if path is not None:
            _draw(report, path, what)


def _draw(report: dict[str, Any], path: Path, what: str) -> None:
    from costmodel.figures import draw_fetch, draw_sensitivity

    (draw_fetch if what == "fetch" else draw_sensitivity)(report, path)


def _write(path: Path, content: str) -> None:
    with whole_file(path) as stream:
        stream.write(content.encode("utf-8"))
