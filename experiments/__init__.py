# SPDX-License-Identifier: Apache-2.0
"""Reproduce the tables and figures, those of the paper and our own.

A module or package of a table or figure, baselines behind one interface in `coders`,
results as small JSON files in `results`. Not in the wheel. May import every other
package; none may import it.
"""

import os

# Before NumPy is imported, here and in every worker: the products are small, and
# threads that wait for each other take three times as long over them.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
