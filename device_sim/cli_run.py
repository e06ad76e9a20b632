# SPDX-License-Identifier: Apache-2.0
"""`run` and `keys`: a fleet of devices, and what it needs to log in and to seal."""

from __future__ import annotations

from typing import Any


def add_commands(commands: Any) -> None:
    """Add the commands to those of `python -m device_sim`."""
