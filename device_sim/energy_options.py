# SPDX-License-Identifier: Apache-2.0
"""The options of `energy`."""

from __future__ import annotations

from typing import Any

from dynamic_deep.cli.options import add_extent, add_json, positive

DEFAULT_LEVELS = ("wavelet_16", "wavelet_32", "wavelet_64")


def add_device(parser: Any) -> None:
    """Add device, radio, battery and how often messages are sent."""
    from device_sim.profiles import BATTERIES, names_of

    devices, radios = ", ".join(names_of("devices")), ", ".join(names_of("radios"))
    parser.add_argument(
        "--profile",
        metavar="NAME|FILE.toml",
        default="nrf52840",
        help=f"the device: {devices} or a file (default nrf52840)",
    )
    parser.add_argument(
        "--radio",
        metavar="NAME|FILE.toml",
        default="ble_1m",
        help=f"the link: {radios} or a file (default ble_1m)",
    )
    parser.add_argument(
        "--battery",
        choices=BATTERIES,
        default="cr2032",
        help="whose life to show (default cr2032)",
    )
    parser.add_argument(
        "--send-every-s",
        type=positive,
        metavar="S",
        help="seconds between messages (default: as the radio's profile says)",
    )


def add_measured(parser: Any) -> None:
    """Add what is encoded."""
    parser.add_argument(
        "--levels",
        metavar="NAMES",
        help="lossy levels to compare, with commas (default: "
        f"{', '.join(DEFAULT_LEVELS)} and every neural one)",
    )
    add_extent(parser)


def add_shown(parser: Any) -> None:
    """Add what is shown, and how."""
    parser.add_argument(
        "--all", action="store_true", help="a line for every device and radio, too"
    )
    parser.add_argument(
        "--memory", action="store_true", help="flash, RAM and largest frames, too"
    )
    parser.add_argument(
        "--figures", action="store_true", help="list every figure with its source, too"
    )
    parser.add_argument("--plot", metavar="FILE", help="draw it, too: .png, .svg, .pdf")
    parser.add_argument("--force", action="store_true", help="overwrite the plot")
    add_json(parser)
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
