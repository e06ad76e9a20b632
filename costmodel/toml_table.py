# SPDX-License-Identifier: Apache-2.0
"""Reads TOML tables strictly: each key once, of the right type, none left over."""

from __future__ import annotations

import datetime
import math
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dynamic_deep.errors import ConfigError


class Table:
    """One table of a TOML file, and where it stands in it.

    Args:
        content: the table.
        where: its name in messages, such as "gcp_2021.toml, storage.standard".
    """

    def __init__(self, content: Mapping[str, Any], where: str) -> None:
        """Keep the table."""
        self._content = dict(content)
        self._unread = set(content)
        self.where = where

    @classmethod
    def read(cls, path: Path) -> Table:
        """Read a whole file.

        Raises:
            ConfigError: If it isn't there, or isn't TOML.
        """
        try:
            content = tomllib.loads(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise ConfigError(
                f"{path.name} must be a readable TOML file, got: {error}; compare it "
                "with costmodel/prices/gcp_2021.toml"
            ) from None
        return cls(content, path.name)

    def has(self, key: str) -> bool:
        """Return whether there is such a key."""
        return key in self._content

    def names(self) -> list[str]:
        """Return the keys, in the file's order."""
        return list(self._content)

    def text(self, key: str) -> str:
        """Return a text that is not empty."""
        value = self._take(key)
        if not isinstance(value, str) or not value.strip():
            raise self._wrong(key, "a text that is not empty", value)
        return value

    def number(self, key: str, least: float = 0.0) -> float:
        """Return a finite number, at least `least`."""
        value = self._take(key)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not math.isfinite(value) or value < least:
            raise self._wrong(key, f"a number of at least {least:g}", value)
        return float(value)

    def whole(self, key: str) -> int:
        """Return a whole number, at least 0."""
        value = self._take(key)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise self._wrong(key, "a whole number of at least 0", value)
        return value

    def date(self, key: str) -> datetime.date:
        """Return a date, written without quotes."""
        value = self._take(key)
        if not isinstance(value, datetime.date):
            raise self._wrong(key, "a date such as 2021-01-19, without quotes", value)
        return value

    def one_of(self, key: str, allowed: tuple[str, ...]) -> str:
        """Return one of several words."""
        value = self._take(key)
        if value not in allowed:
            raise self._wrong(key, f"one of {', '.join(allowed)}", value)
        return str(value)

    def table(self, key: str) -> Table:
        """Return a table inside this one."""
        value = self._take(key)
        if not isinstance(value, dict):
            raise self._wrong(key, "a table", value)
        return Table(value, f"{self.where}, {key}")

    def tables(self, key: str) -> list[Table]:
        """Return an array of tables, at least one."""
        value = self._take(key)
        if not isinstance(value, list) or not value:
            raise self._wrong(key, "an array of tables", value)
        return [
            Table(item, f"{self.where}, {key}[{i}]")
            for i, item in enumerate(value)
            if isinstance(item, dict)
        ]

    def finish(self) -> None:
        """Check that every key was read.

        Raises:
            ConfigError: If one was not.
        """
        if self._unread:
            raise ConfigError(
                f"{self.where} must hold only known keys, got "
                f"{', '.join(sorted(self._unread))}; correct or remove it"
            )

    def _take(self, key: str) -> Any:
        if key not in self._content:
            raise ConfigError(
                f"{self.where} must have the key {key}, got "
                f"{', '.join(self._content) or 'an empty table'}; add it"
            )
        self._unread.discard(key)
        return self._content[key]

    def _wrong(self, key: str, rule: str, value: object) -> ConfigError:
        return ConfigError(
            f"{self.where}, {key} must be {rule}, got {value!r}; correct it"
        )
