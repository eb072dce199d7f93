"""`ringfence keys`: the API keys beside a session; a server that runs knows of a change within a second."""

from __future__ import annotations

import os
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import TypeVar

from events.commands import AccountId
from gateway.console import OUT, aligned, say_json, time_text
from gateway.errors import UsageError
from gateway.serving.keys import Key, KeyKind, KeyRing, Scope

MASTER = "RINGFENCE_KEY"
"""The variable that holds the master key, in the place of a file."""

ID_SHOWN = 16
E_ = TypeVar("E_", bound=Enum)


def ring_of(session: Path) -> KeyRing:
    """The keys of a session. Raises UsageError, OSError."""
    return KeyRing.open(session.with_name(f"{session.name}.keys"), os.environ.get(MASTER, ""))


def add(session: Path, account: str, scopes: str, kind: str, public_key: Path | None, label: str, as_json: bool) -> int:
    """Make a key and show it, with its secret this once."""
    _check_there(session)
    if not (account and account.isascii() and account.isprintable()):
        raise UsageError(f"--account {account!r}: give a name of printable ASCII")
    asked = [_of(Scope, "--scope", text.strip()) for text in scopes.split(",") if text.strip()]
    made = _of(KeyKind, "--kind", kind)
    is_public = made in (KeyKind.RSA, KeyKind.ED25519)
    if is_public != (public_key is not None):
        raise UsageError(f"--kind {kind}: " + ("give its --public-key FILE" if is_public else "takes no --public-key"))
    pem = public_key.read_text("ascii", "replace") if public_key else ""
    key, secret = ring_of(session).create(AccountId(account), asked, made, pem, label)
    if as_json:
        say_json({**_object(key), "secret": secret})
    else:
        show(key, secret)
    return 0


def listed(session: Path, as_json: bool) -> int:
    """Show all keys, without their secrets."""
    _check_there(session)
    keys = ring_of(session).keys()
    if as_json:
        say_json([_object(key) for key in keys])
        return 0
    rows = [("key", "account", "kind", "may", "made", "label")]
    rows += [
        (
            f"{key.id[:ID_SHOWN]}…",
            key.account,
            key.kind.value,
            _may(key),
            time_text(key.created * 10**6)[:16],
            key.label,
        )
        for key in keys
    ]
    for line in aligned(rows) if keys else [f"{session.name} has no keys: ringfence keys add {session} --account NAME"]:
        OUT.print(line, markup=False)
    return 0


def revoke(session: Path, id: str) -> int:
    """Take a key back, by its id or by how that begins."""
    _check_there(session)
    ring = ring_of(session)
    keys = ring.keys()
    found = [key for key in keys if key.id.startswith(id)]
    if len(found) != 1 or not id:
        many = f"{len(found)} keys begin so; give more of it" if found else "there is no such key"
        raise UsageError(f"{id or 'no key'}: {many}; see ringfence keys list {session}")
    ring.revoke(found[0].id)
    OUT.print(f"revoked {found[0].id} of {found[0].account}", markup=False)
    return 0


def show(key: Key, secret: str) -> None:
    """A key that was just made."""
    lines = [("account", f"{key.account} ({_may(key)})")]
    if key.kind is KeyKind.BEARER:
        lines.append(("token", f"{secret}   shown this once"))
    else:
        lines.append(("key", key.id))
        lines.append(("secret", f"{secret}   shown this once") if secret else ("signs by", key.kind.value))
    for name, text in lines:
        OUT.print(f"{name:<8} {text}", markup=False)


def _check_there(session: Path) -> None:
    if not session.is_file():
        raise UsageError(f"{session}: there is no such session; ringfence serve --session {session} begins one")


def _may(key: Key) -> str:
    return ", ".join(scope.value for scope in key.scopes) or "nothing"


def _made(key: Key) -> str:
    return time_text(key.created * 1_000_000)[: len("2024-03-05 15:56")]


def _object(key: Key) -> dict[str, object]:
    scopes: Sequence[str] = [scope.value for scope in key.scopes]
    return {
        "key": key.id, "account": key.account, "kind": key.kind.value, "scopes": scopes, "label": key.label,
        "created": key.created,
    }  # fmt: skip


def _of(choices: type[E_], option: str, text: str) -> E_:
    try:
        return choices(text)
    except ValueError:
        *names, last = [str(choice.value) for choice in choices]
        raise UsageError(f"{option} {text}: give {', '.join(names)} or {last}") from None
