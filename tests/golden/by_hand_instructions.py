"""Sessions by hand of the instructions that orders carry: who expires instead of a self-trade, and so on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from events.commands import SelfTrade, SessionOptions
from events.guards import Breaker, PriceGuards
from events.units import SECOND, Lots, Nanos, Rate
from tests.golden.by_hand import recorded
from tests.golden.sessions import Session
from tests.scenario import opening
from tests.spec.words import BUY, IOC, PERCENT, SELL, account, mark, market, pack, place, resting

FILTERED = pack(market_max_lots=Lots(8), price_up=Rate(105 * PERCENT), price_down=Rate(95 * PERCENT))
HALTING = PriceGuards(breaker=Breaker(Rate(10 * PERCENT), Nanos(60 * SECOND), Nanos(120 * SECOND)))


def self_trades() -> Session:
    """self-trade-1: an account meets its own orders under every rule."""
    return recorded(_self_trades)


def filters() -> Session:
    """filters-1: what is too large or too far from the mark, what slips too far, options that contradict themselves."""
    return recorded(_filters)


SESSIONS = {"self-trade-1": self_trades, "filters-1": filters}


def _self_trades() -> Iterator[Any]:
    yield [opening(), mark(100), account("maker", 100_000), account("taker", 100_000)]
    for n, rule in enumerate(SelfTrade):
        first = 10 * n
        yield [resting(first + 1, SELL, price=100, lots=5, by="taker"), resting(first + 2, SELL, price=101, lots=5)]
        yield [place(first + 3, BUY, price=101, lots=7, tif=IOC, self_trade=rule)]


def _filters() -> Iterator[Any]:
    yield opening(FILTERED, SessionOptions(max_slippage=Rate(-1)))
    yield opening(FILTERED, SessionOptions(max_slippage=Rate(2 * PERCENT), guards=HALTING))
    yield [mark(100), account("maker", 100_000), account("taker", 100_000)]
    yield [resting(1, SELL, price=101, lots=5), resting(2, SELL, price=104, lots=5), market(3, BUY, lots=9)]
    yield [market(4, BUY, lots=9), place(5, BUY, price=106, lots=2), place(6, SELL, price=94, lots=2)]
    yield [market(7, BUY, lots=8), market(8, SELL, lots=1), mark(111), place(9, BUY, price=100, lots=2)]
