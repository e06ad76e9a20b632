# SPDX-License-Identifier: Apache-2.0
"""Counts an encoder's parameters, its work, and what it must hold at once."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from device_sim.network_macs import read_graph

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True, kw_only=True)
class Counts:
    """What an encoder asks for.

    Attributes:
        n_params: numbers that it stores, moving statistics included.
        macs: multiply-accumulates for one segment.
        live_values: the most that a layer reads and writes, in values.
    """

    n_params: int
    macs: int
    live_values: int

    def __add__(self, other: Counts) -> Counts:
        """Return those of two encoders that run one after the other."""
        return Counts(
            n_params=self.n_params + other.n_params,
            macs=self.macs + other.macs,
            live_values=max(self.live_values, other.live_values),
        )


def count_keras(model: keras.Model) -> Counts:
    """Return the counts of a network of convolutions."""
    macs, live = 0, 0
    for layer in model.layers:
        made = _size(layer.output.shape)
        if hasattr(layer, "kernel"):
            kernel = layer.kernel.shape  # width, channels in, channels out
            macs += made * math.prod(int(n) for n in kernel[:-1])
        if layer.weights or hasattr(layer, "pool_size"):
            live = max(live, made + _size(layer.input.shape))
    return Counts(n_params=int(model.count_params()), macs=macs, live_values=live)


def count_file(content: bytes, name: str) -> Counts:
    """Return the counts of a `.tflite` file, its normalisations folded in.

    Args:
        content: its bytes.
        name: for messages.

    Raises:
        ModelError: If it is no such file.
    """
    from ai_edge_litert import schema_py_generated as schema

    macs = read_graph(content, name).macs()
    model: Any = schema.ModelT.InitFromPackedBuf(content, 0)
    subgraph = model.subgraphs[0]
    kinds = schema.TensorType
    floats = (kinds.FLOAT32, kinds.FLOAT16, kinds.INT8)
    biases = {
        int(step.inputs[2])
        for step in subgraph.operators
        if len(step.inputs) > 2 and int(step.inputs[2]) >= 0
    }
    is_stored = [
        model.buffers[tensor.buffer].data is not None
        and len(model.buffers[tensor.buffer].data) > 0
        for tensor in subgraph.tensors
    ]
    sizes = [_size(() if t.shape is None else t.shape) for t in subgraph.tensors]
    # Whole numbers are shapes and axes, but for the biases of an integer network.
    n_params = sum(
        size
        for i, (tensor, size) in enumerate(zip(subgraph.tensors, sizes, strict=True))
        if is_stored[i]
        and (tensor.type in floats or (i in biases and tensor.type == kinds.INT32))
    )
    live = max(
        sum(sizes[i] for i in {*map(int, step.inputs)} if i >= 0 and not is_stored[i])
        + sum(sizes[int(i)] for i in step.outputs)
        for step in subgraph.operators
    )
    return Counts(n_params=n_params, macs=macs, live_values=live)


def _size(shape: Any) -> int:
    """Return the number of values of one window; an open axis counts once."""
    return int(np.prod([max(1, int(n or 1)) for n in shape]))
