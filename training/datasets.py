# SPDX-License-Identifier: Apache-2.0
"""The given records at the model's rate, by split, and random windows of them.

Splits are by record and patient and are given (`splits/*.csv` beside this file): for
MIT-BIH de Chazal's inter-patient sets with the paced records spread and patient 201/202
on one side, for CinC 2017 stratified by label.
"""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from dynamic_deep.config import MODEL_FS, RHYTHM_CLASSES, WINDOW_LEN
from dynamic_deep.errors import ConfigError
from training.augment import crop, disturb

FloatArray = npt.NDArray[np.float32]

DATA_VARIABLE = "DYNAMIC_DEEP_DATA"
SPLITS = Path(__file__).parent / "splits"
# Another window of the same patient teaches less than one of another patient: CinC has
# 5,524 records of 30 s in train, MIT-BIH 25 of 30 minutes, which hold most windows.
CINC_SHARE = 0.6
N_CLASSES = len(RHYTHM_CLASSES)
FLIP_SHARE = 0.2  # of the windows get the other polarity, as a swapped electrode gives


def data_folder() -> Path:
    """Return the folder of the records, as DYNAMIC_DEEP_DATA names it.

    Raises:
        ConfigError: If it isn't there.
    """
    folder = Path(os.environ.get(DATA_VARIABLE, ".data"))
    if not (folder / "mitdb").is_dir() or not (folder / "cinc2017").is_dir():
        raise ConfigError(
            f"{DATA_VARIABLE} must name a folder with mitdb and cinc2017, got "
            f"{str(folder)!r}; run `dynamic-deep data fetch mitdb` and `cinc2017`"
        )
    return folder


def record_names(data_set: str, split: str) -> list[str]:
    """Return the names of the records of a split, sorted.

    Raises:
        ConfigError: If there is no such data set or split.
    """
    table = SPLITS / f"{data_set}.csv"
    if not table.is_file():
        raise ConfigError(
            f"a data set must be one of mitdb, cinc2017; got {data_set!r}"
        )
    with table.open() as lines:
        rows = [row for row in csv.DictReader(lines) if row["split"] == split]
    if not rows:
        raise ConfigError(f"a split must be one that {table.name} has, got {split!r}")
    return sorted(row["record"] for row in rows)


def record_paths(data_set: str, split: str) -> list[Path]:
    """Return the paths of the records of a split."""
    folder = data_folder() / data_set
    return [folder / f"{name}.hea" for name in record_names(data_set, split)]


@dataclass(frozen=True, kw_only=True)
class Lead:
    """One lead at the model's rate: `x` is float32, (n_samples,), ADC units.

    Counted from the lead's baseline.
    """

    record: str
    lead: int
    x: FloatArray


def load_leads(data_set: str, split: str, *, limit: int | None = None) -> list[Lead]:
    """Read every lead of a split and bring it to the model's rate."""
    from scipy.signal import resample_poly

    from dynamic_deep.recording import read_recording

    leads = []
    for path in record_paths(data_set, split)[:limit]:
        recording = read_recording(path)
        for lead in range(recording.n_leads):
            x = recording.samples[:, lead].astype(np.float32)
            x -= recording.adc_baseline[lead]
            if recording.fs != MODEL_FS:
                middle = float(np.median(x))
                ratio = int(MODEL_FS), int(recording.fs)
                x = (resample_poly(x - middle, *ratio) + middle).astype(np.float32)
            leads.append(Lead(record=path.stem, lead=lead, x=x))
    return leads


def normalize(x: FloatArray) -> FloatArray:
    """Return a window with its mean removed and its standard deviation made 1."""
    x = x - x.mean()
    return x / np.maximum(x.std(), 1.0)


class RandomWindows:
    """Normalised windows at random places of random leads; batch i is always the same.

    Args:
        cinc: leads of CinC 2017.
        mitdb: leads of MIT-BIH.
        seed: of all the chance in it.
        classes: the class of a record, by its name, where one is known.
        disturbed_share: of the windows are played a little faster or slower, and get
            what muscles, breath and loose electrodes add.
    """

    def __init__(
        self,
        cinc: list[Lead],
        mitdb: list[Lead],
        *,
        seed: int,
        classes: dict[str, int] | None = None,
        disturbed_share: float = 0.0,
    ) -> None:
        """Keep the leads that hold a whole window."""
        self.sets = [
            [lead for lead in leads if len(lead.x) >= WINDOW_LEN]
            for leads in (cinc, mitdb)
        ]
        self.seed = seed
        self.classes = classes or {}
        self.disturbed_share = disturbed_share

    def batch(self, index: int, size: int) -> FloatArray:
        """Return batch `index`: float32, (size, WINDOW_LEN, 1)."""
        return self.batch_with_classes(index, size)[0]

    def batch_with_classes(
        self, index: int, size: int
    ) -> tuple[FloatArray, FloatArray]:
        """Return batch `index` and its classes, one-hot or zeros: (size, 4)."""
        rng = np.random.default_rng((self.seed, index))
        rows = np.empty((size, WINDOW_LEN, 1), np.float32)
        classes = np.zeros((size, N_CLASSES), np.float32)
        for row, one_hot in zip(rows, classes, strict=True):
            leads = self.sets[0 if rng.random() < CINC_SHARE else 1]
            lead = leads[rng.integers(len(leads))]
            # Without a share no chance is used up: batches of old seeds stay.
            if self.disturbed_share and rng.random() < self.disturbed_share:
                x = disturb(crop(lead.x, WINDOW_LEN, rng)[0], rng)
            else:
                start = rng.integers(len(lead.x) - WINDOW_LEN + 1)
                x = lead.x[start : start + WINDOW_LEN]
            sign = -1.0 if rng.random() < FLIP_SHARE else 1.0
            row[:, 0] = sign * normalize(x)
            if lead.record in self.classes:
                one_hot[self.classes[lead.record]] = 1.0
        return rows, classes


def all_windows(leads: list[Lead]) -> FloatArray:
    """Return every whole window of the leads, normalised: (n, WINDOW_LEN, 1)."""
    windows = [
        normalize(lead.x[start : start + WINDOW_LEN])
        for lead in leads
        for start in range(0, len(lead.x) - WINDOW_LEN + 1, WINDOW_LEN)
    ]
    return np.stack(windows)[:, :, None]
