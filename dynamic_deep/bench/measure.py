# SPDX-License-Identifier: Apache-2.0
"""Measures every entrant on every window of one recording.

Each window is coded, counted in real bytes, decoded, and compared as integers in ADC
units, just what `decode` would write. A recording becomes one small table an entrant,
so that memory does not grow with the samples.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from dynamic_deep import metrics
from dynamic_deep.bench.entrants import Entrant, LeadContext
from dynamic_deep.bench.result import BenchRecord
from dynamic_deep.errors import DynamicDeepError
from dynamic_deep.segments import window_bounds

if TYPE_CHECKING:
    from dynamic_deep.recording import Recording

IntArray = npt.NDArray[np.integer[Any]]
Table = npt.NDArray[np.void]

WINDOW_DTYPE = np.dtype(
    [
        ("lead", np.int16),
        ("window_idx", np.int32),
        ("level_id", np.int16),  # what it was sent at; -1 by a baseline
        ("n_samples", np.int32),
        ("lead_s", np.float64),  # seconds of signal
        ("raw_bytes", np.int64),
        ("payload_bytes", np.int64),
        ("coded_bytes", np.int64),
        ("prd", np.float64),  # percent; NaN where the denominator is 0
        ("prd1", np.float64),
        ("prdn", np.float64),
        ("prd01", np.float64),
        ("max_error_adc", np.float64),
        ("max_error_uv", np.float64),
        ("encode_s", np.float64),  # CPU seconds
        ("decode_s", np.float64),
        ("is_exact", np.bool_),
        ("is_failed", np.bool_),
    ]
)


def distortions(
    x: IntArray, x_hat: IntArray, adc_baseline: int
) -> tuple[float, float, float, float]:
    """Return PRD, PRD1, PRDN and PRD01 in percent; NaN where one is undefined.

    Undefined is a PRD whose denominator is 0: of a flat window, mostly.

    Args:
        x: integer array, shape (n_samples,), ADC units.
        x_hat: its reconstruction.
        adc_baseline: the ADC value of 0 mV.

    Example:
        >>> round(distortions(np.array([3, 5]), np.array([3, 4]), 1)[2], 3)
        70.711
    """
    is_flat = bool((x == x[0]).all())
    undefined = (
        is_flat and x[0] == 0,
        is_flat and x[0] == adc_baseline,
        is_flat,
        is_flat,
    )
    values = (
        metrics.prd(x, x_hat),
        metrics.prd1(x, x_hat, baseline=adc_baseline),
        metrics.prdn(x, x_hat),
        metrics.prd01(x, x_hat),
    )
    prd, prd1, prdn, prd01 = (
        float("nan") if is_undefined else value
        for value, is_undefined in zip(values, undefined, strict=True)
    )
    return prd, prd1, prdn, prd01


def measure_window(
    entrant: Entrant, samples: IntArray, lead: LeadContext, raw_bytes: int
) -> tuple[Table, IntArray]:
    """Code, count, decode and compare one window.

    Args:
        entrant: who codes it.
        samples: int16 or int32 array, shape (n_samples,), ADC units, contiguous.
        lead: where it is cut from.
        raw_bytes: the size of the samples as stored.

    Returns:
        One row of `WINDOW_DTYPE`, shape (), and the decoded samples.

    Raises:
        DynamicDeepError: If the entrant can't code the window.
    """
    started = time.process_time()
    coded = entrant.encode(samples, lead)
    encoded = time.process_time()
    decoded = entrant.decode(coded, len(samples), samples.dtype, lead)
    done = time.process_time()
    row = np.zeros((), WINDOW_DTYPE)
    row["lead"], row["window_idx"] = lead.lead, lead.window_idx
    row["level_id"] = coded.level_id
    row["n_samples"], row["lead_s"] = len(samples), len(samples) / lead.fs
    row["raw_bytes"] = raw_bytes
    row["payload_bytes"], row["coded_bytes"] = len(coded.payload), coded.n_bytes
    row["encode_s"], row["decode_s"] = encoded - started, done - encoded
    measured = distortions(samples, decoded, lead.adc_baseline)
    row["prd"], row["prd1"], row["prdn"], row["prd01"] = measured
    error = np.abs(decoded.astype(np.int64) - samples.astype(np.int64)).max()
    row["max_error_adc"] = error
    row["max_error_uv"] = error * lead.uv_per_adc
    row["is_exact"] = error == 0
    return row, decoded


def window_places(
    n_windows: int, n_leads: int, max_windows: int | None = None
) -> list[tuple[int, int]]:
    """Return (window, lead) of the windows to measure, in the order of frames.

    Args:
        n_windows: windows of a lead.
        n_leads: leads.
        max_windows: at most this many, evenly spread over time and leads.

    Example:
        >>> window_places(3, 2, 2)
        [(0, 0), (2, 1)]
    """
    places = [(idx, lead) for idx in range(n_windows) for lead in range(n_leads)]
    if max_windows is None or max_windows >= len(places):
        return places
    chosen = np.linspace(0, len(places) - 1, max_windows).round().astype(int)
    return [places[i] for i in chosen]


def cut_window(
    recording: Recording, bounds: tuple[int, int], window_idx: int, lead: int
) -> tuple[LeadContext, IntArray]:
    """Return one window of one lead, (n_samples,), ADC units, and its context."""
    context = LeadContext(
        fs=recording.fs,
        adc_gain=recording.adc_gain[lead],
        adc_baseline=recording.adc_baseline[lead],
        adc_bits=recording.adc_bits,
        units=recording.units[lead],
        window_idx=window_idx,
        lead=lead,
        n_leads=recording.n_leads,
    )
    start, stop = bounds
    return context, np.ascontiguousarray(recording.samples[start:stop, lead])


def bytes_per_sample(adc_bits: int) -> int:
    """Return how many bytes a stored sample of `adc_bits` takes."""
    return max(2, -(-adc_bits // 8))


def measure_record(
    path: Path,
    entrants: Sequence[Entrant],
    max_windows: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> tuple[BenchRecord, list[Table], list[str]]:
    """Measure every entrant on one recording.

    Args:
        path: the recording.
        entrants: who takes part.
        max_windows: at most this many windows, evenly spread.
        progress: called with the share that is done, 0 to 1.

    Returns:
        The recording, one table (n_windows,) of `WINDOW_DTYPE` for each entrant, and
        what went wrong.

    Raises:
        DynamicDeepError: If the recording can't be read.
    """
    from dynamic_deep.recording import read_recording

    recording = read_recording(path)
    width = bytes_per_sample(recording.adc_bits)
    bounds = window_bounds(recording.n_samples, recording.fs)
    places = window_places(len(bounds), recording.n_leads, max_windows)
    tables = [np.zeros(len(places), WINDOW_DTYPE) for _ in entrants]
    problems: dict[str, str] = {}
    for i, (window_idx, lead_idx) in enumerate(places):
        lead, samples = cut_window(recording, bounds[window_idx], window_idx, lead_idx)
        for entrant, table in zip(entrants, tables, strict=True):
            size = width * len(samples)
            try:
                table[i], _ = measure_window(entrant, samples, lead, size)
            except DynamicDeepError as error:
                table[i]["is_failed"] = True
                place = f"window {lead.window_idx}, lead {lead.lead}"
                text = f"{path}: {entrant.name}: {place}: {error}"
                problems.setdefault(entrant.name, text)
        if progress is not None:
            progress((i + 1) / len(places))
    record = BenchRecord(
        name=recording.name,
        path=str(path),
        fs=recording.fs,
        n_leads=recording.n_leads,
        duration_s=recording.n_samples / recording.fs,
        n_windows=len(places),
    )
    return record, tables, list(problems.values())


def warm_up(entrants: Sequence[Entrant], n_samples: int = 8960) -> None:
    """Run each entrant once, so that loading a network is not timed as coding."""
    beat = np.exp(-(((np.arange(n_samples) % 240) - 120.0) ** 2) / 50.0)
    samples = (200 * beat).astype(np.int16)
    # Not the rate of the model, so that the resampler is loaded, too.
    lead = LeadContext(
        fs=360.0, adc_gain=200.0, adc_baseline=0, adc_bits=16, units="mV",
        window_idx=0, lead=0, n_leads=1,
    )  # fmt: skip
    for entrant in entrants:
        measure_window(entrant, samples, lead, 2 * n_samples)
