"""What is kept of API keys, and the file that holds it: as a whole or not at all, and of its owner alone."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path

import msgspec

from events.commands import AccountId
from gateway.errors import UsageError
from gateway.serving.vault import Vault, WrongMaster, write_private

FORMAT = 1
PROBE = "ringfence"
"""What is sealed to know the right master key by."""


class Scope(Enum):
    """What a key may do."""

    READ = "read"
    TRADE = "trade"
    WITHDRAW = "withdraw"
    ADMIN = "admin"


class KeyKind(Enum):
    """How the owner of a key proves to be that."""

    HMAC = "hmac"
    RSA = "rsa"
    ED25519 = "ed25519"
    BEARER = "bearer"


class Key(msgspec.Struct, frozen=True):
    """A key, without anything secret. created is the wall's time, ms since the epoch."""

    id: str
    account: AccountId
    scopes: tuple[Scope, ...]
    kind: KeyKind
    label: str = ""
    created: int = 0


class Entry(msgspec.Struct, frozen=True):
    """A key and what it is checked with: the sealed secret, the digest of the token, or the public key as PEM."""

    key: Key
    held: bytes

    def __repr__(self) -> str:
        return f"Entry({self.key!r})"


class Kept(msgspec.Struct):
    """What the file of a ring holds."""

    format: int
    salt: bytes
    probe: bytes
    entries: list[Entry]


def mark_of(path: Path) -> tuple[int, int, int]:
    """What is another one after each change of a file."""
    found = path.stat()
    return found.st_ino, found.st_mtime_ns, found.st_size


def read(path: Path) -> Kept | None:
    """What a file holds; None where there is none. Raises UsageError, OSError."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    try:
        kept = msgspec.json.decode(data, type=Kept)
    except msgspec.MsgspecError as error:
        raise UsageError(f"{path}: no file of API keys ({error}); move it away to begin a new one") from None
    if kept.format != FORMAT:
        raise UsageError(f"{path}: format {kept.format} of API keys is not known here; use a newer Ringfence")
    return kept


def write(path: Path, kept: Kept) -> None:
    """Write the file. Raises OSError."""
    write_private(path, msgspec.json.encode(kept))


def check_master(vault: Vault, kept: Kept, path: Path) -> None:
    """Raises WrongMaster where the file was sealed under another master key."""
    try:
        vault.open(kept.probe, PROBE)
    except WrongMaster:
        raise WrongMaster(
            f"{path}: sealed under another master key; give the right one as RINGFENCE_KEY or in {path.name}.master, "
            f"or move {path.name} away to begin anew"
        ) from None


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Nobody else changes keys in this folder meanwhile."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
