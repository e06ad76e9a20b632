# SPDX-License-Identifier: Apache-2.0
"""The experiments and the trainings by name, each a module of this package.

An experiment module has

- a docstring whose first line says what it shows,
- `add_arguments(parser)`: its options, each with a default that `run all` takes,
- `run(options) -> dict`: its results as plain JSON values, with all that decided them;
  figures are written by `figure_style.save_figure`,
- `section(results) -> Section`: its part of the page, from those results alone,
- and, if `run all` leaves it out, `IN_ALL = False`.

A training module has `add_arguments` and `run(options) -> None`.
"""

from __future__ import annotations

import argparse
import importlib
from types import ModuleType

from dynamic_deep.errors import ConfigError

# In the order of the page.
NAMES = (
    "table_1",
    "table_2",
    "loss_quartiles",
    "bound_curves",
    "yearly_cost",
    "rate_distortion",
    "rate_task",
    "bound_table",
    "ablations",
    "calibration_check",
    "transfer",
    "noise",
    "cloud_day",
)
# What a baseline or an ablation needs that no bundle holds.
TRAINERS = {
    "cae": "experiments.train.cae",
    "paper": "experiments.train.paper",
    "judge": "experiments.train.judge",
    "dct": "experiments.train.dct",
    "ablation": "experiments.train.ablation",
}


def find_experiment(name: str) -> ModuleType:
    """Return the module of an experiment.

    Raises:
        ConfigError: If there is none of that name.
    """
    if name not in NAMES:
        raise ConfigError(
            f"an experiment must be one of {', '.join(NAMES)}, got {name!r}"
        )
    return importlib.import_module(f"experiments.{name}")


def find_trainer(name: str) -> ModuleType:
    """Return the module of a training.

    Raises:
        ConfigError: If there is none of that name.
    """
    if name not in TRAINERS:
        raise ConfigError(
            f"a training must be one of {', '.join(TRAINERS)}, got {name!r}"
        )
    return importlib.import_module(TRAINERS[name])


def is_in_all(name: str) -> bool:
    """Tell whether `run all` runs an experiment."""
    return bool(getattr(find_experiment(name), "IN_ALL", True))


def default_options(name: str) -> argparse.Namespace:
    """Return the options of an experiment that nobody chose."""
    parser = argparse.ArgumentParser()
    find_experiment(name).add_arguments(parser)
    return parser.parse_args([])


def summary_of(module: ModuleType) -> str:
    """Return what a module shows or trains, in one line."""
    return (module.__doc__ or "").strip().partition("\n")[0]
