# SPDX-License-Identifier: Apache-2.0
"""Whom a device or a receiver trusts at the other end of a TLS connection."""

from __future__ import annotations

import ssl

from dynamic_deep.errors import ConfigError
from dynamic_deep.uplink.transport import BrokerAddress


class _ClosingSocket(ssl.SSLSocket):
    """Closes itself if the other side can't be trusted; paho-mqtt leaves it open."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise


def tls_context(address: BrokerAddress) -> ssl.SSLContext | None:
    """Return how to check a broker's certificate, or None if it goes without TLS.

    Raises:
        ConfigError: If the file of the authorities can't be read.
    """
    if not address.is_tls:
        return None
    try:
        context = ssl.create_default_context(cafile=address.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"an authority must be a PEM file, got {error} for {address.ca_file}"
        ) from error
    context.sslsocket_class = _ClosingSocket
    return context
