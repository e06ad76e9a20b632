# SPDX-License-Identifier: Apache-2.0
"""Pipes, Ctrl-C and a full disk, in processes of their own."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dynamic_deep import read_recording, write_recording
from dynamic_deep.cli import main
from dynamic_deep.synthetic import simulate_ecg

MODULE = [sys.executable, "-m", "dynamic_deep"]
LOSSLESS = ["--bundle", "classical", "--level", "lossless"]
PATIENCE_S = 60.0
MakeEnv = Callable[..., dict[str, str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short record with its coded file, and a record that takes long."""
    folder = tmp_path_factory.mktemp("pipes")
    write_recording(folder / "short.hea", simulate_ecg(8.0, adc_gain=200.0))
    long = simulate_ecg(1200.0, n_leads=2, adc_gain=200.0)
    write_recording(folder / "long.hea", long)
    assert main(["encode", str(folder / "short"), *LOSSLESS, "--quiet"]) == 0
    return folder


@pytest.fixture
def env(command_env: MakeEnv) -> dict[str, str]:
    return command_env(OMP_NUM_THREADS="1")


def test_standard_input_to_standard_output(
    folder: Path, tmp_path: Path, env: dict[str, str]
) -> None:
    original = read_recording(folder / "short")
    text = io.StringIO()
    np.savetxt(
        text, original.samples, fmt="%d", delimiter=",", header="II", comments=""
    )
    reading = ["--format", "csv", "--fs", "300", "--gain", "200"]
    encoding = subprocess.run(
        [*MODULE, "encode", "-", *reading, *LOSSLESS],
        input=text.getvalue().encode(),
        capture_output=True,
        env=env,
    )
    assert (encoding.returncode, encoding.stderr) == (0, b"")
    info = subprocess.run(
        [*MODULE, "info", "-"], input=encoding.stdout, capture_output=True, env=env
    )
    assert b"every checksum right" in info.stdout
    decoding = subprocess.run(
        [*MODULE, "decode", "-", "-o", "-", "--format", "npz"],
        input=encoding.stdout,
        capture_output=True,
        env=env,
    )
    assert decoding.returncode == 0, decoding.stderr
    (tmp_path / "back.npz").write_bytes(decoding.stdout)
    back = read_recording(tmp_path / "back.npz")
    np.testing.assert_array_equal(back.samples, original.samples)


def interrupt(command: list[str], out: Path, env: dict[str, str], kind: int) -> int:
    """Start a command, signal it once it has begun to write, return its status."""
    with subprocess.Popen(
        command,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # Tests run in the background of a shell inherit that SIGINT is ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    ) as process:
        started_s = time.monotonic()
        while not [path for path in out.rglob("*") if path.is_file()]:
            assert process.poll() is None, "it ended before it could be interrupted"
            assert time.monotonic() - started_s < PATIENCE_S
            time.sleep(0.005)
        process.send_signal(kind)
        _, errors = process.communicate(timeout=PATIENCE_S)
    assert b"Traceback" not in errors
    return process.returncode


@pytest.mark.parametrize(
    ("kind", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)]
)
def test_an_interrupted_encode_leaves_nothing(
    folder: Path, tmp_path: Path, env: dict[str, str], kind: int, status: int
) -> None:
    command = [*MODULE, "encode", str(folder / "long"), *LOSSLESS]
    command += ["-o", str(tmp_path / "long.ddc")]
    assert interrupt(command, tmp_path, env, kind) == status
    assert os.listdir(tmp_path) == []


def test_an_interrupted_folder_leaves_whole_files_only(
    folder: Path, tmp_path: Path, env: dict[str, str]
) -> None:
    command = [*MODULE, "encode", str(folder), *LOSSLESS, "--jobs", "2"]
    command += ["-o", str(tmp_path)]
    assert interrupt(command, tmp_path, env, signal.SIGINT) == 130
    assert {path.name for path in tmp_path.iterdir()} <= {"short.ddc"}


def test_an_interrupted_decode_leaves_nothing(
    folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from dynamic_deep.recording.streams import RecordingWriter

    def write(self: RecordingWriter, block: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(RecordingWriter, "write", write)
    coded = str(folder / "short.ddc")
    assert main(["decode", coded, "-o", str(tmp_path / "back")]) == 130
    assert capsys.readouterr().err.count("\n") == 1
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    "argv",
    [
        ["encode", "short", *LOSSLESS, "-o", "-"],
        ["decode", "short.ddc", "-o", "-"],
        ["info", "short.ddc"],
        ["info", "short.ddc", "--json"],
        ["levels", "--bundle", "classical"],
    ],
)
def test_a_full_standard_output_is_one_line(
    folder: Path, env: dict[str, str], argv: list[str]
) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*MODULE, *argv], stdout=full, stderr=subprocess.PIPE, env=env, cwd=folder
        )
    assert done.returncode == 1
    expected = b"dynamic-deep: standard output: No space left on device\n"
    assert done.stderr == expected


@pytest.mark.parametrize(
    "argv", [["encode", "short", *LOSSLESS], ["decode", "short.ddc"]]
)
def test_a_full_disk_is_one_line_and_leaves_nothing(
    folder: Path, tmp_path: Path, env: dict[str, str], argv: list[str]
) -> None:
    """A limit of one block on the size of a file stands for the full disk."""
    target = tmp_path / ("out.ddc" if argv[0] == "encode" else "out")
    done = subprocess.run(
        ["sh", "-c", 'ulimit -f 1; exec "$@"', "sh", *MODULE, *argv, "-o", str(target)],
        capture_output=True,
        env=env,
        cwd=folder,
    )
    assert done.returncode == 1
    assert done.stderr.decode() == f"dynamic-deep: {target}: File too large\n"
    assert os.listdir(tmp_path) == []


def test_a_closed_pipe_is_quiet(folder: Path, env: dict[str, str]) -> None:
    command = " ".join([*MODULE, "decode", "short.ddc", "-o", "-"])
    done = subprocess.run(
        ["sh", "-c", f"{command} | head -n 1"], capture_output=True, env=env, cwd=folder
    )
    assert done.stderr == b""
    assert done.stdout.startswith(b"# recording")
