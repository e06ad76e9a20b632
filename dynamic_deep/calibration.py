# SPDX-License-Identifier: Apache-2.0
"""Calibrations: tables of windows by which any bound and risk can be promised.

A bundle ships some as `calibration_NAME.npz`; a user makes one of own recordings. Each
holds for one bundle only, and names it.
"""

from __future__ import annotations

import io
import os
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dynamic_deep.bound_choice import violations
from dynamic_deep.bound_odds import Requirement
from dynamic_deep.bound_price import certified_price, counted, least_risk, mean_by
from dynamic_deep.bundle import UNREADABLE, Bundle
from dynamic_deep.errors import ConfigError, ModelError
from dynamic_deep.trials import Trials

VERSION = 1
DEFAULT_CALIBRATION = "cinc2017"


@dataclass(frozen=True, kw_only=True, eq=False)
class Calibration:
    """A calibration.

    Attributes:
        name: what it was made of.
        model_id: of the bundle it holds for.
        trials: its windows.
        same_patients: the windows to come are of these patients; else of others.
    """

    name: str
    model_id: bytes
    trials: Trials
    same_patients: bool = False

    @property
    def least_risk(self) -> float:
        """The lowest risk that can be promised."""
        units, _ = counted(self.trials, same_patients=self.same_patients)
        return least_risk(units)

    def price(self, requirement: Requirement) -> float:
        """Return the price of a violation that keeps the promise."""
        return certified_price(
            requirement, self.trials, same_patients=self.same_patients
        )

    def level_risks(self, requirement: Requirement) -> dict[str, float]:
        """Return what share of violations each level is certified for, by name.

        If every window got this level: the share in the calibration, with one more for
        what is to come, as conformal risk control counts.
        """
        units, _ = counted(self.trials, same_patients=self.same_patients)
        loss = mean_by(units, violations(requirement, self.trials)[:, :-1])
        risks = (loss.sum(axis=0) + 1.0) / (len(loss) + 1)
        return dict(zip(self.trials.levels, risks.tolist(), strict=True))


def calibration_names(folder: Path) -> list[str]:
    """Return the names of the calibrations that a bundle's folder holds."""
    found = sorted(folder.glob("calibration_*.npz"))
    return [path.stem.removeprefix("calibration_") for path in found]


def save_calibration(path: Path, calibration: Calibration) -> None:
    """Write a calibration beside `path`, then rename."""
    arrays = calibration.trials.arrays()
    beside = path.with_name(f".{path.name}.part")
    try:
        with beside.open("wb") as stream:
            np.savez_compressed(
                stream,
                version=np.asarray(VERSION),
                name=np.asarray(calibration.name),
                model_id=np.frombuffer(calibration.model_id, np.uint8),
                same_patients=np.asarray(calibration.same_patients),
                **arrays,  # type: ignore[arg-type]
            )
        os.replace(beside, path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise


def load_calibration(
    bundle: Bundle, name_or_path: str | Path = DEFAULT_CALIBRATION
) -> Calibration:
    """Read a calibration of a bundle, shipped with it or a user's file.

    Raises:
        ConfigError: If there is none of that name.
        ModelError: If it is damaged, or of another bundle.
    """
    path = Path(name_or_path)
    if not path.suffix:
        if bundle.folder is None or str(name_or_path) not in calibration_names(
            bundle.folder
        ):
            known = calibration_names(bundle.folder) if bundle.folder else []
            raise ConfigError(
                f"a calibration of bundle {bundle.name} must be one of "
                f"{', '.join(known) or 'none: it ships none'}, or a file ending in "
                f".npz; got {str(name_or_path)!r}"
            )
        path = bundle.folder / f"calibration_{name_or_path}.npz"
    try:
        content = io.BytesIO(path.read_bytes())
        if not zipfile.is_zipfile(content):  # NumPy would advise to allow pickles
            raise zipfile.BadZipFile("it is no .npz file, or was cut short")
        with np.load(content, allow_pickle=False) as stored:
            arrays = {key: stored[key] for key in stored.files}
        version = int(arrays.pop("version"))
        name = str(arrays.pop("name"))
        model_id = arrays.pop("model_id").tobytes()
        same_patients = bool(arrays.pop("same_patients", False))
        trials = Trials.from_arrays(arrays)
    except UNREADABLE as error:
        raise ModelError(
            f"a calibration must be a file that `calibrate` wrote, got {path.name}: "
            f"{error}; make it again"
        ) from error
    if version > VERSION:
        raise ModelError(
            f"a calibration's version must be at most {VERSION}, got {version}; update "
            "dynamic-deep"
        )
    if model_id != bundle.model_id:
        raise ModelError(
            f"a calibration must be of the bundle it is used with, {bundle.name} "
            f"({bundle.model_id.hex()[:8]}), got one of {model_id.hex()[:8]}; run "
            "`dynamic-deep calibrate` with this bundle"
        )
    return Calibration(
        name=name, model_id=model_id, trials=trials, same_patients=same_patients
    )
