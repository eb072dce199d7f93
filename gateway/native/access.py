"""Who asks: a bearer token, or the cookie of a terminal that logged in with one; and what its key may do.

A cookie goes along with whatever page makes a browser send a request, so a change that comes with one has to come from
the server's own origin.
"""

from __future__ import annotations

import secrets
from typing import Any
from urllib.parse import urlsplit

from litestar.connection import ASGIConnection

from gateway.native.desk import Client, Desk
from gateway.native.problems import Asked
from gateway.serving.keys import Key, Scope

COOKIE = "ringfence"
"""The cookie of a terminal."""

SAFE = ("GET", "HEAD", "OPTIONS")
LOGINS_MAX = 1_000
"""So many terminals are logged in at most; the oldest has to log in again."""

Connection = ASGIConnection[Any, Any, Any, Any]


class Logins:
    """Terminals that logged in: a random name for each, and the key that it stands for."""

    def __init__(self) -> None:
        self._keys: dict[str, Key] = {}

    def begin(self, key: Key) -> str:
        """The cookie of a new login."""
        name = secrets.token_urlsafe(32)
        self._keys[name] = key
        while len(self._keys) > LOGINS_MAX:
            del self._keys[next(iter(self._keys))]
        return name

    def end(self, name: str) -> None:
        """Forget a login."""
        self._keys.pop(name, None)

    def key(self, name: str, desk: Desk) -> Key | None:
        """The key that a cookie stands for, unless it was revoked since."""
        key = self._keys.get(name)
        return key if key is not None and key in desk.keys.keys() else None  # noqa: SIM118 - it is no dict


def key_of(connection: Connection, desk: Desk, logins: Logins) -> Key:
    """The key of whoever asks. Raises Asked."""
    header = connection.headers.get("authorization", "")
    kind, _, token = header.partition(" ")
    if kind.lower() == "bearer" and (key := desk.keys.bearer(token.strip())):
        return key
    if header:
        raise Asked("bad_token", "Authorization: give `Bearer TOKEN` with a token that is in use", 401)
    if key := logins.key(connection.cookies.get(COOKIE, ""), desk):
        check_origin(connection)
        return key
    raise Asked("no_token", "this needs a token: send `Authorization: Bearer TOKEN`", 401)


def check_origin(connection: Connection) -> None:
    """Refuse changes that another site's page asks for. Raises Asked."""
    is_change = str(connection.scope["type"]) == "websocket" or connection.scope.get("method") not in SAFE
    origin = connection.headers.get("origin")
    if is_change and (origin is None or urlsplit(origin).netloc != connection.headers.get("host")):
        raise Asked("foreign_origin", "Origin: with a cookie, changes are taken from this server's own pages only", 403)


def client_of(connection: Connection, desk: Desk, logins: Logins, scope: Scope) -> Client:
    """Whoever asks, if the key may do that. An admin may speak for any account: `?account=`. Raises Asked."""
    key = key_of(connection, desk, logins)
    is_admin = Scope.ADMIN in key.scopes
    if scope not in key.scopes and not is_admin:
        raise Asked("not_allowed", f"the key lacks the scope {scope.value}", 403)
    account = connection.query_params.get("account", key.account)
    if account != key.account and not is_admin:
        raise Asked("not_allowed", f"the key speaks for {key.account}, not for {account}", 403)
    if account not in desk.venue.state.accounts:
        raise Asked("unknown_account", f"there is no account {account!r}", 404)
    return Client(desk, key, account, connection.headers.get("idempotency-key", ""))
