# SPDX-License-Identifier: Apache-2.0
"""The error heads as a C source: dense layers with int16 weights, a scale for each row.

Read from the shipped network and run again in Python, as the C does: a network of
another form is refused, rather than computed wrongly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dynamic_deep.bundle import Bundle
from dynamic_deep.config import SEGMENTS_PER_WINDOW
from dynamic_deep.engine import Network
from dynamic_deep.engine_int8 import IntegerEncoder
from dynamic_deep.errors import ModelError
from dynamic_deep.firmware.c_text import array, head

FloatArray = npt.NDArray[np.float32]
NAMES = ("summary", "answer", "hidden", "center", "spread")
TOLERANCE = 1e-3  # between the shipped network and the same in NumPy, float weights


@dataclass(frozen=True, kw_only=True, eq=False)
class Dense:
    """A dense layer: float32 (n_out, n_in) and (n_out,)."""

    weights: FloatArray
    bias: FloatArray

    def apply(self, x: FloatArray) -> FloatArray:
        """Return its output, without an activation."""
        return np.asarray(self.weights @ x + self.bias, np.float32)

    def rounded(self) -> tuple[npt.NDArray[np.int16], FloatArray]:
        """Return int16 weights and what a unit of each row is worth."""
        units = np.maximum(np.abs(self.weights).max(axis=1), 1e-9) / 32767.0
        whole = np.rint(self.weights / units[:, None]).astype(np.int16)
        return whole, units.astype(np.float32)

    def as_rounded(self) -> Dense:
        """Return the layer that the int16 weights make."""
        whole, units = self.rounded()
        return Dense(weights=whole * units[:, None], bias=self.bias)


@dataclass(frozen=True, kw_only=True, eq=False)
class DeviceHeads:
    """The heads of a bundle as a device computes them.

    Attributes:
        layers: by the names of `NAMES`.
        least_spread: what is added to the softplus of the last layer.
    """

    layers: dict[str, Dense]
    least_spread: float

    def summary(self, features: FloatArray) -> FloatArray:
        """Return what a window is summed up to, the answer guessed last.

        Args:
            features: of the window's segments, (n_segments, n_features).
        """
        layer = self.layers
        pooled = np.concatenate([features.mean(axis=0), features.max(axis=0)])
        summary = np.maximum(layer["summary"].apply(pooled), 0.0)
        answer = layer["answer"].apply(summary)
        answer = answer - answer.max()
        answer = answer - np.log(np.exp(answer).sum())
        return np.concatenate([summary, answer]).astype(np.float32)

    def forecast(
        self, features: FloatArray, log_rates: FloatArray
    ) -> tuple[FloatArray, FloatArray]:
        """Return center and spread, flat.

        Args:
            features: of the window's segments, (n_segments, n_features).
            log_rates: of the levels, (n_levels,).
        """
        layer = self.layers
        joined = np.concatenate([self.summary(features), log_rates])
        hidden = np.maximum(layer["hidden"].apply(joined), 0.0)
        spread = np.logaddexp(0.0, layer["spread"].apply(hidden)) + self.least_spread
        return layer["center"].apply(hidden), np.asarray(spread, np.float32)

    def as_rounded(self) -> DeviceHeads:
        """Return the heads that the int16 weights make."""
        layers = {name: layer.as_rounded() for name, layer in self.layers.items()}
        return DeviceHeads(layers=layers, least_spread=self.least_spread)


def device_heads(bundle: Bundle) -> DeviceHeads:
    """Read the heads of a bundle.

    Raises:
        ModelError: If it has none, or of another form.
    """
    if "heads" not in bundle.networks:
        raise ModelError(f"bundle {bundle.name} must have error heads, it has none")
    layers, least_spread = _dense_layers(bundle.networks["heads"])
    if len(layers) != len(NAMES):
        raise ModelError(
            f"error heads must have {len(NAMES)} dense layers, got {len(layers)}; "
            "their C code must be written anew"
        )
    heads = DeviceHeads(
        layers=dict(zip(NAMES, layers, strict=True)), least_spread=least_spread
    )
    _require_same(heads, bundle)
    return heads


def _dense_layers(content: bytes) -> tuple[list[Dense], float]:
    from ai_edge_litert import schema_py_generated as schema

    model: Any = schema.ModelT.InitFromPackedBuf(content, 0)
    graph = model.subgraphs[0]

    def constant(tensor: int) -> FloatArray:
        shape = graph.tensors[tensor].shape
        values = np.frombuffer(
            bytes(model.buffers[graph.tensors[tensor].buffer].data), "<f4"
        )
        return values.reshape(() if shape is None else tuple(shape))

    layers, added = [], []
    for op in graph.operators:
        code = model.operatorCodes[op.opcodeIndex]
        kind = max(code.builtinCode, code.deprecatedBuiltinCode)
        if kind == schema.BuiltinOperator.FULLY_CONNECTED:
            weights, bias = constant(op.inputs[1]), constant(op.inputs[2])
            layers.append(Dense(weights=weights, bias=bias))
        elif kind == schema.BuiltinOperator.ADD:
            added.append(float(constant(op.inputs[1]).ravel()[0]))
    return layers, added[-1] if added else 0.0


def _require_same(heads: DeviceHeads, bundle: Bundle) -> None:
    rng = np.random.default_rng(0)
    n_features = heads.layers["summary"].weights.shape[1] // 2
    features = rng.random((SEGMENTS_PER_WINDOW, n_features)).astype(np.float32)
    n_rates = len(bundle.config["heads"]["levels"])
    rates = rng.normal(-2.0, 1.0, n_rates).astype(np.float32)
    wanted = Network(bundle.networks["heads"], "heads").run(features[None], rates[None])
    found = heads.forecast(features, rates)
    for ours, theirs in zip(found, wanted, strict=True):
        if ours.shape != theirs[0].shape or np.abs(ours - theirs[0]).max() > TOLERANCE:
            raise ModelError(
                "error heads must be the dense layers that docs/firmware.md names, got "
                "a network that computes otherwise; its C code must be written anew"
            )


def heads_tables(bundle: Bundle, encoder: IntegerEncoder) -> tuple[str, int]:
    """Return `dd_heads_data.h`, and the bytes that they take."""
    heads = device_heads(bundle)
    sizes = {
        "N_FEATURES": heads.layers["summary"].weights.shape[1] // 2,
        "N_SUMMARY": len(heads.layers["summary"].bias),
        "N_CLASSES": len(heads.layers["answer"].bias),
        "N_RATES": len(bundle.config["heads"]["levels"]),
        "N_HIDDEN": len(heads.layers["hidden"].bias),
        "N_FORECASTS": len(heads.layers["center"].bias),
    }
    text = head("the error heads") + "".join(
        f"#define {name} {value}u\n" for name, value in sizes.items()
    )
    text += f"#define LEAST_SPREAD {np.float32(heads.least_spread):.9g}f\n\n"
    n_bytes = 0
    for name, layer in heads.layers.items():
        whole, units = layer.rounded()
        parts: dict[str, npt.NDArray[Any]]
        parts = {"weights": whole, "units": units, "bias": layer.bias}
        kinds = {"weights": "int16_t", "units": "float", "bias": "float"}
        for key, entries in parts.items():
            text += array(kinds[key], f"{name}_{key}", entries, static=True)
            n_bytes += entries.nbytes
    ids = [bundle.level(str(name)).id for name in bundle.config["heads"]["levels"]]
    text += array("uint8_t", "dd_head_levels", np.array(ids, np.uint8), static=False)
    unit = encoder.meaning.units[-1][0]
    text += f"const float dd_feature_unit = {np.float32(unit):.9g}f;\n"
    return text, n_bytes
