# SPDX-License-Identifier: Apache-2.0
"""From a trained run to a bundle: integer tables, thresholds, LiteRT networks.

python -m training export standard --run runs/standard --out BUNDLE
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dynamic_deep.bundle import LatentShape, Level
from dynamic_deep.errors import ConfigError
from dynamic_deep.networks import LatentConfig
from dynamic_deep.quantizer import quantize
from training.classical import classical_tables, write_bundle
from training.datasets import all_windows, load_leads
from training.kept import Kept
from training.latent_tables import context_weights, encode_windows, fit_tables
from training.lite import TASK_BODY, export_networks
from training.model import CodecModel
from training.presets import Preset
from training.tables import Tables
from training.thresholds import choose_threshold
from training.trainer import build_model, load_checkpoint
from training.worth import MIN_ADVANTAGE, advantage, wavelet_curve

FIRST_NEURAL_ID = 16
# Rungs of high fidelity for windows that no neural level suits; those above them the
# neural levels replace.
HEAD_LEVELS = ("wavelet_12", "wavelet_16", "wavelet_24", "wavelet_32", "wavelet_48")
N_VALIDATION_WINDOWS = 200

FloatArray = npt.NDArray[np.float32]


def validation_windows() -> FloatArray:
    """Return CinC validation windows and, as MIT-BIH has no such split, train ones."""
    rng = np.random.default_rng(5)
    parts = []
    for data_set, split in (("cinc2017", "validation"), ("mitdb", "train")):
        windows = all_windows(load_leads(data_set, split))
        chosen = rng.permutation(len(windows))[: N_VALIDATION_WINDOWS // 2]
        parts.append(windows[chosen])
    return np.concatenate(parts)


def level_tables(
    model: CodecModel,
    training: list[FloatArray],
    validation: FloatArray,
    *,
    classical: Tables,
    min_advantage: float = MIN_ADVANTAGE,
) -> tuple[Tables, dict[str, LatentShape], dict[str, dict[str, float]]]:
    """Return tables, latent shapes and validation figures of the neural levels.

    Figures are of every level; a level that is not `min_advantage` above the wavelet at
    its PRDN has no tables and no shape.
    """
    curve = wavelet_curve(classical, validation[..., 0])
    tables: Tables = {}
    shapes: dict[str, LatentShape] = {}
    figures: dict[str, dict[str, float]] = {}
    fitted = encode_windows(model, np.stack(training)[..., None])
    checked = encode_windows(model, validation)
    for i, latent in enumerate(model.config.latents):
        threshold, figures[latent.name] = choose_threshold(
            model, i, checked[i], validation
        )
        reached = figures[latent.name]
        reached["advantage"] = round(
            advantage(curve, prdn=reached["prdn"], rate=reached["bits_per_sample"]),
            3,
        )
        if reached["advantage"] < min_advantage:
            continue
        context = context_weights(model.rates[i])
        counts = fit_tables(context, quantize(fitted[i], threshold))
        tables |= {
            f"{latent.name}/earlier": context.earlier,
            f"{latent.name}/same": context.same,
            f"{latent.name}/bias": context.bias,
            f"{latent.name}/n_groups": np.asarray(context.n_groups),
            f"{latent.name}/counts": counts,
        }
        shapes[latent.name] = _shape(i, latent, threshold)
    return tables, shapes, figures


def _levels(codecs: list[CodecModel], latents: dict[str, LatentShape]) -> list[Level]:
    """Return the levels of codecs that have a latent in the bundle."""
    trained = [latent for codec in codecs for latent in codec.config.latents]
    return [
        Level(
            id=FIRST_NEURAL_ID + i,
            name=latent.name,
            kind="neural",
            nominal_gain=float(latent.nominal_gain),
        )
        for i, latent in enumerate(trained)
        if latent.name in latents
    ]


def _beside(
    kept: Kept | None, shapes: dict[str, LatentShape]
) -> dict[str, LatentShape]:
    """Return the latents of all levels; new ones beside kept ones have their body."""
    if kept is None:
        return shapes
    first = len(kept.names)
    return kept.shapes | {
        name: dataclasses.replace(
            shape, level_idx=first + shape.level_idx, body=TASK_BODY
        )
        for name, shape in shapes.items()
    }


def _bound_levels(latents: dict[str, LatentShape], names: tuple[str, ...]) -> list[str]:
    unknown = set(names) - set(latents)
    if unknown:
        raise ConfigError(
            f"a bound must choose among the bundle's levels, {', '.join(latents)}; got "
            f"{', '.join(sorted(unknown))}; leave out what was not exported"
        )
    return [name for name in latents if name in names or not names]


def _shape(level_idx: int, latent: LatentConfig, threshold: float) -> LatentShape:
    return LatentShape(
        level_idx=level_idx,
        n_channels=latent.n_channels,
        stride=latent.stride,
        threshold=threshold,
    )


def write_codec(
    model: CodecModel,
    folder: Path,
    *,
    trained: dict[str, object],
    more_networks: dict[str, bytes] | None = None,
    head_channels: list[str] | None = None,
    bound_levels: tuple[str, ...] = (),
    min_advantage: float = MIN_ADVANTAGE,
    kept: Kept | None = None,
) -> dict[str, Any]:
    """Write the bundle of a trained codec; return what it was trained on and reached.

    Args:
        model: the codec.
        folder: of the bundle.
        trained: on what.
        more_networks: `.tflite` files beside the codec's own.
        head_channels: what error heads will foretell for the ladder of `HEAD_LEVELS`
            and the neural levels; None if there will be none.
        bound_levels: the neural levels that they foretell, so that a bound may choose
            them; all if none is named.
        min_advantage: over the wavelet at equal PRDN, below which a level is left out.
        kept: levels of another bundle on the same trunk, which come first.
    """
    normalized, tables = classical_tables()
    more, latents, figures = level_tables(
        model,
        normalized,
        validation_windows(),
        classical=tables,
        min_advantage=min_advantage,
    )
    latents = _beside(kept, latents)
    codecs = [kept.codec, model] if kept else [model]
    networks = {
        name: content
        for name, content in export_networks(
            model, kept=kept.codec if kept else None
        ).items()
        if not name.startswith("entry_") or name.removeprefix("entry_") in latents
    }
    if kept:
        tables, figures = tables | kept.tables, kept.figures | figures
    heads = None
    if head_channels:
        neural = _bound_levels(latents, bound_levels)
        heads = {"levels": [*HEAD_LEVELS, *neural], "channels": head_channels}
    trained = trained | {"validation": figures}
    write_bundle(
        folder,
        name=model.config.name,
        tables=tables | more,
        neural_levels=_levels(codecs, latents),
        latents=latents,
        networks=networks | (more_networks or {}),
        trained=trained,
        heads=heads,
    )
    return trained | {"levels": [*latents]}


def export_bundle(preset: Preset, run: Path, folder: Path) -> dict[str, Any]:
    """Write the bundle of a run of phase 1; return what it reached."""
    model = build_model(preset)
    step = load_checkpoint(run / "checkpoint.npz", model)
    trained: dict[str, object] = {
        "preset": preset.networks.name,
        "data": "MIT-BIH train, CinC 2017 train",
        "n_steps": step,
        "seed": preset.seed,
    }
    return write_codec(model, folder, trained=trained)
