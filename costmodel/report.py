# SPDX-License-Identifier: Apache-2.0
"""The whole report as one JSON object; text, CSV and figures are made from it."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from costmodel import analysis
from costmodel.bill import (
    ITEMS,
    Scenario,
    stored_bytes_per_year,
    yearly_bill,
)
from costmodel.carbon import CarbonFactors
from costmodel.models import NO_COMPRESSION, Model
from costmodel.prices import all_prices
from costmodel.retention import lifecycle_text
from costmodel.sources import COPY
from costmodel.units import GB

REPORT_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Compared:
    """What is compared, under what, with what emissions.

    Attributes:
        models: by name; one is called `NO_COMPRESSION`.
        scenario: all else.
        carbon: emissions.
        region: that emissions are told for.
    """

    models: dict[str, Model]
    scenario: Scenario
    carbon: CarbonFactors
    region: str


def make_report(compared: Compared, facts: dict[str, Any]) -> dict[str, Any]:
    """Return the report.

    Args:
        compared: what is compared.
        facts: where the measured figures come from, for the reader.
    """
    scenario = compared.scenario
    return {
        "version": REPORT_VERSION,
        "inputs": _inputs(scenario) | facts,
        "models": [_model_row(model, compared) for model in compared.models.values()],
        "by_fetch": _by_fetch(compared),
        "by_object": _by_object(compared),
        "by_message": _by_message(compared),
        "by_gain": _by_gain(compared),
        "break_even": _break_even(compared),
        "co2e": _co2e(compared),
        "prices_not_read_at_the_provider": [
            {"price": path, "status": price.source.status, "where": price.source.where}
            for path, price in all_prices(scenario.prices)
            if price.source.status != COPY
        ],
    }


def as_csv(report: dict[str, Any]) -> str:
    """Return the table of models and bill items as CSV."""
    output = io.StringIO()
    head = ["model", "gain", "gain_kind", *ITEMS, "coding_usd", "total_usd"]
    head += ["saved_coding", "saved_total", "stored_gb_per_year", "co2e_kg_per_year"]
    writer = csv.DictWriter(output, head, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for row in report["models"]:
        writer.writerow(row | row["bill"] | {"model": row["name"]})
    return output.getvalue()


def _inputs(scenario: Scenario) -> dict[str, Any]:
    return {
        "prices": scenario.prices.name,
        "prices_title": scenario.prices.title,
        "prices_region": scenario.prices.region,
        "workload": asdict(scenario.workload),
        "raw_gb_per_year": scenario.workload.raw_bytes_per_year / GB,
        "windows_per_year": scenario.workload.windows_per_year,
        "objects_per_year": scenario.workload.objects_per_year,
        "messages_per_year": scenario.workload.messages_per_year,
        "retention_years": scenario.retention.years,
        "bill_year": scenario.retention.bill_year,
        "lifecycle": lifecycle_text(scenario.retention.steps),
        "fetch_share": scenario.fetch_share,
        "egress_share": scenario.egress_share,
        "ingest": scenario.ingest,
        "key_store": scenario.key_store,
        "slowdown": scenario.slowdown,
        "tasks_s_per_window": scenario.tasks_s_per_window,
        "file_overhead_bytes": scenario.file_overhead_bytes,
        "worker_usd_per_hour": scenario.prices.machine.usd_per_hour,
    }


def _model_row(model: Model, compared: Compared) -> dict[str, Any]:
    scenario = compared.scenario
    reference = yearly_bill(compared.models[NO_COMPRESSION], scenario)
    bill = yearly_bill(model, scenario)
    stored = stored_bytes_per_year(model, scenario)
    return {
        "name": model.name,
        "title": model.title,
        "gain": model.gain,
        "gain_kind": model.gain_kind,
        "gain_source": model.gain_source,
        "decode_s_per_window": model.decode_s_per_window,
        "bill": asdict(bill),
        "coding_usd": bill.coding_usd,
        "total_usd": bill.total_usd,
        "saved_coding": analysis.coding_saving(bill, reference),
        "saved_total": analysis.saving(bill, reference),
        "stored_gb_per_year": stored / GB,
        "co2e_kg_per_year": compared.carbon.kg_per_year(
            model, scenario, compared.region
        ),
    }


def _by_fetch(compared: Compared) -> dict[str, Any]:
    curves = {
        name: analysis.by_fetch(model, compared.scenario)
        for name, model in compared.models.items()
    }
    return {
        "fetch_share": list(analysis.FETCH_SHARES),
        "coding_usd": _curves(curves, "coding_usd"),
        "total_usd": _curves(curves, "total_usd"),
    }


def _curves(
    curves: dict[str, list[analysis.Point]], item: str
) -> dict[str, list[float]]:
    return {
        name: [getattr(point.bill, item) for point in points]
        for name, points in curves.items()
    }


def _items(points: Sequence[analysis.Point]) -> dict[str, Any]:
    bills = [point.bill for point in points]

    def column(item: str) -> list[float]:
        return [getattr(bill, item) for bill in bills]

    items: dict[str, Any] = {name: column(name) for name in ITEMS}
    return items | {
        "coding_usd": column("coding_usd"),
        "total_usd": column("total_usd"),
    }


def _by_object(compared: Compared) -> dict[str, Any]:
    return {
        "object_s": list(analysis.OBJECT_SECONDS),
        "models": {
            name: _items(analysis.by_object_s(compared.models[name], compared.scenario))
            for name in (NO_COMPRESSION, "ladder")
        },
    }


def _by_message(compared: Compared) -> dict[str, Any]:
    """Ingest through every service that bills messages, whichever is chosen."""
    services = {}
    for service in compared.scenario.prices.messaging:
        through = analysis.with_ingest(compared.scenario, service.name)
        services[service.name] = {
            name: [
                point.bill.ingest_usd
                for point in analysis.by_message_windows(compared.models[name], through)
            ]
            for name in (NO_COMPRESSION, "lossless", "ladder")
        }
    return {
        "windows_per_message": list(analysis.MESSAGE_WINDOWS),
        "ingest_usd": services,
    }


def _by_gain(compared: Compared) -> dict[str, Any]:
    points = analysis.by_gain(compared.models["ladder"], compared.scenario)
    return {"gain": list(analysis.GAINS)} | _items(points)


def _break_even(compared: Compared) -> dict[str, Any]:
    models, scenario = compared.models, compared.scenario
    pairs = {
        "paper": ("paper_uncompressed", "lossless_paper"),
        "paper_bytes": ("paper_bytes_uncompressed", "lossless_paper"),
        "ours": ("ladder_uncompressed", "lossless"),
    }
    everything = replace(scenario, fetch_share=1.0)
    return {
        "fetch_share_dearer_than_lossless": {
            name: analysis.fetch_at_equal_cost(models[a], models[b], scenario)
            for name, (a, b) in pairs.items()
        },
        "decode_s_as_dear_as_lossless_at_full_fetch": {
            name: analysis.decode_s_at_equal_cost(models[a], models[b], everything)
            for name, (a, b) in pairs.items()
        },
        "object_s_operations_pass_storage": {
            name: analysis.object_s_at_equal_cost(models[name], scenario)
            for name in (NO_COMPRESSION, "lossless", "ladder")
        },
        "gain_decode_passes_storage": analysis.gain_at_equal_cost(
            models["ladder"], scenario
        ),
    }


def _co2e(compared: Compared) -> dict[str, Any]:
    carbon, scenario = compared.carbon, compared.scenario
    names = (NO_COMPRESSION, "lossless", "ladder")
    return {
        "region": compared.region,
        "g_per_kwh": carbon.g_per_kwh[compared.region],
        "kwh_per_year": {
            name: carbon.kwh_per_year(compared.models[name], scenario) for name in names
        },
        "kg_per_year_by_region": {
            region: {
                name: carbon.kg_per_year(compared.models[name], scenario, region)
                for name in names
            }
            for region in carbon.g_per_kwh
        },
        "sources": {what: s.where for what, s in carbon.sources.items()},
    }
