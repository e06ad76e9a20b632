# SPDX-License-Identifier: Apache-2.0
"""What the error heads are to foretell: every level tried on windows of a split."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dynamic_deep.bundle import Bundle
from dynamic_deep.config import WINDOW_LEN
from dynamic_deep.errors import ConfigError
from dynamic_deep.heads import log_rates
from dynamic_deep.recording import read_recording
from dynamic_deep.subjects import subjects_of
from dynamic_deep.tasks.registry import load_task, task_names
from dynamic_deep.trials import LevelTrier, Subject, Trials
from dynamic_deep.window_codec import WindowCodec
from training.datasets import record_paths
from training.task_windows import rhythm_class_names

CHUNK = 200  # windows of a part file
FloatArray = npt.NDArray[np.float32]


def split_subjects(
    data_set: str,
    split: str,
    *,
    leads: tuple[int, ...] | None = None,
    every: int = 1,
    every_record: int = 1,
) -> Iterator[Subject]:
    """Yield the whole windows of a split's records, labelled where CinC labels them.

    Args:
        data_set: mitdb or cinc2017.
        split: of it.
        leads: indices of leads; all if None.
        every: keep one window of so many of a lead.
        every_record: keep one record of so many.
    """
    labels = rhythm_class_names() if data_set == "cinc2017" else {}
    for path in record_paths(data_set, split)[::every_record]:
        found = subjects_of(
            read_recording(path),
            record=path.stem,
            leads=leads,
            label=labels.get(path.stem),
            whole_only=True,
        )
        for i, subject in enumerate(found):
            if i % every == 0:
                yield subject


def first_of_each(subjects: Iterator[Subject]) -> Iterator[Subject]:
    """Yield one window of each record: windows of one patient are not independent."""
    seen: set[str] = set()
    for subject in subjects:
        if subject.record not in seen:
            seen.add(subject.record)
            yield subject


def level_trier(bundle: Bundle, *, for_targets: bool = False) -> LevelTrier:
    """Return what tries a bundle's ladder with the bundle's tasks.

    Targets, which heads are still to be trained by, are errors alone.
    """
    tasks = [load_task(bundle, name) for name in task_names(bundle)]
    levels = [str(name) for name in bundle.config["heads"]["levels"]]
    codec = WindowCodec(bundle)
    return LevelTrier(
        codec,
        tasks,
        levels,
        has_forecast=not for_targets,
        has_lossless=not for_targets,
    )


def try_resumably(
    trier: LevelTrier,
    subjects: Iterator[Subject],
    folder: Path,
    *,
    log: Callable[[str], None],
) -> tuple[Trials, FloatArray, FloatArray]:
    """Try windows chunk by chunk; a chunk that is there is not tried again.

    Returns:
        The table, the normalised windows (n, WINDOW_LEN) and their log rates.

    Raises:
        ConfigError: If a chunk is of another ladder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    parts: list[dict[str, npt.NDArray[np.generic]]] = []
    chunk: list[Subject] = []
    for subject in subjects:
        chunk.append(subject)
        if len(chunk) == CHUNK:
            parts.append(_try_chunk(trier, chunk, folder / f"part_{len(parts)}.npz"))
            log(f"{len(parts) * CHUNK} windows tried")
            chunk = []
    if chunk:
        parts.append(_try_chunk(trier, chunk, folder / f"part_{len(parts)}.npz"))
    tables = [Trials.from_arrays(part) for part in parts]
    _check_levels(tables, trier, folder)
    x = np.concatenate([part["x"] for part in parts]).astype(np.float32)
    rates = np.concatenate([part["log_rates"] for part in parts]).astype(np.float32)
    return Trials.joined(tables), x, rates


def _check_levels(tables: list[Trials], trier: LevelTrier, folder: Path) -> None:
    wanted = tuple(level.name for level in trier.levels)
    for table in tables:
        if table.levels != wanted:
            raise ConfigError(
                f"the windows in {folder} must have been tried at {', '.join(wanted)}; "
                f"got {', '.join(table.levels)}; move that folder away to try them anew"
            )


def _try_chunk(
    trier: LevelTrier, subjects: list[Subject], path: Path
) -> dict[str, npt.NDArray[np.generic]]:
    if not path.exists():
        rates, windows = [], []
        for subject in subjects:
            window = trier.codec.analyze(subject.x, subject.place)
            rates.append(log_rates(window, trier.levels))
            windows.append(window.normalized[:WINDOW_LEN].astype(np.float16))
        arrays = trier.run(subjects).arrays()
        beside = path.with_suffix(".part")
        with beside.open("wb") as stream:
            np.savez(stream, x=np.stack(windows), log_rates=np.stack(rates), **arrays)  # type: ignore[arg-type]
        os.replace(beside, path)
    with np.load(path, allow_pickle=False) as stored:
        return {key: stored[key] for key in stored.files}
