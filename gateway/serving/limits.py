"""How much a client may ask: request weights of an address in a minute, orders of an account in 10 s and in a minute.

Whoever asks for more is answered 429 until the window ends; who goes on regardless is banned (418), for longer each
time. Weights, counts and the bans' first and longest length (2 minutes, 3 days) are those of Binance's USD-M Futures:
`rateLimits` of its exchangeInfo, and "Limits" of its general information. How many requests after a 429 make a ban it
does not say: PATIENCE is ours.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from time import time
from typing import NamedTuple

OK, TOO_MANY, BANNED = 200, 429, 418

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
BAN_MS = 2 * MINUTE_MS
BAN_MS_MAX = 3 * 24 * 60 * MINUTE_MS

PATIENCE = 100
"""So many refused requests in one minute and the next one is answered by a ban."""

KNOWN_MAX = 10_000
"""So many addresses, and as many accounts, are known at a time; those longest not heard of are forgotten."""


def wall_ms() -> int:
    """The wall's time, ms since the epoch."""
    return int(time() * 1000)


class Rules(NamedTuple):
    """What is allowed; 0 for as much as one likes."""

    weight_1m: int = 2_400
    orders_10s: int = 300
    orders_1m: int = 1_200


USUAL = Rules()
UNLIMITED = Rules(0, 0, 0)


class Verdict(NamedTuple):
    """How a request is to be answered: 200, 429 or 418; the weight used in this minute; and after how many seconds to
    ask again.
    """

    status: int
    used: int
    wait_s: int = 0


class OrderVerdict(NamedTuple):
    """The same of orders, with the counts of this 10 s and of this minute."""

    status: int
    last_10s: int
    last_1m: int
    wait_s: int = 0


@dataclass(slots=True)
class Window:
    """What was used in a stretch of the clock of this length, ms."""

    length: int
    number: int = -1
    used: int = 0

    def at(self, now: int) -> int:
        """What is used by now."""
        if (number := now // self.length) != self.number:
            self.number, self.used = number, 0
        return self.used

    def wait_s(self, now: int) -> int:
        """Seconds until the next one begins, at least 1."""
        return -(-(self.length - now % self.length) // SECOND_MS)


@dataclass(slots=True)
class Address:
    """What is known of an address: its weight, how often it was refused, until when it is banned, for how long last."""

    weight: Window = field(default_factory=lambda: Window(MINUTE_MS))
    refused: Window = field(default_factory=lambda: Window(MINUTE_MS))
    banned_until: int = 0
    ban: int = 0


@dataclass(slots=True)
class Orders:
    """The orders of an account."""

    short: Window = field(default_factory=lambda: Window(10 * SECOND_MS))
    long: Window = field(default_factory=lambda: Window(MINUTE_MS))


class Limits:
    """What addresses and accounts used, by a clock in ms that may be any."""

    def __init__(self, rules: Rules = USUAL, clock: Callable[[], int] = wall_ms, known: int = KNOWN_MAX) -> None:
        self.rules = rules
        self._clock = clock
        self._known = known
        self._addresses: OrderedDict[str, Address] = OrderedDict()
        self._orders: OrderedDict[str, Orders] = OrderedDict()

    def spend(self, address: str, weight: int) -> Verdict:
        """Count a request of that weight, if it may be made."""
        now, most = self._clock(), self.rules.weight_1m
        known = self._addresses.get(address)
        if known is None:
            known = self._addresses[address] = Address()
            self._forget(self._addresses)
        else:
            self._addresses.move_to_end(address)
        used = known.weight.at(now)
        if now < known.banned_until:
            return Verdict(BANNED, used, -(-(known.banned_until - now) // SECOND_MS))
        if most and used + weight > most:
            return self._refuse(known, now)
        known.weight.used = used + weight
        return Verdict(OK, used + weight)

    def order(self, account: str, count: int = 1) -> OrderVerdict:
        """Count so many orders of an account, if they may be placed."""
        now, rules = self._clock(), self.rules
        known = self._orders.get(account)
        if known is None:
            known = self._orders[account] = Orders()
            self._forget(self._orders)
        else:
            self._orders.move_to_end(account)
        short, long = known.short.at(now), known.long.at(now)
        if rules.orders_1m and long + count > rules.orders_1m:
            return OrderVerdict(TOO_MANY, short, long, known.long.wait_s(now))
        if rules.orders_10s and short + count > rules.orders_10s:
            return OrderVerdict(TOO_MANY, short, long, known.short.wait_s(now))
        known.short.used, known.long.used = short + count, long + count
        return OrderVerdict(OK, short + count, long + count)

    def counts(self, account: str) -> OrderVerdict:
        """The orders of an account by now."""
        now, known = self._clock(), self._orders.get(account)
        return OrderVerdict(OK, known.short.at(now), known.long.at(now)) if known else OrderVerdict(OK, 0, 0)

    def _refuse(self, known: Address, now: int) -> Verdict:
        used = known.weight.used
        refused = known.refused.at(now)
        if refused < PATIENCE:
            known.refused.used = refused + 1
            return Verdict(TOO_MANY, used, known.weight.wait_s(now))
        since = now - known.banned_until
        known.ban = min(2 * known.ban, BAN_MS_MAX) if known.ban and since < BAN_MS_MAX else BAN_MS
        known.banned_until = now + known.ban
        known.refused.used = 0
        return Verdict(BANNED, used, known.ban // SECOND_MS)

    def _forget(self, table: OrderedDict[str, Address] | OrderedDict[str, Orders]) -> None:
        """Make room by whoever was not heard of for longest."""
        if len(table) > self._known:
            table.popitem(last=False)
