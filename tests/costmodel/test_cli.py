# SPDX-License-Identifier: Apache-2.0
"""The commands: what they print and write, and one clear line for each error."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

import costmodel
from costmodel.bill import ITEMS
from costmodel.cli import main
from costmodel.file_overhead import file_overhead_bytes
from costmodel.measured import GAINS
from costmodel.models import OUR_NAMES
from costmodel.price_files import price_list_names

Capture = pytest.CaptureFixture[str]


def report(capsys: Capture, *options: str) -> dict[str, Any]:
    assert main(["report", "--json", *options]) == 0
    content: dict[str, Any] = json.loads(capsys.readouterr().out)
    return content


def by_name(content: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in content["models"]}


def test_json_has_its_schema(capsys: Capture) -> None:
    content = report(capsys, "--beds", "200")
    assert content["version"] == 1
    assert set(content) == {
        *("version", "inputs", "models", "by_fetch", "by_object", "by_message"),
        *("by_gain", "break_even", "co2e", "prices_not_read_at_the_provider"),
    }
    for row in content["models"]:
        assert set(row["bill"]) == set(ITEMS)
        assert row["total_usd"] == pytest.approx(sum(row["bill"].values()))
        assert row["saved_total"] < 1
        assert row["gain_source"]
    assert {row["gain_kind"] for row in content["models"]} == {
        *("nominal", "bytes", "measured"),
    }
    curves = content["by_fetch"]["coding_usd"]
    names = {row["name"] for row in content["models"]}
    assert set(curves) == names >= set(OUR_NAMES)
    assert {len(y) for y in curves.values()} == {
        len(content["by_fetch"]["fetch_share"])
    }


def test_the_shape_of_the_papers_figure(capsys: Capture) -> None:
    """None above lossless above Dynamic-Deep above the same with raw, at any x."""
    curves = report(capsys)["by_fetch"]["coding_usd"]
    order = ["none", "lossless_paper", "paper", "paper_uncompressed"]
    for costs in zip(*(curves[name] for name in order), strict=True):
        assert list(costs) == sorted(costs, reverse=True)


def test_what_the_papers_gain_is_worth_in_bytes(capsys: Capture) -> None:
    rows = by_name(
        report(capsys, "--fetch", "0", "--ingest", "none", "--tasks", "none")
    )
    assert rows["paper_uncompressed"]["saved_total"] > 0.96
    assert rows["paper_bytes_uncompressed"]["saved_total"] < 0.74
    assert rows["ladder_uncompressed"]["saved_total"] > 0.97


def test_nothing_but_the_asked_bound_changes(capsys: Capture) -> None:
    strict = by_name(report(capsys, "--bound", "rhythm=0.1,rpeaks=0"))
    loose = by_name(report(capsys, "--bound", "rhythm=0.1"))
    assert strict["ladder"]["gain"] < loose["ladder"]["gain"]
    assert strict["ladder"]["total_usd"] > loose["ladder"]["total_usd"]
    assert strict["paper"] == loose["paper"]


def test_text_tells_what_was_not_read(capsys: Capture) -> None:
    assert main(["report", "--prices", "gcp_2021"]) == 0
    text = capsys.readouterr().out
    assert "PRICES not read at the provider" in text
    assert "machine.vcpu: third party" in text
    for title in ("no compression", "lossless, ours", "ladder, ours"):
        assert title in text
    assert max(len(line) for line in text.splitlines()) < 180


def test_a_folder_of_results(capsys: Capture, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert main(["report", "--out", str(out)]) == 0
    assert {path.name for path in out.iterdir()} == {
        *("report.json", "report.csv", "cost_fetch.svg", "cost_sensitivity.svg"),
    }
    content = json.loads((out / "report.json").read_text(encoding="utf-8"))
    with (out / "report.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["model"] for row in rows] == list(by_name(content))
    ladder = next(row for row in rows if row["model"] == "ladder")
    assert (
        float(ladder["storage_usd"])
        == by_name(content)["ladder"]["bill"]["storage_usd"]
    )
    for name in ("cost_fetch.svg", "cost_sensitivity.svg"):
        path = out / name
        root = ElementTree.parse(path).getroot()
        words = " ".join(root.itertext())
        assert "USD a year" in words
        assert "adder" in words
        assert path.stat().st_size < 100_000


def test_the_same_figure_twice_is_the_same_file(
    capsys: Capture, tmp_path: Path
) -> None:
    paths = [tmp_path / "a.svg", tmp_path / "b.svg"]
    for path in paths:
        assert main(["report", "--plot", str(path)]) == 0
    assert paths[0].read_bytes() == paths[1].read_bytes()


@pytest.mark.parametrize("name", price_list_names())
def test_prices_are_listed(capsys: Capture, name: str) -> None:
    assert main(["prices", "--prices", name]) == 0
    text = capsys.readouterr().out
    assert "storage.standard.at_rest" in text
    assert "cloud.google.com/storage/pricing" in text
    assert "third party" in text
    assert main(["prices", "--prices", name, "--json"]) == 0
    (rows,) = json.loads(capsys.readouterr().out).values()
    assert all(row["where"] and row["date"] for row in rows)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--beds", "0"], "beds must be above 0"),
        (["--fetch", "10"], "fetch_share must be 0 to 1"),
        (["--prices", "aws"], "prices must be one of"),
        (["--bound", "rhythm=9"], "bound must be one of"),
        (["--lifecycle", "nearline"], "a lifecycle must look like"),
        (["--lifecycle", "attic:3"], "storage class must be one of"),
        (["--ingest", "iot_core", "--prices", "gcp_2026"], "must be one of pubsub"),
        (["--tasks", "horoscope"], "--tasks must be of rhythm"),
        (["--region", "mars"], "region must be one of"),
        (["--measured", "/nowhere.json"], "must be a JSON file"),
        (["--plot", "cost.bmp"], "a figure must end in"),
        (["--retention-years", "0"], "retention must be above 0"),
        (["--csv", "/nowhere/table.csv"], "/nowhere: no such folder"),
    ],
)
def test_errors_are_one_line(capsys: Capture, options: list[str], words: str) -> None:
    assert main(["report", *options]) == 1
    error = capsys.readouterr().err
    assert error.startswith("costmodel: ")
    assert error.count("\n") == 1
    assert words in error


@pytest.mark.parametrize(
    "arguments", [[], ["sell"], ["report", "--beds", "many"], ["measure"]]
)
def test_wrong_usage_is_two(capsys: Capture, arguments: list[str]) -> None:
    assert main(arguments) == 2
    assert "usage:" in capsys.readouterr().err


def test_a_file_has_little_beside_its_frames() -> None:
    """Some 65 bytes, as README says."""
    assert 40 < file_overhead_bytes() < 80


def test_results_of_evaluate_are_kept_with_their_command(
    capsys: Capture, tmp_path: Path
) -> None:
    kept = json.loads(GAINS.read_text(encoding="utf-8"))["runs"][0]
    result, out = tmp_path / "result.json", tmp_path / "gains.json"
    result.write_text(json.dumps(kept["result"]), encoding="utf-8")
    arguments = ["a/100.hea", "a/101.hea", "--name", "mine", "--result", str(result)]
    arguments += ["--with", "--bound 0.1", "-o", str(out)]
    for n_runs in (1, 2):
        assert main(["measure", "gain", *arguments]) == 0
        runs = json.loads(out.read_text(encoding="utf-8"))["runs"]
        assert len(runs) == n_runs
    assert runs[0]["command"] == "dynamic-deep evaluate RECORDS --bound 0.1 --json"
    assert runs[0]["records"]["n"] == 2
    assert main(["report", "--gains", str(out)]) == 0


def test_a_failing_evaluation_is_told(capsys: Capture, tmp_path: Path) -> None:
    out = tmp_path / "gains.json"
    arguments = [str(tmp_path / "none.hea"), "--name", "none", "-o", str(out)]
    assert main(["measure", "gain", *arguments, "--with", "--bundle monitor"]) == 1
    assert "evaluate must succeed" in capsys.readouterr().err
    assert not out.exists()


def test_a_reader_that_stops_is_no_error_to_tell(
    command_env: Callable[..., dict[str, str]],
) -> None:
    command = [sys.executable, "-m", "costmodel", "prices"]
    with subprocess.Popen(
        command, env=command_env(), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == b""


def test_the_example_of_the_package_runs() -> None:
    models = costmodel.all_models(
        costmodel.read_gains()[0], costmodel.read_decode_speed()
    )
    prices = costmodel.load_prices("gcp_2021")
    workload = costmodel.Workload(beds=50, leads=2)
    ward = costmodel.Scenario(workload=workload, prices=prices)
    totals = [costmodel.yearly_bill(model, ward).total_usd for model in models]
    assert max(totals) == totals[0]
