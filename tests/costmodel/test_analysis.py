# SPDX-License-Identifier: Apache-2.0
"""Where two costs meet, they are equal; where they don't meet, None."""

from __future__ import annotations

from dataclasses import replace

import pytest

from costmodel import analysis
from costmodel.bill import Scenario, yearly_bill
from costmodel.carbon import CarbonFactors, load_carbon
from costmodel.models import Model
from dynamic_deep.errors import ConfigError


def test_fetch_at_equal_cost(scenario: Scenario, models: dict[str, Model]) -> None:
    slow = replace(models["paper_uncompressed"], decode_s_per_window=0.3)
    x = analysis.fetch_at_equal_cost(slow, models["lossless_paper"], scenario)
    assert x is not None
    assert 0 < x < 1
    at_x = replace(scenario, fetch_share=x)
    a, b = (yearly_bill(m, at_x).coding_usd for m in (slow, models["lossless_paper"]))
    assert a == pytest.approx(b)


def test_the_paper_never_meets_lossless(
    scenario: Scenario, models: dict[str, Model]
) -> None:
    """The paper's statement: below lossless even if all is fetched."""
    pair = models["paper_uncompressed"], models["lossless_paper"]
    assert analysis.fetch_at_equal_cost(*pair, scenario) is None


def test_decode_time_at_equal_cost(
    scenario: Scenario, models: dict[str, Model]
) -> None:
    ward = replace(scenario, fetch_share=1.0)
    pair = models["paper_uncompressed"], models["lossless_paper"]
    seconds = analysis.decode_s_at_equal_cost(*pair, ward)
    assert seconds is not None
    slow = replace(pair[0], decode_s_per_window=seconds)
    costs = [yearly_bill(model, ward).coding_usd for model in (slow, pair[1])]
    assert costs[0] == pytest.approx(costs[1])


def test_object_length_at_equal_cost(
    scenario: Scenario, models: dict[str, Model]
) -> None:
    seconds = analysis.object_s_at_equal_cost(models["ladder"], scenario)
    assert seconds is not None
    bill = yearly_bill(models["ladder"], analysis.with_object_s(scenario, seconds))
    assert bill.operations_usd == pytest.approx(bill.storage_usd)


def test_gain_at_equal_cost(scenario: Scenario, models: dict[str, Model]) -> None:
    gain = analysis.gain_at_equal_cost(models["ladder"], scenario)
    assert gain is not None
    bill = yearly_bill(replace(models["ladder"], gain=gain), scenario)
    assert bill.decode_usd == pytest.approx(bill.storage_usd)
    assert analysis.gain_at_equal_cost(models["none"], scenario) is None


def test_a_higher_gain_never_costs_more(
    scenario: Scenario, models: dict[str, Model]
) -> None:
    costs = [p.bill.total_usd for p in analysis.by_gain(models["ladder"], scenario)]
    assert costs == sorted(costs, reverse=True)


def test_longer_objects_never_cost_more(
    scenario: Scenario, models: dict[str, Model]
) -> None:
    points = analysis.by_object_s(models["ladder"], scenario)
    costs = [point.bill.total_usd for point in points]
    assert costs == sorted(costs, reverse=True)


@pytest.fixture(scope="module")
def carbon() -> CarbonFactors:
    return load_carbon()


def test_storage_energy_by_hand(
    scenario: Scenario, models: dict[str, Model], carbon: CarbonFactors
) -> None:
    # 3.78432 TB for 8,760 h at 0.65 Wh, two copies, 1.1: 47.41 kWh; no computing
    ward = replace(scenario, tasks_s_per_window=0.0)
    kwh = carbon.kwh_per_year(models["none"], ward)
    assert kwh == pytest.approx(47.41, abs=0.01)
    kg = carbon.kg_per_year(models["none"], ward, "us-central1")
    assert kg == pytest.approx(kwh * 0.43195)


def test_compute_energy_by_hand(
    scenario: Scenario, models: dict[str, Model], carbon: CarbonFactors
) -> None:
    # a million hours of a worker of 4.26 W and 2 GiB of 0.392 W, at 1.1
    seconds = 3.6e9 / scenario.workload.windows_per_year
    ward = replace(scenario, tasks_s_per_window=seconds)
    without = carbon.kwh_per_year(models["none"], replace(ward, tasks_s_per_window=0.0))
    kwh = carbon.kwh_per_year(models["none"], ward) - without
    assert kwh == pytest.approx(1e6 * (4.26 + 2 * 0.392) * 1.1 / 1000)


def test_an_unknown_region_is_refused(
    scenario: Scenario, models: dict[str, Model], carbon: CarbonFactors
) -> None:
    with pytest.raises(ConfigError, match="region must be one of"):
        carbon.kg_per_year(models["none"], scenario, "atlantis-1")
