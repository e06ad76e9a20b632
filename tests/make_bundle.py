# SPDX-License-Identifier: Apache-2.0
"""Make the bundle that tests decode with: `python -m tests.make_bundle`.

Its networks are no trained ones but a block cosine transform of 64 samples, cut after
some coefficients: small, and good enough for an ECG to come back as one. It is kept
under tests/data/bundles, so that training the shipped bundles again changes no test.
A bundle that exists is never overwritten, since golden files name its hash. Needs
TensorFlow; the tests that use the bundle don't.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).parent / "data" / "bundles" / "cosine"
STRIDE = 64
STEP = 0.9  # of the quantiser, in units of the window's standard deviation
LEVELS = {"gain_32": 12, "gain_64": 6}  # name -> coefficients kept
FIRST_NEURAL_ID = 16


def cosines(n_kept: int) -> np.ndarray:
    """The orthonormal cosine basis, float32 (STRIDE, n_kept)."""
    at = (np.arange(STRIDE) + 0.5)[:, None]
    basis = np.sqrt(2.0 / STRIDE) * np.cos(np.pi / STRIDE * at * np.arange(n_kept))
    basis[:, 0] /= np.sqrt(2.0)
    return basis.astype(np.float32)


def _networks() -> dict[str, bytes]:
    from keras import ops

    from training.lite import convert

    widest = max(LEVELS.values())

    def encode(segments: Any) -> tuple[Any, ...]:
        blocks = ops.reshape(segments, (-1, 2240 // STRIDE, STRIDE))
        return tuple(ops.matmul(blocks, cosines(n) / STEP) for n in LEVELS.values())

    def body(features: Any, level_idx: Any) -> Any:
        # Adding 0 times the level keeps it an input, as in a trained body.
        level = 0.0 * ops.cast(level_idx, "float32")[:, None, None]
        blocks = ops.matmul(features, STEP * cosines(widest).T)
        return ops.reshape(blocks, (1, -1, 1)) + level

    def entry(n_kept: int) -> Any:
        return lambda y: ops.matmul(y, np.eye(n_kept, widest, dtype=np.float32))

    networks = {"encoder": convert(encode, [((None, 2240, 1), "float32")])}
    for name, n_kept in LEVELS.items():
        signature = [((1, None, n_kept), "float32")]
        networks[f"entry_{name}"] = convert(entry(n_kept), signature)
    signature = [((1, None, widest), "float32"), ((1,), "int32")]
    networks["body"] = convert(body, signature)
    return networks


def _neural_tables() -> dict[str, np.ndarray]:
    """Tables whose context is used in every way, whatever it is worth."""
    from dynamic_deep.entropy import normalize_counts
    from training.export import prior_tables

    rng = np.random.default_rng(1)
    tables: dict[str, Any] = {}
    for name, n_kept in LEVELS.items():
        shape = (3, n_kept, n_kept)
        tables[f"{name}/earlier"] = rng.integers(-1, 4, shape).astype(np.int16)
        tables[f"{name}/same"] = rng.integers(-1, 5, shape).astype(np.int16)
        falling = -130 * np.arange(n_kept) / n_kept
        tables[f"{name}/bias"] = falling.astype(np.int16)
        tables[f"{name}/n_groups"] = np.int32(3)
        tables[f"{name}/counts"] = normalize_counts(prior_tables())
    return tables


def main() -> int:
    """Write the bundle if it is missing."""
    if FOLDER.exists():
        sys.stderr.write(f"{FOLDER} exists and stays as it is\n")
        return 0
    from dynamic_deep.bundle import LatentShape, Level, content_hash, load_bundle
    from training.classical import write_bundle

    ids = range(FIRST_NEURAL_ID, FIRST_NEURAL_ID + len(LEVELS))
    write_bundle(
        FOLDER,
        name="cosine",
        tables=load_bundle("classical").tables | _neural_tables(),
        neural_levels=[
            Level(id=i, name=n, kind="neural", nominal_gain=float(n.split("_")[1]))
            for i, n in zip(ids, LEVELS, strict=True)
        ],
        latents={
            name: LatentShape(
                level_idx=i, n_channels=n_kept, stride=STRIDE, threshold=0.58
            )
            for i, (name, n_kept) in enumerate(LEVELS.items())
        },
        networks=_networks(),
        trained={"data": "none: a cosine transform"},
    )
    sys.stderr.write(f"{FOLDER} made, {content_hash(FOLDER).hex()}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
