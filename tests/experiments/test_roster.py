# SPDX-License-Identifier: Apache-2.0
"""Coders by source and name: what is not there is named, never left out in silence."""

from __future__ import annotations

import pytest

from dynamic_deep.errors import ConfigError
from experiments.coders.levels import LevelCoder, load_net_wavelets
from experiments.coders.roster import bundle_sources, find_coder, load_all, load_coders
from tests.signals import CONTEXT


@pytest.mark.parametrize("load", [load_coders, lambda name: load_all([name])])
def test_an_unknown_source_is_an_error(load) -> None:
    with pytest.raises(
        ConfigError, match=r"must be one of general, .* got 'classical'"
    ):
        load("classical")


def test_a_coder_is_found_by_its_name() -> None:
    assert find_coder("wavelet", "wavelet_32").family == "wavelet"
    with pytest.raises(ConfigError, match=r"wavelet_32, .* got 'wavelet_33'"):
        find_coder("wavelet", "wavelet_33")


def test_names_are_unique_over_all_sources() -> None:
    names = [coder.name for coder in load_all()[0]]
    assert len(set(names)) == len(names)


def test_wavelets_with_a_network_are_coders_of_their_own() -> None:
    (coder,) = load_net_wavelets(str(CONTEXT))
    assert load_net_wavelets("classical") == []
    assert coder.name == f"{CONTEXT}/wavelet_16"
    assert coder.family == "wavelet net"
    assert coder.twin == LevelCoder(bundle="classical", level="wavelet_16")
    assert coder.identity != coder.twin.identity
    shared = LevelCoder(bundle=str(CONTEXT), level="wavelet_24")
    assert (shared.name, shared.family, shared.twin) == ("wavelet_24", "wavelet", None)


def test_the_sources_of_a_bundle_hold_all_that_it_may_choose() -> None:
    for bundle in ("monitor", "edge"):
        names = {c.name for s in bundle_sources(bundle) for c in load_coders(s)}
        codec = LevelCoder(bundle=bundle, level="lossless")
        levels = codec._codec.bundle.config["heads"]["levels"]
        own = {LevelCoder(bundle=bundle, level=level).name for level in levels}
        assert own | {"lossless"} <= names
    assert bundle_sources("classical") == ("lossless", "wavelet")
