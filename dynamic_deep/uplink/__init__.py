# SPDX-License-Identifier: Apache-2.0
"""Coded windows on their way from a device to the cloud, as sealed messages.

Specification: docs/uplink.md. Bytes only: no network and no disk, but for key files.
"""
