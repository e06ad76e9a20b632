# SPDX-License-Identifier: Apache-2.0
"""`training.tables` and `training.classical`: tables that fit, for any window."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dynamic_deep.bundle import load_bundle
from dynamic_deep.config import WINDOW_LEN
from dynamic_deep.entropy import TABLE_TOTAL, RangeEncoder
from dynamic_deep.quantizer import N_SCALES, OFFSET_LIMIT, ScaleCoder, WindowScale
from dynamic_deep.wavelet import N_SUBBANDS, WaveletCoder, WaveletLevel
from training.classical import make_classical, sample_windows
from training.datasets import Lead, normalize
from training.tables import (
    MAX_LIMIT,
    MIN_LIMIT,
    WAVELET_GAINS,
    Tables,
    laplace_columns,
    scale_tables,
    target_rate,
    wavelet_levels,
    wavelet_tables,
    windows_of,
)


@pytest.fixture(scope="module")
def windows(leads: list[Lead]) -> list[np.ndarray]:
    """Two dozen windows, shifted so that none is another."""
    found = []
    for lead in leads:
        for start in range(0, 8):
            x = lead.x[start * 1500 : start * 1500 + WINDOW_LEN]
            found.append(x)
    return found


@pytest.fixture(scope="module")
def tables(windows: list[np.ndarray]) -> Tables:
    fitted: Tables = wavelet_tables([normalize(x) for x in windows])
    return fitted


def test_windows_of_leads_are_whole(leads: list[Lead]) -> None:
    windows = windows_of(leads)
    assert {len(x) for x in windows} == {WINDOW_LEN}
    assert len(windows) == 2 * len(leads)
    assert (windows[1] == leads[0].x[WINDOW_LEN : 2 * WINDOW_LEN]).all()
    chosen = sample_windows(leads)
    assert {x.tobytes() for x in chosen} == {x.tobytes() for x in windows}
    assert [x.tobytes() for x in chosen] == [x.tobytes() for x in sample_windows(leads)]


def test_scales_that_were_seen_are_cheap_and_others_possible(
    windows: list[np.ndarray],
) -> None:
    fitted = scale_tables(windows)
    assert fitted["scale"].shape == (1, N_SCALES)
    assert fitted["offset"].shape == (1, 2 * OFFSET_LIMIT + 2)
    coder = ScaleCoder(fitted["scale"], fitted["offset"])
    seen = WindowScale.of(windows[0])
    bits = coder.scales.code_lengths[0]
    assert bits[seen.scale_idx] < 4
    assert bits.max() < 10  # an amplifier that nobody trained on costs a byte more
    assert abs(seen.offset_idx) <= OFFSET_LIMIT
    assert coder.offsets.code_lengths.max() < 9


def test_the_laplace_prior_is_a_distribution() -> None:
    for scale in (0.0, 0.3, 50.0):
        columns = laplace_columns(scale, 9)
        assert columns.shape == (20,)
        assert columns.sum() == pytest.approx(1.0)
        assert (columns[:9] == columns[18:9:-1]).all()
        assert (np.diff(columns[:10]) >= 0).all()


def test_levels_are_numbered_and_named() -> None:
    levels = wavelet_levels()
    assert [level.name for level in levels] == [f"wavelet_{g}" for g in WAVELET_GAINS]
    assert [level.id for level in levels] == list(range(2, 2 + len(levels)))
    assert max(level.id for level in levels) < 16  # where the neural ones begin


@pytest.mark.parametrize("gain", WAVELET_GAINS)
def test_tables_are_valid(tables: Tables, gain: int) -> None:
    counts = tables[f"wavelet_{gain}/counts"]
    limit = (counts.shape[1] - 2) // 2
    assert counts.shape == (N_SUBBANDS, 2 * limit + 2)
    assert MIN_LIMIT <= limit <= MAX_LIMIT
    assert counts.min() >= 1
    assert (counts.sum(axis=1) == TABLE_TOTAL).all()
    # Either sign is as likely; rounding to whole counts may part them by one.
    assert (
        np.abs(counts[:, :limit].astype(int) - counts[:, 2 * limit : limit : -1]).max()
        <= 1
    )


def test_steps_and_bytes_follow_the_nominal_gain(
    tables: Tables, windows: list[np.ndarray]
) -> None:
    steps = [float(tables[f"wavelet_{gain}/step"]) for gain in WAVELET_GAINS]
    assert steps == sorted(steps)
    for gain in (8, 32, 128):
        coder = WaveletCoder(
            WaveletLevel(
                step=float(tables[f"wavelet_{gain}/step"]),
                counts=tables[f"wavelet_{gain}/counts"],
                centroids=tables[f"wavelet_{gain}/centroids"],
            )
        )
        n_bytes = 0
        for x in windows:
            encoder = RangeEncoder()
            coder.encode(encoder, normalize(x))
            n_bytes += len(encoder.finish())
        aim = target_rate(gain) * WINDOW_LEN * len(windows) / 8
        assert n_bytes == pytest.approx(aim, rel=0.25)


def test_the_bundle_is_made_by_one_call(
    leads: list[Lead], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.classical.load_leads", lambda data_set, split: leads)
    folder = tmp_path / "classical"
    make_classical(folder)
    first = load_bundle(folder)
    assert first.name == "classical"
    assert not first.networks
    names = [level.name for level in first.levels]
    assert names == [
        "lossless",
        "near_lossless",
        *(f"wavelet_{g}" for g in WAVELET_GAINS),
    ]
    assert first.wavelet_coder("wavelet_32").level.step > 0
    # Made again over the old one, it keeps the card and comes out the same.
    (folder / "MODEL_CARD.md").write_text("For people.")
    make_classical(folder)
    assert load_bundle(folder).model_id == first.model_id
    assert (folder / "MODEL_CARD.md").read_text() == "For people."
    assert [path.name for path in tmp_path.iterdir()] == ["classical"]
