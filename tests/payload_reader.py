# SPDX-License-Identifier: Apache-2.0
"""A reader of payloads written from docs/format.md alone: plain Python, no numpy.

It imports nothing of the package, so that it shows what the document says.
"""

from __future__ import annotations

import bisect
import math
from collections.abc import Iterable, Sequence
from typing import Any

Row = Sequence[int]

LOW_TAPS = (
    0.788485616405583, 0.418092273221617, -0.0406894176091641, -0.0645388826286971,
)  # fmt: skip
HIGH_TAPS = (
    -0.852698679008894, 0.377402855612831, 0.110624404418437, -0.0238494650195568,
    -0.0378284555072640,
)  # fmt: skip
NEARNESS = (0, 0, 1, 1, 1, 2, 2, 2, 2)
TREND_EDGES = (-97, -55, -21, 17, 54)
LOGS = [((size + 4) ** 64).bit_length() - 1 for size in range(4096)]


class Reader:
    """*Range coder*."""

    def __init__(self, payload: bytes) -> None:
        self._payload = payload
        self._range = 2**64 - 1
        self._offset = self._word() << 32 | self._word()

    def _word(self) -> int:
        word, self._payload = self._payload[:4], self._payload[4:]
        return int.from_bytes(word.ljust(4, b"\0"), "big")

    def symbol(self, row: Row) -> int:
        unit = self._range >> 24
        quantile = self._offset // unit
        assert quantile < 1 << 24
        lefts, total = [], 0
        for i, count in enumerate(row):
            lefts.append((total * (2**24 - len(row)) >> 16) + i)
            total += count
        lefts.append(1 << 24)
        found = bisect.bisect_right(lefts, quantile) - 1
        self._offset -= unit * lefts[found]
        self._range = unit * (lefts[found + 1] - lefts[found])
        if self._range < 1 << 32:
            self._range <<= 32
            self._offset = self._offset << 32 | self._word()
        return found

    def bits(self, k: int) -> int:
        value = 0
        for at in range(0, k, 8):
            width = min(8, k - at)
            value |= self.symbol([65536 >> width] * (1 << width)) << at
        return value

    def sized(self) -> int:
        k = self.bits(6)
        low = self.bits(min(k, 32))
        return low | self.bits(k - min(k, 32)) << 32

    def escape(self, limit: int) -> int:
        head = self.bits(7)
        size = head >> 1
        assert 1 <= size <= 48
        low = self.bits(min(size, 16))
        value = limit + low + 65536 * self.bits(max(size - 16, 0))
        return -value if head & 1 else value

    def integers(self, rows: Iterable[Row]) -> list[int]:
        """Symbols first, then the fields of the escaped ones."""
        found = [(self.symbol(row), (len(row) - 2) // 2) for row in rows]
        return [
            self.escape(limit) if at > 2 * limit else at - limit for at, limit in found
        ]


def scale_and_offset(reader: Reader, tables: dict[str, Any]) -> tuple[int, int]:
    """*wavelet and neural: scale and offset*."""
    scale_idx = reader.symbol(tables["scale"][0].tolist())
    return scale_idx, reader.integers([tables["offset"][0].tolist()])[0]


def wavelet(reader: Reader, m: int, level: str, tables: dict[str, Any]) -> list[float]:
    """*wavelet*: the window in units of its scale."""
    step, padded = float(tables[f"{level}/step"]), -(-m // 64) * 64
    if f"{level}/near" in tables:
        found = block_bands(net_symbols(reader, padded // 64, level, tables))
    else:
        rows = tables[f"{level}/counts"].tolist()
        octaves = (6, 6, 5, 4, 3, 2, 1)
        found = [
            reader.integers([row] * (padded >> octave))
            for row, octave in zip(rows, octaves, strict=True)
        ]
    bands = []
    for s, read in enumerate(found):
        centroid = float(tables[f"{level}/centroids"][s])
        shifted = [math.copysign(abs(q) + centroid, q) if q else 0.0 for q in read]
        bands.append([v * step for v in shifted])
    x = bands[0]
    for detail in bands[1:]:
        x = _join(x, detail)
    return x[:m]


def _join(approximation: list[float], detail: list[float]) -> list[float]:
    n = len(detail)
    x = [0.0] * (2 * n)
    for k in range(n):
        for j in range(-3, 4):
            x[(2 * k + j) % (2 * n)] += approximation[k] * LOW_TAPS[abs(j)]
        for j in range(-4, 5):
            x[(2 * k + 1 + j) % (2 * n)] += detail[k] * HIGH_TAPS[abs(j)]
    return x


def latent(
    reader: Reader, n_steps: int, level: str, tables: dict[str, Any]
) -> list[list[int]]:
    """*neural*: the coded steps."""
    bias, earlier, same = (
        tables[f"{level}/{key}"].tolist() for key in ("bias", "earlier", "same")
    )
    rows = tables[f"{level}/counts"].tolist()
    n_channels, n_groups = len(bias), int(tables[f"{level}/n_groups"])
    y = [[0] * n_channels for _ in range(n_steps)]

    def known(t: int, channel: int) -> int:
        return min(abs(y[t][channel]), 8) if 0 <= t < n_steps else 0

    def row_of(t: int, c: int, first: int, stop: int) -> Row:
        s = bias[c]
        for d in (-1, 0, 1):
            s += sum(earlier[d + 1][f][c] * known(t + d, f) for f in range(first))
            if t % 2 and d:
                s += sum(
                    same[d + 1][f][c] * known(t + d, f) for f in range(first, stop)
                )
        return rows[min(max((s + 320) // 16, 0), 35)]

    for g in range(n_groups):
        first, stop = (-(-(g + i) * n_channels // n_groups) for i in (0, 1))
        for parity in (0, 1):
            places = [
                (t, c) for t in range(parity, n_steps, 2) for c in range(first, stop)
            ]
            read = reader.integers([row_of(t, c, first, stop) for t, c in places])
            for (t, c), value in zip(places, read, strict=True):
                y[t][c] = value
    return y


def net_symbols(
    reader: Reader, n_steps: int, level: str, tables: dict[str, Any]
) -> list[list[int]]:
    """*Context network*: the steps."""
    keys = ("near", "first", "out", "out_bias", "bounds", "magnitudes", "signs")
    near, start, out, out_bias, bounds, magnitudes, signs = (
        tables[f"{level}/{key}"].tolist() for key in keys
    )
    n_taps, n_sizes = len(near), len(near[0][0]) // 2
    limit = len(magnitudes[0]) - 2
    y = [[0] * bounds[-1] for _ in range(n_steps)]

    def row_of(t: int, g: int) -> list[int]:
        h = list(start[2 * g + t % 2])
        for i in range(n_taps):
            at = t + i - (n_taps - 1) // 2
            if not 0 <= at < n_steps:
                continue
            for f in range(bounds[g + 1] if t % 2 and at % 2 == 0 else bounds[g]):
                v = y[at][f]
                if v:
                    b = min(n_sizes, len(f"{abs(v):b}"))
                    k = n_sizes + b - 1 if v > 0 else n_sizes - b
                    h = [a + b for a, b in zip(h, near[i][f][k], strict=True)]
        return [min(max(v, 0), 255) for v in h]

    def table(t: int, c: int, q: int, h: list[int]) -> int:
        weights = [row[c][q] for row in out[t % 2]]
        s = out_bias[t % 2][c][q]
        return (s + sum(a * b for a, b in zip(weights, h, strict=True))) // 1024

    def size_of(t: int, c: int, h: list[int]) -> int:
        return reader.symbol(magnitudes[min(max(table(t, c, 0, h), 0), 35)])

    def sign_of(t: int, c: int, h: list[int]) -> int:
        row = min(max(table(t, c, 1, h) + 8, 0), 15)
        return 1 if reader.symbol(signs[row]) else -1

    for g in range(len(bounds) - 1):
        for parity in (0, 1):
            steps = range(parity, n_steps, 2)
            rows = {t: row_of(t, g) for t in steps}
            places = [(t, c) for t in steps for c in range(bounds[g], bounds[g + 1])]
            values = [size_of(t, c, rows[t]) for t, c in places]
            for at, (t, c) in enumerate(places):
                if 1 <= values[at] <= limit:
                    values[at] *= sign_of(t, c, rows[t])
            for (t, c), value in zip(places, values, strict=True):
                y[t][c] = reader.escape(limit) if value > limit else value
    return y


def block_bands(blocks: list[list[int]]) -> list[list[int]]:
    """*wavelet*: the subbands of blocks of 64 channels."""
    bands = [[block[0] for block in blocks], [block[1] for block in blocks]]
    for band in range(2, 7):
        w = 1 << (band - 1)
        places = [*range(0, w, 2), *range(1, w, 2)]
        order = [w + places.index(k) for k in range(w)]
        bands.append([block[c] for block in blocks for c in order])
    return bands


def lossless(payload: bytes, n_samples: int, tables: dict[str, Any]) -> list[int]:
    """*lossless and near_lossless*."""
    reader = Reader(payload)
    profile = reader.bits(1)
    m = reader.sized() if reader.bits(1) else 0
    shift = reader.bits(5) if reader.bits(1) else 0
    negative, magnitude = reader.bits(1), reader.sized()
    return _Loop(tables, profile, m, shift).run(
        reader, -magnitude if negative else magnitude, n_samples
    )


class _Loop:
    def __init__(self, tables: dict[str, Any], profile: int, m: int, shift: int):
        self.rows = tables["counts"][2 * profile + (m > 0)].tolist()
        self.weights = tables["scale_coefs"][profile].tolist()
        self.matrix = tables["priors"][profile].tolist()
        self.step, self.shift = 2 * m + 1, shift
        self.means = [512] * 4
        self.moves: dict[int, int] = {}
        self.sizes: dict[int, int] = {}

    def run(self, reader: Reader, first: int, n_samples: int) -> list[int]:
        x = [first]
        context, drop = self.next(32, 2)
        coefs = _solve(self.matrix)
        begin = 0
        while begin < n_samples - 1:
            end = min(begin + (32 if begin < 512 else 128), n_samples - 1)
            for i in range(begin + 1, end + 1):
                moved = sum(coefs[k] * self.moves.get(i - 24 + k, 0) for k in range(24))
                fine = 16 * x[i - 1] + (moved >> 16)
                fine = min(max(fine, -(2**35)), 16 * (2**31 - 1))
                value = self.sample(reader, fine, context, drop)
                change, limit = value - x[i - 1], 32767 << self.shift
                x.append(value)
                self.moves[i] = min(max(change, -limit), limit)
                self.sizes[i] = abs(16 * value - fine)
                context, drop = self.next(self.sizes[i], abs(change))
            self.learn(begin + 1, end)
            coefs = _solve(self.matrix)
            begin = end
        return x

    def sample(self, reader: Reader, fine: int, context: int, drop: int) -> int:
        base, lean = (fine + 8) >> 4, (fine + 8) % 16 - 8
        q = reader.symbol(self.rows[context + NEARNESS[abs(lean) // self.step]]) - 47
        if q == 48:
            negative = reader.bits(1)
            q = reader.sized() + 48
            q = -q if negative else q
        q = (q << drop) + reader.bits(drop)
        value = base + self.step * (q if lean >= 0 else -q)
        return min(max(value, -(2**31)), 2**31 - 1)

    def next(self, r: int, v: int) -> tuple[int, int]:
        e, f = 16 * r // self.step, 256 * v // self.step
        for k, (new, bits) in enumerate(((e, 1), (e, 3), (f, 1), (f, 3))):
            self.means[k] += (new - self.means[k]) >> bits
        octaves = max(0, max(self.means).bit_length() - 16)
        g = [LOGS[mean >> (4 + octaves)] for mean in self.means]
        weighed = sum(w * log for w, log in zip(self.weights, g, strict=False))
        level = ((weighed + self.weights[4]) >> 10) + 3 * octaves
        drop = 0
        if level >= 15:
            drop = (level - 15) // 3 + 1
            level -= 3 * drop
        trend = sum(edge <= g[0] - g[1] for edge in TREND_EDGES)
        return 3 * (6 * max(level, 0) + trend), min(drop, 24)

    def learn(self, a: int, b: int) -> None:
        forget = 7 if b - a + 1 <= 32 else 5
        self.matrix = [[v - (v >> forget) for v in row] for row in self.matrix]
        for i in range(a, b + 1):
            around = (self.sizes.get(min(k, b), 0) for k in range(i - 2, i + 3))
            h = sum(size >> self.shift for size in around)
            w = 2**24 // (min(h >> 2, 4084) + 12) ** 2
            z = [self.moves.get(k, 0) >> self.shift for k in range(i - 24, i + 1)]
            for row, left in zip(self.matrix, z, strict=True):
                row[:] = [v + w * left * right for v, right in zip(row, z, strict=True)]


def _solve(matrix: list[list[int]]) -> list[int]:
    u = [[0] * 25 for _ in range(25)]
    lower = [[0] * 25 for _ in range(25)]
    p = [0] * 25
    for i in range(25):
        b = [(matrix[i][j] + 2**17 * (i == j)) >> 10 for j in range(25)]
        for j in range(min(i, 24)):
            u[i][j] = b[j] - (sum(u[i][k] * lower[j][k] for k in range(j)) >> 32)
            lower[i][j] = (u[i][j] << 32) // p[j]
        known = sum(u[i][k] * lower[i][k] for k in range(min(i, 24)))
        p[i] = max(128, b[i] - (known >> 32))
    c = lower[24][:24]
    for i in range(22, -1, -1):
        c[i] -= sum(lower[k][i] * c[k] for k in range(i + 1, 24)) >> 32
    return [min(max((v + 2048) >> 12, -(2**24)), 2**24) for v in c]
