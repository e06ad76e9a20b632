# SPDX-License-Identifier: Apache-2.0
"""One window of one lead to a payload and back, at any level of a bundle."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dynamic_deep.bundle import Bundle, LatentShape, Level
from dynamic_deep.bundle_tables import AnyLatentCoder
from dynamic_deep.config import SEGMENT_LEN
from dynamic_deep.engine import Network
from dynamic_deep.entropy import RangeDecoder, RangeEncoder
from dynamic_deep.errors import ModelError
from dynamic_deep.lossless import decode_lossless, encode_lossless
from dynamic_deep.quantizer import WindowScale, quantize
from dynamic_deep.recording import RecordingInfo
from dynamic_deep.segments import from_model_rate, model_len, to_model_rate
from dynamic_deep.wavelet import WaveletCoder
from dynamic_deep.window_encoder import FLOAT, WindowEncoder, load_encoder

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int32]

# WFDB's mark of a missing sample in a 16-bit record. As a number it would be a spike
# that no lossy level is meant for.
MISSING_16 = -(1 << 15)


@dataclass(frozen=True, kw_only=True)
class WindowPlace:
    """What both sides know of a window before its payload.

    Attributes:
        n_samples: its length at the lead's rate.
        fs: the lead's rate in Hz.
        baseline: the ADC value that offsets are counted from.
        adc_bits: width of a sample; what is restored stays within it.
    """

    n_samples: int
    fs: float
    baseline: int
    adc_bits: int

    @property
    def model_len(self) -> int:
        """Its length at the model's rate."""
        return model_len(self.n_samples, self.fs)

    @property
    def n_segments(self) -> int:
        """How many segments it fills."""
        return -(-self.model_len // SEGMENT_LEN)


def coded_steps(n_samples: int, stride: int) -> int:
    """Return how many steps of a latent are coded for `n_samples` at the model's rate.

    One more than the samples fill, since the decoder looks a step ahead; the steps of
    the padding beyond are 0 on both sides.
    """
    whole = -(-n_samples // SEGMENT_LEN) * SEGMENT_LEN // stride
    return min(whole, -(-n_samples // stride) + 1)


def at_rate_of_model(x: npt.NDArray[np.integer], place: WindowPlace) -> FloatArray:
    """Return a window at the model's rate, ADC units counted from the baseline."""
    return to_model_rate(x.astype(np.float64) - place.baseline, place.fs)


class Analysis:
    """A window on its way through the encoder; what several levels share is kept."""

    def __init__(self, x: IntArray, place: WindowPlace, codec: WindowCodec) -> None:
        """Bring the window to the model's rate and scale."""
        self.x = x
        self.place = place
        self._codec = codec
        at_model_rate = at_rate_of_model(x, place)
        self.scale = WindowScale.of(at_model_rate)
        self.normalized = self.scale.normalize(at_model_rate)
        self.payloads: dict[int, bytes] = {}  # of lossy levels, by id

    @functools.cached_property
    def _encoded(self) -> list[FloatArray]:
        short = -len(self.normalized) % SEGMENT_LEN
        padded = np.pad(self.normalized, (0, short), mode="edge")
        return self._codec.encoder.run(padded.reshape(-1, SEGMENT_LEN, 1))

    @property
    def latents(self) -> list[FloatArray]:
        """The unquantised latent of every neural level, (n_steps, n_channels)."""
        return [y.reshape(-1, y.shape[-1]) for y in self._encoded if y.ndim == 3]

    @property
    def head_features(self) -> FloatArray:
        """What the error heads read of each segment, (n_segments, n_features)."""
        features = [y for y in self._encoded if y.ndim == 2]
        if not features:
            raise ModelError(
                f"the encoder of bundle {self._codec.bundle.name} must give features "
                "to its error heads, it has none; choose a level instead of a bound"
            )
        return features[0]

    def payload(self, level: Level) -> bytes:
        """Return it coded at a lossy level."""
        return self._codec.encode(self, level)


class WindowCodec:
    """Encodes and decodes windows with one bundle.

    Args:
        bundle: the bundle.
        n_threads: of the CPU, for each network.
        precision: of the encoder: float, or int8 as a device computes it. What it
            writes is decoded alike.
    """

    def __init__(
        self, bundle: Bundle, *, n_threads: int = 1, precision: str = FLOAT
    ) -> None:
        """Keep the bundle; networks are loaded when first needed."""
        self.bundle = bundle
        self.precision = precision
        self._n_threads = n_threads
        self._networks: dict[str, Network] = {}
        self._latent_coders: dict[str, AnyLatentCoder] = {}
        self._wavelet_coders: dict[str, WaveletCoder] = {}

    def _network(self, name: str) -> Network:
        if name not in self._networks:
            if name not in self.bundle.networks:
                raise ModelError(
                    f"bundle {self.bundle.name} must hold the network {name}.tflite "
                    "for this level; it is missing"
                )
            content = self.bundle.networks[name]
            self._networks[name] = Network(content, name, n_threads=self._n_threads)
        return self._networks[name]

    @functools.cached_property
    def encoder(self) -> WindowEncoder:
        """The network from a segment to every level's latent."""
        return load_encoder(self.bundle, self.precision, n_threads=self._n_threads)

    def _latent_coder(self, name: str) -> AnyLatentCoder:
        if name not in self._latent_coders:
            self._latent_coders[name] = self.bundle.latent_coder(name)
        return self._latent_coders[name]

    def _wavelet_coder(self, name: str) -> WaveletCoder:
        if name not in self._wavelet_coders:
            self._wavelet_coders[name] = self.bundle.wavelet_coder(name)
        return self._wavelet_coders[name]

    def analyze(self, x: IntArray, place: WindowPlace) -> Analysis:
        """Begin to encode a window: int array, (n_samples,), ADC units."""
        return Analysis(x, place, self)

    def encode(self, window: Analysis, level: Level, *, max_error: int = 0) -> bytes:
        """Return the payload of a window at a level.

        Args:
            window: from `analyze`.
            level: a level of the bundle.
            max_error: bound on the error of a sample in ADC units, for near_lossless.
        """
        if level.kind in ("lossless", "near_lossless"):
            return encode_lossless(window.x, max_error=max_error)
        if level.id not in window.payloads:
            window.payloads[level.id] = self._encode_lossy(window, level)
        return window.payloads[level.id]

    def _encode_lossy(self, window: Analysis, level: Level) -> bytes:
        coder = RangeEncoder()
        self.bundle.scales.encode(coder, window.scale)
        if level.kind == "wavelet":
            self._wavelet_coder(level.name).encode(coder, window.normalized)
        else:
            latent = self.quantized_latent(window, level)
            self._latent_coder(level.name).encode(coder, latent)
        return coder.finish()

    def quantized_latent(self, window: Analysis, level: Level) -> IntArray:
        """Return the latent of a window at a neural level, (n_steps, n_channels)."""
        shape = self.bundle.latents[level.name]
        n_steps = coded_steps(window.place.model_len, shape.stride)
        return quantize(window.latents[shape.level_idx][:n_steps], shape.threshold)

    def decode(self, payload: bytes, level: Level, place: WindowPlace) -> IntArray:
        """Return the window of a payload: int32, (n_samples,), ADC units.

        Raises:
            CorruptError: If the payload can't come from the encoder.
        """
        if level.kind in ("lossless", "near_lossless"):
            return decode_lossless(payload, place.n_samples)
        coder = RangeDecoder(payload)
        scale = self.bundle.scales.decode(coder)
        if level.kind == "wavelet":
            x_hat = self._wavelet_coder(level.name).decode(coder, place.model_len)
        else:
            shape = self.bundle.latents[level.name]
            n_steps = coded_steps(place.model_len, shape.stride)
            y_hat = self._latent_coder(level.name).decode(coder, n_steps)
            x_hat = self.synthesize(y_hat, level, place.n_segments)
        native = from_model_rate(x_hat[: place.model_len], place.fs, place.n_samples)
        limit = 1 << (place.adc_bits - 1)
        whole = np.rint(scale.restore(native) + place.baseline)
        return np.clip(whole, -limit, limit - 1).astype(np.int32)

    def synthesize(self, y_hat: IntArray, level: Level, n_segments: int) -> FloatArray:
        """Run the decoder: int array, (n_steps, n_channels) -> (n_samples,)."""
        shape: LatentShape = self.bundle.latents[level.name]
        n_steps = n_segments * SEGMENT_LEN // shape.stride
        latent = np.zeros((1, n_steps, shape.n_channels), np.float32)
        latent[0, : len(y_hat)] = y_hat
        (features,) = self._network(f"entry_{level.name}").run(latent)
        level_idx = np.full(1, shape.level_idx, np.int32)
        (x_hat,) = self._network(shape.body).run(features, level_idx)
        return np.asarray(x_hat[0, :, 0])


def max_error_adc(max_error_uv: float, adc_units_per_mv: float) -> int:
    """Return the largest whole error in ADC units within a bound in microvolts."""
    return max(0, math.floor(max_error_uv * adc_units_per_mv / 1000.0 + 1e-9))


def window_place(n_samples: int, info: RecordingInfo, lead: int) -> WindowPlace:
    """Return what both sides know of a window before its payload."""
    return WindowPlace(
        n_samples=n_samples,
        fs=info.fs,
        baseline=info.adc_baseline[lead],
        adc_bits=info.adc_bits,
    )


def only_lossless_fits(x: npt.NDArray[np.integer], adc_bits: int) -> bool:
    """Tell whether a window is flat or has missing samples: sent lossless, always."""
    if x.min() == x.max():
        return True
    return adc_bits == 16 and bool((x == MISSING_16).any())
