# SPDX-License-Identifier: Apache-2.0
"""Numbers as the text of C arrays."""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np
import numpy.typing as npt

WIDTH = 88
HEADER = (
    "/* SPDX-License-Identifier: Apache-2.0 */\n/* Made by `{command}`; {what}. */\n"
)


def head(what: str, command: str = "dynamic-deep export --c") -> str:
    """Return the first lines of a generated file."""
    return HEADER.format(command=command, what=what)


def values(array: npt.NDArray[Any]) -> str:
    """Return the entries of an array, nested in braces as its axes are."""
    if array.ndim > 1:
        return ",\n".join(f"{{{values(row)}}}" for row in array)
    if np.issubdtype(array.dtype, np.floating):
        items = [f"{np.float32(v):.9g}" for v in array]
        items = [v if any(c in v for c in ".en") else f"{v}.0" for v in items]
        items = [f"{v}f" for v in items]
    elif array.dtype == np.int64:
        items = [f"INT64_C({v})" for v in array.tolist()]
    else:
        items = [str(v) for v in array.tolist()]
    return "\n".join(textwrap.wrap(", ".join(items), WIDTH, break_long_words=False))


def array(kind: str, name: str, entries: npt.NDArray[Any], *, static: bool) -> str:
    """Return the definition of a constant array.

    Args:
        kind: its C type.
        name: its name.
        entries: what it holds.
        static: whether other files don't see it.
    """
    sizes = "".join(f"[{n}]" for n in entries.shape)
    before = "static " if static else ""
    return f"{before}const {kind} {name}{sizes} = {{\n{values(entries)}}};\n"


def byte_array(name: str, content: bytes) -> str:
    """Return the definition of an aligned array of bytes, and of its length."""
    text = "\n".join(textwrap.wrap(", ".join(str(v) for v in content), WIDTH))
    return (
        f"DD_ALIGNED const uint8_t {name}[{len(content)}] = {{\n{text}}};\n"
        f"const uint32_t {name}_len = {len(content)};\n"
    )
