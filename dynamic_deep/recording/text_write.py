# SPDX-License-Identifier: Apache-2.0
"""CSV and TSV out: ADC units below a comment line that says what they mean."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from dynamic_deep.recording.base import IntArray, RecordingInfo
from dynamic_deep.recording.streams import PendingFile, RecordingWriter
from dynamic_deep.recording.table import info_to_json
from dynamic_deep.recording.text import COMMENT


class TextWriter(RecordingWriter):
    """Write a CSV file (TSV for the suffix `.tsv`) of ADC units, a column per lead."""

    def __init__(self, path: Path, info: RecordingInfo) -> None:
        """Open the file and write what stands above the numbers."""
        super().__init__(info)
        self._separator = "\t" if path.suffix.lower() == ".tsv" else ","
        self._file = PendingFile(path)
        names = io.StringIO()
        writer = csv.writer(
            names,
            delimiter=self._separator,
            quoting=csv.QUOTE_ALL,
            lineterminator="\n",
        )
        writer.writerow(info.lead_names)
        head = f"{COMMENT}{info_to_json(info)}\n{names.getvalue()}"
        self._file.stream.write(head.encode("utf-8"))

    def _append(self, samples: IntArray) -> None:
        import pandas as pd

        text = pd.DataFrame(samples).to_csv(
            sep=self._separator, header=False, index=False, lineterminator="\n"
        )
        self._file.stream.write(text.encode("ascii"))

    def _finish(self) -> None:
        self._file.commit()

    def _discard(self) -> None:
        self._file.discard()
