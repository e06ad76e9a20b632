# SPDX-License-Identifier: Apache-2.0
"""Coded sessions in stores, and the rows that were made of them."""

from __future__ import annotations

import dataclasses
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from dynamic_deep import Codec, Recording
from dynamic_deep.cloud.catalog import CatalogEntry, find_objects
from dynamic_deep.cloud.decode_report import SessionReport
from dynamic_deep.cloud.decode_session import SessionDecoder
from dynamic_deep.cloud.decode_settings import DecodeSettings
from dynamic_deep.cloud.objects import ObjectName
from dynamic_deep.cloud.store import Store, open_store
from dynamic_deep.container import ContainerReader, ContainerWriter, Frame
from dynamic_deep.synthetic import simulate_ecg
from tests.signals import AWARE

START = datetime(2026, 11, 27, 9, 0, 2, 250_000, tzinfo=UTC)
BOTH = ("rhythm", "rpeaks")


def aware_settings(**changes: Any) -> DecodeSettings:
    """Settings for sessions of the kept bundle with tasks."""
    fields: dict[str, Any] = {"tasks": BOTH, "bundles": (str(AWARE),), **changes}
    return DecodeSettings(**fields)


def ecg_session(seconds: float = 70.0, **options: Any) -> Recording:
    """A simulated recording whose start is known."""
    recording = simulate_ecg(seconds, seed=5, **options)
    return dataclasses.replace(recording, start_time=START)


def put_session(
    url: Path | str, data: bytes, *, device: str = "bed-7", hour: int = 0
) -> str:
    """Put an object where ingest would, and return its name."""
    name = ObjectName(
        device=device,
        session=(hour + 1).to_bytes(8, "big"),
        start_time=START + hour * timedelta(hours=1),
    )
    open_store(url).put(str(name), data)
    return str(name)


def only_entry(url: Path | str) -> CatalogEntry:
    """The one session of a store."""
    (entry,) = find_objects(open_store(url))
    return entry


def decode_all(
    store: Path | str, out: Path | str, settings: DecodeSettings
) -> list[SessionReport]:
    """Decode every session of a store in this process."""
    source = open_store(store)
    decoder = SessionDecoder(source, open_store(out), settings)
    return [decoder.run(entry) for entry in find_objects(source)]


def rows_of(out: Path | str, session_name: str) -> list[dict[str, Any]]:
    """The rows of one session."""
    name = "rows/" + session_name.removesuffix(".ddc") + ".parquet"
    return read_rows(open_store(out), name)


def read_rows(out: Store, name: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(out.open(name)).to_pylist()
    return rows


def everything(out: Path) -> dict[str, bytes]:
    """The content of every object of a folder store, by name."""
    store = open_store(out)
    return {stored.name: store.get(stored.name) for stored in store.list()}


def with_frames(data: bytes, change: Callable[[Frame], Frame | None]) -> bytes:
    """A file whose frames are changed, dropped (None) or kept, written anew."""
    reader = ContainerReader(data)
    stream = io.BytesIO()
    writer = ContainerWriter(stream, reader.header)
    for frame in reader.frames():
        new = change(frame)
        if new is not None:
            writer.write_frame(new)
    writer.close(reader.n_samples, reader.n_windows)
    return stream.getvalue()


def aware_codec() -> Codec:
    """The kept bundle with tasks."""
    return Codec.load(AWARE)
