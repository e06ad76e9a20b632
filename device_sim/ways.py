# SPDX-License-Identifier: Apache-2.0
"""The ways to send a window that the energy report compares.

Each encodes the window for real, so that bytes are measured, and says what it made the
device do.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from device_sim.rice import encode_rice
from device_sim.workload import Work, analysis
from dynamic_deep.bitstream import frame_len
from dynamic_deep.bundle import LOSSLESS
from dynamic_deep.lossless import encode_lossless
from dynamic_deep.window_codec import WindowPlace

IntArray = npt.NDArray[np.int32]

KINDS = ("raw", "rice", "lossless", "wavelet", "neural", "bound", "paper")

# The shared encoder of the paper (arXiv 2106.00606) with all its levels: multiply-
# accumulates for 2000 samples, and the length of the latent that it sends at gain 32.
PAPER_MACS, PAPER_SEGMENT_LEN, PAPER_LATENT_LEN = 16_020_000, 2000, 63


@dataclass(frozen=True, kw_only=True)
class Window:
    """One window of one lead.

    Attributes:
        x: int32, (n_samples,), ADC units.
        place: what both sides know of it.
    """

    x: IntArray
    place: WindowPlace


@dataclass(frozen=True, kw_only=True)
class Coded:
    """A window as it is sent.

    Attributes:
        n_bytes: of its frame.
        work: what coding it took, without taking in the samples and without the cipher.
        level: its name.
    """

    n_bytes: int
    work: Work
    level: str


class Way(Protocol):
    """A way to send windows."""

    @property
    def name(self) -> str:
        """In tables."""

    @property
    def kind(self) -> str:
        """One of `KINDS`."""

    def send(self, window: Window) -> Coded:
        """Return a window as it is sent."""


@dataclass(frozen=True, kw_only=True)
class Raw:
    """The samples as they are, packed."""

    n_bits: int
    kind: str = "raw"

    @property
    def name(self) -> str:
        """In tables."""
        return f"raw, {self.n_bits} bit"

    def fits(self, window: Window) -> bool:
        """Tell whether the samples of a window fit, counted from the smallest."""
        spread = int(window.x.max()) - int(window.x.min())
        return spread < 1 << self.n_bits

    def send(self, window: Window) -> Coded:
        """Return a window as it is sent."""
        n_payload = -(-len(window.x) * self.n_bits // 8)
        work = Work(packed_bytes=n_payload)
        return Coded(n_bytes=frame_len(LOSSLESS.id, n_payload), work=work, level="raw")


@dataclass(frozen=True, kw_only=True)
class Rice:
    """The light lossless coder."""

    name: str = "rice, lossless"
    kind: str = "rice"

    def send(self, window: Window) -> Coded:
        """Return a window as it is sent."""
        n_payload = len(encode_rice(window.x))
        work = Work(rice=len(window.x))
        return Coded(n_bytes=frame_len(LOSSLESS.id, n_payload), work=work, level="rice")


@dataclass(frozen=True, kw_only=True)
class Lossless:
    """Level `lossless`."""

    name: str = "lossless"
    kind: str = "lossless"

    def send(self, window: Window) -> Coded:
        """Return a window as it is sent."""
        n_payload = len(encode_lossless(window.x))
        work = Work(lossless=len(window.x))
        n_bytes = frame_len(LOSSLESS.id, n_payload)
        return Coded(n_bytes=n_bytes, work=work, level=LOSSLESS.name)


@dataclass(frozen=True, kw_only=True)
class Paper:
    """The paper's encoder: its multiply-accumulates, its latent at 8 bits a number.

    The bytes are worked out, not encoded: 63 numbers for 2000 samples, which the paper
    sends as 32-bit floats; 8 bits are in its favour.
    """

    name: str = "paper's encoder, gain 32"
    kind: str = "paper"

    def send(self, window: Window) -> Coded:
        """Return a window as it would be sent."""
        n_segments = window.place.model_len / PAPER_SEGMENT_LEN
        n_values = round(n_segments * PAPER_LATENT_LEN)
        work = analysis(window.place)
        work += Work(macs=n_segments * PAPER_MACS, quantized=n_values)
        n_bytes = frame_len(LOSSLESS.id, n_values)
        return Coded(n_bytes=n_bytes, work=work, level="gain_32")
