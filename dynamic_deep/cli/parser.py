# SPDX-License-Identifier: Apache-2.0
"""The commands and their options; nothing here does any work."""

from __future__ import annotations

import argparse

import dynamic_deep
from dynamic_deep.cli import parser_cloud, parser_device, parser_files, parser_reports

DESCRIPTION = """\
Compress ECG recordings and restore them.

A recording is a WFDB record (100.hea, or just 100), EDF/EDF+, CSV/TSV, MAT, NPY or
NPZ file. A coded file ends in .ddc. Begin with these:

  dynamic-deep demo                          a first look, without any data
  dynamic-deep encode 100.hea -o 100.ddc     compress
  dynamic-deep info 100.ddc                  what is in it, and is it intact
  dynamic-deep verify 100.ddc 100.hea        how near is it to the original
  dynamic-deep decode 100.ddc -o copy/100    restore, as a WFDB record
"""


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="dynamic-deep",
        description=DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    version = f"dynamic-deep {dynamic_deep.__version__}"
    parser.add_argument("--version", action="version", version=version)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    groups = (parser_files, parser_reports, parser_device, parser_cloud)
    for add in (add for group in groups for add in group.COMMANDS):
        add(commands)
    return parser
