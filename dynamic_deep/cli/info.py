# SPDX-License-Identifier: Apache-2.0
"""`info`: what is in a coded file, and is it intact. No network is loaded."""

from __future__ import annotations

import argparse
import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from dynamic_deep.cli import text
from dynamic_deep.cli.failures import report
from dynamic_deep.cli.files import STANDARD, print_out, spooled_stdin
from dynamic_deep.container import ContainerReader, Damage
from dynamic_deep.recording import RecordingInfo

MAX_LISTED = 10  # damaged places that the text lists; JSON has them all


def run(args: argparse.Namespace) -> int:
    """Show one file."""
    with _source(args.input) as stream:
        facts = inspect(stream)
    facts = {"file": args.input, **facts}
    print_out(text.as_json(facts) if args.json else _as_text(facts))
    if not facts["damage"]:
        return 0
    report(f"{args.input}: {damage_summary(facts['damage'])}")
    return 1


def inspect(stream: BinaryIO) -> dict[str, Any]:
    """Return the facts about a coded file.

    Args:
        stream: The file, seekable and at its beginning.

    Returns:
        What `info --json` prints.
    """
    n_bytes = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    reader = ContainerReader(stream)
    info = reader.header.info
    places = [(frame.window_idx, frame.level_id) for frame in reader.frames()]
    use = reader.summary
    samples = dict.fromkeys(use.levels, 0)  # level id: samples of its frames
    for window_idx, level_id in places:
        samples[level_id] += _window_len(reader, window_idx)
    sample_bytes = info.adc_bits // 8
    raw_bytes = reader.n_samples * info.n_leads * sample_bytes
    return {
        "n_bytes": n_bytes,
        **describe_recording(info, reader.n_samples),
        "model_id": reader.header.model_id.hex(),
        "raw_bytes": raw_bytes,
        "compression_gain": None if reader.damage else raw_bytes / n_bytes,
        "n_frames": use.n_frames,
        "framing_bytes": use.framing_bytes,
        "header_bytes": use.header_bytes,
        "overhead_bytes_per_frame": use.frame_overhead_bytes / max(use.n_frames, 1),
        "levels": [
            {
                "name": level.name,
                "n_frames": level.n_frames,
                "payload_bytes": level.payload_bytes,
                "compression_gain": samples[level_id]
                * sample_bytes
                / max(level.payload_bytes, 1),
            }
            for level_id, level in sorted(use.levels.items())
        ],
        "complete": reader.is_complete,
        "skipped": describe_damage(reader.skipped, info),
        "damage": describe_damage(reader.damage, info),
    }


def describe_recording(info: RecordingInfo, n_samples: int) -> dict[str, Any]:
    """Return what a person wants to know of a recording, ready for JSON."""
    return {
        "name": info.name,
        "fs": info.fs,
        "n_samples": n_samples,
        "duration_s": n_samples / info.fs,
        "start_time": info.start_time.isoformat(sep=" ") if info.start_time else None,
        "adc_bits": info.adc_bits,
        "leads": [
            {"name": name, "adc_gain": gain, "adc_baseline": baseline, "unit": unit}
            for name, gain, baseline, unit in zip(
                info.lead_names,
                info.adc_gain,
                info.adc_baseline,
                info.units,
                strict=True,
            )
        ],
    }


def describe_damage(damage: list[Damage], info: RecordingInfo) -> list[dict[str, Any]]:
    """Return the damaged places, ready for JSON."""
    return [
        {
            "window_idx": place.window_idx,
            "lead": None if place.lead is None else info.lead_names[place.lead],
            "n_frames": place.n_frames,
            "offset": place.offset,
            "reason": place.reason,
        }
        for place in damage
    ]


def damage_summary(damage: list[dict[str, Any]]) -> str:
    """Return the damaged places in one line."""
    n_lost = sum(place["n_frames"] for place in damage)
    lost = text.plural(n_lost, "frame") + " lost" if n_lost else "no frame lost"
    n_more = len(damage) - 1
    more = f"; and {text.plural(n_more, 'place')} more" if n_more else ""
    return f"damaged, {lost}: {damage_line(damage[0])}{more}"


def damage_line(place: dict[str, Any]) -> str:
    """Return one damaged place in words."""
    where = f"byte {place['offset']:,}"
    if place["window_idx"] is not None:
        where += f", window {place['window_idx']} of lead {place['lead']}"
    return f"{place['reason']} ({where})"


def _window_len(reader: ContainerReader, window_idx: int) -> int:
    """Return the samples of a window of one lead, at the recording's own rate."""
    geometry, fs = reader.header.geometry, reader.header.info.fs
    start = geometry.window_start(window_idx, fs)
    if window_idx == reader.n_windows - 1:
        return reader.n_samples - start
    return geometry.window_start(window_idx + 1, fs) - start


@contextlib.contextmanager
def _source(name: str) -> Iterator[BinaryIO]:
    """Open the file, or standard input, seekable."""
    if name == STANDARD:
        with spooled_stdin() as stream:
            yield stream
        return
    with Path(name).open("rb") as stream:
        yield stream


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
    pairs = [
        ("file", f"{facts['file']}, {facts['n_bytes']:,} bytes"),
        ("recording", facts["name"]),
        ("leads", f"{len(leads)} ({names})"),
        ("length", f"{text.duration(facts['duration_s'])} at {facts['fs']:g} Hz, "
                   f"{facts['n_samples']:,} samples a lead"),
        ("started", facts["start_time"] or "not stated"),
        ("converter", _converter(facts)),
        ("model", _model(facts["model_id"])),
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


def _model(model_id: str) -> str:
    return model_id if int(model_id, 16) else "none needed to decode it"


def _level_table(facts: dict[str, Any]) -> str:
    payload_bytes = max(1, sum(level["payload_bytes"] for level in facts["levels"]))
    rows = [
        [
            level["name"],
            f"{level['n_frames']:,}",
            f"{100 * level['n_frames'] / facts['n_frames']:.1f} %",
            f"{level['payload_bytes']:,}",
            f"{100 * level['payload_bytes'] / payload_bytes:.1f} %",
            text.gain(level["compression_gain"]),
        ]
        for level in facts["levels"]
    ]
    header = ["level", "frames", "of all", "bytes", "of all", "gain without framing"]
    return text.table(header, rows)


def _damage_lines(damage: list[dict[str, Any]]) -> list[str]:
    lines = [f"  {damage_line(place)}" for place in damage[:MAX_LISTED]]
    if len(damage) > MAX_LISTED:
        lines.append(f"  and {len(damage) - MAX_LISTED:,} more; --json lists them all")
    return lines
