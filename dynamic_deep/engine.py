# SPDX-License-Identifier: Apache-2.0
"""Runs exported networks through LiteRT. Nothing here knows what they compute."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from dynamic_deep.errors import ModelError

LITERT_ERRORS = (ValueError, RuntimeError)  # what it raises for bytes it can't read


class Network:
    """One exported network.

    Args:
        content: the `.tflite` file.
        name: for messages.
        n_threads: of the CPU.
        shapes: of the inputs to prepare it for, in the order of their names. Without
            them an axis that was left open is taken to be 1 long at first, which not
            every network bears.

    Raises:
        ModelError: If LiteRT can't read it, or it can't have inputs of these shapes.
    """

    def __init__(
        self,
        content: bytes,
        name: str,
        *,
        n_threads: int = 1,
        shapes: Sequence[tuple[int, ...]] | None = None,
    ) -> None:
        """Load the network."""
        from ai_edge_litert.interpreter import Interpreter

        try:
            with quiet_stderr():
                self._interpreter: Any = Interpreter(
                    model_content=content, num_threads=n_threads
                )
                if shapes is not None:
                    self._resize(shapes)
                self._interpreter.allocate_tensors()
        except LITERT_ERRORS as error:
            raise ModelError(
                f"{name} must be a network that LiteRT reads, got: {error}; "
                "the bundle is damaged"
            ) from error
        self._inputs = self._input_details()
        outputs = self._interpreter.get_output_details()
        self._outputs = by_names(outputs)
        self._shapes = [tuple(detail["shape"]) for detail in self._inputs]

    def _input_details(self) -> list[dict[str, Any]]:
        return by_names(self._interpreter.get_input_details())

    def _resize(self, shapes: Sequence[tuple[int, ...]]) -> None:
        for detail, shape in zip(self._input_details(), shapes, strict=True):
            self._interpreter.resize_tensor_input(detail["index"], shape)

    def run(self, *inputs: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
        """Run once; inputs and outputs are in the order of their names."""
        shapes = [array.shape for array in inputs]
        if shapes != self._shapes:
            self._resize(shapes)
            self._interpreter.allocate_tensors()
            self._shapes = shapes
        for detail, array in zip(self._inputs, inputs, strict=True):
            self._interpreter.set_tensor(detail["index"], array)
        self._interpreter.invoke()
        return [
            np.array(self._interpreter.get_tensor(detail["index"]))
            for detail in self._outputs
        ]


def by_names(details: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return tensors in the order of their names, numbers in these as numbers."""
    return sorted(details, key=_natural)


def _natural(detail: dict[str, Any]) -> list[tuple[int, str]]:
    """Sort names with numbers in them as people do: Identity_2 before Identity_10."""
    parts = re.split(r"(\d+)", str(detail["name"]))
    return [(int(p), "") if p.isdigit() else (0, p) for p in parts]


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Keep LiteRT's C++ notes ("Created ... delegate") out of a command's stderr."""
    kept = os.dup(2)
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(null)
