# SPDX-License-Identifier: Apache-2.0
"""Recordings for tests, and what came back of them in numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dynamic_deep.recording import Recording
from dynamic_deep.synthetic import simulate_ecg

COSINE = Path(__file__).parent / "data" / "bundles" / "cosine"
AWARE = COSINE.with_name("aware")  # with tasks and error heads
CONTEXT = COSINE.with_name("context")  # `cosine` with context networks


def make_recording(
    samples: np.ndarray,
    *,
    fs: float = 300.0,
    adc_bits: int = 16,
    adc_gain: float = 200.0,
    baseline: int = 0,
) -> Recording:
    """Wrap samples, (n_samples,) or (n_samples, n_leads), in a recording."""
    samples = samples[:, None] if samples.ndim == 1 else samples
    n_leads = samples.shape[1]
    return Recording(
        fs=fs,
        adc_gain=(adc_gain,) * n_leads,
        adc_baseline=(baseline,) * n_leads,
        units=("mV",) * n_leads,
        lead_names=tuple(f"L{i}" for i in range(n_leads)),
        adc_bits=adc_bits,
        samples=samples,
    )


def ecg(n_samples: int, *, fs: float = 300.0, n_leads: int = 1) -> Recording:
    """Return a simulated ECG of exactly `n_samples` a lead."""
    whole = simulate_ecg(n_samples / fs + 1.0, fs=fs, n_leads=n_leads, seed=4)
    return make_recording(whole.samples[:n_samples], fs=fs)


def prdn(x: np.ndarray, x_hat: np.ndarray) -> float:
    """Return the PRDN in percent over all leads, each with its own mean."""
    x = x.astype(np.float64)
    error = np.linalg.norm(x_hat - x)
    return float(100.0 * error / np.linalg.norm(x - x.mean(axis=0)))
