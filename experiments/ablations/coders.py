# SPDX-License-Identifier: Apache-2.0
"""Coders of the ablations alone: short trainings, no rounding, lone segments."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dynamic_deep.bitstream import frame_len
from dynamic_deep.config import SEGMENTS_PER_WINDOW
from dynamic_deep.segments import from_model_rate
from dynamic_deep.trials import Subject
from dynamic_deep.window_codec import coded_steps
from experiments.coders.levels import LevelCoder, load_codec
from experiments.coders.protocol import Coder, Sent
from experiments.judges import load_judge
from experiments.kept import is_kept, keep
from experiments.measured import Measured, measure
from experiments.weights_folder import ABLATIONS


@dataclass(frozen=True, kw_only=True)
class AblationCoder:
    """A level of a short training, see `experiments.ablations.presets`.

    Attributes:
        ablation: its name.
        level: of its bundle.
        folder: of the bundles.
    """

    ablation: str
    level: str
    folder: Path = ABLATIONS

    @property
    def name(self) -> str:
        """Training and level."""
        return f"ablation {self.ablation}/{self.level}"

    @property
    def family(self) -> str:
        """Of all short trainings."""
        return "ablation"

    @property
    def identity(self) -> str:
        """Of its bundle and level."""
        return self._coder.identity

    @property
    def element_gain(self) -> float | None:
        """Samples over elements of the latent."""
        return self._coder.element_gain

    def send(self, subject: Subject) -> Sent:
        """Code and decode one window."""
        return self._coder.send(subject)

    @property
    def _coder(self) -> LevelCoder:
        return LevelCoder(bundle=str(self.folder / self.ablation), level=self.level)


@dataclass(frozen=True, kw_only=True)
class UnroundedCoder:
    """A neural level whose latent is not rounded before it is decoded; no bytes."""

    bundle: str
    level: str

    @property
    def name(self) -> str:
        """Bundle and level."""
        return f"{self.bundle}/{self.level} unrounded"

    @property
    def family(self) -> str:
        """The bundle."""
        return self.bundle

    @property
    def identity(self) -> str:
        """Of the bundle and the level."""
        model_id = load_codec(self.bundle).model_id.hex()
        words = f"{model_id} {self.level} unrounded"
        return hashlib.sha256(words.encode()).hexdigest()

    @property
    def element_gain(self) -> float | None:
        """Nothing is sent."""
        return None

    def send(self, subject: Subject) -> Sent:
        """Decode what the encoder found; the number of bytes is NaN."""
        codec, place = load_codec(self.bundle), subject.place
        rung, shape = codec.bundle.level(self.level), codec.bundle.latents[self.level]
        window = codec.windows.analyze(subject.x, place)
        n_steps = coded_steps(place.model_len, shape.stride)
        latent = window.latents[shape.level_idx][:n_steps]
        # It takes integers by its type alone: they are made floats at once.
        x_hat = codec.windows.synthesize(latent, rung, place.n_segments)  # type: ignore[arg-type]
        native = from_model_rate(x_hat[: place.model_len], place.fs, place.n_samples)
        whole = np.rint(window.scale.restore(native) + place.baseline)
        limit = 1 << (place.adc_bits - 1)
        return Sent(float("nan"), np.clip(whole, -limit, limit - 1).astype(np.int32))


@dataclass(frozen=True, kw_only=True)
class SegmentCoder:
    """A level by which every segment of a window is a frame of its own."""

    coder: LevelCoder

    @property
    def name(self) -> str:
        """Bundle and level."""
        return f"{self.coder.name} by segment"

    @property
    def family(self) -> str:
        """The bundle."""
        return self.coder.family

    @property
    def identity(self) -> str:
        """Of the level."""
        return hashlib.sha256(f"{self.coder.identity} segments".encode()).hexdigest()

    @property
    def element_gain(self) -> float | None:
        """That of the level."""
        return self.coder.element_gain

    def send(self, subject: Subject) -> Sent:
        """Code and decode a window's segments, one after the other."""
        place, n_bytes, parts = subject.place, 0.0, list[npt.NDArray[Any]]()
        bounds = np.linspace(0, place.n_samples, SEGMENTS_PER_WINDOW + 1).astype(int)
        for start, stop in itertools.pairwise(bounds):
            x = subject.x[start:stop]
            if x.min() == x.max():  # flat: as the codec does, bit-exact, almost free
                parts.append(x)
                n_bytes += frame_len(0, 1)
                continue
            part = dataclasses.replace(place, n_samples=len(x))
            sent = self.coder.send(dataclasses.replace(subject, x=x, place=part))
            n_bytes += sent.n_bytes
            parts.append(sent.x_hat)
        return Sent(n_bytes, np.concatenate(parts))


def measured(coder: Coder, split: str, judge: str | None) -> Measured:
    """Return the table of a coder, kept as `experiments.measuring` keeps its own."""
    name, key = _key(coder, split, judge)
    asked = load_judge(judge) if judge else None
    return Measured(**keep(name, key, lambda: measure(coder, split, asked).arrays()))


def measure_side_by_side(
    coders: Sequence[Coder], split: str, judge: str | None, *, n_workers: int
) -> list[Measured]:
    """Return the tables of coders, those not kept yet measured in processes."""
    left = [c for c in coders if not is_kept(*_key(c, split, judge))]
    if left and n_workers > 1:
        with ProcessPoolExecutor(n_workers, mp_context=get_context("spawn")) as pool:
            jobs = [pool.submit(_measure_one, c, split, judge) for c in left]
            for job in jobs:
                job.result()
    return [measured(coder, split, judge) for coder in coders]


def _measure_one(coder: Coder, split: str, judge: str | None) -> None:
    measured(coder, split, judge)


def _key(
    coder: Coder, split: str, judge: str | None
) -> tuple[str, dict[str, str | None]]:
    key = {
        "what": "measured",
        "split": split,
        "coder": coder.name,
        "identity": coder.identity,
        "judge": load_judge(judge).identity if judge else None,
    }
    return f"{split}-{coder.name}-{judge or 'signal'}", key
