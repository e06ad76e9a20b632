# SPDX-License-Identifier: Apache-2.0
"""Gain against error: rows, ratios at equal PRDN, the page, README, the figure."""

from __future__ import annotations

import copy
import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dynamic_deep.errors import ConfigError
from dynamic_deep.trials import Subject
from experiments.bootstrap import Bootstrap
from experiments.coders.protocol import Coder, Sent
from experiments.measured import Measured
from experiments.rate_distortion import classical_2026, compare, row_of
from experiments.rate_distortion.curves import curve_of, look_of, ratio_at_equal_prdn
from experiments.rate_distortion.figure import draw
from experiments.rate_distortion.page import section
from experiments.rate_distortion.readme import FRONT, FRONT_HEADER, front_rows
from experiments.section import Table
from experiments.windows import CINC_TEST, MITDB_TEST


@dataclass(frozen=True)
class Named:
    """What a coder is called; it has sent its windows already."""

    name: str
    family: str
    element_gain: float | None = None
    identity: str = "of a test"

    def send(self, subject: Subject) -> Sent:
        raise AssertionError("tables are made by hand here")


def table(
    raw: Sequence[float],
    sent: Sequence[float],
    prdn: Sequence[float],
    *,
    max_error: float = 5.0,
) -> Measured:
    """Windows of one record each."""
    n = len(raw)
    nan = np.full(n, np.nan)
    return Measured(
        records=np.array([f"r{i}" for i in range(n)]),
        labels=np.full(n, -1, np.int8),
        raw_bytes=np.array(raw, np.float64),
        n_bytes=np.array(sent, np.float64),
        prd=np.array(prdn, np.float64) / 2.0,
        prdn=np.array(prdn, np.float64),
        mape=nan,
        max_error=np.full(n, max_error),
        kl=nan,
        cce=nan,
        decided=np.full(n, -1, np.int8),
        beat_error=nan,
        changed=nan,
        beats=np.full((n, 4), np.nan),
    )


def flat(gain: float, prdn: float, **more: float) -> Measured:
    """Four windows that are all alike, so that no draw of records differs."""
    return table([1600.0] * 4, [1600.0 / gain] * 4, [prdn] * 4, **more)


# Every coder of README's table, on curves whose points are known.
GAINS = {
    "zlib -9": ("lz77", 2.0, 0.0),
    "flac": ("lossless", 4.0, 0.0),
    "pcodec -12": ("lossless", 4.1, 0.0),
    "lossless": ("lossless", 5.0, 0.0),
    "near_lossless +-2": ("near_lossless", 8.0, 3.0),
    "wavelet_32": ("wavelet", 10.0, 10.0),
    "wavelet_64": ("wavelet", 40.0, 20.0),
    "standard/wavelet_32": ("wavelet net", 13.0, 10.0),
    "standard/wavelet_64": ("wavelet net", 52.0, 20.0),
    "standard/gain_64": ("standard", 30.0, 15.0),
    "standard/gain_96": ("standard", 40.0, 16.0),
    "standard/gain_128": ("standard", 50.0, 18.0),
    "standard/gain_256": ("standard", 90.0, 50.0),
    "edge/gain_64": ("edge", 20.0, 15.0),
    "edge/gain_128": ("edge", 35.0, 18.0),
}


def coders() -> dict[str, Coder]:
    return {
        name: Named(name, family, 64.0 if family == "standard" else None)
        for name, (family, _, _) in GAINS.items()
    }


@functools.cache
def results() -> dict[str, Any]:
    tables = {
        name: flat(gain, prdn, max_error=0.0 if prdn == 0.0 else 2.0)
        for name, (_, gain, prdn) in GAINS.items()
    }
    of_split = {"n_windows": 4, "n_records": 4, **compare(tables, coders())}
    return {
        "missing": {"sz3": "its package is not installed"},
        "rivals": "",
        "splits": {MITDB_TEST: of_split, CINC_TEST: of_split},
        "classical_2026": classical_2026(),
        "figure": "rate_distortion.svg",
    }


def test_a_ratio_is_of_the_gain_between_the_curves_points() -> None:
    # Half way from gain 10 to 40 in the logarithm is 20; 30 is 1.5 times that.
    gain, ratio = ratio_at_equal_prdn(flat(30, 15), [flat(10, 10), flat(40, 20)])
    assert gain == pytest.approx(20.0)
    assert ratio == pytest.approx((1.5, 1.5, 1.5))


def test_a_level_beyond_the_curve_has_no_ratio() -> None:
    gain, ratio = ratio_at_equal_prdn(flat(90, 50), [flat(10, 10), flat(40, 20)])
    assert math.isnan(gain)
    assert math.isnan(ratio[0])


def test_an_interval_is_of_records_that_differ() -> None:
    curve = [flat(10, 10), flat(40, 20)]
    level = table([1600] * 4, [40, 50, 60, 80], [14, 15, 15, 16])
    _, (value, low, high) = ratio_at_equal_prdn(level, curve)
    assert low < value < high
    assert low > 1600 / 80 / 40
    assert high < 1600 / 40 / 10


def test_a_row_has_sums_over_sums_and_a_mean_of_ratios_beside() -> None:
    found = table([1000, 1000], [100, 500], [5.0, 7.0])
    row = row_of(Named("sz3 +-2", "sz3"), found, Bootstrap(found.records))
    assert row["gain"][0] == pytest.approx(2000 / 600, abs=1e-4)
    assert row["mean_gain"] == pytest.approx((10 + 2) / 2)
    assert row["bits_a_sample"] == pytest.approx(16 * 600 / 2000)
    assert row["prdn"][0] == pytest.approx(6.0)
    assert row["prdn_median"] == pytest.approx(6.0)
    assert row["prd"] == pytest.approx(3.0)
    assert (row["max_error"], row["is_exact"]) == (5.0, False)


def test_a_coder_without_a_bound_on_samples_shows_no_largest_error() -> None:
    found = flat(10, 10)
    row = row_of(Named("wavelet_32", "wavelet"), found, Bootstrap(found.records))
    assert "max_error" not in row


def test_lossy_coders_within_the_curve_are_set_beside_it() -> None:
    beside = compare(
        {name: flat(gain, prdn) for name, (_, gain, prdn) in GAINS.items()}, coders()
    )["beside_wavelet"]
    ratios = {row["name"]: row["ratio"][0] for row in beside}
    assert set(ratios) == {
        *("standard/gain_64", "standard/gain_96", "standard/gain_128"),
        *("edge/gain_64", "edge/gain_128"),
        *("standard/wavelet_32", "standard/wavelet_64"),
    }
    assert ratios["standard/gain_64"] == pytest.approx(1.5, abs=1e-4)
    assert ratios["edge/gain_64"] == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize(
    ("name", "family", "curve"),
    [
        ("edge/gain_64", "edge", "edge"),
        ("edge/gain_64 int8", "edge", "edge int8"),
        ("edge/task_112", "edge", "edge task"),
        ("paper/64 float32", "paper", "paper float32"),
        ("near_lossless +-2", "near_lossless", "near_lossless"),
    ],
)
def test_a_coder_is_on_one_curve(name: str, family: str, curve: str) -> None:
    assert curve_of(name, family) == curve
    assert look_of(curve).colour.startswith("#")


def test_the_page_says_what_is_exact_missing_and_above_the_wavelet() -> None:
    found = section(results())
    tables = [block for block in found.blocks if isinstance(block, Table)]
    for one in tables:
        assert {len(row) for row in one.rows} == {len(one.header)}
    cells = {row[0]: row for row in tables[0].rows}
    assert cells["lossless"][4] == "exact"
    assert cells["near_lossless +-2"][7] == "2"
    assert cells["standard/gain_64"][8] == "64"
    words = " ".join(block for block in found.blocks if isinstance(block, str))
    assert "its package is not installed" in words
    claims = {claim.claim.split()[0]: claim for claim in found.claims}
    assert claims["standard/gain_64"].why == "met on both sets"
    assert claims["edge/gain_64"].why.startswith("missed")
    assert "80.0 % saved" in claims["a"].ours  # 1 - 1/5


def test_readme_has_a_cell_of_each_set() -> None:
    rows = front_rows(results())
    assert len(rows) == len(FRONT)
    assert {len(row) for row in rows} == {len(FRONT_HEADER)}
    assert rows[0] == ("zlib -9 (LZ77)", "2 (2-2)", "2 (2-2)")
    assert rows[4][1] == "8 (8-8) at 3 %"


def test_readme_must_have_every_coder() -> None:
    found = copy.deepcopy(results())
    split = found["splits"][CINC_TEST]
    found["splits"][CINC_TEST] = {
        **split,
        "rows": [row for row in split["rows"] if row["name"] != "flac"],
    }
    with pytest.raises(ConfigError, match="flac"):
        front_rows(found)


def test_the_reference_curve_names_source_and_date() -> None:
    facts = classical_2026()
    assert len(facts["prdn"]) == len(facts["gain"]) == len(facts["step"])
    assert facts["gain"] == sorted(facts["gain"])
    assert {"source", "date", "windows", "title"} <= set(facts)


def test_the_figure_is_the_same_from_the_same_results(tmp_path: Path) -> None:
    names = [draw(results(), folder=tmp_path / part) for part in ("a", "b")]
    first, second = (
        (tmp_path / part / name).read_bytes()
        for part, name in zip(("a", "b"), names, strict=True)
    )
    assert first == second
    assert b"<svg" in first
