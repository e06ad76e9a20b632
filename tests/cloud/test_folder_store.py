# SPDX-License-Identifier: Apache-2.0
"""The store in a folder: several writers, what is left behind, what is no object."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from dynamic_deep.cloud.folder_store import FolderStore
from dynamic_deep.cloud.store import ABSENT, StoreConflictError, StoreMissingError


def raise_number(store: FolderStore, n_times: int) -> None:
    """Count in an object, as a program would that must not lose a count."""
    done = 0
    while done < n_times:
        found = store.stat("count")
        number = int(store.get("count"))
        try:
            store.put("count", str(number + 1).encode(), if_generation=found.generation)
            done += 1
        except StoreConflictError:
            continue


def test_no_count_is_lost_between_threads(tmp_path: Path) -> None:
    FolderStore(tmp_path).put("count", b"0")
    threads = [
        threading.Thread(target=raise_number, args=(FolderStore(tmp_path), 10))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert FolderStore(tmp_path).get("count") == b"40"


def test_one_of_many_processes_makes_an_object(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from dynamic_deep.cloud.folder_store import FolderStore\n"
        "from dynamic_deep.cloud.store import StoreConflictError\n"
        "won = 0\n"
        "for i in range(20):\n"
        "    try:\n"
        "        FolderStore(sys.argv[1]).put(f'a/{i}', b'x', if_generation=0)\n"
        "        won += 1\n"
        "    except StoreConflictError:\n"
        "        pass\n"
        "print(won)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path)]
    writers = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(3)]
    won = [int(writer.communicate()[0]) for writer in writers]
    assert sum(won) == 20
    assert len(list(FolderStore(tmp_path).list("a/"))) == 20


def test_generations_rise_though_the_clock_goes_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FolderStore(tmp_path)
    first = store.put("a", b"1")
    monkeypatch.setattr(time, "time_ns", lambda: first - 10**12)
    store.delete("a")
    assert store.put("a", b"1") > first


def test_a_killed_writer_leaves_no_half_object(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys\n"
        "from dynamic_deep.cloud.folder_store import FolderStore\n"
        "os.utime = lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL)\n"
        "FolderStore(sys.argv[1]).put('a/b', b'x' * 1000)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert done.returncode == -signal.SIGKILL
    (part,) = (tmp_path / ".store").glob("*.part")
    store = FolderStore(tmp_path)
    assert list(store.list()) == []
    store.put("a/b", b"y", if_generation=ABSENT)
    assert part.exists()  # young: its writer may live
    os.utime(part, (0, 0))
    FolderStore(tmp_path).put("c", b"z")
    assert not part.exists()


def test_links_hidden_files_and_pipes_are_no_objects(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"1")
    store = FolderStore(tmp_path / "store")
    store.put("a/b", b"1")
    (tmp_path / "store/a/link").symlink_to(secret)
    (tmp_path / "store/folder").symlink_to(tmp_path)
    (tmp_path / "store/.hidden").write_bytes(b"1")
    os.mkfifo(tmp_path / "store/pipe")
    assert [found.name for found in store.list()] == ["a/b"]
    for name in ("a/link", "a", "pipe"):
        with pytest.raises((StoreMissingError, OSError)):
            store.get(name)


def test_a_store_that_is_not_there_is_said(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "nothing")
    with pytest.raises(StoreMissingError, match="must be a folder"):
        list(store.list())
    with pytest.raises(StoreMissingError):
        store.delete("a")
    assert not (tmp_path / "nothing").exists()


def test_an_open_object_stays_as_it_was(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    store.put("a", b"1" * 100)
    with store.open("a") as stream:
        store.put("a", b"2" * 50)
        assert stream.read() == b"1" * 100
