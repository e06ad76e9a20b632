# SPDX-License-Identifier: Apache-2.0
"""Every experiment and training has what the registry asks of it."""

from __future__ import annotations

import argparse
import ast
import json
import re
import shlex
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from dynamic_deep import Recording
from dynamic_deep.errors import ConfigError
from dynamic_deep.trials import Subject
from dynamic_deep.window_codec import window_place
from experiments import registry
from experiments.__main__ import _parser, main
from experiments.results_file import read_results, results_path, write_results
from experiments.section import Section

CHECKOUT = Path(__file__).resolve().parents[2]
DOCUMENT = (CHECKOUT / "docs" / "experiments.md").read_text(encoding="utf-8")


def options_of(module: ModuleType) -> dict[str, argparse.Action]:
    parser = argparse.ArgumentParser(add_help=False)
    module.add_arguments(parser)
    return {action.dest: action for action in parser._actions}


def all_keys(value: Any) -> set[str]:
    if isinstance(value, dict):
        inner = (all_keys(v) for v in value.values())
        return set(value).union(*inner)
    if isinstance(value, list):
        return set().union(*(all_keys(v) for v in value))
    return set()


@pytest.mark.parametrize("name", registry.NAMES)
def test_an_experiment_has_its_parts(name: str) -> None:
    module = registry.find_experiment(name)
    for part in ("add_arguments", "run", "section"):
        assert callable(getattr(module, part, None)), f"{name} has no {part}"
    summary = registry.summary_of(module)
    assert 20 < len(summary) <= 88, "its first line says what it shows"
    assert summary.endswith(".")
    assert all(action.help for action in options_of(module).values()), "no help"


@pytest.mark.parametrize("name", registry.NAMES)
def test_an_experiment_of_all_needs_no_options(name: str) -> None:
    required = [a for a in options_of(registry.find_experiment(name)).values()]
    if registry.is_in_all(name):
        assert not [action.dest for action in required if action.required]
        assert registry.default_options(name) == registry.default_options(name)


@pytest.mark.parametrize("name", registry.TRAINERS)
def test_a_training_has_its_parts(name: str) -> None:
    # Read, not imported: trainings import Keras.
    path = CHECKOUT.joinpath(*registry.TRAINERS[name].split(".")).with_suffix(".py")
    tree = ast.parse(path.read_text(encoding="utf-8"))
    functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert {"add_arguments", "run"} <= functions
    text = ast.get_docstring(tree) or ""
    assert f"python -m experiments train {name}" in text, "says how it is run"
    assert f"python -m experiments train {name}" in DOCUMENT


TRAIN_COMMANDS = re.findall(r"`python -m experiments (train .*?)`", DOCUMENT)


@pytest.mark.parametrize("command", TRAIN_COMMANDS)
def test_a_stated_training_is_the_one_that_runs(command: str) -> None:
    pytest.importorskip("keras", reason="needs the extra `train`")
    words = shlex.split(command)
    trainer = registry.find_trainer(words[1])
    choices = options_of(trainer).get("name")
    known = list(choices.choices or ()) if choices is not None else []
    if "NAME" in words:
        words[words.index("NAME")] = known[0]
    options = _parser(words).parse_args(words)
    assert registry.find_trainer(options.training) is trainer
    assert options.name in known if known else not hasattr(options, "name")


def test_list_names_each_with_what_it_shows(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for name in registry.NAMES:
        summary = registry.summary_of(registry.find_experiment(name))
        assert any(line.split()[:1] == [name] and summary in line for line in lines)
    assert all(name in lines[-1] for name in registry.TRAINERS)


@pytest.mark.parametrize(
    ("find", "kind"),
    [(registry.find_experiment, "experiment"), (registry.find_trainer, "training")],
)
def test_an_unknown_name_lists_the_known(find: Any, kind: str) -> None:
    known = registry.NAMES if kind == "experiment" else registry.TRAINERS
    with pytest.raises(
        ConfigError, match=f"{kind} must be one of .*got 'nothing'"
    ) as e:
        find("nothing")
    assert all(name in str(e.value) for name in known)


@pytest.mark.parametrize(
    "words", [["run", "nothing"], ["train", "nothing"], ["nothing"]]
)
def test_an_unknown_command_is_wrong_usage(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    assert "nothing" in capsys.readouterr().err


def test_an_error_is_one_line_and_status_1(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "full").touch()
    words = ["run", "cloud_day", "--records", str(tmp_path), "--work", str(tmp_path)]
    assert main([*words, "--out", str(tmp_path / "x.json")]) == 1
    error = capsys.readouterr().err
    assert error.startswith("experiments: a work folder must be empty")
    assert error.count("\n") == 1
    assert not (tmp_path / "x.json").exists()


@pytest.mark.parametrize("name", registry.NAMES)
def test_results_say_what_made_them(name: str) -> None:
    results = read_results(name)
    if results is None:
        pytest.skip(f"{name} was not run yet: python -m experiments run {name}")
    made_by = results["made_by"]
    assert made_by["command"].startswith(f"python -m experiments run {name}")
    assert re.fullmatch(r"[0-9a-f]{12}\+?", made_by["commit"])
    module = registry.find_experiment(name)
    if "seed" in options_of(module):
        assert "seed" in all_keys(results), "chance enters: its results name the seed"
    assert "NaN" not in results_path(name).read_text(), "JSON has no NaN"
    assert isinstance(module.section(results), Section)
    assert module.section(results) == module.section(results)


def test_results_are_written_with_command_and_commit(tmp_path: Path) -> None:
    path = tmp_path / "new" / "x.json"
    write_results(path, {"gain": [1.0, 0.5, 2.0]}, ["run", "x", "--split", "a b"])
    found = json.loads(path.read_text())
    assert found["made_by"]["command"] == "python -m experiments run x --split 'a b'"
    assert re.fullmatch(r"[0-9a-f]{12}\+?|unknown", found["made_by"]["commit"])
    assert found["gain"] == [1.0, 0.5, 2.0]
    assert [p.name for p in path.parent.iterdir()] == ["x.json"]


def example(kind: str) -> dict[str, Any]:
    """Run an example of docs/experiments.md; return what it defines."""
    found = re.search(
        rf"<!-- run: {kind} -->\n```python\n(.+?)```", DOCUMENT, re.DOTALL
    )
    assert found is not None
    # dataclass looks for the module that it is in.
    scope: dict[str, Any] = {"__name__": __name__}
    exec(compile(found[1], f"docs/experiments.md, {kind}", "exec"), scope)
    return scope


def test_the_example_of_a_coder_sends_windows(recording: Recording) -> None:
    x = np.ascontiguousarray(recording.samples[:8960, 0], np.int32)
    place = window_place(len(x), recording.info, 0)
    exact, coarse = example("coder")["load_shift_coders"]()
    subject = Subject(record="simulated", x=x, place=place)
    sent = exact.send(subject)
    assert np.array_equal(sent.x_hat, x)
    assert 0 < coarse.send(subject).n_bytes < sent.n_bytes < 2 * len(x)
    assert np.abs(coarse.send(subject).x_hat - x).max() < 8
    assert exact.identity != coarse.identity


def test_the_example_of_an_experiment_fits_the_registry() -> None:
    scope = example("experiment")
    parser = argparse.ArgumentParser()
    scope["add_arguments"](parser)
    assert parser.parse_args([]).split == "cinc2017:test"
    made_by = {"command": "python -m experiments run x", "commit": "0" * 12}
    results = {"made_by": made_by, "lossless": [4.88, 4.81, 4.94]}
    assert scope["section"](results).blocks[1].rows == (
        ("lossless", "4.88 (4.81-4.94)"),
    )
    names = scope["run"].__code__.co_names
    assert {"measure_all", "Wanted", "Bootstrap"} <= set(names) & set(scope)


def test_the_document_names_every_place(checkout: Path) -> None:
    for place in re.findall(r"`(experiments/[\w./]+)`", DOCUMENT):
        if "NAME" not in place:
            assert (checkout / place).exists(), place
