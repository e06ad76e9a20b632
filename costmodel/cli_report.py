# SPDX-License-Identifier: Apache-2.0
"""`report`: from the options to the table, the files and the figures."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from costmodel.bill import Scenario
from costmodel.carbon import load_carbon
from costmodel.cli_options import add_report_options
from costmodel.file_overhead import file_overhead_bytes
from costmodel.measured import (
    DecodeSpeed,
    MeasuredGain,
    find_gain,
    read_decode_speed,
    read_gains,
)
from costmodel.models import all_models
from costmodel.price_files import load_prices
from costmodel.report import Compared, as_csv, make_report
from costmodel.retention import Retention, parse_lifecycle
from costmodel.workload import Workload
from dynamic_deep.cli import text
from dynamic_deep.cli.files import print_out, whole_file
from dynamic_deep.errors import ConfigError


def add_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `report`."""
    parser = commands.add_parser(
        "report",
        help="what a ward costs in a year, by model",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add_report_options(parser)
    parser.set_defaults(do=run)


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
        file_overhead_bytes=file_overhead_bytes(),
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


Draw = Callable[[dict[str, Any], Path], None]


def _figures(options: argparse.Namespace) -> list[tuple[Path, Draw]]:
    """Return what is to be drawn, and where; nothing is written yet."""
    from costmodel.figures import check_suffix, draw_fetch, draw_sensitivity

    wanted = [(options.plot, draw_fetch), (options.plot_sensitivity, draw_sensitivity)]
    if options.out is not None:
        wanted.append((options.out / "cost_fetch.svg", draw_fetch))
        wanted.append((options.out / "cost_sensitivity.svg", draw_sensitivity))
    figures: list[tuple[Path, Draw]]
    figures = [(path, draw) for path, draw in wanted if path is not None]
    for path, _ in figures:
        check_suffix(path)
    return figures


def _write_files(report: dict[str, Any], options: argparse.Namespace) -> None:
    figures = _figures(options)
    folder: Path | None = options.out
    if options.csv is not None:
        _write(options.csv, as_csv(report))
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder / "report.csv", as_csv(report))
        _write(folder / "report.json", text.as_json(report))
    for path, draw in figures:
        draw(report, path)


def _write(path: Path, content: str) -> None:
    with whole_file(path) as stream:
        stream.write(content.encode("utf-8"))
