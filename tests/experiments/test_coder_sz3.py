# SPDX-License-Identifier: Apache-2.0
"""SZ3: the bytes are real, the bound holds, and without the package it says so."""

from __future__ import annotations

import numpy as np
import pytest

from dynamic_deep import Recording
from dynamic_deep.errors import ConfigError
from dynamic_deep.subjects import subjects_of
from dynamic_deep.trials import Subject
from experiments.coders import sz3


@pytest.fixture(scope="module")
def subject(recording: Recording) -> Subject:
    return next(iter(subjects_of(recording, record="simulated")))


@pytest.fixture
def _needs_package() -> None:
    if not sz3.available():
        pytest.skip(sz3.REASON)


@pytest.mark.usefixtures("_needs_package")
def test_every_sample_is_within_the_bound_and_some_use_it(subject: Subject) -> None:
    for coder in sz3.load_sz3_coders():
        sent = coder.send(subject)
        error = np.abs(sent.x_hat.astype(np.int64) - subject.x)
        assert sent.x_hat.shape == subject.x.shape
        assert 0 < error.max() <= coder.max_error


@pytest.mark.usefixtures("_needs_package")
def test_a_wider_bound_costs_fewer_bytes(subject: Subject) -> None:
    sizes = [coder.send(subject).n_bytes for coder in sz3.load_sz3_coders()]
    assert sizes == sorted(sizes, reverse=True)
    assert len(set(sizes)) == len(sz3.BOUNDS)
    assert sizes[-1] * 4 < sizes[0] < subject.x.size * 2


@pytest.mark.usefixtures("_needs_package")
def test_names_and_identities_are_unique() -> None:
    coders = sz3.load_sz3_coders()
    assert [c.name for c in coders][:3] == ["sz3 +-1", "sz3 +-2", "sz3 +-4"]
    assert len({c.identity for c in coders}) == len(coders)
    assert {c.family for c in coders} == {"sz3"}


@pytest.mark.usefixtures("_needs_package")
def test_a_bound_below_one_is_refused() -> None:
    with pytest.raises(ConfigError, match="at least 1 ADC unit, got 0"):
        sz3.Sz3Coder(max_error=0)


def test_without_the_package_it_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sz3, "PACKAGE", "a_package_that_nobody_has")
    assert not sz3.available()
    with pytest.raises(ConfigError, match="pysz is not installed; pip install"):
        sz3.load_sz3_coders()
    with pytest.raises(ConfigError, match="pysz is not installed"):
        sz3.Sz3Coder(max_error=4)
