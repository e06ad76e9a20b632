# SPDX-License-Identifier: Apache-2.0
"""Every coder by its name, family by family; what can't run here says why."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable, Sequence

from dynamic_deep.errors import ConfigError, DynamicDeepError
from experiments.coders.general import load_general_coders
from experiments.coders.levels import (
    NEURAL_BUNDLES,
    load_level_coders,
    load_net_wavelets,
    load_neural_coders,
)
from experiments.coders.protocol import Coder


def _from(module: str, function: str) -> Callable[[], Sequence[Coder]]:
    def load() -> Sequence[Coder]:
        found: Sequence[Coder] = getattr(importlib.import_module(module), function)()
        return found

    return load


SHARED_KINDS = ("lossless", "near_lossless", "wavelet")
_SOURCES: dict[str, Callable[[], Sequence[Coder]]] = {
    "general": load_general_coders,
    **{kind: functools.partial(load_level_coders, kind) for kind in SHARED_KINDS},
    **{name: functools.partial(load_neural_coders, name) for name in NEURAL_BUNDLES},
    "edge int8": functools.partial(load_neural_coders, "edge", "int8"),
    **{
        f"{name} wavelet": functools.partial(load_net_wavelets, name)
        for name in NEURAL_BUNDLES
    },
    "sz3": _from("experiments.coders.sz3", "load_sz3_coders"),
    "dct": _from("experiments.coders.dct", "load_dct_coders"),
    "cae": _from("experiments.coders.cae", "load_cae_coders"),
    "paper": _from("experiments.coders.paper", "load_paper_coders"),
}
SOURCES = tuple(_SOURCES)
# Of the curves. The integer encoder runs by slow reference kernels on a host;
# the ablations compare it with the float one. Wavelets of `monitor` are those of
# `standard`; `edge` has none of its own.
_BESIDE = ("edge int8", "monitor wavelet", "edge wavelet")
CURVE_SOURCES = tuple(source for source in SOURCES if source not in _BESIDE)


def bundle_sources(bundle: str) -> tuple[str, ...]:
    """Return the sources that hold every level a bundle's policies choose among."""
    own = (bundle, f"{bundle} wavelet")
    return ("lossless", "wavelet", *(source for source in own if source in SOURCES))


@functools.cache
def load_coders(source: str) -> tuple[Coder, ...]:
    """Return the coders of a source.

    Args:
        source: one of `SOURCES`.

    Raises:
        ConfigError: If there is no such source.
        ModelError: If the weights that it needs are missing.
    """
    _check(source)
    return tuple(_SOURCES[source]())


def _check(source: str) -> None:
    if source not in _SOURCES:
        raise ConfigError(
            f"a source of coders must be one of {', '.join(SOURCES)}; got {source!r}"
        )


def load_all(sources: Sequence[str] = SOURCES) -> tuple[list[Coder], dict[str, str]]:
    """Return the coders that can run here, and why others can't, by source.

    Raises:
        ConfigError: If there is no such source.
    """
    coders: list[Coder] = []
    missing: dict[str, str] = {}
    for source in sources:
        _check(source)
        try:
            coders += load_coders(source)
        except (DynamicDeepError, ImportError) as error:
            missing[source] = str(error)
    return coders, missing


def find_coder(source: str, name: str) -> Coder:
    """Return one coder of a source.

    Raises:
        ConfigError: If it has none of that name.
    """
    coders = load_coders(source)
    for coder in coders:
        if coder.name == name:
            return coder
    raise ConfigError(
        f"a coder of {source} must be one of {', '.join(c.name for c in coders)}; got "
        f"{name!r}"
    )
