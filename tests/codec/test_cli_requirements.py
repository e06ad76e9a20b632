# SPDX-License-Identifier: Apache-2.0
"""What --bound and the options beside it mean, and what they refuse."""

from __future__ import annotations

import argparse

import pytest

from dynamic_deep.bound import Bound
from dynamic_deep.cli.bounds import UNNAMED, bound_values, share, task_names
from dynamic_deep.cli.failures import UsageError
from dynamic_deep.cli.options import lead_numbers
from dynamic_deep.cli.parser import build_parser
from dynamic_deep.cli.requirements import asked_requirement, bound_text


def parse(*options: str, command: str = "encode") -> argparse.Namespace:
    return build_parser().parse_args([command, "a.hea", *options])


def bound_of(*options: str) -> Bound:
    requirement = asked_requirement(parse(*options))
    assert requirement is not None
    return requirement.bound


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.1", {UNNAMED: 0.1}),
        ("rhythm=0.1,rpeaks=0", {"rhythm": 0.1, "rpeaks": 0.0}),
        (" rhythm = 0.1 , rpeaks = 1e-3", {"rhythm": 0.1, "rpeaks": 0.001}),
        ("a=b/own.py:make=2", {"a=b/own.py:make": 2.0}),
    ],
)
def test_bounds_are_read(text: str, expected: dict[str, float]) -> None:
    assert bound_values(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "much", "rhythm=", "=0.1", "rhythm=0.1,0.2", "-1", "rhythm=nan", "inf",
     "rhythm=0.1,rhythm=0.2", "rhythm:0.1"],
)  # fmt: skip
def test_what_is_no_bound_is_told_how_one_looks(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="must"):
        bound_values(text)


def test_shares_and_names() -> None:
    assert (share("0.05"), share("5%"), share(" 0.1 % ")) == (0.05, 0.05, 0.001)
    assert task_names("rhythm, rpeaks") == ("rhythm", "rpeaks")
    assert lead_numbers("1,0,1") == (1, 0)


@pytest.mark.parametrize("text", ["5", "0", "1", "100%", "-0.1", "x", "nan"])
def test_a_risk_is_a_share(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=r"0\.05 for 5 %"):
        share(text)


def test_one_number_is_of_the_rhythm_or_of_the_named_task() -> None:
    assert bound_of("--bound", "0.1").limits == {"rhythm": 0.1}
    assert bound_of("--bound", "0", "--task", "rpeaks").limits == {"rpeaks": 0.0}


def test_one_number_for_several_tasks_bounds_their_sum() -> None:
    options = ("--bound", "0.2", "--task", "rhythm,rpeaks")
    bound = bound_of(*options, "--weights", "rhythm=1,rpeaks=0.5")
    assert (bound.total, bound.limits) == (0.2, {})
    assert bound.weights == {"rhythm": 1.0, "rpeaks": 0.5}
    assert bound_text(bound) == "rhythm + 0.5 rpeaks <= 0.2"
    assert bound_text(bound_of(*options)) == "rhythm + rpeaks <= 0.2"


def test_named_bounds_name_the_tasks() -> None:
    options = ("--bound", "rpeaks=0,rhythm=0.1", "--task", "rhythm,rpeaks")
    bound = bound_of(*options, "--reference", "label")
    assert bound.channels == ("rpeaks:raw", "rhythm:label")
    assert bound_text(bound) == "rpeaks <= 0, rhythm <= 0.1 against the label"


def test_defaults_are_those_of_the_help() -> None:
    requirement = asked_requirement(parse("--bound", "0.1"))
    assert requirement is not None
    assert (requirement.risk, requirement.fallback) == (0.05, "lossless")
    assert not requirement.per_segment
    asked = parse("--bound", "rpeaks=0", "--per", "segment", "--risk", "0.1")
    requirement = asked_requirement(asked)
    assert requirement is not None
    assert (requirement.risk, requirement.per_segment) == (0.1, True)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--risk", "0.1"], "--risk needs --bound"),
        (["--task", "rhythm", "--check"], "--task and --check need --bound"),
        (["--bound", "rhythm=1", "--task", "rpeaks"], "same tasks, got rhythm and"),
        (["--bound", "1", "--task", "a,b", "--weights", "a=1"], "--weights and --task"),
        (["--bound", "a=1,b=2", "--weights", "a=1,b=1"], "leave --weights out"),
        (["--bound", "1", "--weights", "2"], "--weights must name"),
    ],
)
def test_contradictions_are_usage_errors(options: list[str], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        asked_requirement(parse(*options))


def test_nothing_asked_is_nothing_bounded() -> None:
    assert asked_requirement(parse()) is None
