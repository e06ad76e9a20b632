# SPDX-License-Identifier: Apache-2.0
"""Takes back what rounding adds to a latent on average.

The rounding errors of weights don't cancel out: each channel of a quantised layer is
off by a constant (Nagel et al. 2019, arXiv 1906.04721, section 4.2), which the bias of
the last layer can take back.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from training.int8_graph import Graph

FloatArray = npt.NDArray[np.float32]
KEPT_SHARE = 0.9  # of the errors, the smallest: what was cut off is no bias


def mean_errors(
    found: Sequence[FloatArray], wanted: Sequence[FloatArray]
) -> list[FloatArray]:
    """Return what each channel of each output is off by on average, (n_channels,)."""
    means = []
    for ours, theirs in zip(found, wanted, strict=True):
        error = (ours - theirs).reshape(-1, ours.shape[-1])
        limit = np.quantile(np.abs(error), KEPT_SHARE, axis=0)
        is_kept = np.abs(error) <= limit
        means.append(
            np.asarray(
                (error * is_kept).sum(axis=0) / np.maximum(is_kept.sum(axis=0), 1),
                np.float32,
            )
        )
    return means


def with_biases(
    graph: Graph, errors: Sequence[FloatArray], gains: Sequence[FloatArray]
) -> Graph:
    """Return a network whose last convolutions take the errors back.

    Args:
        graph: of an encoder, its outputs multiplied by `gains`.
        errors: of each output, in units before the gains.
        gains: of each output's channels.
    """
    makers = {op.outputs[0]: op for op in graph.operations}
    constants = dict(graph.constants)
    for output, error, gain in zip(graph.outputs, errors, gains, strict=True):
        tensor = output
        while makers[tensor].code in ("RESHAPE", "EXPAND_DIMS"):
            tensor = makers[tensor].inputs[0]
        if makers[tensor].code == "CONV_2D":
            bias = makers[tensor].inputs[2]
            constants[bias] = (constants[bias] - error * gain).astype(np.float32)
    return dataclasses.replace(graph, constants=constants)
