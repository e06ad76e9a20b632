# SPDX-License-Identifier: Apache-2.0
"""A day of many devices, end to end: fleet, mosquitto, ingest, store, decode, tasks.

    python -m experiments run cloud_day --records .data/mitdb --out day.json

Each part is the command that a user would run, in a process of its own, over real files
and sockets. What is counted is whether every window that the devices encoded is in the
store once and in the rows once, what the parts needed, and how the bytes add up.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import signal
import tempfile
from pathlib import Path
from typing import Any

from device_sim.mosquitto import Mosquitto
from dynamic_deep.errors import ConfigError
from experiments.cloud_day.counts import count_rows
from experiments.cloud_day.section import section
from experiments.processes import Step, StepCost, run_step

__all__ = ["IN_ALL", "add_arguments", "run", "section"]

CLI = ("-m", "dynamic_deep")
IN_ALL = False  # it needs mosquitto, and an hour


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the experiment's options."""
    parser.add_argument(
        "--records", nargs="+", required=True, metavar="PATH", help="real recordings"
    )
    parser.add_argument("--devices", type=int, default=50, metavar="N", help="(50)")
    parser.add_argument("--hours", type=float, default=24.0, metavar="H", help="(24)")
    parser.add_argument("--bundle", default="edge", metavar="NAME|DIR", help="(edge)")
    parser.add_argument(
        "--level", metavar="NAME", help="of every window; else by the bound"
    )
    parser.add_argument("--bound", default="0.1", metavar="E", help="rhythm (0.1)")
    parser.add_argument("--risk", default="0.05", metavar="SHARE", help="(0.05)")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="decoders (2)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="(0)")
    parser.add_argument(
        "--store", metavar="STORE", help="folder or gs:// (default: WORK/store)"
    )
    parser.add_argument(
        "--work", type=Path, metavar="DIR", help="keep everything there"
    )


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Run the day; return counts, bytes and costs.

    Raises:
        StepError: If a part does not end well.
        ConfigError: If the work folder is not empty.
    """
    if options.work is None:
        with tempfile.TemporaryDirectory(prefix="cloud_day_") as folder:
            return _run(options, Path(folder))
    options.work.mkdir(parents=True, exist_ok=True)
    if any(options.work.iterdir()):
        raise ConfigError(
            f"a work folder must be empty, {options.work} is not; name another"
        )
    return _run(options, options.work)


def _run(options: argparse.Namespace, work: Path) -> dict[str, Any]:
    keys, store = work / "keys", options.store or str(work / "store")
    words = ["-m", "device_sim", "keys", "--devices", str(options.devices)]
    run_step([*words, "--out", str(keys)], work / "keys.log")
    passwords = _passwords(keys / "passwords")
    with Mosquitto(work / "broker", passwords) as broker:
        url = f"mqtts://{broker.address.host}:{broker.address.port}"
        link = ["--broker", url, "--ca", str(broker.address.ca_file)]
        login = ["--password-file", str(keys / "ingest_password")]
        to = ["--store", store, "--keys", str(keys), "--state", str(work / "state")]
        ingest = Step(
            [*CLI, "cloud", "ingest", *link, *login, *to, "--json"], work / "ingest.log"
        )
        try:
            fleet = _fleet(options, work, [*link, "--keys", str(keys)])
        finally:  # all is acknowledged: what is left to do is done after the signal
            ingest_cost = ingest.end(signal.SIGTERM)
        ingest.check(ingest_cost)
    checked = _json_of([*CLI, "cloud", "check", store, "--json"], work / "check.log")
    out = work / "rows"
    how = ["--tasks", "rhythm,rpeaks", "--jobs", str(options.jobs)]
    decode = [*CLI, "cloud", "decode", store, "-o", str(out), *how, "--json"]
    decoded = _json_of(decode, work / "decode.log")
    costs = {
        "fleet": fleet[1],
        "ingest": ingest_cost,
        "check": checked[1],
        "decode": decoded[1],
    }
    received = json.loads(ingest.output.read_text())
    results = _results(fleet[0], received, checked[0], decoded[0], rows=out)
    results["costs"] = {name: dataclasses.asdict(cost) for name, cost in costs.items()}
    results["asked"] = {
        name: str(value) if isinstance(value, Path) else value
        for name, value in vars(options).items()
        if name not in ("command", "name", "out", "work")
    }
    print(json.dumps(results, indent=1))
    return results


def _fleet(
    options: argparse.Namespace, work: Path, link: list[str]
) -> tuple[dict[str, Any], StepCost]:
    if options.level is not None:
        choice = ["--level", options.level]
    else:
        choice = ["--bound", options.bound, "--risk", options.risk]
    words = ["-m", "device_sim", "run", "--records", *options.records, *choice]
    words += ["--devices", str(options.devices), "--hours", str(options.hours)]
    words += ["--bundle", options.bundle, "--seed", str(options.seed), *link]
    words += ["--out", str(work / "fleet"), "--trace", "none", "--json", "--quiet"]
    return _json_of(words, work / "fleet.log")


def _json_of(words: list[str], log: Path) -> tuple[dict[str, Any], StepCost]:
    text, cost = run_step(words, log)
    found: dict[str, Any] = json.loads(text)
    return found, cost


def _passwords(path: Path) -> dict[str, str]:
    lines = path.read_text().splitlines()
    return dict(line.split(":", 1) for line in lines if line)  # type: ignore[misc]


def _results(
    fleet: dict[str, Any],
    received: dict[str, Any],
    checked: dict[str, Any],
    decoded: dict[str, Any],
    *,
    rows: Path,
) -> dict[str, Any]:
    simulated = fleet["simulated"]
    total = simulated["total"]
    encoded = {one["name"]: one["totals"]["n_windows"] for one in simulated["devices"]}
    counts = count_rows(rows, encoded)
    return {
        "windows": {
            "encoded": total["n_windows"],
            "in_store": checked["n_frames"],
            "rows": counts.n_rows,
            "lost": total["n_windows"] - (counts.n_rows - counts.n_twice),
            "twice": counts.n_twice,
            "damaged": counts.n_damaged,
            "devices_off": counts.n_devices_off,
        },
        "messages": {
            name: received[name] for name in ("accepted", "duplicate", "quarantined")
        },
        "bytes": {
            "raw": total["raw_bytes"],
            "sent": total["message_bytes"],
            "stored": checked["n_bytes"],
            "frames": counts.frame_bytes,
            "rows": decoded["row_bytes"],
        },
        "gain": {
            "stored": round(total["raw_bytes"] / checked["n_bytes"], 2),
            "sent": round(total["raw_bytes"] / total["message_bytes"], 2),
        },
        "levels": total["levels"],
        "n_objects": checked["n_objects"],
    }
