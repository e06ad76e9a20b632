# SPDX-License-Identifier: Apache-2.0
"""The bench counts real bytes and computes its figures as it says."""

from __future__ import annotations

import json
import zlib
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from dynamic_deep.bench import (
    BenchOptions,
    BenchResult,
    BenchRow,
    format_table,
    run_bench,
    to_json,
    write_html,
)
from dynamic_deep.bench.aggregate import (
    RowSums,
    compare_at_equal_prdn,
    interpolate_gain,
    interval,
)
from dynamic_deep.bench.measure import WINDOW_DTYPE, bytes_per_sample, distortions
from dynamic_deep.bench.roster import build_entrants
from dynamic_deep.bitstream import pack_frame
from dynamic_deep.codec import Codec
from dynamic_deep.container import ContainerReader
from dynamic_deep.errors import ConfigError, InvalidSignalError
from dynamic_deep.recording import Recording, write_recording
from tests.signals import CONTEXT

FS = 300.0
WINDOW_LEN = 8960
STEPS = {"wavelet_a": 4, "wavelet_b": 16, "wavelet_c": 64, "gain_64": 24}
KINDS = {name: name for name in ("lossless", "near_lossless")} | {"gain_64": "neural"}


class RoundingCodec:
    """Rounds to a step and deflates; its "neural" level deflates worse."""

    def __init__(self) -> None:
        names = ("lossless", "near_lossless", *STEPS)
        kinds = [KINDS.get(name, name.split("_")[0]) for name in names]
        self.model_id = bytes(range(16))
        self.levels = tuple(
            SimpleNamespace(id=i, name=name, kind=kind)
            for i, (name, kind) in enumerate(zip(names, kinds, strict=True))
        )
        self.bundle = SimpleNamespace(
            level=lambda name: self.levels[names.index(name)],
            level_by_id=lambda level_id: self.levels[level_id],
            has_context_net=lambda name: False,
        )
        self.windows = self

    def analyze(self, x: Any, place: Any) -> Any:
        return x

    def encode(self, x: Any, level: Any, *, max_error: int = 0) -> bytes:
        step = STEPS.get(level.name, 2 * max_error + 1)
        rounded = np.round(x / step).astype("<i2")
        return zlib.compress(rounded.tobytes(), 1 if level.kind == "neural" else 9)

    def decode(self, payload: bytes, level: Any, place: Any) -> Any:
        step = STEPS.get(level.name, 5 if level.name == "near_lossless" else 1)
        return np.frombuffer(zlib.decompress(payload), "<i2").astype(np.int32) * step


def make_recording(seed: int, n_samples: int = 2 * WINDOW_LEN) -> Recording:
    rng = np.random.default_rng(seed)
    time_s = np.arange(n_samples)[:, None] / FS
    wave = 400 * np.sin(2 * np.pi * np.array([1.1, 1.7]) * time_s) ** 15
    samples = np.round(wave + rng.normal(0, 4, wave.shape)).astype(np.int16) + 1024
    return Recording(
        fs=FS, adc_gain=(200.0, 200.0), adc_baseline=(1024, 1024), units=("mV", "mV"),
        lead_names=("I", "II"), name=f"r{seed}", samples=samples.astype(np.int16),
    )  # fmt: skip


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("records")
    for seed in (1, 2, 3):
        write_recording(folder / f"r{seed}.hea", make_recording(seed))
    return sorted(folder.glob("*.hea"))


@pytest.fixture(scope="module")
def result(paths: list[Path]) -> BenchResult:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "dynamic_deep.bench.roster.load_codec",
            lambda name, precision: RoundingCodec(),
        )
        options = BenchOptions(baselines=("zlib -9",), n_examples=3, n_resamples=200)
        return run_bench(paths, options)


def row_of(result: BenchResult, name: str) -> BenchRow:
    return next(row for row in result.rows if row.name == name)


def test_gain_is_sum_over_sum_of_real_bytes(
    result: BenchResult, paths: list[Path]
) -> None:
    raw, coded, gains = 0, 0, []
    for seed in (1, 2, 3):
        samples = make_recording(seed).samples
        for start in (0, WINDOW_LEN):
            for lead in (0, 1):
                window = samples[start : start + WINDOW_LEN, lead]
                size = len(zlib.compress(window.astype("<i2").tobytes(), 9))
                raw, coded = raw + 2 * WINDOW_LEN, coded + size
                gains.append(2 * WINDOW_LEN / size)
    row = row_of(result, "zlib -9")
    assert (row.raw_bytes, row.coded_bytes, row.n_windows) == (raw, coded, 12)
    assert row.gain == pytest.approx(raw / coded)
    assert row.mean_gain == pytest.approx(np.mean(gains))
    assert row.bits_per_sample == pytest.approx(16 / row.gain)


def test_our_levels_pay_for_their_frames_and_baselines_do_not(
    result: BenchResult,
) -> None:
    baseline, ours = row_of(result, "zlib -9"), row_of(result, "lossless")
    assert ours.payload_bytes == baseline.payload_bytes == baseline.coded_bytes
    # Payloads between 8,192 and 65,535 bytes have a head of 3 bytes, shorter ones of 2.
    assert 5 * 12 <= ours.coded_bytes - ours.payload_bytes <= 6 * 12


def test_exactness_and_bound(result: BenchResult) -> None:
    assert row_of(result, "lossless").is_exact
    near = row_of(result, "near_lossless +-2")
    assert (near.is_exact, near.max_error_adc) == (False, 2.0)
    assert near.max_error_uv == pytest.approx(2 / 200 * 1000)


def test_distortion_is_that_of_the_decoded_integers(result: BenchResult) -> None:
    expected = []
    for seed in (1, 2, 3):
        samples = make_recording(seed).samples.astype(np.float64)
        error = np.round(samples / 16) * 16 - samples
        for half in (slice(0, WINDOW_LEN), slice(WINDOW_LEN, None)):
            power = (samples[half] - samples[half].mean(axis=0)) ** 2
            expected += list(
                100 * np.sqrt((error[half] ** 2).sum(axis=0) / power.sum(axis=0))
            )
    row = row_of(result, "wavelet_b")
    assert row.prdn == pytest.approx(np.mean(expected))
    assert row.prdn_median == pytest.approx(np.median(expected))
    assert row.prdn_p95 == pytest.approx(np.percentile(expected, 95))
    assert row.prd < row.prd1 < row.prdn


def test_the_four_prds_by_hand() -> None:
    # Error 1; norms of (3, 4, 5): sqrt 50; minus 2: sqrt 14; minus mean: sqrt 2;
    # minus minimum: sqrt 5.
    found = distortions(np.array([3, 4, 5]), np.array([3, 4, 6]), 2)
    assert found == pytest.approx([100 / np.sqrt(n) for n in (50, 14, 2, 5)])


def test_equal_prdn_uses_the_wavelet_rows_of_the_run(result: BenchResult) -> None:
    [entry] = result.equal_prdn
    below, above = row_of(result, "wavelet_b"), row_of(result, "wavelet_c")
    share = (entry.prdn - below.prdn) / (above.prdn - below.prdn)
    expected = below.gain ** (1 - share) * above.gain**share
    assert entry.wavelet_gain == pytest.approx(expected)
    assert entry.ratio == pytest.approx(entry.gain / expected)
    assert entry.ratio_interval is not None
    assert entry.ratio_interval.low <= entry.ratio <= entry.ratio_interval.high


def test_interpolation_is_linear_in_log_gain_and_never_extrapolates() -> None:
    prdn, gain = np.array([20.0, 10.0]), np.array([40.0, 10.0])
    found = interpolate_gain(np.array([5.0, 10.0, 15.0, 25.0]), prdn, gain)
    np.testing.assert_allclose(found, [np.nan, 10.0, 20.0, np.nan])


def test_flat_and_failed_windows_are_counted_and_left_out() -> None:
    table = np.ones(4, WINDOW_DTYPE)
    table["is_failed"] = [False, False, False, True]
    table["raw_bytes"], table["coded_bytes"] = 100, [10, 10, 20, 1]
    table["prdn"] = [4.0, np.nan, 8.0, 1000.0]
    sums = RowSums([table])
    assert (sums.n_failed, float(sums.gain())) == (1, 7.5)
    assert float(sums.mean_prdn()) == 6.0


def test_one_record_gives_no_interval() -> None:
    assert interval(np.ones(100), n_records=1) is None
    assert interval(np.arange(101.0), n_records=2).low == 2.5  # type: ignore[union-attr]


@pytest.mark.parametrize(("adc_bits", "width"), [(12, 2), (16, 2), (24, 3), (32, 4)])
def test_bytes_per_sample(adc_bits: int, width: int) -> None:
    assert bytes_per_sample(adc_bits) == width


def test_examples_are_best_median_worst(result: BenchResult) -> None:
    assert [e.title for e in result.examples] == [
        "Best PRDN", "Median PRDN", "Worst PRDN",
    ]  # fmt: skip
    best, _, worst = result.examples
    assert best.row == "gain_64"
    assert best.step.prdn < worst.step.prdn
    assert len(best.x) == WINDOW_LEN
    error = 100 * np.linalg.norm(best.x_hat - best.x)
    assert error / np.linalg.norm(best.x - best.x.mean()) == pytest.approx(
        best.step.prdn
    )


def test_json_holds_configuration_records_and_rows(result: BenchResult) -> None:
    plain = json.loads(to_json(result))
    assert plain["model_ids"] == {"standard": bytes(range(16)).hex()}
    assert plain["options"]["n_resamples"] == 200
    assert [record["name"] for record in plain["records"]] == ["r1", "r2", "r3"]
    assert {row["name"]: row["gain"] for row in plain["rows"]}["lossless"] > 1
    assert plain["rows"][0]["prdn_interval"] == {"low": 0.0, "high": 0.0}


def test_json_holds_a_policy_that_knows_its_bundle(result: BenchResult) -> None:
    policy = SimpleNamespace(price=2.5, _model_id=b"\x01\xab")
    options = replace(result.options, policies={"standard": {"bound": policy}})
    plain = json.loads(to_json(replace(result, options=options)))
    kept = plain["options"]["policies"]["standard"]["bound"]
    assert kept == {"price": 2.5, "_model_id": "01ab"}


def test_table_fits_120_columns_and_names_every_row(result: BenchResult) -> None:
    lines = format_table(result).splitlines()
    assert max(map(len, lines)) <= 120
    for row in result.rows:
        assert any(line.startswith(f"  {row.name} ") for line in lines)


def test_page_needs_nothing_from_outside(result: BenchResult, tmp_path: Path) -> None:
    write_html(result, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.replace("http://www.w3.org/2000/svg", "").count("http") == 0
    assert "<script" not in page
    assert "url(" not in page.replace("url(#", "")
    # Each window of 29.9 s takes three rows of ECG paper.
    assert page.count('<svg class="ecg"') == 9


def test_unreadable_record_is_a_problem_not_an_end(
    paths: list[Path], tmp_path: Path
) -> None:
    bad = tmp_path / "bad.hea"
    bad.write_text("no header at all\n")
    options = BenchOptions(bundles=(), baselines=("zlib -9",), max_windows=1)
    result = run_bench([bad, paths[0]], options)
    assert [record.name for record in result.records] == ["r1"]
    assert "bad.hea" in result.problems[0]
    assert "Problem: " in format_table(result)
    with pytest.raises(InvalidSignalError):
        run_bench([bad], options)


def test_two_processes_find_the_same_bytes(paths: list[Path]) -> None:
    options = BenchOptions(bundles=(), baselines=("zlib -9",), max_windows=2)
    one = run_bench(paths[:2], options)
    seen: list[float] = []
    pooled = BenchOptions(bundles=(), baselines=("zlib -9",), max_windows=2, jobs=2)
    two = run_bench(paths[:2], pooled, lambda done, total, name: seen.append(done))
    assert two.rows[0].coded_bytes == one.rows[0].coded_bytes
    assert seen == [1, 2]


def test_wrong_options_say_so(
    paths: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "dynamic_deep.bench.roster.load_codec", lambda name, precision: RoundingCodec()
    )
    with pytest.raises(ConfigError, match=r"wavelet_a.*got gain_9\*"):
        run_bench(paths[:1], BenchOptions(levels=("gain_9*",)))
    with pytest.raises(ConfigError, match="at least one recording"):
        run_bench([])
    with pytest.raises(ConfigError, match="jobs"):
        BenchOptions(jobs=0)


def test_frames_are_those_of_a_coded_file(tmp_path: Path) -> None:
    # A normal window, a flat one, and one with WFDB's mark of a missing sample: the
    # last two are sent lossless whatever was asked.
    samples = np.concatenate([make_recording(s, WINDOW_LEN).samples for s in (1, 2, 3)])
    samples[WINDOW_LEN : 2 * WINDOW_LEN] = 5
    samples[2 * WINDOW_LEN + 7] = -32768
    recording = replace(make_recording(1), samples=samples)
    write_recording(tmp_path / "r.hea", recording)
    data = Codec.load("classical").encode(recording, level="wavelet_32")
    frames = list(ContainerReader(data).frames())
    assert [frame.level_id > 1 for frame in frames] == [True, True] + [False] * 4
    options = BenchOptions(
        bundles=("classical",), levels=("wavelet_32",), baselines=(), n_resamples=1
    )
    [row] = run_bench([tmp_path / "r.hea"], options).rows
    assert row.payload_bytes == sum(len(frame.payload) for frame in frames)
    frame_lens = (len(pack_frame(f.level_id, f.payload, seq=0, seed=0)) for f in frames)
    assert row.coded_bytes == sum(frame_lens)
    assert row.n_flat == 2


def test_wavelets_with_a_network_have_rows_of_their_own() -> None:
    options = BenchOptions(
        bundles=("classical", str(CONTEXT)), levels=("wavelet_*",), baselines=()
    )
    entrants, _, _ = build_entrants(options)
    names = [entrant.name for entrant in entrants]
    assert len(set(names)) == len(names) == 12
    own = [entrant for entrant in entrants if entrant.bundle != "classical"]
    assert [entrant.name for entrant in own] == [f"{CONTEXT}/wavelet_16"]
    alone = BenchOptions(
        bundles=(str(CONTEXT),), levels=("wavelet_16",), baselines=(), near=()
    )
    assert [entrant.name for entrant in build_entrants(alone)[0]] == ["wavelet_16"]


def test_equal_prdn_uses_the_wavelets_of_the_first_bundle() -> None:
    def row(bundle: str, group: str, gain: float, prdn: float) -> tuple[Any, Any]:
        entrant = SimpleNamespace(name=f"{bundle} {gain}", bundle=bundle, group=group)
        sums = SimpleNamespace(
            windows=[0],
            raw=[1.0],
            gain=lambda weights=None: np.array(gain),
            mean_prdn=lambda weights=None: np.array(prdn),
        )
        return entrant, sums

    rows = [row("a", "wavelet", 10.0, 10.0), row("a", "wavelet", 40.0, 20.0)]
    rows += [row("b", "wavelet", 20.0, 10.0), row("b", "wavelet", 80.0, 20.0)]
    rows.append(row("b", "neural", 60.0, 15.0))
    entrants, sums = zip(*rows, strict=True)
    [entry] = compare_at_equal_prdn(entrants, sums, np.ones((1, 1)))
    assert entry.wavelet_gain == pytest.approx(20.0)
    assert entry.ratio == pytest.approx(3.0)
