# SPDX-License-Identifier: Apache-2.0
"""The errors of the package.

DynamicDeepError
├─ InvalidSignalError (ValueError)     the samples or fs can't be used
├─ ConfigError (ValueError)            a configuration or an option contradicts itself
├─ FormatError (ValueError)            these bytes can't be decoded
│  ├─ TruncatedError (EOFError)          they end too soon
│  ├─ CorruptError                       a checksum or a field is wrong
│  └─ UnsupportedVersionError            written by a newer format
├─ ModelError                          the bundle is missing, or not the file's
└─ RequirementError                    no level meets what was asked

A message states the rule, then what came, then what to do.
"""

from __future__ import annotations


class DynamicDeepError(Exception):
    """Base of every error that the package raises on purpose."""


class InvalidSignalError(DynamicDeepError, ValueError):
    """The samples or the sampling frequency can't be used."""


class ConfigError(DynamicDeepError, ValueError):
    """A configuration or an option contradicts itself."""


class FormatError(DynamicDeepError, ValueError):
    """These bytes can't be decoded."""


class TruncatedError(FormatError, EOFError):
    """The bytes end too soon."""


class CorruptError(FormatError):
    """A checksum or a field is wrong."""


class UnsupportedVersionError(FormatError):
    """The bytes were written by a newer format."""


class ModelError(DynamicDeepError):
    """The bundle is missing, damaged, or not the one that the file names."""


class RequirementError(DynamicDeepError):
    """No level meets what was asked."""
