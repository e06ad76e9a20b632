# SPDX-License-Identifier: Apache-2.0
"""The plan of the house: who may import whom, how large things may grow.

All is read from the syntax trees, so that nothing heavy is imported.
"""

from __future__ import annotations

import ast
import doctest
import functools
import importlib
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[1]
PACKAGES = ("costmodel", "device_sim", "dynamic_deep", "experiments", "training")

# A module of dynamic_deep imports from its own floor or a lower one. A word stands for
# the module and its family: container, container_header, container_reader, ...
FLOORS = (
    {"errors", "config", "recording", "metrics", "synthetic", "fetch", "peak"},
    {
        *("segments", "quantizer", "entropy", "latent", "policy"),
        *("prediction", "residual", "lossless", "wavelet"),
        *("bitstream", "byte", "field", "header", "container", "uplink"),
    },
    {"networks", "bundle", "engine"},
    {
        *("codec", "stream", "window", "tasks", "heads", "trials", "subjects"),
        *("bound", "calibration", "evaluation"),
    },
    # "" is dynamic_deep/__init__.py
    {"bench", "cli", "cloud", "firmware", "__main__", ""},
)
MAY_IMPORT = {
    "dynamic_deep": set(),
    "costmodel": {"dynamic_deep"},
    "device_sim": {"dynamic_deep", "costmodel"},
    "training": {"dynamic_deep"},
    "experiments": {"dynamic_deep", "costmodel", "device_sim", "training"},
}
TRAINING_ONLY = {"keras", "tensorflow", "jax", "torch", "tf_keras", "tensorboard"}

MAX_FILE_LINES = 250
MAX_FUNCTION_LINES = 60
MAX_POSITIONAL = 5


def sources() -> list[Path]:
    return sorted(path for name in PACKAGES for path in (CHECKOUT / name).rglob("*.py"))


def module_name(path: Path) -> str:
    parts = path.relative_to(CHECKOUT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


SOURCES = {module_name(path): path for path in sources()}


@functools.cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def runtime_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """All nodes, functions' bodies too, but not what only the type checker sees."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield child
        yield from runtime_nodes(child)


@functools.cache
def imports_of(name: str) -> frozenset[str]:
    """The modules that a module imports, its own package's as full names."""
    package = name if SOURCES[name].name == "__init__.py" else name.rpartition(".")[0]
    found = set()
    for node in runtime_nodes(tree_of(SOURCES[name])):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*above, base] if base else above)
            full = {alias.name: f"{base}.{alias.name}" for alias in node.names}
            found |= {path if path in SOURCES else base for path in full.values()}
    return frozenset(found)


def own_imports(name: str) -> set[str]:
    return {target for target in imports_of(name) if target in SOURCES} - {name}


def floor_of(name: str) -> int:
    part = name.partition(".")[2].partition(".")[0]
    known = {part, part.split("_")[0]} if part != "__main__" else {part}
    floors = (floor for floor, parts in enumerate(FLOORS) if known & parts)
    return next(floors, len(FLOORS))  # unknown: `test_every_module_has_a_floor` fails


def codec_modules() -> list[str]:
    return [name for name in SOURCES if name.split(".")[0] == "dynamic_deep"]


def test_every_module_has_a_floor() -> None:
    homeless = [name for name in codec_modules() if floor_of(name) == len(FLOORS)]
    assert not homeless, "put these on a floor"


@pytest.mark.parametrize("name", codec_modules())
def test_imports_go_to_the_same_or_a_lower_floor(name: str) -> None:
    upward = {t for t in own_imports(name) if floor_of(t) > floor_of(name)}
    assert not upward, f"{name} imports from a higher floor: {sorted(upward)}"


@pytest.mark.parametrize("name", SOURCES)
def test_packages_import_only_those_below(name: str) -> None:
    package = name.split(".")[0]
    others = {target.split(".")[0] for target in imports_of(name)} & set(PACKAGES)
    assert others - {package} <= MAY_IMPORT[package]


@pytest.mark.parametrize("name", codec_modules())
def test_only_the_network_builders_know_keras(name: str) -> None:
    if floor_of(name) == 2 and name.split(".")[1] == "networks":
        return
    roots = {target.split(".")[0] for target in imports_of(name)}
    assert not roots & TRAINING_ONLY
    builders = [t for t in own_imports(name) if t.startswith("dynamic_deep.networks")]
    assert not builders, "the builders are for training only"


def test_there_is_no_cycle() -> None:
    graph = {name: own_imports(name) for name in SOURCES}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"imports form a cycle: {' -> '.join(error.args[1])}")


@pytest.mark.parametrize("name", SOURCES)
def test_files_are_small_and_licensed(name: str) -> None:
    lines = SOURCES[name].read_text(encoding="utf-8").splitlines()
    assert len(lines) <= MAX_FILE_LINES, "look for a second idea in the file"
    assert lines[0] == "# SPDX-License-Identifier: Apache-2.0"
    assert ast.get_docstring(tree_of(SOURCES[name])), "say what the file is for"


@pytest.mark.parametrize("name", SOURCES)
def test_functions_are_small(name: str) -> None:
    for node in ast.walk(tree_of(SOURCES[name])):
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        n_lines = (node.end_lineno or node.lineno) - node.lineno + 1
        assert n_lines <= MAX_FUNCTION_LINES, f"{node.name} has {n_lines} lines"
        positional = [*node.args.posonlyargs, *node.args.args]
        n_positional = sum(arg.arg not in ("self", "cls") for arg in positional)
        assert n_positional <= MAX_POSITIONAL, f"{node.name} takes {n_positional}"


@pytest.mark.parametrize("package", PACKAGES)
def test_package_resolves_inside_the_checkout(package: str) -> None:
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    assert Path(spec.origin).resolve() == CHECKOUT / package / "__init__.py"


def test_no_drawer_for_odds_and_ends() -> None:
    drawers = {"utils", "util", "helpers", "common", "misc"}
    named = {path for path in sources() if {path.stem, *path.parent.parts} & drawers}
    assert not named, "a function lives with the idea it serves"
    assert not list((CHECKOUT / "tests").rglob("__init__.py"))


@pytest.mark.parametrize(
    "name", [name for name in codec_modules() if floor_of(name) <= 1]
)
def test_examples_of_the_lower_floors_run(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0
