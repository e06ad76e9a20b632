# SPDX-License-Identifier: Apache-2.0
"""Work is counted from the real networks and tables."""

from __future__ import annotations

import pytest

from device_sim.figure import CASES
from device_sim.network_macs import read_graph
from device_sim.points import CodeCost
from device_sim.profiles import load_software
from device_sim.workload import CodecWork, Work, analysis, context_macs
from dynamic_deep import Codec
from dynamic_deep.bundle import load_bundle
from dynamic_deep.errors import ConfigError, ModelError
from dynamic_deep.window_codec import WindowPlace
from tests.signals import CONTEXT

AT_300 = WindowPlace(n_samples=8960, fs=300.0, baseline=0, adc_bits=16)
AT_360 = WindowPlace(n_samples=10752, fs=360.0, baseline=0, adc_bits=16)


def test_macs_of_the_standard_encoder_by_hand() -> None:
    graph = read_graph(load_bundle("standard").networks["encoder"], "encoder")
    # Convolutions (steps x channels x kernel x input channels): 560 x 16 x 9 x 1,
    # 280 x 32 x 5 x 16, 140 x 40 x 5 x 32, 70 x 64 x 5 x 40, 2 of 70 x 64 x 3 x 64
    trunk = 80_640 + 716_800 + 896_000 + 896_000 + 2 * 860_160
    # Tails: 35 steps, kernel 2, 64 channels in, 40, 32, 32, 20 and 16 out
    tails = [35 * 2 * 64 * width for width in (40, 32, 32, 20, 16)]
    assert graph.macs() == trunk + sum(tails)
    assert [graph.macs([n]) for n in range(5)] == [trunk + tail for tail in tails]
    assert graph.macs([1, 3]) == trunk + tails[1] + tails[3]


def test_depthwise_convolutions_count_once_a_channel() -> None:
    graph = read_graph(load_bundle("edge").networks["encoder"], "encoder")
    assert any(step.macs == 70 * 40 * 5 for step in graph.steps)


def test_what_is_no_network_is_refused() -> None:
    with pytest.raises(ModelError, match="must be a network that LiteRT reads"):
        read_graph(b"nothing of the kind", "encoder")


def test_work_adds_up_and_scales() -> None:
    one = Work(macs=5.0, symbols=3.0)
    both = one + Work(symbols=4.0, lossless=2.0)
    assert (both.macs, both.symbols, both.lossless) == (5.0, 7.0, 2.0)
    assert (both * 3.0).symbols == 21.0
    for case in CASES:
        code = load_software().at("m4_cycles", CodeCost, case)
        assert (both * 3.0).m4_cycles(code) == pytest.approx(3 * both.m4_cycles(code))
        assert one.m4_cycles(code) == 3 * code.symbol  # the encoder stands apart


def test_every_count_costs_something() -> None:
    code = load_software().at("m4_cycles", CodeCost, "nominal")
    counts = set(vars(Work())) - {"macs"}
    assert len(counts) == len(vars(code))
    for name in counts:
        assert Work(**{name: 1.0}).m4_cycles(code) > 0, name


def test_resampling_is_counted_only_where_it_happens() -> None:
    assert analysis(AT_300).resample_taps == 0
    # 360 -> 300 Hz is 5 / 6: 121 taps, of which every output meets one in five
    assert analysis(AT_360).resample_taps == pytest.approx(8960 * 121 / 5)
    assert analysis(AT_360).scaled == 8960


def test_a_bound_pays_for_every_level_it_tries() -> None:
    bundle = load_bundle("edge")
    work, names = CodecWork(bundle), list(bundle.latents)
    single = [work.macs_per_segment([name], with_heads=False) for name in names]
    together = work.macs_per_segment(names, with_heads=False)
    assert max(single) <= together <= sum(single)
    assert work.encoder(AT_300, names).macs == 4 * together
    assert work.macs_per_segment([], with_heads=False) == 0


def test_coding_counts_symbols(codec: Codec) -> None:
    work = CodecWork(codec.bundle)
    for level in codec.levels:
        if level.kind == "wavelet":
            coded = work.coding(AT_300, level)
            assert (coded.coefficients, coded.symbols) == (8960, 2)  # scale, offset
            assert coded.context_macs == 0
        elif level.kind == "neural":
            shape = codec.bundle.latents[level.name]
            n_steps = 8960 // shape.stride
            coded = work.coding(AT_300, level)
            assert coded.symbols == n_steps * shape.n_channels + 2
            coder = codec.bundle.latent_coder(level.name)
            assert coded.context_macs == n_steps * context_macs(coder)
        else:
            with pytest.raises(ConfigError, match="must be wavelet or neural"):
                work.coding(AT_300, level)


def test_a_wavelet_with_a_network_pays_for_it() -> None:
    bundle = load_bundle(CONTEXT)
    level = bundle.level("wavelet_16")
    net = bundle.wavelet_coder("wavelet_16").net
    assert net is not None
    coded = CodecWork(bundle).coding(AT_300, level)
    assert coded.context_macs == 8960 * net.context.first.shape[1]
