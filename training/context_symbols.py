# SPDX-License-Identifier: Apache-2.0
"""The integers that a lossy level codes, as steps and channels, of real windows."""

from __future__ import annotations

from collections.abc import Callable, Collection

import numpy as np
import numpy.typing as npt

from dynamic_deep.bundle import Bundle, Level
from dynamic_deep.config import MODEL_FS, WINDOW_LEN
from dynamic_deep.wavelet import to_blocks
from dynamic_deep.window_codec import Analysis, WindowCodec, WindowPlace
from training.datasets import FLIP_SHARE, Lead, load_leads

IntArray = npt.NDArray[np.int32]
MITDB_EVERY = 2  # of its windows one is used: they are of few patients


def lossy_levels(bundle: Bundle) -> list[Level]:
    """Return the levels that a context network can serve."""
    return [level for level in bundle.levels if level.kind in ("wavelet", "neural")]


def symbols_of(codec: WindowCodec, window: Analysis, level: Level) -> IntArray:
    """Return what a level codes of a window, (n_steps, n_channels)."""
    if level.kind == "neural":
        return codec.quantized_latent(window, level)
    wavelet = codec.bundle.wavelet_coder(level.name).level
    return to_blocks(wavelet.quantize(window.normalized))


def window_symbols(
    bundle: Bundle,
    leads: list[Lead],
    levels: Collection[Level],
    *,
    every: int = 1,
    seed: int,
) -> dict[str, npt.NDArray[np.int16]]:
    """Return the symbols of whole windows, a share of them turned upside down.

    Args:
        bundle: whose levels.
        leads: at the model's rate.
        levels: lossy ones.
        every: keep one window of so many.
        seed: of which are turned.

    Returns:
        For each level by name (n_windows, n_steps, n_channels).
    """
    codec, rng = WindowCodec(bundle), np.random.default_rng(seed)
    place = WindowPlace(n_samples=WINDOW_LEN, fs=MODEL_FS, baseline=0, adc_bits=16)
    starts = [
        (lead, start)
        for lead in leads
        for start in range(0, len(lead.x) - WINDOW_LEN + 1, WINDOW_LEN)
    ][::every]
    found: dict[str, list[npt.NDArray[np.int16]]] = {v.name: [] for v in levels}
    for lead, start in starts:
        sign = -1 if rng.random() < FLIP_SHARE else 1
        x = sign * np.rint(lead.x[start : start + WINDOW_LEN]).astype(np.int32)
        window = codec.analyze(x, place)
        for level in levels:
            symbols = symbols_of(codec, window, level)
            found[level.name].append(np.clip(symbols, -32767, 32767).astype(np.int16))
    return {name: np.stack(symbols) for name, symbols in found.items()}


def training_symbols(
    bundle: Bundle, levels: Collection[Level], *, seed: int
) -> dict[str, npt.NDArray[np.int16]]:
    """Return the symbols of the train splits."""
    leads = load_leads("cinc2017", "train")
    cinc = window_symbols(bundle, leads, levels, seed=seed)
    leads = load_leads("mitdb", "train")
    mitdb = window_symbols(bundle, leads, levels, every=MITDB_EVERY, seed=seed)
    return {name: np.concatenate([cinc[name], mitdb[name]]) for name in cinc}


def ideal_bytes(bundle: Bundle, level: Level, y: npt.NDArray[np.int16]) -> float:
    """Return the mean ideal length of windows at a level."""
    n_bits: Callable[[IntArray], float]
    if level.kind == "neural":
        n_bits = bundle.latent_coder(level.name).n_bits
    else:
        n_bits = bundle.wavelet_coder(level.name).n_bits
    return float(np.mean([n_bits(window.astype(np.int32)) for window in y])) / 8.0
