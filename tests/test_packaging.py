# SPDX-License-Identifier: Apache-2.0
"""What a user gets: the content of the wheel, its metadata, the public names."""

from __future__ import annotations

import email
import email.message
import subprocess
import sys
import tomllib
import types
import zipfile
from pathlib import Path

import pytest

import dynamic_deep

CHECKOUT = Path(__file__).resolve().parents[1]
MAX_WHEEL_BYTES = 20_000_000  # a device or a decode worker installs in seconds


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel"]
    subprocess.run([*command, "-d", str(folder)], cwd=CHECKOUT, check=True)
    (path,) = folder.glob("*.whl")
    assert path.stat().st_size < MAX_WHEEL_BYTES
    return zipfile.ZipFile(path)


@pytest.fixture(scope="module")
def metadata(wheel: zipfile.ZipFile) -> email.message.Message:
    (name,) = [n for n in wheel.namelist() if n.endswith(".dist-info/METADATA")]
    return email.message_from_bytes(wheel.read(name))


def test_wheel_holds_the_codec_only(wheel: zipfile.ZipFile) -> None:
    tops = {name.split("/")[0] for name in wheel.namelist()}
    dist_info = f"dynamic_deep-{dynamic_deep.__version__}.dist-info"
    assert tops == {"dynamic_deep", dist_info}
    assert not [name for name in wheel.namelist() if "__pycache__" in name]


def test_wheel_holds_every_file_of_the_package(wheel: zipfile.ZipFile) -> None:
    root = CHECKOUT / "dynamic_deep"
    files = [path for path in root.rglob("*") if path.is_file()]
    expected = {
        path.relative_to(CHECKOUT).as_posix()
        for path in files
        if "__pycache__" not in path.parts and path.suffix != ".pyc"
    }
    packed = {name for name in wheel.namelist() if name.startswith("dynamic_deep/")}
    assert packed == expected
    assert "dynamic_deep/py.typed" in packed


@pytest.mark.parametrize("bundle", ["standard", "edge"])
def test_wheel_holds_the_bundle(wheel: zipfile.ZipFile, bundle: str) -> None:
    folder = f"dynamic_deep/bundles/{bundle}/"
    files = {n.removeprefix(folder) for n in wheel.namelist() if n.startswith(folder)}
    assert {"config.json", "tables.npz"} <= files
    assert any(name.endswith(".tflite") for name in files)
    assert any(name.endswith(".md") for name in files), "a bundle has a model card"


def test_runtime_needs_no_training_stack(metadata: email.message.Message) -> None:
    required = metadata.get_all("Requires-Dist") or []
    runtime = [line.lower() for line in required if "extra ==" not in line]
    assert "constriction==0.5.0" in runtime
    assert not [line for line in runtime if line.startswith(("tensorflow", "keras"))]
    assert {"train", "cloud", "device", "dev"} <= set(
        metadata.get_all("Provides-Extra") or []
    )


def test_version_is_the_same_everywhere(metadata: email.message.Message) -> None:
    version = dynamic_deep.__version__
    assert metadata["Version"] == version
    citation = (CHECKOUT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {version}\n" in citation
    assert f"## [{version}]" in (CHECKOUT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_console_script_exists() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["scripts"] == {"dynamic-deep": "dynamic_deep.cli:main"}
    from dynamic_deep.cli import main

    assert callable(main)


def test_all_is_exactly_the_public_names() -> None:
    assert dynamic_deep.__all__ == sorted(dynamic_deep.__all__)
    assert dir(dynamic_deep) == dynamic_deep.__all__
    for name in dynamic_deep.__all__:
        assert getattr(dynamic_deep, name) is not None
    bound = {
        name
        for name, value in vars(dynamic_deep).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }
    assert bound | {"__version__"} == set(dynamic_deep.__all__)


def test_every_error_is_public() -> None:
    from dynamic_deep import errors

    tree = {name for name, value in vars(errors).items() if isinstance(value, type)}
    assert tree <= set(dynamic_deep.__all__)


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Codek'"):
        _ = dynamic_deep.Codek
