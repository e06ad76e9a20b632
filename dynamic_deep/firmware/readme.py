# SPDX-License-Identifier: Apache-2.0
"""README.md of an export, with the sizes of the bundle at hand."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

from dynamic_deep.bundle import Bundle
from dynamic_deep.config import SEGMENT_LEN, SEGMENTS_PER_WINDOW, WINDOW_LEN
from dynamic_deep.engine_int8 import IntegerEncoder
from dynamic_deep.firmware.level_tables import net_work

if TYPE_CHECKING:
    from dynamic_deep.firmware.exporter import FirmwareFiles

TEMPLATE = "README.md.in"


def readme(bundle: Bundle, encoder: IntegerEncoder, files: FirmwareFiles) -> str:
    """Return the text of README.md."""
    source = resources.files("dynamic_deep.firmware") / "c" / TEMPLATE
    template = source.read_text(encoding="utf-8")
    scale, zero = encoder.input_scale
    facts = {
        "BUNDLE": bundle.name,
        "MODEL_ID": bundle.model_id.hex(),
        "SEGMENT_LEN": str(SEGMENT_LEN),
        "SEGMENTS": str(SEGMENTS_PER_WINDOW),
        "WINDOW_LEN": str(WINDOW_LEN),
        "INPUT_SCALE": f"{scale:.7g}",
        "INPUT_ZERO": str(zero),
        "MODEL_BYTES": f"{files.model_bytes:,}",
        "HEADS_BYTES": f"{files.heads_bytes:,}" if files.heads_bytes else "none",
        "LOSSLESS_BYTES": f"{files.lossless_bytes:,}",
        "NEAR_BYTES": f"{NEAR_BYTES:,}",
        "LEVEL_BYTES": f"{files.level_bytes:,}",
        "NET_WORK_BYTES": f"{4 * net_work(bundle):,}",
        "LEVELS": _levels(bundle, encoder),
    }
    for name, value in facts.items():
        template = template.replace(f"@{name}@", value)
    return template


NEAR_BYTES = 2 * 270 * 96 * 2  # the tables that DD_NO_NEAR_LOSSLESS leaves out


def _levels(bundle: Bundle, encoder: IntegerEncoder) -> str:
    """Return the table of levels, and which output of the encoder feeds each."""
    lines = ["| id | level | kind | output of the model | values a segment |"]
    lines.append("|---|---|---|---|---|")
    for level in bundle.levels:
        output, n_values = "", ""
        if level.kind == "neural":
            shape = bundle.latents[level.name]
            output = f"`{encoder.output_names[shape.level_idx]}`"
            n_values = f"{SEGMENT_LEN // shape.stride} x {shape.n_channels}"
        row = (str(level.id), level.name, level.kind, output, n_values)
        lines.append(f"| {' | '.join(row)} |")
    return "\n".join(lines)
