# SPDX-License-Identifier: Apache-2.0
"""Estimate what a fleet's ECG stream costs in the cloud, by the year.

Pure functions over frozen dataclasses: prices with source and date, a workload, and the
operational models that are compared. Not in the wheel. May import `dynamic_deep`;
nothing in `dynamic_deep` may import it.

    prices = load_prices("gcp_2021")
    models = all_models(read_gains()[0], read_decode_speed())
    ward = Scenario(workload=Workload(beds=50, leads=2), prices=prices)
    for model in models:
        print(model.title, yearly_bill(model, ward).total_usd)

From the shell: `python -m costmodel report`. What it says: docs/cost.md.
"""

from costmodel.bill import Bill, Scenario, yearly_bill
from costmodel.measured import read_decode_speed, read_gains
from costmodel.models import Model, all_models
from costmodel.price_files import load_prices
from costmodel.retention import Retention
from costmodel.workload import Workload

__all__ = [
    "Bill",
    "Model",
    "Retention",
    "Scenario",
    "Workload",
    "all_models",
    "load_prices",
    "read_decode_speed",
    "read_gains",
    "yearly_bill",
]
