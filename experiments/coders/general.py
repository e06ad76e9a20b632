# SPDX-License-Identifier: Apache-2.0
"""The general-purpose lossless coders of `dynamic-deep bench`, as coders."""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dynamic_deep.bench.baselines import Baseline, load_baselines
from dynamic_deep.bench.groups import LZ77
from dynamic_deep.trials import Subject
from experiments.coders.protocol import Sent

_PACKAGES = ("zstandard", "pcodec", "soundfile")


@dataclass(frozen=True)
class GeneralCoder:
    """A lossless coder that knows nothing of ECG; what is counted is its payload."""

    baseline: Baseline
    element_gain: float | None = None

    @property
    def name(self) -> str:
        """Its name in the tables of `bench`."""
        return self.baseline.name

    @property
    def family(self) -> str:
        """Here: lz77, or lossless where it is more than that."""
        return "lz77" if self.baseline.group == LZ77 else "lossless"

    @property
    def identity(self) -> str:
        """Versions of what codes."""
        versions = [importlib.metadata.version(name) for name in _PACKAGES]
        return hashlib.sha256(
            " ".join([self.name, platform.python_version(), *versions]).encode()
        ).hexdigest()

    def send(self, subject: Subject) -> Sent:
        """Code and decode one window."""
        kind = np.dtype(np.int16 if subject.place.adc_bits <= 16 else np.int32)
        samples: npt.NDArray[np.signedinteger[Any]] = subject.x.astype(kind)
        payload = self.baseline.encode(samples, subject.place.fs)
        return Sent(len(payload), self.baseline.decode(payload, len(samples), kind))


def load_general_coders() -> list[GeneralCoder]:
    """Return those that can run here."""
    return [GeneralCoder(baseline) for baseline in load_baselines()[0]]
