# SPDX-License-Identifier: Apache-2.0
"""The ablations: the arithmetic of each, and the coders that only they have."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.stats

from dynamic_deep.trials import Subject, Trials
from dynamic_deep.window_codec import WindowPlace
from experiments.ablations import choice, correlation, unit
from experiments.ablations.coders import SegmentCoder, UnroundedCoder
from experiments.ablations.correlation import _Swept, choose_by_prdn
from experiments.ablations.encoder import Curve
from experiments.ablations.section import section
from experiments.coders.levels import LevelCoder
from experiments.measured import Measured
from tests.signals import COSINE

N = 60


@pytest.fixture
def subject(recording: Any) -> Subject:
    """A whole window of a simulated lead."""
    place = WindowPlace(n_samples=8960, fs=300.0, baseline=0, adc_bits=16)
    x = recording.samples[:8960, 0].astype(np.int32)
    return Subject(record="s", x=x, place=place, label="N")


@pytest.fixture
def trials(rng: np.random.Generator) -> Trials:
    """A table of two levels whose foretold errors are the true ones, times noise."""
    kl = np.exp(rng.normal([-4.0, -2.0], 1.0, (N, 2)))
    foretold = np.log(kl) + rng.normal(0.0, 0.5, (N, 2))
    center = np.concatenate([np.full((N, 1), -30.0), foretold], axis=1)
    return Trials(
        levels=("low", "high"),
        channels=("rhythm:raw",),
        records=np.array([f"r{i // 2}" for i in range(N)]),
        raw_bytes=np.full(N, 16_000, np.int32),
        lossless_bytes=np.full(N, 4_000, np.int32),
        n_bytes=np.tile(np.array([250, 100], np.int32), (N, 1)),
        errors=kl[..., None].astype(np.float32),
        raw_errors=np.zeros((N, 1), np.float32),
        changed=np.full((N, 2), np.nan, np.float32),
        labels=np.full(N, 1, np.int8),
        decided=np.ones((N, 3), np.int8),
        center=center[..., None].astype(np.float32),
        spread=np.full((N, 3, 1), 0.3, np.float32),
    )


def table(n_bytes: float, prdn: float) -> Measured:
    """A table of windows that are all alike."""
    names = [field.name for field in dataclasses.fields(Measured)]
    columns: dict[str, Any] = {name: np.full(N, np.nan) for name in names}
    columns |= {
        "records": np.array([f"r{i}" for i in range(N)]),
        "raw_bytes": np.full(N, 16_000.0),
        "n_bytes": np.full(N, n_bytes),
        "prdn": np.full(N, prdn),
    }
    return Measured(**columns)


def test_a_curve_goes_through_both_levels_and_on() -> None:
    curve, rows = Curve([table(250.0, 16.0), table(125.0, 28.0)]), np.arange(N)
    assert curve.prdn_at(64.0, rows) == pytest.approx(16.0)
    assert curve.prdn_at(128.0, rows) == pytest.approx(28.0)
    assert curve.prdn_at(64.0 * 2**0.5, rows) == pytest.approx(22.0)
    assert curve.prdn_at(32.0, rows) == pytest.approx(4.0)
    assert curve.gain_at(22.0, rows) == pytest.approx(64.0 * 2**0.5)


def test_correlations_are_those_of_scipy(rng: np.random.Generator) -> None:
    x = rng.integers(0, 9, 300).astype(np.float64)  # many ties
    y = x + rng.normal(0.0, 4.0, 300)
    ranks = correlation.spearman(x, y)
    assert ranks == pytest.approx(scipy.stats.spearmanr(x, y).statistic)
    straight = correlation.pearson(x, y)
    assert straight == pytest.approx(scipy.stats.pearsonr(x, y).statistic)


def test_a_limit_on_the_prdn_sends_the_fewest_bytes_within_it(trials: Trials) -> None:
    prdn = np.tile([10.0, 30.0], (N, 1))
    prdn[0] = 50.0, 60.0
    assert choose_by_prdn(trials, prdn, 40.0).tolist() == [2] + [1] * (N - 1)
    assert choose_by_prdn(trials, prdn, 20.0).tolist() == [2] + [0] * (N - 1)


def test_a_swept_choice_has_the_highest_gain_of_those_within(trials: Trials) -> None:
    asked = choice.rhythm_requirement(0.1)
    choices = [np.full(N, level) for level in (0, 1, 2)]
    swept, rows = _Swept(asked, trials, choices), np.arange(N)
    over = (trials.errors[..., 0] > 0.1).mean(axis=0)
    assert 0.0 < over[0] < over[1] < 1.0
    assert swept.gain_at(0.0, rows) == pytest.approx(4.0)
    assert swept.gain_at(float(over[0]), rows) == pytest.approx(64.0)
    assert swept.gain_at(1.0, rows) == pytest.approx(160.0)


def test_without_a_margin_the_median_alone_decides(trials: Trials) -> None:
    asked = choice.rhythm_requirement(0.1)
    chosen = choice.choose_plainly(asked, trials)
    foretold = np.exp(trials.center[:, 1:, 0])
    assert set(chosen.tolist()) == {0, 1, 2}
    assert (foretold[chosen == 1, 1] <= 0.1).all()
    assert (foretold[chosen == 0, 1] > 0.1).all()
    assert (foretold[chosen == 2] > 0.1).all()


def test_a_longer_unit_never_costs_less(rng: np.random.Generator) -> None:
    changed = rng.random((32, 3, 4)) < [[[0.02], [0.15], [0.0]]]
    n_bytes = np.tile([250.0, 100.0, 4_000.0], (32, 1))
    records = np.repeat(["a", "b"], 16)
    sums = [unit._segment_bytes(n_bytes, changed).sum()]
    for length in (1, 2, 4, 8, 1000):
        sent = unit._unit_bytes(n_bytes, changed, records, length)
        sums.append(sent.sum())
    assert (np.diff(sums) >= 0.0).all()
    assert sums[0] < sums[1] < sums[-1]


def test_a_unit_gets_the_level_that_fits_all_of_it() -> None:
    changed = np.zeros((4, 3, 4), bool)
    changed[1, 1, 2] = True  # the second window, at the level of few bytes
    n_bytes = np.tile([250.0, 100.0, 4_000.0], (4, 1))
    records = np.repeat("a", 4)
    sent = unit._unit_bytes(n_bytes, changed, records, 2)
    assert sent.tolist() == [250.0, 250.0, 100.0, 100.0]
    one = unit._segment_bytes(n_bytes, changed)
    assert one.tolist() == [100.0, 137.5, 100.0, 100.0]


def test_an_unrounded_latent_decodes_closer(subject: Subject) -> None:
    level = _neural_level()
    rounded = LevelCoder(bundle=str(COSINE), level=level).send(subject)
    unrounded = UnroundedCoder(bundle=str(COSINE), level=level).send(subject)
    assert np.isnan(unrounded.n_bytes)
    assert rounded.n_bytes > 0
    errors = [np.abs(sent.x_hat - subject.x).mean() for sent in (unrounded, rounded)]
    assert errors[0] < errors[1]


def _neural_level() -> str:
    from experiments.coders.levels import load_codec

    levels = load_codec(str(COSINE)).levels
    return next(level.name for level in levels if level.kind == "neural")


def test_segments_are_coded_alone(subject: Subject) -> None:
    whole = LevelCoder(bundle=str(COSINE), level=_neural_level())
    alone = SegmentCoder(coder=whole).send(subject)
    together = whole.send(subject)
    first = dataclasses.replace(
        subject,
        x=subject.x[:2240],
        place=dataclasses.replace(subject.place, n_samples=2240),
    )
    assert alone.n_bytes > 3 * whole.send(first).n_bytes
    assert (alone.x_hat[:2240] == whole.send(first).x_hat).all()
    assert not np.array_equal(alone.x_hat, together.x_hat)
    assert alone.x_hat.shape == subject.x.shape
    assert np.corrcoef(alone.x_hat, subject.x)[0, 1] > 0.8


def results_of(trials: Trials) -> dict[str, Any]:
    """Results as `run` gives them, of small tables."""
    triple = [1.0, 0.5, 2.0]
    level = dict.fromkeys(("gain", "prdn", "kl", "over", "weighted_f1"), triple)
    levels = [level | {"coder": "monitor/gain_64"}]
    asked = choice.rhythm_requirement(0.1)
    plain = choice.choose_plainly(asked, trials)
    chosen = choice._row("no margin", asked, trials, plain)
    margin = [chosen, chosen | {"choice": "calibrated"}]
    correlation = [
        {"level": "gain_64", "signal": s, "task": t, "spearman": r, "pearson": r}
        for s, t, r in (
            ("prdn", "kl", [0.2, 0.1, 0.3]),
            ("mape", "kl", triple),
            ("mse", "kl", triple),
            ("prdn", "cce", triple),
        )
    ]
    by = dict.fromkeys(("prdn", "heads", "heads_over_prdn"), triple)
    changed = {"unit": "window", "gain": triple, "over_window": triple}
    return {
        "split": "cinc2017:test",
        "encoder": {"rows": [], "missing": "no bundle"},
        "figures": ["ablation_scatter.svg"],
        **dict.fromkeys(("task_term", "integer_encoder", "rounding"), levels),
        "by_segment": levels,
        "margin": {"monitor": margin},
        "reference": [chosen],
        "unit": {"rows": [changed], "n_windows": 9, "n_records": 3},
        "correlation": correlation,
        "choice": {
            "bound_nats": 0.1,
            "rows": [by | {"violations": 0.05}],
            "oracle": triple,
        },
    }


def test_the_section_judges_the_claim_by_the_figures(trials: Trials) -> None:
    results = results_of(trials)
    low = section(results)
    assert any(isinstance(b, str) and "no bundle" in b for b in low.blocks)
    assert "it holds." in low.claims[0].why
    results["correlation"][0]["spearman"] = [0.7, 0.6, 0.8]
    assert "it does not hold." in section(results).claims[0].why


def test_figures_are_the_same_file_again(tmp_path: Path, trials: Trials) -> None:
    from experiments.ablations.figure import draw_budget, draw_scatter

    kl = trials.errors[:, 1, 0].astype(np.float64)
    says: dict[str, Any] = {
        "level": "a/b",
        "spearman": [0.3, 0.2, 0.4],
        "pearson": [0.2, 0.1, 0.3],
        "bound_nats": 0.1,
    }
    row = {"name": "edge", "has_rate_term": True, "n_steps": 9}
    encoder = {
        "rows": [
            row | {"macs": 10**6, "gain_at_equal_prdn": [60.0, 55.0, 66.0]},
            row | {"macs": 10**5, "gain_at_equal_prdn": [50.0, 45.0, 56.0]},
        ],
        "budget_macs": 10**6,
        "equal_prdn": 18.0,
    }
    for folder in (tmp_path / "a", tmp_path / "b"):
        draw_scatter(10.0 * kl, kl, says=says, folder=folder)
        draw_budget(encoder, folder=folder)
    for name in ("ablation_scatter.svg", "ablation_budget.svg"):
        once, again = ((tmp_path / v / name).read_bytes() for v in "ab")
        assert once == again
        assert once.startswith(b"<?xml")
