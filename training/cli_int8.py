# SPDX-License-Identifier: Apache-2.0
"""Command `int8`: the integer encoder of a bundle, made and compared."""

from __future__ import annotations

import argparse
from pathlib import Path

from training.cli_backend import start_backend


def add_commands(commands: argparse._SubParsersAction) -> None:
    """Add `int8`."""
    parser = commands.add_parser(
        "int8",
        help="quantise a bundle's encoder for a device, and compare it with the float "
        "one",
    )
    parser.add_argument("bundle", help="a shipped bundle, or a folder")
    parser.add_argument(
        "--activations",
        type=int,
        choices=(8, 16),
        default=8,
        help="bits of an activation; weights have 8 (default 8)",
    )
    parser.add_argument(
        "--compare",
        nargs="+",
        metavar="DATASET:SPLIT",
        default=[],
        help="then compare on these records, such as cinc2017:validation mitdb:test",
    )
    parser.add_argument(
        "--compare-only",
        action="store_true",
        help="compare with the integer encoder that the bundle has",
    )
    parser.add_argument(
        "--max-windows",
        type=int,
        metavar="N",
        help="of each split, evenly spread (default: all)",
    )
    parser.set_defaults(do=_int8)


def _int8(options: argparse.Namespace) -> None:
    from dynamic_deep.bundle import bundle_folder, load_bundle

    folder = bundle_folder(options.bundle)
    if not options.compare_only:
        _make(folder, options.activations)
    bundle = load_bundle(folder)
    for name in options.compare:
        _compare(bundle, name, options.max_windows)


def _make(folder: Path, activation_bits: int) -> None:
    start_backend()
    from dynamic_deep.bundle import load_bundle
    from training.int8 import put_encoder, quantize_encoder, representative_segments

    bundle = load_bundle(folder)
    segments = representative_segments(bundle)
    content = quantize_encoder(bundle, segments, activation_bits=activation_bits)
    path = put_encoder(folder, content)
    print(f"{path}: {len(content):,} bytes, from {len(segments):,} train segments")


def _compare(bundle, name: str, max_windows: int | None) -> None:  # type: ignore[no-untyped-def]
    from training.int8_compare import compare_levels
    from training.int8_subjects import chosen_subjects

    rows, n_windows = compare_levels(bundle, chosen_subjects(name, max_windows))
    print(f"{bundle.name}, {name}, {n_windows} windows: int8 against float")
    print("  level        bytes     x   PRDN %  int8 %  change  worst  equal %")
    for row in rows:
        print(
            f"  {row.level:9} {row.n_bytes[1]:9,} {row.byte_ratio:5.3f} "
            f"{row.prdn[0]:8.2f} {row.prdn[1]:7.2f} {row.prdn_change:+7.2f} "
            f"{row.worst:+6.2f} {100 * row.same:8.2f}"
        )
