# SPDX-License-Identifier: Apache-2.0
"""What the brokers on this machine have in common: a port, certificates, users."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from device_sim.certificates import make_certificates
from dynamic_deep.errors import DynamicDeepError
from dynamic_deep.uplink.transport import BrokerAddress

RECEIVER = "ingest"  # user name of the receiver
START_S = 10.0  # time for a broker to start


class BrokerError(DynamicDeepError):
    """A broker on this machine does not start, or has stopped."""


class LocalBroker:
    """A broker in a folder of its own, on a free port of 127.0.0.1.

    Use it as a context manager. It keeps its port when it is started again.

    Args:
        folder: for certificates, settings and what the broker keeps.
        users: user name -> password; devices by their ids, the receiver as `ingest`.

    Attributes:
        address: where it is.
    """

    def __init__(self, folder: Path, users: Mapping[str, str]) -> None:
        self._folder = Path(folder)
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._users = dict(users)
        self._certificates = make_certificates(self._folder)
        self.address = BrokerAddress(
            host="127.0.0.1", port=free_port(), ca_file=self._certificates.ca_file
        )

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start, and return when it listens.

        Raises:
            BrokerError: If it doesn't.
        """
        raise NotImplementedError

    def stop(self) -> None:
        """Stop in order; a second time does nothing."""
        raise NotImplementedError


def free_port() -> int:
    """Return a port of 127.0.0.1 that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    """Tell whether something listens on a port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0
