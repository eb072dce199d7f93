"""The digest chain: each batch's digest covers its stored bytes and, through the digest before, all of history."""

from __future__ import annotations

from hashlib import sha256

GENESIS = bytes(32)
"""The digest before the first batch."""


def chain(previous: bytes, body: bytes) -> bytes:
    """sha256(previous digest, stored body bytes): 32 bytes."""
    return sha256(previous + body).digest()


def fingerprint(data: bytes) -> str:
    """sha256 of the bytes, in hex."""
    return sha256(data).hexdigest()
