# SPDX-License-Identifier: Apache-2.0
"""Tasks of a user: a network in a file, or a Python file that makes a task.

A Python file is run as it is, with all that it may do: name only files you trust.
"""

from __future__ import annotations

import hashlib
import importlib.util
import math
import re
import sys
from pathlib import Path
from types import ModuleType

import numpy as np

from dynamic_deep.config import WINDOW_LEN
from dynamic_deep.engine import Network
from dynamic_deep.errors import ConfigError, DynamicDeepError, ModelError
from dynamic_deep.tasks.protocol import (
    REFERENCES,
    Answer,
    FloatArray,
    Task,
    checked_window,
)

METHODS = ("answer", "error", "label_error")
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")


class NetworkTask:
    """A task that is one network; derive from it to measure its error otherwise.

    Args:
        network: a `.tflite` file or its content. It takes float32 (1, n_samples, 1) at
            300 Hz, of any length, and gives one float array of any shape.
        name: what users call it; the file's name if not given.

    Raises:
        ConfigError: If there is no such file.
        ModelError: If LiteRT can't read it, or it can't take a window.
    """

    references: tuple[str, ...] = ("raw",)

    def __init__(self, network: bytes | Path, *, name: str = "") -> None:
        """Load the network."""
        content = network
        if isinstance(network, Path):
            content = _existing(network).read_bytes()
            name = name or network.stem
        self.name = name or "own"
        self._network = _load_network(bytes(content), self.name)

    def answer(self, x: FloatArray) -> Answer:
        """Return the network's first output, without the axis of the batch."""
        x = checked_window(x)
        try:
            answer = self._network.run(x[None, :, None])[0]
        except (ValueError, RuntimeError) as error:
            raise ModelError(
                f"the network of task {self.name} must take float32 (1, n_samples, 1) "
                f"of any length, got an error at {len(x)} samples: {error}; "
                "leave its length open when converting it"
            ) from error
        return np.asarray(answer[0] if answer.ndim > 1 else answer)

    def error(self, reference: Answer, answer: Answer) -> float:
        """Return the mean absolute difference; infinite if it is no number."""
        if reference.shape != answer.shape:
            raise ConfigError(
                f"answers must be of the same window, got {reference.shape} and "
                f"{answer.shape}; give both the same samples"
            )
        apart = np.abs(reference.astype(np.float64) - answer).mean()
        return float(apart) if np.isfinite(apart) else math.inf

    def label_error(self, label: object, answer: Answer) -> float:
        """Refuse: a network alone has no labels."""
        raise ConfigError(
            f"task {self.name} has no labels, got {label!r}; measure it against raw, "
            "or give it a label_error"
        )


def load_own_task(place: str) -> Task:
    """Load a user's task.

    Args:
        place: `FILE.tflite`, or `FILE.py:FUNCTION`, a function that takes nothing and
            returns a task.

    Raises:
        ConfigError: If there is no such file or function, or what it returns is no
            task.
        ModelError: If LiteRT can't read the network, or it can't take a window.
    """
    if place.endswith(".tflite"):
        return _checked_task(NetworkTask(Path(place)), place)
    file, _, function = place.rpartition(":")
    path = _existing(Path(file))
    module = _run_file(path)
    make = getattr(module, function, None)
    if not callable(make):
        raise ConfigError(
            f"{path.name} must have the function that is to make the task, got no "
            f"{function!r}; name one that it has, as FILE.py:FUNCTION"
        )
    return _checked_task(make(), place)


def is_own_task(name: str) -> bool:
    """Tell whether a task's name names a file."""
    return name.endswith(".tflite") or name.rpartition(":")[0].endswith(".py")


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise ConfigError(
            f"a task's file must exist, got {str(path)!r}; check the path"
        )
    return path


def _load_network(content: bytes, name: str) -> Network:
    try:
        return Network(content, name, shapes=[(1, WINDOW_LEN, 1)])
    except ModelError as error:
        raise ModelError(
            f"the network of task {name} must be one that LiteRT reads, with one input "
            f"(1, n_samples, 1), got: {error.__cause__}; convert it again, its length "
            "left open"
        ) from error


def _run_file(path: Path) -> ModuleType:
    """Run a file as a module of its own, once."""
    digest = hashlib.sha256(str(path.resolve()).encode() + path.read_bytes())
    name = f"dynamic_deep_task_{digest.hexdigest()[:16]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ConfigError(f"a task's file must be Python, got {str(path)!r}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickle look for it there
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        del sys.modules[name]
        if isinstance(error, DynamicDeepError):
            raise
        raise ConfigError(
            f"a task's file must run, got {type(error).__name__} in {path.name}: "
            f"{error}; run it by itself to see where"
        ) from error
    return module


def _checked_task(task: Task, place: str) -> Task:
    missing = [name for name in METHODS if not callable(getattr(task, name, None))]
    missing += [name for name in ("name", "references") if not hasattr(task, name)]
    if missing:
        raise ConfigError(
            f"a task must have {', '.join((*METHODS, 'name', 'references'))}; {place} "
            f"made one without {', '.join(missing)}"
        )
    if not NAME.fullmatch(str(task.name)):
        raise ConfigError(
            "a task's name must be of letters, digits, '.', '_' and '-', "
            f"{place} made one named {task.name!r}; rename it"
        )
    references = tuple(task.references)
    if not references or not set(references) <= set(REFERENCES):
        raise ConfigError(
            f"a task's references must be among {', '.join(REFERENCES)}, at least one; "
            f"{place} made one with {references}"
        )
    return task
