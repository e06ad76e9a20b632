# SPDX-License-Identifier: Apache-2.0
"""Runs a benchmark over many recordings, in this process or in several."""

from __future__ import annotations

import concurrent.futures
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from dynamic_deep import __version__
from dynamic_deep.bench.aggregate import (
    RowSums,
    build_row,
    compare_at_equal_prdn,
    resample_weights,
)
from dynamic_deep.bench.entrants import Entrant
from dynamic_deep.bench.examples import pick_examples
from dynamic_deep.bench.measure import Table, measure_record, warm_up
from dynamic_deep.bench.result import (
    BenchOptions,
    BenchRecord,
    BenchResult,
    BenchRow,
    EqualPrdn,
)
from dynamic_deep.bench.roster import build_entrants
from dynamic_deep.bench.strips import pick_strips
from dynamic_deep.errors import ConfigError, DynamicDeepError, InvalidSignalError

# Called with what is done, the total (both in recordings), and the name at hand.
Progress = Callable[[float, int, str], None]
Outcome = tuple[BenchRecord, list[Table], list[str]] | str

_entrants: list[Entrant] = []  # of a worker process, set by `_start_worker`


def run_bench(
    paths: Sequence[str | Path],
    options: BenchOptions | None = None,
    progress: Progress | None = None,
) -> BenchResult:
    """Measure every chosen level and baseline on some recordings.

    Args:
        paths: the recordings, as `read_recording` takes them.
        options: what takes part, and how; the defaults if None.
        progress: called with (done, total, name), in recordings or parts of one.

    Returns:
        The rows, the comparison at equal PRDN, and all that is needed to repeat it.
        A recording that can't be read is named in `problems`.

    Raises:
        ConfigError: If there is nothing to measure.
        InvalidSignalError: If not one recording could be measured.
        ModelError: If a bundle can't be loaded.
    """
    options = options or BenchOptions()
    if not paths:
        raise ConfigError(
            "bench needs at least one recording, got none; name a record or a folder"
        )
    entrants, model_ids, missing = build_entrants(options)
    if not entrants:
        raise ConfigError(
            "bench needs a level or a baseline, got none; choose other levels"
        )
    records: list[BenchRecord] = []
    tables: list[list[Table]] = []
    problems: list[str] = []
    places = [Path(path) for path in paths]
    for outcome in _outcomes(places, entrants, options, progress):
        if isinstance(outcome, str):
            problems.append(outcome)
            continue
        records.append(outcome[0])
        tables.append(outcome[1])
        problems += outcome[2]
    if not records:
        raise InvalidSignalError(
            f"bench needs a recording that can be read, got none: {problems[0]}"
        )
    by_entrant = [[table[i] for table in tables] for i in range(len(entrants))]
    rows, equal_prdn = _summarize(entrants, by_entrant, options)
    return BenchResult(
        version=__version__,
        options=options,
        model_ids=model_ids,
        records=tuple(records),
        rows=rows,
        equal_prdn=equal_prdn,
        missing=missing,
        problems=tuple(problems),
        examples=tuple(pick_examples(entrants, records, by_entrant, options)),
        strips=tuple(pick_strips(entrants, records, by_entrant, options)),
    )


def _summarize(
    entrants: Sequence[Entrant],
    by_entrant: Sequence[Sequence[Table]],
    options: BenchOptions,
) -> tuple[tuple[BenchRow, ...], tuple[EqualPrdn, ...]]:
    sums = [RowSums(of_records) for of_records in by_entrant]
    weights = resample_weights(len(by_entrant[0]), options.n_resamples, options.seed)
    rows = (
        build_row(entrant, row_sums, weights)
        for entrant, row_sums in zip(entrants, sums, strict=True)
        if len(row_sums.windows)
    )
    return tuple(rows), tuple(compare_at_equal_prdn(entrants, sums, weights))


def _outcomes(
    paths: Sequence[Path],
    entrants: Sequence[Entrant],
    options: BenchOptions,
    progress: Progress | None,
) -> Iterator[Outcome]:
    """Yield the outcome of each recording, in the order of `paths`."""
    report = progress or _report_nothing
    if options.jobs == 1 or len(paths) == 1:
        warm_up(entrants)
        for i, path in enumerate(paths):

            def report_share(share: float, i: int = i, path: Path = path) -> None:
                report(i + share, len(paths), path.name)

            yield _measure(path, entrants, options, report_share)
        return
    pool = concurrent.futures.ProcessPoolExecutor(
        max_workers=min(options.jobs, len(paths)),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_start_worker,
        initargs=(options,),
    )
    try:
        futures = [pool.submit(_measure_in_worker, path, options) for path in paths]
        finished = concurrent.futures.as_completed(futures)
        for done, future in enumerate(finished, start=1):
            future.result()
            report(done, len(paths), paths[futures.index(future)].name)
        for future in futures:
            yield future.result()
    finally:
        pool.shutdown(cancel_futures=True)


def _measure(
    path: Path,
    entrants: Sequence[Entrant],
    options: BenchOptions,
    progress: Callable[[float], None] | None = None,
) -> Outcome:
    try:
        return measure_record(path, entrants, options.max_windows, progress)
    except (DynamicDeepError, OSError) as error:
        return f"{path}: {error}"


def _start_worker(options: BenchOptions) -> None:
    _entrants[:] = build_entrants(options)[0]
    warm_up(_entrants)


def _measure_in_worker(path: Path, options: BenchOptions) -> Outcome:
    return _measure(path, _entrants, options)


def _report_nothing(done: float, total: int, name: str) -> None:
    """Stand in for no progress."""
