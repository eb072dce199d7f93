"""User data streams: what happens to an account, for whoever connects with its listen key.

A batch is told before its sender is answered, and nothing is made ready for accounts that nobody hears.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec

from events.commands import AccountId
from events.instruments import InstrumentId, Terms, position_name
from gateway.binance.desk import Desk
from gateway.binance.sockets_hubs import Audience, Hearer, Pump
from gateway.binance.sockets_late import Late
from gateway.binance.sockets_look import Look
from gateway.binance.sockets_tale import Tale
from gateway.binance.sockets_telling import tell
from gateway.serving.models import Moment

WATCH_SECONDS = 30.0
"""How often it is looked whether a key still counts."""

LOOK = "user streams"
"""By which name moments hold what was seen of accounts."""


class UserStreams:
    """The user streams of a session."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._pump = Pump()
        self._terms: dict[str, Terms] = {terms.id: terms for terms in desk.venue.pack.instruments}
        self._accounts: dict[AccountId, dict[str, Audience]] = {}
        self._realised: dict[AccountId, Counter[str]] = {}
        self._late = Late(self._send)
        self._encode = msgspec.json.Encoder().encode
        desk.venue.look(LOOK, Look(self._accounts))
        desk.venue.listen(self._hear)

    def __len__(self) -> int:
        return len(self._accounts)

    def join(self, key: str, hearer: Hearer, wraps: bool) -> Callable[[], object] | None:
        """Have it hear the account of that listen key, till what is returned is called; None where it is no key."""
        account = self._desk.listen_keys.account(key)
        if account is None:
            return None
        streams = self._accounts.get(account)
        if streams is None:
            streams = self._accounts[account] = {}
            self._realised[account] = self._sum(account)
        if key not in streams:
            streams[key] = Audience(key, self._pump)
            self._watch(account, key)
        streams[key].add(hearer, wraps)
        return lambda: self._leave(account, key, hearer, wraps)

    def _leave(self, account: AccountId, key: str, hearer: Hearer, wraps: bool) -> None:
        audience = self._accounts.get(account, {}).get(key)
        if audience is not None:
            audience.drop(hearer, wraps)
            if not audience:
                self._end(account, key)

    def _end(self, account: AccountId, key: str) -> None:
        streams = self._accounts[account]
        del streams[key]
        if not streams:
            del self._accounts[account], self._realised[account]

    def _watch(self, account: AccountId, key: str) -> None:
        """Look now and then whether the key still counts."""
        if key in self._accounts.get(account, ()) and self._counts(account, key):
            asyncio.get_running_loop().call_later(WATCH_SECONDS, self._watch, account, key)

    def _counts(self, account: AccountId, key: str) -> bool:
        """Whether the key still counts; if not, whoever hears it is told so, and nothing more."""
        if self._desk.listen_keys.account(key) == account:
            return True
        event = {"e": "listenKeyExpired", "E": self._desk.venue.shown_ms, "listenKey": key}
        self._accounts[account][key].tell(self._encode(event))
        self._end(account, key)
        return False

    def _sum(self, account: AccountId) -> Counter[str]:
        """What each position realised so far, atoms."""
        sums: Counter[str] = Counter()
        for fill in self._desk.blotter.fills(account):
            sums[position_name(InstrumentId(fill.instrument), fill.leg)] += fill.realized
        return sums

    def _hear(self, moment: Moment) -> None:
        if not self._accounts:
            return
        desk = self._desk
        seen = moment.more.get(LOOK) or {}
        shown = desk.venue.calendar.shown_ms
        tale = Tale(
            self._terms, desk.texts, desk.blotter, self._accounts, shown, moment, seen, self._realised
        )  # fmt: skip
        tell(tale, moment.batch)
        for account, events in tale.events().items():
            self._send(account, self._late.now(account, events))

    def _send(self, account: AccountId, events: list[dict[str, Any]]) -> None:
        """Tell whoever hears the account by now."""
        payloads = list(map(self._encode, events))
        for key, audience in list(self._accounts.get(account, {}).items()):
            if self._counts(account, key):
                for payload in payloads:
                    audience.tell(payload)
