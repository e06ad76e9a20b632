# SPDX-License-Identifier: Apache-2.0
"""The tables of the lossless level as a C source."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from dynamic_deep.firmware.c_text import array, head
from dynamic_deep.prediction import ORDER, AdaptivePredictor
from dynamic_deep.residual import LOG_ONE, integer_log, load_tables

N_LOGS = 4096
LOG_OFFSET = 4


def lossless_tables() -> tuple[str, int]:
    """Return `dd_lossless_tables.c`, and the bytes that its tables take."""
    tables = load_tables()
    lower = np.tril_indices(ORDER + 1)
    priors = np.stack([prior[lower] for prior in tables.priors]).astype(np.int64)
    coefs = np.array(
        [AdaptivePredictor(prior, 0).coefs for prior in tables.priors], np.int32
    )
    scale_coefs = np.array(tables.scale_coefs, np.int32)
    logs = np.array(
        [integer_log(size + LOG_OFFSET) for size in range(N_LOGS)], np.uint16
    )
    exact, near = tables.counts[0::2], tables.counts[1::2]
    parts: dict[str, tuple[str, npt.NDArray[Any]]] = {
        "dd_priors": ("int64_t", priors),
        "dd_prior_coefs": ("int32_t", coefs),
        "dd_scale_coefs": ("int32_t", scale_coefs),
        "dd_logs": ("uint16_t", logs),
        "dd_error_counts": ("uint16_t", exact),
    }
    text = head(f"floor({LOG_ONE} log2(i + {LOG_OFFSET})) is dd_logs[i]")
    text += '#include "dd_lossless.h"\n\n'
    text += "\n".join(
        array(kind, name, entries, static=False)
        for name, (kind, entries) in parts.items()
    )
    text += "\n#ifndef DD_NO_NEAR_LOSSLESS\n"
    text += array("uint16_t", "dd_near_counts", near, static=False) + "#endif\n"
    n_bytes = sum(entries.nbytes for _, entries in parts.values()) + near.nbytes
    return text, n_bytes
