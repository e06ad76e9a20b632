# SPDX-License-Identifier: Apache-2.0
"""What every coder of the experiments can do: send one window, and say what it cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from dynamic_deep.trials import Subject


@dataclass(frozen=True)
class Sent:
    """One window that was coded and decoded again.

    Attributes:
        n_bytes: what it cost, all that a receiver needs included. Not whole where a
            coder works on blocks that the next window would share.
        x_hat: int32, (n_samples,), ADC units at the lead's own rate.
    """

    n_bytes: float
    x_hat: npt.NDArray[np.integer[Any]]


class Coder(Protocol):
    """A way to send windows, each alone.

    Attributes:
        name: unique, such as "zlib -9", "monitor/gain_64" or "cae32 fine-tuned".
        family: the curve that it is a point of: lz77, lossless, near_lossless, sz3,
            wavelet, wavelet net, dct, cae, paper, standard, monitor, edge.
        identity: changes with everything that decides its output: a bundle's id, a hash
            of weights and settings, a library's version.
        element_gain: samples over latent elements, as the paper counts; None where
            there is no latent.
    """

    @property
    def name(self) -> str:
        """Unique name."""

    @property
    def family(self) -> str:
        """The curve that it is a point of."""

    @property
    def identity(self) -> str:
        """What decides its output."""

    @property
    def element_gain(self) -> float | None:
        """Samples over latent elements; None where there is no latent."""

    def send(self, subject: Subject) -> Sent:
        """Code one window into real bytes, decode those, and return what came."""
