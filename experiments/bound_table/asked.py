# SPDX-License-Identifier: Apache-2.0
"""What is asked of a bundle."""

from __future__ import annotations

from dataclasses import dataclass

from dynamic_deep.bound import Bound
from dynamic_deep.bound_odds import Requirement
from experiments.windows import CINC_TEST, MITDB_TEST


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A promise, and the windows that it is tested on.

    Attributes:
        name: of the row.
        words: options of `dynamic-deep evaluate`.
        need: the same as a requirement.
        split: of the windows.
        calibration: by whose windows it is promised.
        by_length: whether whole and short windows are told apart, too.
    """

    name: str
    words: str
    need: Requirement
    split: str
    calibration: str
    by_length: bool = False


def _each(**limits: float) -> Bound:
    return Bound(tasks=tuple(limits), limits=limits)


# Where no wavelet keeps to a bound, a lossless frame is dear: for both tasks 1.3 % of
# the calibration windows took 17 % of all bytes.
FALLBACK = "--fallback wavelet_24"
LABEL_BOUND = Bound(tasks=("rhythm",), limits={"rhythm": 0.75}, reference="label")
ASKED = (
    Asked(
        name="rhythm",
        words="--bound rhythm=0.1 --risk 0.05",
        need=Requirement(bound=_each(rhythm=0.1), risk=0.05),
        split=CINC_TEST,
        calibration="cinc2017",
        by_length=True,
    ),
    Asked(
        name="label",
        words=f"--bound rhythm=0.75 --reference label --risk 0.03 {FALLBACK}",
        need=Requirement(bound=LABEL_BOUND, risk=0.03, fallback="wavelet_24"),
        split=CINC_TEST,
        calibration="cinc2017",
    ),
    Asked(
        name="rpeaks",
        words="--bound rpeaks=0 --per segment --risk 0.05 --calibration mitdb",
        need=Requirement(bound=_each(rpeaks=0.0), risk=0.05, per_segment=True),
        split=MITDB_TEST,
        calibration="mitdb",
    ),
    Asked(
        name="both",
        words=f"--bound rhythm=0.1,rpeaks=0 --per segment --risk 0.05 {FALLBACK}",
        need=Requirement(
            bound=_each(rhythm=0.1, rpeaks=0.0),
            risk=0.05,
            per_segment=True,
            fallback="wavelet_24",
        ),
        split=CINC_TEST,
        calibration="cinc2017",
    ),
    Asked(
        name="both_f1",
        words=f"--bound rhythm=0.1,rpeaks=0.05 --risk 0.05 {FALLBACK}",
        need=Requirement(
            bound=_each(rhythm=0.1, rpeaks=0.05), risk=0.05, fallback="wavelet_24"
        ),
        split=CINC_TEST,
        calibration="cinc2017",
    ),
)
