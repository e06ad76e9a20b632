# SPDX-License-Identifier: Apache-2.0
"""Writes the folder that a firmware is built from."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np

from dynamic_deep.bundle import Bundle
from dynamic_deep.config import SEGMENT_LEN
from dynamic_deep.engine_int8 import IntegerEncoder
from dynamic_deep.errors import ConfigError, ModelError
from dynamic_deep.firmware.c_text import byte_array, head
from dynamic_deep.firmware.heads_tables import heads_tables
from dynamic_deep.firmware.level_tables import MAX_STEPS, level_tables, net_work
from dynamic_deep.firmware.lossless_tables import lossless_tables
from dynamic_deep.firmware.readme import readme
from dynamic_deep.firmware.samples import reference_vectors
from dynamic_deep.firmware.vectors import pack_vectors
from dynamic_deep.quantizer import N_SCALES, OFFSET_LIMIT
from dynamic_deep.window_codec import WindowCodec

SOURCES = "c"


@dataclass(frozen=True, kw_only=True)
class FirmwareFiles:
    """What was written.

    Attributes:
        folder: where to.
        model_bytes: of the int8 encoder.
        heads_bytes: of the error heads; 0 without.
        lossless_bytes: of the tables of the lossless and near-lossless levels.
        level_bytes: of the tables of all other levels.
        n_vectors: reference vectors.
    """

    folder: Path
    model_bytes: int
    heads_bytes: int
    lossless_bytes: int
    level_bytes: int
    n_vectors: int


def export_firmware(
    bundle: Bundle, folder: Path, *, force: bool = False
) -> FirmwareFiles:
    """Write sources, tables, model and reference vectors of a bundle.

    Args:
        bundle: with `encoder_int8.tflite`.
        folder: a new one.
        force: replace what an earlier export wrote there.

    Raises:
        ModelError: If the bundle has no int8 encoder.
        ConfigError: If there is such a folder already, or it is no earlier export.
    """
    if "encoder_int8" not in bundle.networks:
        raise ModelError(
            f"a bundle for firmware must hold encoder_int8.tflite, {bundle.name} has "
            "none; make it with `python -m training int8`"
        )
    _require_free(folder, force=force)
    content = bundle.networks["encoder_int8"]
    encoder = IntegerEncoder(content, bundle.model_id.hex())
    if encoder.dtype is not np.int8:
        raise ModelError(
            "firmware takes an encoder with int8 activations, got "
            f"{encoder.dtype.__name__}; make it with `--activations 8`"
        )
    lossless, lossless_bytes = lossless_tables()
    levels, level_bytes = level_tables(bundle, encoder)
    vectors = reference_vectors(WindowCodec(bundle, precision="int8"), encoder)
    has_heads = "heads" in bundle.networks
    heads_text, heads_bytes = heads_tables(bundle, encoder) if has_heads else ("", 0)
    files = FirmwareFiles(
        folder=folder,
        model_bytes=len(content),
        heads_bytes=heads_bytes,
        lossless_bytes=lossless_bytes,
        level_bytes=level_bytes,
        n_vectors=len(vectors),
    )
    texts = {
        "dd_config.h": _config(bundle, encoder),
        "dd_lossless_tables.c": lossless,
        "dd_levels.c": levels,
        "dd_model.h": _model_header(),
        "dd_model.c": _model(content),
        "README.md": readme(bundle, encoder, files),
    }
    if has_heads:
        texts["dd_heads_data.h"] = heads_text
    data = {"encoder_int8.tflite": content, "vectors.bin": pack_vectors(vectors)}
    _write_folder(folder, texts, data, has_heads=has_heads)
    return files


def _write_folder(
    folder: Path, texts: dict[str, str], data: dict[str, bytes], *, has_heads: bool
) -> None:
    """Write the sources and what was made of the bundle beside, then rename."""
    beside = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(beside, ignore_errors=True)
    try:
        beside.mkdir(parents=True)
        for source in (resources.files("dynamic_deep.firmware") / SOURCES).iterdir():
            is_of_heads = source.name.startswith("dd_heads.")
            if source.name.endswith((".c", ".h")) and (has_heads or not is_of_heads):
                (beside / source.name).write_text(source.read_text(encoding="utf-8"))
        for name, text in texts.items():
            (beside / name).write_text(text, encoding="utf-8")
        for name, content in data.items():
            (beside / name).write_bytes(content)
        if folder.exists():
            shutil.rmtree(folder)
        os.replace(beside, folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _require_free(folder: Path, *, force: bool) -> None:
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    if not force:
        raise ConfigError(
            f"firmware is exported to a new folder, got {folder}, which is there "
            "already; choose another, or --force"
        )
    if not (folder / "dd_config.h").is_file():
        raise ConfigError(
            f"--force replaces an earlier export, got {folder}, which is none; choose "
            "another folder"
        )


def _config(bundle: Bundle, encoder: IntegerEncoder) -> str:
    scale, zero = encoder.input_scale
    lines = {
        "DD_SEGMENT_LEN": str(SEGMENT_LEN),
        "DD_N_LEVELS": str(len(bundle.levels)),
        "DD_N_SCALES": str(N_SCALES),
        "DD_OFFSET_LIMIT": str(OFFSET_LIMIT),
        "DD_INPUT_SCALE": f"{np.float32(scale):.9g}f",
        "DD_INPUT_ZERO": f"({zero})",
        "DD_MAX_STEPS": str(MAX_STEPS),
        "DD_NET_WORK": str(net_work(bundle)),
        "DD_MODEL_ID": f'"{bundle.model_id.hex()}"',
    }
    defines = "\n".join(f"#define {name} {value}" for name, value in lines.items())
    return (
        head(f"sizes of bundle {bundle.name}")
        + f"#ifndef DD_CONFIG_H\n#define DD_CONFIG_H\n\n{defines}\n\n#endif\n"
    )


def _model_header() -> str:
    return (
        head("the int8 encoder, a .tflite file")
        + "#ifndef DD_MODEL_H\n#define DD_MODEL_H\n\n#include <stdint.h>\n\n"
        + "extern const uint8_t dd_model[];\nextern const uint32_t dd_model_len;\n\n"
        + "#endif\n"
    )


def _model(content: bytes) -> str:
    return (
        head("the int8 encoder, a .tflite file")
        + '#include "dd_model.h"\n\n'
        + "#ifndef DD_ALIGNED\n#ifdef __GNUC__\n"
        + "#define DD_ALIGNED __attribute__((aligned(16)))\n#else\n"
        + "#define DD_ALIGNED\n#endif\n#endif\n\n"
        + byte_array("dd_model", content)
    )
