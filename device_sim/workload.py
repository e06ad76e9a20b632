# SPDX-License-Identifier: Apache-2.0
"""What a window makes a device do, counted: multiply-accumulates, symbols, samples.

Counts follow from the window's length, the bundle's shapes and tables and the network
itself. What each of them costs is in `profiles/software.toml`.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields
from fractions import Fraction

from device_sim.network_macs import Graph, read_graph
from device_sim.points import CodeCost
from dynamic_deep.bundle import Bundle, Level
from dynamic_deep.config import MODEL_FS
from dynamic_deep.errors import ConfigError
from dynamic_deep.latent import LatentCoder
from dynamic_deep.latent_net import NetCoder
from dynamic_deep.wavelet import BLOCK
from dynamic_deep.window_codec import WindowPlace, coded_steps

# scipy's polyphase filter reaches ten samples of the slower rate to either side.
_FILTER_REACH = 10


@dataclass(frozen=True, kw_only=True)
class Work:
    """What is done for a window, or for many.

    Attributes:
        macs: int8 multiply-accumulates of the encoder.
        head_macs: multiply-accumulates of the error heads.
        acquired: samples taken from the front end.
        resample_taps: of the filter to the model's rate.
        scaled: samples brought to the window's scale.
        transformed: samples through the wavelet transform.
        quantized: latent values.
        context_macs: of the integer context model.
        symbols: of latents through the range coder.
        coefficients: of wavelets, quantised and through the range coder.
        lossless: samples through level `lossless`.
        rice: samples through the light lossless coder.
        packed_bytes: of samples sent as they are.
        sealed_bytes: through the cipher.
    """

    macs: float = 0.0
    head_macs: float = 0.0
    acquired: float = 0.0
    resample_taps: float = 0.0
    scaled: float = 0.0
    transformed: float = 0.0
    quantized: float = 0.0
    context_macs: float = 0.0
    symbols: float = 0.0
    coefficients: float = 0.0
    lossless: float = 0.0
    rice: float = 0.0
    packed_bytes: float = 0.0
    sealed_bytes: float = 0.0

    def __add__(self, other: Work) -> Work:
        """Return both together."""
        names = [field.name for field in fields(self)]
        return Work(**{n: getattr(self, n) + getattr(other, n) for n in names})

    def __mul__(self, times: float) -> Work:
        """Return it done `times` times."""
        names = [field.name for field in fields(self)]
        return Work(**{name: getattr(self, name) * times for name in names})

    def m4_cycles(self, code: CodeCost) -> float:
        """Return the cycles of all but the encoder, as a Cortex-M4 needs them."""
        return (
            self.head_macs * code.head_per_mac
            + self.acquired * code.acquire_per_sample
            + self.resample_taps * code.resample_per_tap
            + self.scaled * code.scale_per_sample
            + self.transformed * code.wavelet_per_sample
            + self.quantized * code.quantize_per_value
            + self.context_macs * code.context_per_mac
            + self.symbols * code.symbol
            + self.coefficients * code.coefficient
            + self.lossless * code.lossless_per_sample
            + self.rice * code.rice_per_sample
            + self.packed_bytes * code.pack_per_byte
            + self.sealed_bytes * code.seal_per_byte
        )


def resample_taps(place: WindowPlace) -> float:
    """Return the multiply-accumulates of bringing a window to the model's rate."""
    ratio = Fraction(MODEL_FS / place.fs).limit_denominator(3000)
    if ratio == 1:
        return 0.0
    up, down = ratio.numerator, ratio.denominator
    return place.model_len * (2 * _FILTER_REACH * max(up, down) + 1) / up


def analysis(place: WindowPlace) -> Work:
    """Return what every lossy level begins with: the model's rate and scale."""
    return Work(resample_taps=resample_taps(place), scaled=place.model_len)


def context_macs(coder: LatentCoder | NetCoder) -> int:
    """Return the multiply-accumulates of the context model for one step of a latent.

    Of a context network: those from a hidden row to the tables of a step's magnitudes.
    What the few symbols that are not 0 add to the rows is part of the price of each.
    """
    if isinstance(coder, NetCoder):
        return coder.n_channels * coder.context.first.shape[1]
    total = 0
    for group in coder.groups:
        width = group.stop - group.start
        # Channels of earlier groups before, at and after; two even neighbours, at every
        # other step.
        total += 3 * group.start * width + width * width
    return total


class CodecWork:
    """Counts what a bundle's levels make a device do.

    Args:
        bundle: the bundle.
    """

    def __init__(self, bundle: Bundle) -> None:
        """Read the networks that the device runs."""
        self._bundle = bundle
        self._encoder: Graph | None = None
        if "encoder" in bundle.networks:
            self._encoder = read_graph(bundle.networks["encoder"], "encoder")
        self.head_macs = 0
        if "heads" in bundle.networks:
            self.head_macs = read_graph(bundle.networks["heads"], "heads").macs()
        self._context = {
            name: context_macs(bundle.latent_coder(name)) for name in bundle.latents
        }
        nets = {
            level.name: bundle.wavelet_coder(level.name).net
            for level in bundle.levels
            if level.kind == "wavelet"
        }
        self._context |= {name: context_macs(net) for name, net in nets.items() if net}

    def macs_per_segment(self, names: Collection[str], *, with_heads: bool) -> int:
        """Return the encoder's multiply-accumulates for some neural levels.

        Args:
            names: the levels; trunk and their tails are counted.
            with_heads: whether the features of the error heads are needed.

        Raises:
            ConfigError: If the bundle has no encoder, or none with features.
        """
        if not names and not with_heads:
            return 0
        if self._encoder is None:
            raise ConfigError(
                f"a neural level needs an encoder, bundle {self._bundle.name} has none"
            )
        wanted = [self._bundle.latents[name].level_idx for name in names]
        if with_heads:
            wanted.append(len(self._encoder.outputs) - 1)
        return self._encoder.macs(wanted)

    def encoder(
        self, place: WindowPlace, names: Collection[str], *, with_heads: bool = False
    ) -> Work:
        """Return what running the encoder on a window takes."""
        macs = self.macs_per_segment(names, with_heads=with_heads)
        head_macs = self.head_macs if with_heads else 0
        return Work(macs=macs * place.n_segments, head_macs=head_macs)

    def transform(self, place: WindowPlace) -> Work:
        """Return what the wavelet transform of a window takes."""
        return Work(transformed=_padded(place.model_len))

    def coding(self, place: WindowPlace, level: Level) -> Work:
        """Return what quantising and coding a window at a lossy level takes.

        Raises:
            ConfigError: If the level is not lossy.
        """
        if level.kind == "wavelet":  # the two symbols are scale and offset
            n_values = _padded(place.model_len)
            # Rather too much: counted for 16 hidden values, each takes 10 instructions,
            # where a latent's, whose symbols are less often 0, takes 29.
            context = n_values // BLOCK * self._context.get(level.name, 0)
            return Work(symbols=2, coefficients=n_values, context_macs=context)
        if level.kind == "neural":
            shape = self._bundle.latents[level.name]
            n_steps = coded_steps(place.model_len, shape.stride)
            n_values = n_steps * shape.n_channels
            return Work(
                quantized=n_values,
                symbols=n_values + 2,
                context_macs=n_steps * self._context[level.name],
            )
        raise ConfigError(f"a lossy level must be wavelet or neural, got {level.kind}")


def _padded(n_samples: int) -> int:
    return n_samples + -n_samples % BLOCK
