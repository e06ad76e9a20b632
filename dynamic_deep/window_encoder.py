# SPDX-License-Identifier: Apache-2.0
"""Which encoder a window passes: the bundle's in floating point, or in integers."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from dynamic_deep.bundle import Bundle
from dynamic_deep.engine import Network
from dynamic_deep.engine_int8 import IntegerEncoder
from dynamic_deep.errors import ConfigError, ModelError

FLOAT, INT8 = "float", "int8"
PRECISIONS = (FLOAT, INT8)


class WindowEncoder(Protocol):
    """A network from segments to every level's latent, and features for the heads."""

    def run(
        self, segments: npt.NDArray[np.float32], /
    ) -> list[npt.NDArray[np.float32]]:
        """Run on segments: float32, (n_segments, SEGMENT_LEN, 1)."""


def load_encoder(
    bundle: Bundle, precision: str = FLOAT, *, n_threads: int = 1
) -> WindowEncoder:
    """Load the encoder of a bundle.

    Args:
        bundle: the bundle.
        precision: float; or int8, as a device computes it.
        n_threads: of the CPU.

    Raises:
        ConfigError: If there is no such precision.
        ModelError: If the bundle has no such encoder.
    """
    if precision not in PRECISIONS:
        raise ConfigError(
            f"a precision must be one of {', '.join(PRECISIONS)}; got {precision!r}"
        )
    name = "encoder" if precision == FLOAT else "encoder_int8"
    if name not in bundle.networks:
        raise ModelError(
            f"bundle {bundle.name} must hold {name}.tflite to encode in {precision}, "
            "which is missing; fetch it again, or run `python -m training int8`"
        )
    content = bundle.networks[name]
    if precision == FLOAT:
        return Network(content, name, n_threads=n_threads)
    return IntegerEncoder(content, bundle.model_id.hex(), n_threads=n_threads)
