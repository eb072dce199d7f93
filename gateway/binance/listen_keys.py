"""The keys by which a client listens to its account: one an account, good for 60 minutes from its latest use.

Source: Binance USD-M, "User Data Streams": POST while one is active returns it and makes it last 60 minutes more.
"""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable

from events.commands import AccountId

LASTS_MS = 60 * 60 * 1000
LENGTH = 64
_LETTERS = string.ascii_letters + string.digits


class ListenKeys:
    """Listen keys by account, by a clock in ms."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._keys: dict[AccountId, tuple[str, int]] = {}
        self._accounts: dict[str, AccountId] = {}

    def start(self, account: AccountId) -> str:
        """The account's key, a new one where it has none; it lasts from now on."""
        found = self.of(account)
        key = found if found is not None else "".join(secrets.choice(_LETTERS) for _ in range(LENGTH))
        self._keys[account] = key, self._clock() + LASTS_MS
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
        account = self._accounts.get(key)
        return account if account is not None and self.of(account) == key else None
