# SPDX-License-Identifier: Apache-2.0
"""The simulated ECG has the rhythms, waves and noise that it claims."""

from __future__ import annotations

import numpy as np
import pytest

from dynamic_deep.errors import ConfigError, InvalidSignalError
from dynamic_deep.synthetic import QUIET, RHYTHMS, NoiseLevels, simulate, simulate_ecg


def rr_s(rhythm, duration_s=120.0, **changes):
    ecg = simulate(duration_s, rhythm_plan=[(rhythm, duration_s)], **changes)
    return ecg, np.diff(ecg.rpeaks) / 300.0


def mean_beat(ecg, rpeaks, reach=120):
    mv = ecg.recording.to_mv()[:, 0]
    inside = rpeaks[(rpeaks > reach) & (rpeaks < len(mv) - reach)]
    return np.mean([mv[r - reach : r + reach] for r in inside], axis=0)


def test_same_seed_same_recording():
    first, again, other = (simulate_ecg(20.0, seed=s).samples for s in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).mean() > 0.5


@pytest.mark.parametrize("fs", [50.0, 128.0, 360.0, 500.0])
@pytest.mark.parametrize("n_leads", [1, 3, 12, 15])
def test_shape(fs, n_leads):
    recording = simulate_ecg(7.0, fs, n_leads=n_leads, adc_gain=200.0)
    assert recording.samples.shape == (round(7 * fs), n_leads)
    assert recording.samples.dtype == np.int16
    assert len(set(recording.lead_names)) == n_leads
    assert 0.2 < np.ptp(recording.to_mv()[:, 0]) < 6.0


def test_leads_differ_but_belong_together():
    mv = simulate_ecg(30.0, n_leads=4, noise=QUIET).to_mv()
    leads = dict(zip(("II", "V1", "V5", "I"), mv.T, strict=True))
    assert np.corrcoef(leads["II"], leads["V5"])[0, 1] > 0.7
    assert leads["II"].max() > 0.8
    assert leads["V1"].min() < -0.4  # rS complex


def test_rpeaks_stand_on_peaks():
    ecg, _ = rr_s("sinus", noise=QUIET)
    mv = ecg.recording.to_mv()[:, 0]
    peaks = [r - 15 + mv[r - 15 : r + 15].argmax() for r in ecg.rpeaks[1:-1]]
    assert np.abs(peaks - ecg.rpeaks[1:-1]).max() <= 1


def test_rhythms_have_their_rates():
    spread, mean = {}, {}
    for rhythm in RHYTHMS:
        _, intervals = rr_s(rhythm)
        mean[rhythm], spread[rhythm] = intervals.mean(), intervals.std()
    assert 0.7 < mean["sinus"] < 0.95
    assert mean["tachycardia"] < 0.6
    assert mean["bradycardia"] > 1.1
    assert spread["sinus"] < 0.06
    assert spread["afib"] > 0.1
    assert spread["bigeminy"] > 0.2


def test_afib_has_no_p_wave_but_fibrillation():
    sinus, _ = rr_s("sinus", noise=QUIET)
    afib, _ = rr_s("afib", noise=QUIET)
    p_wave = slice(120 - 60, 120 - 38)  # 0.20 to 0.13 s before R
    base = slice(120 - 30, 120 - 20)
    for ecg, has_p in ((sinus, True), (afib, False)):
        beat = mean_beat(ecg, ecg.rpeaks)
        assert bool(beat[p_wave].max() - beat[base].mean() > 0.08) is has_p
    quiet_part = [between_beats(ecg).std() for ecg in (sinus, afib)]
    assert quiet_part[1] > 3 * quiet_part[0]


def between_beats(ecg):
    """Return the stretch behind the T wave of every long beat, 0.5 to 0.56 s on."""
    mv, rpeaks = ecg.recording.to_mv()[:, 0], ecg.rpeaks
    long = rpeaks[:-1][np.diff(rpeaks) > 0.76 * 300]
    return np.concatenate([mv[r + 150 : r + 168] for r in long])


def spectrum_power(ecg, low, high):
    mv = ecg.recording.to_mv()[:, 0]
    spectrum = np.abs(np.fft.rfft(mv)) ** 2
    hz = np.fft.rfftfreq(len(mv), 1 / 300)
    return spectrum[(hz > low) & (hz < high)].sum()


def test_ectopic_beats_are_early_and_wide():
    ecg, _ = rr_s("bigeminy", noise=QUIET)
    assert 0.4 < ecg.ectopic.mean() < 0.6
    intervals = np.diff(ecg.rpeaks)
    early = intervals[ecg.ectopic[1:]]
    assert early.mean() < 0.7 * intervals[~ecg.ectopic[1:]].mean()
    wide = mean_beat(ecg, ecg.rpeaks[ecg.ectopic])
    narrow = mean_beat(ecg, ecg.rpeaks[~ecg.ectopic])
    assert (wide > wide.max() / 2).sum() > 1.8 * (narrow > narrow.max() / 2).sum()


def test_rhythm_plan_covers_the_recording():
    ecg = simulate(95.0, rhythm_plan=[("sinus", 20), ("afib", 10)])
    spans = [(s.rhythm, s.start, s.stop) for s in ecg.rhythms]
    assert spans[:3] == [
        ("sinus", 0, 6000),
        ("afib", 6000, 9000),
        ("sinus", 9000, 15000),
    ]
    assert spans[-1][2] == 28500
    assert len({s.rhythm for s in simulate(900.0).rhythms}) == len(RHYTHMS)


@pytest.mark.parametrize(
    ("field", "value", "low", "high"),
    [
        ("wander", 0.5, 0.05, 0.6),
        ("muscle", 0.2, 30.0, 140.0),
        ("motion", 2.0, 0.0, 2.0),
        ("mains", 0.2, 49.5, 50.5),
    ],
)
def test_each_noise_lies_in_its_band(field, value, low, high):
    levels = {"wander": 0.0, "muscle": 0.0, "motion": 0.0, "mains": 0.0, field: value}
    plan = [("sinus", 60.0)]
    quiet = simulate(60.0, noise=QUIET, rhythm_plan=plan)
    noisy = simulate(60.0, noise=NoiseLevels(**levels), rhythm_plan=plan)
    assert (quiet.rpeaks == noisy.rpeaks).all()
    added = spectrum_power(noisy, low, high) / spectrum_power(quiet, low, high)
    assert added > 3


def test_values_stay_inside_16_bit():
    samples = simulate_ecg(10.0, adc_gain=1e6).samples
    assert (samples.max(), samples.min()) == (32767, -32768)


@pytest.mark.parametrize("plan", [[("tango", 10)], [("sinus", 0)], []])
def test_bad_plans_are_refused(plan):
    with pytest.raises(ConfigError):
        simulate_ecg(10.0, rhythm_plan=plan)


def test_bad_sizes_are_refused():
    for changes in ({"fs": 0.0}, {"n_leads": 0}, {"n_leads": 256}, {"duration_s": 0}):
        with pytest.raises(InvalidSignalError):
            simulate_ecg(**{"duration_s": 5.0, **changes})
