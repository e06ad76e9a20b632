# SPDX-License-Identifier: Apache-2.0
"""How far the rivals that no library gives were trained, in plain words.

A rival that was trained for half an hour must not be taken for what it could be: what
its makers and others reached stands beside.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from experiments.weights_folder import WEIGHTS

# PRD of CAE32 on MIT-BIH scaled to 0 to 1: of its authors (Yildirim et al. 2018,
# abstract), and of a training by Dynamic-Deep's (notebook of their repository).
PUBLISHED_PRD, RETRAINED_PRD = 2.73, 5.3


def rivals_note(folder: Path = WEIGHTS) -> str:
    """Return what a reader must know of the classic autoencoder and the paper's codec.

    Args:
        folder: of the weights; what is missing there is left out.
    """
    notes = [_of_cae(folder / "cae32_mitdb.json"), _of_paper(folder / "paper")]
    told = " ".join(note for note in notes if note)
    if not told:
        return ""
    return f"**Rivals trained here are short of what they could be.** {told}"


def _read(path: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _of_cae(path: Path) -> str:
    about = _read(path)
    if about is None:
        return ""
    reached = about["shipped"]["mitdb"]["float32"]["prd01"]
    return (
        f"The classic autoencoder at 32 has a PRD of {reached:.1f} % on held-out "
        f"segments of MIT-BIH scaled to 0 to 1, after {about['n_steps_in_all']:,} "
        f"steps of 8 segments (the last: `{about['commands'][-1]}`) and still falling; "
        "its authors report "
        f"{PUBLISHED_PRD} %, those of Dynamic-Deep reached {RETRAINED_PRD} %. So its "
        "rows show how it counts and fails, not how well it can be trained."
    )


def _of_paper(folder: Path) -> str:
    about = _read(folder / "paper.json")
    if about is None or "validation" not in about:
        return ""
    levels = about["validation"]["float32"]["levels"]
    steps = about["phase1"]["n_steps"], about["phase2"]["n_steps"]
    return (
        f"The paper's codec saw {steps[0]:,} steps of reconstruction and {steps[1]:,} "
        f"with the task (`{about['command']}`); its levels 32 and 64 have a PRDN of "
        f"{levels['32']['mean_prdn']:.0f} and {levels['64']['mean_prdn']:.0f} % on "
        "CinC 2017 validation. The paper gives no epochs for the first and 20 for the "
        "second."
    )
