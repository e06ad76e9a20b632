# SPDX-License-Identifier: Apache-2.0
"""ECG codec: a recording in, far fewer bytes out, and back.

    from dynamic_deep import Codec, read_recording

    codec = Codec.load("standard")
    coded = codec.encode(read_recording("100.hea"), level="gain_64")
    recording = codec.decode(coded)

The names below are loaded when they are first used, so that `import dynamic_deep`
costs milliseconds. TensorFlow is never imported.
"""

import importlib
import typing

if typing.TYPE_CHECKING:
    from dynamic_deep.codec import Codec, StreamEncoder
    from dynamic_deep.errors import (
        ConfigError,
        CorruptError,
        DynamicDeepError,
        FormatError,
        InvalidSignalError,
        ModelError,
        RequirementError,
        TruncatedError,
        UnsupportedVersionError,
    )
    from dynamic_deep.policy import Fixed, MaxPrdn
    from dynamic_deep.recording import (
        Recording,
        RecordingInfo,
        open_recording,
        read_recording,
        write_recording,
    )

__version__ = "0.1.0"

__all__ = [
    "Codec",
    "ConfigError",
    "CorruptError",
    "DynamicDeepError",
    "Fixed",
    "FormatError",
    "InvalidSignalError",
    "MaxPrdn",
    "ModelError",
    "Recording",
    "RecordingInfo",
    "RequirementError",
    "StreamEncoder",
    "TruncatedError",
    "UnsupportedVersionError",
    "__version__",
    "open_recording",
    "read_recording",
    "write_recording",
]

_HOMES = {
    "Codec": "codec",
    "StreamEncoder": "codec",
    "Fixed": "policy",
    "MaxPrdn": "policy",
    "Recording": "recording",
    "RecordingInfo": "recording",
    "open_recording": "recording",
    "read_recording": "recording",
    "write_recording": "recording",
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = importlib.import_module(f"{__name__}.{_HOMES.get(name, 'errors')}")
    value: object = getattr(home, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
