# SPDX-License-Identifier: Apache-2.0
"""The trace: rows as text and as Parquet, whole or not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from device_sim.clock import SimClock
from device_sim.trace import COLUMNS, Row, open_trace
from dynamic_deep.errors import ConfigError

ROWS = [
    Row(time_s=0.0, device="dev-1", event="boot"),
    Row(
        time_s=40.1234567,
        device="dev-1",
        event="encode",
        session="00000001-00000000",
        window=3,
        lead=0,
        level="gain_64",
        n_bytes=265,
        n_samples=10752,
        duration_s=0.5,
        energy_mj=1.25,
        outbox_bytes=99,
    ),
]


def test_rows_are_written_as_text(tmp_path: Path) -> None:
    trace = open_trace("csv", tmp_path)
    for row in ROWS:
        trace.add(row)
    assert not (tmp_path / "trace.csv").exists()  # it has no name until it is whole
    trace.close()
    assert (tmp_path / "trace.csv").read_text().splitlines() == [
        ",".join(COLUMNS),
        "0,dev-1,boot,,-1,-1,-1,,0,0,0,0,0,0",
        "40.123457,dev-1,encode,00000001-00000000,-1,3,0,gain_64,265,10752,0,0.5,1.25,99",
    ]
    trace.discard()  # too late: it stays
    assert [path.name for path in tmp_path.iterdir()] == ["trace.csv"]


def test_the_same_rows_are_written_as_parquet(tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    trace = open_trace("parquet", tmp_path, "t")
    for row in ROWS:
        trace.add(row)
    trace.close()
    table = parquet.read_table(tmp_path / "t.parquet")
    assert tuple(table.column_names) == COLUMNS
    found = table.to_pylist()
    assert found[0] | {"device": "dev-1", "event": "boot"} == found[0]
    assert found[1]["time_s"] == 40.123457
    assert (found[1]["level"], found[1]["n_bytes"]) == ("gain_64", 265)


@pytest.mark.parametrize("kind", ["csv", "parquet", "none"])
def test_a_trace_that_is_given_up_leaves_nothing(kind: str, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    trace = open_trace(kind, tmp_path)
    trace.add(ROWS[0])
    trace.discard()
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"csv, parquet, none, got 'xml'"):
        open_trace("xml", tmp_path)


def test_events_come_by_time_and_then_in_the_order_they_were_planned() -> None:
    clock, seen = SimClock(), []
    for time_s, name in ((2.0, "c"), (1.0, "a"), (1.0, "b"), (3.0, "late")):
        clock.at(time_s, lambda name=name: seen.append((clock.now_s, name)))
    clock.at(2.0, lambda: clock.at(0.0, lambda: seen.append((clock.now_s, "due"))))
    while clock.step(until_s=2.5):
        pass
    assert seen == [(1.0, "a"), (1.0, "b"), (2.0, "c"), (2.0, "due")]
    assert (clock.now_s, clock.next_s) == (2.0, 3.0)
    with pytest.raises(ConfigError, match="finite time"):
        clock.at(float("inf"), list)
