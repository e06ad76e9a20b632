# SPDX-License-Identifier: Apache-2.0
"""The receiver is killed at each step: nothing is lost, nothing stored twice."""

from __future__ import annotations

import contextlib
import signal
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from device_sim.brokers import Mosquitto, find_mosquitto
from dynamic_deep.cloud.store import open_store
from tests.cloud.ward import START, Bed
from tests.cloud.ward_net import Sender, ingest_arguments, receiving, running

USERS = {"ingest": "receive", "bed-7": "seven"}

MAX_ROUNDS = 12

# Kills this process when a function is called for the n-th time, before or after it.
DEATH = """
import os, signal, importlib
def die_at(module, owner, name, is_after, n_calls):
    owner = getattr(importlib.import_module(module), owner)
    real, calls = getattr(owner, name), [0]
    def dying(*args, **options):
        calls[0] += 1
        is_last = calls[0] == n_calls
        if is_last and not is_after:
            os.kill(os.getpid(), signal.SIGKILL)
        result = real(*args, **options)
        if is_last and is_after:
            os.kill(os.getpid(), signal.SIGKILL)
        return result
    setattr(owner, name, dying)
"""
CLOUD = "dynamic_deep.cloud"
STEPS = {
    "before a commit": (f"{CLOUD}.inbox", "Inbox", "accept_many", False, 2),
    "after a commit": (f"{CLOUD}.inbox", "Inbox", "accept_many", True, 2),
    "before the broker may forget": (
        *(f"{CLOUD}.ingest_link", "IngestLink", "confirm"),
        *(False, 2),
    ),
    "before a name is settled": (
        *(f"{CLOUD}.publish_book", "PublishBook", "settle"),
        *(False, 1),
    ),
    "before an object is put": (f"{CLOUD}.publisher", "Publisher", "_put", False, 2),
    "while an object is put": (
        f"{CLOUD}.folder_store",
        "FolderStore",
        "_locked",
        True,
        2,
    ),
    "after an object is put": (f"{CLOUD}.publisher", "Publisher", "_put", True, 2),
    "before an open session is noted": (
        *(f"{CLOUD}.publish_book", "PublishBook", "note"),
        *(False, 1),
    ),
    "after an open session is noted": (
        *(f"{CLOUD}.publish_book", "PublishBook", "note"),
        *(True, 1),
    ),
    "before the inbox lets go": (f"{CLOUD}.inbox", "Inbox", "mark_published", False, 1),
    "after the inbox has let go": (
        f"{CLOUD}.inbox",
        "Inbox",
        "mark_published",
        True,
        1,
    ),
}


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    if find_mosquitto() is None:
        pytest.skip("needs mosquitto: apt-get install mosquitto")
    with Mosquitto(tmp_path / "broker", USERS) as broker:
        yield broker


@pytest.mark.parametrize("step", STEPS)
def test_killed(step: str, tmp_path: Path, broker: Mosquitto) -> None:
    url = str(tmp_path / "store")
    bed = Bed.known_to(tmp_path / "keys", "bed-7")
    sessions = [
        bed.session(START + timedelta(hours=hour), n_windows=40) for hour in range(3)
    ]
    sender = Sender(broker.address, bed.keys, USERS["bed-7"])
    arguments = [*ingest_arguments(tmp_path, broker.address, url)]
    arguments += ["--publish-after", "0.05"]
    script = f"{DEATH}\ndie_at(*{STEPS[step]!r})\n"
    with running(arguments, script=script) as ingest:
        ingest.wait_for("connected")
        for session in sessions:
            sender.send(session, stop=len(session.payloads) // 2)
        with contextlib.suppress(subprocess.TimeoutExpired):
            ingest.process.wait(3 if "open session" in step else 0)
        # Fast messages may all be taken in one round, slow ones in many: a device sends
        # what is not acknowledged again, until the step has come as often as it must.
        for _ in range(MAX_ROUNDS):
            for session in sessions:
                sender.send(session)
            with contextlib.suppress(subprocess.TimeoutExpired):
                ingest.process.wait(5)
                break
        assert ingest.process.wait(60) == -signal.SIGKILL, ingest.log
    with receiving(tmp_path, broker.address, url) as again:
        for session in sessions:
            sender.deliver(session)
        facts = again.stop()
    sender.close()
    store = open_store(url)
    found = [store.get(stored.name) for stored in store.list()]
    assert found == [session.file for session in sessions]
    n_messages = sum(len(session.payloads) for session in sessions)
    assert facts["accepted"] == n_messages
    assert (facts["quarantined"], facts["n_open"], facts["n_left"]) == (0, 0, 0)
