# SPDX-License-Identifier: Apache-2.0
"""What every store must do: a folder, our own service, and the emulator of PyPI."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dynamic_deep.cloud.store import (
    ABSENT,
    Store,
    StoreConflictError,
    StoreMissingError,
    check_name,
    open_store,
)
from dynamic_deep.errors import ConfigError


@pytest.fixture(params=["folder", "fake", "emulator"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "folder":
        return open_store(tmp_path / "store")
    if request.param == "fake":
        request.getfixturevalue("fake_bucket")
        return open_store("gs://ward/first/floor")
    return open_store(request.getfixturevalue("emulator_url"))


# The emulator neither enforces preconditions nor keeps generations apart.
strict = pytest.mark.parametrize("store", ["folder", "fake"], indirect=True)


def test_what_is_put_is_read(store: Store) -> None:
    data = bytes(range(256)) * 500
    generation = store.put("a/b.ddc", data)
    assert store.get("a/b.ddc") == data
    assert store.read_range("a/b.ddc", 1000, 24) == data[1000:1024]
    assert store.read_range("a/b.ddc", len(data) - 3, 100) == data[-3:]
    assert store.read_range("a/b.ddc", len(data), 100) == b""
    found = store.stat("a/b.ddc")
    assert (found.name, found.size, found.generation) == (
        "a/b.ddc",
        len(data),
        generation,
    )


def test_an_empty_object_is_one(store: Store) -> None:
    store.put("empty", b"")
    assert store.get("empty") == b""
    assert store.read_range("empty", 0, 10) == b""
    with store.open("empty") as stream:
        assert stream.read() == b""


def test_a_large_object_goes_in_pieces(store: Store) -> None:
    data = os.urandom((8 << 20) + 12345)  # beyond one request of Cloud Storage
    store.put("large", data)
    assert store.get("large") == data


def test_a_file_of_a_store_can_be_sought_in(store: Store) -> None:
    data = os.urandom(300_000)
    store.put("a", data)
    with store.open("a", stored=store.stat("a")) as stream:
        assert stream.seekable()
        assert stream.seek(-5, os.SEEK_END) == len(data) - 5
        assert stream.read() == data[-5:]
        stream.seek(100_000)
        assert stream.read(70_000) == data[100_000:170_000]
        assert stream.tell() == 170_000
        stream.seek(0)
        assert stream.read() == data
        assert stream.read(1) == b""


def test_a_new_content_has_a_new_generation(store: Store) -> None:
    first = store.put("a", b"1")
    second = store.put("a", b"2")
    assert first > 0
    assert second not in (0, first)
    assert store.stat("a").generation == second


@strict
def test_preconditions_hold(store: Store) -> None:
    first = store.put("a", b"1", if_generation=ABSENT)
    with pytest.raises(StoreConflictError, match="a must be"):
        store.put("a", b"2", if_generation=ABSENT)
    second = store.put("a", b"22", if_generation=first)
    with pytest.raises(StoreConflictError):
        store.put("a", b"333", if_generation=first)
    with pytest.raises(StoreConflictError):
        store.delete("a", if_generation=first)
    with pytest.raises(StoreConflictError):
        store.put("b", b"333", if_generation=first)
    assert store.get("a") == b"22"
    store.delete("a", if_generation=second)
    with pytest.raises(StoreMissingError):
        store.get("a")


@strict
def test_a_replaced_object_is_not_read_as_the_old_one(store: Store) -> None:
    store.put("a", b"1" * 100)
    old = store.stat("a")
    store.put("a", b"2" * 100)
    with pytest.raises(StoreConflictError), store.open("a", stored=old) as stream:
        stream.read()


def test_listing_is_ordered_and_by_prefix(store: Store) -> None:
    names = ["a-b/1", "a/1", "a/2", "a/c/3", "a/c/4", "a.x", "b/1", "b/2/3"]
    for name in names:
        store.put(name, name.encode())
    assert [found.name for found in store.list()] == sorted(names)
    assert [found.name for found in store.list("a/")] == [
        "a/1",
        "a/2",
        "a/c/3",
        "a/c/4",
    ]
    assert [found.name for found in store.list("a/c")] == ["a/c/3", "a/c/4"]
    assert [found.size for found in store.list("b/2")] == [5]
    assert list(store.list("nothing/")) == []
    assert sorted(store.folders()) == ["a", "a-b", "b"]
    assert list(store.folders("a/")) == ["c"]
    assert list(store.folders("nothing/")) == []


def test_what_is_missing_is_said(store: Store) -> None:
    store.put("a", b"1")
    for read in (store.get, store.stat, store.open, store.delete):
        with pytest.raises(StoreMissingError, match="named b"):
            read("b")
    with pytest.raises(StoreMissingError):
        store.read_range("b", 0, 1)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/a",
        "a/",
        "a//b",
        "../a",
        "a/../b",
        "a/.b",
        "a\\b",
        "a b",
        "ä",
        "a\n",
        "a\0",
    ],
)
def test_tricks_with_names_are_refused(store: Store, name: str) -> None:
    with pytest.raises(ConfigError, match="name in a store"):
        store.put(name, b"1")
    with pytest.raises(ConfigError, match="name in a store"):
        store.get(name)


@pytest.mark.parametrize("prefix", ["/", "../", "a/../", "//a"])
def test_tricks_with_prefixes_are_refused(store: Store, prefix: str) -> None:
    store.put("a", b"1")
    with pytest.raises(ConfigError):
        list(store.list(prefix))


def test_a_long_name_is_refused() -> None:
    with pytest.raises(ConfigError):
        check_name("/".join(["a" * 100] * 9))
    with pytest.raises(ConfigError):
        check_name("a" * 201)


@pytest.mark.parametrize("url", ["", "s3://bucket", "http://host/x", "gs://"])
def test_an_unknown_kind_of_store_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="must be"):
        open_store(url)
