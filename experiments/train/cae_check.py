# SPDX-License-Identifier: Apache-2.0
"""How well an autoencoder of 2018 restores segments that no training saw."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dynamic_deep.metrics import prd01, prdn
from experiments.coders.cae import STORAGES, CaeWeights, load_latent, store_latent
from experiments.networks.segments2018 import restore_segment, scale_segment
from experiments.train.cae_data import load_native_leads, spread_segments

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int32]

N_CHECK_SEGMENTS = 300  # of each
CHECKS = (("mitdb", "held_out"), ("cinc2017", "validation"))


@dataclass(frozen=True, kw_only=True, eq=False)
class Segments:
    """Segments of one data set: `x` int32 (n, 2000) ADC units, `scaled` in [0, 1]."""

    x: IntArray
    scaled: FloatArray

    @classmethod
    def of(cls, x: IntArray) -> Segments:
        """Scale segments."""
        return cls(x=x, scaled=np.stack([scale_segment(row)[0] for row in x]))

    def errors(self, scaled_hat: FloatArray) -> dict[str, float]:
        """Return the mean errors of reconstructions, those of flat segments left out.

        Args:
            scaled_hat: float32, (n, 2000), in the scale of `scaled`.
        """
        rows = []
        for x, y in zip(self.x, scaled_hat, strict=True):
            span = int(x.min()), int(x.max())
            if span[0] < span[1]:
                x_hat = np.rint(restore_segment(y, span))
                rows.append((prd01(x, x_hat), prdn(x, x_hat)))
        means = np.mean(rows, axis=0)
        return {"prd01": round(float(means[0]), 3), "prdn": round(float(means[1]), 3)}


def check_segments() -> dict[str, Segments]:
    """Return segments that no training saw, by data set."""
    return {
        name: Segments.of(
            spread_segments(load_native_leads(name, split), N_CHECK_SEGMENTS)
        )
        for name, split in CHECKS
    }


def measure(
    weights: CaeWeights, checks: dict[str, Segments]
) -> dict[str, dict[str, dict[str, float]]]:
    """Return the mean errors by data set and by the way to store a latent."""
    found: dict[str, dict[str, dict[str, float]]] = {}
    for name, check in checks.items():
        latents = weights.encode(check.scaled)
        found[name] = {}
        for storage in STORAGES:
            restored = [
                load_latent(
                    store_latent(latent, storage, weights.largest),
                    storage,
                    weights.largest,
                )
                for latent in latents
            ]
            found[name][storage] = check.errors(weights.decode(np.stack(restored)))
    return found
