# SPDX-License-Identifier: Apache-2.0
"""The table of a bundle's whole ladder, as its policies need it, from measured tables.

What `dynamic-deep evaluate` makes by trying every level is put together here from
tables that others use too, and from what the error heads foretell.
"""

from __future__ import annotations

import functools

import numpy as np

from dynamic_deep.calibration import Calibration, load_calibration
from dynamic_deep.heads import RAW_ROW, Heads
from dynamic_deep.trials import Trials, task_channels
from experiments.coders.levels import load_codec
from experiments.coders.roster import bundle_sources
from experiments.judges import JUDGE, load_judge
from experiments.kept import Arrays, keep
from experiments.measured import Measured, level_table
from experiments.measuring import RAW, Wanted, measure_all
from experiments.windows import load_windows

# How a task's error is found in a measured table, by channel.
_COLUMNS = {
    "rhythm:raw": "kl",
    "rhythm:label": "cce",
    "rpeaks:raw": "beat_error",
}


@functools.cache
def bundle_trials(bundle: str, split: str, *, calibration: str = "cinc2017") -> Trials:
    """Return the windows of a split at every lossy level of a bundle.

    Args:
        bundle: its name; it has error heads.
        split: such as "cinc2017:test".
        calibration: whose levels they are.
    """
    levels = load_calibrated(bundle, calibration).trials.levels
    tables = measure_all(Wanted(split, bundle_sources(bundle)))
    columns = [level_table(tables, bundle, level) for level in levels]
    raw = tables[RAW]
    tasks = load_judge(JUDGE)
    channels = task_channels([tasks.rhythm, tasks.rpeaks])
    forecast = _forecast(bundle, split, levels=levels, channels=channels)
    names = [_COLUMNS[channel] for channel in channels]
    return Trials(
        levels=levels,
        channels=channels,
        records=raw.records,
        raw_bytes=raw.raw_bytes.astype(np.int32),
        lossless_bytes=tables["lossless"].n_bytes.astype(np.int32),
        n_bytes=np.stack([c.n_bytes for c in columns], axis=1).astype(np.int32),
        errors=np.stack([_errors(c, names) for c in columns], axis=1),
        raw_errors=_errors(raw, names),
        changed=np.stack([c.changed for c in columns], axis=1).astype(np.float32),
        labels=raw.labels,
        decided=np.stack([raw.decided, *(c.decided for c in columns)], axis=1),
        center=forecast["center"],
        spread=forecast["spread"],
    )


@functools.cache
def load_calibrated(bundle: str, name: str = "cinc2017") -> Calibration:
    """Return a calibration that a bundle is shipped with."""
    return load_calibration(load_codec(bundle).bundle, name)


def _errors(table: Measured, names: list[str]) -> np.ndarray:
    return np.stack([getattr(table, n) for n in names], axis=1).astype(np.float32)


def _forecast(
    bundle: str, split: str, *, levels: tuple[str, ...], channels: tuple[str, ...]
) -> Arrays:
    """Return what the heads foretell of every window: center and spread, (n, R, C)."""
    codec = load_codec(bundle)

    def make() -> Arrays:
        heads, rows = Heads(codec.bundle), []
        for window in load_windows(split):
            subject = window.subject
            found = heads.forecast(codec.windows.analyze(subject.x, subject.place))
            at = [found.levels.index(name) for name in (RAW_ROW, *levels)]
            columns = [found.channels.index(name) for name in channels]
            part = np.ix_(at, columns)
            rows.append((found.center[part], found.spread[part]))
        center, spread = zip(*rows, strict=True)
        return {"center": np.stack(center), "spread": np.stack(spread)}

    key = {
        "what": "forecast",
        "split": split,
        "model_id": codec.model_id.hex(),
        "levels": list(levels),
        "channels": list(channels),
    }
    return keep(f"forecast-{split}-{bundle}", key, make)
