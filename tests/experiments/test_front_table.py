# SPDX-License-Identifier: Apache-2.0
"""README's front is made of results, and nothing else of README changes."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest

from dynamic_deep.errors import ConfigError
from experiments.page import README
from experiments.page.front_table import BEGIN, BUNDLE, END, front_block, with_front
from experiments.rate_distortion.readme import FRONT
from experiments.windows import CINC_TEST, MITDB_TEST

BLOCK = "| a | b |\n|---|---|"


def rate_row(name: str, gain: float) -> dict[str, Any]:
    return {
        "name": name,
        "family": "lossless" if gain < 8 else "wavelet",
        "curve": "wavelet",
        "element_gain": None,
        "gain": [gain, gain - 1, gain + 1],
        "mean_gain": gain,
        "bits_a_sample": 16 / gain,
        "is_exact": gain < 8,
        "prdn": [10.5, 10.0, 11.0],
        "prdn_median": 10.0,
        "prdn_p95": 14.6,
        "prd": 0.665,
    }


def rates() -> dict[str, Any]:
    names = list(FRONT)
    return {
        "missing": {},
        "rivals": "",
        "figure": "rate_distortion.svg",
        "classical_2026": {
            key: "x" for key in ("title", "source", "date", "windows", "points")
        },
        "splits": {
            split: {
                "n_windows": 9,
                "n_records": 3,
                "rows": [rate_row(n, first + i) for i, n in enumerate(names)],
                "beside_wavelet": [],
            }
            for split, first in ((MITDB_TEST, 4.25), (CINC_TEST, 4.5))
        },
    }


def bounds() -> dict[str, Any]:
    def row(kind: str, gain: float) -> dict[str, Any]:
        triple = [0.04, 0.027, 0.054]
        return {"kind": kind, "gain": [gain, gain - 3, gain + 3], "over": triple}

    one = {
        "words": "--bound rhythm=0.1 --risk 0.05",
        "per": "window",
        "risk": 0.05,
        "rows": [row("calibrated", 80.6), row("oracle", 319.0)],
    }
    names = ("rhythm", "label", "rpeaks", "both", "both_f1")
    return {"asked": {BUNDLE: {name: copy.deepcopy(one) for name in names}}}


def test_the_block_holds_what_was_measured() -> None:
    block = front_block(rates(), bounds())
    assert "| zlib -9 (LZ77) | 4.25 (3.25-5.25) | 4.5 (3.5-5.5) |" in block
    assert re.search(r"\| classical/wavelet_32 \| 9\.25 .* at 10\.5 % \|", block)
    assert "80.6 (77.6-83.6) | 4.0 % (2.7-5.4) of windows | 5 % | 319 " in block
    assert "(docs/figures/rate_distortion.svg)" in block
    for name in ("rate_distortion", "bound_table"):
        assert f"python -m experiments run {name}" in block
    changed = bounds()
    changed["asked"][BUNDLE]["both"]["rows"][0]["gain"][0] = 33.8
    assert front_block(rates(), changed) != block
    assert "else" not in block.partition("| bound")[2]
    changed["asked"][BUNDLE]["both"]["words"] += " --fallback wavelet_24"
    assert "R peaks, CinC 2017; else `wavelet_24` | 33.8 " in front_block(
        rates(), changed
    )


def test_what_was_not_measured_is_named() -> None:
    less = bounds()
    del less["asked"][BUNDLE]["rpeaks"]
    with pytest.raises(ConfigError, match="rpeaks of monitor"):
        front_block(rates(), less)
    fewer = rates()
    fewer["splits"][CINC_TEST]["rows"].pop()
    with pytest.raises(ConfigError, match=list(FRONT)[-1]):
        front_block(fewer, bounds())


def test_only_what_stands_between_the_marks_changes() -> None:
    readme = f"# Title\n\n{BEGIN}\nold | table\n{END}\n\nThe rest.\n"
    fresh = with_front(readme, BLOCK)
    assert fresh == f"# Title\n\n{BEGIN}\n\n{BLOCK}\n\n{END}\n\nThe rest.\n"
    assert with_front(fresh, BLOCK) == fresh


@pytest.mark.parametrize(
    "readme",
    ["", BEGIN, END, f"{END}\n{BEGIN}", f"{BEGIN}\n{BEGIN}\n{END}"],
)
def test_marks_must_be_there(readme: str) -> None:
    with pytest.raises(ConfigError, match="once and in this order"):
        with_front(readme, BLOCK)


def test_readme_has_the_marks() -> None:
    assert with_front(README.read_text(encoding="utf-8"), BLOCK)
