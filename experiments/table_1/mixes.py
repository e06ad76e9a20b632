# SPDX-License-Identifier: Apache-2.0
"""Windows that are each sent at a level of their own, as one table.

Our bundles choose by calibrated error heads. The paper's codec chooses as published:
the highest level whose foretold error is within the bound, else raw.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dynamic_deep.bound_choice import choose_all
from dynamic_deep.bound_odds import LOSSLESS, Requirement
from dynamic_deep.errors import ConfigError
from experiments.bundle_trials import bundle_trials, load_calibrated
from experiments.coders.levels import LevelCoder
from experiments.coders.paper import paper_forecast
from experiments.coders.roster import load_all
from experiments.kept import keep
from experiments.measured import Measured
from experiments.measuring import RAW
from experiments.networks.paper import (
    HEADS,
    LEVELS,
    PAPER_WEIGHTS,
    REFERENCES,
    load_networks,
)
from experiments.outcome import resolved
from experiments.windows import load_windows

Names = npt.NDArray[np.str_]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Mix:
    """Windows as they were sent.

    Attributes:
        table: what became of each.
        names: of the coder of each, (n,).
        element_gains: samples over elements of the latent, (n,); 1 for a raw window,
            and the gain in bytes where there is no latent.
    """

    table: Measured
    names: Names
    element_gains: Floats


def mix_of(
    tables: Mapping[str, Measured], names: Names, gains: Mapping[str, float | None]
) -> Mix:
    """Put windows of several tables together.

    Args:
        tables: by coder; of the same windows.
        names: coder of each window.
        gains: samples over elements, by coder; none where there is no latent.
    """
    columns = {key: v.copy() for key, v in tables[RAW].arrays().items()}
    element_gains = np.ones(len(names))
    for name in np.unique(names):
        table, at = tables[str(name)], names == name
        for key, values in table.arrays().items():
            columns[key][at] = values[at]
        gain = gains.get(str(name))
        in_bytes = table.raw_bytes[at] / table.n_bytes[at]
        element_gains[at] = in_bytes if gain is None else gain
    return Mix(table=Measured(**columns), names=names, element_gains=element_gains)


def element_gains(sources: tuple[str, ...]) -> dict[str, float | None]:
    """Return samples over elements of every coder that can run here."""
    return {coder.name: coder.element_gain for coder in load_all(sources)[0]}


def bundle_choice(bundle: str, split: str, need: Requirement) -> Names:
    """Return the coder of each window, as the calibrated choice has it."""
    trials = bundle_trials(bundle, split)
    chosen = choose_all(need, trials, load_calibrated(bundle).price(need))
    names = [LevelCoder(bundle=bundle, level=name).name for name in trials.levels]
    return np.array([*names, LOSSLESS])[resolved(need, trials, chosen)]


def paper_foretold(split: str) -> Floats:
    """Return what the paper's heads foretell of the windows of a split, nats.

    Returns:
        float64 (n, n_levels, n_references), levels 32 and 64, references label and raw.

    Raises:
        ModelError: If the networks are missing.
    """
    networks = load_networks()
    heads = (PAPER_WEIGHTS / HEADS).read_bytes()

    def make() -> dict[str, npt.NDArray[np.generic]]:
        rows = []
        for window in load_windows(split):
            found = paper_forecast(window.subject, networks)
            rows.append([[found[v][r] for r in REFERENCES] for v in LEVELS])
        return {"foretold": np.array(rows)}

    key = {
        "what": "paper forecast",
        "split": split,
        "networks": networks.digest,
        "heads": hashlib.sha256(heads).hexdigest(),
    }
    return np.asarray(keep(f"paper-forecast-{split}", key, make)["foretold"])


def paper_choice(
    foretold: Floats, bound: float, *, storage: str, fallback: str
) -> Names:
    """Return the coder of each window: the highest level foretold within the bound.

    Args:
        foretold: of levels 32 and 64, (n, 2).
        bound: nats.
        storage: of the latent: float32 or int8.
        fallback: raw, as published, or lossless.
    """
    if fallback not in (RAW, LOSSLESS):
        raise ConfigError(f"a fallback must be raw or lossless, got {fallback!r}")
    is_within = foretold <= bound
    best = np.where(is_within[:, 1], 2, np.where(is_within[:, 0], 1, 0))
    names = (fallback, f"paper/32 {storage}", f"paper/64 {storage}")
    return np.array(names)[best]
