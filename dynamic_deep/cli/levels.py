# SPDX-License-Identifier: Apache-2.0
"""`levels`: the ladder of a bundle."""

from __future__ import annotations

import argparse

from dynamic_deep.bundle import bundle_folder
from dynamic_deep.calibration import calibration_names
from dynamic_deep.cli import text
from dynamic_deep.cli.bundles import load_codec
from dynamic_deep.cli.files import print_out
from dynamic_deep.cli.options import DEFAULT_LEVEL
from dynamic_deep.tasks import task_names

MEANING = {
    "lossless": "every sample comes back exactly",
    "near_lossless": "every sample within --max-error-uv",
    "wavelet": "wavelet transform, no network",
    "neural": "neural network",
}


def run(args: argparse.Namespace) -> int:
    """List the levels."""
    codec = load_codec(args.bundle)
    model_id = codec.model_id.hex()
    tasks = task_names(codec.bundle)
    calibrations = calibration_names(bundle_folder(args.bundle))
    heads = codec.bundle.config.get("heads") or {"levels": []}
    bound_levels = [str(name) for name in heads["levels"]]
    if args.json:
        levels = [
            {
                "id": level.id,
                "name": level.name,
                "kind": level.kind,
                "nominal_gain": level.nominal_gain,
            }
            for level in codec.levels
        ]
        facts = {
            "bundle": args.bundle,
            "model_id": model_id,
            "levels": levels,
            "tasks": tasks,
            "bound_levels": bound_levels,
            "calibrations": calibrations,
        }
        print_out(text.as_json(facts))
        return 0
    rows = []
    for level in codec.levels:
        meaning = MEANING.get(level.kind, level.kind)
        if level.kind == "wavelet" and codec.bundle.has_context_net(level.name):
            meaning = "wavelet transform, coded by a small network"
        if level.name == DEFAULT_LEVEL:
            meaning += " (the default)"
        gain = f"{level.nominal_gain:g}" if level.nominal_gain else "varies"
        rows.append([level.name, meaning, gain])
    print_out(f"bundle {args.bundle}, model {model_id}\n")
    print_out(text.table(["level", "what it is", "typical gain"], rows, n_left=2))
    if tasks:
        print_out(f"\ntasks, for --bound: {', '.join(tasks)}")
        if bound_levels:
            print_out(f"a bound chooses lossless or among {', '.join(bound_levels)}")
        print_out(f"calibrations: {', '.join(calibrations) or 'none, see calibrate'}")
    return 0
