# SPDX-License-Identifier: Apache-2.0
"""`bound_policy`: what is sent through the codec is what the tables say."""

from __future__ import annotations

import dataclasses
import io

import numpy as np
import pytest

from dynamic_deep.bound import Bound
from dynamic_deep.bound_choice import choose_all, violations
from dynamic_deep.bound_odds import Requirement
from dynamic_deep.bound_policy import Calibrated, Oracle, Verify
from dynamic_deep.bundle import load_bundle
from dynamic_deep.calibration import Calibration
from dynamic_deep.codec import Codec
from dynamic_deep.container import ContainerReader
from dynamic_deep.errors import ConfigError, ModelError
from dynamic_deep.evaluation import choose_oracle
from dynamic_deep.policy import Policy
from dynamic_deep.recording import Recording
from dynamic_deep.segments import to_model_rate, window_bounds
from dynamic_deep.tasks.protocol import Task
from dynamic_deep.trials import Trials
from tests.bound.tables import requires
from tests.signals import AWARE, COSINE, make_recording

BOTH = ("rhythm", "rpeaks")
# Within reach of some levels, not of all.
BOUND = Bound(tasks=BOTH, limits={"rhythm": 0.08, "rpeaks": 0.05})
LABEL = Bound(tasks=("rhythm",), limits={"rhythm": 1.2}, reference="label")
RPEAKS = Bound(tasks=("rpeaks",), limits={"rpeaks": 0.1})


def sent(codec: Codec, data: bytes) -> list[str]:
    """The level of each frame, in order."""
    frames = ContainerReader(data).frames()
    return [codec.bundle.level_by_id(frame.level_id).name for frame in frames]


def named(requirement: Requirement, trials: Trials, chosen: np.ndarray) -> list[str]:
    names = (*trials.levels, requirement.fallback)
    return [names[i] for i in chosen]


def errors_of(
    tasks: tuple[Task, ...], recording: Recording, decoded: Recording
) -> np.ndarray:
    """The tasks' errors of every window, in the order of frames: (n, n_tasks)."""

    def answers(x: np.ndarray) -> list[np.ndarray]:
        signal = to_model_rate(x.astype(np.float64), recording.fs)
        return [task.answer(signal.astype(np.float32)) for task in tasks]

    found = []
    for start, stop in window_bounds(recording.n_samples, recording.fs):
        for lead in range(recording.n_leads):
            both = [answers(v.samples[start:stop, lead]) for v in (recording, decoded)]
            pairs = zip(tasks, *both, strict=True)
            found.append([task.error(raw, answer) for task, raw, answer in pairs])
    return np.array(found)


@pytest.mark.parametrize(
    "requirement",
    [
        Requirement(bound=BOUND, risk=0.1),
        Requirement(bound=BOUND, risk=0.5),
        Requirement(bound=Bound(tasks=BOTH, total=0.1), risk=0.2),
        Requirement(bound=RPEAKS, risk=0.08, fallback="wavelet_12"),
        Requirement(bound=RPEAKS, risk=0.1, per_segment=True),
        Requirement(bound=LABEL, risk=0.3),
        Requirement(bound=LABEL, risk=0.3, fallback="wavelet_12"),
    ],
    ids=["strict", "loose", "sum", "rung", "segments", "label", "label rung"],
)
def test_the_device_chooses_what_the_tables_say(
    codec: Codec,
    recording: Recording,
    trials: Trials,
    calibration: Calibration,
    requirement: Requirement,
) -> None:
    policy = Calibrated(requirement, calibration)
    data = codec.encode(recording, policy=policy)
    price = calibration.price(requirement)
    expected = named(requirement, trials, choose_all(requirement, trials, price))
    assert sent(codec, data) == expected
    decoded = codec.decode(data)
    assert decoded.samples.shape == recording.samples.shape


def test_the_level_goes_by_the_window(
    codec: Codec, recording: Recording, calibration: Calibration
) -> None:
    policies = [
        Calibrated(Requirement(bound=BOUND, risk=risk), calibration)
        for risk in (0.05, 0.5)
    ]
    strict, loose = (codec.encode(recording, policy=policy) for policy in policies)
    assert len(set(sent(codec, strict))) > 1
    assert len(set(sent(codec, loose))) > 1
    assert len(strict) > len(loose)


def test_a_price_once_found_serves_every_window(calibration: Calibration) -> None:
    requirement = Requirement(bound=RPEAKS, risk=0.1)
    policy = Calibrated(requirement, calibration)
    assert policy.price == calibration.price(requirement)
    assert repr(policy) == f"Calibrated({requirement!r}, price={policy.price:g})"
    ladder = policy.ladder(load_bundle(COSINE.with_name("aware")).levels)
    assert [v.name for v in ladder] == [*calibration.trials.levels, "lossless"]


def test_a_level_alone_has_the_risk_that_its_violations_tell(
    calibration: Calibration,
) -> None:
    requirement = Requirement(bound=RPEAKS, risk=0.1)
    risks = Calibrated(requirement, calibration).level_risks
    trials = calibration.trials
    lost = violations(requirement, trials)
    for i, level in enumerate(trials.levels):
        # n patients with k violations certify (k + 1) / (n + 1)
        k, n = lost[:, i].sum(), len(trials)
        assert risks[level] == pytest.approx((k + 1) / (n + 1))
        assert risks[level] > 0
    # As many windows of half as many patients: the mean of each pair is what counts.
    names = np.array([f"p{i // 2:02d}" for i in range(len(trials))])
    paired = dataclasses.replace(
        calibration, trials=dataclasses.replace(trials, records=names)
    )
    by_patient = Calibrated(requirement, paired).level_risks
    same = dataclasses.replace(paired, same_patients=True)
    for i, level in enumerate(trials.levels):
        k, n = lost[:, i].sum() / 2, len(trials) // 2
        assert by_patient[level] == pytest.approx((k + 1) / (n + 1))
        assert Calibrated(requirement, same).level_risks[level] == risks[level]


def test_verify_breaks_no_bound(
    codec: Codec, recording: Recording, trials: Trials, tasks: tuple[Task, ...]
) -> None:
    data = codec.encode(recording, policy=Verify(bound=BOUND, tasks=tasks))
    errors = errors_of(tasks, recording, codec.decode(data))
    assert not BOUND.is_over(errors).any()
    levels = sent(codec, data)
    assert len(set(levels)) > 1
    assert set(levels) - {"lossless"}
    # One level more for all windows, and some would break it.
    assert BOUND.is_over(trials.errors[:, -1][:, [0, 2]]).any()


def test_the_oracle_spends_no_more_than_verify_nor_than_any_that_keeps_to_it(
    codec: Codec, recording: Recording, trials: Trials, tasks: tuple[Task, ...]
) -> None:
    verified = codec.encode(recording, policy=Verify(bound=BOUND, tasks=tasks))
    whole = codec.encode(recording, policy=Oracle(bound=BOUND, tasks=tasks))
    assert whole == verified
    policy = Oracle(bound=BOUND, tasks=tasks, names=trials.levels)
    some = codec.encode(recording, policy=policy)
    assert len(whole) <= len(some)
    requirement = Requirement(bound=BOUND, risk=0.5)
    chosen = choose_oracle(requirement, trials)
    assert sent(codec, some) == named(requirement, trials, chosen)
    assert not BOUND.is_over(errors_of(tasks, recording, codec.decode(some))).any()


def test_the_papers_oracles_have_fewer_levels(
    codec: Codec, recording: Recording, trials: Trials, tasks: tuple[Task, ...]
) -> None:
    requirement = Requirement(bound=BOUND, risk=0.5)
    sizes = []
    for names in (("gain_64",), ("gain_64", "gain_32")):
        policy = Oracle(bound=BOUND, tasks=tasks, names=names)
        data = codec.encode(recording, policy=policy)
        chosen = choose_oracle(requirement, trials, names=names)
        assert sent(codec, data) == named(requirement, trials, chosen)
        assert set(sent(codec, data)) <= {*names, "lossless"}
        sizes.append(len(data))
    assert sizes[1] < sizes[0]


def test_an_oracle_falls_back_to_what_it_is_told(
    codec: Codec, recording: Recording, tasks: tuple[Task, ...]
) -> None:
    never = Bound(tasks=("rhythm",), limits={"rhythm": 0.0})
    fields = {"bound": never, "tasks": tasks[:1], "names": ("gain_128", "gain_64")}
    data = codec.encode(recording, policy=Oracle(**fields))
    assert set(sent(codec, data)) == {"lossless"}
    assert (codec.decode(data).samples == recording.samples).all()
    data = codec.encode(recording, policy=Oracle(**fields, fallback="wavelet_12"))
    assert set(sent(codec, data)) == {"wavelet_12"}


@pytest.mark.parametrize("block_len", [997, 5000])
@pytest.mark.parametrize("is_calibrated", [True, False])
def test_a_stream_gives_the_same_bytes(
    codec: Codec,
    recording: Recording,
    calibration: Calibration,
    tasks: tuple[Task, ...],
    block_len: int,
    is_calibrated: bool,
) -> None:
    policy: Policy = Verify(bound=RPEAKS, tasks=tasks[1:])
    if is_calibrated:
        policy = Calibrated(Requirement(bound=BOUND, risk=0.2), calibration)
    stream = io.BytesIO()
    encoder = codec.stream_encoder(recording.info, stream, policy=policy)
    for start in range(0, recording.n_samples, block_len):
        encoder.push(recording.samples[start : start + block_len])
    summary = encoder.flush()
    assert stream.getvalue() == codec.encode(recording, policy=policy)
    assert sum(summary.levels.values()) == summary.n_windows == 8


def test_a_flat_window_goes_lossless_unasked(
    codec: Codec, recording: Recording, calibration: Calibration
) -> None:
    samples = recording.samples.copy()
    samples[:, 0] = 12
    policy = Calibrated(Requirement(bound=BOUND, risk=0.9), calibration)
    flat = make_recording(samples, fs=recording.fs)
    levels = sent(codec, codec.encode(flat, policy=policy))
    assert set(levels[::2]) == {"lossless"}
    assert set(levels[1::2]) != {"lossless"}


def test_a_baseline_changes_nothing(
    codec: Codec, recording: Recording, tasks: tuple[Task, ...]
) -> None:
    policy = Verify(bound=BOUND, tasks=tasks)
    shifted = make_recording(recording.samples + 1024, fs=recording.fs, baseline=1024)
    levels = [sent(codec, codec.encode(v, policy=policy)) for v in (recording, shifted)]
    assert levels[0] == levels[1]


def test_what_can_not_be_promised_is_refused(calibration: Calibration) -> None:
    own = Bound(tasks=("qt",), limits={"qt": 0.1})
    with pytest.raises(ConfigError, match="got qt:raw"):
        Calibrated(Requirement(bound=own, risk=0.1), calibration)
    with pytest.raises(
        ConfigError, match=r"24 calibration recordings can certify, 0\.04"
    ):
        Calibrated(requires(risk=0.01), calibration)
    with pytest.raises(ConfigError, match="gain_128; got 'wavelet_8'"):
        Calibrated(requires(risk=0.1, fallback="wavelet_8"), calibration)
    with pytest.raises(ConfigError, match="wavelet_24 itself breaks it in 100"):
        Calibrated(requires(1e-6, risk=0.1, fallback="wavelet_24"), calibration)


def test_a_bundle_without_heads_can_not_choose_so(
    recording: Recording, calibration: Calibration
) -> None:
    policy = Calibrated(Requirement(bound=RPEAKS, risk=0.1), calibration)
    with pytest.raises(ConfigError, match="got 'gain_128'"):
        Codec.load(COSINE).encode(recording, policy=policy)
    few = Calibrated.__new__(Calibrated)
    few.requirement, few.levels, few.price = policy.requirement, ("gain_64",), 1.0
    few._model_id = Codec.load(COSINE).model_id
    with pytest.raises(ModelError, match="cosine has none"):
        Codec.load(COSINE).encode(recording, policy=few)


def test_a_calibration_of_another_bundle_is_refused(
    recording: Recording, calibration: Calibration
) -> None:
    foreign = dataclasses.replace(calibration, model_id=bytes(16))
    policy = Calibrated(Requirement(bound=RPEAKS, risk=0.1), foreign)
    with pytest.raises(ModelError, match="must be of the bundle that encodes"):
        Codec.load(AWARE).encode(recording, policy=policy)


def test_on_the_spot_there_are_no_labels(tasks: tuple[Task, ...]) -> None:
    with pytest.raises(ConfigError, match="brings no labels"):
        Verify(bound=LABEL, tasks=tasks[:1])


def test_the_tasks_are_those_of_the_bound_in_its_order(
    tasks: tuple[Task, ...],
) -> None:
    with pytest.raises(ConfigError, match=r"rhythm, rpeaks, .* got rpeaks, rhythm"):
        Oracle(bound=BOUND, tasks=tasks[::-1])
    with pytest.raises(ConfigError, match="got none"):
        Oracle(bound=BOUND, tasks=())
