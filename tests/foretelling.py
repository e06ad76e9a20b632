# SPDX-License-Identifier: Apache-2.0
"""A bundle with tasks and error heads, without any training: rules instead of networks.

The levels are those of the kept bundle. Its rhythm goes by how much of each block is
fast, its R peaks are the prominent ones, and its heads foretell that more gain brings
more error, which is true on the whole and wrong of many a window.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dynamic_deep import bundle as bundles
from dynamic_deep.bundle import Bundle
from dynamic_deep.heads import RAW_ROW, Forecast
from dynamic_deep.tasks import Peaks, RhythmTask, RPeaksTask
from tests.signals import COSINE

LEVELS = ("wavelet_8", "wavelet_16", "wavelet_64", "gain_32", "gain_64")
CHANNELS = ("rhythm:raw", "rhythm:label", "rpeaks:raw")


class RuleRhythm(RhythmTask):
    """Classes by the share of fast changes in blocks of 256 samples."""

    def __init__(self, content: bytes) -> None:
        """Need no network."""

    def answer(self, x: Any) -> Any:
        x = np.pad(x, (0, max(0, 256 - len(x))), mode="edge")
        blocks = x[: len(x) // 256 * 256].reshape(-1, 256).astype(np.float64)
        spread = blocks.std(axis=1) + 1e-3
        fast = np.abs(np.diff(blocks, axis=1)).mean(axis=1) / spread
        rough = np.abs(np.diff(blocks, n=2, axis=1)).mean(axis=1) / spread
        zero = np.zeros(len(blocks))
        odds = np.exp(np.stack([20 * fast, zero, 20 * rough, zero], axis=1))
        return (odds / odds.sum(axis=1, keepdims=True)).astype(np.float32)


class RulePeaks(RPeaksTask):
    """R peaks by prominence."""

    def __init__(self, content: bytes) -> None:
        """Need no network."""

    def answer(self, x: Any) -> Peaks:
        from scipy.signal import find_peaks

        found, _ = find_peaks(x, prominence=3 * x.std(), distance=60)
        return Peaks(found, len(x))


class RuleHeads:
    """Foretells an error of two thousandths of the nominal gain, for every task."""

    def __init__(self, bundle: Bundle) -> None:
        names = bundle.config["heads"]["levels"]
        gains = [1.0, *(bundle.level(name).nominal_gain for name in names)]
        center = np.log(0.002 * np.array(gains))[:, None]
        self._forecast = Forecast(
            levels=(RAW_ROW, *names),
            channels=CHANNELS,
            center=np.repeat(center, len(CHANNELS), axis=1).astype(np.float32),
            spread=np.ones((len(gains), len(CHANNELS)), np.float32),
        )

    def forecast(self, window: Any) -> Forecast:
        return self._forecast


def foretelling_bundle(bundle: Bundle) -> Bundle:
    """Return a bundle with the tasks and heads of this file."""
    parts = ("heads", "task_rhythm", "task_rpeaks")
    heads = {"levels": list(LEVELS), "channels": list(CHANNELS)}
    return dataclasses.replace(
        bundle,
        networks=bundle.networks | dict.fromkeys(parts, b""),
        config=bundle.config | {"heads": heads},
    )


def install(patch: pytest.MonkeyPatch) -> None:
    """Let the kept bundle have these tasks and heads, wherever it is loaded."""
    load_bundle = bundles.load_bundle

    def load(name_or_path: str | Path) -> Bundle:
        bundle = load_bundle(name_or_path)
        is_ours = Path(name_or_path) == COSINE
        return foretelling_bundle(bundle) if is_ours else bundle

    from dynamic_deep.cli import bundles as loaded
    from dynamic_deep.cli import trying

    loaded.load_codec.cache_clear()
    trying._trier.cache_clear()
    patch.setattr("dynamic_deep.codec.load_bundle", load)
    rules = {"rhythm": RuleRhythm, "rpeaks": RulePeaks}
    patch.setattr("dynamic_deep.tasks.registry.BUNDLED", rules)
    for module in ("trials", "window_candidate", "stream_encoder"):
        patch.setattr(f"dynamic_deep.{module}.Heads", RuleHeads)
