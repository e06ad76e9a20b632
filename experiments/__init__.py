# SPDX-License-Identifier: Apache-2.0
"""Reproduce the tables and figures, those of the paper and our own.

One file a table or figure, baselines behind one interface, results as small JSON or CSV
files. Not in the wheel. May import every other package; none may import it.
"""
