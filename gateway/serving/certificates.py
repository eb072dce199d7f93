"""A certificate for TLS on this machine, and the authority that clients verify it by.

The authority's own key is thrown away once it has signed this one certificate: nobody can make another that clients
who trust it would believe.
"""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gateway.errors import UsageError
from gateway.serving.vault import write_private

LOCAL_NAMES = ("localhost", "127.0.0.1", "::1")
LIFETIME = timedelta(days=825)
"""No longer than the strictest of clients, Apple's, take for the certificate of a server."""

RENEW_BEFORE = timedelta(days=14)


@dataclass(frozen=True)
class Certificate:
    """Where the parts lie: the authority, the certificate with the authority behind it, its key. All are PEM."""

    authority: Path
    chain: Path
    key: Path

    def context(self) -> ssl.SSLContext:
        """What a server speaks TLS by. Raises UsageError."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_cert_chain(self.chain, self.key)
        except ssl.SSLError:
            raise UsageError(f"{self.chain}: not a certificate with its key; remove it to have a new one") from None
        return context

    def until(self) -> datetime:
        """Until when it is good. Raises UsageError, OSError."""
        return _read(self.chain).not_valid_after_utc


def certificate(folder: Path, host: str = "") -> Certificate:
    """The certificate in this folder for this machine's own names and that host; made where it is missing or ends soon.

    Raises UsageError, OSError.
    """
    found = Certificate(folder / "ca.pem", folder / "server.pem", folder / "server.key")
    names = list(dict.fromkeys([*LOCAL_NAMES, *([host] if host else [])]))
    if not all(path.exists() for path in (found.authority, found.chain, found.key)) or not _is_good(found.chain, names):
        folder.mkdir(mode=0o700, exist_ok=True)
        _make(found, names)
    return found


def _is_good(path: Path, names: Sequence[str]) -> bool:
    made = _read(path)
    there = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return made.not_valid_after_utc - RENEW_BEFORE > datetime.now(UTC) and all(_name(name) in there for name in names)


def _read(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except ValueError:
        raise UsageError(f"{path}: no certificate; remove it to have a new one made") from None


def _name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _make(files: Certificate, names: Sequence[str]) -> None:
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Ringfence on this machine")])
    authority = (
        _begun(issuer, issuer, authority_key.public_key(), authority_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(is_authority=True), critical=True)
        .sign(authority_key, SHA256())
    )
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    served = (
        _begun(subject, issuer, key.public_key(), authority_key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(is_authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_name(name) for name in names]), critical=False)
        .sign(authority_key, SHA256())
    )
    root = authority.public_bytes(Encoding.PEM)
    write_private(files.key, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    write_private(files.chain, served.public_bytes(Encoding.PEM) + root)
    write_private(files.authority, root)


def _begun(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, signer: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer), critical=False)
    )


def _usage(is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority, key_cert_sign=is_authority, crl_sign=is_authority, content_commitment=False,
        key_encipherment=False, data_encipherment=False, key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip
