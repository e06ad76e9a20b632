# SPDX-License-Identifier: Apache-2.0
"""The experiments by name, each a module of this package.

An experiment module has `add_arguments(parser)` and `run(options) -> dict`: its results
as plain JSON values, with all that decided them. Its docstring's first line says what
it shows.
"""

from __future__ import annotations

import importlib
from types import ModuleType

from dynamic_deep.errors import ConfigError

NAMES = ("cloud_day",)


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


def summary_of(name: str) -> str:
    """Return what an experiment shows, in one line."""
    doc = find_experiment(name).__doc__ or ""
    return doc.strip().partition("\n")[0]
