# SPDX-License-Identifier: Apache-2.0
"""Where a receiver finds the keys of devices: a folder, or Google Secret Manager.

In Secret Manager a device has one secret, whose latest version is its key file as
docs/uplink.md describes it. The extra `secrets` brings the client.
"""

from __future__ import annotations

import re
import time
import tomllib
from collections.abc import Callable

from dynamic_deep.errors import ConfigError
from dynamic_deep.uplink.keys import DeviceKeys, KeyRing, KeySource
from dynamic_deep.uplink.message import check_device_id, is_device_id

KEEP_S = 300.0  # a rotated key is seen after so long, and a service asked so seldom
_SCHEME = "gcp-secrets://"
_PROJECT = re.compile(r"[a-z][a-z0-9-]{4,28}[a-z0-9]")
_MAX_DEVICES = 100_000

# Returns the bytes of a secret, or None if there is no such secret.
FetchSecret = Callable[[str], bytes | None]


def open_keys(url: str) -> KeySource:
    """Open a source of keys.

    Args:
        url: a folder of `DEVICE.toml`, or gcp-secrets://PROJECT.

    Raises:
        ConfigError: If it is neither, or the extra `secrets` is not installed.
    """
    if not url.startswith(_SCHEME):
        return KeyRing(url)
    project = url.removeprefix(_SCHEME).rstrip("/")
    if not _PROJECT.fullmatch(project):
        raise ConfigError(
            f"keys must be named as gcp-secrets://PROJECT, got {url!r}; give the id of "
            "the project"
        )
    return SecretKeys(_secret_manager(project))


class SecretKeys:
    """Keys in a service of secrets, kept for a while.

    Args:
        fetch: asks the service.
        clock: gives seconds.
    """

    def __init__(
        self, fetch: FetchSecret, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._read: dict[str, tuple[float, DeviceKeys | None]] = {}

    def find(self, device: str, key_id: int) -> bytes | None:
        """Return the 32 bytes of a key, or None if there is no such key.

        Raises:
            ConfigError: If the device's secret can't be read.
        """
        if not is_device_id(device):
            return None
        until_s, keys = self._read.get(device, (0.0, None))
        if self._clock() >= until_s:
            data = self._fetch(secret_id(device))
            keys = None if data is None else _parse(device, data)
            if len(self._read) >= _MAX_DEVICES:
                self._read.clear()  # forged names must not fill the memory
            self._read[device] = (self._clock() + KEEP_S, keys)
        return keys.find(device, key_id) if keys is not None else None


def secret_id(device: str) -> str:
    """Return the name of a device's secret: no two devices share one.

    Secret Manager takes letters, digits, `-` and `_` only.

    Example:
        >>> secret_id("bed-1.a_b")
        'ddc-device-bed-1_pa__b'
    """
    escaped = check_device_id(device).replace("_", "__").replace(".", "_p")
    return f"ddc-device-{escaped}"


def _parse(device: str, data: bytes) -> DeviceKeys:
    try:
        table = tomllib.loads(data.decode("utf-8"))["keys"]
        keys = {int(key_id): bytes.fromhex(key) for key_id, key in table.items()}
    except (KeyError, TypeError, ValueError, AttributeError):
        raise ConfigError(
            f"the secret {secret_id(device)} must hold a table [keys] of id = hex, got "
            "something else; see docs/uplink.md"
        ) from None  # nothing of the secret goes into a message
    return DeviceKeys(device=device, keys=keys)


def _secret_manager(project: str) -> FetchSecret:
    """Return what asks the real service; it can't be run without an account."""
    try:
        from google.api_core.exceptions import GoogleAPIError, NotFound
        from google.cloud import secretmanager
    except ImportError as exc:
        raise ConfigError(
            "gcp-secrets:// needs google-cloud-secret-manager, which is not there "
            f"({exc}); install dynamic-deep[secrets]"
        ) from exc
    client = secretmanager.SecretManagerServiceClient()

    def fetch(name: str) -> bytes | None:
        path = f"projects/{project}/secrets/{name}/versions/latest"
        try:
            answer = client.access_secret_version(name=path, timeout=10.0)
        except NotFound:
            return None
        except GoogleAPIError as exc:
            raise ConfigError(f"{path} must be readable, got {exc}") from exc
        return bytes(answer.payload.data)

    return fetch
