# SPDX-License-Identifier: Apache-2.0
"""Backward-adaptive linear prediction that is integer exact on every machine.

The next difference of a signal is predicted from the `ORDER` differences before it. The
coefficients are never sent: after each block both sides solve the same weighted
least-squares problem over everything decoded so far. A sample counts by the inverse
square of the size of the errors around it, as minimising the summed logarithm of the
error scale asks for; plain least squares would serve the QRS complexes, which are few,
and not the rest of the beat. A prior (the same statistics over training records) stands
in until the window has spoken for itself.

All arithmetic is on integers: int64 sums whose bounds are shown below, and Python
integers in the solver. No float takes part. This module knows nothing of bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from operator import mul

import numpy as np
import numpy.typing as npt

Int64Array = npt.NDArray[np.int64]

ORDER = 24
COEF_BITS = 20  # fraction bits of a coefficient
ERROR_BITS = 4  # fraction bits of the errors that weigh the samples

_COEF_LIMIT = 1 << (COEF_BITS + 4)
_SOLVE_BITS = 32  # fraction bits inside the solver
_DROPPED_BITS = 10  # the statistics carry this many bits below what the solver needs

# Bounds of the sums: a difference is clipped to 15 bits above the window's shift and a
# weight is below 2**17, so a block of 128 adds less than 2**(17 + 30 + 7); forgetting
# 1/32 a block keeps the sum below 2**59.
CLIP = (1 << 15) - 1  # a step must not drown what comes after it, either
_N_WEIGHTS = 4085
_WEIGHTS = (1 << 24) // (np.arange(_N_WEIGHTS, dtype=np.int64) + 12) ** 2
_RIDGE = 1 << 17

_FIRST_BLOCK, _FIRST_FORGET = 32, 7  # forgetting 2**-7 a block of 32
_BLOCK, _FORGET = 128, 5
_N_FIRST = 512  # samples in short blocks: strange signals must leave the prior soon
MAX_SHIFT = 24


def block_bounds(n_samples: int) -> list[tuple[int, int]]:
    """Return the blocks between which the coefficients are renewed."""
    n_first = min(n_samples, _N_FIRST)
    starts = [*range(0, n_first, _FIRST_BLOCK), *range(n_first, n_samples, _BLOCK)]
    return list(pairwise([*starts, n_samples]))


def solve(statistics: Sequence[Sequence[int]]) -> list[int]:
    """Return the coefficients that weighted least squares gives.

    Args:
        statistics: integers, shape (ORDER + 1, ORDER + 1): the weighted second moments
            of the regressors, and in the last row those with the target. Only the lower
            triangle is read.

    Returns:
        ORDER integers with `COEF_BITS` fraction bits, in the regressors' order.
    """
    # LDL^T; `scaled` rows are L times D, so that each entry is one sum of products. The
    # last row, of the target, runs along and comes out as the forward substitution.
    lower: list[list[int]] = []
    pivots: list[int] = []
    for i, moments in enumerate(statistics):
        scaled: list[int] = []
        row: list[int] = []
        for j in range(min(i, ORDER)):
            value = moments[j] - (sum(map(mul, scaled, lower[j])) >> _SOLVE_BITS)
            scaled.append(value)
            row.append((value << _SOLVE_BITS) // pivots[j])
        lower.append(row)
        left = moments[i] - (sum(map(mul, scaled, row)) >> _SOLVE_BITS)
        pivots.append(max(left, _RIDGE >> _DROPPED_BITS))
    coefs = lower[ORDER]
    columns = list(
        zip(*(r + [0] * (ORDER - len(r)) for r in lower[:ORDER]), strict=True)
    )
    for i in range(ORDER - 2, -1, -1):
        known = sum(map(mul, columns[i][i + 1 :], coefs[i + 1 :]))
        coefs[i] -= known >> _SOLVE_BITS
    half = 1 << (_SOLVE_BITS - COEF_BITS - 1)
    rounded = ((c + half) >> (_SOLVE_BITS - COEF_BITS) for c in coefs)
    return [min(max(c, -_COEF_LIMIT), _COEF_LIMIT) for c in rounded]


class AdaptivePredictor:
    """The least-squares statistics of one window and the coefficients they give.

    Args:
        prior: int64 array, shape (ORDER + 1, ORDER + 1): statistics to start from.
        shift: differences and errors lose this many bits before they enter the
            statistics, so that 32-bit signals keep the sums in int64.
    """

    def __init__(self, prior: Int64Array, shift: int) -> None:
        """Start from the prior."""
        self.statistics = prior.astype(np.int64)
        self._shift = shift
        self._ridge = _RIDGE * np.eye(ORDER + 1, dtype=np.int64)
        self.coefs = self._solve()

    def _solve(self) -> list[int]:
        return solve(((self.statistics + self._ridge) >> _DROPPED_BITS).tolist())

    def update(self, differences: Sequence[int], errors: Sequence[int]) -> None:
        """Take in one block and renew the coefficients.

        Args:
            differences: the block's differences after the ORDER that precede it,
                oldest first; at most `CLIP` << shift in size.
            errors: absolute prediction errors of the block with two before it, in
                units of 2**-ERROR_BITS.
        """
        n_block = len(differences) - ORDER
        forget = _FORGET if n_block > _FIRST_BLOCK else _FIRST_FORGET
        kept = np.asarray(differences, dtype=np.int64) >> self._shift
        rows = np.lib.stride_tricks.sliding_window_view(kept, ORDER + 1)
        weighted = rows * self._weigh(errors)[:, None]
        self.statistics -= self.statistics >> forget
        self.statistics += weighted.T @ rows
        self.coefs = self._solve()

    def _weigh(self, errors: Sequence[int]) -> Int64Array:
        sizes = np.asarray(errors, dtype=np.int64) >> self._shift
        # The two errors after the block aren't known yet: the last one stands for them.
        sizes = np.concatenate([sizes, sizes[-1:], sizes[-1:]])
        around = sizes[:-4] + sizes[1:-3] + sizes[2:-2] + sizes[3:-1] + sizes[4:]
        weights: Int64Array = _WEIGHTS[np.minimum(around >> 2, _N_WEIGHTS - 1)]
        return weights
