# SPDX-License-Identifier: Apache-2.0
"""Table I: LZ77, lossless, the classic autoencoder and Dynamic-Deep at two bounds.

On CinC 2017 test. Gains as the paper counts them stand beside gains in bytes.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from dynamic_deep.bound_odds import LOSSLESS, Requirement
from experiments.bound_table.asked import ASKED
from experiments.coders.roster import bundle_sources, load_all
from experiments.measured import Measured
from experiments.measuring import RAW, Wanted, measure_all
from experiments.networks.paper import REFERENCES
from experiments.outcome import plain, triple
from experiments.rivals_trained import rivals_note
from experiments.scores import SCORES, ScoreBootstrap
from experiments.table_1.mixes import (
    Mix,
    Names,
    bundle_choice,
    element_gains,
    mix_of,
    paper_choice,
    paper_foretold,
)
from experiments.table_1.says import section
from experiments.windows import CINC_TEST

__all__ = ["add_arguments", "run", "section"]

BUNDLES = ("monitor", "edge")
SOURCES = (
    *("general", "cae", "paper"),
    *dict.fromkeys(source for bundle in BUNDLES for source in bundle_sources(bundle)),
)
LABEL_BOUND, RAW_BOUND = 0.75, 0.1  # nats
# Title, and coder if all windows are sent by one.
FIXED = (
    ("uncompressed", RAW),
    ("LZ77: zlib -9", "zlib -9"),
    ("LZ77: zstd -19", "zstd -19"),
    ("lossless", LOSSLESS),
    ("CAE32, MIT-BIH only, float32", "cae32 mitdb float32"),
    ("CAE32, MIT-BIH only, int8", "cae32 mitdb int8"),
    ("CAE32, fine-tuned, float32", "cae32 cinc float32"),
    ("CAE32, fine-tuned, int8", "cae32 cinc int8"),
)
# Storage of the latent, and what is sent where no level is foretold to do.
PAPER_WAYS = (("float32", RAW), ("float32", LOSSLESS), ("int8", LOSSLESS))
_NEEDS: dict[str, Requirement] = {one.name: one.need for one in ASKED}
NEEDS = {"label": _NEEDS["label"], "raw": _NEEDS["rhythm"]}


@dataclass(frozen=True, kw_only=True, eq=False)
class Row:
    """One row before it is measured.

    Attributes:
        key: to find it by.
        title: what it is.
        bound: label, raw, or empty for one coder for all.
        mix: its windows.
        raw: the same windows uncompressed.
    """

    key: str
    title: str
    bound: str
    mix: Mix
    raw: Measured


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add nothing: there is nothing to choose."""


def run(options: argparse.Namespace) -> dict[str, Any]:
    """Measure every row.

    Returns:
        The rows, each figure with its interval; what is missing, and why.

    Raises:
        ConfigError: If the records are not there.
    """
    tables = measure_all(Wanted(CINC_TEST, SOURCES))
    missing = load_all(SOURCES)[1]
    for source, why in missing.items():
        print(f"left out: {source}: {why}")
    draws = ScoreBootstrap(tables[RAW].records)
    rows = []
    for row in _rows(tables, "paper" not in missing):
        rows.append(measure_row(row, draws))
        print(f"{rows[-1]['title']}: gain {rows[-1]['gain'][0]:.3g}")
    return {
        "n_windows": len(tables[RAW]),
        "n_records": len(np.unique(tables[RAW].records)),
        "bounds_nats": {"label": LABEL_BOUND, "raw": RAW_BOUND},
        "missing": missing,
        "rivals": rivals_note(),
        "rows": rows,
    }


def _rows(tables: Mapping[str, Measured], has_paper: bool) -> Iterator[Row]:
    gains = element_gains(SOURCES) | {RAW: 1.0}
    raw = tables[RAW]

    def row(key: str, title: str, names: Names, bound: str = "") -> Row:
        return Row(
            key=key,
            title=title,
            bound=bound,
            mix=mix_of(tables, names, gains),
            raw=raw,
        )

    for title, name in FIXED:
        if name in tables:
            yield row(name, title, np.full(len(raw), name))
    for bound in NEEDS:
        if has_paper:
            yield from (row(*way, bound) for way in _paper_ways(bound))
        for bundle in BUNDLES:
            names = bundle_choice(bundle, CINC_TEST, NEEDS[bound])
            yield row(bundle, f"Dynamic-Deep `{bundle}`", names, bound)


def _paper_ways(bound: str) -> Iterator[tuple[str, str, Names]]:
    limit = {"label": LABEL_BOUND, "raw": RAW_BOUND}[bound]
    foretold = paper_foretold(CINC_TEST)[:, :, REFERENCES.index(bound)]
    for storage, fallback in PAPER_WAYS:
        names = paper_choice(foretold, limit, storage=storage, fallback=fallback)
        title = f"Dynamic-Deep as published, {storage}, else {fallback}"
        yield f"paper {storage} {fallback}", title, names


def measure_row(row: Row, draws: ScoreBootstrap) -> dict[str, Any]:
    """Return the figures of a row, each with its interval."""
    table = row.mix.table
    is_lossy = table.max_error > 0
    over = (table.cce > LABEL_BOUND) & is_lossy
    is_inherent = row.raw.cce > LABEL_BOUND
    means = {
        "element_gain": row.mix.element_gains,
        "mean_gain": table.raw_bytes / table.n_bytes,
        "mape": table.mape,
        "prd": table.prd,
        "prdn": table.prdn,
        "over_label": over,
        "avoidable": over & ~is_inherent,
        "inherent": over & is_inherent,
        "over_raw": (table.kl > RAW_BOUND) & is_lossy,
    }
    scores = draws.scores(table.labels, table.decided)
    names, counts = np.unique(row.mix.names, return_counts=True)
    return {
        "key": row.key,
        "title": row.title,
        "bound": row.bound,
        "gain": triple(draws.ratio(table.raw_bytes, table.n_bytes)),
        **{k: triple(draws.mean(v.astype(np.float64))) for k, v in means.items()},
        **{name: triple(scores[name]) for name in SCORES},
        "levels": {
            str(name): plain(count / len(table))
            for name, count in zip(names, counts, strict=True)
        },
    }
