# SPDX-License-Identifier: Apache-2.0
"""The integer encoder of a bundle against its float one, on given windows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from dynamic_deep.bitstream import frame_len
from dynamic_deep.bundle import Bundle
from dynamic_deep.metrics import prdn
from dynamic_deep.trials import Subject
from dynamic_deep.window_codec import WindowCodec
from dynamic_deep.window_encoder import PRECISIONS


@dataclass(frozen=True, kw_only=True)
class LevelComparison:
    """A level by both encoders: float first, int8 second.

    Attributes:
        level: its name.
        n_bytes: of the frames of all windows.
        prdn: mean over windows, percent.
        worst: the largest that any window's PRDN grew by, percentage points.
        same: share of the latent's integers that are equal.
    """

    level: str
    n_bytes: tuple[int, int]
    prdn: tuple[float, float]
    worst: float
    same: float

    @property
    def byte_ratio(self) -> float:
        """Bytes by int8 over bytes by float."""
        return self.n_bytes[1] / self.n_bytes[0]

    @property
    def prdn_change(self) -> float:
        """How much the mean PRDN grew, percentage points."""
        return self.prdn[1] - self.prdn[0]


def compare_levels(
    bundle: Bundle, subjects: Iterable[Subject]
) -> tuple[list[LevelComparison], int]:
    """Return what both encoders come to at each neural level, and the windows."""
    codecs = [WindowCodec(bundle, precision=precision) for precision in PRECISIONS]
    levels = [level for level in bundle.levels if level.kind == "neural"]
    sizes: dict[str, tuple[list[int], list[int]]] = {
        level.name: ([], []) for level in levels
    }
    errors: dict[str, tuple[list[float], list[float]]] = {
        level.name: ([], []) for level in levels
    }
    same: dict[str, list[float]] = {level.name: [] for level in levels}
    n_windows = 0
    for subject in subjects:
        n_windows += 1
        analyses = [codec.analyze(subject.x, subject.place) for codec in codecs]
        for level in levels:
            latents = []
            for i, (codec, analysis) in enumerate(zip(codecs, analyses, strict=True)):
                payload = codec.encode(analysis, level)
                latents.append(codec.quantized_latent(analysis, level))
                decoded = codecs[0].decode(payload, level, subject.place)
                sizes[level.name][i].append(frame_len(level.id, len(payload)))
                errors[level.name][i].append(prdn(subject.x, decoded))
            same[level.name].append(float((latents[0] == latents[1]).mean()))
    rows = []
    for level in levels:
        first, second = (np.array(row) for row in errors[level.name])
        rows.append(
            LevelComparison(
                level=level.name,
                n_bytes=(sum(sizes[level.name][0]), sum(sizes[level.name][1])),
                prdn=(float(first.mean()), float(second.mean())),
                worst=float((second - first).max()),
                same=float(np.mean(same[level.name])),
            )
        )
    return rows, n_windows
