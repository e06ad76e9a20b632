# SPDX-License-Identifier: Apache-2.0
"""The convolutional autoencoder of Yildirim, San Tan and Acharya 2018, in Keras.

Cognitive Systems Research 52:198-211, doi 10.1016/j.cogsys.2018.07.004. For training
only; what was trained is run by `experiments.coders.cae`.

    2000x1 -> 8@3 pool 32@5 BN pool 16@3 BN pool 64@11 128@13 pool -> 125x128
      16:  32@3 1@7                            -> 125x1
      32:  32@3 1@7 pool                       ->  62x1
      64:  64@3 32@3 pool 16@3 1@7 pool        ->  31x1

     125x1 -> 1@7 32@3                         -> 125x32
      62x1 -> 1@7 32@3 up                      -> 124x32
      31x1 -> 1@7 16@3 up 32@3 up              -> 124x32
    124x32 -> 64@11 128@13 up 16@3 32@5 up 32@3 up 8@3 -> 992x8 -> dense 2000

Level 32 is the published network, layer for layer. Levels 16 and 64 are Dynamic-Deep's
(arXiv 2106.00606); their encoders are known, their decoders are not. That of 16 leaves
out the first upsampling, as its encoder leaves out the last pooling, and so ends in
1000x8; that of 64 mirrors its encoder's two more convolutions and one more pooling.
Convolutions are padded to the same length and followed by ReLU, pools drop an odd last
step, and the output is linear.
"""

from __future__ import annotations

import keras
from keras import layers

from dynamic_deep.errors import ConfigError
from experiments.networks.dense2018 import FILTER_LEN, N_SAMPLES
from experiments.networks.segments2018 import SEGMENT_LEN

# Of scaled segments. Begun at 0, the output has to rise so fast that ReLU dies below.
MEAN_SAMPLE = 0.4
LATENT_LENS = {16: 125, 32: 62, 64: 31}

_Step = tuple[str, int, int]  # name, filters, kernel; a pool or up has neither


def _conv(number: str, filters: int, kernel: int) -> _Step:
    return f"conv{number}", filters, kernel


_POOL, _UP = ("pool", 0, 0), ("up", 0, 0)
_NORM_4, _NORM_7 = ("norm4", 0, 0), ("norm7", 0, 0)
_TRUNK = (
    *(_conv("1", 8, 3), _POOL, _conv("3", 32, 5), _NORM_4, _POOL),
    *(_conv("6", 16, 3), _NORM_7, _POOL, _conv("9", 64, 11), _conv("10", 128, 13)),
    _POOL,
)
_TAILS = {
    16: (_conv("12", 32, 3), _conv("13", 1, 7)),
    32: (_conv("12", 32, 3), _conv("13", 1, 7), _POOL),
    64: (
        *(_conv("12a_64", 64, 3), _conv("12b_64", 32, 3), _POOL),
        *(_conv("12c_64", 16, 3), _conv("13_64", 1, 7), _POOL),
    ),
}
_ENTRIES = {
    16: (_conv("15", 1, 7), _conv("16", 32, 3)),
    32: (_conv("15", 1, 7), _conv("16", 32, 3), _UP),
    64: (_conv("15_64", 1, 7), _conv("15b_64", 16, 3), _UP, _conv("16_64", 32, 3), _UP),
}
_BODY = (
    *(_conv("18", 64, 11), _conv("19", 128, 13), _UP, _conv("21", 16, 3)),
    *(_conv("22", 32, 5), _UP, _conv("24", 32, 3), _UP, _conv("26", 8, 3)),
)


def check_level(level: int) -> int:
    """Return a level that there is.

    Raises:
        ConfigError: If there is none such.
    """
    if level not in LATENT_LENS:
        raise ConfigError(f"a level must be one of 16, 32, 64, got {level}")
    return level


def _apply(steps: tuple[_Step, ...], x: keras.KerasTensor) -> keras.KerasTensor:
    for name, filters, kernel in steps:
        if name.startswith("conv"):
            conv = layers.Conv1D(
                filters,
                kernel,
                padding="same",
                activation="relu",
                kernel_initializer="he_normal",
                name=name,
            )
            x = conv(x)
        elif name.startswith("norm"):
            x = layers.BatchNormalization(name=name)(x)
        elif name == "pool":
            x = layers.MaxPooling1D(2)(x)
        elif name == "up":
            x = layers.UpSampling1D(2)(x)
        else:
            raise ConfigError(
                f"a layer must be one of conv, norm, pool, up, got {name!r}"
            )
    return x


def build_encoder(level: int) -> keras.Model:
    """Return the encoder: float32 (n, 2000, 1) in [0, 1] to (n, 125, 62 or 31, 1).

    Args:
        level: 16, 32 or 64, its nominal gain.

    Raises:
        ConfigError: If there is no such level.
    """
    inputs = keras.Input((SEGMENT_LEN, 1))
    outputs = _apply(_TRUNK + _TAILS[check_level(level)], inputs)
    return keras.Model(inputs, outputs, name="encoder")


def build_decoder(level: int) -> keras.Model:
    """Return the decoder: the encoder's latent to float32 (n, 2000, 1).

    Its last layers are `features`, flat, and the dense `samples`.

    Args:
        level: 16, 32 or 64, its nominal gain.

    Raises:
        ConfigError: If there is no such level.
    """
    inputs = keras.Input((LATENT_LENS[check_level(level)], 1))
    x = _apply(_ENTRIES[level] + _BODY, inputs)
    x = layers.Flatten(name="features")(x)
    x = layers.Dense(SEGMENT_LEN, name="samples")(x)
    outputs = layers.Reshape((SEGMENT_LEN, 1))(x)
    return keras.Model(inputs, outputs, name="decoder")


def build_autoencoder(level: int) -> keras.Model:
    """Return encoder and decoder as one model; they are its layers by these names.

    Args:
        level: 16, 32 or 64, its nominal gain.

    Raises:
        ConfigError: If there is no such level.
    """
    encoder, decoder = build_encoder(level), build_decoder(level)
    inputs = keras.Input((SEGMENT_LEN, 1))
    return keras.Model(inputs, decoder(encoder(inputs)), name=f"cae{level}")


def build_convolutional(model: keras.Model) -> keras.Model:
    """Return an autoencoder with a convolution in place of its dense layer.

    All other layers are shared. Its output is as long as two samples a position, which
    is 16 samples short of a segment at levels 32 and 64.

    Args:
        model: of `build_autoencoder`.
    """
    encoder, decoder = model.get_layer("encoder"), model.get_layer("decoder")
    body = keras.Model(decoder.input, decoder.get_layer("conv26").output, name="body")
    inputs = keras.Input((SEGMENT_LEN, 1))
    maps = body(encoder(inputs))
    pairs = layers.Conv1D(
        N_SAMPLES,
        FILTER_LEN,
        padding="same",
        kernel_initializer=keras.initializers.RandomNormal(stddev=0.01),
        bias_initializer=keras.initializers.Constant(MEAN_SAMPLE),
        name="filter",
    )(maps)
    outputs = layers.Reshape((N_SAMPLES * maps.shape[1], 1))(pairs)
    return keras.Model(inputs, outputs, name=f"{model.name}_convolutional")
