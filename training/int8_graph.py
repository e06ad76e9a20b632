# SPDX-License-Identifier: Apache-2.0
"""A shipped float network as a TensorFlow function, rebuilt from its own flatbuffer.

Whatever was trained, and however, the flatbuffer holds all that the device computes; so
a bundle can be quantised without its run. Signals become (1, 1, n_steps, n_channels)
throughout, which drops every EXPAND_DIMS and RESHAPE: batches need no other graph, and
the 8-bit network holds nothing but arithmetic.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dynamic_deep.errors import ModelError


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One operation: what it is, its options, and the tensors it joins."""

    code: str
    options: Any
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Graph:
    """A network of one subgraph.

    Attributes:
        operations: in the order they run.
        constants: tensor -> its values.
        shapes: tensor -> its shape.
        inputs: tensors, in the order of their names.
        outputs: the same.
    """

    operations: tuple[Operation, ...]
    constants: dict[int, npt.NDArray[Any]]
    shapes: dict[int, tuple[int, ...]]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def read_graph(content: bytes) -> Graph:
    """Return the graph of a `.tflite` file.

    Raises:
        ModelError: If it isn't a network of one subgraph.
    """
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(content, 0)
    if len(model.subgraphs) != 1:
        raise ModelError(
            f"a network must have one subgraph, got {len(model.subgraphs)}; export it "
            "again"
        )
    graph = model.subgraphs[0]
    names = {
        value: name
        for name, value in vars(schema.BuiltinOperator).items()
        if isinstance(value, int)
    }
    codes = [
        names[max(code.builtinCode, code.deprecatedBuiltinCode)]
        for code in model.operatorCodes
    ]
    dtypes = {schema.TensorType.FLOAT32: "<f4", schema.TensorType.INT32: "<i4"}
    constants: dict[int, npt.NDArray[Any]] = {}
    for i, tensor in enumerate(graph.tensors):
        data = model.buffers[tensor.buffer].data
        if data is not None and len(data) and tensor.type in dtypes:
            values = np.frombuffer(bytes(data), dtypes[tensor.type])
            shape = () if tensor.shape is None else tuple(tensor.shape)
            constants[i] = values.reshape(shape)

    def by_name(tensors: Any) -> tuple[int, ...]:
        return tuple(
            sorted((int(t) for t in tensors), key=lambda t: _natural(graph, t))
        )

    return Graph(
        operations=tuple(
            Operation(
                code=codes[op.opcodeIndex],
                options=op.builtinOptions,
                inputs=tuple(int(t) for t in op.inputs),
                outputs=tuple(int(t) for t in op.outputs),
            )
            for op in graph.operators
        ),
        constants=constants,
        shapes={
            i: () if t.shape is None else tuple(int(n) for n in t.shape)
            for i, t in enumerate(graph.tensors)
        },
        inputs=by_name(graph.inputs),
        outputs=by_name(graph.outputs),
    )


def _natural(graph: Any, tensor: int) -> list[tuple[int, str]]:
    """Sort names as the engine does: Identity_2 before Identity_10."""
    parts = re.split(r"(\d+)", graph.tensors[tensor].name.decode())
    return [(int(p), "") if p.isdigit() else (0, p) for p in parts]


def rebuild(graph: Graph, *, is_flat: bool) -> Callable[..., tuple[Any, ...]]:
    """Return a TensorFlow function that computes what a network does.

    Args:
        graph: of a float network.
        is_flat: whether signals are (1, 1, n_steps, n_channels), as of an encoder; else
            every tensor keeps its shape.

    Returns:
        Function from the inputs to the outputs. Where an output is the softplus of a
        dense layer plus a constant, the layer's own output stands for it.

    Raises:
        ModelError: If an operation is none that the encoder and its heads have.
    """
    ends = {out: _before_softplus(graph, out) for out in graph.outputs}

    def function(*inputs: Any) -> tuple[Any, ...]:
        values = dict(zip(graph.inputs, inputs, strict=True))
        for operation in graph.operations:
            if operation.code in ("EXP", "LOG") or operation.inputs[0] not in values:
                continue  # the softplus, which runs in float outside
            values[operation.outputs[0]] = _run(
                operation, graph, values, is_flat=is_flat
            )
        return tuple(values[ends[out]] for out in graph.outputs)

    return function


def activations(
    graph: Graph, segments: npt.NDArray[np.float32]
) -> dict[int, npt.NDArray[np.float32]]:
    """Return every tensor of an encoder for segments, (n, SEGMENT_LEN)."""
    values: dict[int, Any] = {graph.inputs[0]: segments[:, None, :, None]}
    for operation in graph.operations:
        result = _run(operation, graph, values, is_flat=True)
        values[operation.outputs[0]] = np.asarray(result)
    return values


def _before_softplus(graph: Graph, output: int) -> int:
    """Return the tensor that an output's softplus is of; the output if it has none."""
    makers = {op.outputs[0]: op for op in graph.operations}
    chain: list[str] = []
    tensor = output
    while len(chain) < 4 and tensor in makers:
        chain.append(makers[tensor].code)
        tensor = makers[tensor].inputs[0]
    return tensor if chain == ["ADD", "LOG", "ADD", "EXP"] else output


def _run(
    operation: Operation, graph: Graph, values: dict[int, Any], *, is_flat: bool
) -> Any:
    import tensorflow as tf

    def value(i: int) -> Any:
        tensor = operation.inputs[i]
        return values[tensor] if tensor in values else graph.constants[tensor]

    code, options = operation.code, operation.options
    if code in ("EXPAND_DIMS", "RESHAPE") and is_flat:
        return value(0)
    if code == "CONV_2D":
        strides = [1, options.strideH, options.strideW, 1]
        kernel = np.transpose(value(1), (1, 2, 3, 0))
        y = tf.nn.conv2d(value(0), kernel, strides, _padding(options)) + value(2)
        return _activated(y, options)
    if code == "DEPTHWISE_CONV_2D":
        strides = [1, options.strideH, options.strideW, 1]
        kernel = np.transpose(value(1), (1, 2, 3, 0))
        y = tf.nn.depthwise_conv2d(value(0), kernel, strides, _padding(options))
        return _activated(y + value(2), options)
    if code == "FULLY_CONNECTED":
        y = tf.matmul(value(0), value(1), transpose_b=True) + value(2)
        return _activated(y, options)
    if code == "ADD":
        return _activated(value(0) + value(1), options)
    if code in ("MEAN", "REDUCE_MAX"):
        reduce = tf.reduce_mean if code == "MEAN" else tf.reduce_max
        return reduce(value(0), axis=[1, 2] if is_flat else value(1))
    if code == "CONCATENATION":
        parts = [value(i) for i in range(len(operation.inputs))]
        return tf.concat(parts, axis=options.axis)
    if code == "LOG_SOFTMAX":
        return tf.nn.log_softmax(value(0))
    raise ModelError(
        f"an encoder to quantise must hold convolutions, sums and poolings, got {code}"
        "; export the bundle again"
    )


def _padding(options: Any) -> str:
    return "SAME" if options.padding == 0 else "VALID"


def _activated(y: Any, options: Any) -> Any:
    import tensorflow as tf

    limits = {0: None, 1: (0.0, None), 2: (-1.0, 1.0), 3: (0.0, 6.0)}
    if options.fusedActivationFunction in limits:
        bounds = limits[options.fusedActivationFunction]
        if bounds is None:
            return y
        low, high = bounds
        return tf.nn.relu(y) if high is None else tf.clip_by_value(y, low, high)
    raise ModelError(
        "an activation must be none, ReLU or a range, got TFLite's number "
        f"{options.fusedActivationFunction}; export the bundle again"
    )
