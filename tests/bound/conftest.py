# SPDX-License-Identifier: Apache-2.0
"""The kept bundle with tasks and error heads, and windows tried with it."""

from __future__ import annotations

import numpy as np
import pytest

from dynamic_deep.bundle import Bundle, load_bundle
from dynamic_deep.calibration import Calibration
from dynamic_deep.codec import Codec
from dynamic_deep.config import WINDOW_LEN
from dynamic_deep.recording import Recording, with_samples
from dynamic_deep.subjects import subjects_of
from dynamic_deep.synthetic import simulate_ecg
from dynamic_deep.tasks import CLASSES, load_task
from dynamic_deep.tasks.protocol import Task
from dynamic_deep.trials import LevelTrier, Trials
from tests.signals import AWARE

N_CALIBRATION = 24


@pytest.fixture(scope="session")
def bundle() -> Bundle:
    """The bundle."""
    return load_bundle(AWARE)


@pytest.fixture(scope="session")
def codec(bundle: Bundle) -> Codec:
    """Its codec."""
    return Codec(bundle)


@pytest.fixture(scope="session")
def tasks(bundle: Bundle) -> tuple[Task, ...]:
    """Rhythm and R peaks, in this order."""
    return tuple(load_task(bundle, name) for name in ("rhythm", "rpeaks"))


@pytest.fixture(scope="session")
def trier(codec: Codec, tasks: tuple[Task, ...]) -> LevelTrier:
    """Tries all levels that the error heads know."""
    return LevelTrier(codec.windows, tasks, codec.bundle.config["heads"]["levels"])


@pytest.fixture(scope="session")
def recording() -> Recording:
    """Two leads at 360 Hz, of three windows and a short one; some are noisy."""
    calm = simulate_ecg(100.0, fs=360.0, n_leads=2, seed=5, name="ecg")
    noise = np.random.default_rng(5).normal(0.0, 25.0, calm.samples.shape)
    noise *= np.linspace(0.0, 1.0, len(noise))[:, None] * [1.0, 3.0]
    return with_samples(calm.info, np.rint(calm.samples + noise).astype(np.int16))


@pytest.fixture(scope="session")
def trials(trier: LevelTrier, recording: Recording) -> Trials:
    """Every window of `recording`, in the order of a file."""
    return trier.run(subjects_of(recording, record="ecg", label="N"))


@pytest.fixture(scope="session")
def calibration(trier: LevelTrier, bundle: Bundle) -> Calibration:
    """Windows of as many simulated patients, labelled."""
    subjects = []
    for i in range(N_CALIBRATION):
        x = simulate_ecg(WINDOW_LEN / 300.0, seed=100 + i)
        subjects += subjects_of(x, record=f"s{i}", label=CLASSES[i % 3])
    found = trier.run(subjects)
    return Calibration(name="simulated", model_id=bundle.model_id, trials=found)
