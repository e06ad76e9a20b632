# SPDX-License-Identifier: Apache-2.0
"""Make the bundle without networks: `python -m training classical --out FOLDER`."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np

from dynamic_deep.bundle import (
    BUNDLE_VERSION,
    LOSSLESS,
    NEAR_LOSSLESS,
    LatentShape,
    Level,
)
from training.datasets import Lead, load_leads, normalize
from training.tables import (
    Tables,
    scale_tables,
    wavelet_levels,
    wavelet_tables,
    windows_of,
)

N_TABLE_WINDOWS = 1200  # of each data set: enough for tables of some thousand entries


def sample_windows(leads: list[Lead], *, seed: int = 1) -> list[np.ndarray]:
    """Return some of the windows of the leads, chosen once for all."""
    windows = windows_of(leads)
    order = np.random.default_rng(seed).permutation(len(windows))
    return [windows[i] for i in order[:N_TABLE_WINDOWS]]


def classical_tables() -> tuple[list[np.ndarray], Tables]:
    """Return normalised training windows and the tables fitted to them."""
    windows = sample_windows(load_leads("cinc2017", "train"))
    windows += sample_windows(load_leads("mitdb", "train"))
    normalized = [normalize(x) for x in windows]
    return normalized, scale_tables(windows) | wavelet_tables(normalized)


def write_bundle(
    folder: Path,
    *,
    name: str,
    tables: Tables,
    neural_levels: list[Level],
    latents: dict[str, LatentShape],
    networks: dict[str, bytes],
    trained: dict[str, object],
    heads: dict[str, list[str]] | None = None,
) -> None:
    """Write a bundle beside `folder`, then rename.

    Args:
        folder: of the bundle; what was there before is replaced.
        name: of the bundle.
        tables: integer tables, context weights and wavelet steps.
        neural_levels: its ladder beyond the classical levels.
        latents: the shape of each neural level's latent.
        networks: `.tflite` files by name.
        trained: on what, and what it reached.
        heads: the levels and channels that the error heads foretell.
    """
    levels = [LOSSLESS, NEAR_LOSSLESS, *wavelet_levels(), *neural_levels]
    config: dict[str, object] = {
        "name": name,
        "version": BUNDLE_VERSION,
        "levels": [dataclasses.asdict(level) for level in levels],
        "latents": {key: dataclasses.asdict(shape) for key, shape in latents.items()},
        "trained": trained,
    }
    if heads:
        config["heads"] = heads
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{name}-"))
    (beside / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    np.savez_compressed(beside / "tables.npz", **tables)  # type: ignore[arg-type]
    for key, content in networks.items():
        (beside / f"{key}.tflite").write_bytes(content)
    beside.chmod(0o755)
    card = folder / "MODEL_CARD.md"
    if card.exists():
        shutil.copy(card, beside)
    if folder.exists():
        shutil.rmtree(folder)
    os.replace(beside, folder)


def make_classical(folder: Path) -> None:
    """Fit and write the bundle `classical`."""
    _, tables = classical_tables()
    write_bundle(
        folder,
        name="classical",
        tables=tables,
        neural_levels=[],
        latents={},
        networks={},
        trained={"data": "MIT-BIH train, CinC 2017 train"},
    )
