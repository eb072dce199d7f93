"""Sessions by hand of the instructions that orders carry: who expires instead of a self-trade, and so on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from events.commands import SelfTrade
from tests.golden.by_hand import recorded
from tests.golden.sessions import Session
from tests.scenario import opening
from tests.spec.words import BUY, IOC, SELL, account, mark, place, resting


def self_trades() -> Session:
    """self-trade-1: an account meets its own orders under every rule."""
    return recorded(_self_trades)


SESSIONS = {"self-trade-1": self_trades}


def _self_trades() -> Iterator[Any]:
    yield [opening(), mark(100), account("maker", 100_000), account("taker", 100_000)]
    for n, rule in enumerate(SelfTrade):
        first = 10 * n
        yield [resting(first + 1, SELL, price=100, lots=5, by="taker"), resting(first + 2, SELL, price=101, lots=5)]
        yield [place(first + 3, BUY, price=101, lots=7, tif=IOC, self_trade=rule)]
