# SPDX-License-Identifier: Apache-2.0
"""The codec: recordings to `.ddc` files and back, whole or as a stream."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Self

import numpy as np
import numpy.typing as npt

from dynamic_deep.bundle import Bundle, Level, find_bundle, load_bundle
from dynamic_deep.container import (
    NO_MODEL,
    ContainerReader,
    ContainerWriter,
    Damage,
    FileHeader,
    Frame,
    WindowGeometry,
)
from dynamic_deep.errors import ConfigError, FormatError, ModelError
from dynamic_deep.policy import Fixed, Policy
from dynamic_deep.recording import (
    Recording,
    RecordingInfo,
    RecordingReader,
    RecordingWriter,
    check_samples,
    mv_per_unit,
    with_samples,
)
from dynamic_deep.segments import min_tail_len, window_start
from dynamic_deep.window_codec import Analysis, WindowCodec, WindowPlace, max_error_adc

IntArray = npt.NDArray[np.signedinteger]

DEFAULT_BUNDLE = "standard"
DEFAULT_LEVEL = "gain_64"
READ_SECONDS = 60.0  # of signal a block, when a file is read as a stream
# WFDB's mark of a missing sample in a 16-bit record. As a number it would be a spike
# that no lossy level is meant for.
MISSING_16 = -(1 << 15)


@dataclass(kw_only=True)
class EncodeSummary:
    """What an encoding came to.

    Attributes:
        n_samples: samples of each lead.
        n_windows: coded windows, all leads counted.
        raw_bytes: bytes of the samples as stored by the device.
        coded_bytes: bytes of the file.
        levels: level name -> windows sent at it.
    """

    n_samples: int = 0
    n_windows: int = 0
    raw_bytes: int = 0
    coded_bytes: int = 0
    levels: dict[str, int] = field(default_factory=dict)

    @property
    def compression_gain(self) -> float:
        """Raw bytes over bytes of the file, everything included."""
        return self.raw_bytes / self.coded_bytes if self.coded_bytes else 0.0


@dataclass(kw_only=True)
class DecodeSummary:
    """What a decoding gave back.

    Attributes:
        n_samples: samples of each lead.
        n_windows: decoded windows, all leads counted.
        damage: what could not be read; those windows hold the baseline.
    """

    n_samples: int = 0
    n_windows: int = 0
    damage: list[Damage] = field(default_factory=list)


class Codec:
    """Encodes and decodes recordings with one bundle.

    Args:
        bundle: the bundle.
        n_threads: of the CPU, for the networks.

    Example:
        codec = Codec.load("standard")
        data = codec.encode(read_recording("100.hea"), level="gain_64")
        recording = codec.decode(data)
    """

    def __init__(self, bundle: Bundle, *, n_threads: int = 1) -> None:
        """Keep the bundle; networks are loaded when first needed."""
        self.bundle = bundle
        self.windows = WindowCodec(bundle, n_threads=n_threads)

    @classmethod
    def load(
        cls, name_or_path: str | Path = DEFAULT_BUNDLE, *, n_threads: int = 1
    ) -> Codec:
        """Load a shipped bundle by its name, or any by its folder.

        Raises:
            ModelError: If there is no such bundle, or it is damaged.
        """
        return cls(load_bundle(name_or_path), n_threads=n_threads)

    @classmethod
    def for_model(cls, model_id: bytes, *, n_threads: int = 1) -> Codec:
        """Load the shipped bundle that a file names.

        Raises:
            ModelError: If it is not shipped with this version.
        """
        name = "classical" if model_id == NO_MODEL else find_bundle(model_id)
        return cls.load(name, n_threads=n_threads)

    @property
    def model_id(self) -> bytes:
        """The 16 bytes that coded files name the bundle by."""
        return self.bundle.model_id

    @property
    def levels(self) -> tuple[Level, ...]:
        """The ladder, by id."""
        return self.bundle.levels

    def stream_encoder(
        self,
        info: RecordingInfo,
        stream: BinaryIO,
        *,
        policy: Policy | None = None,
        max_error_uv: float | None = None,
    ) -> StreamEncoder:
        """Begin a file; see `StreamEncoder`."""
        return StreamEncoder(
            self, info, stream, policy=policy, max_error_uv=max_error_uv
        )

    def encode(
        self,
        recording: Recording,
        *,
        level: str = DEFAULT_LEVEL,
        policy: Policy | None = None,
        max_error_uv: float | None = None,
    ) -> bytes:
        """Return a recording as the bytes of a `.ddc` file.

        Args:
            recording: the recording.
            level: name of the level that every window gets, unless there is a policy.
            policy: chooses the level of each window.
            max_error_uv: bound on the error of every sample, for near_lossless.

        Raises:
            ConfigError: If the level is unknown, or lacks its bound.
        """
        stream = io.BytesIO()
        chosen = policy or Fixed(level=level)
        encoder = self.stream_encoder(
            recording.info, stream, policy=chosen, max_error_uv=max_error_uv
        )
        encoder.push(recording.samples)
        encoder.flush()
        return stream.getvalue()

    def encode_file(
        self,
        reader: RecordingReader,
        stream: BinaryIO,
        *,
        policy: Policy | None = None,
        max_error_uv: float | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> EncodeSummary:
        """Encode an open recording block by block, in bounded memory.

        Args:
            reader: the recording.
            stream: binary, where to; need not be seekable.
            policy: chooses the level of each window; `DEFAULT_LEVEL` if None.
            max_error_uv: bound on the error of every sample, for near_lossless.
            progress: called with samples done and samples in all, of each lead.
        """
        encoder = self.stream_encoder(
            reader.info, stream, policy=policy, max_error_uv=max_error_uv
        )
        n_done = 0
        for block in reader.blocks(max(1, int(READ_SECONDS * reader.info.fs))):
            encoder.push(block)
            n_done += len(block)
            if progress is not None:
                progress(n_done, reader.n_samples)
        return encoder.flush()

    def decode(self, data: bytes) -> Recording:
        """Return the recording of a `.ddc` file, samples in its own ADC units.

        Raises:
            FormatError: If the bytes are no whole, undamaged file. `decode_file` gives
                back what can be read of a damaged one.
            ModelError: If the file names another bundle.
        """
        blocks: list[IntArray] = []
        reader = ContainerReader(data)
        info = reader.header.info
        summary = StreamDecoder(self, reader).run(blocks.append)
        if summary.damage:
            first = summary.damage[0]
            raise FormatError(
                f"a file must be whole to be decoded at once, got: {first.reason} "
                f"(byte {first.offset}); use decode_file, which keeps the rest"
            )
        samples = np.concatenate([np.zeros((0, info.n_leads), info.dtype), *blocks])
        return with_samples(info, samples)

    def decode_file(
        self,
        reader: ContainerReader,
        writer: RecordingWriter,
        *,
        progress: Callable[[int, int], None] | None = None,
    ) -> DecodeSummary:
        """Decode an open file block by block, in bounded memory.

        A window that can't be read holds the baseline of its lead; `damage` of what is
        returned lists them.

        Args:
            reader: the file.
            writer: where to.
            progress: called with samples done, of each lead, and in all (0: unknown).

        Raises:
            ModelError: If the file names another bundle.
        """
        return StreamDecoder(self, reader, progress=progress).run(writer.write)


class StreamEncoder:
    """Encodes samples as they come; the bytes are those of `Codec.encode`.

    Args:
        codec: the codec.
        info: what is known of the recording.
        stream: binary, where to; need not be seekable.
        policy: chooses the level of each window; `DEFAULT_LEVEL` if None.
        max_error_uv: bound on the error of every sample, for near_lossless.

    Raises:
        ConfigError: If the level is unknown, or lacks its bound.
    """

    def __init__(
        self,
        codec: Codec,
        info: RecordingInfo,
        stream: BinaryIO,
        *,
        policy: Policy | None = None,
        max_error_uv: float | None = None,
    ) -> None:
        """Write the file's header."""
        self.info = info
        self._codec = codec
        self._policy = policy or Fixed(level=DEFAULT_LEVEL)
        self._order = self._policy.order(codec.levels)
        self._max_errors = _max_errors(info, self._order, max_error_uv)
        needs_bundle = [v for v in self._order if v.kind in ("wavelet", "neural")]
        header = FileHeader(
            model_id=codec.model_id if needs_bundle else NO_MODEL,
            info=info,
            level_names={level.id: level.name for level in needs_bundle},
        )
        self._lossless = codec.bundle.level("lossless")
        self._writer = ContainerWriter(stream, header)
        self._waiting: list[IntArray] = []
        self._n_waiting = 0
        self._window_idx = 0
        self.summary = EncodeSummary()

    def push(self, block: npt.NDArray[np.integer]) -> None:
        """Append samples, and write the windows that they complete.

        A window is complete when a further half segment is there, since a shorter last
        stretch belongs to it.

        Args:
            block: integer array, (n, n_leads), ADC units.

        Raises:
            InvalidSignalError: If the block doesn't fit the recording.
        """
        block = check_samples(block, self.info)
        if not len(block):
            return
        self._waiting.append(block)
        self._n_waiting += len(block)
        self.summary.n_samples += len(block)
        fs, n_spare = self.info.fs, min_tail_len(self.info.fs)
        first = window_start(self._window_idx, fs)
        if self._n_waiting < window_start(self._window_idx + 1, fs) - first + n_spare:
            return
        samples = np.concatenate(self._waiting)
        at = 0
        while True:
            start = window_start(self._window_idx, fs)
            length = window_start(self._window_idx + 1, fs) - start
            if len(samples) - at < length + n_spare:
                break
            self._write_window(samples[at : at + length])
            at += length
        self._keep(samples[at:].copy())

    def flush(self) -> EncodeSummary:
        """Write what is left and the end of the file."""
        fs = self.info.fs
        samples = np.concatenate(
            [np.zeros((0, self.info.n_leads), self.info.dtype), *self._waiting]
        )
        while len(samples):
            start = window_start(self._window_idx, fs)
            length = window_start(self._window_idx + 1, fs) - start
            if len(samples) - length < min_tail_len(fs):
                length = len(samples)
            self._write_window(samples[:length])
            samples = samples[length:]
        self._keep(samples)
        self._writer.close(self.summary.n_samples)
        self.summary.coded_bytes = self._writer.n_bytes
        n_values = self.summary.n_samples * self.info.n_leads
        self.summary.raw_bytes = n_values * self.info.adc_bits // 8
        return self.summary

    def _keep(self, samples: IntArray) -> None:
        self._waiting = [samples]
        self._n_waiting = len(samples)

    def _write_window(self, samples: IntArray) -> None:
        for lead in range(self.info.n_leads):
            x = samples[:, lead].astype(np.int32)
            level, payload = self._choose(x, lead)
            self._writer.write_frame(
                Frame(self._window_idx, lead, level.id, payload)
            )
            self.summary.n_windows += 1
            counts = self.summary.levels
            counts[level.name] = counts.get(level.name, 0) + 1
        self._window_idx += 1

    def _choose(self, x: npt.NDArray[np.int32], lead: int) -> tuple[Level, bytes]:
        place = window_place(len(x), self.info, lead)
        windows = self._codec.windows
        window = windows.analyze(x, place)
        if _only_lossless_fits(x, self.info):
            return self._lossless, windows.encode(window, self._lossless)
        for level in self._order[:-1]:
            payload = self._payload(window, level, lead)
            x_hat = windows.decode(payload, level, place)
            if self._policy.accepts(x, x_hat):
                return level, payload
        return self._order[-1], self._payload(window, self._order[-1], lead)

    def _payload(self, window: Analysis, level: Level, lead: int) -> bytes:
        is_near = level.kind == "near_lossless"
        max_error = self._max_errors[lead] if is_near else 0
        return self._codec.windows.encode(window, level, max_error=max_error)

    def __enter__(self) -> Self:
        """Return the encoder; `flush` is still the caller's."""
        return self

    def __exit__(self, *unused: object) -> None:
        """Do nothing: a stream that failed must not look whole."""


class StreamDecoder:
    """Decodes a file window by window, all leads of a window together.

    Args:
        codec: the codec of the bundle that the file names.
        reader: the file.
        progress: called with samples done and in all (0: unknown), of each lead.

    Raises:
        ModelError: If the file names another bundle.
    """

    def __init__(
        self,
        codec: Codec,
        reader: ContainerReader,
        *,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        """Check that codec and file belong together."""
        header = reader.header
        if header.model_id not in (NO_MODEL, codec.model_id):
            raise ModelError(
                f"a file must be decoded with the bundle that wrote it, "
                f"{header.model_id.hex()}, got {codec.bundle.name} "
                f"({codec.model_id.hex()}); name the right one by --bundle"
            )
        if header.geometry != WindowGeometry():
            raise ModelError(
                "a file's windows must be those of the bundle, got another segment "
                f"length or rate ({header.geometry}); use the version that wrote it"
            )
        self.info = header.info
        self._codec = codec
        self._reader = reader
        self._progress = progress
        self._damage: list[Damage] = []
        self._n_windows = 0
        self._n_samples = 0

    def run(self, write: Callable[[IntArray], object]) -> DecodeSummary:
        """Decode everything; `write` gets arrays (n, n_leads) in order."""
        waiting: list[Frame] = []
        window_idx = 0
        for frame in self._reader.frames():
            while frame.window_idx > window_idx:
                self._write_window(write, window_idx, waiting)
                waiting, window_idx = [], window_idx + 1
            waiting.append(frame)
        n_windows = self._reader.n_windows
        while window_idx < n_windows:
            is_last = window_idx == n_windows - 1
            self._write_window(write, window_idx, waiting, is_last=is_last)
            waiting, window_idx = [], window_idx + 1
        return DecodeSummary(
            n_samples=self._n_samples,
            n_windows=self._n_windows,
            damage=[*self._reader.damage, *self._reader.skipped, *self._damage],
        )

    def _write_window(
        self,
        write: Callable[[IntArray], object],
        window_idx: int,
        frames: list[Frame],
        *,
        is_last: bool = False,
    ) -> None:
        start = window_start(window_idx, self.info.fs)
        stop = window_start(window_idx + 1, self.info.fs)
        if is_last:
            stop = self._reader.n_samples
        block = np.empty((max(0, stop - start), self.info.n_leads), self.info.dtype)
        block[:] = np.clip(self.info.adc_baseline, *_range(self.info))
        for frame in frames:
            place = window_place(len(block), self.info, frame.lead)
            try:
                level = self._codec.bundle.level_by_id(frame.level_id)
                x_hat = self._codec.windows.decode(frame.payload, level, place)
                block[:, frame.lead] = np.clip(x_hat, *_range(self.info))
                self._n_windows += 1
            except FormatError as error:
                self._damage.append(
                    Damage(window_idx, frame.lead, offset=-1, reason=str(error))
                )
        write(block)
        self._n_samples += len(block)
        if self._progress is not None:
            n_all = self._reader.n_samples if self._reader.is_complete else 0
            self._progress(self._n_samples, n_all)


def window_place(n_samples: int, info: RecordingInfo, lead: int) -> WindowPlace:
    """Return what both sides know of a window before its payload."""
    return WindowPlace(
        n_samples=n_samples,
        fs=info.fs,
        baseline=info.adc_baseline[lead],
        adc_bits=info.adc_bits,
    )


def _range(info: RecordingInfo) -> tuple[int, int]:
    limit = 1 << (info.adc_bits - 1)
    return -limit, limit - 1


def _only_lossless_fits(x: IntArray, info: RecordingInfo) -> bool:
    if x.min() == x.max():
        return True
    return info.adc_bits == 16 and bool((x == MISSING_16).any())


def _max_errors(
    info: RecordingInfo, order: list[Level], max_error_uv: float | None
) -> list[int]:
    is_needed = any(level.kind == "near_lossless" for level in order)
    if is_needed and max_error_uv is None:
        raise ConfigError(
            "near_lossless needs the largest error of a sample, got none; state "
            "max_error_uv (--max-error-uv)"
        )
    if max_error_uv is None:
        return [0] * info.n_leads
    if not is_needed or not 0.0 <= max_error_uv < 1e6:
        raise ConfigError(
            f"max_error_uv must lie between 0 and 1e6 uV and go with near_lossless, "
            f"got {max_error_uv:g} uV at level {order[0].name}; choose near_lossless"
        )
    return [
        max_error_adc(max_error_uv, abs(gain) / mv_per_unit(unit))
        for gain, unit in zip(info.adc_gain, info.units, strict=True)
    ]
