# SPDX-License-Identifier: Apache-2.0
"""`demo`: a simulated ECG, coded at several levels, decoded and compared."""

from __future__ import annotations

import argparse
import contextlib
import io
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dynamic_deep.cli import text
from dynamic_deep.cli.bundles import load_codec
from dynamic_deep.cli.files import (
    naming,
    print_out,
    require_free,
    temporary_folder,
    whole_file,
)
from dynamic_deep.cli.measurement import measure
from dynamic_deep.cli.progress import ProgressBar
from dynamic_deep.codec import Codec
from dynamic_deep.recording import Recording, open_recording, write_recording
from dynamic_deep.synthetic import simulate

DURATION_S = 180.0
FS = 360.0  # Hz, the rate of MIT-BIH; the codec brings it to its own
ADC_GAIN = 200.0  # ADC units per mV, as in MIT-BIH
ADC_BASELINE = 1024
MAX_ERROR_UV = 10.0
N_SHOWN = 3  # levels of a kind
RHYTHM_PLAN = (("sinus", 60.0), ("afib", 50.0), ("pvc", 40.0), ("tachycardia", 30.0))
RHYTHM_NAMES = {
    "sinus": "normal rhythm",
    "afib": "atrial fibrillation",
    "pvc": "extra beats",
    "bigeminy": "bigeminy",
    "tachycardia": "fast rhythm",
    "bradycardia": "slow rhythm",
}


@dataclass(frozen=True, kw_only=True)
class Step:
    """One line of the demo: a level and what a reader should know of it."""

    level: str
    meaning: str
    max_error_uv: float | None = None


def run(args: argparse.Namespace) -> int:
    """Run the demo."""
    codec = load_codec(args.bundle)
    steps = chosen_steps(codec)
    with _folder(args.output) as folder:
        kept = [folder / f"demo_{step.level}.ddc" for step in steps]
        require_free(
            [folder / "demo.hea", folder / "demo.dat", *kept], force=args.force
        )
        simulated = simulate(
            DURATION_S,
            FS,
            n_leads=2,
            seed=args.seed,
            rhythm_plan=RHYTHM_PLAN,
            adc_gain=ADC_GAIN,
            adc_baseline=ADC_BASELINE,
            name="demo",
        )
        recording = simulated.recording
        with naming(folder / "demo"):
            write_recording(folder / "demo", recording)
        results = []
        with ProgressBar("coding a simulated ECG") as bar:
            for step_idx, (step, path) in enumerate(zip(steps, kept, strict=True)):
                bar(step_idx, len(steps))
                results.append(_try_level(codec, recording, step, path))
    facts = {
        "bundle": args.bundle,
        "duration_s": recording.duration_s,
        "fs": recording.fs,
        "n_leads": recording.n_leads,
        "raw_bytes": recording.samples.nbytes,
        "rhythms": [span.rhythm for span in simulated.rhythms],
        "levels": results,
        "output": args.output,
    }
    print_out(text.as_json(facts) if args.json else _as_text(facts))
    return 0 if all(result["passed"] for result in results) else 1


def chosen_steps(codec: Codec) -> list[Step]:
    """Return the levels that the demo shows: the exact ones, then a few of the rest."""
    steps = []
    for level in codec.levels:
        if level.kind == "lossless":
            steps.append(Step(level=level.name, meaning="every sample exact"))
        elif level.kind == "near_lossless":
            meaning = f"every sample within {MAX_ERROR_UV:g} uV"
            steps.append(
                Step(level=level.name, meaning=meaning, max_error_uv=MAX_ERROR_UV)
            )
    by_kind = {
        kind: [level.name for level in codec.levels if level.kind == kind]
        for kind in ("wavelet", "neural")
    }
    n_wavelet = 1 if by_kind["neural"] else N_SHOWN
    for name in _spread(by_kind["wavelet"], n_wavelet):
        steps.append(Step(level=name, meaning="wavelet transform"))
    for name in _spread(by_kind["neural"], N_SHOWN):
        steps.append(Step(level=name, meaning="neural network"))
    return steps


def _spread(names: Sequence[str], count: int) -> list[str]:
    """Return `count` names, evenly spread from first to last; one: the middle."""
    if count == 1 or len(names) <= 1:
        return list(names[len(names) // 2 :][:1])
    count = min(count, len(names))
    gap = (len(names) - 1) / (count - 1)
    return [names[round(i * gap)] for i in range(count)]


def _try_level(
    codec: Codec, recording: Recording, step: Step, path: Path
) -> dict[str, Any]:
    """Encode at one level, decode, compare."""
    started_s = time.perf_counter()
    coded = codec.encode(recording, level=step.level, max_error_uv=step.max_error_uv)
    encode_s = time.perf_counter() - started_s
    with whole_file(path) as stream:
        stream.write(coded)
    with open_recording(path.with_name("demo.hea")) as original:
        facts = measure(io.BytesIO(coded), original)
    bound = step.max_error_uv
    kept = bound is None or facts["max_error_uv"] <= bound
    names = ("n_bytes", "compression_gain", "prd", "prdn", "max_error_uv", "exact")
    return {
        "level": step.level,
        "meaning": step.meaning,
        **{name: facts[name] for name in names},
        "encode_s": encode_s,
        "passed": not facts["problems"] and kept,
    }


@contextlib.contextmanager
def _folder(output: str | None) -> Iterator[Path]:
    """Give the folder to write to, a passing one unless the user named one."""
    if output is None:
        with temporary_folder() as folder:
            yield folder
        return
    Path(output).mkdir(parents=True, exist_ok=True)
    yield Path(output)


def _as_text(facts: dict[str, Any]) -> str:
    rhythms = dict.fromkeys(RHYTHM_NAMES.get(name, name) for name in facts["rhythms"])
    raw_bytes = facts["raw_bytes"]
    intro = (
        f"A simulated ECG: {text.duration(facts['duration_s'])}, {facts['n_leads']} "
        f"leads at {facts['fs']:g} Hz, {raw_bytes:,} bytes as samples.\n"
        f"Its rhythms: {', '.join(rhythms)}; with the noise of a worn device."
    )
    rows = [["(as measured)", "16-bit samples", f"{raw_bytes:,}", "1.00", "0", "0", ""]]
    rows += [
        [
            result["level"],
            result["meaning"],
            f"{result['n_bytes']:,}",
            text.gain(result["compression_gain"]),
            f"{result['prdn']:.3g}",
            f"{result['max_error_uv']:.0f}",
            "ok" if result["passed"] else "FAILED",
        ]
        for result in facts["levels"]
    ]
    header = ["level", "what it is", "bytes", "gain", "PRDN %", "max uV", "check"]
    legend = (
        "gain     how many times fewer bytes than the samples, everything counted\n"
        "PRDN     size of the error in percent of the signal's own variation\n"
        "max uV   largest error of any sample; a heart beat is about 1000 uV high\n"
        "check    decoded again and compared with the original"
    )
    parts = [intro, text.table(header, rows, n_left=2), legend, _outlook(facts)]
    return "\n\n".join(parts)


def _outlook(facts: dict[str, Any]) -> str:
    folder = facts["output"]
    if folder is None:
        return "To keep the files: dynamic-deep demo -o DIR"
    name = facts["levels"][-1]["level"]
    coded = Path(folder, f"demo_{name}.ddc")
    return (
        f"Written to {folder}: demo.hea and demo.dat (the original), demo_LEVEL.ddc. "
        "Next:\n"
        f"  dynamic-deep info {coded}\n"
        f"  dynamic-deep decode {coded} -o {Path(folder, 'decoded')}\n"
        f"  dynamic-deep verify {coded} {Path(folder, 'demo.hea')}"
    )
