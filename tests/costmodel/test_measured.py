# SPDX-License-Identifier: Apache-2.0
"""Measured figures are read from files, never typed in; other files are refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from costmodel.measured import (
    DECODE_SPEED,
    GAINS,
    DecodeSpeed,
    find_gain,
    read_decode_speed,
    read_gains,
)
from costmodel.models import PAPER_GAIN, PAPER_LOSSLESS, Model, all_models
from dynamic_deep.bundle import load_bundle
from dynamic_deep.errors import ConfigError


def as_json(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def test_the_kept_files_say_how_they_were_made() -> None:
    assert as_json(DECODE_SPEED)["command"].startswith("dynamic-deep cloud bench")
    runs = as_json(GAINS)["runs"]
    assert all(run["command"].startswith("dynamic-deep evaluate") for run in runs)
    assert all(run["records"]["n"] == run["result"]["n_recordings"] for run in runs)


def test_the_kept_files_are_of_the_shipped_bundle() -> None:
    model_id = load_bundle("monitor").model_id.hex()
    assert as_json(DECODE_SPEED)["model_id"] == model_id
    runs = as_json(GAINS)["runs"]
    assert {run["result"]["model_id"] for run in runs} == {model_id}


def test_gains_are_those_of_the_calibrated_choice() -> None:
    gains = read_gains()
    assert [gain.bound for gain in gains] == [
        "rhythm=0.1",
        "rhythm=0.1,rpeaks=0",
        "rhythm=0.75:label",
    ]
    block = as_json(GAINS)["runs"][0]["result"]["bounds"][0]
    chosen = next(c for c in block["choices"] if c["name"] == "calibrated")
    assert gains[0].gain == chosen["gain"]["value"]
    for gain in gains:
        assert gain.low < gain.gain < gain.high
        assert gain.lossless_gain < gain.gain
        assert sum(gain.levels.values()) == pytest.approx(1.0)
    kept = [
        (choice["violations"], bound["risk"])
        for run in as_json(GAINS)["runs"]
        for bound in run["result"]["bounds"]
        for choice in bound["choices"]
        if choice["name"] == "calibrated"
    ]
    # The promise is of a mean: that of some records may lie over it by chance.
    assert [share["value"] for share, _ in kept] == [g.violations for g in gains]
    assert all(share["low"] <= risk for share, risk in kept)


def test_a_bound_is_found_by_its_name() -> None:
    gains = read_gains()
    assert find_gain(gains, None) is gains[0]
    assert find_gain(gains, "rhythm=0.1,rpeaks=0") is gains[1]
    with pytest.raises(ConfigError, match=r"bound must be one of rhythm=0\.1; "):
        find_gain(gains, "rhythm=0.2")


def test_decode_times_are_mixed_by_share(speed: DecodeSpeed) -> None:
    times = speed.decode_s_per_window
    mixed = speed.mixed_s({"gain_64": 0.75, "lossless": 0.25})
    assert mixed == pytest.approx(0.75 * times["gain_64"] + 0.25 * times["lossless"])
    with pytest.raises(ConfigError, match="none of gain_9000"):
        speed.mixed_s({"gain_9000": 1.0})


def test_models_take_their_figures_from_the_files(
    models: dict[str, Model], speed: DecodeSpeed
) -> None:
    gain = read_gains()[0]
    assert models["ladder"].gain == gain.gain
    assert models["ladder"].decode_s_per_window == speed.mixed_s(gain.levels)
    assert models["lossless"].gain == gain.lossless_gain
    assert models["paper"].gain == PAPER_GAIN == 48.31
    assert models["lossless_paper"].gain == PAPER_LOSSLESS == 2.7
    assert models["paper_bytes"].gain == pytest.approx(3.8209, abs=1e-4)
    compressed = 0.75 * speed.decode_s_per_window["gain_64"]
    assert models["paper"].decode_s_per_window == pytest.approx(compressed)
    raw = models["none"]
    assert not raw.is_coded
    assert (raw.gain, raw.decode_s_per_window) == (1.0, 0.0)
    pairs = [name for name in models if name.endswith("_uncompressed")]
    assert len(pairs) == 3
    for name in pairs:
        twin = models[name.removesuffix("_uncompressed")]
        assert models[name].gain == twin.gain
        assert models[name].sends_raw
        assert not models[name].decodes_all


def test_all_models_need_every_level_timed(speed: DecodeSpeed) -> None:
    gain = read_gains()[0]
    few = DecodeSpeed(
        path="few.json",
        machine="m",
        decode_s_per_window={"lossless": 0.1, "gain_64": 0.002},
        tasks_s_per_window={},
    )
    with pytest.raises(ConfigError, match=r"few\.json; time the same bundle"):
        all_models(gain, few)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"levels": {"lossless": {}}}',
        '{"levels": {"lossless": {"decode_s_per_window": -1}}}',
        '{"levels": {}, "tasks_s_per_window": {}}',
        '{"levels": {}, "tasks_s_per_window": {"rhythm": NaN}, "machine": "m"}',
    ],
)
def test_other_files_are_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "other.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match=r"other\.json must"):
        read_decode_speed(path)
    with pytest.raises(ConfigError, match=r"other\.json must"):
        read_gains(path)


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.json must be a JSON file"):
        read_decode_speed(tmp_path / "none.json")


def test_a_file_without_calibrated_choice_is_refused(tmp_path: Path) -> None:
    content = as_json(GAINS)
    for run in content["runs"]:
        for block in run["result"]["bounds"]:
            kept = [c for c in block["choices"] if c["name"] != "calibrated"]
            block["choices"] = kept
    path = tmp_path / "oracles.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(ConfigError, match="must hold a calibrated choice"):
        read_gains(path)
