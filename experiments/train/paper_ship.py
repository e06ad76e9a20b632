# SPDX-License-Identifier: Apache-2.0
"""What follows training of the paper's codec: export, error heads, check, and files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from dynamic_deep.config import MODEL_FS, RHYTHM_CLASSES, WINDOW_LEN
from dynamic_deep.lossless import encode_lossless
from dynamic_deep.trials import Subject
from dynamic_deep.window_codec import WindowPlace
from experiments.coders.paper import STORAGES, PaperLevel
from experiments.networks.paper import ABOUT, LEVELS, N_ELEMENTS, PaperNetworks
from experiments.networks.paper_segments import SEGMENT_LEN, FloatArray
from experiments.results_file import commit
from experiments.train.paper_check import (
    choices,
    foretelling_figures,
    foretold,
    level_figures,
    try_windows,
)
from experiments.train.paper_data import LabelledWindows, RandomSegments, native_leads
from experiments.train.paper_export import (
    as_json,
    convert_half,
    export_codec,
    write_files,
)
from experiments.train.paper_heads import HeadPhase, fit_heads, joined_heads
from experiments.train.paper_model import PaperCodec
from experiments.windows import CINC_VALIDATION, iterate_subjects

COMMAND = "python -m experiments train paper"
N_EXPORT_SEGMENTS = 2000  # of training, by which the dense layers are projected
N_CHECK_SEGMENTS = 600  # of validation, on which the ranks are chosen
SEED = 20267


def ship(codec: PaperCodec, run: Path, folder: Path) -> dict[str, Any]:
    """Export a trained codec, train its heads, check both, and write all.

    Args:
        codec: trained through phase 2.
        run: the run folder; the settings of its phases go into the JSON.
        folder: to write to.

    Returns:
        What the JSON holds.
    """
    files, about = export_codec(codec, *_segments(run / "leads"))
    phases = {
        name: json.loads((run / name / "config.json").read_text())
        for name in ("phase1", "phase2")
    }
    about = {"command": COMMAND, "commit": commit(), **about, **phases}
    write_files(folder, files | {ABOUT: as_json(about)})
    networks = PaperNetworks(folder)
    coders = [PaperLevel(v, storage="float32", networks=networks) for v in LEVELS]
    heads, about["phase3"] = _heads(coders, run)
    write_files(folder, {"heads.tflite": heads})
    about["validation"] = check(PaperNetworks(folder))
    about["n_bytes"] = {path.name: path.stat().st_size for path in folder.glob("*.tf*")}
    write_files(folder, {ABOUT: as_json(about)})
    return about


def check(networks: PaperNetworks) -> dict[str, Any]:
    """Return what shipped networks do to whole windows of CinC 2017's validation."""
    subjects = [
        subject
        for subject in iterate_subjects(CINC_VALIDATION)
        if subject.place.model_len >= WINDOW_LEN
    ]
    lossless = np.array([len(encode_lossless(subject.x)) for subject in subjects])
    gains = [SEGMENT_LEN / N_ELEMENTS[level] for level in LEVELS]
    found: dict[str, Any] = {"n_windows": len(subjects)}
    for storage in STORAGES:
        coders = [PaperLevel(v, storage=storage, networks=networks) for v in LEVELS]
        tried = try_windows(subjects, coders)
        heads = foretold(networks, tried.latents)
        found[storage] = {
            "levels": level_figures(tried),
            "foretold": foretelling_figures(tried, heads),
            "choice": choices(tried, heads, gains=gains, lossless=lossless),
        }
    return found


def _segments(kept_in: Path) -> tuple[FloatArray, FloatArray]:
    """Return training segments of both data sets and CinC's validation segments."""
    both = [native_leads(v, "train", kept_in=kept_in) for v in ("cinc2017", "mitdb")]
    train = RandomSegments(both, seed=SEED).batch(0, N_EXPORT_SEGMENTS)
    other = native_leads("cinc2017", "validation", kept_in=kept_in)
    check_at = RandomSegments([other, other], seed=SEED).batch(0, N_CHECK_SEGMENTS)
    return train[:, :, 0], check_at[:, :, 0]


def labelled_subjects(kept_in: Path, n_windows: int) -> Iterator[Subject]:
    """Yield first windows of CinC's training records, spread over the split."""
    source = LabelledWindows.of_split("train", seed=SEED, kept_in=kept_in)
    windows, classes = source.first_windows()
    place = WindowPlace(n_samples=WINDOW_LEN, fs=MODEL_FS, baseline=0, adc_bits=16)
    for at in np.linspace(0, len(windows) - 1, n_windows).astype(int):
        yield Subject(
            record=str(at),
            x=windows[at].astype(np.int32),
            place=place,
            label=RHYTHM_CLASSES[classes[at]],
        )


def _heads(coders: list[PaperLevel], run: Path) -> tuple[bytes, dict[str, Any]]:
    phase = HeadPhase()
    tried = try_windows(labelled_subjects(run / "leads", phase.n_windows), coders)
    heads = fit_heads(tried.latents, tried.errors, phase)
    content = convert_half(
        joined_heads(heads),
        *(tried.latents[level].shape[1:] for level in LEVELS),
    )
    n_params = {f"{v} {r}": head.count_params() for (v, r), head in heads.items()}
    return content, {**asdict(phase), "n_params": n_params}
