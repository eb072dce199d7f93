"""Secrets at rest: sealed with AES-256-GCM under a master key that lies elsewhere.

The master key is derived (scrypt) from a text: what the operator gives, else what a file beside the keys holds, which
is made at the first need and which its owner alone may read.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from gateway.errors import UsageError

NONCE_BYTES = 12
SALT_BYTES = 16
OWNER_ONLY = 0o600
WORK = 2**14
"""The cost of scrypt, whose parameters are those that RFC 7914 suggests for a login: N = 16384, r = 8, p = 1."""


class WrongMaster(UsageError):
    """The master key is not the one that the secrets were sealed with."""


class Vault:
    """Seals and opens secrets; each is bound to the name of what it belongs to."""

    def __init__(self, master: str, salt: bytes) -> None:
        key = Scrypt(salt=salt, length=32, n=WORK, r=8, p=1).derive(master.encode())
        self._cipher = AESGCM(key)

    def seal(self, secret: bytes, name: str) -> bytes:
        """The secret as it may lie on a disk."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret, name.encode())

    def open(self, sealed: bytes, name: str) -> bytes:
        """The secret. Raises WrongMaster, also where anything of it was changed."""
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], name.encode())
        except (InvalidTag, ValueError) as error:
            raise WrongMaster("the secrets were sealed under another master key, or were changed") from error


def master_of(path: Path, may_make: bool) -> str:
    """The master text that a file holds; made where there is none yet and it may be. Raises WrongMaster, OSError."""
    try:
        text = path.read_text("ascii").strip()
    except FileNotFoundError:
        if not may_make:
            raise WrongMaster(f"{path}: not found; the secrets of the keys cannot be opened without it") from None
        text = secrets.token_urlsafe(32)
        write_private(path, f"{text}\n".encode())
    except UnicodeDecodeError:
        raise WrongMaster(f"{path}: no master key; it holds one line of text") from None
    if not text:
        raise WrongMaster(f"{path}: it is empty; it holds the master key in one line")
    return text


def write_private(path: Path, data: bytes) -> None:
    """Write a file that its owner alone may read: as a whole or not at all, and durably."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}.new")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY)
    try:
        with open(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(handle)
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
