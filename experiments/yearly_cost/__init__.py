# SPDX-License-Identifier: Apache-2.0
"""Figs. 3 and 5: a ward's yearly cost in the cloud, by way to send and by workload.

All by `costmodel`, from its committed prices and measurements; LZ77 and `edge` besides,
whose gains are measured here. docs/cost.md says what is counted and what is not.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from costmodel.analysis import by_fetch
from costmodel.bill import Scenario, yearly_bill
from costmodel.file_overhead import file_overhead_bytes
from costmodel.measured import DecodeSpeed, read_decode_speed, read_gains
from costmodel.models import MEASURED, NO_COMPRESSION, Model, all_models
from costmodel.price_files import load_prices
from costmodel.retention import Retention
from costmodel.workload import Workload
from dynamic_deep.bound import Bound
from dynamic_deep.bound_choice import choose_all
from dynamic_deep.bound_odds import Requirement
from dynamic_deep.trials import Trials
from experiments.bundle_trials import bundle_trials, load_calibrated
from experiments.coders.levels import load_codec
from experiments.measuring import Wanted, measure_all
from experiments.windows import CINC_TEST
from experiments.yearly_cost.page import section

__all__ = ["add_arguments", "run", "section"]

PRICES = "gcp_2021"
LZ77 = "zlib -9"
EDGE = "edge"
BOUND_NATS, RISK = 0.1, 0.05  # those of the ladder that costmodel has measured
UNTIMED_LIKE = "gain_64"
HOUR_S = 3600.0
# What is changed of the ward of docs/cost.md: beds, leads, years kept, hours an object.
WORKLOADS = {
    "200 beds, one lead": {},
    "200 beds, two leads": {"leads": 2},
    "50 beds": {"beds": 50.0},
    "2,000 beds": {"beds": 2000.0},
    "objects of 6 hours": {"object_s": 6 * HOUR_S},
    "objects of 5 minutes": {"object_s": 300.0},
}
YEARS = {"kept for 6 years": 6.0}
SHOWN = (
    NO_COMPRESSION,
    "lz77",
    "lossless_paper",
    "lossless",
    "paper",
    "paper_uncompressed",
    "paper_bytes",
    "ladder",
    "ladder_uncompressed",
    "edge",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add where the figure goes."""
    parser.add_argument(
        "--figures", type=Path, metavar="FOLDER", help="(default: docs/figures)"
    )


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Return the bills, and draw them against the share that is fetched.

    Raises:
        ConfigError: If the records of CinC 2017 are not there.
    """
    from experiments.yearly_cost.figure import draw

    speed = read_decode_speed()
    models = all_models(read_gains()[0], speed)
    models += [_lz77(), edge_model(bundle_trials(EDGE, CINC_TEST), speed)]
    results = bills({model.name: model for model in models}, scenarios(speed))
    results["figure"] = draw(results, folder=options.figures)
    return results


def scenarios(speed: DecodeSpeed) -> dict[str, Scenario]:
    """Return the wards by name, the first the one of docs/cost.md.

    Args:
        speed: how long the tasks take.
    """
    ward = Scenario(
        workload=Workload(),
        prices=load_prices(PRICES),
        tasks_s_per_window=sum(speed.tasks_s_per_window.values()),
        file_overhead_bytes=file_overhead_bytes(),
    )
    found = {
        name: replace(ward, workload=replace(ward.workload, **changed))  # type: ignore[arg-type]
        for name, changed in WORKLOADS.items()
    }
    return found | {
        name: replace(ward, retention=Retention(years=years))
        for name, years in YEARS.items()
    }


def bills(models: Mapping[str, Model], wards: Mapping[str, Scenario]) -> dict[str, Any]:
    """Return what each model costs in each ward, US dollars a year.

    Args:
        models: by name, no compression among them.
        wards: by name; the first is taken apart and varied over what is fetched.
    """
    names = [name for name in SHOWN if name in models]
    first = next(iter(wards))
    curves = {name: by_fetch(models[name], wards[first]) for name in names}
    return {
        "prices": PRICES,
        "fetch_share": wards[first].fetch_share,
        "models": [_row(models[name], models, wards[first]) for name in names],
        "wards": [
            {
                "name": ward,
                "coding_usd": {
                    name: round(yearly_bill(models[name], scenario).coding_usd, 3)
                    for name in names
                },
            }
            for ward, scenario in wards.items()
        ],
        "by_fetch": {
            "share": [point.value for point in curves[names[0]]],
            "coding_usd": {
                name: [round(point.bill.coding_usd, 3) for point in points]
                for name, points in curves.items()
            },
        },
    }


def _row(model: Model, models: Mapping[str, Model], ward: Scenario) -> dict[str, Any]:
    bill = yearly_bill(model, ward)
    raw = yearly_bill(models[NO_COMPRESSION], ward)
    return {
        "name": model.name,
        "title": model.title,
        "gain": model.gain,
        "gain_kind": model.gain_kind,
        "storage_usd": round(bill.storage_usd, 3),
        "operations_usd": round(bill.operations_usd, 3),
        "decode_usd": round(bill.decode_usd, 3),
        "coding_usd": round(bill.coding_usd, 3),
        "total_usd": round(bill.total_usd, 3),
        "saved": round(1.0 - bill.coding_usd / raw.coding_usd, 5),
        "storage_saved": round(1.0 - bill.storage_usd / raw.storage_usd, 5),
        "total_saved": round(1.0 - bill.total_usd / raw.total_usd, 5),
    }


def _lz77() -> Model:
    """Return zlib, as the paper's lossless coder taken to decode in no time."""
    table = measure_all(Wanted(CINC_TEST, ("general",)))[LZ77]
    return Model(
        name="lz77",
        title=f"LZ77 ({LZ77})",
        gain=float(table.raw_bytes.sum() / table.n_bytes.sum()),
        gain_kind=MEASURED,
        gain_source=CINC_TEST,
    )


def edge_model(trials: Trials, speed: DecodeSpeed) -> Model:
    """Return what `edge` chooses under the bound of the ladder.

    Levels that were not timed are taken to decode as long as gain_64: they share its
    decoder's body.

    Args:
        trials: the windows at its levels.
        speed: how long levels take to decode.
    """
    need = Requirement(
        bound=Bound(tasks=("rhythm",), limits={"rhythm": BOUND_NATS}), risk=RISK
    )
    chosen = choose_all(need, trials, load_calibrated(EDGE).price(need))
    n_bytes = np.concatenate([trials.n_bytes, trials.lossless_bytes[:, None]], axis=1)
    sent = n_bytes[np.arange(len(trials)), chosen]
    names = [_timed(name, speed) for name in (*trials.levels, "lossless")]
    return Model(
        name="edge",
        title=f"ladder of {EDGE}, ours",
        gain=float(trials.raw_bytes.sum() / sent.sum()),
        gain_kind=MEASURED,
        gain_source=f"{CINC_TEST}, model {load_codec(EDGE).model_id.hex()[:12]}",
        decode_s_per_window=_mean_s(names, chosen, speed),
    )


def _timed(name: str, speed: DecodeSpeed) -> str:
    return name if name in speed.decode_s_per_window else UNTIMED_LIKE


def _mean_s(names: Sequence[str], chosen: np.ndarray, speed: DecodeSpeed) -> float:
    seconds = np.array([speed.decode_s_per_window[name] for name in names])
    return float(seconds[chosen].mean())
