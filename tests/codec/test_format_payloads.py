# SPDX-License-Identifier: Apache-2.0
"""docs/format.md and docs/bundle.md say what the codec writes, integer by integer."""

from __future__ import annotations

import hashlib
import re
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from dynamic_deep.bundle import load_bundle
from dynamic_deep.lossless import decode_lossless, encode_lossless
from dynamic_deep.window_codec import WindowCodec, WindowPlace
from tests import payload_reader
from tests.signals import CONTEXT, COSINE, ecg

DOCS = Path(__file__).resolve().parents[2] / "docs"
LOSSLESS = resources.files("dynamic_deep") / "tables" / "lossless.npz"
WAVELETS = ("wavelet_8", "wavelet_16", "wavelet_64")  # one has a context network
RNG = np.random.default_rng(7)


@pytest.fixture(scope="module")
def lossless_tables() -> dict[str, np.ndarray]:
    with LOSSLESS.open("rb") as stream, np.load(stream) as arrays:
        return {key: arrays[key] for key in arrays.files}


def short_ecg(n_samples: int) -> np.ndarray:
    return ecg(max(n_samples, 300)).samples[:n_samples, 0].astype(np.int64)


@pytest.mark.parametrize("max_error", [0, 1, 9])
@pytest.mark.parametrize(
    "x",
    [
        short_ecg(900),
        short_ecg(400) * 5000,
        RNG.integers(-(2**31), 2**31, 200),
        np.array([-(2**31), 2**31 - 1] * 40),
        np.zeros(600, np.int64),
        np.array([-7]),
    ],
    ids=["ecg", "24-bit", "noise", "extremes", "flat", "one"],
)
def test_lossless_payloads_are_as_documented(
    x: np.ndarray, max_error: int, lossless_tables: dict[str, np.ndarray]
) -> None:
    payload = encode_lossless(x, max_error=max_error)
    read = payload_reader.lossless(payload, len(x), lossless_tables)
    assert read == decode_lossless(payload, len(x)).tolist()
    assert np.abs(np.array(read) - x).max() <= max_error


def test_the_lossless_tables_are_those_the_document_names(
    lossless_tables: dict[str, np.ndarray],
) -> None:
    digest = hashlib.sha256()
    for key in ("priors", "scale_coefs", "counts"):
        array = lossless_tables[key]
        digest.update(array.astype(array.dtype.newbyteorder("<")).tobytes())
    named = re.findall(r"^[0-9a-f]{64}$", (DOCS / "format.md").read_text(), re.M)
    assert named == [digest.hexdigest()]


@pytest.mark.parametrize("n_samples", [100, 1121, 8960])
@pytest.mark.parametrize(
    ("folder", "name"),
    [
        *((COSINE, name) for name in ("wavelet_8", "wavelet_64", "gain_32", "gain_64")),
        *(
            (CONTEXT, name)
            for name in ("wavelet_8", "wavelet_16", "gain_32", "gain_64")
        ),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_lossy_payloads_are_as_documented(
    folder: Path, name: str, n_samples: int
) -> None:
    bundle = load_bundle(folder)
    codec, level = WindowCodec(bundle), bundle.level(name)
    place = WindowPlace(n_samples=n_samples, fs=300.0, baseline=20, adc_bits=16)
    x = ecg(n_samples).samples[:, 0].astype(np.int32)
    x[n_samples // 2] = 9000  # to be escaped
    window = codec.analyze(x, place)
    payload = codec.encode(window, level)
    reader = payload_reader.Reader(payload)
    scale_idx, offset_idx = payload_reader.scale_and_offset(reader, bundle.tables)
    assert scale_idx == window.scale.scale_idx
    assert offset_idx == window.scale.offset_idx
    if level.kind == "neural":
        latent = codec.quantized_latent(window, level)
        is_net = bundle.has_context_net(name)
        read_latent = payload_reader.net_symbols if is_net else payload_reader.latent
        read = read_latent(reader, len(latent), name, bundle.tables)
        assert read == latent.tolist()
        return
    restored = payload_reader.wavelet(reader, n_samples, name, bundle.tables)
    scale = 2.0 ** (scale_idx / 4)
    samples = np.rint(np.array(restored) * scale + offset_idx * scale / 16 + 20)
    assert np.abs(samples - codec.decode(payload, level, place)).max() <= 1


def test_model_id_is_the_hash_that_the_document_describes() -> None:
    digest = hashlib.sha256()
    for name in sorted(path.name for path in COSINE.iterdir()):
        if name.endswith((".json", ".npz", ".tflite")):
            content = (COSINE / name).read_bytes()
            digest.update(name.encode() + b"\0%d\0" % len(content) + content)
    assert load_bundle(COSINE).model_id == digest.digest()[:16]
