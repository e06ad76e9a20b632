# SPDX-License-Identifier: Apache-2.0
"""What the second judges say of windows sent one way or another, kept once asked."""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any

import numpy as np

from dynamic_deep.errors import ConfigError
from dynamic_deep.tasks import Peaks
from dynamic_deep.window_codec import at_rate_of_model
from experiments.coders.levels import LevelCoder
from experiments.judges_second import (
    ClassicalPeaks,
    load_second_rhythm,
    rhythm_identity,
)
from experiments.kept import Arrays, is_kept, keep
from experiments.windows import Window, load_windows


@dataclass(frozen=True, kw_only=True)
class Way:
    """How each of some windows is sent.

    Attributes:
        name: of the way.
        split: of the windows, such as "cinc2017:test".
        every: one window of so many.
        judge: who is asked: rhythm or peaks.
        levels: by which level each window is sent; None for exactly as it is.
    """

    name: str
    split: str
    every: int
    judge: str
    levels: tuple[LevelCoder | None, ...]

    @property
    def key(self) -> dict[str, Any]:
        """What decides the answers."""
        digest = hashlib.sha256()
        for level in self.levels:
            digest.update((level.identity if level else "raw").encode())
        return {
            "what": "second judge",
            "split": self.split,
            "every": self.every,
            "judge": _identity(self.judge),
            "levels": digest.hexdigest(),
        }

    @property
    def kept_name(self) -> str:
        """For the reader of the folder."""
        return f"second-{self.judge}-{self.split}-{self.name}"


def judged_windows(split: str, every: int = 1) -> list[Window]:
    """Return the windows that are judged: one of so many."""
    return list(load_windows(split))[::every]


def _identity(judge: str) -> str:
    if judge == "rhythm":
        return rhythm_identity()
    if judge == "peaks":
        return ClassicalPeaks().identity
    raise ConfigError(f"a second judge must be rhythm or peaks, got {judge!r}")


def ask_all(ways: Sequence[Way], *, n_workers: int | None = None) -> None:
    """Ask about every way that was not asked about yet, and say how far it is."""
    left = [way for way in ways if not is_kept(way.kept_name, way.key)]
    if not left:
        return
    began_s = time.monotonic()
    n_workers = min(n_workers or os.cpu_count() or 1, len(left))
    # A process of its own for each: the interpreters' threads do not survive a fork.
    with ProcessPoolExecutor(n_workers, mp_context=get_context("spawn")) as pool:
        running: dict[Future[None], Way] = {pool.submit(_ask, way): way for way in left}
        for n_done, future in enumerate(as_completed(running), start=1):
            future.result()
            print(
                f"[{time.monotonic() - began_s:5.0f} s] {n_done} of {len(left)}: "
                f"{running[future].kept_name}",
                file=sys.stderr,
                flush=True,
            )


def _ask(way: Way) -> None:
    answers_of(way)


def answers_of(way: Way) -> list[Any]:
    """Return what the second judge says of each window.

    Returns:
        float32 (n_outputs, 4) probabilities of each, or its `Peaks`.

    Raises:
        ConfigError: If there is no such judge, or not a level for each window.
        ModelError: If the second network is not there.
    """
    windows = judged_windows(way.split, way.every)
    if len(windows) != len(way.levels):
        raise ConfigError(
            f"a way must have a level for each of {len(windows)} windows of "
            f"{way.split}, got {len(way.levels)}"
        )
    found = keep(way.kept_name, way.key, lambda: _asked(way, windows))
    parts = np.split(found["answers"], np.cumsum(found["lengths"])[:-1])
    if way.judge == "rhythm":
        return list(parts)
    lengths = [window.subject.place.model_len for window in windows]
    return [Peaks(part, n) for part, n in zip(parts, lengths, strict=True)]


def _asked(way: Way, windows: list[Window]) -> Arrays:
    judge = load_second_rhythm() if way.judge == "rhythm" else ClassicalPeaks()
    answers = []
    for window, level in zip(windows, way.levels, strict=True):
        subject = window.subject
        x = subject.x if level is None else level.send(subject).x_hat
        signal = at_rate_of_model(np.asarray(x, np.int32), subject.place)
        answers.append(np.asarray(judge.answer(signal)))
    return {
        "answers": np.concatenate(answers),
        "lengths": np.array([len(answer) for answer in answers]),
    }
