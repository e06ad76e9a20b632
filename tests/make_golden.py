# SPDX-License-Identifier: Apache-2.0
"""Make the golden files of the format: `python -m tests.make_golden`.

Files with made-up payloads pin the container; files with real ones, written with the
bundles that tests/make_bundle.py keeps, pin what payloads mean.
A file that exists is never overwritten: the files of a format version decode for ever.
A new version gets new files.
"""

from __future__ import annotations

import hashlib
import io
import json
import sys
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np

from dynamic_deep.bundle import load_bundle
from dynamic_deep.codec import Codec
from dynamic_deep.container import (
    ContainerReader,
    ContainerWriter,
    FileHeader,
    Frame,
    WindowGeometry,
)
from dynamic_deep.entropy import RangeDecoder
from dynamic_deep.recording import Recording, RecordingInfo
from dynamic_deep.segments import model_len, window_bounds
from dynamic_deep.synthetic import simulate_ecg
from dynamic_deep.window_codec import coded_steps
from tests.signals import CONTEXT, COSINE

FOLDER = Path(__file__).parent / "data" / "format"
_MODEL_ID = bytes.fromhex("00112233445566778899aabbccddeeff")


def _payload(length: int, start: int) -> bytes:
    return bytes((start + 7 * i) % 251 for i in range(length))


def _write(
    header: FileHeader,
    frames: list[Frame],
    n_samples: int,
    n_windows: int | None = None,
) -> bytes:
    stream = io.BytesIO()
    writer = ContainerWriter(stream, header)
    for frame in frames:
        writer.write_frame(frame)
    writer.close(n_samples, n_windows)
    return stream.getvalue()


def _single() -> bytes:
    """A record as CinC 2017 has them: everything at its default."""
    info = RecordingInfo(
        fs=300.0,
        adc_gain=(1000.0,),
        adc_baseline=(0,),
        units=("mV",),
        lead_names=("ECG",),
        name="A00001",
    )
    header = FileHeader(model_id=_MODEL_ID, info=info, level_names={9: "gain_128"})
    return _write(header, [Frame(0, 0, 9, _payload(140, 1))], 9000)


def _full() -> bytes:
    """Three leads, every optional field, a gap inside and one at the end."""
    info = RecordingInfo(
        fs=359.5,
        adc_gain=(200.0, 204.8, -0.5),
        adc_baseline=(1024, -70000, 0),
        units=("mV", "µV", "mmHg"),
        lead_names=("MLII", "V5", "ABP"),
        adc_bits=24,
        start_time=datetime(2024, 2, 29, 23, 30, 0, 250, timezone(timedelta(hours=-3))),
        name="Nacht 1",
    )
    geometry = WindowGeometry(
        model_fs=360.0, segment_len=2000, segments_per_window=2, min_tail_len=500
    )
    names = {2: "wavelet_46", 3: "gain_32", 31: "own"}
    header = FileHeader(
        model_id=_MODEL_ID, info=info, level_names=names, geometry=geometry
    )
    lengths = (0, 1, 1023, 1024, 8191, 8192, 30_000)
    levels = (0, 1, 2, 3, 31)
    frames = [
        Frame(*divmod(seq, 3), levels[seq % 5], _payload(lengths[seq % 7], seq))
        for seq in range(17)
        if seq not in (4, 5)
    ]
    start = geometry.window_start(7, info.fs)
    return _write(header, frames, start, 7)


def _indexed() -> bytes:
    """Long enough for an index."""
    info = RecordingInfo(
        fs=360.0,
        adc_gain=(200.0, 200.0),
        adc_baseline=(1024, 1024),
        units=("mV", "mV"),
        lead_names=("MLII", "V1"),
        start_time=datetime(2001, 9, 9, 1, 46, 40),
    )
    frames = [
        Frame(*divmod(seq, 2), seq % 2, _payload(900 + seq, seq)) for seq in range(150)
    ]
    return _write(FileHeader(info=info), frames, 75 * 10_752 - 3)


GOLDEN: dict[str, Callable[[], bytes]] = {
    "v1_single": _single,
    "v1_full": _full,
    "v1_indexed": _indexed,
}


# Real payloads, name -> bundle, level. Their `.npz` holds what they must decode to.
PAYLOADS = {
    "v1_lossless": (COSINE, "lossless"),
    "v1_near_lossless": (COSINE, "near_lossless"),
    "v1_wavelet": (COSINE, "wavelet_16"),
    "v1_neural": (COSINE, "gain_32"),
    "v1_neural_net": (CONTEXT, "gain_32"),
    "v1_wavelet_net": (CONTEXT, "wavelet_16"),
}
MAX_ERROR_UV = 12.0  # 2 ADC units at 200 a mV


def payload_recording() -> Recording:
    """Two windows and a tail that joins the second, with missing samples in a lead."""
    fs, n_samples = 50.0, 3100
    whole = simulate_ecg(n_samples / fs + 1.0, fs=fs, n_leads=2, seed=9)
    samples = whole.samples[:n_samples].copy()
    samples[400:420, 1] = -32768
    return Recording(
        fs=fs,
        adc_gain=(200.0, 200.0),
        adc_baseline=(0, 0),
        units=("mV", "mV"),
        lead_names=("I", "II"),
        samples=samples,
        name="golden",
    )


def encode_payload(folder: Path, level: str, recording: Recording) -> bytes:
    """Encode as a golden file of payloads is encoded, with a kept bundle."""
    bound = MAX_ERROR_UV if level == "near_lossless" else None
    return Codec.load(folder).encode(recording, level=level, max_error_uv=bound)


def decode_latents(data: bytes, folder: Path) -> list[np.ndarray]:
    """Return the latent of every neural frame: int32 arrays, (n_steps, n_channels)."""
    bundle = load_bundle(folder)
    reader = ContainerReader(data)
    fs = reader.header.info.fs
    bounds = window_bounds(reader.n_samples, fs)
    latents = []
    for frame in reader.frames():
        level = bundle.level_by_id(frame.level_id)
        if level.kind != "neural":
            continue
        start, stop = bounds[frame.window_idx]
        shape = bundle.latents[level.name]
        coder = RangeDecoder(frame.payload)
        bundle.scales.decode(coder)
        n_steps = coded_steps(model_len(stop - start, fs), shape.stride)
        latents.append(bundle.latent_coder(level.name).decode(coder, n_steps))
    return latents


def describe(data: bytes) -> dict[str, Any]:
    """Return what a reader must give for a file, ready for JSON."""
    reader = ContainerReader(data)
    frames = [
        [
            *(frame.window_idx, frame.lead, frame.level_id, len(frame.payload)),
            hashlib.sha256(frame.payload).hexdigest()[:16],
        ]
        for frame in reader.frames()
    ]
    info, geometry = reader.header.info, reader.header.geometry
    return {
        "model_id": reader.header.model_id.hex(),
        "fs": info.fs,
        "adc_gain": list(info.adc_gain),
        "adc_baseline": list(info.adc_baseline),
        "units": list(info.units),
        "lead_names": list(info.lead_names),
        "adc_bits": info.adc_bits,
        "start_time": info.start_time.isoformat() if info.start_time else None,
        "name": info.name,
        "level_names": {str(i): name for i, name in reader.header.level_names.items()},
        "geometry": [
            geometry.model_fs,
            geometry.segment_len,
            geometry.segments_per_window,
            geometry.min_tail_len,
        ],
        "n_samples": reader.n_samples,
        "n_windows": reader.n_windows,
        "frames": frames,
        "skipped": [[s.window_idx, s.lead, s.n_frames] for s in reader.skipped],
        "damage": [d.reason for d in reader.damage],
    }


def main() -> int:
    """Write the files that are missing."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, make in GOLDEN.items():
        path = FOLDER / f"{name}.ddc"
        if path.exists():
            sys.stderr.write(f"{path} exists and stays as it is\n")
            continue
        data = make()
        path.write_bytes(data)
        text = json.dumps(describe(data), indent=1, ensure_ascii=False)
        path.with_suffix(".json").write_text(text + "\n", encoding="utf-8")
        sys.stderr.write(f"{path} made, {len(data)} bytes\n")
    for name, (folder, level) in PAYLOADS.items():
        _write_payload(FOLDER / f"{name}.ddc", folder, level)
    return 0


def _write_payload(path: Path, folder: Path, level: str) -> None:
    if path.exists():
        sys.stderr.write(f"{path} exists and stays as it is\n")
        return
    recording = payload_recording()
    data = encode_payload(folder, level, recording)
    path.write_bytes(data)
    decoded = Codec.load(folder).decode(data)
    arrays = {"original": recording.samples, "decoded": decoded.samples}
    if level.startswith("gain"):
        arrays["latents"] = np.concatenate(decode_latents(data, folder))
    np.savez_compressed(path.with_suffix(".npz"), **arrays)
    text = json.dumps(describe(data), indent=1, ensure_ascii=False)
    path.with_suffix(".json").write_text(text + "\n", encoding="utf-8")
    sys.stderr.write(f"{path} made, {len(data)} bytes\n")


if __name__ == "__main__":
    sys.exit(main())
