"""Mutual TLS on pinned, self-signed certificates: no authority but the enrolment."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.oid import NameOID

from contract.keys import SigningKey

_LIFE = timedelta(days=3650)


def self_signed(key: SigningKey, name: str) -> str:
    """Make a self-signed certificate (PEM, X.509, Ed25519) that says `name`."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    began = datetime.now(UTC) - timedelta(days=1)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(began)
        .not_valid_after(began + _LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key.private, None)
    )
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def server_context(certificate: Path, key: Path, pinned: str) -> ssl.SSLContext:
    """A server that answers only the one client whose certificate is `pinned` (PEM)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(certificate, key)
    context.load_verify_locations(cadata=pinned)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def client_context(certificate: Path, key: Path, pinned: str) -> ssl.SSLContext:
    """A client that speaks only to the one server whose certificate is `pinned` (PEM)."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False  # the pin says more than a name
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_cert_chain(certificate, key)
    context.load_verify_locations(cadata=pinned)
    return context
