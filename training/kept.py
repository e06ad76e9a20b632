# SPDX-License-Identifier: Apache-2.0
"""Levels of a bundle that stay as they are, beside which new ones are trained."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from dynamic_deep.bundle import Bundle, LatentShape
from training.model import CodecModel
from training.restore import restore_codec
from training.tables import Tables


@dataclass(frozen=True, kw_only=True)
class Kept:
    """The levels that stay.

    Attributes:
        bundle: whose they are.
        codec: their part of it.
    """

    bundle: Bundle
    codec: CodecModel

    @property
    def names(self) -> list[str]:
        """Their names."""
        return [latent.name for latent in self.codec.config.latents]

    @property
    def shapes(self) -> dict[str, LatentShape]:
        """Their latents, counted from 0."""
        return {
            name: dataclasses.replace(self.bundle.latents[name], level_idx=i)
            for i, name in enumerate(self.names)
        }

    @property
    def tables(self) -> Tables:
        """Their tables."""
        return {
            key: table
            for key, table in self.bundle.tables.items()
            if key.split("/")[0] in self.names
        }

    @property
    def figures(self) -> dict[str, Any]:
        """What they reached on the validation windows."""
        reached = self.bundle.config["trained"]["validation"]
        return {name: reached[name] for name in self.names}


def kept_levels(bundle: Bundle, names: tuple[str, ...]) -> Kept:
    """Return levels of a bundle that stay.

    Raises:
        ConfigError: If the bundle has not all of them.
    """
    return Kept(bundle=bundle, codec=restore_codec(bundle, names=names))
