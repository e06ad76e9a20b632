# SPDX-License-Identifier: Apache-2.0
"""`tasks.registry` and `tasks.own`: a task by its name, or one error that says why."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dynamic_deep.bundle import Bundle, load_bundle
from dynamic_deep.errors import ConfigError, DynamicDeepError, ModelError
from dynamic_deep.tasks import NetworkTask, load_task, task_names
from tests.signals import AWARE, COSINE
from tests.tasks.small_networks import ANY_NETWORK, converted, tents

PLAIN = load_bundle(COSINE)
WINDOW_NETWORK = load_bundle(AWARE).networks["task_rpeaks"]
WHOLE = """
import numpy as np
class Task:
    name = "mean"
    references = ("raw", "label")
    def answer(self, x): return np.array([x.mean()])
    def error(self, reference, answer): return float(abs(answer - reference)[0])
    def label_error(self, label, answer): return float(abs(answer[0] - label))
def make(): return Task()
"""


def write(folder: Path, text: str, name: str = "mine.py") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_a_bundles_tasks_are_loaded_by_name(task_bundle: Bundle) -> None:
    assert task_names(task_bundle) == ["rhythm", "rpeaks"]
    rhythm, rpeaks = (load_task(task_bundle, n) for n in task_names(task_bundle))
    assert (rhythm.name, rhythm.references) == ("rhythm", ("raw", "label"))
    assert (rpeaks.name, rpeaks.references) == ("rpeaks", ("raw",))
    assert rhythm.answer(tents([100.0])).shape == (35, 4)
    assert rpeaks.answer(tents([100.0])) == pytest.approx([100.0], abs=0.3)


@pytest.mark.parametrize("name", ["sleep", "", "rhythm:raw", "task_rhythm"])
def test_an_unknown_task_lists_what_there_is(task_bundle: Bundle, name: str) -> None:
    expected = f"one of rhythm, rpeaks, FILE.py:FUNCTION, FILE.tflite; got {name!r}"
    with pytest.raises(ConfigError, match=expected):
        load_task(task_bundle, name)


def test_a_bundle_without_networks_of_tasks_brings_none() -> None:
    assert task_names(PLAIN) == []
    with pytest.raises(ConfigError, match=r"one of FILE\.py.*; got 'rhythm'"):
        load_task(PLAIN, "rhythm")


def test_a_python_file_makes_a_task(tmp_path: Path) -> None:
    task = load_task(PLAIN, f"{write(tmp_path, WHOLE)}:make")
    assert task.name == "mean"
    assert task.error(task.answer(np.ones(9)), task.answer(np.zeros(9))) == 1.0


def test_a_file_that_changed_is_run_again(tmp_path: Path) -> None:
    first = load_task(PLAIN, f"{write(tmp_path, WHOLE)}:make")
    again = load_task(PLAIN, f"{write(tmp_path, WHOLE)}:make")
    assert type(again) is type(first)
    changed = write(tmp_path, WHOLE.replace('"mean"', '"average"'))
    assert load_task(PLAIN, f"{changed}:make").name == "average"


@pytest.mark.parametrize(
    ("text", "function", "message"),
    [
        (WHOLE, "build", "got no 'build'"),
        (WHOLE, "np.array", "got no 'np.array'"),
        (WHOLE, "", "got no ''"),
        ("import no_such_module", "make", "got ModuleNotFoundError in mine.py"),
        ("def make(:", "make", "got SyntaxError in mine.py"),
        ("def make(): return 3", "make", "without answer, error, label_error, name"),
        (WHOLE.replace("def error", "def err"), "make", "without error$"),
        (
            WHOLE.replace("(self, x)", "(self)").replace('"mean"', "'a:b'"),
            "make",
            "a:b",
        ),
        (WHOLE.replace('"mean"', '""'), "make", "rename it"),
        (WHOLE.replace('"mean"', '"rhythm"'), "make", "got 'rhythm'"),
        (WHOLE.replace('("raw", "label")', '("truth",)'), "make", "truth"),
        (WHOLE.replace('("raw", "label")', "()"), "make", "at least one"),
    ],
)
def test_what_makes_no_task_is_refused(
    tmp_path: Path, text: str, function: str, message: str
) -> None:
    with pytest.raises(ConfigError, match=message):
        load_task(PLAIN, f"{write(tmp_path, text)}:{function}")


@pytest.mark.parametrize("name", ["none.py:make", "none.tflite", ":make.tflite"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="must exist, got"):
        load_task(PLAIN, str(tmp_path / name))


def test_a_network_alone_is_a_task(
    tmp_path: Path, linear_content: bytes, rng: np.random.Generator
) -> None:
    path = tmp_path / "linear.tflite"
    path.write_bytes(linear_content)
    task = load_task(PLAIN, str(path))
    assert (task.name, task.references) == ("linear", ("raw",))
    for n_samples in (8960, 1120, 10_079, 1):
        x = rng.normal(0.0, 1.0, n_samples).astype(np.float32)
        answer = task.answer(x)
        assert answer.shape == (n_samples, 1)
        assert answer[:, 0] == pytest.approx(2.0 * x + x.mean(), abs=1e-5)
    assert task.error(task.answer(x), task.answer(x + 0.5)) == pytest.approx(1.5)


def test_the_error_of_a_network_alone_by_hand() -> None:
    task = NetworkTask(WINDOW_NETWORK, name="mine")
    reference = np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)
    assert task.error(reference, reference) == 0.0
    assert task.error(reference, np.array([[1, 4], [0, 4]])) == pytest.approx(5 / 4)
    assert task.error(reference, np.full((2, 2), math.nan)) == math.inf
    with pytest.raises(ConfigError, match=r"got \(2, 2\) and \(1, 2\)"):
        task.error(reference, reference[:1])
    with pytest.raises(ConfigError, match="task mine has no labels"):
        task.label_error("N", reference)


def test_a_network_with_other_inputs_is_refused() -> None:
    with pytest.raises(ModelError, match=r"task mine .*one input \(1, n_samples, 1\)"):
        NetworkTask(ANY_NETWORK, name="mine")


def test_a_network_is_prepared_for_a_window_and_no_less(
    rng: np.random.Generator,
) -> None:
    # Without padding nothing is left of a single sample.
    kernel = np.array([0.25, 0.5, 0.25], np.float32)[:, None, None]

    def network(window: Any) -> Any:
        from keras import ops

        return ops.conv(window, kernel, padding="valid")

    task = NetworkTask(converted(network), name="mine")
    x = rng.normal(0.0, 1.0, 8960).astype(np.float32)
    expected = np.convolve(x, kernel.ravel(), mode="valid")
    assert task.answer(x)[:, 0] == pytest.approx(expected, abs=1e-5)
    assert task.answer(x[:1120]).shape == (1118, 1)
    with pytest.raises(ModelError, match="at 2 samples"):
        task.answer(x[:2])


def test_what_is_no_network_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "mine.tflite"
    path.write_bytes(b"TFL3" + bytes(100))
    with pytest.raises(ModelError, match=r"network of task mine .* convert it again"):
        load_task(PLAIN, str(path))


def test_errors_of_the_file_itself_come_through(tmp_path: Path) -> None:
    text = (
        "from dynamic_deep import ModelError\nraise ModelError('the weights are gone')"
    )
    with pytest.raises(DynamicDeepError, match=r"^the weights are gone$"):
        load_task(PLAIN, f"{write(tmp_path, text)}:make")
