# SPDX-License-Identifier: Apache-2.0
"""Rows as a Parquet file. The same rows give the same bytes with the same pyarrow."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Sequence
from typing import Any

from dynamic_deep.cloud.rows import WindowRow
from dynamic_deep.errors import ConfigError

GROUP_LEN = 4096  # rows that are held before they are written: a day of one lead
_COMPRESSION, _COMPRESSION_LEVEL = "zstd", 3
_PEAKS = "rpeaks_ms.list.element"
_FEW_VALUES = (
    *("device", "session", "lead", "lead_idx", "n_samples", "fs", "level"),
    *("damage", "rhythm", "model_id", "task_model_id"),
)
_PROBABILITIES = ("rhythm_a", "rhythm_n", "rhythm_o", "rhythm_noise")
_OWN_PREFIX = "own_"


def require_pyarrow() -> Any:
    """Return the module pyarrow.

    Raises:
        ConfigError: If it is not installed.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise ConfigError(
            "rows are written with pyarrow, which is not installed; run "
            'pip install "dynamic-deep[cloud]"'
        ) from error
    return pyarrow


def row_schema(own_names: Sequence[str], settings: str) -> Any:
    """Return the columns, a pyarrow.Schema.

    Args:
        own_names: names of tasks of the user's own; a column each.
        settings: hash of what the rows were made with; stands in the file's metadata.
    """
    pa = require_pyarrow()
    text, number = pa.string(), pa.float32()
    columns = [
        pa.field("device", text, nullable=False),
        pa.field("session", text, nullable=False),
        pa.field("time", pa.timestamp("us", tz="UTC")),
        pa.field("window_idx", pa.int64(), nullable=False),
        pa.field("lead", text, nullable=False),
        pa.field("lead_idx", pa.int16(), nullable=False),
        pa.field("start_sample", pa.int64(), nullable=False),
        pa.field("n_samples", pa.int32(), nullable=False),
        pa.field("fs", pa.float64(), nullable=False),
        pa.field("level", text),
        pa.field("n_bytes", pa.int32(), nullable=False),
        pa.field("damage", text),
        pa.field("quality", number, nullable=False),
        pa.field("flat_share", number),
        pa.field("clipped_share", number),
        pa.field("rhythm", text),
        *(pa.field(name, number) for name in _PROBABILITIES),
        pa.field("heart_rate_bpm", number),
        pa.field("rpeaks_ms", pa.list_(pa.int32())),
        *(pa.field(_OWN_PREFIX + name, pa.list_(pa.float64())) for name in own_names),
        pa.field("model_id", text, nullable=False),
        pa.field("task_model_id", text),
    ]
    return pa.schema(columns, {"dynamic_deep": json.dumps({"settings": settings})})


def write_parquet(rows: Iterable[WindowRow], schema: Any) -> tuple[bytes, int]:
    """Return the Parquet file of some rows, and how many they were.

    Args:
        rows: in the order in which they are to stand.
        schema: from `row_schema`.
    """
    pa = require_pyarrow()
    own_names = [
        name.removeprefix(_OWN_PREFIX)
        for name in schema.names
        if name.startswith(_OWN_PREFIX)
    ]
    stream = io.BytesIO()
    group: list[dict[str, Any]] = []
    n_rows = 0
    with pa.parquet.ParquetWriter(
        stream,
        schema,
        compression=_COMPRESSION,
        compression_level=_COMPRESSION_LEVEL,
        use_dictionary=list(_FEW_VALUES),
        column_encoding={
            _PEAKS: "DELTA_BINARY_PACKED"
        },  # they ascend: 40 % fewer bytes
    ) as writer:
        for row in rows:
            group.append(_cells(row, own_names))
            n_rows += 1
            if len(group) == GROUP_LEN:
                writer.write_table(pa.Table.from_pylist(group, schema))
                group.clear()
        if group or not n_rows:
            writer.write_table(pa.Table.from_pylist(group, schema))
    return stream.getvalue(), n_rows


def _cells(row: WindowRow, own_names: Sequence[str]) -> dict[str, Any]:
    probabilities = row.rhythm_probabilities or (None,) * len(_PROBABILITIES)
    own = {_OWN_PREFIX + name: row.own.get(name) for name in own_names}
    return {
        "device": row.device,
        "session": row.session,
        "time": row.time,
        "window_idx": row.window_idx,
        "lead": row.lead,
        "lead_idx": row.lead_idx,
        "start_sample": row.start_sample,
        "n_samples": row.n_samples,
        "fs": row.fs,
        "level": row.level,
        "n_bytes": row.n_bytes,
        "damage": row.damage,
        "quality": row.quality,
        "flat_share": row.flat_share,
        "clipped_share": row.clipped_share,
        "rhythm": row.rhythm,
        **dict(zip(_PROBABILITIES, probabilities, strict=True)),
        "heart_rate_bpm": row.heart_rate_bpm,
        "rpeaks_ms": row.rpeaks_ms,
        **own,
        "model_id": row.model_id,
        "task_model_id": row.task_model_id,
    }
