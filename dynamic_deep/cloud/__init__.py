# SPDX-License-Identifier: Apache-2.0
"""The cloud side: take messages in, store them as objects, find and decode them.

Needs the extra `cloud`; a module imports what it needs of it when it is used.
"""
