"""API keys: which account a client speaks for, what it may do, and how it proves that it is the client.

Secrets that have to be known again (HMAC) are sealed at rest, tokens are kept as digests, and of other keys the public
half is all that there is. Nothing of a secret is in what a key or the ring shows of itself.
"""

from __future__ import annotations

import hmac
import secrets
import string
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from time import time

from events.commands import AccountId
from gateway.errors import UsageError
from gateway.serving import key_file
from gateway.serving.key_file import FORMAT, PROBE, Entry, Kept, Key, KeyKind, Scope
from gateway.serving.signatures import Check, hmac_check, public_check, public_key
from gateway.serving.vault import SALT_BYTES, Vault, WrongMaster, master_of

__all__ = ["Key", "KeyKind", "KeyRing", "Scope"]

LETTERS = string.ascii_letters + string.digits
ID_LENGTH = 64
"""Ids and secrets have so many letters and digits, as those of Binance."""

TOKEN_ID_LENGTH = 16
TOKEN_MARK = "rf_"
"""What a bearer token begins with: `rf_ID_SECRET`."""


class KeyRing:
    """The keys of a session: in its file, or in memory alone."""

    def __init__(self, path: Path | None = None, vault: Vault | None = None, kept: Kept | None = None) -> None:
        self.path = path
        self._vault = vault or Vault(secrets.token_urlsafe(32), b"")
        self._kept = kept or Kept(FORMAT, b"", b"", [])
        self._seen = None if path is None else key_file.mark_of(path)
        self._take_up()

    @classmethod
    def open(cls, path: Path | None, master: str = "") -> KeyRing:
        """The ring of this file, which is begun where there is none; in memory without a path.

        master is the text of the master key; without one it is that of `PATH.master`, made at the beginning. Raises
        WrongMaster, UsageError, OSError.
        """
        if path is None:
            return cls()
        kept = key_file.read(path)
        text = master or master_of(path.with_name(f"{path.name}.master"), may_make=kept is None)
        if kept is not None:
            vault = Vault(text, kept.salt)
            key_file.check_master(vault, kept, path)
            return cls(path, vault, kept)
        salt = secrets.token_bytes(SALT_BYTES)
        vault = Vault(text, salt)
        kept = Kept(FORMAT, salt, vault.seal(PROBE.encode(), PROBE), [])
        key_file.write(path, kept)
        return cls(path, vault, kept)

    def __repr__(self) -> str:
        return f"KeyRing({len(self._entries)} keys)"

    def find(self, id: str) -> Key | None:
        """The key of that id, of whatever kind but a bearer's."""
        return self._signing.get(id)

    def signed(self, key: Key, payload: bytes, signature: str) -> bool:
        """Whether the key's owner signed this: HMAC as hexadecimal digits, RSA and Ed25519 as base64."""
        check = self._checks.get(key.id)
        return check is not None and check(payload, signature)

    def bearer(self, token: str) -> Key | None:
        """The key whose token this is."""
        name, _, _ = token.removeprefix(TOKEN_MARK).partition("_")
        entry = self._entries.get(name)
        if entry is None or entry.key.kind is not KeyKind.BEARER:
            return None
        digest = sha256(token.encode("utf-8", "replace")).digest()
        return entry.key if hmac.compare_digest(digest, entry.held) else None

    def keys(self) -> list[Key]:
        """All keys, oldest first."""
        return [entry.key for entry in self._kept.entries]

    def create(
        self, account: AccountId, scopes: Sequence[Scope], kind: KeyKind = KeyKind.HMAC, public_key: str = "",
        label: str = "",
    ) -> tuple[Key, str]:  # fmt: skip
        """Make a key: it, and its secret or token, which is shown this once; nothing where the public key was given.

        Raises UsageError where the public key is not of that kind.
        """
        asked = tuple(scope for scope in Scope if scope in scopes)
        name = _letters(TOKEN_ID_LENGTH if kind is KeyKind.BEARER else ID_LENGTH)
        key = Key(name, account, asked, kind, label, int(time() * 1000))
        held, shown = self._made(key, public_key)
        with self._changing():
            self._kept.entries.append(Entry(key, held))
        return key, shown

    def revoke(self, id: str) -> bool:
        """Take a key out of use; whether there was one."""
        with self._changing():
            kept = [entry for entry in self._kept.entries if entry.key.id != id]
            is_there = len(kept) < len(self._kept.entries)
            self._kept.entries = kept
        return is_there

    def seal(self, text: str, purpose: str) -> str:
        """The text, sealed for that purpose under the master key: hexadecimal digits, others each time."""
        return self._vault.seal(text.encode(), purpose).hex()

    def unseal(self, sealed: str, purpose: str) -> str | None:
        """What was sealed for that purpose, None where this was not."""
        try:
            return self._vault.open(bytes.fromhex(sealed), purpose).decode()
        except (ValueError, WrongMaster):
            return None

    def refresh(self) -> bool:
        """Take up what somebody else changed in the file; whether there was anything. Raises as `open`."""
        if self.path is None or self._seen == (mark := key_file.mark_of(self.path)):
            return False
        kept = key_file.read(self.path)
        if kept is None:
            raise UsageError(f"{self.path}: the file of the keys is gone")
        key_file.check_master(self._vault, kept, self.path)
        self._kept, self._seen = kept, mark
        self._take_up()
        return True

    def _made(self, key: Key, pem: str) -> tuple[bytes, str]:
        """What is held of a new key, and what is shown of it."""
        if key.kind is KeyKind.HMAC:
            secret = _letters(ID_LENGTH)
            return self._vault.seal(secret.encode(), key.id), secret
        if key.kind is KeyKind.BEARER:
            token = f"{TOKEN_MARK}{key.id}_{_letters(ID_LENGTH)}"
            return sha256(token.encode()).digest(), token
        found = type(public_key(pem)).__name__.removesuffix("PublicKey").lower().replace("_", "")
        if found != key.kind.value:
            raise UsageError(f"this is a public key of the kind {found}, not {key.kind.value}")
        return pem.encode(), ""

    def _take_up(self) -> None:
        """Make ready to check by what is kept."""
        self._entries = {entry.key.id: entry for entry in self._kept.entries}
        checks = {name: self._check(entry) for name, entry in self._entries.items()}
        self._checks: dict[str, Check] = {name: check for name, check in checks.items() if check is not None}
        self._signing = {name: self._entries[name].key for name in self._checks}

    def _check(self, entry: Entry) -> Check | None:
        if entry.key.kind is KeyKind.BEARER:
            return None
        if entry.key.kind is KeyKind.HMAC:
            return hmac_check(self._vault.open(entry.held, entry.key.id))
        return public_check(entry.held.decode())

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Change the ring as it is now, whoever else may, and keep that."""
        if self.path is None:
            yield
        else:
            with key_file.alone_in(self.path.parent):
                self.refresh()
                yield
                key_file.write(self.path, self._kept)
                self._seen = key_file.mark_of(self.path)
        self._take_up()


def _letters(count: int) -> str:
    return "".join(secrets.choice(LETTERS) for _ in range(count))
