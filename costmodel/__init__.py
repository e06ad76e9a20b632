# SPDX-License-Identifier: Apache-2.0
"""Estimate what a fleet's ECG stream costs in the cloud, by the year.

Pure functions over frozen dataclasses: prices with source and date, a workload, and the
operational models that are compared. Not in the wheel. May import `dynamic_deep`;
nothing in `dynamic_deep` may import it.
"""
