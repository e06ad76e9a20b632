# SPDX-License-Identifier: Apache-2.0
"""`codec`: whole recordings there and back, whatever they look like."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest

from dynamic_deep.codec import Codec, StreamDecoder
from dynamic_deep.container import (
    ContainerReader,
    ContainerWriter,
    FileHeader,
    Frame,
    WindowGeometry,
)
from dynamic_deep.errors import (
    ConfigError,
    CorruptError,
    DynamicDeepError,
    FormatError,
    ModelError,
)
from dynamic_deep.policy import MaxPrdn
from dynamic_deep.recording import Recording, with_samples
from dynamic_deep.segments import window_bounds
from tests.make_golden import (
    FOLDER,
    PAYLOADS,
    decode_latents,
    describe,
    encode_payload,
)
from tests.signals import ecg, make_recording, prdn

RATES = [50.0, 128.0, 250.0, 257.0, 300.0, 360.0, 500.0, 1000.0, 2000.0]
BOUND_UV = 12.0  # 2 ADC units at 200 a mV
LOSSY = {"wavelet_8": 12.0, "wavelet_64": 45.0, "gain_32": 40.0, "gain_64": 75.0}


def check_every_level(
    codec: Codec, recording: Recording, *, worst_prdn: dict[str, float] | None = None
) -> None:
    """Encode and decode at each kind of level, and hold it to what it promises."""
    x = recording.samples.astype(np.int64)
    for level in ("lossless", "near_lossless", *LOSSY):
        bound = BOUND_UV if level == "near_lossless" else None
        data = codec.encode(recording, level=level, max_error_uv=bound)
        decoded = codec.decode(data)
        assert decoded.info == recording.info
        assert decoded.samples.dtype == recording.samples.dtype
        assert decoded.samples.shape == recording.samples.shape
        error = np.abs(decoded.samples.astype(np.int64) - x)
        if level == "lossless":
            assert error.max() == 0
        elif level == "near_lossless":
            assert error.max() <= 2
        elif worst_prdn:
            assert prdn(x, decoded.samples) < worst_prdn[level], level
        limit = 1 << (recording.adc_bits - 1)
        assert decoded.samples.min() >= -limit
        assert decoded.samples.max() < limit


@pytest.mark.parametrize("fs", RATES)
def test_every_rate(codec: Codec, fs: float) -> None:
    recording = ecg(int(32 * fs), fs=fs, n_leads=1 + (fs < 500))
    check_every_level(codec, recording, worst_prdn=LOSSY)


@pytest.mark.parametrize("n_leads", [1, 2, 3, 12])
def test_every_number_of_leads(codec: Codec, n_leads: int) -> None:
    recording = ecg(9000, n_leads=n_leads)
    check_every_level(codec, recording, worst_prdn=LOSSY)
    frames = list(ContainerReader(codec.encode(recording, level="gain_64")).frames())
    assert [(f.window_idx, f.lead) for f in frames] == [(0, i) for i in range(n_leads)]


@pytest.mark.parametrize(
    "n_samples", [1, 2, 3, 10, 100, 1119, 2240, 8959, 8960, 9000, 10_079, 10_080]
)
def test_every_length(codec: Codec, n_samples: int) -> None:
    recording = ecg(n_samples)
    check_every_level(codec, recording)
    data = codec.encode(recording, level="wavelet_64")
    assert ContainerReader(data).n_windows == len(window_bounds(n_samples, 300.0))


def test_24_bit_values(codec: Codec) -> None:
    samples = ecg(12_000, n_leads=2).samples.astype(np.int32) * 4000 + 3_000_000
    samples[::1000] = np.array([-(2**23), 2**23 - 1])
    recording = make_recording(samples, adc_bits=24, baseline=3_000_000)
    check_every_level(codec, recording)
    smooth = make_recording(samples[1:990], adc_bits=24, baseline=3_000_000)
    check_every_level(codec, smooth)


@pytest.mark.parametrize("fs", [250.0, 300.0, 500.0])
def test_an_electrodes_offset_costs_nothing(codec: Codec, fs: float) -> None:
    ecg_alone = ecg(int(31 * fs), fs=fs).samples.astype(np.int32) * 16
    sizes, errors = [], []
    for offset in (0, 2_000_000):
        recording = make_recording(ecg_alone + offset, fs=fs, adc_bits=24)
        data = codec.encode(recording, level="wavelet_16")
        sizes.append(len(data))
        errors.append(prdn(recording.samples, codec.decode(data).samples))
    assert sizes[1] <= sizes[0] + 6
    assert errors[1] == pytest.approx(errors[0], abs=0.3)


def test_32_bit_values(codec: Codec, rng: np.random.Generator) -> None:
    samples = rng.integers(-(2**31), 2**31, (3000, 2), dtype=np.int64)
    check_every_level(codec, make_recording(samples.astype(np.int32), adc_bits=32))


@pytest.mark.parametrize("value", [0, -5, 2047, 32767, -32768])
def test_a_flat_line_is_exact_and_costs_nearly_nothing(
    codec: Codec, value: int
) -> None:
    recording = make_recording(np.full(20_000, value, np.int16))
    for level in ("lossless", "wavelet_64", "gain_64"):
        data = codec.encode(recording, level=level)
        assert (codec.decode(data).samples == value).all()
        assert len(data) < 130


def test_a_saturated_lead(codec: Codec) -> None:
    samples = ecg(18_000, n_leads=2).samples.astype(np.int32)
    samples[:, 0] = np.clip(samples[:, 0] * 400, -32_767, 32_767)
    samples[:, 1] = np.where(np.arange(18_000) // 300 % 2, 32_767, -32_767)
    check_every_level(codec, make_recording(samples.astype(np.int16)))


def test_missing_samples_stay_missing_at_every_level(codec: Codec) -> None:
    samples = ecg(20_000, n_leads=2).samples.copy()
    samples[9500:9600, 1] = -32768
    recording = make_recording(samples)
    for level in LOSSY:
        data = codec.encode(recording, level=level)
        decoded = codec.decode(data).samples
        # The window that holds them is exact, the others are as small as ever.
        assert (decoded[8960:17_920, 1] == samples[8960:17_920, 1]).all()
        ids = {
            (f.window_idx, f.lead): f.level_id for f in ContainerReader(data).frames()
        }
        assert [key for key, level_id in ids.items() if level_id == 0] == [(1, 1)]


def test_white_noise_and_steps(codec: Codec, rng: np.random.Generator) -> None:
    noise = rng.integers(-32768 + 1, 32768, 9000).astype(np.int16)
    check_every_level(codec, make_recording(noise))
    steps = np.repeat(rng.integers(-30_000, 30_000, 9), 1000).astype(np.int16)
    check_every_level(codec, make_recording(steps, baseline=-30_000))


def test_higher_levels_give_fewer_bytes(codec: Codec, recording: Recording) -> None:
    sizes = [
        len(codec.encode(recording, level=level))
        for level in ("lossless", "wavelet_8", "wavelet_32", "gain_64", "wavelet_128")
    ]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] < recording.samples.nbytes / 2


@pytest.mark.parametrize("percent", [9.0, 30.0])
def test_max_prdn_holds_for_every_window(codec: Codec, percent: float) -> None:
    fs = 360.0
    samples = ecg(45_000, fs=fs, n_leads=2).samples.copy()
    rng = np.random.default_rng(8)
    samples[21_504:32_256, 0] += rng.normal(0, 60, 10_752).astype(np.int16)
    samples[32_256:40_000, 1] = 50
    data = codec.encode(make_recording(samples, fs=fs), policy=MaxPrdn(percent=percent))
    decoded = codec.decode(data).samples
    for start, stop in window_bounds(45_000, fs):
        for lead in range(2):
            x, x_hat = samples[start:stop, lead], decoded[start:stop, lead]
            if x.min() == x.max():
                assert (x == x_hat).all()
            else:
                assert prdn(x, x_hat) <= percent
    used = {frame.level_id for frame in ContainerReader(data).frames()}
    assert len(used) > 1
    assert len(data) < samples.nbytes / 3


def test_a_looser_bound_never_costs_more(codec: Codec, recording: Recording) -> None:
    sizes = [
        len(codec.encode(recording, policy=MaxPrdn(percent=percent)))
        for percent in (0.001, 5.0, 15.0, 40.0, 900.0)
    ]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > 10 * sizes[-1]


def test_levels_without_a_bundle_are_decoded_by_any(
    codec: Codec, recording: Recording
) -> None:
    data = codec.encode(recording, level="lossless")
    assert ContainerReader(data).header.model_id == bytes(16)
    classical = Codec.for_model(ContainerReader(data).header.model_id)
    assert (classical.decode(data).samples == recording.samples).all()


def test_another_bundle_is_refused(codec: Codec, recording: Recording) -> None:
    data = codec.encode(recording, level="wavelet_16")
    assert ContainerReader(data).header.model_id == codec.model_id
    classical = Codec.load("classical")
    with pytest.raises(ModelError, match=codec.model_id.hex()):
        classical.decode(data)
    with pytest.raises(ModelError, match=codec.model_id.hex()):
        Codec.for_model(codec.model_id)


@pytest.mark.parametrize(
    ("level", "max_error_uv", "message"),
    [
        ("gain_1", None, "got 'gain_1'"),
        ("near_lossless", None, "max_error_uv"),
        ("near_lossless", -1.0, "max_error_uv"),
        ("near_lossless", float("nan"), "max_error_uv"),
        ("near_lossless", 1e6, "max_error_uv"),
        ("lossless", 10.0, "near_lossless"),
    ],
)
def test_options_that_contradict_are_refused(
    codec: Codec,
    recording: Recording,
    level: str,
    max_error_uv: float | None,
    message: str,
) -> None:
    with pytest.raises(ConfigError, match=message):
        codec.encode(recording, level=level, max_error_uv=max_error_uv)


def make_file(
    frames: list[Frame],
    n_samples: int,
    n_windows: int | None = None,
    **header: object,
) -> bytes:
    stream = io.BytesIO()
    info = ecg(1).info
    writer = ContainerWriter(stream, FileHeader(info=info, **header))  # type: ignore[arg-type]
    for frame in frames:
        writer.write_frame(frame)
    writer.close(n_samples, n_windows)
    return stream.getvalue()


@pytest.mark.parametrize("is_at_end", [False, True])
def test_a_hostile_gap_is_refused_at_once(codec: Codec, is_at_end: bool) -> None:
    frames = [Frame(0, 0, 0, b"")] if is_at_end else [Frame(10**8, 0, 0, b"")]
    data = make_file(frames, (10**8 + 1) * 8960, 10**8 + 1)
    assert len(data) < 100
    with pytest.raises(CorruptError, match="gap"):
        codec.decode(data)


def test_other_windows_than_the_bundles_are_refused(codec: Codec) -> None:
    geometry = WindowGeometry(
        model_fs=360.0, segment_len=2000, segments_per_window=2, min_tail_len=500
    )
    data = make_file([Frame(0, 0, 0, b"")], 100, geometry=geometry)
    with pytest.raises(ModelError, match="segment"):
        codec.decode(data)


def test_a_level_that_the_bundle_lacks_is_refused(codec: Codec) -> None:
    data = make_file([Frame(0, 0, 30, b"")], 100, level_names={30: "other"})
    with pytest.raises(FormatError, match=r"got 30.*window 0, lead 0"):
        codec.decode(data)


def test_a_damaged_window_costs_that_window(codec: Codec) -> None:
    recording = ecg(30_000, n_leads=2)
    data = bytearray(codec.encode(recording, level="wavelet_16"))
    clean = codec.decode(bytes(data)).samples
    data[len(data) // 2] ^= 0x10
    with pytest.raises(FormatError, match="decode_file"):
        codec.decode(bytes(data))
    blocks: list[np.ndarray] = []
    summary = StreamDecoder(codec.windows, ContainerReader(bytes(data))).run(
        blocks.append
    )
    decoded = np.concatenate(blocks)
    assert summary.damage
    assert decoded.shape == clean.shape
    differs = [
        (w, lead)
        for w, (start, stop) in enumerate(window_bounds(30_000, 300.0))
        for lead in range(2)
        if (decoded[start:stop, lead] != clean[start:stop, lead]).any()
    ]
    assert len(differs) == 1
    start, stop = window_bounds(30_000, 300.0)[differs[0][0]]
    assert (decoded[start:stop, differs[0][1]] == 0).all()  # the baseline


@pytest.mark.parametrize("level", ["lossless", "wavelet_64", "gain_64"])
def test_random_damage_gives_only_documented_errors(codec: Codec, level: str) -> None:
    data = codec.encode(ecg(10_000, n_leads=2), level=level)
    rng = np.random.default_rng(12)
    n_refused = 0
    for _ in range(40):
        damaged = bytearray(data)
        for at in rng.integers(0, len(data), int(rng.integers(1, 4))).tolist():
            damaged[at] = int(rng.integers(256))
        try:
            codec.decode(bytes(damaged[: int(rng.integers(1, 2 * len(data)))]))
        except DynamicDeepError:
            n_refused += 1
    assert n_refused > 30


@pytest.mark.parametrize("name", PAYLOADS)
def test_golden_payloads_are_decoded_for_ever(name: str) -> None:
    codec = Codec.load(PAYLOADS[name][0])
    data = (FOLDER / f"{name}.ddc").read_bytes()
    expected = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    assert describe(data) == expected
    decoded = codec.decode(data).samples.astype(np.int64)
    with np.load(FOLDER / f"{name}.npz") as stored:
        original, wanted = stored["original"], stored["decoded"]
    # Floats may differ by a machine; nothing else may.
    assert np.abs(decoded - wanted).max() <= (0 if "lossless" in name else 1)
    if name == "v1_lossless":
        assert (decoded == original).all()
    if name == "v1_near_lossless":
        assert np.abs(decoded - original).max() == 2
    assert (decoded[400:420, 1] == -32768).all()


@pytest.mark.parametrize("name", ["v1_lossless", "v1_near_lossless"])
def test_golden_payloads_are_what_is_written(name: str) -> None:
    data = (FOLDER / f"{name}.ddc").read_bytes()
    with np.load(FOLDER / f"{name}.npz") as stored:
        samples = stored["original"]
    info = ContainerReader(data).header.info
    assert encode_payload(*PAYLOADS[name], with_samples(info, samples)) == data


@pytest.mark.parametrize("name", ["v1_neural", "v1_neural_net"])
def test_the_golden_latents_are_the_same_integers(name: str) -> None:
    # What a machine's floats can't touch: the symbols themselves.
    data = (FOLDER / f"{name}.ddc").read_bytes()
    with np.load(FOLDER / f"{name}.npz") as stored:
        expected = stored["latents"]
    latents = decode_latents(data, PAYLOADS[name][0])
    assert len(latents) == 3
    assert (np.concatenate(latents) == expected).all()
    assert np.abs(expected).max() > 3
