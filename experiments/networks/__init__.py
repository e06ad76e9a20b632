# SPDX-License-Identifier: Apache-2.0
"""The networks of papers and of the judge, as they were published or for this."""
