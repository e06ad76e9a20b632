# SPDX-License-Identifier: Apache-2.0
"""Training of the autoencoder of 2018: data, schedule, weights, the small file."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from dynamic_deep.errors import ConfigError
from experiments.networks.segments2018 import (
    SEGMENT_LEN,
    restore_segment,
    scale_segment,
)
from experiments.train.cae import history, training_of
from experiments.train.cae_data import (
    NativeLead,
    RandomSegments,
    load_native_leads,
    spread_segments,
)
from experiments.train.cae_plan import learning_rate_at, plan


def some_leads(rng: np.random.Generator) -> list[NativeLead]:
    walk = rng.integers(-9, 10, (3, 7000)).cumsum(axis=1)
    return [NativeLead(record=str(i), x=x) for i, x in enumerate(walk)]


def test_a_segment_is_scaled_to_its_own_span_and_back(
    rng: np.random.Generator,
) -> None:
    x = rng.integers(-400, 900, SEGMENT_LEN)
    scaled, span = scale_segment(x)
    assert (scaled.min(), scaled.max()) == (0.0, 1.0)
    assert span == (x.min(), x.max())
    assert np.array_equal(np.rint(restore_segment(scaled, span)), x)


def test_a_flat_segment_comes_back() -> None:
    scaled, span = scale_segment(np.full(SEGMENT_LEN, 7))
    assert np.array_equal(restore_segment(scaled, span), np.full(SEGMENT_LEN, 7.0))


def test_batches_are_the_same_again_and_cut_from_the_leads(
    rng: np.random.Generator,
) -> None:
    leads = [NativeLead(record=v.record, x=v.x[:2200]) for v in some_leads(rng)]
    first = RandomSegments([leads], seed=1).batch(5, 4)
    assert np.array_equal(first, RandomSegments([leads], seed=1).batch(5, 4))
    assert not np.array_equal(first, RandomSegments([leads], seed=1).batch(6, 4))
    assert first.shape == (4, SEGMENT_LEN, 1)
    everywhere = np.concatenate(
        [np.lib.stride_tricks.sliding_window_view(v.x, SEGMENT_LEN) for v in leads]
    )
    steps = np.diff(everywhere, axis=1)[:, :8]
    for row in first[:, :, 0]:
        rises = np.diff(row)[:8]
        spans = np.ptp(everywhere, axis=1)
        assert np.isclose(steps / spans[:, None], rises, atol=1e-5).all(axis=1).any()


def test_two_sets_share_a_batch(rng: np.random.Generator) -> None:
    rising = [NativeLead(record="a", x=np.arange(5000))]
    falling = [NativeLead(record="b", x=np.arange(5000)[::-1])]
    batch = RandomSegments([rising, falling], seed=2).batch(0, 400)
    share = (batch[:, 0, 0] > batch[:, -1, 0]).mean()
    assert 0.5 < share < 0.7  # 60 % are of the second set


def test_segments_are_spread_over_all_leads(rng: np.random.Generator) -> None:
    leads = some_leads(rng)
    assert spread_segments(leads, 100).shape == (9, SEGMENT_LEN)
    few = spread_segments(leads, 3)
    for row, lead in zip(few, leads, strict=True):
        assert np.array_equal(row, lead.x[:SEGMENT_LEN])


def test_held_out_is_the_end_of_train(data_dir: Path) -> None:
    (train, *_), (held_out, *_) = (
        load_native_leads("mitdb", split, limit=1) for split in ("train", "held_out")
    )
    assert (len(train.x), len(held_out.x)) == (585_000, 65_000)
    assert train.record == held_out.record


def test_the_rate_rises_then_falls_to_nothing() -> None:
    phase = plan(32, "mitdb", n_steps=1000).convolutional
    rates = [learning_rate_at(step, phase) for step in range(1001)]
    assert rates[0] == pytest.approx(2e-5, rel=0.01)
    assert max(rates) == pytest.approx(1e-3, rel=0.01)
    assert rates[-1] == pytest.approx(0.0, abs=1e-12)
    assert (np.diff(rates[50:]) < 0).all()


@pytest.mark.parametrize(("level", "data"), [(48, "mitdb"), (32, "ptb")])
def test_another_network_or_data_set_is_refused(level: int, data: str) -> None:
    with pytest.raises(ConfigError, match="16, 32 or 64 and mitdb or cinc"):
        plan(level, data)


def test_level_64_begins_with_what_it_shares_with_32(tmp_path: Path) -> None:
    from experiments.train.cae_network import (
        build_network,
        named_weights,
        save_weights,
    )

    with pytest.raises(ConfigError, match=r"must hold weights\.npz"):
        build_network(plan(64, "mitdb", begin=str(tmp_path)))
    source = build_network(plan(32, "mitdb"))
    save_weights(tmp_path / "weights.npz", *source)
    target = build_network(plan(64, "mitdb", begin=str(tmp_path)))
    had, got = named_weights(*source), named_weights(*target)
    own = {name for name in got if "_64" in name}
    assert {name for name in got if name not in had} == own
    for name in set(got) - own - {"decoder/samples/kernel", "decoder/samples/bias"}:
        assert np.array_equal(got[name].numpy(), had[name].numpy()), name


def test_the_dense_layer_begins_as_the_convolution() -> None:
    from experiments.train.cae_network import build_network, unfold

    model, convolutional = build_network(plan(32, "mitdb"))
    unfold(model, convolutional)
    x = np.sin(np.arange(2000) / 20.0).astype(np.float32)[None, :, None]
    by_dense, by_filter = model(x).numpy(), convolutional(x).numpy()
    assert by_filter.shape == (1, 1984, 1)
    assert by_filter.std() > 0.0
    assert np.allclose(by_dense[:, :1984], by_filter, atol=1e-5)


def test_a_run_tells_all_that_led_to_it(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    training = plan(32, "mitdb", n_steps=7)
    first.mkdir()
    (first / "config.json").write_text(json.dumps(dataclasses.asdict(training)))
    later = plan(64, "cinc", n_steps=5, begin=str(first))
    assert training_of(first) == training
    told = history(later, second)
    assert [n_steps for _, n_steps in told] == [7, 5]
    assert told[0][0].endswith(f"--level 32 --data mitdb --steps 7 --run {first}")
    assert f"--from {first} --run {second}" in told[1][0]
    gone = plan(64, "cinc", n_steps=5, begin=str(tmp_path / "gone"))
    with pytest.raises(ConfigError, match=r"run folder, got .*gone"):
        history(gone, second)
