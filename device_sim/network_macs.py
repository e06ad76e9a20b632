# SPDX-License-Identifier: Apache-2.0
"""Counts a network's multiply-accumulates, from the exported file itself.

All of it, or only what some of its outputs need: a device that sends one level runs the
trunk and that level's tail.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dynamic_deep.errors import ModelError

# Operators that multiply by weights, or each with each, which no exported encoder has.
# All others count as nothing here: what they cost is in `macs_per_cycle`, which was
# measured on networks that have them, too.
_UNKNOWN = frozenset(
    {
        *("BATCH_MATMUL", "BIDIRECTIONAL_SEQUENCE_LSTM", "CONV_3D", "CUSTOM", "LSTM"),
        *("CONV_3D_TRANSPOSE", "RNN", "SVDF", "TRANSPOSE_CONV", "WHILE", "IF"),
        *("UNIDIRECTIONAL_SEQUENCE_LSTM", "UNIDIRECTIONAL_SEQUENCE_RNN"),
    }
)


@dataclass(frozen=True, kw_only=True)
class Step:
    """One operator.

    Attributes:
        inputs: numbers of the tensors it reads.
        outputs: of those it writes.
        macs: multiply-accumulates.
    """

    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    macs: int


@dataclass(frozen=True, kw_only=True)
class Graph:
    """A network as steps.

    Attributes:
        steps: in order.
        outputs: tensors that come out, in the order of their names.
    """

    steps: tuple[Step, ...]
    outputs: tuple[int, ...]

    def macs(self, wanted: Sequence[int] | None = None) -> int:
        """Return the multiply-accumulates.

        Args:
            wanted: numbers of the outputs that are needed; all if None.
        """
        numbers = range(len(self.outputs)) if wanted is None else wanted
        needed = {self.outputs[number] for number in numbers}
        total = 0
        for step in reversed(self.steps):
            if needed.intersection(step.outputs):
                needed.update(step.inputs)
                total += step.macs
        return total


def read_graph(content: bytes, name: str) -> Graph:
    """Read a `.tflite` file; an axis that it leaves open counts once.

    Args:
        content: its bytes.
        name: for messages.

    Raises:
        ModelError: If it is none, or has an operator whose cost is not known here.
    """
    from ai_edge_litert import schema_py_generated as schema

    try:
        model: Any = schema.ModelT.InitFromPackedBuf(content, 0)
        subgraph = model.subgraphs[0]
    except Exception as error:  # the generated reader raises whatever it trips over
        raise ModelError(
            f"{name} must be a network that LiteRT reads, got: {error}; the bundle is "
            "damaged"
        ) from error
    names = {
        value: key
        for key, value in vars(schema.BuiltinOperator).items()
        if not key.startswith("_")
    }
    shapes = [
        [] if tensor.shape is None else [int(n) for n in tensor.shape]
        for tensor in subgraph.tensors
    ]
    steps = tuple(
        _step(operator, names[_code(model, operator)], shapes, name)
        for operator in subgraph.operators
    )
    outputs = sorted(
        (int(number) for number in subgraph.outputs),
        key=lambda number: _natural(subgraph.tensors[number].name.decode()),
    )
    return Graph(steps=steps, outputs=tuple(outputs))


def _code(model: Any, operator: Any) -> int:
    code = model.operatorCodes[operator.opcodeIndex]
    # Small codes stand in the old field, too; large ones only in the new one.
    return max(int(code.builtinCode), int(code.deprecatedBuiltinCode))


def _step(operator: Any, kind: str, shapes: list[list[int]], name: str) -> Step:
    inputs = tuple(int(number) for number in operator.inputs if number >= 0)
    outputs = tuple(int(number) for number in operator.outputs)
    made = _size(shapes[outputs[0]])
    if kind == "CONV_2D":
        macs = made * _size(shapes[inputs[1]][1:])
    elif kind == "DEPTHWISE_CONV_2D":
        macs = made * _size(shapes[inputs[1]][1:3])
    elif kind == "FULLY_CONNECTED":
        macs = made * shapes[inputs[1]][-1]
    elif kind in _UNKNOWN:
        raise ModelError(
            f"{name} must multiply in convolutions and dense layers only, got {kind}; "
            "say in device_sim/network_macs.py what it costs"
        )
    else:
        macs = 0
    return Step(inputs=inputs, outputs=outputs, macs=macs)


def _size(shape: list[int]) -> int:
    size = 1
    for length in shape:
        size *= max(1, length)
    return size


def _natural(name: str) -> list[tuple[int, str]]:
    parts = re.split(r"(\d+)", name)
    return [(int(part), "") if part.isdigit() else (0, part) for part in parts]
