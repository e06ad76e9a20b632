# SPDX-License-Identifier: Apache-2.0
"""Reads what was measured: decode times and gains. No figure is typed in here."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dynamic_deep.errors import ConfigError

FOLDER = Path(__file__).parent / "measured"
DECODE_SPEED = FOLDER / "decode_speed.json"
GAINS = FOLDER / "gain_cinc2017_test.json"

LOSSLESS = "lossless"
RAW_CHOICE = "raw windows, lossless"  # names that `evaluate` gives
CALIBRATED = "calibrated"


@dataclass(frozen=True, kw_only=True)
class DecodeSpeed:
    """How long a window takes on one core.

    Attributes:
        path: of the file.
        machine: that it was measured on.
        decode_s_per_window: by level, s.
        tasks_s_per_window: by task, s.
    """

    path: str
    machine: str
    decode_s_per_window: Mapping[str, float]
    tasks_s_per_window: Mapping[str, float]

    def mixed_s(self, levels: Mapping[str, float]) -> float:
        """Return the mean decode time of a mix of levels, s.

        Args:
            levels: share of the windows by level.

        Raises:
            ConfigError: If a level was not timed.
        """
        unknown = sorted(set(levels) - set(self.decode_s_per_window))
        if unknown:
            raise ConfigError(
                f"decode times must cover the levels in use, got none of "
                f"{', '.join(unknown)} in {self.path}; time the same bundle"
            )
        total = math.fsum(levels.values())
        parts = (self.decode_s_per_window[k] * share for k, share in levels.items())
        return math.fsum(parts) / total


@dataclass(frozen=True, kw_only=True)
class MeasuredGain:
    """What `evaluate` found for one bound.

    Attributes:
        path: of the file.
        bound: as a user asks for it, such as "rhythm=0.1", or "rhythm=0.75:label"
            where the annotated label is the reference.
        risk: share of the windows that may break it.
        records: what it was measured on.
        gain: raw bytes over bytes of the frames, sum over sum.
        low: lower end of its 95 % interval.
        high: upper end.
        levels: share of the windows by level.
        lossless_gain: the same of the lossless level.
        violations: share of the windows over the bound.
    """

    path: str
    bound: str
    risk: float
    records: str
    gain: float
    low: float
    high: float
    levels: Mapping[str, float]
    lossless_gain: float
    violations: float


def read_decode_speed(path: Path = DECODE_SPEED) -> DecodeSpeed:
    """Read a file of `dynamic-deep cloud bench`.

    Raises:
        ConfigError: If it is not one.
    """
    data = _read(path)
    with _Expecting(path, "dynamic-deep cloud bench"):
        levels = {
            name: _positive(row["decode_s_per_window"])
            for name, row in data["levels"].items()
        }
        tasks = {k: _positive(v) for k, v in data["tasks_s_per_window"].items()}
        return DecodeSpeed(
            path=path.name,
            machine=str(data["machine"]),
            decode_s_per_window=levels,
            tasks_s_per_window=tasks,
        )


def read_gains(path: Path = GAINS) -> list[MeasuredGain]:
    """Read a file of `costmodel measure gain`, one entry a bound.

    Raises:
        ConfigError: If it is not one.
    """
    data = _read(path)
    gains = []
    with _Expecting(path, "python -m costmodel measure gain"):
        for run in data["runs"]:
            result = run["result"]
            records = f"{result['n_windows']} windows of {run['records']['name']}"
            gains += [
                _gain(path, block, records)
                for block in result["bounds"]
                if any(c["name"] == CALIBRATED for c in block["choices"])
            ]
    if not gains:
        raise ConfigError(
            f"{path.name} must hold a calibrated choice, got none; measure with a "
            "bundle that has a calibration"
        )
    return gains


def find_gain(gains: list[MeasuredGain], bound: str | None) -> MeasuredGain:
    """Return the entry of a bound; the first if none is named.

    Raises:
        ConfigError: If there is none.
    """
    if bound is None:
        return gains[0]
    for gain in gains:
        if gain.bound == bound:
            return gain
    raise ConfigError(
        f"bound must be one of {'; '.join(g.bound for g in gains)}, got {bound!r}; "
        "measure it with `python -m costmodel measure gain`"
    )


def _bound_key(block: Mapping[str, Any]) -> str:
    if block["total"] is None:
        key = ",".join(f"{task}={block['limits'][task]:g}" for task in block["tasks"])
    else:
        key = f"{'+'.join(block['tasks'])}={block['total']:g}"
    return key if block["reference"] == "raw" else f"{key}:{block['reference']}"


def _gain(path: Path, block: Mapping[str, Any], records: str) -> MeasuredGain:
    choices = {choice["name"]: choice for choice in block["choices"]}
    chosen = choices[CALIBRATED]
    return MeasuredGain(
        path=path.name,
        bound=_bound_key(block),
        risk=float(block["risk"]),
        records=records,
        gain=_positive(chosen["gain"]["value"]),
        low=_positive(chosen["gain"]["low"]),
        high=_positive(chosen["gain"]["high"]),
        levels=chosen["levels"],
        lossless_gain=_positive(choices[RAW_CHOICE]["gain"]["value"]),
        violations=float(chosen["violations"]["value"]),
    )


def _read(path: Path) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{path} must be a JSON file that measures: {error}"
        ) from None
    if not isinstance(data, dict):
        raise ConfigError(f"{path} must hold one JSON object, got another thing")
    return data


def _positive(value: object) -> float:
    if not isinstance(value, int | float) or not math.isfinite(value) or value <= 0:
        raise ValueError(f"a number above 0 is needed, got {value!r}")
    return float(value)


class _Expecting:
    """Turns what a file of another form raises into one clear error."""

    def __init__(self, path: Path, command: str) -> None:
        self._path, self._command = path, command

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: object, error: BaseException | None, trace: object
    ) -> None:
        if isinstance(error, KeyError | TypeError | ValueError | AttributeError):
            raise ConfigError(
                f"{self._path} must be written by `{self._command}`, got "
                f"another form ({type(error).__name__}: {error}); make it anew"
            ) from None
