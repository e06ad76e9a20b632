# SPDX-License-Identifier: Apache-2.0
"""Units of prices: what one unit of a price stands for, and of what kind it is.

A provider's "GB" may be 10^9 or 2^30 bytes, 7 % apart. So a price names GB or GiB, and
nothing else in this package turns bytes into either.
"""

from __future__ import annotations

from dataclasses import dataclass

from dynamic_deep.errors import ConfigError

GB = 10**9  # bytes
GIB = 2**30
MIB = 2**20
TIB = 2**40

DAYS_PER_YEAR = 365.0  # as in the paper's figures; no leap days
HOURS_PER_YEAR = DAYS_PER_YEAR * 24
SECONDS_PER_YEAR = HOURS_PER_YEAR * 3600
MONTHS_PER_YEAR = 12.0
HOURS_PER_MONTH = HOURS_PER_YEAR / MONTHS_PER_YEAR  # 730, as cloud price lists have it


@dataclass(frozen=True, kw_only=True)
class Unit:
    """What a price is per.

    Attributes:
        kind: what is counted: bytes, byte hours, operations, vCPU hours, hours.
        amount: how many of these one unit is.
    """

    kind: str
    amount: float


BYTES, BYTE_HOURS, OPERATIONS = "bytes", "byte hours", "operations"
VCPU_HOURS, HOURS = "vCPU hours", "hours"

UNITS = {
    "GB": Unit(kind=BYTES, amount=GB),
    "GiB": Unit(kind=BYTES, amount=GIB),
    "MiB": Unit(kind=BYTES, amount=MIB),
    "TiB": Unit(kind=BYTES, amount=TIB),
    "GB-month": Unit(kind=BYTE_HOURS, amount=GB * HOURS_PER_MONTH),
    "GiB-month": Unit(kind=BYTE_HOURS, amount=GIB * HOURS_PER_MONTH),
    "GB-hour": Unit(kind=BYTE_HOURS, amount=GB),
    "GiB-hour": Unit(kind=BYTE_HOURS, amount=GIB),
    "1000 operations": Unit(kind=OPERATIONS, amount=1e3),
    "10000 operations": Unit(kind=OPERATIONS, amount=1e4),
    "vCPU-hour": Unit(kind=VCPU_HOURS, amount=1.0),
    "hour": Unit(kind=HOURS, amount=1.0),
    "month": Unit(kind=HOURS, amount=HOURS_PER_MONTH),
}


def find_unit(name: str, kind: str) -> Unit:
    """Return a unit by its name.

    Args:
        name: such as "GiB-month".
        kind: what it must count.

    Raises:
        ConfigError: If there is no such unit, or it counts something else.
    """
    fitting = [known for known, unit in UNITS.items() if unit.kind == kind]
    if name not in fitting:
        raise ConfigError(
            f"unit must be one of {', '.join(fitting)} for a price of {kind}, got "
            f"{name!r}; GB is 10^9 bytes, GiB is 2^30"
        )
    return UNITS[name]
