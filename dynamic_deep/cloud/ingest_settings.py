# SPDX-License-Identifier: Apache-2.0
"""How long a receiver waits for what."""

from __future__ import annotations

from dataclasses import dataclass

from dynamic_deep.errors import ConfigError

_DAY_S = 24 * 3600.0


@dataclass(frozen=True, kw_only=True)
class IngestSettings:
    """How a receiver works.

    Attributes:
        round_s: between two looks for sessions that are whole.
        early_s: sessions that go on are put as far as they are, so often; None: never.
        idle_s: end when for so long nothing came and all that is whole is put; None:
            go on for ever.
        give_up_s: a session that is not whole and silent for so long is put with what
            has come, and ended.
        remember_s: a session that is put is known for so long one by one.

    Raises:
        ConfigError: If a time is not positive.
    """

    round_s: float = 1.0
    early_s: float | None = None
    idle_s: float | None = None
    give_up_s: float = 30 * _DAY_S
    remember_s: float = 30 * _DAY_S

    def __post_init__(self) -> None:
        """Check that all times are positive."""
        if min(v for v in vars(self).values() if v is not None) <= 0:
            raise ConfigError(f"times of ingest must be above 0 s, got {self}")
