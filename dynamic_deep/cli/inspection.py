# SPDX-License-Identifier: Apache-2.0
"""The facts about a coded file and its damage; nothing is decoded for them."""

from __future__ import annotations

from typing import Any, BinaryIO

from dynamic_deep.bundle_shipped import find_bundle
from dynamic_deep.cli import text
from dynamic_deep.container import ContainerReader, Damage
from dynamic_deep.errors import ModelError
from dynamic_deep.recording import RecordingInfo


def inspect(stream: BinaryIO) -> dict[str, Any]:
    """Return the facts about a coded file.

    Args:
        stream: The file at its beginning; need not be seekable.

    Returns:
        What `info --json` prints.
    """
    reader = ContainerReader(stream)
    info = reader.header.info
    places = [(frame.window_idx, frame.level_id) for frame in reader.frames()]
    use = reader.summary
    raw_bytes = reader.n_samples * info.n_leads * info.adc_bits // 8
    return {
        "n_bytes": use.n_bytes,
        **describe_recording(info, reader.n_samples),
        "model_id": reader.header.model_id.hex(),
        "bundle": _bundle_name(reader.header.model_id),
        "raw_bytes": raw_bytes,
        "compression_gain": None if reader.damage else raw_bytes / use.n_bytes,
        "n_frames": use.n_frames,
        "framing_bytes": use.framing_bytes,
        "header_bytes": use.header_bytes,
        "overhead_bytes_per_frame": use.frame_overhead_bytes / max(use.n_frames, 1),
        "levels": _describe_levels(reader, places),
        "complete": reader.is_complete,
        "skipped": describe_damage(reader.skipped, info),
        "damage": describe_damage(reader.damage, info),
    }


def _describe_levels(
    reader: ContainerReader, places: list[tuple[int, int]]
) -> list[dict[str, Any]]:
    """Return what each level is used for; `places`: (window_idx, level_id)."""
    levels = reader.summary.levels
    samples = dict.fromkeys(levels, 0)
    for window_idx, level_id in places:
        samples[level_id] += _window_len(reader, window_idx)
    sample_bytes = reader.header.info.adc_bits // 8
    return [
        {
            "name": use.name,
            "n_frames": use.n_frames,
            "payload_bytes": use.payload_bytes,
            "compression_gain": samples[level_id]
            * sample_bytes
            / max(use.payload_bytes, 1),
        }
        for level_id, use in sorted(levels.items())
    ]


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


def _bundle_name(model_id: bytes) -> str | None:
    """Return which of the shipped bundles decodes the file, if one does."""
    try:
        return find_bundle(model_id) if any(model_id) else None
    except ModelError:
        return None


def _window_len(reader: ContainerReader, window_idx: int) -> int:
    """Return the samples of a window of one lead, at the recording's own rate."""
    geometry, fs = reader.header.geometry, reader.header.info.fs
    start = geometry.window_start(window_idx, fs)
    if window_idx == reader.n_windows - 1:
        return reader.n_samples - start
    return geometry.window_start(window_idx + 1, fs) - start
