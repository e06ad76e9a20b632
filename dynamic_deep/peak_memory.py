# SPDX-License-Identifier: Apache-2.0
"""The most memory that a process has had, by the system's own count.

`getrusage` would not do: a process begins with the peak of the one that started it.
"""

from __future__ import annotations

from pathlib import Path

_BYTES_PER_KB = 1024  # what /proc calls kB


def peak_memory_bytes(process_id: int | str = "self") -> int:
    """Return the largest resident set of a running process since its program began.

    Args:
        process_id: of a process, or `self`.

    Returns:
        Bytes; 0 if it has ended, or where the system has no /proc.
    """
    try:
        lines = Path(f"/proc/{process_id}/status").read_text().splitlines()
    except OSError:
        return 0
    found = [line.split()[1] for line in lines if line.startswith("VmHWM:")]
    return int(found[0]) * _BYTES_PER_KB if found else 0
