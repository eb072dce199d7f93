"""History as a specification writes it: one function a row, `tape` of them a chunk of observations.

    tape(diff(bids={99: 10}, asks={101: 5}), printed(SELL, 99, 3))

Update ids run on by themselves: each depth row follows the one before unless it says otherwise. Times are seconds.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from events.commands import Side
from events.observations import Kind, Observations
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


def printed(taker: Side, price: int, lots: int, *, at: float = 0, transacted: float | None = None) -> Row:
    """A print: a taker of this side met history's makers."""
    side = 1 if taker is Side.BUY else -1
    return Row(Kind.PRINT, at, at if transacted is None else transacted, (price, lots, side))


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
        Kind.PRINT: ("print_price", "print_lots", "print_side"),
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
        if names:
            for name, value in zip(names, row.values, strict=True):
                getattr(chunk, name).append(value)
        else:
            last = _depth(chunk, last, *row.values)
    return chunk


def _depth(chunk: Observations, last: int, id: int, first: int, previous: int, bids: Levels, asks: Levels) -> int:
    chunk.last_id.append(id or last + 1)
    chunk.first_id.append(first or chunk.last_id[-1])
    chunk.previous_id.append(last if previous < 0 else previous)
    for levels, ends in ((bids, chunk.bids_end), (asks, chunk.asks_end)):
        chunk.level_price.extend(levels.keys())
        chunk.level_lots.extend(levels.values())
        ends.append(len(chunk.level_price))
    return chunk.last_id[-1]
