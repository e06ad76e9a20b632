# SPDX-License-Identifier: Apache-2.0
"""Cloud Storage: retries, deadline, resumable uploads, checksums, what is asked."""

from __future__ import annotations

import gc
import os
import time

import pytest

from dynamic_deep.cloud.gcs_store import GcsStore
from dynamic_deep.cloud.store import (
    ABSENT,
    StoreConflictError,
    StoreError,
    StoreMissingError,
)
from tests.cloud.fake_gcs import Bucket


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_failing_service_is_asked_again(fake_bucket: Bucket) -> None:
    store = GcsStore("gs://ward")
    fake_bucket.fail_next = [503, 500]
    store.put("a", b"1")
    fake_bucket.fail_next = [503]
    assert store.get("a") == b"1"
    fake_bucket.fail_next = [429]
    assert [found.name for found in store.list()] == ["a"]
    gc.collect()  # the library leaves the socket of a refused download to it


def test_it_gives_up_at_the_deadline(fake_bucket: Bucket) -> None:
    store = GcsStore("gs://ward", deadline_s=1.0)
    fake_bucket.fail_next = [503] * 1000
    started_s = time.monotonic()
    with pytest.raises(StoreError, match="must answer for a"):
        store.put("a", b"1")
    assert time.monotonic() - started_s < 10


def test_refused_rights_are_said_at_once(fake_bucket: Bucket) -> None:
    store = GcsStore("gs://ward")
    fake_bucket.fail_next = [403]
    with pytest.raises(StoreError, match="rights"):
        store.put("a", b"1")
    assert len(fake_bucket.requests) == 1


def test_a_large_upload_is_resumable_and_goes_on(fake_bucket: Bucket) -> None:
    store = GcsStore("gs://ward")
    data = os.urandom((9 << 20) + 1)
    store.put("large", data, if_generation=ABSENT)
    starts = [r for r in fake_bucket.requests if "uploadType=resumable" in r]
    assert starts
    assert "ifGenerationMatch=0" in starts[0]
    assert store.get("large") == data
    with pytest.raises(StoreConflictError):
        store.put("large", data, if_generation=ABSENT)


def test_a_lost_answer_shows_as_a_conflict(fake_bucket: Bucket) -> None:
    """The object is there; only its bytes can tell the caller that it was its own."""
    store = GcsStore("gs://ward")
    fake_bucket.lose_answers = 1
    with pytest.raises(StoreConflictError):
        store.put("a", b"1", if_generation=ABSENT)
    assert store.get("a") == b"1"


def test_damage_on_the_way_is_found(
    fake_bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = GcsStore("gs://ward")
    store.put("a", b"1" * 100)
    monkeypatch.setattr("tests.cloud.fake_gcs.crc32c", lambda data: "AAAAAA==")
    with pytest.raises(StoreError, match="a"):
        store.get("a")


def test_names_carry_the_prefix_and_no_other_is_seen(fake_bucket: Bucket) -> None:
    fake_bucket.put("floor-2/a", b"1", None)
    store = GcsStore("gs://ward/floor-1/")
    store.put("a", b"1")
    assert set(fake_bucket.objects) == {"floor-1/a", "floor-2/a"}
    assert [found.name for found in store.list()] == ["a"]


def test_an_open_object_costs_no_question_if_it_is_known(fake_bucket: Bucket) -> None:
    store = GcsStore("gs://ward")
    store.put("a", b"1" * 100)
    (found,) = store.list()
    fake_bucket.requests.clear()
    with store.open("a", stored=found) as stream:
        assert stream.read() == b"1" * 100
    (request,) = fake_bucket.requests
    assert f"generation={found.generation}" in request


def test_a_bucket_that_is_not_there_is_said(fake_bucket: Bucket) -> None:
    store = GcsStore("gs://other/floor")
    with pytest.raises(StoreMissingError, match="bucket must be there"):
        list(store.list())
    with pytest.raises(StoreMissingError):
        store.put("a", b"1")
