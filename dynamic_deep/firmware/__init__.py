# SPDX-License-Identifier: Apache-2.0
"""What a device's firmware needs of a bundle: C sources, tables, the model, vectors."""

from dynamic_deep.firmware.exporter import export_firmware

__all__ = ["export_firmware"]
