# SPDX-License-Identifier: Apache-2.0
"""Tables of many coders, measured side by side in processes and kept.

tables = measure_all(Wanted("cinc2017:test", ("wavelet", "monitor")))
tables["monitor/gain_64"].kl
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context

from experiments.coders.levels import CHOOSING_BUNDLES, LevelCoder
from experiments.coders.roster import find_coder, load_all, load_coders
from experiments.judges import JUDGE, load_judge, raw_answers
from experiments.kept import Arrays, is_kept, keep
from experiments.measured import TASKS, Measured, measure, recount

RAW = "raw"  # the windows as they are, with what the judge says of them
# Levels that are chosen among for either task, or for both. The windows of others are
# given to the task that the data set is annotated for.
ASKED_ALL = ("wavelet", *CHOOSING_BUNDLES)


@dataclass(frozen=True)
class Wanted:
    """Coders to measure.

    Attributes:
        split: such as "cinc2017:test".
        sources: of coders, see `experiments.coders.roster.SOURCES`.
    """

    split: str
    sources: tuple[str, ...]


@dataclass(frozen=True)
class _Unit:
    split: str
    source: str  # empty for the raw windows
    coder: str

    @property
    def asked(self) -> tuple[str, ...]:
        """The tasks that its windows are given to."""
        if self.source.removesuffix(" wavelet") in ("", *ASKED_ALL):
            return TASKS
        return ("rhythm",) if self.split.startswith("cinc2017") else ("rpeaks",)

    @property
    def twin(self) -> _Unit | None:
        """The unit of the same samples in other bytes, where there is one."""
        coder = find_coder(self.source, self.coder) if self.source else None
        other = coder.twin if isinstance(coder, LevelCoder) else None
        return _Unit(self.split, "wavelet", other.name) if other else None

    def label(self) -> str:
        return f"{self.split} {self.coder}"


def measure_all(wanted: Wanted, *, n_workers: int | None = None) -> dict[str, Measured]:
    """Return the table of each coder by its name, and that of the raw windows.

    Sources whose weights or packages are missing are left out; `load_all` says why.
    """
    missing = load_all(wanted.sources)[1]
    sources = [s for s in wanted.sources if s not in missing]
    units = [_Unit(wanted.split, "", RAW)]
    units += [
        _Unit(wanted.split, source, coder.name)
        for source in sources
        for coder in load_coders(source)
    ]
    run_units(units, n_workers=n_workers)
    return {unit.coder: _table(unit) for unit in units}


def run_units(units: Iterable[_Unit], *, n_workers: int | None = None) -> None:
    """Measure what is not kept yet, and say how far it is."""
    left = [unit for unit in dict.fromkeys(units) if not is_kept(*_key(unit))]
    if not left:
        return
    twins = [twin for unit in left if (twin := unit.twin)]
    # They come first, since what is learned of them is used again.
    run_units(twins, n_workers=n_workers)
    left = [unit for unit in left if unit not in twins]
    for split in {unit.split for unit in left}:  # once, before every worker would
        raw_answers(split, load_judge(JUDGE))
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


def _table(unit: _Unit) -> Measured:
    name, key = _key(unit)

    def make() -> Arrays:
        coder = find_coder(unit.source, unit.coder) if unit.source else None
        if (twin := unit.twin) and isinstance(coder, LevelCoder):
            return recount(coder, unit.split, _table(twin)).arrays()
        return measure(coder, unit.split, load_judge(JUDGE), unit.asked).arrays()

    return Measured(**keep(name, key, make))


def _key(unit: _Unit) -> tuple[str, dict[str, str]]:
    identity = find_coder(unit.source, unit.coder).identity if unit.source else RAW
    key = {
        "what": "measured",
        "split": unit.split,
        "coder": unit.coder,
        "identity": identity,
        "judge": load_judge(JUDGE).identity,
    }
    if unit.asked != TASKS:
        key["asked"] = " ".join(unit.asked)
    return f"{unit.split}-{unit.coder}-{JUDGE}", key
