# SPDX-License-Identifier: Apache-2.0
"""Rows: quality, heart rate, peaks at the border of two windows, and Parquet."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from dynamic_deep.cloud.decode_rows import RowMaker
from dynamic_deep.cloud.decode_tools import TaskSet
from dynamic_deep.cloud.decode_windows import LeadWindow
from dynamic_deep.cloud.heart_rate import heart_rate_bpm
from dynamic_deep.cloud.parquet_out import row_schema, write_parquet
from dynamic_deep.cloud.quality import measure_quality
from dynamic_deep.cloud.rows import WindowRow
from dynamic_deep.errors import ConfigError
from dynamic_deep.tasks import Peaks
from dynamic_deep.window_codec import window_place
from tests.cloud.sessions import START
from tests.signals import ecg, make_recording

FS = 300.0
INFO = make_recording(np.zeros(10, np.int16), adc_gain=200.0).info  # 0.02 mV = 4 units


class Fixed:
    """A task with the answers that it is given, one a window."""

    name = "rpeaks"
    references = ("raw",)

    def __init__(self, *answers: Any) -> None:
        self._answers = iter(answers)

    def answer(self, x: np.ndarray) -> Any:
        return next(self._answers)


def window(window_idx: int = 0, *, samples: np.ndarray | None = None) -> LeadWindow:
    x = ecg(8960).samples[:, 0].astype(np.int32) if samples is None else samples
    return LeadWindow(
        window_idx=window_idx,
        lead=0,
        start=8960 * window_idx,
        place=window_place(8960, INFO, 0),
        level="gain_64",
        n_bytes=250,
        samples=x,
    )


def maker(*, own: dict[str, Any] | None = None, **bundled: Any) -> RowMaker:
    tasks = TaskSet(bundled=bundled, own=own or {}, model_id="ab" * 16)
    return RowMaker(
        device="bed-7",
        session="00ff",
        start_time=START,
        info=INFO,
        tasks=tasks,
        model_id=bytes(16),
    )


def test_an_ecg_is_neither_flat_nor_clipped() -> None:
    recording = ecg(8960)
    found = measure_quality(recording.samples[:, 0], recording.info, 0)
    assert (found.flat_share, found.clipped_share, found.usable_share) == (0, 0, 1)


def test_flat_blocks_are_counted_to_the_second() -> None:
    x = ecg(3000).samples[:, 0].astype(np.int32)
    x[600:1200] = 40  # seconds 2 and 3 of 10
    x[700] = 44  # a range of 4 units is 0.02 mV: still flat
    found = measure_quality(x, INFO, 0)
    assert found.flat_share == pytest.approx(0.2)
    assert found.usable_share == pytest.approx(0.8)
    x[700] = 45
    assert measure_quality(x, INFO, 0).flat_share == pytest.approx(0.1)


def test_a_lead_without_voltage_is_flat_within_one_unit() -> None:
    info = make_recording(np.zeros(10, np.int16)).info
    odd = type(info)(**{**vars(info), "units": ("mmHg",)})
    x = np.tile([0, 1], 1500).astype(np.int32)
    assert measure_quality(x, odd, 0).flat_share == 1.0
    assert measure_quality(2 * x, odd, 0).flat_share == 0.0
    assert measure_quality(2 * x, info, 0).flat_share == 1.0  # 2 units of 5 uV


def test_plateaus_at_an_extreme_are_clipped_and_short_tops_are_not() -> None:
    x = ecg(3000).samples[:, 0].astype(np.int32)
    top = int(x.max()) + 300
    x[1000:1029] = top  # 97 ms
    assert measure_quality(x, INFO, 0).clipped_share == 0.0
    x[1000:1030] = top  # 0.1 s
    assert measure_quality(x, INFO, 0).clipped_share == pytest.approx(30 / 3000)
    x[2000:2060] = int(x.min()) - 500
    assert measure_quality(x, INFO, 0).clipped_share == pytest.approx(90 / 3000)


def test_the_ends_of_the_type_are_clipped_however_short() -> None:
    x = ecg(3000).samples[:, 0].astype(np.int32)
    x[[5, 90]] = -(1 << 15)  # WFDB's mark of a missing sample
    x[[700]] = (1 << 15) - 1
    assert measure_quality(x, INFO, 0).clipped_share == pytest.approx(3 / 3000)


def test_heart_rate_is_that_of_the_median_interval() -> None:
    at = np.arange(20) * 0.8
    assert heart_rate_bpm(at) == pytest.approx(75.0)
    assert heart_rate_bpm(np.delete(at, 7)) == pytest.approx(75.0)  # a missed beat
    assert heart_rate_bpm(at[:2]) is None
    assert heart_rate_bpm([]) is None
    assert heart_rate_bpm([0.0, 5.0, 10.0]) is None  # 12 a minute is no rhythm


def test_time_goes_by_the_samples_and_not_by_the_clock() -> None:
    make_row = maker()
    assert make_row(window(0)).time == START
    after = make_row(window(3)).time
    assert after == START + timedelta(microseconds=round(3 * 8960 / 300 * 1e6))


def test_a_beat_on_the_border_counts_once() -> None:
    make_row = maker(rpeaks=Fixed(Peaks([300.0, 8950.0]), Peaks([20.0, 320.0, 620.0])))
    assert make_row(window(0)).rpeaks_ms == (1000, 29833)
    second = make_row(window(1))
    # 20 + 8960 is 30 samples, 0.1 s, after the last peak of the window before.
    assert second.rpeaks_ms == (1067, 2067)


def test_a_beat_well_after_the_border_counts() -> None:
    make_row = maker(rpeaks=Fixed(Peaks([8900.0]), Peaks([20.0, 320.0, 620.0])))
    make_row(window(0))
    second = make_row(window(1))  # 80 samples apart, more than 60
    assert second.rpeaks_ms == (67, 1067, 2067)
    assert second.heart_rate_bpm == pytest.approx(60.0)


def test_a_damaged_window_has_no_answers() -> None:
    make_row = maker(rpeaks=Fixed())
    lost = LeadWindow(
        window_idx=2,
        lead=0,
        start=17920,
        place=window_place(8960, INFO, 0),
        damage="gone",
    )
    row = make_row(lost)
    assert (row.damage, row.quality, row.level, row.n_bytes) == ("gone", 0.0, None, 0)
    assert (row.rpeaks_ms, row.heart_rate_bpm, row.flat_share) == (None, None, None)


def test_own_answers_stand_flat_in_their_own_column() -> None:
    row = maker(own={"st": Fixed(np.array([[1, 2], [3, 4]]))})(window())
    assert row.own == {"st": (1.0, 2.0, 3.0, 4.0)}
    data, _ = write_parquet([row], row_schema(("st",), "x"))
    table = pq.read_table(io.BytesIO(data))
    assert table["own_st"].to_pylist() == [[1.0, 2.0, 3.0, 4.0]]


def test_an_own_answer_that_is_no_number_is_refused() -> None:
    with pytest.raises(ConfigError, match="task st"):
        maker(own={"st": Fixed(np.array(["a"]))})(window())


def rows(n_rows: int) -> list[WindowRow]:
    make_row = maker(rpeaks=Fixed(*[Peaks([30.0 + i, 330.0]) for i in range(n_rows)]))
    return [make_row(window(i)) for i in range(n_rows)]


def test_parquet_gives_the_rows_back_and_the_same_bytes_each_time() -> None:
    schema = row_schema((), "abc")
    made = rows(3)
    data, n_rows = write_parquet(iter(made), schema)
    assert n_rows == 3
    assert write_parquet(iter(made), schema)[0] == data
    table = pq.read_table(io.BytesIO(data))
    assert table.schema.field("time").type == pa.timestamp("us", tz="UTC")
    assert table["window_idx"].to_pylist() == [0, 1, 2]
    assert table["time"].to_pylist() == [row.time for row in made]
    assert table["rpeaks_ms"].to_pylist() == [list(row.rpeaks_ms) for row in made]
    assert table.schema.metadata[b"dynamic_deep"] == b'{"settings": "abc"}'


def test_no_rows_are_a_table_without_rows() -> None:
    data, n_rows = write_parquet([], row_schema((), "abc"))
    assert n_rows == 0
    assert pq.read_table(io.BytesIO(data)).num_rows == 0


def test_rows_are_held_only_a_group_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dynamic_deep.cloud.parquet_out.GROUP_LEN", 2)
    data, n_rows = write_parquet(rows(5), row_schema((), "abc"))
    assert n_rows == 5
    file = pq.ParquetFile(io.BytesIO(data))
    sizes = [file.metadata.row_group(i).num_rows for i in range(3)]
    assert sizes == [2, 2, 1]
    assert file.read()["window_idx"].to_pylist() == [0, 1, 2, 3, 4]


def test_the_document_names_every_column(checkout: Path) -> None:
    text = (checkout / "docs" / "decode.md").read_text(encoding="utf-8")
    missing = [n for n in row_schema((), "").names if f"`{n}`" not in text]
    assert not missing
