# SPDX-License-Identifier: Apache-2.0
"""`info`: what is in a coded file, and is it intact. No network is loaded."""

from __future__ import annotations

import argparse
from typing import Any

from dynamic_deep.cli import text
from dynamic_deep.cli.failures import report
from dynamic_deep.cli.files import open_source, print_out
from dynamic_deep.cli.inspection import damage_line, damage_summary, inspect

MAX_LISTED = 10  # damaged places that the text lists; JSON has them all


def run(args: argparse.Namespace) -> int:
    """Show one file."""
    with open_source(args.input) as stream:
        facts = inspect(stream)
    facts = {"file": args.input, **facts}
    print_out(text.as_json(facts) if args.json else _as_text(facts))
    if not facts["damage"]:
        return 0
    report(f"{args.input}: {damage_summary(facts['damage'])}")
    return 1


def _as_text(facts: dict[str, Any]) -> str:
    parts = [text.fields(_summary(facts))]
    if facts["levels"]:
        parts.append(_level_table(facts))
    n_skipped = sum(place["n_frames"] for place in facts["skipped"])
    if n_skipped:
        parts.append(f"{text.plural(n_skipped, 'frame')} left out by the writer")
    if facts["damage"]:
        parts.append("DAMAGED:\n" + "\n".join(_damage_lines(facts["damage"])))
    else:
        intact = text.plural(facts["n_frames"], "frame")
        parts.append(f"intact: {intact}, every checksum right")
    return "\n\n".join(parts)


def _summary(facts: dict[str, Any]) -> list[tuple[str, str]]:
    leads = facts["leads"]
    names = ", ".join(lead["name"] for lead in leads)
    unsure = "" if facts["complete"] else "about "
    pairs = [
        ("file", f"{facts['file']}, {facts['n_bytes']:,} bytes"),
        ("recording", facts["name"]),
        ("leads", f"{len(leads)} ({names})"),
        ("length", f"{unsure}{text.duration(facts['duration_s'])} at "
                   f"{facts['fs']:g} Hz, {facts['n_samples']:,} samples a lead"),
        ("started", facts["start_time"] or "not stated"),
        ("converter", _converter(facts)),
        ("bundle", _bundle(facts)),
        ("gain", _gain(facts)),
        ("framing", _framing(facts)),
    ]  # fmt: skip
    return pairs


def _gain(facts: dict[str, Any]) -> str:
    if facts["compression_gain"] is None:
        return "not told, since the file is damaged"
    raw = f"{facts['raw_bytes']:,} bytes of {facts['adc_bits']}-bit samples"
    return f"{text.gain(facts['compression_gain'])} ({raw})"


def _framing(facts: dict[str, Any]) -> str:
    share = 100 * facts["framing_bytes"] / facts["n_bytes"]
    return (
        f"{facts['framing_bytes']:,} bytes, {share:.1f} % of the file: header "
        f"{facts['header_bytes']:,}, {facts['overhead_bytes_per_frame']:.1f} a frame"
    )


def _converter(facts: dict[str, Any]) -> str:
    kinds = dict.fromkeys(
        f"{lead['adc_gain']:g} units per {lead['unit']}, zero at {lead['adc_baseline']}"
        for lead in facts["leads"]
    )
    if len(kinds) == 1:
        return f"{facts['adc_bits']} bit, {next(iter(kinds))}"
    each = "; ".join(
        f"{lead['name']} {lead['adc_gain']:g} per {lead['unit']}, "
        f"zero at {lead['adc_baseline']}"
        for lead in facts["leads"]
    )
    return f"{facts['adc_bits']} bit; {each}"


def _bundle(facts: dict[str, Any]) -> str:
    model_id = facts["model_id"]
    if not int(model_id, 16):
        return "none needed to decode it"
    return f"{facts['bundle'] or 'not in this installation'} (model {model_id})"


def _level_table(facts: dict[str, Any]) -> str:
    """Return the levels, strongest compression last, with a bar for the frames."""
    payload_bytes = max(1, sum(level["payload_bytes"] for level in facts["levels"]))
    rows = [
        [
            level["name"],
            f"{level['n_frames']:,}",
            f"{100 * level['n_frames'] / facts['n_frames']:.1f} %",
            f"{level['payload_bytes']:,}",
            f"{100 * level['payload_bytes'] / payload_bytes:.1f} %",
            text.gain(level["compression_gain"]),
            text.bar(level["n_frames"] / facts["n_frames"]),
        ]
        for level in facts["levels"]
    ]
    header = ["level", "frames", "of all", "bytes", "of all", "gain", text.bar(0.0)]
    note = "gain: of the payload, without framing; bars: share of the frames"
    return f"{text.table(header, rows)}\n{note}"


def _damage_lines(damage: list[dict[str, Any]]) -> list[str]:
    lines = [f"  {damage_line(place)}" for place in damage[:MAX_LISTED]]
    if len(damage) > MAX_LISTED:
        lines.append(f"  and {len(damage) - MAX_LISTED:,} more; --json lists them all")
    return lines
