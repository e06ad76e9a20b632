# SPDX-License-Identifier: Apache-2.0
"""The networks of the rivals, as published, and that of the second judge."""
