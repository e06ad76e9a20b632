# SPDX-License-Identifier: Apache-2.0
"""Measures the codec against general-purpose coders on a user's own recordings.

result = run_bench(["100.hea", "101.hea"], BenchOptions(bundles=("standard",)))
print(format_table(result))
"""

from dynamic_deep.bench.report_html import write_html
from dynamic_deep.bench.result import (
    BenchOptions,
    BenchRecord,
    BenchResult,
    BenchRow,
    EqualPrdn,
    Interval,
    to_dict,
    to_json,
)
from dynamic_deep.bench.run import Progress, run_bench
from dynamic_deep.bench.shown import Example, LevelStrip
from dynamic_deep.bench.table import format_table

__all__ = [
    "BenchOptions",
    "BenchRecord",
    "BenchResult",
    "BenchRow",
    "EqualPrdn",
    "Example",
    "Interval",
    "LevelStrip",
    "Progress",
    "format_table",
    "run_bench",
    "to_dict",
    "to_json",
    "write_html",
]
