# SPDX-License-Identifier: Apache-2.0
r"""Keras builders of the encoder and the decoder. Imported for training only.

            x (2240, 1)          one segment, of mean 0 and deviation 1
                |
              trunk              strided convolutions, shared by all levels
                |
            (70, n_features)
        /       |        \
     tail_32  tail_64 ... tail_256        one a level; ends in the latent y
        |       |        |
     (35, C) (35, C)  (35, C)             quantised by rounding, range-coded
        |       |        |
     entry_32 entry_64 ... entry_256      one a level, to a common (70, width) map
        \       |        /
              body                        shared, told the level by a learned affine map
                |
            x_hat (4 * 2240, 1)           the decoder sees a whole window at once

Only public Keras 3 API is used, so that any backend trains it. The encoder holds
nothing but convolutions, additions and ReLU, which an 8-bit interpreter runs; the
decoder is for the cloud. Preset `paper` follows the layer table of Brosh et al.,
arXiv 2106.00606, convolution for convolution.
"""

from __future__ import annotations

from dynamic_deep.networks.decoder import LevelAffine, build_body, build_entry
from dynamic_deep.networks.encoder import (
    LearnedStep,
    build_tail,
    build_trunk,
    count_macs,
)
from dynamic_deep.networks.error_heads import (
    build_forecast,
    build_head_features,
    build_summary,
    join_heads,
    merge_forecasts,
)
from dynamic_deep.networks.shapes import (
    EDGE,
    EDGE_TASKS,
    STANDARD,
    STANDARD_TASKS,
    Conv,
    LatentConfig,
    NetworkConfig,
)

__all__ = [
    "EDGE",
    "EDGE_TASKS",
    "STANDARD",
    "STANDARD_TASKS",
    "Conv",
    "LatentConfig",
    "LearnedStep",
    "LevelAffine",
    "NetworkConfig",
    "build_body",
    "build_entry",
    "build_forecast",
    "build_head_features",
    "build_summary",
    "build_tail",
    "build_trunk",
    "count_macs",
    "join_heads",
    "merge_forecasts",
]
