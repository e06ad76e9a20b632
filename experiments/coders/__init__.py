# SPDX-License-Identifier: Apache-2.0
"""Everything that windows can be sent by, rivals and ours, behind one call."""
