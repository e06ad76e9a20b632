# SPDX-License-Identifier: Apache-2.0
"""Which shipped bundle wrote a file."""

from __future__ import annotations

from dynamic_deep.bundle import SHIPPED, content_hash
from dynamic_deep.errors import ModelError


def find_bundle(model_id: bytes) -> str:
    """Return the name of the shipped bundle with this model id.

    Raises:
        ModelError: If none has it.
    """
    known = {
        content_hash(path.parent): path.parent.name
        for path in sorted(SHIPPED.glob("*/config.json"))
    }
    if model_id not in known:
        raise ModelError(
            f"the file was written with bundle {model_id.hex()}, which is not shipped "
            f"with this version; name its folder by --bundle"
        )
    return known[model_id]
