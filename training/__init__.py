# SPDX-License-Identifier: Apache-2.0
"""Training of the codec: data sets, losses, the phases, export to a bundle."""
