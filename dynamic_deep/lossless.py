# SPDX-License-Identifier: Apache-2.0
"""Lossless coding of one window of one lead, and near-lossless with a hard bound.

Both ends run the same closed loop: predict the next sample from those decoded before
it (`prediction`), choose a probability table from the errors so far (`residual`), code
the error. With `max_error` m the error is rounded to a multiple of 2 m + 1, so that no
sample is further than m from its original; m = 0 is lossless. All is integer
arithmetic, so that any machine decodes any payload.

Payload, one range-coded message: profile (1 bit), near flag (1 bit), `max_error` if
near (number), shift flag (1 bit) and shift (5 bits), first sample (signed number),
then an error a sample. A number is the 6-bit count of its bits and these bits.
"""

from __future__ import annotations

from operator import mul

import numpy as np
import numpy.typing as npt

from dynamic_deep.errors import ConfigError, CorruptError, InvalidSignalError
from dynamic_deep.prediction import (
    CLIP,
    COEF_BITS,
    ERROR_BITS,
    MAX_SHIFT,
    ORDER,
    AdaptivePredictor,
    block_bounds,
)
from dynamic_deep.residual import (
    FRACTION_BIN,
    LosslessTables,
    ScaleTracker,
    SymbolCoder,
    SymbolReader,
    SymbolWriter,
    load_tables,
)

MAX_SAMPLES = 1 << 20  # of one window: bounds the time that hostile bytes can take
MAX_ERROR_LIMIT = (1 << 30) - 1  # ADC units; the step fits 31 bits
_INT32_MIN, _INT32_MAX = -(1 << 31), (1 << 31) - 1
_FINE_MIN, _FINE_MAX = _INT32_MIN << ERROR_BITS, _INT32_MAX << ERROR_BITS
_SHIFT_BITS = 5
_N_PROBED = 1024  # samples by which the encoder chooses the profile
# What the encoder's shift leaves of a difference and of a typical error.
_DIFFERENCE_BITS, _TYPICAL_ERROR_BITS = 13, 6

Int32Array = npt.NDArray[np.int32]


def encode_lossless(samples: npt.ArrayLike, *, max_error: int = 0) -> bytes:
    """Code one window of one lead.

    Args:
        samples: integer array, shape (n_samples,), ADC units within int32; 1 to
            `MAX_SAMPLES` of them.
        max_error: the largest absolute error of any decoded sample, ADC units; 0 is
            lossless.

    Returns:
        The payload. It does not hold n_samples.

    Raises:
        InvalidSignalError: If `samples` is not such an array.
        ConfigError: If `max_error` is out of range.
    """
    window = _checked(samples)
    if not 0 <= max_error <= MAX_ERROR_LIMIT:
        raise ConfigError(
            f"max_error must be 0 to {MAX_ERROR_LIMIT} ADC units, got {max_error}"
        )
    tables = load_tables()
    writer = SymbolWriter()
    profile, shift = _choose_profile(window, tables)
    writer.encoder.encode_bits(profile, 1)
    writer.encoder.encode_bits(int(max_error > 0), 1)
    if max_error:
        writer.number(max_error)
    writer.encoder.encode_bits(int(shift > 0), 1)
    if shift:
        writer.encoder.encode_bits(shift, _SHIFT_BITS)
    first = int(window[0])
    writer.encoder.encode_bits(int(first < 0), 1)
    writer.number(abs(first))
    writer.use(tables.tables(profile, near=max_error > 0))
    loop = ClosedLoop(tables, profile=profile, shift=shift, max_error=int(max_error))
    loop.run(writer, first, len(window), window.tolist())
    return writer.encoder.finish()


def decode_lossless(payload: bytes, n_samples: int) -> Int32Array:
    """Return the window that `encode_lossless` coded.

    Args:
        payload: its bytes.
        n_samples: the length of the window.

    Returns:
        int32 array, shape (n_samples,), ADC units.

    Raises:
        CorruptError: If no encoder writes these bytes or such a length. Damage that
            this can't tell comes back as other samples; a checksum outside finds it.
    """
    if not 1 <= n_samples <= MAX_SAMPLES:
        raise CorruptError(
            f"a window must have 1 to {MAX_SAMPLES} samples, got {n_samples}; "
            "the frame is damaged"
        )
    tables = load_tables()
    reader = SymbolReader(payload)
    bits = reader.decoder.decode_bits
    profile = bits(1)
    max_error = reader.number(MAX_ERROR_LIMIT) if bits(1) else 0
    shift = bits(_SHIFT_BITS) if bits(1) else 0
    if shift > MAX_SHIFT:
        raise CorruptError(f"the shift must be at most {MAX_SHIFT}, got {shift}")
    negative = bits(1)
    first = reader.number(-_INT32_MIN - (1 - negative))
    reader.use(tables.tables(profile, near=max_error > 0))
    loop = ClosedLoop(tables, profile=profile, shift=shift, max_error=max_error)
    try:
        decoded = loop.run(reader, -first if negative else first, n_samples, None)
    except AssertionError as error:  # constriction's, of bytes that can't be
        raise CorruptError(
            "the payload must be a range-coded message, got bytes that no encoder "
            "writes; the frame is damaged"
        ) from error
    return np.array(decoded, dtype=np.int32)


class ClosedLoop:
    """Prediction and reconstruction, the same at both ends.

    Args:
        tables: the trained integers.
        profile: which of the priors and tables.
        shift: see `prediction.AdaptivePredictor`.
        max_error: ADC units.
    """

    def __init__(
        self, tables: LosslessTables, *, profile: int, shift: int, max_error: int
    ) -> None:
        """Prepare the start of a window."""
        self.predictor = AdaptivePredictor(tables.priors[profile], shift)
        self._max_error = max_error
        self._step = 2 * max_error + 1
        self._limit = CLIP << shift
        self.scale = ScaleTracker(tables.scale_coefs[profile], self._step)

    def run(
        self, coder: SymbolCoder, last: int, n_samples: int, targets: list[int] | None
    ) -> list[int]:
        """Code the window from its second sample on.

        Args:
            coder: writer or reader.
            last: the first sample.
            n_samples: how many there are with it.
            targets: the samples to write, None where they are read.

        Returns:
            The decoded samples.
        """
        decoded, errors, error = [last], [0, 0], 0
        differences, limit = [0] * (ORDER + 1), self._limit
        step, max_error, update = self._step, self._max_error, self.scale.update
        context, n_dropped = update(2 << ERROR_BITS, 2)
        half, whole = 1 << (ERROR_BITS - 1), (1 << ERROR_BITS) - 1
        for start, stop in block_bounds(n_samples - 1):
            coefs = self.predictor.coefs
            for idx in range(start + 1, stop + 1):
                moved = sum(map(mul, coefs, differences[idx:]))
                fine = (last << ERROR_BITS) + (moved >> (COEF_BITS - ERROR_BITS))
                if not _FINE_MIN <= fine <= _FINE_MAX:
                    fine = min(max(fine, _FINE_MIN), _FINE_MAX)
                base = (fine + half) >> ERROR_BITS
                fraction = ((fine + half) & whole) - half
                # The error's sign is counted towards the side the prediction leans to.
                side = step if fraction >= 0 else -step
                if targets is not None:
                    error = targets[idx] - base
                    if max_error:
                        size = (abs(error) + max_error) // step
                        error = size if error >= 0 else -size
                    if fraction < 0:
                        error = -error
                table = context + FRACTION_BIN[abs(fraction) // step]
                value = base + side * coder.code(table, n_dropped, error)
                if not _INT32_MIN <= value <= _INT32_MAX:
                    value = min(max(value, _INT32_MIN), _INT32_MAX)
                moved = value - last
                size = abs((value << ERROR_BITS) - fine)
                context, n_dropped = update(size, abs(moved))
                if not -limit <= moved <= limit:
                    moved = min(max(moved, -limit), limit)
                differences.append(moved)
                errors.append(size)
                decoded.append(value)
                last = value
            self.predictor.update(differences[start + 1 :], errors[start:])
        return decoded


def _checked(samples: npt.ArrayLike) -> npt.NDArray[np.int64]:
    array = np.asarray(samples)
    if array.ndim != 1 or not np.issubdtype(array.dtype, np.integer):
        raise InvalidSignalError(
            "samples must be a 1-D integer array, "
            f"got shape {array.shape} of {array.dtype}"
        )
    if not 1 <= len(array) <= MAX_SAMPLES:
        raise InvalidSignalError(
            f"a window must have 1 to {MAX_SAMPLES} samples, got {len(array)}"
        )
    if int(array.min()) < _INT32_MIN or int(array.max()) > _INT32_MAX:
        raise InvalidSignalError(
            f"samples must fit int32, got {array.min()} to {array.max()}"
        )
    return array.astype(np.int64)


def _choose_profile(
    window: npt.NDArray[np.int64], tables: LosslessTables
) -> tuple[int, int]:
    """Return the profile whose prior predicts the first seconds best, and the shift."""
    differences = np.diff(window)
    if not len(differences):
        return 0, 0
    padded = np.concatenate([np.zeros(ORDER, np.int64), differences[:_N_PROBED]])
    rows = np.lib.stride_tricks.sliding_window_view(padded, ORDER + 1)
    costs, sizes = [], []
    for prior in tables.priors:
        coefs = np.array(AdaptivePredictor(prior, 0).coefs, dtype=np.int64)
        errors = np.abs(rows[:, ORDER] - ((rows[:, :ORDER] @ coefs) >> COEF_BITS))
        costs.append(sum(map(int.bit_length, (4 * errors + 1).tolist())))
        sizes.append(int(np.sort(errors)[len(errors) // 2]))
    profile = int(np.argmin(costs))
    # The hundredth part may be clipped: a few steps must not cost the rest its detail.
    largest = int(np.sort(np.abs(differences))[(len(differences) * 99) // 100])
    shift = max(
        0,
        largest.bit_length() - _DIFFERENCE_BITS,
        sizes[profile].bit_length() - _TYPICAL_ERROR_BITS,
    )
    return profile, min(shift, MAX_SHIFT)
