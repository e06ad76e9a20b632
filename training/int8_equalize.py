# SPDX-License-Identifier: Apache-2.0
"""Brings the channels of every activation to one range, before it is quantised."""

from __future__ import annotations

import copy
import dataclasses

import numpy as np
import numpy.typing as npt

from training.int8_graph import Graph, Operation, activations

FloatArray = npt.NDArray[np.float32]

CONVOLUTIONS = ("CONV_2D", "DEPTHWISE_CONV_2D")
VIEWS = ("RESHAPE", "EXPAND_DIMS")
POOLINGS = ("MEAN", "REDUCE_MAX")
UNITS = 255  # of an int8 tensor's range
# Of the squared error that cutting off makes, against rounding's: at 1 spikes saturate,
# and cost gain_64 0.6 points of PRDN on validation windows.
CUT_WEIGHT = 8.0
TRIED_RANGES = 0.85 ** np.arange(16)  # of the largest magnitude
RELU, RELU_N1_TO_1, RELU6 = 1, 2, 3  # TFLite's numbers
LEAST_SHARE = 1e-3  # a channel that is nearly dead is not blown up beyond it
LEAST_LATENT = 0.3  # steps: what is never near 1 needs no finer unit


def equalized(graph: Graph, segments: FloatArray) -> tuple[Graph, list[FloatArray]]:
    """Return a network of the same results but for a gain of each output's channels.

    Args:
        graph: of a float encoder.
        segments: float32, (n, SEGMENT_LEN), to measure ranges on.

    Returns:
        The network, and for each output (n_channels,): what its channels were
        multiplied by.
    """
    values = activations(graph, segments)
    makers = {op.outputs[0]: op for op in graph.operations}

    def source(tensor: int) -> int:
        while tensor in makers and makers[tensor].code in VIEWS:
            tensor = makers[tensor].inputs[0]
        return tensor

    tied = _tied_by_sums(graph, source)
    ends = {source(output) for output in graph.outputs}
    pooled = {
        tied(op.inputs[0]) for op in graph.operations if op.code in POOLINGS
    }  # features for the heads keep their unit
    ranges: dict[int, FloatArray] = {}
    for op in graph.operations:
        tensor = op.outputs[0]
        if op.code not in (*CONVOLUTIONS, "ADD") or source(tensor) in ends:
            continue
        if tied(tensor) not in pooled:
            known = ranges.get(tied(tensor), np.float32(0.0))
            ranges[tied(tensor)] = np.maximum(_best_range(values[tensor], op), known)
    constants = dict(graph.constants)
    for op in graph.operations:
        if op.code not in CONVOLUTIONS:
            continue
        if tied(op.outputs[0]) in ranges:
            _scale_outputs(op, 6.0 / _bounded(ranges[tied(op.outputs[0])]), constants)
        if tied(op.inputs[0]) in ranges:
            _scale_inputs(op, _bounded(ranges[tied(op.inputs[0])]) / 6.0, constants)
    gains = []
    for output in graph.outputs:
        maker = makers[source(output)]
        gain = np.ones(graph.shapes[output][-1], np.float32)
        if maker.code == "CONV_2D":
            best = _best_range(values[maker.outputs[0]], maker)
            gain = np.asarray(1.0 / np.maximum(best, LEAST_LATENT), np.float32)
            _scale_outputs(maker, gain, constants)
        gains.append(gain)
    operations = tuple(
        _cut(op, tied(op.outputs[0]) in ranges, source(op.outputs[0]) in ends)
        for op in graph.operations
    )
    changed = dataclasses.replace(graph, constants=constants, operations=operations)
    return changed, gains


def _cut(op: Operation, is_scaled: bool, is_end: bool) -> Operation:
    """Return an operation that saturates where its channels' ranges end."""
    activation = getattr(op.options, "fusedActivationFunction", None)
    options = copy.copy(op.options)
    if is_scaled and (activation == RELU or op.code == "ADD"):
        options.fusedActivationFunction = RELU6
    elif is_end and op.code == "CONV_2D":
        options.fusedActivationFunction = RELU_N1_TO_1
    return dataclasses.replace(op, options=options)


def _tied_by_sums(graph: Graph, source):  # type: ignore[no-untyped-def]
    """Return what names the tensors that a sum ties to one range."""
    roots: dict[int, int] = {}

    def tied(tensor: int) -> int:
        tensor = source(tensor)
        while tensor in roots:
            tensor = roots[tensor]
        return tensor

    for op in graph.operations:
        if op.code == "ADD":
            for tensor in op.inputs:
                if tied(tensor) != op.outputs[0]:
                    roots[tied(tensor)] = op.outputs[0]
    return tied


def _best_range(values: FloatArray, op: Operation) -> FloatArray:
    """Return the magnitude to cut each channel off at, for the least squared error."""
    sizes = np.abs(values).reshape(-1, values.shape[-1])
    largest = sizes.max(axis=0)
    span = 1.0 if op.options.fusedActivationFunction == RELU else 2.0
    best, least = largest, np.full(largest.shape, np.inf)
    for share in TRIED_RANGES:
        limit = share * largest
        cut = np.square(np.maximum(sizes - limit, 0.0)).mean(axis=0)
        error = CUT_WEIGHT * cut + np.square(span * limit / UNITS) / 12.0
        best = np.where(error < least, limit, best)
        least = np.minimum(error, least)
    return np.asarray(best, np.float32)


def _bounded(ranges: FloatArray) -> FloatArray:
    return np.asarray(np.maximum(ranges, LEAST_SHARE * ranges.max()), np.float32)


def _scale_outputs(op: Operation, factor: FloatArray, constants: dict) -> None:
    kernel, bias = op.inputs[1], op.inputs[2]
    is_depthwise = op.code == "DEPTHWISE_CONV_2D"
    shaped = factor if is_depthwise else factor[:, None, None, None]
    constants[kernel] = (constants[kernel] * shaped).astype(np.float32)
    constants[bias] = (constants[bias] * factor).astype(np.float32)


def _scale_inputs(op: Operation, factor: FloatArray, constants: dict) -> None:
    kernel = op.inputs[1]  # the last axis is that of the input's channels in both kinds
    constants[kernel] = (constants[kernel] * factor).astype(np.float32)
