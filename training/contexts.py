# SPDX-License-Identifier: Apache-2.0
"""Fit the context networks of a bundle's latents, which save bits and change nothing.

    python -m training contexts BUNDLE --run RUN --out FOLDER

What is decoded stays as it is; payloads grow shorter. Each level's network is fitted to
the quantised latents of training windows, made integer, and its tables counted.
"""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dynamic_deep.bundle import (
    BUNDLE_VERSION,
    UNHASHED,
    Bundle,
    bundle_folder,
    load_bundle,
)
from dynamic_deep.config import MODEL_FS, WINDOW_LEN
from dynamic_deep.window_codec import WindowCodec, WindowPlace
from training.context_fit import ContextPreset, fit_context, net_tables, preset_of
from training.datasets import FLIP_SHARE, Lead, load_leads

IntArray = npt.NDArray[np.int32]
Log = Callable[[str], None]
MITDB_EVERY = 2  # of its windows one is used: they are of few patients
# The linear context stays beside the network: training goes on with it.
LINEAR = ("earlier", "same", "bias", "n_groups")


def quantized_latents(
    bundle: Bundle, leads: list[Lead], *, every: int = 1, seed: int
) -> dict[str, IntArray]:
    """Return the latents of whole windows, a share of them turned upside down.

    Args:
        bundle: whose neural levels.
        leads: at the model's rate.
        every: keep one window of so many.
        seed: of which are turned.

    Returns:
        For each neural level int32 (n_windows, n_steps, n_channels).
    """
    codec, rng = WindowCodec(bundle), np.random.default_rng(seed)
    place = WindowPlace(n_samples=WINDOW_LEN, fs=MODEL_FS, baseline=0, adc_bits=16)
    starts = [
        (lead, start)
        for lead in leads
        for start in range(0, len(lead.x) - WINDOW_LEN + 1, WINDOW_LEN)
    ][::every]
    found: dict[str, list[IntArray]] = {name: [] for name in bundle.latents}
    for lead, start in starts:
        sign = -1 if rng.random() < FLIP_SHARE else 1
        x = sign * np.rint(lead.x[start : start + WINDOW_LEN]).astype(np.int32)
        window = codec.analyze(x, place)
        for name, latents in found.items():
            latents.append(codec.quantized_latent(window, bundle.level(name)))
    return {name: np.stack(latents) for name, latents in found.items()}


def training_latents(bundle: Bundle, *, seed: int) -> dict[str, IntArray]:
    """Return the latents of the train splits."""
    cinc = quantized_latents(bundle, load_leads("cinc2017", "train"), seed=seed)
    leads = load_leads("mitdb", "train")
    mitdb = quantized_latents(bundle, leads, every=MITDB_EVERY, seed=seed)
    return {name: np.concatenate([cinc[name], mitdb[name]]) for name in cinc}


def fit_contexts(
    name_or_path: str | Path, run: Path, folder: Path, *, log: Log
) -> dict[str, tuple[float, float]]:
    """Fit every neural level of a bundle and write a bundle with the networks.

    Levels that the run folder holds are not fitted again.

    Args:
        name_or_path: of the bundle.
        run: folder that keeps what is fitted.
        folder: of the new bundle. Its error heads knew other rates, so train them
            again; calibrations and the integer encoder, which belong to a model, are
            left out.
        log: gets a line now and then.

    Returns:
        For each level the bytes of a validation window of CinC 2017, before and after.
    """
    bundle = load_bundle(name_or_path)
    preset = preset_of(bundle.name)
    run.mkdir(parents=True, exist_ok=True)
    fitted = _fit_levels(bundle, preset, run, log=log)
    tables = _with_networks(bundle, fitted)
    new = dataclasses.replace(bundle, tables=tables)
    reached = compare(bundle, new, seed=preset.seed)
    _write(bundle, tables, folder, preset)
    return reached


def _fit_levels(
    bundle: Bundle, preset: ContextPreset, run: Path, *, log: Log
) -> dict[str, dict[str, npt.NDArray[Any]]]:
    names = [name for name in bundle.latents if not (run / f"{name}.npz").exists()]
    latents = training_latents(bundle, seed=preset.seed) if names else {}
    for name in names:
        log(f"{name}: {len(latents[name]):,} windows")
        model = fit_context(latents[name], preset, log=log)
        beside = run / f"{name}.part"
        with beside.open("wb") as stream:
            np.savez_compressed(stream, **net_tables(model, latents[name]))  # type: ignore[arg-type]
        os.replace(beside, run / f"{name}.npz")
    found = {}
    for name in bundle.latents:
        with np.load(run / f"{name}.npz", allow_pickle=False) as stored:
            found[name] = {key: stored[key] for key in stored.files}
    return found


def _with_networks(
    bundle: Bundle, fitted: dict[str, dict[str, npt.NDArray[Any]]]
) -> dict[str, npt.NDArray[Any]]:
    """Return the tables of a bundle, with networks in place of linear contexts."""
    tables = {
        key: table
        for key, table in bundle.tables.items()
        if key.split("/")[0] not in fitted or key.split("/")[-1] in LINEAR
    }
    for name, arrays in fitted.items():
        tables |= {f"{name}/{key}": array for key, array in arrays.items()}
    return tables


def compare(
    before: Bundle, after: Bundle, *, seed: int
) -> dict[str, tuple[float, float]]:
    """Return the mean bytes of CinC 2017 validation windows at each level of both."""
    leads = load_leads("cinc2017", "validation")
    latents = quantized_latents(before, leads, seed=seed)
    return {
        name: (
            float(np.mean([before.latent_coder(name).n_bits(v) for v in y])) / 8.0,
            float(np.mean([after.latent_coder(name).n_bits(v) for v in y])) / 8.0,
        )
        for name, y in latents.items()
    }


def _write(
    bundle: Bundle,
    tables: dict[str, npt.NDArray[Any]],
    folder: Path,
    preset: ContextPreset,
) -> None:
    """Write the bundle beside `folder`, then rename."""
    config = bundle.config | {"version": BUNDLE_VERSION}
    trained = dict(config["trained"]) | {"contexts": dataclasses.asdict(preset)}
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}."))
    try:
        for path in bundle_folder(bundle.folder or bundle.name).iterdir():
            if not path.name.startswith(UNHASHED):
                shutil.copy(path, beside / path.name)
        np.savez_compressed(beside / "tables.npz", **tables)  # type: ignore[arg-type]
        text = json.dumps(config | {"trained": trained}, indent=1)
        (beside / "config.json").write_text(text + "\n")
        if folder.exists():
            shutil.rmtree(folder)
        beside.rename(folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
