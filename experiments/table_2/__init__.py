# SPDX-License-Identifier: Apache-2.0
"""Table II: parameters, memory and work of the paper's encoders and of ours.

The paper's are counted from the networks as built here, ours from the files that a
bundle ships. Error heads are left out, as in the paper.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from device_sim.footprint import measure_footprint
from dynamic_deep.bundle import load_bundle
from dynamic_deep.config import MODEL_FS, SEGMENT_LEN
from dynamic_deep.errors import ConfigError
from experiments.networks.paper_segments import SEGMENT_LEN as PAPER_SEGMENT_LEN
from experiments.table_2.counts import Counts, count_file, count_keras
from experiments.table_2.says import section

__all__ = ["add_arguments", "run", "section"]

FLOAT_BYTES = 4
BUNDLES = ("standard", "monitor", "edge")
INTEGER = "edge"  # the bundle whose encoder is shipped in integers


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing: there is nothing to choose."""


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Count every encoder.

    Returns:
        The rows; what is missing, and why.
    """
    missing: dict[str, str] = {}
    rows: list[dict[str, Any]] = []
    try:
        rows += _paper_rows()
    except ImportError as error:
        missing["the paper's encoders"] = (
            f"{error}; install the extra train: pip install 'dynamic-deep[train]'"
        )
    rows += _bundle_rows()
    try:
        rows.append(_integer_row())
    except ConfigError as error:
        missing["the encoder in integers"] = str(error)
    for row in rows:
        print(f"{row['title']}: {row['n_params']:,} parameters")
    return {"rows": rows, "missing": missing, "fs": MODEL_FS}


def _paper_rows() -> list[dict[str, Any]]:
    from dynamic_deep.networks.paper import build_paper_encoder
    from experiments.networks.yildirim2018 import build_encoder

    classic = count_keras(build_encoder(32))
    as_run = classic + count_keras(build_encoder(64))
    shared = count_keras(build_paper_encoder())

    def row(title: str, counts: Counts, params_k: int, kilobytes: int) -> Any:
        paper = {"params_k": params_k, "kilobytes": kilobytes}
        return _row(title, counts, PAPER_SEGMENT_LEN) | {"paper": paper}

    return [
        row("classic, 2 levels", classic, 133, 532),
        row("classic, 3 levels, as counted: one twice", classic + classic, 266, 1064),
        _row("classic, 3 levels, as run: CAE32 and CAE64", as_run, PAPER_SEGMENT_LEN),
        row("deep compression, 3 levels, one each", shared + shared, 168, 678),
        row("shared, 3 levels", shared, 83, 332),
    ]


def _bundle_rows() -> Iterator[dict[str, Any]]:
    for name in BUNDLES:
        bundle = load_bundle(name)
        counts = count_file(bundle.networks["encoder"], f"{name}'s encoder")
        n_levels = sum(level.kind == "neural" for level in bundle.levels)
        yield _row(f"`{name}`, {n_levels} neural levels", counts, SEGMENT_LEN)


def _integer_row() -> dict[str, Any]:
    content = load_bundle(INTEGER).networks["encoder_int8"]
    counts = count_file(content, f"{INTEGER}'s encoder in integers")
    footprint = measure_footprint(INTEGER)
    return _row(f"`{INTEGER}` in integers", counts, SEGMENT_LEN) | {
        "float_bytes": None,
        "file_bytes": len(content),
        "flash_bytes": footprint.weights_bytes + footprint.tables_bytes,
        "arena_bytes": footprint.arena_bytes,
    }


def _row(title: str, counts: Counts, segment_len: int) -> dict[str, Any]:
    return {
        "title": title,
        "segment_len": segment_len,
        "n_params": counts.n_params,
        "float_bytes": FLOAT_BYTES * counts.n_params,
        "int8_bytes": counts.n_params,
        "macs_per_segment": counts.macs,
        "macs_per_s": round(counts.macs * MODEL_FS / segment_len),
        "live_values": counts.live_values,
        "paper": None,
    }
