# SPDX-License-Identifier: Apache-2.0
"""Runs the integer encoder of a bundle, with real numbers on both sides.

The file says itself what its integers mean: a JSON text in the flatbuffer's description
holds the bundle that it belongs to and, for each output, the value of one unit of each
channel. See docs/bundle.md, "encoder_int8".
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dynamic_deep.engine import LITERT_ERRORS, by_names, quiet_stderr
from dynamic_deep.errors import ModelError

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.signedinteger]
INTEGERS = (np.int8, np.int16)  # of the activations; weights are int8 always


@dataclass(frozen=True, kw_only=True, eq=False)
class Meaning:
    """What the integers of a network stand for.

    Attributes:
        model_id: of the bundle that it was made of, hexadecimal.
        units: float32 arrays, (n_channels,): the value of one unit of each channel of
            each output.
    """

    model_id: str
    units: tuple[FloatArray, ...]


def meaning_of(content: bytes) -> Meaning:
    """Read what the integers of an encoder stand for.

    Raises:
        ModelError: If the file doesn't say it.
    """
    from ai_edge_litert import schema_py_generated as schema

    try:
        stated = json.loads(schema.Model.GetRootAs(content, 0).Description())
        units = tuple(np.asarray(row, np.float32) for row in stated["units"])
        return Meaning(model_id=str(stated["model_id"]), units=units)
    except (KeyError, TypeError, ValueError) as error:
        raise ModelError(
            f"an integer encoder must say what its integers mean, got: {error}; make "
            "it again with `python -m training int8`"
        ) from error


class IntegerEncoder:
    """The integer encoder: like `engine.Network` of the float one.

    The kernels are LiteRT's reference ones, which give just the integers of TensorFlow
    Lite Micro's; the faster ones round otherwise, by up to 4 units.

    Args:
        content: `encoder_int8.tflite`.
        model_id: of the bundle it is used with, hexadecimal.
        n_threads: of the CPU.

    Raises:
        ModelError: If it can't be read, or is of another bundle.
    """

    def __init__(self, content: bytes, model_id: str, *, n_threads: int = 1) -> None:
        """Load the network."""
        from ai_edge_litert.interpreter import Interpreter, OpResolverType

        try:
            with quiet_stderr():
                self._interpreter: Any = Interpreter(
                    model_content=content,
                    num_threads=n_threads,
                    experimental_op_resolver_type=OpResolverType.BUILTIN_REF,
                )
                self._interpreter.allocate_tensors()
        except LITERT_ERRORS as error:
            raise ModelError(
                f"encoder_int8 must be a network that LiteRT reads, got: {error}; the "
                "bundle is damaged"
            ) from error
        self.meaning = meaning_of(content)
        if self.meaning.model_id != model_id:
            raise ModelError(
                f"an integer encoder must be made of its bundle, {model_id[:8]}, got "
                f"one of {self.meaning.model_id[:8]}; run `python -m training int8`"
            )
        (self._input,) = self._interpreter.get_input_details()
        self._outputs = by_names(self._interpreter.get_output_details())
        self.dtype = self._input["dtype"]
        if self.dtype not in INTEGERS or len(self._outputs) != len(self.meaning.units):
            raise ModelError(
                "an integer encoder must have integers on both sides and a unit for "
                f"each output, got {self.dtype.__name__}; make it again"
            )

    @property
    def input_scale(self) -> tuple[float, int]:
        """What one unit of the input is worth, and the integer that stands for 0."""
        scale, zero = self._input["quantization"]
        return float(scale), int(zero)

    @property
    def output_names(self) -> list[str]:
        """The names of the outputs in the file, in their order here."""
        return [str(detail["name"]) for detail in self._outputs]

    def zero_of(self, output: int) -> int:
        """Return the integer that stands for 0 in an output."""
        return int(self._outputs[output]["quantization"][1])

    def to_integers(self, segments: npt.NDArray[np.floating]) -> IntArray:
        """Return segments as the network takes them, saturated at its range."""
        scale, zero = self.input_scale
        limits = np.iinfo(self.dtype)
        units = np.rint(segments.astype(np.float32) / np.float32(scale)) + zero
        clipped = np.clip(units, limits.min, limits.max)
        return np.asarray(clipped, dtype=self.dtype)

    def run_integers(self, segments: IntArray) -> list[IntArray]:
        """Run on integers: (n_segments, SEGMENT_LEN) -> its outputs, zero at 0.

        Returns:
            int32 arrays, (n_segments, n_steps, n_channels), and (n_segments,
            n_features) if it feeds error heads.
        """
        shape = (len(segments), 1, segments.shape[1], 1)
        if tuple(self._input["shape"]) != shape:
            self._interpreter.resize_tensor_input(self._input["index"], shape)
            self._interpreter.allocate_tensors()
            (self._input,) = self._interpreter.get_input_details()
            self._outputs = by_names(self._interpreter.get_output_details())
        self._interpreter.set_tensor(self._input["index"], segments.reshape(shape))
        self._interpreter.invoke()
        results = []
        for detail in self._outputs:
            value = self._interpreter.get_tensor(detail["index"]).astype(np.int32)
            value -= detail["quantization"][1]
            results.append(value[:, 0] if value.ndim == 4 else value)
        return results

    def run(self, segments: npt.NDArray[np.floating]) -> list[FloatArray]:
        """Run on real numbers: (n_segments, SEGMENT_LEN, 1) -> as the float encoder."""
        integers = self.run_integers(self.to_integers(segments[..., 0]))
        return [
            value.astype(np.float32) * units
            for value, units in zip(integers, self.meaning.units, strict=True)
        ]
