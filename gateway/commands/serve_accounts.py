"""The accounts that keys speak for: opened when their first key is made, with a deposit to begin with."""

from __future__ import annotations

from decimal import Decimal

import structlog

from events.commands import AccountId, Deposit, OpenAccount
from events.units import UNIT, Atoms
from gateway.serving.keys import Key, KeyKind, KeyRing, Scope
from gateway.serving.venue import Venue

FIRST_SCOPES = (Scope.READ, Scope.TRADE, Scope.WITHDRAW)

_LOGGER = structlog.get_logger()


class Accounts:
    """Opens what is missing; deposit is in units of the asset that the first instrument settles in."""

    def __init__(self, venue: Venue, ring: KeyRing, deposit: Decimal) -> None:
        self._venue = venue
        self._ring = ring
        self._deposit = Atoms(int(deposit * UNIT))

    async def open(self) -> None:
        """Open each account that has a key and is not there."""
        for name in dict.fromkeys(key.account for key in self._ring.keys()):  # noqa: SIM118 - a ring is no dict
            if name not in self._venue.state.accounts:
                await self._open(name)

    async def _open(self, name: AccountId) -> None:
        venue = self._venue
        opened = await venue.ask(OpenAccount(venue.now, name, venue.request()))
        if opened.reason is None and self._deposit:
            settle = venue.pack.instruments[0].settle
            opened = await venue.ask(Deposit(venue.now, name, venue.request(), settle, self._deposit))
        if opened.reason is not None:
            _LOGGER.warning("account not opened", account=name, refused=opened.reason.value)


def first_keys(ring: KeyRing, account: AccountId) -> list[tuple[Key, str]]:
    """The keys of a session that has none: a secret for the Binance dialect, and a token that may do all."""
    if ring.keys():
        return []
    secret = ring.create(account, FIRST_SCOPES, KeyKind.HMAC, label="first")
    return [secret, ring.create(account, tuple(Scope), KeyKind.BEARER, label="first")]
