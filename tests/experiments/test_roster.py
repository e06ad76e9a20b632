# SPDX-License-Identifier: Apache-2.0
"""Coders by source and name: what is not there is named, never left out in silence."""

from __future__ import annotations

import pytest

from dynamic_deep.errors import ConfigError
from experiments.coders.roster import find_coder, load_all, load_coders


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
