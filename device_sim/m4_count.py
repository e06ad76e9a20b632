# SPDX-License-Identifier: Apache-2.0
"""Counts the instructions of a device's code on a Cortex-M4 that QEMU plays.

    python -m device_sim.m4_count FIRMWARE --records RECORD ...

FIRMWARE is what `dynamic-deep export --c` wrote. Needs arm-none-eabi-gcc with newlib
and qemu-system-arm; Debian has them.
QEMU executes one instruction a nanosecond of its own time, whatever the instruction;
how many cycles a real core needs for them is `cycles_per_instruction` in
profiles/software.toml, where the counts of this program stand, too.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from device_sim.m4_data import Counted, write_data
from dynamic_deep.bundle import load_bundle
from dynamic_deep.cli import text
from dynamic_deep.errors import ConfigError, DynamicDeepError

SOURCES = Path(__file__).parent / "m4"
COMPILER, EMULATOR = "arm-none-eabi-gcc", "qemu-system-arm"
FLAGS = (
    *("-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16", "-O2"),
    *("-std=gnu99", "-ffunction-sections", "-Wl,--gc-sections", "-nostartfiles"),
)
MACHINE = (
    *("-M", "mps2-an386", "-nographic", "-monitor", "none", "-serial", "none"),
    *("-icount", "shift=0", "-semihosting-config", "enable=on,target=native"),
)
KNOWN_INSTRUCTIONS = 2_000_000  # of the loop that tells how long a tick is
TIME_LIMIT_S = 120.0


def is_available() -> bool:
    """Tell whether compiler and emulator are installed."""
    return shutil.which(COMPILER) is not None and shutil.which(EMULATOR) is not None


def count(
    firmware: Path, records: Sequence[Path], bundle_name: str = "edge"
) -> dict[str, float]:
    """Return instructions by figure of profiles/software.toml, and for the encoder.

    Args:
        firmware: folder with the device's C code and its tables.
        records: windows of these are coded.
        bundle_name: whose network and tables.

    Returns:
        Instructions a unit by name; `macs_per_instruction` for the encoder.

    Raises:
        ConfigError: If a program is missing, or the code does not compile or run, or
            gives other bytes than the Python codec.
    """
    if not is_available():
        raise ConfigError(
            f"counting needs {COMPILER} and {EMULATOR}; install gcc-arm-none-eabi, "
            "libnewlib-arm-none-eabi and qemu-system-arm"
        )
    code = [*SOURCES.glob("*.c"), *firmware_sources(firmware)]
    with tempfile.TemporaryDirectory(prefix="dynamic-deep-") as name:
        folder = Path(name)
        counted = write_data(folder / "data.h", records, load_bundle(bundle_name))
        program = folder / "count.elf"
        _call(
            [
                *(COMPILER, *FLAGS, f"-I{SOURCES}", f"-I{firmware}", f"-I{folder}"),
                *("-T", str(SOURCES / "board.ld"), "-o", str(program)),
                *(str(path) for path in code),
                *("-lm", "-lgcc", "-lc", "--specs=nosys.specs"),
            ]
        )
        printed = _call([EMULATOR, *MACHINE, "-kernel", str(program)])
    return _per_unit(printed, counted)


def firmware_sources(firmware: Path) -> list[Path]:
    """Return the files of an export that are counted.

    Raises:
        ConfigError: If one is missing.
    """
    names = (
        *("context", "latent", "levels", "lossless", "lossless_tables", "predict"),
        *("range", "wavelet", "window"),
    )
    paths = [firmware / f"dd_{name}.c" for name in names]
    missing = [path.name for path in paths if not path.is_file()]
    if missing:
        raise ConfigError(
            f"the firmware must be a folder that `dynamic-deep export --c` wrote, "
            f"{firmware} lacks {', '.join(missing)}"
        )
    return paths


def _call(command: Sequence[str]) -> str:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=TIME_LIMIT_S, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise ConfigError(
            f"{command[0]} must be done within {TIME_LIMIT_S:g} s, it was not"
        ) from error
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise ConfigError(f"{command[0]} failed: {''.join(last)}")
    return done.stdout + done.stderr  # QEMU's host prints to the latter


def _per_unit(printed: str, counted: Counted) -> dict[str, float]:
    rows = [line.rsplit(" ", 1) for line in printed.splitlines() if " " in line]
    values: dict[str, list[int]] = {}
    for name, number in rows:
        values.setdefault(name, []).append(int(number))
    _check_bytes(values, counted)
    tick = KNOWN_INSTRUCTIONS / values.pop("known")[0]
    (network,), (neural,) = values.pop("network"), values.pop("neural")
    found = {
        name: tick * sum(ticks) / len(ticks) / counted.units[name]
        for name, ticks in values.items()
        if not name.endswith("_bytes")
    }
    # A neural level is its symbols, each with the sums of the context model before it.
    contexts = tick * neural - found["symbol"] * counted.units["symbol"]
    found["context_per_mac"] = contexts / counted.context_macs
    return {**found, "macs_per_instruction": counted.macs / (tick * network)}


def _check_bytes(values: dict[str, list[int]], counted: Counted) -> None:
    for name, expected in counted.n_bytes.items():
        if values.get(name) != list(expected):
            raise ConfigError(
                f"the firmware must write the bytes of the Python codec, {name} are "
                f"{values.get(name)} instead of {list(expected)}"
            )


def main(argv: Sequence[str] | None = None) -> int:
    """Count, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m device_sim.m4_count")
    parser.add_argument("firmware", type=Path, help="what `export --c` wrote")
    parser.add_argument("--records", type=Path, nargs="+", required=True)
    args = parser.parse_args(argv)
    try:
        found = count(args.firmware, args.records)
    except DynamicDeepError as error:
        print(f"m4_count: {error}", file=sys.stderr)
        return 1
    rows = [(name, f"{value:.3g}") for name, value in found.items()]
    print(text.table(("piece of code", "instructions"), rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
