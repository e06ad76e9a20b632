# SPDX-License-Identifier: Apache-2.0
"""Reproduce the tables and figures, those of the paper and our own.

A module or package of a table or figure, baselines behind one interface in `coders`,
results as small JSON files in `results`. Not in the wheel. May import every other
package; none may import it.
"""
