# SPDX-License-Identifier: Apache-2.0
"""Who takes part in a run: the baselines, and the chosen levels of the bundles."""

from __future__ import annotations

import fnmatch
import itertools
from collections.abc import Sequence
from typing import Any

from dynamic_deep.bench.baselines import load_baselines
from dynamic_deep.bench.chosen import ChosenEntrant
from dynamic_deep.bench.entrants import BaselineEntrant, Entrant, LevelEntrant
from dynamic_deep.bench.groups import GROUPS, KIND_GROUPS, NEAR_LOSSLESS, NEURAL
from dynamic_deep.bench.result import BenchOptions
from dynamic_deep.errors import ConfigError


def load_codec(bundle: str, precision: str = "float") -> Any:
    """Return the codec of a bundle; imported here, since it is slow to load."""
    from dynamic_deep.codec import Codec

    return Codec.load(bundle, precision=precision)


def build_entrants(
    options: BenchOptions,
) -> tuple[list[Entrant], dict[str, str], dict[str, str]]:
    """Return all that takes part.

    Args:
        options: the choice of bundles, levels and baselines.

    Returns:
        The entrants in table order, the model id (hex) of each bundle, and for each
        baseline left out the package it needs.

    Raises:
        ConfigError: If a pattern of `options.levels` matches no level.
        ModelError: If a bundle can't be loaded.
    """
    baselines, missing = load_baselines(options.baselines)
    entrants: list[Entrant] = [BaselineEntrant(baseline) for baseline in baselines]
    model_ids: dict[str, str] = {}
    seen: set[str] = set()
    known: list[str] = []
    for bundle, precision in itertools.product(options.bundles, options.precisions):
        codec = load_codec(bundle, precision)
        model_ids[bundle] = bytes(codec.model_id).hex()
        for level in codec.levels:
            known.append(level.name)
            name = _name_of(codec, bundle, level, options)
            if _is_chosen(level, options.levels) and name not in seen:
                entrants += _level_entrants(codec, bundle, level, options)
            seen.add(name)
        entrants += [
            ChosenEntrant(
                codec, _row_name(name, codec, bundle, options), bundle, policy
            )
            for name, policy in options.policies.get(bundle, {}).items()
        ]
    for pattern in options.levels:
        if not fnmatch.filter(known, pattern):
            raise ConfigError(
                f"levels must be among {', '.join(dict.fromkeys(known))}, got "
                f"{pattern}; choose from the list, * stands for any letters"
            )
    order = {group: i for i, group in enumerate(GROUPS)}
    return sorted(entrants, key=lambda e: order[e.group]), model_ids, missing


def _is_chosen(level: Any, patterns: Sequence[str]) -> bool:
    return not patterns or any(fnmatch.fnmatch(level.name, p) for p in patterns)


def _level_entrants(
    codec: Any, bundle: str, level: Any, options: BenchOptions
) -> list[LevelEntrant]:
    group = KIND_GROUPS.get(level.kind)
    if group is None:
        raise ConfigError(
            f"the kind of a level must be among {', '.join(KIND_GROUPS)}, got "
            f"{level.kind!r}; bench and codec are of different versions"
        )
    if group == NEAR_LOSSLESS:
        return [
            LevelEntrant(
                codec, f"near_lossless +-{n}", group, bundle, level.name, n,
                f"every sample within {n} ADC units",
            )
            for n in options.near
        ]  # fmt: skip
    name = _name_of(codec, bundle, level, options)
    return [LevelEntrant(codec, name, group, bundle, level.name)]


def _name_of(codec: Any, bundle: str, level: Any, options: BenchOptions) -> str:
    """Return the row's name of a level: its own where all bundles share its bytes."""
    if level.kind == NEURAL:
        return _row_name(level.name, codec, bundle, options)
    if codec.bundle.has_context_net(level.name) and len(options.bundles) > 1:
        return f"{bundle}/{level.name}"
    return str(level.name)


def _row_name(name: str, codec: Any, bundle: str, options: BenchOptions) -> str:
    if options.precisions != ("float",):
        name = f"{name} {codec.windows.precision}"
    return f"{bundle}/{name}" if len(options.bundles) > 1 else name
