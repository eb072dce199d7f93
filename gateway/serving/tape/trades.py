"""The newest trades of an instrument: history's prints, and those of traders."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

TRADES_KEPT = 5_000
"""So many trades of an instrument are kept."""

TRADES_A_RECORD = 100_000
"""Ids of trades count so far within a record, since history's prints share one."""


def trade_id(seq: int, place: int = 0) -> int:
    """The id of a trade: its record's number, and its place among history's prints in that record."""
    return seq * TRADES_A_RECORD + min(place, TRADES_A_RECORD - 1)


class Trade(NamedTuple):
    """A trade: shown time, ms; ticks, lots, and its value in atoms; bought says that the taker bought; part is the id
    of the first trade that it is one with: same taker, same price.
    """

    id: int
    at: int
    price: int
    lots: int
    value: int
    bought: bool
    part: int


class Aggregate(NamedTuple):
    """Trades of one taker at one price, as one: the ids of the first and last of them."""

    first: int
    last: int
    at: int
    price: int
    lots: int
    bought: bool


def aggregates(trades: list[Trade]) -> Iterator[Aggregate]:
    """Trades, in order, as aggregates."""
    for part, group in groupby(trades, key=lambda trade: trade.part):
        of_it = list(group)
        first = of_it[0]
        lots = sum(trade.lots for trade in of_it)
        yield Aggregate(part, of_it[-1].id, first.at, first.price, lots, first.bought)


def ring(trades: list[Trade] | None = None) -> deque[Trade]:
    """Keeps the newest trades."""
    return deque(trades or (), maxlen=TRADES_KEPT)
