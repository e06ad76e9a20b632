# SPDX-License-Identifier: Apache-2.0
"""README.md of an export."""
from __future__ import annotations
from dynamic_deep.bundle import Bundle
from dynamic_deep.engine_int8 import IntegerEncoder
def readme(bundle: Bundle, encoder: IntegerEncoder, files: object) -> str:
    """Return it."""
    return ""
