# SPDX-License-Identifier: Apache-2.0
"""The int8 encoder: in LiteRT, in TensorFlow Lite Micro, and through the codec."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from device_sim.__main__ import main as device_sim
from device_sim.footprint import measure_footprint
from dynamic_deep import Codec
from dynamic_deep.bundle import SHIPPED, Bundle, content_hash
from dynamic_deep.cli import main
from dynamic_deep.config import SEGMENT_LEN
from dynamic_deep.engine_int8 import IntegerEncoder
from dynamic_deep.errors import ConfigError, ModelError
from dynamic_deep.firmware.arena import measure_arena, micro_interpreter, run_micro
from dynamic_deep.firmware.samples import ecg_window
from dynamic_deep.metrics import prdn
from dynamic_deep.synthetic import simulate_ecg
from dynamic_deep.window_codec import WindowCodec, WindowPlace

# What TensorFlow Lite Micro's interpreter has kernels for.
OPERATORS = {
    *("CONV_2D", "DEPTHWISE_CONV_2D", "ADD", "MEAN", "REDUCE_MAX", "CONCATENATION"),
}


@pytest.fixture(scope="module")
def encoder(bundle: Bundle) -> IntegerEncoder:
    content = bundle.networks["encoder_int8"]
    return IntegerEncoder(content, bundle.model_id.hex())


@pytest.fixture(scope="module")
def segments(bundle: Bundle, encoder: IntegerEncoder) -> np.ndarray:
    codec = WindowCodec(bundle)
    parts = []
    for seed in range(5):
        x = ecg_window(seed)
        place = WindowPlace(n_samples=len(x), fs=300.0, baseline=0, adc_bits=16)
        parts.append(codec.analyze(x, place).normalized.reshape(-1, SEGMENT_LEN))
    return encoder.to_integers(np.concatenate(parts))


def graph_of(bundle: Bundle):  # type: ignore[no-untyped-def]
    from ai_edge_litert import schema_py_generated as schema

    content = bundle.networks["encoder_int8"]
    return schema, schema.ModelT.InitFromPackedBuf(content, 0)


def test_every_tensor_is_an_integer_and_every_operator_is_known(bundle: Bundle) -> None:
    schema, model = graph_of(bundle)
    kinds = {schema.TensorType.INT8, schema.TensorType.INT32}
    assert {tensor.type for tensor in model.subgraphs[0].tensors} <= kinds
    names = {v: k for k, v in vars(schema.BuiltinOperator).items()}
    codes = {
        names[max(code.builtinCode, code.deprecatedBuiltinCode)]
        for code in model.operatorCodes
    }
    assert codes <= OPERATORS


def test_weights_have_a_scale_for_each_channel(bundle: Bundle) -> None:
    _, model = graph_of(bundle)
    graph = model.subgraphs[0]
    kernels = [
        graph.tensors[op.inputs[1]] for op in graph.operators if len(op.inputs) == 3
    ]
    assert kernels
    assert all(
        len(kernel.quantization.scale) == max(kernel.shape[0], kernel.shape[3])
        or len(kernel.quantization.scale) == kernel.shape[0]
        for kernel in kernels
    )


def test_micro_gives_the_same_integers_as_litert(
    bundle: Bundle, encoder: IntegerEncoder, segments: np.ndarray
) -> None:
    content = bundle.networks["encoder_int8"]
    interpreter = micro_interpreter(content)
    wanted = encoder.run_integers(segments)
    zeros = [encoder.zero_of(i) for i in range(len(wanted))]
    shapes = [w.shape[1:] for w in wanted]
    for i, segment in enumerate(segments):
        found = run_micro(interpreter, segment, len(wanted))
        by_shape = _in_order(found, bundle, encoder)
        for output, (ours, zero, shape) in enumerate(
            zip(by_shape, zeros, shapes, strict=True)
        ):
            difference = ours.reshape(shape).astype(np.int32) - zero - wanted[output][i]
            assert not difference.any()


def _in_order(
    found: list[np.ndarray], bundle: Bundle, encoder: IntegerEncoder
) -> list[np.ndarray]:
    """Return outputs in the order of their names; Micro gives them in the file's."""
    _, model = graph_of(bundle)
    graph = model.subgraphs[0]
    names = [graph.tensors[i].name.decode() for i in graph.outputs]
    return [found[names.index(name)] for name in encoder.output_names]


def test_it_fits_the_budget_of_an_edge_device(bundle: Bundle) -> None:
    measured = measure_footprint(bundle.folder or "edge")
    assert measured.macs_per_segment <= 1_000_000
    assert measured.weights_bytes <= 65_536
    assert measured.arena_bytes <= 32_768
    arena = measure_arena(bundle.networks["encoder_int8"])
    assert arena.smallest_bytes == measured.arena_bytes
    assert 0 <= arena.smallest_bytes - arena.recorded_bytes <= 256


def test_footprint_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert device_sim(["footprint", "edge", "--check", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found == dataclasses.asdict(measure_footprint("edge"))
    assert device_sim(["footprint", "classical"]) == 1


def test_files_of_int8_are_decoded_by_the_same_decoder() -> None:
    recording = simulate_ecg(65.0, seed=5)
    precise, device = Codec.load("edge"), Codec.load("edge", precision="int8")
    assert precise.model_id == device.model_id
    for level in (v.name for v in precise.levels if v.kind == "neural"):
        ours, theirs = (c.encode(recording, level=level) for c in (device, precise))
        assert ours != theirs  # other integers
        assert abs(len(ours) / len(theirs) - 1.0) < 0.05
        errors = [
            prdn(recording.samples[:, 0], precise.decode(data).samples[:, 0])
            for data in (ours, theirs)
        ]
        assert errors[0] < 1.1 * errors[1]


def test_the_encoder_in_integers_is_no_part_of_the_model_id(tmp_path: Path) -> None:
    folder = tmp_path / "edge"
    shutil.copytree(SHIPPED / "edge", folder)
    before = content_hash(folder)
    (folder / "encoder_int8.tflite").unlink()
    assert content_hash(folder) == before
    with pytest.raises(ModelError, match="encoder_int8"):
        Codec.load(folder, precision="int8").encode(
            simulate_ecg(31.0, seed=1), level="gain_64"
        )


def test_an_encoder_of_another_bundle_is_refused(bundle: Bundle) -> None:
    content = bundle.networks["encoder_int8"]
    with pytest.raises(ModelError, match="made of its bundle"):
        IntegerEncoder(content, "00" * 16)
    with pytest.raises(ModelError, match="what its integers mean"):
        IntegerEncoder(bundle.networks["encoder"], bundle.model_id.hex())
    with pytest.raises(ModelError, match="LiteRT reads"):
        IntegerEncoder(b"TFL3", bundle.model_id.hex())


def test_an_unknown_precision_is_refused(bundle: Bundle) -> None:
    with pytest.raises(ConfigError, match="precision"):
        _ = WindowCodec(bundle, precision="int4").encoder


def test_export_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "c"
    assert main(["export", "--c", str(folder), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["bundle"] == "edge"
    text = (folder / "README.md").read_text()
    assert facts["model_id"] in text
    assert "@" not in text  # every blank is filled in
    assert main(["export", "--c", str(folder)]) == 1
    assert "already" in capsys.readouterr().err
    assert main(["export", "--c", str(folder), "--force"]) == 0
    assert main(["export", "--c", str(tmp_path), "--force"]) == 1
    assert main(["export", "--c", str(tmp_path / "x"), "--bundle", "classical"]) == 1
    assert not list(tmp_path.glob(".*"))


def test_encode_in_int8(tmp_path: Path) -> None:
    from dynamic_deep.recording import read_recording, write_recording

    recording = simulate_ecg(31.0, seed=3)
    write_recording(tmp_path / "a.npz", recording)
    arguments = ["encode", str(tmp_path / "a.npz"), "--bundle", "edge", "--quiet"]
    for precision in ("float", "int8"):
        target = str(tmp_path / f"{precision}.ddc")
        assert main([*arguments, "--precision", precision, "-o", target]) == 0
    coded = (tmp_path / "int8.ddc").read_bytes()
    assert coded == Codec.load("edge", precision="int8").encode(
        read_recording(tmp_path / "a.npz")
    )
    assert coded != (tmp_path / "float.ddc").read_bytes()
