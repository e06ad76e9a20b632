# SPDX-License-Identifier: Apache-2.0
"""An authority and a server's certificate for a broker on this machine.

For simulations and tests: the keys lie in a folder, unencrypted, and hold for a week.
"""

from __future__ import annotations

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.x509 import Certificate, ExtensionType

_LIFETIME = datetime.timedelta(days=7)


@dataclass(frozen=True, kw_only=True)
class CertificateFiles:
    """Where the PEM files are.

    Attributes:
        ca_file: certificate of the authority, which clients trust.
        cert_file: certificate of the server, for localhost and 127.0.0.1.
        key_file: private key of the server.
    """

    ca_file: Path
    cert_file: Path
    key_file: Path


def make_certificates(folder: Path) -> CertificateFiles:
    """Make an authority and a server's certificate in a folder.

    Args:
        folder: where to; should be closed to others.
    """
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    pem = serialization.Encoding.PEM
    ca_key = ec.generate_private_key(ec.SECP256R1())
    key = ec.generate_private_key(ec.SECP256R1())
    names = [
        x509.DNSName("localhost"),
        x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
    ]
    ca = _certificate(
        ("dynamic-deep test authority", ca_key),
        ("dynamic-deep test authority", ca_key),
        [x509.BasicConstraints(ca=True, path_length=0)],
    )
    server = _certificate(
        ("localhost", key),
        ("dynamic-deep test authority", ca_key),
        [x509.SubjectAlternativeName(names)],
    )
    files = CertificateFiles(
        ca_file=folder / "ca.pem",
        cert_file=folder / "server.pem",
        key_file=folder / "server.key",
    )
    files.ca_file.write_bytes(ca.public_bytes(pem))
    files.cert_file.write_bytes(server.public_bytes(pem))
    files.key_file.touch(mode=0o600)
    files.key_file.write_bytes(
        key.private_bytes(
            pem,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files


def _certificate(
    subject: tuple[str, EllipticCurvePrivateKey],
    issuer: tuple[str, EllipticCurvePrivateKey],
    extensions: list[ExtensionType],
) -> Certificate:
    """Return a certificate; subject and issuer are a name and a key."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.x509.oid import NameOID

    now = datetime.datetime.now(datetime.UTC)
    public, signer = subject[1].public_key(), issuer[1]
    key_name = x509.SubjectKeyIdentifier.from_public_key(public)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject[0])]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer[0])]))
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + _LIFETIME)
        .add_extension(key_name, critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()),
            critical=False,
        )
    )
    for extension in extensions:
        is_authority = isinstance(extension, x509.BasicConstraints)
        builder = builder.add_extension(extension, critical=is_authority)
    return builder.sign(signer, hashes.SHA256())
