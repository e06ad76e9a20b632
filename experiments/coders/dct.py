# SPDX-License-Identifier: Apache-2.0
"""A classical transform coder: DCT over blocks, dead zone, static integer tables.

The counterpart of the wavelet levels in dynamic_deep/wavelet.py, with the same scale,
quantiser, range coder and frame. A window at the model's rate is cut into blocks, each
is transformed (DCT-II, orthonormal), every coefficient is quantised with one step, and
each band of frequencies is coded with a table of its own. Step, tables and block length
come from `python -m experiments train dct`.
"""

from __future__ import annotations

import functools
import hashlib
import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dynamic_deep.bitstream import frame_len
from dynamic_deep.config import MODEL_FS
from dynamic_deep.entropy import RangeDecoder, RangeEncoder
from dynamic_deep.errors import ModelError
from dynamic_deep.quantizer import ScaleCoder, SymbolCoder, WindowScale, quantize
from dynamic_deep.segments import from_model_rate
from dynamic_deep.trials import Subject
from dynamic_deep.window_codec import WindowPlace, at_rate_of_model
from experiments.coders.protocol import Sent
from experiments.weights_folder import WEIGHTS

IntArray = npt.NDArray[np.int32]
Coefficients = npt.NDArray[np.float64]

TABLES = WEIGHTS / "dct.npz"
GAINS = (8, 16, 32, 64, 128, 250)
LEVEL_ID = 2  # any of one byte: what its frame would cost beside ours
# Upper edges in Hz; a block's mean is a band of its own, and what lies above the last
# edge is one more.
BAND_EDGES_HZ = (
    *(0.6, 1.2, 2.0, 3.0, 4.0, 5.0, 6.5, 8.0, 10.0, 12.0, 14.0, 17.0, 20.0),
    *(24.0, 28.0, 33.0, 40.0, 50.0, 70.0),
)
N_BANDS = len(BAND_EDGES_HZ) + 2


def bands_of(block_len: int) -> npt.NDArray[np.intp]:
    """Return the band of each coefficient of a block, (block_len,)."""
    hertz = np.arange(block_len) * (MODEL_FS / 2.0 / block_len)
    band = 1 + np.searchsorted(BAND_EDGES_HZ, hertz, side="right")
    band[0] = 0
    return band


def transform(x: npt.NDArray[np.floating], block_len: int) -> Coefficients:
    """Return the coefficients of a window, (n_blocks, block_len).

    Args:
        x: float array, (n_samples,), padded with its last value to a whole block.
        block_len: samples of a block.
    """
    from scipy.fft import dct

    padded = np.pad(x.astype(np.float64), (0, -len(x) % block_len), mode="edge")
    return np.asarray(dct(padded.reshape(-1, block_len), norm="ortho"))


def inverse(coefficients: Coefficients, n_samples: int) -> npt.NDArray[np.float32]:
    """Undo `transform`."""
    from scipy.fft import idct

    x = idct(coefficients, norm="ortho").reshape(-1)
    return np.asarray(x[:n_samples], dtype=np.float32)


@dataclass(frozen=True, kw_only=True)
class DctTables:
    """What sender and receiver share of one level.

    Attributes:
        block_len: samples of a block at the model's rate.
        threshold: of the dead zone, in steps.
        step: quantiser step in units of the window's scale.
        counts: uint32 array, (N_BANDS, 2 * limit + 2): a table a band.
        centroids: float array, (N_BANDS,): how far beyond its integer a value is
            restored, in steps.
    """

    block_len: int
    threshold: float
    step: float
    counts: npt.NDArray[np.uint32]
    centroids: npt.NDArray[np.float64]

    def quantize(self, x: npt.NDArray[np.floating]) -> IntArray:
        """Return the quantised blocks of a normalised window."""
        return quantize(transform(x, self.block_len) / self.step, self.threshold)

    def dequantize(self, q: IntArray) -> Coefficients:
        """Return the coefficients restored."""
        shift = self.centroids[bands_of(self.block_len)]
        return np.asarray(np.sign(q) * (np.abs(q) + shift) * self.step)


class DctCoder:
    """The coder at one level.

    Args:
        gain: nominal, for its name.
        tables: of the level.
        scales: coder of the window's scale and offset.
        weights_id: hash of the file that the tables come from.
    """

    family = "dct"
    element_gain: float | None = None

    def __init__(
        self, gain: int, tables: DctTables, *, scales: ScaleCoder, weights_id: str
    ) -> None:
        """Keep the tables."""
        self.name = f"dct_{gain}"
        self.identity = f"{self.name} {weights_id}"
        self.tables = tables
        self._scales = scales
        band = bands_of(tables.block_len)
        self._columns = [np.flatnonzero(band == i) for i in range(N_BANDS)]

    @functools.cached_property
    def _symbols(self) -> SymbolCoder:
        return SymbolCoder(self.tables.counts)

    def encode(self, x: npt.NDArray[np.integer[Any]], place: WindowPlace) -> bytes:
        """Return the payload of a window: int array, (n_samples,), ADC units."""
        at_model_rate = at_rate_of_model(x, place)
        scale = WindowScale.of(at_model_rate)
        coder = RangeEncoder()
        self._scales.encode(coder, scale)
        q = self.tables.quantize(scale.normalize(at_model_rate))
        for band, columns in enumerate(self._columns):
            self._symbols.encode(coder, q[:, columns], band)
        return coder.finish()

    def decode(self, payload: bytes, place: WindowPlace) -> IntArray:
        """Return the window of a payload: int32, (n_samples,), ADC units."""
        coder = RangeDecoder(payload)
        scale = self._scales.decode(coder)
        n_blocks = -(-place.model_len // self.tables.block_len)
        q = np.zeros((n_blocks, self.tables.block_len), np.int32)
        for band, columns in enumerate(self._columns):
            values = self._symbols.decode(coder, n_blocks * len(columns), band)
            q[:, columns] = values.reshape(n_blocks, -1)
        x_hat = inverse(self.tables.dequantize(q), place.model_len)
        native = from_model_rate(x_hat, place.fs, place.n_samples)
        limit = 1 << (place.adc_bits - 1)
        whole = np.rint(scale.restore(native) + place.baseline)
        return np.clip(whole, -limit, limit - 1).astype(np.int32)

    def send(self, subject: Subject) -> Sent:
        """Code one window into real bytes, decode those, and return what came."""
        payload = self.encode(subject.x, subject.place)
        n_bytes = float(frame_len(LEVEL_ID, len(payload)))
        return Sent(n_bytes=n_bytes, x_hat=self.decode(payload, subject.place))


def coders_of(
    arrays: Mapping[str, npt.NDArray[Any]], weights_id: str
) -> list[DctCoder]:
    """Return the coders of fitted arrays, as `train dct` writes them."""
    scales = ScaleCoder(arrays["scale"], arrays["offset"])
    return [
        DctCoder(
            gain,
            DctTables(
                block_len=int(arrays["block_len"]),
                threshold=float(arrays["threshold"]),
                step=float(arrays[f"dct_{gain}/step"]),
                counts=arrays[f"dct_{gain}/counts"],
                centroids=arrays[f"dct_{gain}/centroids"],
            ),
            scales=scales,
            weights_id=weights_id,
        )
        for gain in GAINS
    ]


def load_dct_coders(path: Path = TABLES) -> list[DctCoder]:
    """Return one coder a nominal gain.

    Raises:
        ModelError: If the tables are missing or damaged.
    """
    try:
        content = path.read_bytes()
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        return coders_of(arrays, hashlib.sha256(content).hexdigest()[:12])
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(
            f"the DCT coder needs the tables of {path.name}, got {error}; make them "
            "with `python -m experiments train dct`"
        ) from error
