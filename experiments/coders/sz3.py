# SPDX-License-Identifier: Apache-2.0
"""SZ3, the error-bounded compressor for scientific data, on each window alone.

Liang et al., "SZ3: A Modular Framework for Composing Prediction-Based Error-Bounded
Lossy Compressors", IEEE Transactions on Big Data 9(2), 2023; by its Python wheel
`pysz`, which is optional. The bytes are what the library writes, its own header
included; no frame of ours is around them.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
from dataclasses import dataclass
from typing import Any

import numpy as np

from dynamic_deep.errors import ConfigError, CorruptError
from dynamic_deep.trials import Subject
from experiments.coders.protocol import Sent

PACKAGE = "pysz"
REASON = (
    "SZ3 is left out: the optional package pysz is not installed; "
    "pip install 'dynamic-deep[experiments]'"
)
BOUNDS = (1, 2, 4, 8, 16, 32, 64)  # ADC units


def available() -> bool:
    """Tell whether the library is there; if not, `REASON` says what to do."""
    return importlib.util.find_spec(PACKAGE) is not None


@dataclass(frozen=True, kw_only=True)
class Sz3Coder:
    """SZ3 at one bound on the error of every sample.

    Attributes:
        max_error: the bound, ADC units.
    """

    max_error: int
    family: str = "sz3"
    element_gain: float | None = None

    def __post_init__(self) -> None:
        """Check the bound and the library."""
        if self.max_error < 1:
            raise ConfigError(
                f"SZ3's bound must be at least 1 ADC unit, got {self.max_error}; "
                "lossless coders are others"
            )
        if not available():
            raise ConfigError(REASON)

    @property
    def name(self) -> str:
        """Unique name."""
        return f"sz3 +-{self.max_error}"

    @property
    def identity(self) -> str:
        """What decides its output."""
        version = importlib.metadata.version(PACKAGE)
        return f"{PACKAGE} {version} INTERP_LORENZO int32 ABS {self.max_error}"

    def send(self, subject: Subject) -> Sent:
        """Code one window into real bytes, decode those, and return what came.

        Raises:
            CorruptError: If a sample is off by more than the bound.
        """
        pysz: Any = importlib.import_module(PACKAGE)
        # Whole numbers: as floats every bound would cost up to a fifth more.
        x = np.ascontiguousarray(subject.x, np.int32)
        config = pysz.szConfig()
        config.errorBoundMode = pysz.szErrorBoundMode.ABS
        config.absErrorBound = float(self.max_error)
        config.cmprAlgo = pysz.szAlgorithm.INTERP_LORENZO
        coded, _ = pysz.sz.compress(x, config)
        payload = coded.tobytes()
        received = np.frombuffer(payload, np.uint8).copy()
        x_hat, _ = pysz.sz.decompress(received, np.int32, x.shape)
        worst = int(np.abs(x_hat.astype(np.int64) - x).max())
        if worst > self.max_error:
            raise CorruptError(
                f"SZ3 must keep each sample within {self.max_error} ADC units, got "
                f"{worst} in a window of {subject.record}; try another version of pysz"
            )
        return Sent(n_bytes=float(len(payload)), x_hat=x_hat)


def load_sz3_coders() -> list[Sz3Coder]:
    """Return one coder a bound.

    Raises:
        ConfigError: If the library is missing.
    """
    if not available():
        raise ConfigError(REASON)
    return [Sz3Coder(max_error=bound) for bound in BOUNDS]
