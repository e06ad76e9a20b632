# SPDX-License-Identifier: Apache-2.0
"""A bundle with an int8 encoder, its export, and the compiled C of it."""

from __future__ import annotations

import functools
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from dynamic_deep.bundle import Bundle, load_bundle
from dynamic_deep.firmware import export_firmware

STRICT = ("-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic")
BUNDLE = "edge"


@pytest.fixture(scope="session")
def bundle() -> Bundle:
    """The bundle that a device has."""
    return load_bundle(BUNDLE)


@pytest.fixture(scope="session")
def exported(bundle: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What firmware is built from."""
    folder = tmp_path_factory.mktemp("firmware") / "c"
    export_firmware(bundle, folder)
    return folder


@pytest.fixture(scope="session")
def build_c(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Compile an export, with other files in place of or beside its own."""
    compiler = shutil.which("gcc")
    if compiler is None:
        pytest.skip("needs gcc; .ci/run installs it where it may")

    def build(
        exported: Path, name: str, *options: str, main: Path | None = None
    ) -> Path:
        folder = tmp_path_factory.mktemp("built")
        sources = sorted(exported.glob("dd_*.c"))
        if main is not None:
            sources = [s for s in sources if s.name != "dd_check.c"] + [main]
        program = folder / name
        command = [compiler, *STRICT, *options, f"-I{exported}", "-o", str(program)]
        done = subprocess.run(
            [*command, *map(str, sources), "-lm"],
            capture_output=True,
            text=True,
            check=False,
            cwd=folder,
        )
        assert done.returncode == 0, done.stderr
        return program

    return build


@pytest.fixture(scope="session")
def compile_c(exported: Path, build_c: Callable[..., Path]) -> Callable[..., Path]:
    """Compile the bundle's export."""
    return functools.partial(build_c, exported)


@pytest.fixture(scope="session")
def checker(compile_c: Callable[..., Path]) -> Path:
    """The host program that repeats vectors."""
    return compile_c("check", "-O2", "-Wconversion")


@pytest.fixture(scope="session")
def sanitized_checker(compile_c: Callable[..., Path]) -> Path:
    """The same, which stops at undefined behaviour and stray accesses."""
    return compile_c(
        "check_sanitized",
        *("-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"),
    )
