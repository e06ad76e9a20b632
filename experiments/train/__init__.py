# SPDX-License-Identifier: Apache-2.0
"""The trainings of rivals, of a judge and of ablations."""
