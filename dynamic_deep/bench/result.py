# SPDX-License-Identifier: Apache-2.0
"""What a benchmark is asked for and what it finds. Plain data, ready for JSON."""

from __future__ import annotations

import dataclasses
import json
import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from dynamic_deep.bench.shown import Example, LevelStrip
from dynamic_deep.errors import ConfigError


@dataclass(frozen=True, kw_only=True)
class BenchOptions:
    """The configuration of a run.

    Args:
        bundles: names or folders of the bundles; what all of them send in the same
            bytes is measured of the first.
        levels: names of levels, `*` for any letters; empty means all.
        near: bounds of the near-lossless level in ADC units, one row each.
        baselines: names of baselines; None means all, () none.
        max_windows: at most this many windows of a record, evenly spread; None: all.
        jobs: worker processes; 1 works in this one.
        n_resamples: of the bootstrap by record.
        seed: of the bootstrap.
        n_examples: 3 keeps the best, median and worst window for the HTML page, 0 none.
        example_level: the row that these are chosen from; None takes the first that
            chooses its levels, else the neural level in the middle.
        policies: for each bundle that has some, rows that choose a level for each
            window: name -> policy.
        precisions: of the encoder, float or int8; each gives rows of its own.
    """

    bundles: tuple[str, ...] = ("standard",)
    levels: tuple[str, ...] = ()
    near: tuple[int, ...] = (2,)
    baselines: tuple[str, ...] | None = None
    max_windows: int | None = None
    jobs: int = 1
    n_resamples: int = 1000
    seed: int = 0
    n_examples: int = 0
    example_level: str | None = None
    policies: dict[str, dict[str, Any]] = field(default_factory=dict)
    precisions: tuple[str, ...] = ("float",)

    def __post_init__(self) -> None:
        """Check the ranges."""
        if self.jobs < 1:
            raise ConfigError(f"jobs must be at least 1, got {self.jobs}; use 1")
        if any(bound < 1 for bound in self.near):
            raise ConfigError(
                f"near must hold bounds of at least 1 ADC unit, got {self.near}; the "
                "lossless level is the bound 0"
            )
        if self.max_windows is not None and self.max_windows < 1:
            raise ConfigError(
                f"max_windows must be at least 1, got {self.max_windows}; leave it out "
                "to measure every window"
            )
        if self.n_resamples < 1:
            raise ConfigError(
                f"n_resamples must be at least 1, got {self.n_resamples}; 1000 is usual"
            )


@dataclass(frozen=True)
class Interval:
    """A 95 % interval, from the bootstrap by record."""

    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class BenchRow:
    """One coder over all windows. Distortions in percent, means over windows."""

    name: str
    group: str
    bundle: str
    level: str
    note: str
    lossless: bool
    n_records: int
    n_windows: int
    n_failed: int  # windows that it could not code, left out of all else
    n_flat: int  # windows without variance, left out of PRDN
    n_samples: int
    raw_bytes: int
    payload_bytes: int
    coded_bytes: int  # payload, and for our levels the frame around it
    gain: float  # raw_bytes / coded_bytes
    gain_interval: Interval | None
    mean_gain: float  # arithmetic mean of the windows' own gains
    bits_per_sample: float
    prd: float
    prd1: float
    prdn: float
    prdn_interval: Interval | None
    prdn_median: float
    prdn_p95: float
    prd01: float
    max_error_adc: float
    max_error_uv: float
    encode_x: float  # lead-seconds a CPU second
    encode_ms_median: float  # CPU milliseconds a window
    encode_ms_p99: float
    decode_x: float
    is_exact: bool


@dataclass(frozen=True, kw_only=True)
class EqualPrdn:
    """A neural level beside the wavelet curve of the run's first bundle."""

    name: str
    prdn: float
    gain: float
    wavelet_gain: float | None  # None outside the curve
    ratio: float | None
    ratio_interval: Interval | None


@dataclass(frozen=True, kw_only=True)
class BenchRecord:
    """One measured recording."""

    name: str
    path: str
    fs: float
    n_leads: int
    duration_s: float
    n_windows: int  # windows measured, all leads together


@dataclass(frozen=True, kw_only=True)
class BenchResult:
    """All that a run found."""

    version: str
    options: BenchOptions
    model_ids: dict[str, str]
    records: tuple[BenchRecord, ...]
    rows: tuple[BenchRow, ...]
    equal_prdn: tuple[EqualPrdn, ...]
    missing: dict[str, str]  # baseline left out: the package it needs
    problems: tuple[str, ...]  # records and windows that could not be measured
    examples: tuple[Example, ...] = ()
    strips: tuple[LevelStrip, ...] = ()


def to_dict(result: BenchResult) -> dict[str, Any]:
    """Return the result as JSON's types; undefined numbers become None."""
    plain = {
        entry.name: getattr(result, entry.name)
        for entry in dataclasses.fields(result)
        if entry.name not in ("examples", "strips")
    }
    plain["examples"] = [
        {
            "title": example.title,
            "row": example.row,
            "record": example.record,
            "lead_name": example.lead_name,
            "window_idx": example.window_idx,
            "ladder": example.ladder,
        }
        for example in result.examples
    ]
    plain["strips"] = [
        {
            "row": strip.row,
            "record": strip.record,
            "lead_name": strip.lead_name,
            "gain": strip.gain,
            "windows": strip.windows,
        }
        for strip in result.strips
    ]
    plain = {"format": "dynamic-deep-bench", "format_version": 1, **plain}
    cleaned = _clean(plain)
    if not isinstance(cleaned, dict):
        raise TypeError("a result must become a dict")
    return cleaned


def to_json(result: BenchResult) -> str:
    """Return the whole result as JSON text, configuration and records included."""
    return json.dumps(to_dict(result), indent=1, allow_nan=False) + "\n"


def _clean(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [entry.name for entry in dataclasses.fields(value)]
        return {name: _clean(getattr(value, name)) for name in names}
    if isinstance(value, dict):
        return {str(key): _clean(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item) for item in value]
    if isinstance(value, bytes):
        return value.hex()  # the id of a model
    if not isinstance(value, str | int | float | np.generic | None):
        return {name: _clean(item) for name, item in vars(value).items()}  # a policy
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
