# SPDX-License-Identifier: Apache-2.0
"""What the exported C computes in floating point, against Python."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from dynamic_deep.bound import Bound
from dynamic_deep.bound_choice import cheapest
from dynamic_deep.bound_odds import Requirement, odds
from dynamic_deep.bundle import Bundle
from dynamic_deep.engine import Network
from dynamic_deep.firmware.samples import ecg_window
from dynamic_deep.wavelet import BLOCK, transform
from dynamic_deep.window_codec import WindowCodec, WindowPlace

PROBE = r"""
#include <stdio.h>
#include "dd_policy.h"
#include "dd_wavelet.h"
#ifdef WITH_HEADS
#include "dd_heads.h"
#endif

static float x[1 << 17];

static void print(const float *values, uint32_t n) {
  for (uint32_t i = 0; i < n; i++) printf("%.9g\n", (double)values[i]);
}

int main(int argc, char **argv) {
  FILE *file = argc == 3 ? fopen(argv[2], "rb") : NULL;
  if (!file) return 2;
  uint32_t n = (uint32_t)fread(x, sizeof *x, 1 << 17, file);
  fclose(file);
  if (argv[1][0] == 'w') {
    dd_wavelet_transform(x, n);
    print(x, dd_wavelet_len(n));
  } else if (argv[1][0] == 'p') {
    /* n_levels, n_channels, raw bytes, price, two limits; center; spread; bytes */
    static const uint8_t channels[2] = {0, 2};
    uint32_t bytes[32], n_levels = (uint32_t)x[0], n_channels = (uint32_t)x[1];
    dd_forecast forecast;
    dd_bound bound = {2, channels, x + 4};
    forecast.n_levels = n_levels;
    forecast.n_channels = n_channels;
    forecast.center = x + 6;
    forecast.spread = x + 6 + n_levels * n_channels;
    for (uint32_t i = 0; i < n_levels; i++)
      bytes[i] = (uint32_t)x[6 + 2 * n_levels * n_channels + i];
    uint32_t at = dd_cheapest(&bound, &forecast, bytes, (uint32_t)x[2], x[3]);
    printf("%d\n", at == DD_FALLBACK ? -1 : (int)at);
    for (uint32_t i = 0; i < n_levels; i++)
      printf("%.9g\n", (double)dd_odds(&bound, &forecast, i));
  }
#ifdef WITH_HEADS
  if (argv[1][0] == 'h') {
    static float center[256], spread[256];
    uint32_t n_segments = (n - dd_n_head_levels) / dd_n_features;
    uint32_t n_out = (dd_n_head_levels + 1) * dd_n_head_channels;
    dd_forecast_window(x, n_segments, x + n_segments * dd_n_features, center, spread);
    print(center, n_out);
    print(spread, n_out);
  }
#endif
  return 0;
}
"""


@pytest.fixture(scope="module")
def probe(
    compile_c: Callable[..., Path], bundle: Bundle, tmp_path_factory
) -> Callable[[str, np.ndarray], np.ndarray]:
    main = tmp_path_factory.mktemp("probe") / "probe.c"
    main.write_text(PROBE)
    heads = ("-DWITH_HEADS",) if "heads" in bundle.networks else ()
    sanitizers = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")
    program = compile_c("probe", "-O1", *sanitizers, *heads, main=main)

    def run(mode: str, values: np.ndarray) -> np.ndarray:
        path = main.with_name("values.bin")
        path.write_bytes(np.asarray(values, "<f4").tobytes())
        done = subprocess.run(
            [str(program), mode, str(path)], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return np.array(done.stdout.split(), np.float64)

    return run


@pytest.mark.parametrize("n", [8960, 1120, 65, 10079])
def test_wavelet_transform(probe: Callable[..., np.ndarray], n: int) -> None:
    x = np.resize(ecg_window(7), n) / 200.0
    found = probe("w", x)
    approximation, *details = transform(x.astype(np.float32))
    assert np.abs(found[::BLOCK] - approximation).max() < 1e-4
    for band, detail in enumerate(details):
        stride = BLOCK >> band
        assert np.abs(found[stride // 2 :: stride] - detail).max() < 1e-4


def test_policy_chooses_as_python_does(probe: Callable[..., np.ndarray]) -> None:
    rng = np.random.default_rng(8)
    channels = ("rhythm:raw", "rhythm:label", "rpeaks:raw")
    bound = Bound(tasks=("rhythm", "rpeaks"), limits={"rhythm": 0.1, "rpeaks": 0.0})
    requirement = Requirement(bound=bound, risk=0.05)
    chosen = set()
    for _ in range(60):
        center = rng.normal(-4.0, 3.0, (12, 3)).astype(np.float32)
        spread = rng.uniform(0.15, 2.0, (12, 3)).astype(np.float32)
        n_bytes = np.sort(rng.integers(60, 1500, 11))[::-1].astype(np.float64)
        price = float(10.0 ** rng.uniform(0, 5))
        p = odds(requirement, channels, center, spread)
        wanted = int(cheapest(p, n_bytes, np.asarray(17920 / 4.4), price))
        head = [11, 3, 17920, price, 0.1, 0.0]
        found = probe(
            "p", np.concatenate([head, center[1:].ravel(), spread[1:].ravel(), n_bytes])
        )
        assert np.abs(found[1:] - p).max() < 1e-5
        assert found[0] == (-1 if wanted == 11 else wanted)
        chosen.add(wanted)
    assert len(chosen) > 5


def test_error_heads(probe: Callable[..., np.ndarray], bundle: Bundle) -> None:
    if "heads" not in bundle.networks:
        pytest.skip(f"bundle {bundle.name} has no error heads")
    codec = WindowCodec(bundle, precision="int8")
    network = Network(bundle.networks["heads"], "heads")
    rng = np.random.default_rng(9)
    n_rates = len(bundle.config["heads"]["levels"])
    for seed in range(4):
        x = ecg_window(seed)
        place = WindowPlace(n_samples=len(x), fs=300.0, baseline=0, adc_bits=16)
        features = codec.analyze(x, place).head_features
        rates = rng.normal(-2.0, 1.0, n_rates).astype(np.float32)
        wanted = network.run(features[None], rates[None])
        found = probe("h", np.concatenate([features.ravel(), rates]))
        assert np.abs(found - np.concatenate(wanted, axis=1)[0]).max() < 0.01
