# SPDX-License-Identifier: Apache-2.0
"""The tensor arena of a network, measured in TensorFlow Lite Micro itself."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from dynamic_deep.errors import ConfigError, ModelError

MAX_ARENA = 1 << 20
SEARCH_STEP = 64  # bytes


@dataclass(frozen=True, kw_only=True)
class Arena:
    """What a network needs while it runs.

    Attributes:
        recorded_bytes: as RecordingMicroAllocator counts, on this 64-bit machine;
            pointers of a microcontroller are half as long.
        smallest_bytes: the smallest arena in which it ran, to 64 bytes.
    """

    recorded_bytes: int
    smallest_bytes: int


def micro_interpreter(content: bytes, arena_bytes: int = MAX_ARENA) -> Any:
    """Return TensorFlow Lite Micro's interpreter of a network.

    Raises:
        ConfigError: If the package tflite-micro is not installed.
    """
    try:
        from tflite_micro.python.tflite_micro import (  # type: ignore[import-untyped]
            runtime,
        )
    except ImportError as error:
        raise ConfigError(
            "an arena is measured with the package tflite-micro, which is missing; "
            "install the extra dev: pip install 'dynamic-deep[dev]'"
        ) from error
    return runtime.Interpreter.from_bytes(content, arena_size=arena_bytes)


def run_micro(
    interpreter: Any, inputs: npt.NDArray[np.signedinteger], n_outputs: int
) -> list[npt.NDArray[np.signedinteger]]:
    """Run once; outputs in the file's order."""
    shape = interpreter.get_input_details(0)["shape"]
    interpreter.set_input(inputs.reshape(shape), 0)
    interpreter.invoke()
    return [np.array(interpreter.get_output(i)) for i in range(n_outputs)]


def measure_arena(content: bytes) -> Arena:
    """Measure the arena of a network of integers with one input.

    Raises:
        ConfigError: If the package tflite-micro is not installed.
        ModelError: If TensorFlow Lite Micro can't run the network.
    """
    with _caught_stderr() as notes:
        smallest = _search(content)
    found = re.search(r"Arena allocation total (\d+) bytes", notes[0])
    if found is None:
        raise ModelError(
            "TensorFlow Lite Micro must tell what it allocated, got nothing; use the "
            "version of tflite-micro that pyproject.toml names"
        )
    return Arena(recorded_bytes=int(found[1]), smallest_bytes=smallest)


def _search(content: bytes) -> int:
    """Print what is allocated, and return the smallest arena that does."""
    try:
        interpreter = micro_interpreter(content)
        details = interpreter.get_input_details(0)
        zeros = np.zeros(details["shape"], details["dtype"])
        run_micro(interpreter, zeros, 0)
    except RuntimeError as error:
        raise ModelError(
            "a device's network must run in TensorFlow Lite Micro, got: "
            f"{error}; quantise it with `python -m training int8`"
        ) from error
    interpreter.print_allocations()
    too_small, enough = 0, MAX_ARENA
    while enough - too_small > SEARCH_STEP:
        middle = (too_small + enough) // 2
        if _runs_in(content, zeros, middle):
            enough = middle
        else:
            too_small = middle
    return enough


def _runs_in(
    content: bytes, zeros: npt.NDArray[np.signedinteger], arena_bytes: int
) -> bool:
    try:
        run_micro(micro_interpreter(content, arena_bytes), zeros, 0)
    except RuntimeError:
        return False
    return True


@contextlib.contextmanager
def _caught_stderr() -> Iterator[list[str]]:
    """Catch what C++ writes to standard error; the list holds it afterwards."""
    notes: list[str] = []
    kept = os.dup(2)
    sink: IO[bytes]
    with tempfile.TemporaryFile() as sink:
        os.dup2(sink.fileno(), 2)
        try:
            yield notes
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            sink.seek(0)
            notes.append(sink.read().decode(errors="replace"))
