# SPDX-License-Identifier: Apache-2.0
"""An ablation's bundle, with weights of 16 bits, so that all of them can be shipped."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dynamic_deep.bundle import Level
from dynamic_deep.config import SEGMENT_LEN
from experiments.ablations.presets import AblationPreset

if TYPE_CHECKING:
    from training.model import CodecModel


def export_ablation(
    preset: AblationPreset,
    model: CodecModel,
    folder: Path,
    *,
    against: CodecModel | None = None,
) -> dict[str, Any]:
    """Write the bundle of a trained ablation; return what it is and reached.

    Args:
        preset: what was trained.
        model: trained.
        folder: of the bundle.
        against: a trained model whose rates it must meet; its own if None.
    """
    from experiments.ablations.step import meet_rates
    from training.classical import classical_tables, write_bundle
    from training.export import FIRST_NEURAL_ID, level_tables, validation_windows

    windows, tables = classical_tables()
    validation = validation_windows()
    trained: dict[str, Any] = {
        "data": "MIT-BIH train, CinC 2017 train",
        "n_steps": preset.n_steps,
        "seed": preset.seed,
        "macs": encoder_macs(model),
    }
    if against is not None:
        trained["steps"] = meet_rates(model, against, windows, validation=validation)
    more, latents, trained["validation"] = level_tables(
        model, windows, validation, classical=tables, min_advantage=0.0
    )
    levels = [
        Level(
            id=FIRST_NEURAL_ID + i,
            name=latent.name,
            kind="neural",
            nominal_gain=float(latent.nominal_gain),
        )
        for i, latent in enumerate(model.config.latents)
    ]
    write_bundle(
        folder,
        name=model.config.name,
        tables=tables | more,
        neural_levels=levels,
        latents=latents,
        networks=half_networks(model),
        trained=trained,
    )
    return trained


def encoder_macs(model: CodecModel) -> int:
    """Return the multiply-accumulates of trunk and tails, a segment."""
    from dynamic_deep.networks import count_macs

    return sum(count_macs(part) for part in (model.trunk, *model.tails))


def half_networks(model: CodecModel) -> dict[str, bytes]:
    """Return the `.tflite` files of a model, by name, with weights of 16 bits."""
    from training.lite import BODY, folded_tail

    tails = [folded_tail(tail) for tail in model.tails]

    def encode(segments: Any) -> tuple[Any, ...]:
        features = model.trunk(segments)
        return tuple(tail(features) for tail in tails)

    def decode(features: Any, level_idx: Any) -> Any:
        return model.body([features, level_idx])

    width = model.config.decoder_width
    networks = {
        "encoder": _half(encode, [((None, SEGMENT_LEN, 1), "float32")]),
        BODY: _half(decode, [((1, None, width), "float32"), ((1,), "int32")]),
    }
    for latent, entry in zip(model.config.latents, model.entries, strict=True):
        shape = 1, None, latent.n_channels
        networks[f"entry_{latent.name}"] = _half(
            lambda y, entry=entry: entry(y), [(shape, "float32")]
        )
    return networks


def _half(
    function: Callable[..., Any], signature: list[tuple[tuple[int | None, ...], str]]
) -> bytes:
    """Convert as `training.lite.convert`, and keep weights in 16 bits."""
    import tensorflow as tf

    specs = [
        tf.TensorSpec(shape, dtype, name=f"input_{i}")
        for i, (shape, dtype) in enumerate(signature)
    ]
    concrete = tf.function(function).get_concrete_function(*specs)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete])
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]
    return bytes(converter.convert())
