# SPDX-License-Identifier: Apache-2.0
"""`dynamic_deep.networks`: sizes and costs as promised, shapes as contracted."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="needs the extra `train`")

import keras
from keras import Operation

from dynamic_deep.config import SEGMENTS_PER_WINDOW
from dynamic_deep.errors import ConfigError
from dynamic_deep.networks import (
    EDGE,
    EDGE_TASKS,
    STANDARD,
    STANDARD_TASKS,
    Conv,
    LatentConfig,
    LearnedStep,
    LevelAffine,
    NetworkConfig,
    build_body,
    build_entry,
    build_forecast,
    build_head_features,
    build_summary,
    build_tail,
    build_trunk,
    count_macs,
    join_heads,
    merge_forecasts,
)
from dynamic_deep.networks.error_heads import (
    FIRST_CENTER,
    LEAST_SPREAD,
    N_CLASSES,
    SUMMARY_WIDTH,
)
from dynamic_deep.networks.paper import (
    PAPER_LEN,
    build_paper_decoder,
    build_paper_encoder,
    build_paper_trunk,
)
from training.task_aware_presets import TASK_AWARE_PRESETS

PRESETS = {
    "standard": STANDARD,
    "edge": EDGE,
    "standard, tasks": STANDARD_TASKS,
    "edge, tasks": EDGE_TASKS,
}
MAX_MACS = {"standard": 5_000_000, "edge": 1_000_000}
N_WAVELETS = 5  # lossy levels below the neural ones that error heads foretell for
N_CHANNELS = 3  # rhythm against raw and label, R peaks against raw
# What an 8-bit interpreter of a microcontroller runs.
DEVICE_LAYERS = (
    keras.layers.InputLayer,
    keras.layers.Conv1D,
    keras.layers.DepthwiseConv1D,
    keras.layers.ReLU,
    keras.layers.Add,
    LearnedStep,  # folded into its convolution by the export
)
# And what the error heads add, once a window.
HEAD_LAYERS = (
    keras.layers.BatchNormalization,
    keras.layers.Concatenate,
    keras.layers.Dense,
    keras.layers.Dropout,
    keras.layers.GlobalAveragePooling1D,
    keras.layers.GlobalMaxPooling1D,
    Operation,  # the sum with the least spread
)


def test_the_papers_encoder_has_the_papers_parameters() -> None:
    # PAPER: trunk with 192 of batch normalisation, both heads.
    assert build_paper_trunk().count_params() == 69_080
    assert build_paper_encoder().count_params() == 83_898


@pytest.mark.parametrize(("level", "n_adapter"), [(32, 2_784), (64, 4_800)])
def test_the_papers_decoder_has_the_papers_parameters(
    level: int, n_adapter: int
) -> None:
    assert build_paper_decoder(level).count_params() == n_adapter + 2_079_274


@pytest.mark.parametrize("level", [32, 64])
def test_the_papers_adapters_meet_the_shared_decoder(level: int) -> None:
    # The shared decoder begins with 64 filters of 7: what feeds it is the adapter.
    model = build_paper_decoder(level)
    convs = [v for v in model.layers if isinstance(v, keras.layers.Conv1D)]
    first = next(i for i, v in enumerate(convs) if v.filters == 64)
    adapter = sum(v.count_params() for v in convs[:first])
    assert adapter == {32: 2_784, 64: 4_800}[level]
    assert convs[first].input.shape[1:] == (124, 32)


def test_the_papers_shapes() -> None:
    encoder = build_paper_encoder()
    assert [tuple(v.shape[1:]) for v in encoder.outputs] == [(63, 1), (32, 1)]
    for level, latent in zip((32, 64), encoder.outputs, strict=True):
        decoder = build_paper_decoder(level)
        assert decoder.input_shape[1:] == tuple(latent.shape[1:])
        assert decoder.output_shape[1:] == (PAPER_LEN, 1)
    with pytest.raises(ConfigError, match="32 or 64, got 16"):
        build_paper_decoder(16)


def stay_beside(config: NetworkConfig) -> list[LatentConfig]:
    """The levels of phase 1 that stay beside those of a preset of phase 2."""
    names = TASK_AWARE_PRESETS["edge"].kept if config is EDGE_TASKS else ()
    return [latent for latent in EDGE.latents if latent.name in names]


def heads_of(config: NetworkConfig, n_features: int) -> list[keras.Model]:
    """What the error heads of a preset add to a segment, and twice to a window."""
    features = build_head_features(config, n_features)
    n_lossy = N_WAVELETS + len(stay_beside(config)) + len(config.latents)
    summary = build_summary(features.output_shape[-1])
    return [features, summary, build_forecast(n_lossy, 1 + n_lossy, N_CHANNELS)]


@pytest.mark.parametrize("name", PRESETS)
def test_a_segment_costs_no_more_than_promised(name: str) -> None:
    config = PRESETS[name]
    trunk = build_trunk(config)
    n_features = trunk.output_shape[-1]
    total = float(count_macs(trunk))
    for latent in [*stay_beside(config), *config.latents]:
        total += count_macs(build_tail(latent, n_features))
    if name.endswith("tasks"):
        of_segment, *of_window = heads_of(config, n_features)
        total += count_macs(of_segment)
        total += sum(count_macs(part) for part in of_window) / SEGMENTS_PER_WINDOW
    limit = MAX_MACS[config.name]
    assert total <= limit
    assert total > limit / 4  # else something goes uncounted


@pytest.mark.parametrize("name", PRESETS)
def test_the_presets_keep_the_contract(name: str) -> None:
    config = PRESETS[name]
    gains = [latent.nominal_gain for latent in config.latents]
    assert len(gains) >= 3
    assert gains == sorted(set(gains))
    trunk = build_trunk(config)
    assert trunk.output_shape[1] == 70
    for latent in config.latents:
        tail = build_tail(latent, trunk.output_shape[-1])
        assert tail.output_shape[1:] == (latent.steps_per_segment, latent.n_channels)
        for layer in [*trunk.layers, *tail.layers]:
            assert isinstance(layer, DEVICE_LAYERS), layer
    for head in heads_of(config, trunk.output_shape[-1]):
        for layer in head.layers:
            assert isinstance(layer, DEVICE_LAYERS + HEAD_LAYERS), layer


@pytest.mark.parametrize("config", [EDGE, EDGE_TASKS])
def test_the_edge_encoder_fits_64_kb_of_8_bit_weights(config: NetworkConfig) -> None:
    trunk = build_trunk(config)
    latents = [*stay_beside(config), *config.latents]
    parts = [build_tail(latent, trunk.output_shape[-1]) for latent in latents]
    if config is EDGE_TASKS:
        parts += heads_of(config, trunk.output_shape[-1])
    n_params = trunk.count_params() + sum(part.count_params() for part in parts)
    assert n_params <= 64 * 1024


def test_macs_by_hand() -> None:
    inputs = keras.Input((100, 3))
    h = keras.layers.Conv1D(8, 5, strides=2, padding="same")(inputs)  # 50 x 5 x 3 x 8
    h = keras.layers.DepthwiseConv1D(3, padding="same")(h)  # 50 x 3 x 8
    h = keras.layers.GlobalAveragePooling1D()(h)
    outputs = keras.layers.Dense(4)(h)  # 8 x 4
    model = keras.Model(inputs, outputs)
    assert count_macs(model) == 50 * 5 * 3 * 8 + 50 * 3 * 8 + 8 * 4


@pytest.mark.parametrize("stride", [32, 64])
@pytest.mark.parametrize("n_steps", [2, 35, 141])
def test_the_decoder_takes_any_length(
    tiny_config: NetworkConfig, stride: int, n_steps: int
) -> None:
    latent = LatentConfig(nominal_gain=32, n_channels=5, stride=stride)
    entry = build_entry(latent, tiny_config.decoder_width)
    features = entry(np.ones((1, n_steps, 5), np.float32))
    assert features.shape == (1, n_steps * stride // 32, tiny_config.decoder_width)
    level_idx = keras.ops.zeros((1,), dtype="int32")
    x_hat = build_body(tiny_config)([features, level_idx])
    assert x_hat.shape == (1, n_steps * stride, 1)


def test_the_body_minds_the_level_once_it_has_learned_to(
    tiny_config: NetworkConfig, rng: np.random.Generator
) -> None:
    body = build_body(tiny_config)
    features = rng.normal(0, 1, (2, 10, 8)).astype(np.float32)
    same = np.concatenate([features[:1], features[:1]])
    levels = np.array([0, 1], np.int32)
    x_hat = keras.ops.convert_to_numpy(body([same, levels]))
    assert np.abs(x_hat[0] - x_hat[1]).max() < 1e-6
    affine = [v for v in body.layers if isinstance(v, LevelAffine)][-1]
    affine.shift.assign(np.stack([np.zeros(8), np.ones(8)]).astype(np.float32))
    x_hat = keras.ops.convert_to_numpy(body([same, levels]))
    assert np.abs(x_hat[0] - x_hat[1]).max() > 1e-3


def test_residual_blocks_of_the_body_begin_as_the_identity(
    rng: np.random.Generator,
) -> None:
    features = rng.normal(0, 1, (1, 10, 8)).astype(np.float32)
    answers = []
    for n_blocks in (0, 3):
        keras.utils.set_random_seed(1)
        config = NetworkConfig(
            name="t",
            trunk=(),
            latents=(LatentConfig(nominal_gain=32, n_channels=4),),
            decoder_width=8,
            n_decoder_blocks=n_blocks,
        )
        body = build_body(config)
        rest = [v for v in body.layers if isinstance(v, keras.layers.Conv1D)]
        for i, layer in enumerate(rest[2 * n_blocks :]):
            kernel = np.random.default_rng(i).normal(0, 0.1, layer.kernel.shape)
            layer.kernel.assign(kernel.astype(np.float32))
        x_hat = body([features, np.zeros(1, np.int32)])
        answers.append(keras.ops.convert_to_numpy(x_hat))
    assert np.abs(answers[0] - answers[1]).max() < 1e-6


def test_the_learned_step_scales_each_channel() -> None:
    step = LearnedStep(initial_gain=2.0)
    x = np.ones((1, 3, 2), np.float32)
    assert np.allclose(step(x), 2.0)
    step.log_gain.assign(np.log([1.0, 8.0]).astype(np.float32))
    assert np.allclose(step(x)[0, 0], [1.0, 8.0])
    assert LearnedStep.from_config(step.get_config()).initial_gain == 2.0


def heads_of_a_window(*, n_rates: int, n_rows: int, n_channels: int) -> keras.Model:
    """Error heads on eight features a segment."""
    return join_heads(build_summary(8), build_forecast(n_rates, n_rows, n_channels))


def test_error_heads_foretell_a_center_and_a_spread_of_every_level(
    rng: np.random.Generator,
) -> None:
    heads = heads_of_a_window(n_rates=2, n_rows=4, n_channels=3)
    segments = rng.normal(0, 1, (5, 4, 8)).astype(np.float32)
    rates = rng.normal(-2, 1, (5, 2)).astype(np.float32)
    center, spread = (keras.ops.convert_to_numpy(v) for v in heads([segments, rates]))
    assert center.shape == spread.shape == (5, 12)
    assert (spread > LEAST_SPREAD).all()
    assert center.mean() == pytest.approx(FIRST_CENTER, abs=1.5)
    # Both inputs count: other rates, other segments, another forecast.
    other = keras.ops.convert_to_numpy(heads([segments, rates + 1.0])[0])
    assert np.abs(other - center).max() > 1e-3
    other = keras.ops.convert_to_numpy(heads([segments + 1.0, rates])[0])
    assert np.abs(other - center).max() > 1e-3


def test_merged_forecasts_compute_the_mean(rng: np.random.Generator) -> None:
    forecasts = [build_forecast(2, 3, 2) for _ in range(3)]
    for forecast in forecasts:  # as after training: no weight is 0 or 1
        for weight in forecast.weights:
            weight.assign_add(rng.uniform(0.1, 0.5, weight.shape))
    inputs = [
        rng.normal(0, 1, (4, SUMMARY_WIDTH + N_CLASSES)).astype(np.float32),
        rng.normal(-2, 1, (4, 2)).astype(np.float32),
    ]
    of_each = [
        [keras.ops.convert_to_numpy(v) for v in forecast(inputs)]
        for forecast in forecasts
    ]
    merged = merge_forecasts(forecasts)
    center, spread = (keras.ops.convert_to_numpy(v) for v in merged(inputs))
    assert center == pytest.approx(np.mean([v[0] for v in of_each], axis=0), rel=1e-4)
    before = [np.log(np.expm1(v[1] - LEAST_SPREAD)) for v in of_each]
    expected = np.log1p(np.exp(np.mean(before, axis=0))) + LEAST_SPREAD
    assert spread == pytest.approx(expected, rel=1e-4)
    assert np.ptp([v[0] for v in of_each], axis=0).min() > 1e-3


def test_a_summary_ends_in_the_logarithms_of_an_answer(
    rng: np.random.Generator,
) -> None:
    segments = rng.normal(0, 1, (5, 4, 8)).astype(np.float32)
    found = keras.ops.convert_to_numpy(build_summary(8)(segments))
    answer = np.exp(found[:, -N_CLASSES:])
    assert answer.sum(axis=1) == pytest.approx(1.0, abs=1e-5)
    assert np.ptp(answer) > 1e-3


def test_error_heads_take_any_number_of_segments_in_any_order(
    rng: np.random.Generator,
) -> None:
    heads = heads_of_a_window(n_rates=1, n_rows=3, n_channels=1)
    rates = np.zeros((1, 1), np.float32)
    segments = rng.normal(0, 1, (1, 5, 8)).astype(np.float32)
    center = heads([segments, rates])[0]
    assert heads([segments[:, :1], rates])[0].shape == (1, 3)
    turned = heads([segments[:, ::-1].copy(), rates])[0]
    assert np.abs(keras.ops.convert_to_numpy(turned - center)).max() < 1e-5


def test_head_features_are_mean_and_maximum_over_time(
    tiny_config: NetworkConfig, rng: np.random.Generator
) -> None:
    maps = rng.normal(0, 1, (2, 70, 8)).astype(np.float32)
    found = keras.ops.convert_to_numpy(build_head_features(tiny_config, 8)(maps))
    expected = np.concatenate([maps.mean(axis=1), maps.max(axis=1)], axis=1)
    assert found == pytest.approx(expected, abs=1e-5)
    convolved = dataclasses.replace(
        tiny_config,
        head=(
            Conv(filters=6, kernel=5, stride=2),
            Conv(filters=6, kernel=3, residual=True),
        ),
    )
    model = build_head_features(convolved, 8)
    assert model.output_shape == (None, 12)
    assert count_macs(model) == 35 * 5 * 8 * 6 + 35 * 3 * 6 * 6
    # What the first one gives may be pooled, too, and then stands first.
    first = dataclasses.replace(convolved.head[0], pooled=True)
    both = dataclasses.replace(tiny_config, head=(first, convolved.head[1]))
    twice = build_head_features(both, 8)
    twice.set_weights(model.get_weights())
    assert count_macs(twice) == count_macs(model)
    features = keras.ops.convert_to_numpy(twice(maps))
    alone = dataclasses.replace(tiny_config, head=convolved.head[:1])
    fine = build_head_features(alone, 8)
    fine.set_weights(model.get_weights()[:2])
    assert features[:, 12:] == pytest.approx(keras.ops.convert_to_numpy(model(maps)))
    assert features[:, :12] == pytest.approx(keras.ops.convert_to_numpy(fine(maps)))
