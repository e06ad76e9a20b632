# SPDX-License-Identifier: Apache-2.0
"""The shipped prices, the measured figures, and a ward to change one thing of."""

from __future__ import annotations

import pytest

from costmodel.bill import Scenario
from costmodel.file_overhead import file_overhead_bytes
from costmodel.measured import DecodeSpeed, read_decode_speed, read_gains
from costmodel.models import Model, all_models
from costmodel.price_files import load_prices
from costmodel.prices import PriceList
from costmodel.workload import Workload


@pytest.fixture(scope="session")
def prices() -> PriceList:
    return load_prices("gcp_2021")


@pytest.fixture(scope="session")
def speed() -> DecodeSpeed:
    return read_decode_speed()


@pytest.fixture(scope="session")
def models(speed: DecodeSpeed) -> dict[str, Model]:
    gain = read_gains()[0]
    return {model.name: model for model in all_models(gain, speed)}


@pytest.fixture
def scenario(prices: PriceList, speed: DecodeSpeed) -> Scenario:
    """The default ward, without what is bought once for any number of beds."""
    return Scenario(
        workload=Workload(n_jobs_per_day=0.0),
        prices=prices,
        ingest="none",
        tasks_s_per_window=sum(speed.tasks_s_per_window.values()),
        file_overhead_bytes=float(file_overhead_bytes()),
    )
