# SPDX-License-Identifier: Apache-2.0
"""The exported C gives Python's bytes, window after window."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dynamic_deep.bitstream import pack_frame
from dynamic_deep.bundle import Bundle
from dynamic_deep.entropy import RangeEncoder
from dynamic_deep.firmware import export_firmware
from dynamic_deep.firmware.samples import ecg_window, extremes
from dynamic_deep.firmware.vectors import (
    NEURAL,
    Vector,
    lossless_vector,
    lossy_vector,
    pack_vectors,
    segment_vectors,
)
from dynamic_deep.quantizer import WindowScale
from dynamic_deep.recording import read_recording
from dynamic_deep.segments import window_bounds
from dynamic_deep.window_codec import WindowCodec, WindowPlace
from tests.context_nets import linear_contexts, with_networks


def repeat(program: Path, vectors: Sequence[Vector], folder: Path) -> str:
    path = folder / "some.bin"
    path.write_bytes(pack_vectors(vectors))
    done = subprocess.run(
        [str(program), str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith(f"{len(vectors)} records, 0 differ")
    return done.stdout


def place(x: np.ndarray) -> WindowPlace:
    return WindowPlace(n_samples=len(x), fs=300.0, baseline=0, adc_bits=16)


def test_reference_vectors_pass_and_a_changed_one_does_not(
    exported: Path, checker: Path, tmp_path: Path
) -> None:
    vectors = exported / "vectors.bin"
    assert subprocess.run([str(checker), str(vectors)], check=False).returncode == 0
    damaged = bytearray(vectors.read_bytes())
    damaged[-1] ^= 1
    (tmp_path / "damaged.bin").write_bytes(damaged)
    done = subprocess.run(
        [str(checker), str(tmp_path / "damaged.bin")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "1 differ" in done.stdout


def test_reference_vectors_pass_with_sanitizers(
    exported: Path, sanitized_checker: Path, tmp_path: Path
) -> None:
    done = subprocess.run(
        [str(sanitized_checker), str(exported / "vectors.bin")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_extremes_pass_with_sanitizers_at_every_bound(
    sanitized_checker: Path, tmp_path: Path
) -> None:
    bounds = (0, 1, 500, (1 << 30) - 1)
    vectors = [
        lossless_vector(x, max_error=bound, seq=seq)
        for seq, x in enumerate(extremes().values())
        for bound in bounds
    ]
    repeat(sanitized_checker, vectors, tmp_path)


@settings(max_examples=15)
@given(
    st.lists(st.integers(-(1 << 31), (1 << 31) - 1), min_size=1, max_size=200),
    st.integers(0, 24),
    st.sampled_from([0, 0, 1, 77]),
)
def test_any_samples_give_the_same_frame(
    checker: Path,
    tmp_path_factory: pytest.TempPathFactory,
    samples: list[int],
    shift: int,
    bound: int,
) -> None:
    x = np.array(samples, np.int64) >> shift
    folder = tmp_path_factory.mktemp("any")
    repeat(checker, [lossless_vector(x, max_error=bound, seq=shift)], folder)


def test_simulated_windows_of_every_length_and_level(
    bundle: Bundle, checker: Path, tmp_path: Path
) -> None:
    codec = WindowCodec(bundle, precision="int8")
    lossy = [v for v in bundle.levels if v.kind in ("wavelet", "neural")]
    vectors = []
    for seed, n in enumerate((8960, 10079, 1120, 2241, 64, 5000)):
        x = np.resize(ecg_window(seed + 10), n)
        analysis = codec.analyze(x, place(x))
        vectors += [
            lossy_vector(codec, analysis, level, seq=seed, seed=seed) for level in lossy
        ]
        vectors.append(lossless_vector(x, seq=seed, seed=seed))
    repeat(checker, vectors, tmp_path)


def latents_of_all_sizes(bundle: Bundle) -> list[Vector]:
    """Made-up latents of every neural level, from sparse to far beyond every table."""
    rng = np.random.default_rng(3)
    vectors = []
    for level in bundle.levels:
        if level.kind != "neural":
            continue
        n_channels = bundle.latents[level.name].n_channels
        for spread, offset in ((0.3, 0), (3.0, 31), (40.0, -32), (9000.0, 1 << 35)):
            y = rng.normal(0.0, spread, (37, n_channels)).clip(-32768, 32767)
            y = y.astype(np.int32)
            scale = WindowScale(scale_idx=int(rng.integers(128)), offset_idx=offset)
            coder = RangeEncoder()
            bundle.scales.encode(coder, scale)
            bundle.latent_coder(level.name).encode(coder, y)
            vectors.append(
                Vector(
                    kind=NEURAL,
                    level_id=level.id,
                    scale=scale,
                    values=y.ravel(),
                    frame=pack_frame(level.id, coder.finish(), seq=0, seed=0),
                )
            )
    return vectors


def test_latents_beyond_every_table_are_escaped_alike(
    bundle: Bundle, checker: Path, tmp_path: Path
) -> None:
    repeat(checker, latents_of_all_sizes(bundle), tmp_path)


def test_contexts_of_both_kinds_give_the_same_bytes(
    bundle: Bundle, tmp_path: Path, build_c: Callable[..., Path]
) -> None:
    for kind in (linear_contexts, with_networks):
        changed = kind(bundle)
        folder = tmp_path / kind.__name__
        export_firmware(changed, folder / "c")
        program = build_c(
            folder / "c",
            "check",
            *("-O1", "-g", "-Wconversion", "-fsanitize=address,undefined"),
        )
        repeat(program, latents_of_all_sizes(changed), folder)
        codec = WindowCodec(changed, precision="int8")
        wavelets = [v for v in changed.levels if v.kind == "wavelet"]
        vectors = []
        for n in (8960, 2241, 64):
            x = np.resize(ecg_window(3), n)
            window = codec.analyze(x, place(x))
            vectors += [lossy_vector(codec, window, v, seq=1, seed=n) for v in wavelets]
        repeat(program, vectors, folder)


def test_long_frames_have_long_heads(checker: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    lengths = (300, 3000, 17000)  # 4 bytes a sample: short, lossless, medium and long
    noise = rng.integers(-(1 << 31), 1 << 31, max(lengths))
    repeat(checker, [lossless_vector(noise[:n]) for n in lengths], tmp_path)


def test_real_windows(
    bundle: Bundle, data_dir: Path, checker: Path, tmp_path: Path
) -> None:
    codec = WindowCodec(bundle, precision="int8")
    lossy = [v for v in bundle.levels if v.kind in ("wavelet", "neural")]
    vectors = []
    cinc = sorted((data_dir / "cinc2017").glob("**/*.hea"))[::400]
    mitdb = sorted((data_dir / "mitdb").glob("**/*.hea"))[::12]
    for path in (*cinc, *mitdb):
        recording = read_recording(path)
        start, stop = window_bounds(recording.n_samples, recording.fs)[0]
        x = recording.samples[start:stop, 0].astype(np.int32)
        vectors.append(lossless_vector(x))
        if recording.fs == 300.0 and x.min() < x.max():
            analysis = codec.analyze(x, place(x))
            vectors += [lossy_vector(codec, analysis, v, seq=1, seed=2) for v in lossy]
            vectors += segment_vectors(codec, codec.encoder, x)
    repeat(checker, vectors, tmp_path)


def test_a_buffer_that_is_too_small_is_told(
    compile_c: Callable[..., Path], tmp_path: Path
) -> None:
    main = tmp_path / "small.c"
    main.write_text(
        """
        #include "dd_frame.h"
        #include "dd_lossless.h"
        int main(void) {
          static dd_lossless_work work;
          static int16_t x[600];
          uint8_t payload[600], frame[40];
          uint32_t len, full = 0, capacity;
          dd_samples samples = {x, NULL, 600};
          for (int i = 0; i < 600; i++) x[i] = (int16_t)(i * i * 7 % 9001);
          for (capacity = 0; capacity < 600; capacity++)
            full += dd_lossless_encode(&work, &samples, 0, payload, capacity, &len) ==
                    DD_FULL;
          if (full < 500) return 1;
          if (dd_frame_write(0, payload, 38, 0, 0, frame, 40, &len) != DD_FULL)
            return 2;
          if (sizeof work != 7992) return 4; /* README.md says so */
          samples.n = 0;
          if (dd_lossless_encode(&work, &samples, 0, payload, 600, &len) != DD_RANGE)
            return 3;
          return 0;
        }
        """
    )
    program = compile_c("small", "-g", "-fsanitize=address,undefined", main=main)
    assert subprocess.run([str(program)], check=False).returncode == 0


def test_no_function_needs_much_stack(
    compile_c: Callable[..., Path], exported: Path, tmp_path: Path
) -> None:
    program = compile_c("stack", "-Os", "-fstack-usage")
    sizes = {}
    for report in program.parent.glob("stack-dd_*.su"):
        if "check" in report.name:
            continue
        for line in report.read_text().splitlines():
            name, size, kind = line.split("\t")
            assert kind in ("static", "dynamic,bounded"), line
            sizes[name.rsplit(":", 1)[-1]] = int(size)
    assert "dd_lossless_encode" in sizes
    assert max(sizes.values()) < 700, sizes


def test_an_export_needs_no_heap_and_no_library(exported: Path) -> None:
    for path in exported.glob("dd_*.[ch]"):
        if path.name == "dd_check.c":
            continue
        text = path.read_text()
        found = set(re.findall(r"#include <(.*?)>", text))
        allowed = {"stdint.h", "stddef.h"}
        if path.name in ("dd_policy.c", "dd_heads.c"):
            allowed |= {"math.h"}
        assert found <= allowed, path.name
        assert not re.search(r"\b(malloc|free|calloc|__int128)\b", text), path.name
