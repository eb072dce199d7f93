"""History as a specification writes it: one function a row, `tape` of them a chunk of observations.

    tape(diff(bids={99: 10}, asks={101: 5}), printed(SELL, 99, 3))
    tape(event(cleared(), added(BUY, 71, 99, 10)), printed(SELL, 99, 3, order=71))

Update ids run on by themselves: each depth row follows the one before unless it says otherwise. Times are seconds.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from events.commands import Side
from events.observations import Action, Kind, Observations
from events.units import SECOND
from tests.spec.words import GOLD, TICK

Levels = dict[int, int]


class Row(NamedTuple):
    """One row: its kind, its time and transaction time, and what its table holds."""

    kind: Kind
    at: float
    transacted: float
    values: Any


def diff(
    bids: Levels | None = None, asks: Levels | None = None, *, id: int = 0, first: int = 0, previous: int = -1,
    at: float = 0, transacted: float | None = None,
) -> Row:  # fmt: skip
    """A depth diff. id 0: one more than the depth row before; previous -1: the id of the depth row before."""
    return Row(Kind.DIFF, at, at if transacted is None else transacted, (id, first, previous, bids or {}, asks or {}))


def snapshot(bids: Levels | None = None, asks: Levels | None = None, *, id: int = 0, at: float = 0) -> Row:
    """The whole book."""
    return Row(Kind.SNAPSHOT, at, at, (id, 0, 0, bids or {}, asks or {}))


def printed(
    taker: Side, price: int, lots: int, *, at: float = 0, transacted: float | None = None, order: int | None = None
) -> Row:
    """A print: a taker of this side met history's makers; order is the one that traded, 0 for none that was displayed,
    where the source tells it.
    """
    side = 1 if taker is Side.BUY else -1
    return Row(Kind.PRINT, at, at if transacted is None else transacted, (price, lots, side, order))


class Message(NamedTuple):
    """What happens to one order of history."""

    action: Action
    id: int = 0
    side: int = 0
    price: int = 0
    lots: int = 0


def event(*messages: Message, at: float = 0) -> Row:
    """Messages of one event."""
    return Row(Kind.ORDERS, at, at, messages)


def added(side: Side, id: int, price: int, lots: int) -> Message:
    """A new order."""
    return _message(Action.ADD, side, id, price, lots)


def changed(side: Side, id: int, price: int, lots: int) -> Message:
    """An order's price and lots are these now."""
    return _message(Action.CHANGE, side, id, price, lots)


def reduced(side: Side, id: int, price: int, lots: int) -> Message:
    """An order loses lots."""
    return _message(Action.REDUCE, side, id, price, lots)


def deleted(side: Side, id: int, price: int = 0, lots: int = 0) -> Message:
    """An order leaves."""
    return _message(Action.DELETE, side, id, price, lots)


def leveled(side: Side, price: int, lots: int) -> Message:
    """A price has these lots in all."""
    return _message(Action.LEVEL, side, 0, price, lots)


def cleared(side: Side | None = None) -> Message:
    """The book begins anew, or a side of it."""
    return Message(Action.CLEAR, side=0 if side is None else 1 if side is Side.BUY else -1)


def _message(action: Action, side: Side, id: int, price: int, lots: int) -> Message:
    return Message(action, id, 1 if side is Side.BUY else -1, price, lots)


def ticker(id: int, bid: tuple[int, int], ask: tuple[int, int], *, at: float = 0) -> Row:
    """A book ticker: best bid and ask, each price and lots, as of an update id."""
    return Row(Kind.TICKER, at, at, (id, *bid, *ask))


def marked(
    ticks: int, *, rate: int = 0, next_funding: float = 0, index: int = 0, at: float = 0, tick: int = TICK
) -> Row:
    """A mark row; next_funding in seconds."""
    return Row(Kind.MARK, at, at, (ticks * tick, index * tick, rate, int(next_funding * SECOND)))


def tape(*rows: Row, after: int = 0, on: str = GOLD) -> Observations:
    """A chunk of these rows. after: the id of the last depth row of the chunk before."""
    chunk = Observations(on)  # type: ignore[arg-type]
    columns = {
        Kind.PRINT: ("print_price", "print_lots", "print_side", "print_order"),
        Kind.ORDERS: ("orders_end",),
        Kind.TICKER: ("ticker_id", "ticker_bid", "ticker_bid_lots", "ticker_ask", "ticker_ask_lots"),
        Kind.MARK: ("mark", "mark_index", "mark_rate", "mark_next_funding"),
    }
    last = after
    for row in rows:
        chunk.kind.append(int(row.kind))
        chunk.at.append(int(row.at * SECOND))
        chunk.transacted.append(int(row.transacted * SECOND))
        names = columns.get(row.kind)
        chunk.index.append(len(getattr(chunk, names[0])) if names else len(chunk.last_id))
        if row.kind is Kind.ORDERS:
            _event(chunk, row.values)
        elif names:
            for name, value in zip(names, row.values, strict=True):
                getattr(chunk, name).append(value)
        else:
            last = _depth(chunk, last, *row.values)
    told = any(order is not None for order in chunk.print_order)
    chunk.print_order = [order or 0 for order in chunk.print_order] if told else []
    return chunk


def _event(chunk: Observations, messages: tuple[Message, ...]) -> None:
    for message in messages:
        for name, value in zip(Message._fields, message, strict=True):
            getattr(chunk, f"order_{name}").append(int(value))
    chunk.orders_end.append(len(chunk.order_id))


def _depth(chunk: Observations, last: int, id: int, first: int, previous: int, bids: Levels, asks: Levels) -> int:
    chunk.last_id.append(id or last + 1)
    chunk.first_id.append(first or chunk.last_id[-1])
    chunk.previous_id.append(last if previous < 0 else previous)
    for levels, ends in ((bids, chunk.bids_end), (asks, chunk.asks_end)):
        chunk.level_price.extend(levels.keys())
        chunk.level_lots.extend(levels.values())
        ends.append(len(chunk.level_price))
    return chunk.last_id[-1]
