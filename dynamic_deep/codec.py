# SPDX-License-Identifier: Apache-2.0
"""The codec: recordings to `.ddc` files and back, whole or as a stream."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from dynamic_deep.bundle import Bundle, Level, load_bundle
from dynamic_deep.bundle_shipped import find_bundle
from dynamic_deep.container import NO_MODEL, ContainerReader
from dynamic_deep.errors import FormatError
from dynamic_deep.policy import Fixed, Policy
from dynamic_deep.recording import (
    Recording,
    RecordingInfo,
    RecordingReader,
    RecordingWriter,
    with_samples,
)
from dynamic_deep.stream_decoder import DecodeSummary, StreamDecoder
from dynamic_deep.stream_encoder import DEFAULT_LEVEL, EncodeSummary, StreamEncoder
from dynamic_deep.window_codec import WindowCodec

__all__ = [
    "DEFAULT_BUNDLE",
    "DEFAULT_LEVEL",
    "Codec",
    "DecodeSummary",
    "EncodeSummary",
    "StreamDecoder",
    "StreamEncoder",
]

IntArray = npt.NDArray[np.signedinteger]

DEFAULT_BUNDLE = "standard"
READ_SECONDS = 60.0  # of signal a block, when a file is read as a stream


class Codec:
    """Encodes and decodes recordings with one bundle.

    Args:
        bundle: the bundle.
        n_threads: of the CPU, for the networks.
        precision: of the encoder, float or int8; files are the same to a decoder.

    Example:
        codec = Codec.load("standard")
        data = codec.encode(read_recording("100.hea"), level="gain_64")
        recording = codec.decode(data)
    """

    def __init__(
        self, bundle: Bundle, *, n_threads: int = 1, precision: str = "float"
    ) -> None:
        """Keep the bundle; networks are loaded when first needed."""
        self.bundle = bundle
        self.windows = WindowCodec(bundle, n_threads=n_threads, precision=precision)

    @classmethod
    def load(
        cls,
        name_or_path: str | Path = DEFAULT_BUNDLE,
        *,
        n_threads: int = 1,
        precision: str = "float",
    ) -> Codec:
        """Load a shipped bundle by its name, or any by its folder.

        Raises:
            ModelError: If there is no such bundle, or it is damaged.
        """
        bundle = load_bundle(name_or_path)
        return cls(bundle, n_threads=n_threads, precision=precision)

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
            self.windows, info, stream, policy=policy, max_error_uv=max_error_uv
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
            InvalidSignalError: If the file holds no samples.
        """
        blocks: list[IntArray] = []
        reader = ContainerReader(data)
        info = reader.header.info
        summary = StreamDecoder(self.windows, reader).run(blocks.append)
        if summary.damage:
            first = summary.damage[0]
            place = f"window {first.window_idx}, lead {first.lead}"
            if first.offset >= 0:
                place = f"byte {first.offset}"
            raise FormatError(
                f"a file must be whole to be decoded at once, got: {first.reason} "
                f"({place}); use decode_file, which keeps the rest"
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
        return StreamDecoder(self.windows, reader, progress=progress).run(writer.write)
