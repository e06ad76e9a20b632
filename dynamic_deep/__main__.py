# SPDX-License-Identifier: Apache-2.0
"""Run the command line as `python -m dynamic_deep`."""

from __future__ import annotations

import sys

from dynamic_deep.cli import main

if __name__ == "__main__":
    sys.exit(main())
