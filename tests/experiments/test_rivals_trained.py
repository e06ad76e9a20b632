# SPDX-License-Identifier: Apache-2.0
"""What is said of rivals that were trained here is what their files say."""

from __future__ import annotations

import json
from pathlib import Path

from experiments.rivals_trained import rivals_note
from experiments.weights_folder import WEIGHTS


def test_the_note_has_the_figures_of_the_files() -> None:
    note = rivals_note()
    about = json.loads((WEIGHTS / "cae32_mitdb.json").read_text())
    assert f"{about['shipped']['mitdb']['float32']['prd01']:.1f} %" in note
    paper = json.loads((WEIGHTS / "paper" / "paper.json").read_text())
    assert f"{paper['phase2']['n_steps']:,} with the task" in note


def test_without_weights_there_is_nothing_to_say(tmp_path: Path) -> None:
    assert rivals_note(tmp_path) == ""
