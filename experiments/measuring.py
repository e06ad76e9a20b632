# SPDX-License-Identifier: Apache-2.0
"""Tables of many coders, measured side by side in processes and kept.

tables = measure_all(Wanted("cinc2017:test", ("classical", "monitor")))
tables["monitor/gain_64"].kl
"""

from __future__ import annotations

import dataclasses
import os
import sys
import time
from collections.abc import Iterable
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context

from experiments.coders.roster import find_coder, load_all, load_coders
from experiments.judges import DEFAULT_JUDGE, Judge, load_judge, raw_answers
from experiments.kept import Arrays, is_kept, keep
from experiments.measured import Measured, measure

RAW = "raw"  # the windows as they are, with what the judge says of them
# Slow to code, and bit-exact: whoever judges says what was said of the raw windows.
EXACT = ("lossless", "general")


@dataclass(frozen=True)
class Wanted:
    """Coders to measure.

    Attributes:
        split: such as "cinc2017:test".
        sources: of coders, see `experiments.coders.roster.SOURCES`.
        judge: bundle whose tasks are asked; None: bytes and the signal alone.
    """

    split: str
    sources: tuple[str, ...]
    judge: str | None = DEFAULT_JUDGE


@dataclass(frozen=True)
class _Unit:
    split: str
    source: str  # empty for the raw windows
    coder: str
    judge: str | None

    def label(self) -> str:
        judged = f", judged by {self.judge}" if self.judge else ""
        return f"{self.split} {self.coder}{judged}"


def measure_all(wanted: Wanted, *, n_workers: int | None = None) -> dict[str, Measured]:
    """Return the table of each coder by its name, and that of the raw windows.

    Sources whose weights or packages are missing are left out; `load_all` says why.
    """
    missing = load_all(wanted.sources)[1]
    sources = [s for s in wanted.sources if s not in missing]
    units = [_Unit(wanted.split, "", RAW, wanted.judge)]
    units += [
        _Unit(wanted.split, source, coder.name, wanted.judge)
        for source in sources
        for coder in load_coders(source)
    ]
    run_units(units, n_workers=n_workers)
    return {unit.coder: _table(unit) for unit in units}


def run_units(units: Iterable[_Unit], *, n_workers: int | None = None) -> None:
    """Measure what is not kept yet, and say how far it is."""
    needed = dict.fromkeys(_base(unit) for unit in units)
    left = [unit for unit in needed if not is_kept(*_key(unit))]
    if not left:
        return
    for split, judge in {(unit.split, unit.judge) for unit in left}:
        if judge is not None:  # once, before every worker would
            raw_answers(split, load_judge(judge))
    n_workers = n_workers or os.cpu_count() or 1
    began_s = time.monotonic()
    # A process of its own for each: the interpreters' threads do not survive a fork.
    with ProcessPoolExecutor(n_workers, mp_context=get_context("spawn")) as pool:
        running: dict[Future[None], _Unit] = {
            pool.submit(_run, unit): unit for unit in left
        }
        for n_done, future in enumerate(as_completed(running), start=1):
            future.result()
            print(
                f"[{time.monotonic() - began_s:5.0f} s] {n_done} of {len(left)}: "
                f"{running[future].label()}",
                file=sys.stderr,
                flush=True,
            )


def _run(unit: _Unit) -> None:
    _table(unit)


def _base(unit: _Unit) -> _Unit:
    """Return what is measured for a unit: nobody else is asked of exact windows."""
    is_other = unit.source in EXACT and unit.judge not in (None, DEFAULT_JUDGE)
    return dataclasses.replace(unit, judge=DEFAULT_JUDGE) if is_other else unit


def _table(unit: _Unit) -> Measured:
    base = _base(unit)
    if base != unit:
        raw = _table(_Unit(unit.split, "", RAW, unit.judge))
        return dataclasses.replace(raw, n_bytes=_table(base).n_bytes)
    name, key = _key(unit)

    def make() -> Arrays:
        coder = find_coder(unit.source, unit.coder) if unit.source else None
        return measure(coder, unit.split, _judge(unit)).arrays()

    return Measured(**keep(name, key, make))


def _key(unit: _Unit) -> tuple[str, dict[str, str | None]]:
    identity = find_coder(unit.source, unit.coder).identity if unit.source else RAW
    judge = _judge(unit)
    key = {
        "what": "measured",
        "split": unit.split,
        "coder": unit.coder,
        "identity": identity,
        "judge": judge.identity if judge else None,
    }
    return f"{unit.split}-{unit.coder}-{unit.judge or 'signal'}", key


def _judge(unit: _Unit) -> Judge | None:
    return load_judge(unit.judge) if unit.judge else None
