# SPDX-License-Identifier: Apache-2.0
"""Make the bundles that tests decode with: `python -m tests.make_bundle`.

Their networks are no trained ones but a block cosine transform of 64 samples, cut after
some coefficients: small, and good enough for an ECG to come back as one. They are kept
under tests/data/bundles, so that training the shipped bundles again changes no test.
`cosine` is a codec and no more; `aware` has tasks and error heads as well, `context`
the networks of `cosine` and some context networks.
A bundle that exists is never overwritten, since golden files name its hash. Needs
TensorFlow; the tests that use the bundles don't.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np

from tests.context_nets import coder_tables, make_coder, wavelet_net

FOLDER = Path(__file__).parent / "data" / "bundles"
STRIDE = 64
STEP = 0.9  # of the quantiser, in units of the window's standard deviation
LEVELS = {"gain_32": 12, "gain_64": 6}  # name -> coefficients kept
AWARE_LEVELS = {**LEVELS, "gain_128": 3}
FIRST_NEURAL_ID = 16

# What the error heads of `aware` foretell: an error grows with the gain, and with how
# restless the window is. Fitted by eye to simulated windows.
HEAD_GAINS = {"wavelet_12": 12, "wavelet_24": 24, "gain_32": 32, "gain_64": 64}
HEAD_GAINS |= {"gain_128": 128}
CHANNELS = ("rhythm:raw", "rhythm:label", "rpeaks:raw")
CENTER = {"rhythm:raw": -10.0, "rhythm:label": -1.0, "rpeaks:raw": -23.5}
BY_LOG_GAIN = {"rhythm:raw": 1.6, "rhythm:label": 0.2, "rpeaks:raw": 4.5}
BY_RESTLESSNESS = 8.0
BY_LOG_RATE = 0.5
SPREAD = 0.5


def cosines(n_kept: int) -> np.ndarray:
    """The orthonormal cosine basis, float32 (STRIDE, n_kept)."""
    at = (np.arange(STRIDE) + 0.5)[:, None]
    basis = np.sqrt(2.0 / STRIDE) * np.cos(np.pi / STRIDE * at * np.arange(n_kept))
    basis[:, 0] /= np.sqrt(2.0)
    return basis.astype(np.float32)


def _networks(
    levels: dict[str, int], *, has_features: bool = False
) -> dict[str, bytes]:
    from keras import ops

    from training.lite import convert

    widest = max(levels.values())

    def encode(segments: Any) -> tuple[Any, ...]:
        blocks = ops.reshape(segments, (-1, 2240 // STRIDE, STRIDE))
        latents = tuple(ops.matmul(blocks, cosines(n) / STEP) for n in levels.values())
        return (*latents, _features(segments)) if has_features else latents

    def body(features: Any, level_idx: Any) -> Any:
        # Adding 0 times the level keeps it an input, as in a trained body.
        level = 0.0 * ops.cast(level_idx, "float32")[:, None, None]
        blocks = ops.matmul(features, STEP * cosines(widest).T)
        return ops.reshape(blocks, (1, -1, 1)) + level

    def entry(n_kept: int) -> Any:
        return lambda y: ops.matmul(y, np.eye(n_kept, widest, dtype=np.float32))

    networks = {"encoder": convert(encode, [((None, 2240, 1), "float32")])}
    for name, n_kept in levels.items():
        signature = [((1, None, n_kept), "float32")]
        networks[f"entry_{name}"] = convert(entry(n_kept), signature)
    signature = [((1, None, widest), "float32"), ((1,), "int32")]
    networks["body"] = convert(body, signature)
    return networks


def _features(segments: Any) -> Any:
    """How loud and how restless each segment is, and its largest value."""
    from keras import ops

    x = segments[..., 0]
    steps = ops.abs(x[:, 1:] - x[:, :-1])
    loud, largest = ops.abs(x), ops.max(ops.abs(x), axis=1)
    return ops.stack([ops.mean(loud, axis=1), ops.mean(steps, axis=1), largest], axis=1)


def _heads() -> bytes:
    from keras import ops

    from training.lite import convert

    gains = np.array([1.0, *HEAD_GAINS.values()])
    fixed = np.array([CENTER[c] for c in CHANNELS])
    slopes = np.array([BY_LOG_GAIN[c] for c in CHANNELS])
    rows = (fixed + slopes * np.log(gains)[:, None]).reshape(1, -1).astype(np.float32)

    def heads(segments: Any, rates: Any) -> tuple[Any, Any]:
        restless = ops.mean(segments[:, :, 1], axis=1, keepdims=True)
        # Of the neural levels, with which the numbers above were chosen.
        rate = ops.mean(rates[:, -len(AWARE_LEVELS) :], axis=1, keepdims=True)
        center = rows + BY_RESTLESSNESS * restless + BY_LOG_RATE * rate
        return center, SPREAD + 0.0 * center

    n_rates = len(HEAD_GAINS)
    return convert(heads, [((1, None, 3), "float32"), ((1, n_rates), "float32")])


def _tasks() -> dict[str, bytes]:
    """A rhythm by how loud and restless it is, and R peaks by their height."""
    from keras import ops

    from training.lite import convert

    weights = np.array([[0.0, 3.0, -3.0, 0.0], [12.0, 0.0, 0.0, 8.0]], np.float32)
    bias = np.array([-1.2, -1.5, 2.0, -1.5], np.float32)

    def mean_of(x: Any, n: int, stride: int) -> Any:
        return ops.average_pool(x, n, strides=stride, padding="same")

    def rhythm(window: Any) -> Any:
        rough = ops.abs(window - mean_of(window, 5, 1))
        parts = [mean_of(x, 256, 256) for x in (ops.abs(window), rough)]
        return ops.softmax(ops.matmul(ops.concatenate(parts, axis=-1), weights) + bias)

    def rpeaks(window: Any) -> Any:
        return 1.0 - ops.clip((window - 0.5) / 3.0, 0.0, 1.0)

    signature = [((1, None, 1), "float32")]
    return {
        "task_rhythm": convert(rhythm, signature),
        "task_rpeaks": convert(rpeaks, signature),
    }


def _neural_tables(levels: dict[str, int]) -> dict[str, np.ndarray]:
    """Tables whose context is used in every way, whatever it is worth."""
    from dynamic_deep.entropy import normalize_counts
    from training.latent_tables import prior_tables

    rng = np.random.default_rng(1)
    tables: dict[str, Any] = {}
    for name, n_kept in levels.items():
        shape = (3, n_kept, n_kept)
        tables[f"{name}/earlier"] = rng.integers(-1, 4, shape).astype(np.int16)
        tables[f"{name}/same"] = rng.integers(-1, 5, shape).astype(np.int16)
        falling = -130 * np.arange(n_kept) / n_kept
        tables[f"{name}/bias"] = falling.astype(np.int16)
        tables[f"{name}/n_groups"] = np.int32(3)
        tables[f"{name}/counts"] = normalize_counts(prior_tables())
    return tables


def _net_tables(levels: dict[str, int]) -> dict[str, np.ndarray]:
    """Those of context networks of the levels and of one wavelet level."""
    coders = {"wavelet_16": wavelet_net()}
    for seed, (name, n_kept) in enumerate(levels.items()):
        coders[name] = make_coder(n_kept, 3, seed=seed)
    return {
        f"{name}/{key}": array
        for name, coder in coders.items()
        for key, array in coder_tables(coder).items()
    }


def make(
    name: str,
    levels: dict[str, int],
    *,
    is_aware: bool = False,
    has_networks: bool = False,
) -> None:
    """Write a bundle if it is missing."""
    folder = FOLDER / name
    if folder.exists():
        sys.stderr.write(f"{folder} exists and stays as it is\n")
        return
    from dynamic_deep.bundle import LatentShape, Level, content_hash, load_bundle
    from training.classical import write_bundle

    ids = range(FIRST_NEURAL_ID, FIRST_NEURAL_ID + len(levels))
    networks = _networks(levels, has_features=is_aware)
    tables = load_bundle("classical").tables | _neural_tables(levels)
    if has_networks:
        nets = _net_tables(levels)
        for level in {key.split("/")[0] for key in nets}:
            del tables[f"{level}/counts"]
        tables |= nets
    if is_aware:
        networks |= {"heads": _heads(), **_tasks()}
    write_bundle(
        folder,
        name=name,
        tables=tables,
        neural_levels=[
            Level(id=i, name=n, kind="neural", nominal_gain=float(n.split("_")[1]))
            for i, n in zip(ids, levels, strict=True)
        ],
        latents={
            name: LatentShape(
                level_idx=i, n_channels=n_kept, stride=STRIDE, threshold=0.58
            )
            for i, (name, n_kept) in enumerate(levels.items())
        },
        networks=networks,
        trained={"data": "none: a cosine transform"},
        heads=(
            {"levels": list(HEAD_GAINS), "channels": list(CHANNELS)}
            if is_aware
            else None
        ),
    )
    sys.stderr.write(f"{folder} made, {content_hash(folder).hex()}\n")


def main() -> int:
    """Write the bundles that are missing."""
    make("cosine", LEVELS)
    make("aware", AWARE_LEVELS, is_aware=True)
    make("context", LEVELS, has_networks=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
