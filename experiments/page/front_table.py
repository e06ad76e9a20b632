# SPDX-License-Identifier: Apache-2.0
"""README's front: what the levels reach, what promises cost, and the picture.

It stands between two marks and is made of the results of `rate_distortion` and
`bound_table`. The rest of README is written by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dynamic_deep.errors import ConfigError
from experiments.bound_table.says import CALIBRATED, ORACLE, row_of, shown
from experiments.page.inline import escape_markdown, plain_text
from experiments.page.markdown import markdown_table, paragraph
from experiments.rate_distortion.page import COMMAND, section
from experiments.rate_distortion.readme import FRONT_HEADER, front_rows
from experiments.section import Figure, Table, percent

BEGIN = "<!-- front table: python -m experiments page -->"
END = "<!-- end of front table -->"
BUNDLE = "monitor"
_ASKED = {
    "rhythm": "rhythm within 0.1 nats of its answer on the raw window, CinC 2017",
    "label": "rhythm within 0.75 nats of the annotated one, CinC 2017",
    "rpeaks": "in each segment the same R peaks, MIT-BIH lead 0",
    "both": "rhythm within 0.1 nats and the same R peaks, CinC 2017",
    "both_f1": "rhythm within 0.1 nats and R peaks with F1 0.95 or more, CinC 2017",
}


def front_block(rates: Mapping[str, Any], bounds: Mapping[str, Any]) -> str:
    """Return what stands between the marks.

    Args:
        rates: results of `rate_distortion`.
        bounds: results of `bound_table`.

    Raises:
        ConfigError: If something of the tables was not measured.
    """
    levels = Table(header=FRONT_HEADER, rows=front_rows(rates))
    return "\n\n".join(
        [
            markdown_table(levels),
            paragraph(
                "*Gain* is bytes of the raw 16-bit samples over bytes written, framing "
                "and checksums included, sum over sum; *PRDN* is the error with the "
                "mean removed, averaged over windows ([glossary](docs/glossary.md)). "
                "Intervals are bootstraps by record. "
                f"Made by `{COMMAND}`; every coder, every figure and what misses its "
                "target: [results](docs/results.md)."
            ),
            _picture(rates),
            paragraph(
                "Or the codec chooses each window's level, so that what a task finds "
                f"in it stays as it was (bundle `{BUNDLE}`, test splits; *over* is the "
                "share that compression took over the bound, the oracle knows each "
                "window's error; what no level suits is sent at the level after "
                "*else*, lossless where none is named; made by "
                "`python -m experiments run bound_table`):"
            ),
            markdown_table(_bounds(bounds)),
        ]
    )


def with_front(readme: str, block: str) -> str:
    """Return README with another front.

    Raises:
        ConfigError: If its marks are not there, once each and in order.
    """
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end or readme.count(BEGIN) > 1 or readme.count(END) > 1:
        raise ConfigError(
            f"README must hold the lines {BEGIN!r} and {END!r} once and in this order, "
            "it does not; put them around its front table"
        )
    return f"{before}{begin}\n\n{block}\n\n{end}{after}"


def _picture(rates: Mapping[str, Any]) -> str:
    figures = [b for b in section(rates).blocks if isinstance(b, Figure)]
    alt = escape_markdown(plain_text(figures[0].alt))
    return f"![{alt}]({Path('docs', 'figures', figures[0].file).as_posix()})"


def _bounds(bounds: Mapping[str, Any]) -> Table:
    rows = []
    for name, what in _ASKED.items():
        one = bounds["asked"].get(BUNDLE, {}).get(name)
        calibrated, oracle = (
            row_of(one, kind) if one else None for kind in (CALIBRATED, ORACLE)
        )
        if one is None or calibrated is None or oracle is None:
            raise ConfigError(
                f"README's table must have {name} of {BUNDLE} measured, the results "
                "have not; run `python -m experiments run bound_table`"
            )
        fallback = one["words"].partition("--fallback ")[2]
        rows.append(
            (
                f"{what}; else `{fallback}`" if fallback else what,
                shown(calibrated["gain"]),
                f"{shown(calibrated['over'], is_share=True)} of {one['per']}s",
                percent(one["risk"], 0),
                shown(oracle["gain"]),
            )
        )
    header = ("bound", "gain (95 %)", "over (95 %)", "allowed", "oracle's gain")
    return Table(header=header, rows=tuple(rows))
