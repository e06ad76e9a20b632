# SPDX-License-Identifier: Apache-2.0
"""What a decode worker spends its time on, part by part."""

from __future__ import annotations

from dynamic_deep import entropy, latent, latent_net, wavelet, window_codec
from dynamic_deep.bench.stopwatch import Place, Stopwatch
from dynamic_deep.cloud import decode_rows
from dynamic_deep.tasks import rhythm, rpeaks

REST = "reading, rows, Parquet"
# The lossless coder is one loop over samples, its range decoder within.
PLACES: dict[Place, str] = {
    (entropy.RangeDecoder, "decode"): "range decoder",
    (entropy.RangeDecoder, "decode_bits"): "range decoder",
    (latent.LatentCoder, "decode"): "context of symbols",
    (latent_net.NetCoder, "decode"): "context of symbols",
    (wavelet.WaveletCoder, "decode"): "wavelet",
    (window_codec, "decode_lossless"): "lossless",
    (window_codec.WindowCodec, "synthesize"): "decoder network",
    (window_codec, "from_model_rate"): "resampling to the lead's rate",
    (decode_rows, "at_rate_of_model"): "resampling for the tasks",
    (decode_rows, "measure_quality"): "quality",
    (rhythm.RhythmTask, "answer"): "task rhythm",
    (rpeaks.RPeaksTask, "answer"): "task rpeaks",
}


def new_stopwatch() -> Stopwatch:
    """Return a stopwatch with a zero for every part."""
    watch = Stopwatch()
    watch.seconds = dict.fromkeys([*PLACES.values(), REST], 0.0)
    return watch
