# SPDX-License-Identifier: Apache-2.0
"""The constants of a `.tflite` file, operation by operation; the inverse of `lite`.

The converter keeps a Keras layer's name in the name of what the layer gives, and the
number in it counts layers as they were made. What an operation computes is not looked
at here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dynamic_deep.bundle import UNREADABLE
from dynamic_deep.errors import ModelError

FloatArray = npt.NDArray[np.float32]
FLOAT32 = 0  # TensorType
IDENTIFIER = b"TFL3"  # after the first offset


@dataclass(frozen=True, kw_only=True, eq=False)
class Operation:
    """One operation of a network.

    Attributes:
        kind: of TensorFlow Lite's names, as CONV_2D.
        name: of its first output.
        inputs: numbers of the tensors it takes.
        outputs: of those it gives.
        constants: its float32 constants of one or more entries, in their order.
    """

    kind: str
    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    constants: tuple[FloatArray, ...]

    def number(self, layer: str) -> int | None:
        """Return the number of the first layer of a kind in the name, if any.

        Example:
            >>> op = Operation(kind="CONV_2D", name="body_1/conv1d_10_1/convolution",
            ...     inputs=(), outputs=(), constants=())
            >>> op.number("conv1d"), op.number("dense")
            (10, None)
        """
        found = re.search(layer + r"(?:_(\d+))?_\d+/", self.name)
        return int(found[1] or 0) if found else None


@dataclass(frozen=True, kw_only=True, eq=False)
class Graph:
    """A network: its operations, and the tensors that it gives."""

    operations: tuple[Operation, ...]
    outputs: tuple[int, ...]

    def of_kind(self, *kinds: str) -> list[Operation]:
        """Return the operations of some kinds, in the order they run in."""
        return [op for op in self.operations if op.kind in kinds]

    def source(self, tensor: int, kind: str) -> Operation:
        """Return the nearest operation of a kind that a tensor comes of.

        Only first inputs are followed.

        Raises:
            ModelError: If there is none.
        """
        makers = {output: op for op in self.operations for output in op.outputs}
        while tensor in makers:
            if makers[tensor].kind == kind:
                return makers[tensor]
            tensor = makers[tensor].inputs[0]
        raise ModelError(
            f"a network must have a {kind} before each output, got one without; "
            "only bundles that `python -m training` made can be trained on"
        )


def read_graph(content: bytes) -> Graph:
    """Read a `.tflite` file; outputs are in the order of their names.

    Raises:
        ModelError: If it is none.
    """
    from ai_edge_litert import schema_py_generated as schema

    if content[4:8] != IDENTIFIER:
        raise ModelError(
            "a network must be a .tflite file, got something else; the bundle is "
            "damaged"
        )
    try:
        model: Any = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content, 0))
        graph = model.subgraphs[0]
        operations = tuple(_operation(op, model, schema) for op in graph.operators)
    except UNREADABLE as error:
        raise ModelError(
            f"a network must be a .tflite file, got: {error}; the bundle is damaged"
        ) from error

    def place(tensor: int) -> int:
        found = re.search(r"(\d+)$", graph.tensors[tensor].name.decode())
        return int(found[1]) if found else 0

    return Graph(
        operations=operations, outputs=tuple(sorted(map(int, graph.outputs), key=place))
    )


def _operation(op: Any, model: Any, schema: Any) -> Operation:
    tensors = model.subgraphs[0].tensors
    code = model.operatorCodes[op.opcodeIndex]
    number = max(code.builtinCode, code.deprecatedBuiltinCode)
    kinds = {v: k for k, v in vars(schema.BuiltinOperator).items() if v == number}
    inputs = tuple(int(i) for i in op.inputs if i >= 0)
    constants = []
    for tensor in (tensors[i] for i in inputs):
        data = model.buffers[tensor.buffer].data
        if tensor.type == FLOAT32 and data is not None and len(data):
            shape = () if tensor.shape is None else tuple(tensor.shape)
            constants.append(np.frombuffer(bytes(data), np.float32).reshape(shape))
    return Operation(
        kind=kinds[number],
        name=tensors[op.outputs[0]].name.decode(),
        inputs=inputs,
        outputs=tuple(int(i) for i in op.outputs),
        constants=tuple(c for c in constants if c.size and c.ndim),
    )
