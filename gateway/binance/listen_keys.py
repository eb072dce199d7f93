"""The keys by which a client listens to its account: one an account, good for 60 minutes from its latest use.

Source: Binance USD-M, "User Data Streams": POST while one is active returns it and makes it last 60 minutes more.
A key holds its account and when it was made, sealed, so that whoever connects again after a restart of the server, as
clients do by themselves, hears of his account without asking for another key.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from events.commands import AccountId

LASTS_MS = 60 * 60 * 1000
OUTLASTS_MS = 24 * 60 * 60 * 1000
"""So long after it was made a key is good beyond a restart."""

PURPOSE = "listen key"


class Sealer(Protocol):
    """Seals texts, and knows them again."""

    def seal(self, text: str, purpose: str) -> str:
        """The text, sealed for that purpose."""
        ...

    def unseal(self, sealed: str, purpose: str) -> str | None:
        """What was sealed for that purpose, None where this was not."""
        ...


class ListenKeys:
    """Listen keys by account, by a clock in ms."""

    def __init__(self, clock: Callable[[], int], sealer: Sealer) -> None:
        self._clock = clock
        self._sealer = sealer
        self._began = clock()
        self._keys: dict[AccountId, tuple[str, int]] = {}
        self._accounts: dict[str, AccountId] = {}

    def start(self, account: AccountId) -> str:
        """The account's key, a new one where it has none; it lasts from now on."""
        found = self.of(account)
        now = self._clock()
        key = found if found is not None else self._sealer.seal(f"{now} {account}", PURPOSE)
        self._keys[account] = key, now + LASTS_MS
        self._accounts[key] = account
        return key

    def keep(self, account: AccountId) -> str | None:
        """Let the account's key last from now on; None where it has none."""
        return None if self.of(account) is None else self.start(account)

    def stop(self, account: AccountId) -> bool:
        """End the account's key; whether it had one."""
        found = self._keys.pop(account, None)
        if found is not None:
            del self._accounts[found[0]]
        return found is not None

    def of(self, account: AccountId) -> str | None:
        """The account's key, None where it has none that still counts."""
        found = self._keys.get(account)
        if found is not None and found[1] <= self._clock():
            self.stop(account)
            return None
        return found[0] if found else None

    def account(self, key: str) -> AccountId | None:
        """Whose key this is, None where it is nobody's any more."""
        account = self._accounts.get(key) or self._of_before(key)
        return account if account is not None and self.of(account) == key else None

    def _of_before(self, key: str) -> AccountId | None:
        """Whose key this is, if it was made before a restart, which it outlasts by as much as any other use."""
        until = self._began + LASTS_MS
        if self._clock() >= until or (text := self._sealer.unseal(key, PURPOSE)) is None:
            return None
        made, _, name = text.partition(" ")
        account = AccountId(name)
        if not self._began - OUTLASTS_MS < int(made) < self._began or self.of(account) is not None:
            return None
        self._keys[account] = key, until
        self._accounts[key] = account
        return account
