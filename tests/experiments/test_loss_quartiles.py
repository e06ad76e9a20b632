# SPDX-License-Identifier: Apache-2.0
"""Fig. 2 on losses that can be counted by hand."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from experiments import loss_quartiles
from experiments.bootstrap import Bootstrap
from experiments.measured import Measured
from experiments.section import Figure, Table


def make_table(cce: list[float], n_bytes: float) -> Measured:
    n = len(cce)
    columns = {field.name: np.zeros(n) for field in dataclasses.fields(Measured)}
    columns |= {"records": np.arange(n).astype(str), "cce": np.array(cce)}
    columns |= {"raw_bytes": np.full(n, 640.0), "n_bytes": np.full(n, n_bytes)}
    return Measured(**columns)


def test_quartiles_by_hand() -> None:
    table = make_table([0.0, 0.1, 0.2, 0.3, 2.4], 10.0)
    found = loss_quartiles.quartiles(table, Bootstrap(table.records))
    assert found["quartiles"] == [0.1, 0.2, 0.3]
    assert found["mean"][0] == pytest.approx(0.6)
    assert found["within"][0] == 0.8
    assert found["gain"] == [64.0] * 3


def test_the_figure_and_the_page(tmp_path: Path) -> None:
    low = make_table([0.0, 0.1, 0.2, 0.3, 2.4], 10.0)
    draws = Bootstrap(low.records)
    rows = [
        {"title": title, "coder": coder, "family": family}
        | loss_quartiles.quartiles(low, draws)
        for title, coder, family in loss_quartiles.ROWS
    ]
    results = {"bound_nats": 0.75, "n_windows": 5, "missing": {}, "rows": rows}
    results["figure"] = loss_quartiles.draw(results, folder=tmp_path)
    first = (tmp_path / "loss_quartiles.svg").read_bytes()
    loss_quartiles.draw(results, folder=tmp_path)
    assert (tmp_path / "loss_quartiles.svg").read_bytes() == first
    section = loss_quartiles.section(json.loads(json.dumps(results)))
    figure, table = (b for b in section.blocks if isinstance(b, Figure | Table))
    assert isinstance(figure, Figure)
    assert isinstance(table, Table)
    assert len(table.rows) == len(rows)
    assert figure.file == "loss_quartiles.svg"
    assert "classic CAE64 80 % within the bound" in figure.alt
    assert len(section.claims) == 3
    assert section.claims[0].ours.startswith("0.1, 0.2, 0.3; mean 0.6 (")
