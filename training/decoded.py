# SPDX-License-Identifier: Apache-2.0
"""Leads as the codec gives them back, to train tasks that bear compression."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Iterable, Iterator, Sized
from typing import TypeVar

import numpy as np

from dynamic_deep.bundle import Bundle, Level
from dynamic_deep.config import MODEL_FS, WINDOW_LEN
from dynamic_deep.segments import window_bounds
from dynamic_deep.window_codec import WindowCodec, WindowPlace
from training.datasets import FloatArray, Lead

T = TypeVar("T")
LOG = logging.getLogger(__name__)
NOTE_AFTER_S = 20.0  # without one
LEAST_GAIN = 64.0  # what is sent at lower ones differs too little from the raw window


def decoded_versions(
    leads: list[Lead], bundle: Bundle, *, highest_gain: float = math.inf
) -> list[list[FloatArray]]:
    """Return of each lead the raw samples, and what each neural level makes of them.

    Args:
        leads: at the model's rate.
        bundle: its neural levels of `LEAST_GAIN` or more are decoded.
        highest_gain: of the levels that are.

    Returns:
        For each lead a list, raw first, of float16 arrays of one length, at mean 0 and
        deviation 1; half precision is a thousandth of a deviation or less.
    """
    codec = WindowCodec(bundle)
    levels = [v for v in bundle.levels if v.kind == "neural"]
    chosen = [v for v in levels if LEAST_GAIN <= v.nominal_gain <= highest_gain]
    found = (_versions(lead.x, codec, chosen) for lead in leads)
    return list(noted(found, leads, f"decoded by {bundle.name}"))


def noted(items: Iterable[T], of_all: Sized, what: str) -> Iterator[T]:
    """Yield the items, and log now and then how many there were: it takes long."""
    last = time.monotonic()
    for n_done, item in enumerate(items, start=1):
        if time.monotonic() - last >= NOTE_AFTER_S:
            LOG.info("%s: %s of %s leads", what, f"{n_done:,}", f"{len(of_all):,}")
            last = time.monotonic()
        yield item


def _versions(
    x: FloatArray, codec: WindowCodec, levels: list[Level]
) -> list[FloatArray]:
    mean, deviation = float(x.mean()), max(float(x.std()), 1.0)
    versions = [x.copy()] + [np.empty_like(x) for _ in levels]
    whole = np.rint(x).astype(np.int32)
    for start, end in window_bounds(len(x), MODEL_FS):
        n_samples = end - start
        place = WindowPlace(n_samples=n_samples, fs=MODEL_FS, baseline=0, adc_bits=16)
        window = codec.analyze(whole[start:end], place)
        for level, version in zip(levels, versions[1:], strict=True):
            y_hat = codec.quantized_latent(window, level)
            x_hat = codec.synthesize(y_hat, level, place.n_segments)[:n_samples]
            version[start:end] = window.scale.restore(x_hat)
    return [((v - mean) / deviation).astype(np.float16) for v in versions]


def long_enough(leads: list[Lead]) -> list[Lead]:
    """Return the leads that hold a whole window."""
    return [lead for lead in leads if len(lead.x) >= WINDOW_LEN]
