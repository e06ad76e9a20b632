# SPDX-License-Identifier: Apache-2.0
"""Outputs of the command line are whole or absent."""

from __future__ import annotations

import errno
import os
import resource
import signal
import stat
from pathlib import Path

import pytest

from dynamic_deep.cli.files import require_free, whole_file


def test_a_file_appears_under_its_name_when_it_is_whole(tmp_path: Path) -> None:
    target = tmp_path / "a.ddc"
    with whole_file(target) as stream:
        stream.write(b"first")
        assert not target.exists()
    assert target.read_bytes() == b"first"
    assert os.listdir(tmp_path) == ["a.ddc"]


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_failed_write_leaves_the_old_file_alone(
    tmp_path: Path, kind: type[BaseException]
) -> None:
    target = tmp_path / "a.ddc"
    target.write_bytes(b"old")
    with pytest.raises(kind), whole_file(target) as stream:  # noqa: PT012
        stream.write(b"half")
        raise kind
    assert target.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.ddc"]


def test_a_new_file_has_the_usual_rights(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_bytes(b"")
    with whole_file(tmp_path / "a.ddc"):
        pass
    modes = {
        stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("plain", "a.ddc")
    }
    assert len(modes) == 1


def test_a_device_is_written_directly() -> None:
    require_free([Path("/dev/null")], force=False)
    with whole_file(Path("/dev/null")) as stream:
        stream.write(b"gone")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_a_full_device_names_itself() -> None:
    with pytest.raises(OSError, match="No space left") as caught:  # noqa: SIM117
        with whole_file(Path("/dev/full")) as stream:
            stream.write(b"x" * (1 << 20))
    assert caught.value.errno == errno.ENOSPC
    assert caught.value.filename == "/dev/full"


def test_a_limit_on_the_size_of_a_file_leaves_nothing(tmp_path: Path) -> None:
    previous = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, previous[1]))
    try:
        with pytest.raises(OSError, match="too large") as caught:  # noqa: SIM117
            with whole_file(tmp_path / "a.ddc") as stream:
                stream.write(b"x" * (1 << 20))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, previous)
        signal.signal(signal.SIGXFSZ, handler)
    assert caught.value.filename == str(tmp_path / "a.ddc")
    assert os.listdir(tmp_path) == []


def test_overwriting_needs_force(tmp_path: Path) -> None:
    target = tmp_path / "a.ddc"
    target.write_bytes(b"old")
    with pytest.raises(FileExistsError, match="--force"):
        require_free([target], force=False)
    require_free([target], force=True)
    require_free([tmp_path / "other.ddc"], force=False)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    missing = pytest.raises(FileNotFoundError, match="make it first")
    with missing as caught, whole_file(tmp_path / "no" / "a.ddc"):
        pytest.fail("there is nowhere to write to")
    assert caught.value.filename == str(tmp_path / "no")
