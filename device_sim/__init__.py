# SPDX-License-Identifier: Apache-2.0
"""Simulate devices that encode and send: energy, memory, link, fleet.

Device profiles carry their source; time is simulated, messages are real. Not in the
wheel. May import `dynamic_deep` and `costmodel`; nothing there may import it.
"""
