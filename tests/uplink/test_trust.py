# SPDX-License-Identifier: Apache-2.0
"""`uplink/trust.py`: certificates are checked, with and without an authority's file."""

from __future__ import annotations

import ssl

from dynamic_deep.uplink.transport import BrokerAddress
from dynamic_deep.uplink.trust import tls_context


def test_certificates_and_names_are_checked() -> None:
    context = tls_context(BrokerAddress(host="broker.example", port=8883))
    assert context is not None
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


def test_without_tls_there_is_nothing_to_check() -> None:
    assert tls_context(BrokerAddress(host="a", port=1883, is_tls=False)) is None
