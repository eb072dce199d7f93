"""How each kind of key proves that a request is its owner's. Comparisons take the same time whatever they find."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Callable
from functools import partial

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from gateway.errors import UsageError

Check = Callable[[bytes, str], bool]
"""Whether a signature is that of a payload."""

RSA_BITS_MIN = 2048


def hmac_check(secret: bytes) -> Check:
    """HMAC-SHA256, as hexadecimal digits of either case. What is returned does not show the secret."""

    def check(payload: bytes, signature: str) -> bool:
        wanted = hmac.digest(secret, payload, "sha256").hex().encode()
        return hmac.compare_digest(wanted, signature.lower().encode("ascii", "replace"))

    return check


def public_check(pem: str) -> Check:
    """RSA (PKCS #1 v1.5, SHA-256) or Ed25519 by the public key, as base64. Raises UsageError."""
    key = public_key(pem)
    return partial(_is_rsa if isinstance(key, RSAPublicKey) else _is_ed25519, key)  # type: ignore[arg-type]


def public_key(pem: str) -> RSAPublicKey | Ed25519PublicKey:
    """The public key of a PEM text. Raises UsageError."""
    try:
        key = load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise UsageError("not a public key; give it as PEM, which begins with -----BEGIN PUBLIC KEY-----") from None
    if isinstance(key, RSAPublicKey):
        if key.key_size < RSA_BITS_MIN:
            raise UsageError(f"an RSA key of {key.key_size} bits is too short; take {RSA_BITS_MIN} or more")
        return key
    if isinstance(key, Ed25519PublicKey):
        return key
    raise UsageError("a public key of another kind; take RSA or Ed25519")


def _is_rsa(key: RSAPublicKey, payload: bytes, signature: str) -> bool:
    try:
        key.verify(_bytes_of(signature), payload, PKCS1v15(), SHA256())
    except InvalidSignature:
        return False
    return True


def _is_ed25519(key: Ed25519PublicKey, payload: bytes, signature: str) -> bool:
    try:
        key.verify(_bytes_of(signature), payload)
    except InvalidSignature:
        return False
    return True


def _bytes_of(signature: str) -> bytes:
    """What base64 stands for; nothing, which no key has signed, where it is none."""
    try:
        return base64.b64decode(signature.encode("ascii", "replace"), validate=True)
    except binascii.Error:
        return b""
