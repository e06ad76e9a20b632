# SPDX-License-Identifier: Apache-2.0
"""The report as text for a reader who knows none of it."""

from __future__ import annotations

from typing import Any

from costmodel.bill import BROKER, FREE_INGEST
from costmodel.models import NO_COMPRESSION
from costmodel.prices import PriceList, all_prices
from costmodel.sources import COPY
from dynamic_deep.cli import text

INGEST = {
    BROKER: "an MQTT broker and ingest on one virtual machine",
    FREE_INGEST: "not counted, as in the paper",
}
LEGEND = """\
gain      raw bytes over coded bytes; n: as the paper counts it (elements, mean of
          ratios), b: what its mix comes to in bytes, m: bytes measured of this codec
other     retrieval, egress, early deletion, keys
coding    what coding changes: storage, operations, retrieval, egress, decoding
saved     against no compression: of coding, and of the whole bill. The tasks and an own
          broker cost every model the same
raw sent too: the device sends the raw signal besides, the tasks run on that, and only
          what is fetched is decoded"""


def as_text(report: dict[str, Any]) -> str:
    """Return the report as text.

    Args:
        report: of `make_report`.
    """
    parts = [_heading(report["inputs"]), _models(report), LEGEND, _batching(report)]
    parts += [_gains(report), _break_even(report["break_even"]), _co2e(report)]
    unread = report["prices_not_read_at_the_provider"]
    if unread:
        listed = "\n".join(f"  {row['price']}: {row['status']}" for row in unread)
        parts.append(
            f"PRICES not read at the provider (`python -m costmodel prices`)\n{listed}"
        )
    return "\n\n".join(parts)


def prices_text(prices: PriceList) -> str:
    """Return every price with its date and the number of its source, then these."""
    sources = list(dict.fromkeys(price.source for _, price in all_prices(prices)))
    rows = []
    for path, price in all_prices(prices):
        source = price.source
        mark = "" if source.status == COPY else source.status
        number = f"[{sources.index(source) + 1}]"
        unit = f"USD per {price.unit}"
        rows.append([path, f"{price.usd:.8g}", unit, str(source.date), number, mark])
    table = text.table(["price", "USD", "unit", "date", "source", "not read"], rows)
    lines = [
        f"{prices.name}: {prices.title}, {prices.region}",
        "",
        table,
        "",
        "SOURCES",
    ]
    for i, source in enumerate(sources, start=1):
        lines.append(f"[{i}] {source.where} ({source.status}, {source.date})")
        if source.note:
            lines.append(f"    {source.note}")
    return "\n".join(lines)


def _heading(inputs: dict[str, Any]) -> str:
    work = inputs["workload"]
    leads = text.plural(work["leads"], "lead")
    kept = inputs["retention_years"]
    years = "1 year" if kept == 1 else f"{kept:g} years"
    year = inputs["bill_year"]
    when = "steady state" if year is None else f"year {year} of operation"
    pairs = [
        (
            "ward",
            f"{work['beds']:g} beds, {leads}, {work['fs']:g} Hz, "
            f"{work['bytes_per_sample']:g} bytes a sample, {work['hours_per_day']:g} "
            f"h a day: {inputs['raw_gb_per_year']:,.0f} GB a year",
        ),
        (
            "batching",
            f"{work['windows_per_message']:g} windows a message, objects of "
            f"{text.duration(work['object_s'])}",
        ),
        (
            "kept",
            f"{years}, {inputs['lifecycle']}, {when}; "
            f"{text.percent(inputs['fetch_share'])} of a year's recordings fetched",
        ),
        ("ingest", INGEST.get(inputs["ingest"], inputs["ingest"])),
        ("prices", f"{inputs['prices']}: {inputs['prices_title']}"),
        ("gain", inputs["gain_measured"]),
        ("decode times", inputs["decode_measured"]),
    ]
    return text.fields(pairs)


def _models(report: dict[str, Any]) -> str:
    head = ["USD a year", "gain", "storage", "operations", "other", "decode", "coding"]
    head += ["saved", "tasks", "ingest", "total", "saved"]
    rows = []
    for row in report["models"]:
        bill = row["bill"]
        other = bill["retrieval_usd"] + bill["egress_usd"] + bill["keys_usd"]
        other += bill["early_deletion_usd"]
        cells = [bill["storage_usd"], bill["operations_usd"], other, bill["decode_usd"]]
        is_reference = row["name"] == NO_COMPRESSION
        line = [row["title"], f"{row['gain']:.4g} {row['gain_kind'][0]}"]
        line += [usd(cell) for cell in cells] + [usd(row["coding_usd"])]
        line.append("" if is_reference else percent(row["saved_coding"]))
        line += [usd(bill["tasks_usd"]), usd(bill["ingest_usd"])]
        line += [usd(row["total_usd"])]
        line.append("" if is_reference else percent(row["saved_total"]))
        rows.append(line)
    return text.table(head, rows)


def _batching(report: dict[str, Any]) -> str:
    objects = report["by_object"]
    raw, ladder = (objects["models"][name] for name in (NO_COMPRESSION, "ladder"))
    rows = [
        [
            text.duration(seconds),
            *(usd(raw["operations_usd"][i]), usd(ladder["operations_usd"][i])),
            *(usd(ladder["coding_usd"][i]), percent(_saved(ladder, raw, i))),
        ]
        for i, seconds in enumerate(objects["object_s"])
    ]
    head = ["an object holds", "operations, raw", "operations, ladder"]
    table = text.table([*head, "coding, ladder", "saved"], rows)
    lines = [f"BATCHING IN THE STORE, USD a year\n{table}"]
    messages = report["by_message"]
    for service, costs in messages["ingest_usd"].items():
        rows = [
            [f"{windows:g}", *(usd(costs[name][i]) for name in costs)]
            for i, windows in enumerate(messages["windows_per_message"])
        ]
        head = ["windows a message", "raw", "lossless", "ladder"]
        title = f"BATCHING OF MESSAGES through {service}, USD a year"
        lines.append(f"{title}\n{text.table(head, rows)}")
    return "\n\n".join(lines)


def _saved(bill: dict[str, Any], reference: dict[str, Any], i: int) -> float:
    return float(1.0 - bill["coding_usd"][i] / reference["coding_usd"][i])


def _gains(report: dict[str, Any]) -> str:
    curve = report["by_gain"]
    rows = [
        [
            text.gain(gain),
            *(usd(curve[k][i]) for k in ("storage_usd", "decode_usd", "coding_usd")),
            percent(1.0 - curve["coding_usd"][i] / report["models"][0]["coding_usd"]),
        ]
        for i, gain in enumerate(curve["gain"])
    ]
    table = text.table(["gain", "storage", "decode", "coding", "saved"], rows)
    return f"IF THE LADDER'S GAIN WERE ANOTHER, USD a year\n{table}"


def _break_even(points: dict[str, Any]) -> str:
    fetch = points["fetch_share_dearer_than_lossless"]
    lines = ["BREAK-EVEN"]
    titles = {
        "paper": "paper, raw sent too",
        "paper_bytes": "paper in bytes, raw sent too",
        "ours": "ladder, raw sent too",
    }
    slow = points["decode_s_as_dear_as_lossless_at_full_fetch"]
    for name, title in titles.items():
        x, seconds = fetch[name], slow[name]
        where = "nowhere" if x is None else f"at {text.percent(x)} fetched"
        if seconds is not None:
            where += f" (at 100 % if a window took {1000 * seconds:.3g} ms to decode)"
        lines.append(f"  {title}, costs as much as lossless: {where}")
    for name, seconds in points["object_s_operations_pass_storage"].items():
        where = "never" if seconds is None else f"below {text.duration(seconds)}"
        lines.append(f"  operations pass storage, {name}: objects {where}")
    gain = points["gain_decode_passes_storage"]
    where = "never" if gain is None else f"above gain {text.gain(gain)}"
    lines.append(f"  decoding passes storage, ladder: {where}")
    return "\n".join(lines)


def _co2e(report: dict[str, Any]) -> str:
    co2e = report["co2e"]
    kwh, kg = co2e["kwh_per_year"], co2e["kg_per_year_by_region"][co2e["region"]]
    rows = [[name, f"{kwh[name]:.3g}", f"{kg[name]:.3g}"] for name in kwh]
    table = text.table(["model", "kWh a year", "kg CO2e a year"], rows)
    where = f"{co2e['region']}, {co2e['g_per_kwh']:g} g a kWh of the grid"
    return f"EMISSIONS of storing and computing, {where}; an estimate\n{table}"


def usd(value: float) -> str:
    """Return an amount with as many digits as mean something.

    Example:
        >>> usd(4730.4), usd(18.79), usd(0.031)
        ('4,730', '18.8', '0.03')
    """
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def percent(share: float) -> str:
    """Return a saving in percent with one decimal.

    Example:
        >>> percent(0.9793)
        '97.9 %'
    """
    return f"{100 * share:.1f} %"
