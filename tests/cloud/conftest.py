# SPDX-License-Identifier: Apache-2.0
"""The services that the tests of the cloud talk to, on ports of this machine."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterator

import pytest

from tests.cloud.fake_gcs import Bucket, serving

_numbers = itertools.count()


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def emulator_address() -> Iterator[str]:
    """The address of gcp-storage-emulator, with a bucket `ward`."""
    server = pytest.importorskip("gcp_storage_emulator.server")
    port = free_port()
    emulator = server.create_server(
        "127.0.0.1", port, in_memory=True, default_bucket="ward"
    )
    emulator.start()
    yield f"http://127.0.0.1:{port}"
    emulator.stop()


@pytest.fixture
def emulator_url(emulator_address: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The address of an empty store in the emulator."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", emulator_address)
    return f"gs://ward/test-{next(_numbers)}/floor"


@pytest.fixture
def fake_bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    """A bucket `ward` that enforces preconditions, as gs://ward."""
    with serving() as (bucket, address):
        monkeypatch.setenv("STORAGE_EMULATOR_HOST", address)
        yield bucket
