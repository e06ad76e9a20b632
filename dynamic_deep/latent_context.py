# SPDX-License-Identifier: Apache-2.0
"""The weights of a context network: whole numbers, so that every machine agrees.

Every sum of them is below 2**24, which float32 adds exactly in any order.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dynamic_deep.errors import CorruptError

N_SIGNS = 16  # tables of a sign, half a logit apart
HIDDEN_CAP = 255
UNIT = 32  # weights and the hidden map count 32nds
ROW = UNIT * UNIT  # so that the step from a table to the next is as many
MAX_HIDDEN = 64  # keeps every sum below 2**24, and a row on a device's stack

KINDS = {  # dtype and number of axes
    "near": ("int8", 4),
    "first": ("int16", 2),
    "out": ("int8", 4),
    "out_bias": ("int32", 3),
    "bounds": ("int16", 1),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class ContextNet:
    """The integer network from symbols that are known to tables of those that follow.

    Attributes:
        near: int8 array, (n_taps, n_channels, 2 * n_sizes, n_hidden), n_taps odd: what
            a symbol adds to the rows from (n_taps - 1) / 2 steps after it (the first
            tap) to as many before it. Symbols are told apart by `classes`.
        first: int16 array, (2 * n_groups, n_hidden): what each pass adds to all rows,
            two passes a group of channels.
        out: int8 array, (2, n_hidden, n_channels, 2): even or odd steps; hidden;
            channel; magnitude and sign.
        out_bias: int32 array, (2, n_channels, 2).
        bounds: int16 array, (n_groups + 1,): where each group of channels begins, and
            the number of channels.
    """

    near: npt.NDArray[np.int8]
    first: npt.NDArray[np.int16]
    out: npt.NDArray[np.int8]
    out_bias: npt.NDArray[np.int32]
    bounds: npt.NDArray[np.int16]

    def __post_init__(self) -> None:
        """Check that the shapes belong together and that no sum can grow too large."""
        kinds = {
            name: (array.dtype.name, array.ndim) for name, array in vars(self).items()
        }
        if kinds != KINDS:
            raise CorruptError(
                f"arrays of a context network must be of the kinds {KINDS}, got "
                f"{kinds}; the bundle is damaged"
            )
        n_channels, n_hidden = self.out_bias.shape[1], self.first.shape[-1]
        n_taps, n_sizes, n_groups = len(self.near), self.n_sizes, len(self.bounds) - 1
        found = [self.near.shape, self.first.shape, self.out.shape, self.out_bias.shape]
        wanted = [
            (n_taps, n_channels, 2 * n_sizes, n_hidden),
            (2 * n_groups, n_hidden),
            (2, n_hidden, n_channels, 2),
            (2, n_channels, 2),
        ]
        if found != wanted or n_taps % 2 == 0 or n_hidden > MAX_HIDDEN or not n_sizes:
            raise CorruptError(
                f"a context network must have arrays of the shapes {wanted}, an odd "
                f"number of taps and at most {MAX_HIDDEN} hidden values, got {found}; "
                "the bundle is damaged"
            )
        bounds = self.bounds.tolist()
        if bounds[0] != 0 or bounds[-1] != n_channels or (np.diff(bounds) < 1).any():
            raise CorruptError(
                f"groups must begin in order from 0 to {n_channels}, got {bounds}; the "
                "bundle is damaged"
            )
        largest = int(np.abs(self.out_bias.astype(np.int64)).max())
        if largest >= 1 << 22:
            raise CorruptError(
                f"a bias of a context network must be below 2^22, got {largest}; the "
                "bundle is damaged"
            )

    @property
    def groups(self) -> list[slice]:
        """The channels of each group."""
        return [slice(a, b) for a, b in itertools.pairwise(self.bounds.tolist())]

    @property
    def n_sizes(self) -> int:
        """Classes of magnitudes: 1, 2 to 3, 4 to 7 and so on, the last one open."""
        return int(self.near.shape[2]) // 2

    @property
    def n_channels(self) -> int:
        """Channels of the latent."""
        return int(self.out_bias.shape[1])

    @property
    def reach(self) -> int:
        """How many steps away a symbol is heard."""
        return len(self.near) // 2


def classes(values: npt.NDArray[np.int32], n_sizes: int) -> npt.NDArray[np.int64]:
    """Return the class of each value that is not 0: -4, -2, -1, 1, 2, 4 give 0 to 5.

    A magnitude counts by its bits, and from `n_sizes` bits on as that many.
    """
    _, n_bits = np.frexp(np.abs(values).astype(np.float64))
    size = np.minimum(n_bits, n_sizes).astype(np.int64)
    return np.where(values < 0, n_sizes - size, n_sizes + size - 1)
