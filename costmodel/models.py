# SPDX-License-Identifier: Apache-2.0
"""The ways to run a ward that are compared: the paper's four, and ours.

In the paper a device sends its latents; the cloud stores them and either decodes all
for the tasks ("Dynamic-Deep"), or is sent the raw signal too, runs the tasks on that,
and decodes only what an expert fetches ("Dynamic-Deep with uncompressed").
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from costmodel.measured import LOSSLESS, DecodeSpeed, MeasuredGain

# Of the paper: a lossless coder at 2.7, and its mean of per-window ratios of elements.
PAPER_LOSSLESS = 2.7
PAPER_GAIN = 48.31
# That mean needs three quarters of the windows at 64 and the rest sent raw; their
# bytes shrink by the harmonic mean.
PAPER_MIX = ((0.75, 64.0), (0.25, 1.0))

NOMINAL = "nominal"  # as the paper counts it
BYTES = "bytes"  # what the paper's mix comes to in bytes
MEASURED = "measured"  # bytes that this codec wrote


def mixed_gain(mix: tuple[tuple[float, float], ...]) -> float:
    """Return raw bytes over coded bytes of a mix.

    Args:
        mix: share of the windows, and the gain that they get.

    Example:
        >>> round(mixed_gain(((0.75, 64.0), (0.25, 1.0))), 2)
        3.82
    """
    shares = math.fsum(share for share, _ in mix)
    return shares / math.fsum(share / gain for share, gain in mix)


@dataclass(frozen=True, kw_only=True)
class Model:
    """One way to run a ward.

    Attributes:
        name: in JSON and CSV.
        title: in tables and figures.
        gain: raw bytes over coded bytes; 1 where nothing is coded.
        gain_kind: nominal, bytes or measured.
        gain_source: where the gain comes from.
        decode_s_per_window: mean over all windows, s on one core.
        is_coded: whether anything must be decoded at all.
        decodes_all: whether the tasks need every window decoded.
        sends_raw: whether the device sends the raw signal besides.
    """

    name: str
    title: str
    gain: float
    gain_kind: str
    gain_source: str
    decode_s_per_window: float = 0.0
    is_coded: bool = True
    decodes_all: bool = True
    sends_raw: bool = False


NO_COMPRESSION = "none"
OUR_NAMES = ("lossless", "ladder", "ladder_uncompressed")


def all_models(gain: MeasuredGain, speed: DecodeSpeed) -> list[Model]:
    """Return every way that is compared, cheapest idea first.

    The paper states no decode time: its lossless coder is taken to decode in no time,
    as its figure does, and its network as fast as our neural level nearest to 64.

    Args:
        gain: what the ladder was measured to give under a bound.
        speed: how long the levels take to decode.
    """
    neural_s = _decode_s_of_64(speed)
    paper = "the paper, elements"
    mix = "3/4 of the windows at 64, 1/4 raw, in bytes"
    ours = f"{gain.path}: {gain.bound}, {gain.records}"
    honest, compressed = mixed_gain(PAPER_MIX), PAPER_MIX[0][0]
    ladder_s = speed.mixed_s(gain.levels)
    lossless_s = speed.mixed_s({LOSSLESS: 1.0})
    rows = [
        ("lossless_paper", "lossless, paper", PAPER_LOSSLESS, NOMINAL, paper, 0.0),
        ("paper", "Dynamic-Deep, paper", PAPER_GAIN, NOMINAL, paper, neural_s),
        ("paper_bytes", "Dynamic-Deep, paper in bytes", honest, BYTES, mix, neural_s),
        ("lossless", "lossless, ours", gain.lossless_gain, MEASURED, ours, lossless_s),
        ("ladder", "ladder, ours", gain.gain, MEASURED, ours, ladder_s),
    ]
    models = [
        Model(
            name=NO_COMPRESSION,
            title="no compression",
            gain=1.0,
            gain_kind=NOMINAL,
            gain_source="16-bit samples as they are",
            is_coded=False,
        )
    ]
    for name, title, value, kind, source, seconds in rows:
        coded_share = compressed if name.startswith("paper") else 1.0
        model = Model(
            name=name,
            title=title,
            gain=value,
            gain_kind=kind,
            gain_source=source,
            decode_s_per_window=seconds * coded_share,
        )
        models.append(model)
        if not name.startswith("lossless"):
            models.append(_with_uncompressed(model))
    return models


def _with_uncompressed(model: Model) -> Model:
    return Model(
        name=f"{model.name}_uncompressed",
        title=f"{model.title}, raw sent too",
        gain=model.gain,
        gain_kind=model.gain_kind,
        gain_source=model.gain_source,
        decode_s_per_window=model.decode_s_per_window,
        decodes_all=False,
        sends_raw=True,
    )


def _decode_s_of_64(speed: DecodeSpeed) -> float:
    """Return the decode time of the neural level nearest to gain 64."""
    neural = {
        float(name.removeprefix("gain_")): seconds
        for name, seconds in speed.decode_s_per_window.items()
        if name.startswith("gain_")
    }
    if not neural:
        return max(speed.decode_s_per_window.values())
    return neural[min(neural, key=lambda gain: abs(gain - PAPER_MIX[0][1]))]
