# SPDX-License-Identifier: Apache-2.0
"""Fit the context networks of a bundle's levels, which save bytes and change nothing.

    python -m training contexts BUNDLE --run RUN --out FOLDER

What is decoded stays as it is; payloads grow shorter. Each level's network is fitted to
the symbols of training windows, made integer, and its tables counted. Error heads read
the levels' rates, and are told the new ones.
"""

from __future__ import annotations

import dataclasses
import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dynamic_deep.bundle import UNHASHED, Bundle, load_bundle
from dynamic_deep.latent import group_bounds
from dynamic_deep.trials import Subject
from dynamic_deep.wavelet import block_bounds
from training.classical import write_bundle
from training.context_fit import (
    ContextPreset,
    fit_context,
    net_tables,
    preset_of,
)
from training.context_symbols import (
    ideal_bytes,
    lossy_levels,
    training_symbols,
    window_symbols,
)
from training.datasets import load_leads
from training.head_rates import fit_rate_map, rate_layer, read_windows, with_new_rates
from training.latent_tables import LIMIT
from training.targets import first_of_each, split_subjects

Log = Callable[[str], None]
# What stays beside the network: training goes on with the linear contexts, and the step
# of a wavelet level is no matter of its tables.
KEPT = ("earlier", "same", "bias", "n_groups", "step", "centroids")
# Windows that say what the new rates are to the heads.
CINC_EVERY = 3  # of its records
MITDB_EVERY = 15  # of a lead's windows


def fit_contexts(
    name_or_path: str | Path, run: Path, folder: Path, *, log: Log
) -> dict[str, tuple[float, float]]:
    """Fit the lossy levels of a bundle and write a bundle with the networks.

    Levels that the run folder holds are not fitted again.

    Args:
        name_or_path: of the bundle.
        run: folder that keeps what is fitted.
        folder: of the new bundle. Calibrations and the integer encoder, which belong
            to a model, are left out: make them anew.
        log: gets a line now and then.

    Returns:
        For each level the bytes of a validation window of CinC 2017, before and after.

    Raises:
        ModelError: If the bundle has error heads that don't read rates.
    """
    bundle = load_bundle(name_or_path)
    if "heads" in bundle.networks:  # refused now rather than when all is fitted
        rate_layer(bundle.networks["heads"], len(bundle.config["heads"]["levels"]))
    found = {kind: preset_of(bundle.name, kind) for kind in ("wavelet", "neural")}
    presets = {kind: preset for kind, preset in found.items() if preset}
    run.mkdir(parents=True, exist_ok=True)
    fitted = _fit_levels(bundle, presets, run, log=log)
    tables = _with_networks(bundle, fitted)
    new = dataclasses.replace(bundle, tables=tables)
    reached = compare(bundle, new, seed=presets["neural"].seed)
    networks = {
        name: content
        for name, content in bundle.networks.items()
        if not name.startswith(UNHASHED)
    }
    if "heads" in networks:
        networks["heads"] = _heads_with_new_rates(bundle, new, log=log)
    fitted_as = {kind: dataclasses.asdict(preset) for kind, preset in presets.items()}
    write_bundle(
        folder,
        name=bundle.name,
        tables=tables,
        neural_levels=[level for level in bundle.levels if level.kind == "neural"],
        latents=bundle.latents,
        networks=networks,
        trained=bundle.config["trained"] | {"contexts": fitted_as},
        heads=bundle.config.get("heads"),
    )
    return reached


def _fit_levels(
    bundle: Bundle, presets: dict[str, ContextPreset], run: Path, *, log: Log
) -> dict[str, dict[str, npt.NDArray[Any]]]:
    levels = [level for level in lossy_levels(bundle) if level.kind in presets]
    missing = [v for v in levels if not (run / f"{v.name}.npz").exists()]
    seed = presets["neural"].seed
    symbols = training_symbols(bundle, missing, seed=seed) if missing else {}
    for level in missing:
        y = symbols.pop(level.name)
        log(f"{level.name}: {len(y):,} windows")
        preset = presets[level.kind]
        if level.kind == "wavelet":
            bounds = block_bounds()
            limit = bundle.wavelet_coder(level.name).limit
        else:
            bounds, limit = group_bounds(y.shape[-1], preset.n_groups), LIMIT
        model = fit_context(y, bounds, preset, log=log)
        tables = net_tables(model, y, limit=limit)
        beside = run / f"{level.name}.part"
        with beside.open("wb") as stream:
            np.savez_compressed(stream, **tables)  # type: ignore[arg-type]
        os.replace(beside, run / f"{level.name}.npz")
    found = {}
    for level in levels:
        with np.load(run / f"{level.name}.npz", allow_pickle=False) as stored:
            found[level.name] = {key: stored[key] for key in stored.files}
    return found


def _with_networks(
    bundle: Bundle, fitted: dict[str, dict[str, npt.NDArray[Any]]]
) -> dict[str, npt.NDArray[Any]]:
    """Return the tables of a bundle, with networks in place of what chose tables."""
    tables = {
        key: table
        for key, table in bundle.tables.items()
        if key.split("/")[0] not in fitted or key.split("/")[-1] in KEPT
    }
    for name, arrays in fitted.items():
        tables |= {f"{name}/{key}": array for key, array in arrays.items()}
    return tables


def _heads_with_new_rates(before: Bundle, after: Bundle, *, log: Log) -> bytes:
    """Return the error heads of a bundle, to foretell the same by the new rates."""
    former, new = (read_windows(bundle, _rated()) for bundle in (before, after))
    rates = fit_rate_map(former, new)
    log(
        f"heads: former rates from new ones to {100 * rates.residual:.2f} % "
        f"(root mean square of {len(new.rates):,} windows)"
    )
    return with_new_rates(before.networks["heads"], rates)


def _rated() -> Iterator[Subject]:
    cinc = split_subjects("cinc2017", "train", every_record=CINC_EVERY)
    mitdb = split_subjects("mitdb", "train", every=MITDB_EVERY)
    return itertools.chain(first_of_each(cinc), mitdb)


def compare(
    before: Bundle, after: Bundle, *, seed: int
) -> dict[str, tuple[float, float]]:
    """Return the mean bytes of CinC 2017 validation windows, before and after.

    Of each level that has a context network afterwards.
    """
    leads = load_leads("cinc2017", "validation")
    levels = [v for v in lossy_levels(before) if after.has_context_net(v.name)]
    symbols = window_symbols(before, leads, levels, seed=seed)
    return {
        level.name: (
            ideal_bytes(before, level, symbols[level.name]),
            ideal_bytes(after, level, symbols[level.name]),
        )
        for level in levels
    }
