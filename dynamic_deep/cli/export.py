# SPDX-License-Identifier: Apache-2.0
"""`export`: a bundle as C sources for firmware."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

from dynamic_deep.bundle import load_bundle
from dynamic_deep.cli import text
from dynamic_deep.cli.files import print_out
from dynamic_deep.firmware import export_firmware


def run(args: argparse.Namespace) -> int:
    """Write the folder, and say what its parts take of a device's flash."""
    bundle = load_bundle(args.bundle)
    files = export_firmware(bundle, Path(args.c), force=args.force)
    if args.json:
        facts = dataclasses.asdict(files) | {
            "folder": str(files.folder),
            "bundle": bundle.name,
            "model_id": bundle.model_id.hex(),
        }
        print_out(text.as_json(facts))
        return 0
    rows = [
        ["int8 encoder", f"{files.model_bytes:,}"],
        ["error heads", f"{files.heads_bytes:,}" if files.heads_bytes else "none"],
        ["tables of lossless and near_lossless", f"{files.lossless_bytes:,}"],
        ["tables of the other levels", f"{files.level_bytes:,}"],
    ]
    print_out(
        f"bundle {bundle.name}, model {bundle.model_id.hex()} -> {files.folder}\n"
    )
    print_out(text.table(["part", "bytes of flash"], rows, n_left=1))
    print_out(f"\n{files.n_vectors} reference vectors; begin with README.md there")
    return 0
