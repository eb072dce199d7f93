"""A chunk of market history as columns: what `AdvanceMarket` applies, row by row, to MARKET's book.

A row is one observation of one instrument: a whole depth diff, a book snapshot, a print, a book ticker, a mark, or what
one event does to single orders. Rows have a kind, a time and an index into the table of their kind. All columns are
lists of integers.
"""

from __future__ import annotations

from enum import IntEnum

import msgspec

from events.instruments import InstrumentId
from events.spans import Spans

UNLISTED, AS_ARRAY = "unlisted", "_array"
"""Where a chunk keeps arrays: those that nobody wanted as a list so far, and beside a list the one it was made of."""

SELDOM_LISTED = ("level_price", "level_lots")
"""The longest columns; where a chunk has spans, nobody reads them row by row."""


class Kind(IntEnum):
    """What a row is, and which table it points into."""

    DIFF = 0
    SNAPSHOT = 1
    PRINT = 2
    TICKER = 3
    MARK = 4
    ORDERS = 5


class Action(IntEnum):
    """What a message does to an order of history. What trades is no message but a print, which names the order."""

    ADD = 0
    """A new order joins the back of the queue at its price. An id of 0 is volume of which nobody knows the order."""
    CHANGE = 1
    """An order has this price and these lots now. It keeps its place where the price is the same and lots did not grow,
    else it joins the back; 0 lots remove it; an unknown one is added."""
    REDUCE = 2
    """An order loses so many lots: those of an unknown one are lost by what is known by size only at the price."""
    DELETE = 3
    """An order leaves with all that is left of it; of an unknown one these lots, as with REDUCE."""
    LEVEL = 4
    """The volume at a price is so many lots in all (0: none), and known by size only: orders there are forgotten."""
    CLEAR = 5
    """A side (1, -1; 0: both) begins anew, empty."""


class Observations(msgspec.Struct, dict=True):
    """One chunk. Lists of one table have one length; `check` says so. Encoded or decoded, it stays as it is.

    rows:    kind, at (ns, never falling), transacted (the venue's transaction time, ns), index (into the kind's table)
    depth:   first_id, last_id, previous_id (0: not stated), bids_end, asks_end. The bids of depth row i are the levels
    from
             asks_end[i-1] (0 for the first) to bids_end[i], its asks those from there to asks_end[i]
    levels:  price (ticks), lots (absolute; 0 removes the level)
    prints:  price (ticks), lots, side (1: the taker bought, -1: the taker sold)
    makers:  of each print the id of history's order that traded, which loses the lots (0: none that was displayed).
             Empty where the source does not tell orders apart
    events:  orders_end. The messages of event i are those from orders_end[i-1] (0 for the first) to orders_end[i];
             all of them are applied before a crossing is looked for
    orders:  messages: action (`Action`), id of the order, side (1: a bid, -1: an ask), price (ticks), lots
    tickers: update id (-1: not stated), best bid and ask (ticks), their sizes (lots)
    marks:   mark and index price (mark units; 0: not stated), funding rate (Rate) and next funding time (ns; 0: not
             stated)
    """

    instrument: InstrumentId
    kind: list[int] = []
    at: list[int] = []
    transacted: list[int] = []
    index: list[int] = []
    first_id: list[int] = []
    last_id: list[int] = []
    previous_id: list[int] = []
    bids_end: list[int] = []
    asks_end: list[int] = []
    level_price: list[int] = []
    level_lots: list[int] = []
    print_price: list[int] = []
    print_lots: list[int] = []
    print_side: list[int] = []
    ticker_id: list[int] = []
    ticker_bid: list[int] = []
    ticker_bid_lots: list[int] = []
    ticker_ask: list[int] = []
    ticker_ask_lots: list[int] = []
    mark: list[int] = []
    mark_index: list[int] = []
    mark_rate: list[int] = []
    mark_next_funding: list[int] = []
    print_order: list[int] = []
    orders_end: list[int] = []
    order_action: list[int] = []
    order_id: list[int] = []
    order_side: list[int] = []
    order_price: list[int] = []
    order_lots: list[int] = []

    def __len__(self) -> int:
        """How many rows."""
        return len(self.kind)

    @property
    def spans(self) -> Spans | None:
        """What is known ahead of the rows: of a chunk that was encoded or decoded, and uses its tables in order."""
        spans: Spans | None = self.__dict__.get("spans")
        if spans is None or spans.rows != len(self.kind):
            return None
        is_as_made = "level_price" in self.__dict__.get(UNLISTED, ())
        return spans if is_as_made or spans.levels == len(self.level_price) else None

    def __eq__(self, other: object) -> bool:
        """Whether every column is the same."""
        if not isinstance(other, Observations):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.__struct_fields__)

    def check(self) -> None:
        """Assert that the columns belong together: lengths, indices, order of time."""
        for table in (*TABLES.values(), *ORDER_TABLES.values()):
            assert len({len(getattr(self, name)) for name in table}) == 1, f"ragged table {table}"
        sizes = {
            Kind.DIFF: len(self.first_id),
            Kind.SNAPSHOT: len(self.first_id),
            Kind.PRINT: len(self.print_price),
            Kind.TICKER: len(self.ticker_id),
            Kind.MARK: len(self.mark),
            Kind.ORDERS: len(self.orders_end),
        }
        rows = zip(self.kind, self.index, strict=True)
        assert all(0 <= i < sizes[Kind(kind)] for kind, i in rows), "index out of its table"
        assert all(a <= b for a, b in zip(self.at, self.at[1:], strict=False)), "time goes back"
        ends = [end for pair in zip(self.bids_end, self.asks_end, strict=True) for end in pair]
        assert ends == sorted(ends), "level ranges overlap"
        assert (ends or [0])[-1] == len(self.level_price), "levels without a diff"
        assert len(self.print_order) in (0, len(self.print_price)), "some prints without a maker"
        assert self.orders_end == sorted(self.orders_end), "events overlap"
        assert (self.orders_end or [0])[-1] == len(self.order_id), "messages without an event"
        assert all(action in _ACTIONS for action in self.order_action), "unknown action"


def _listed(chunk: Observations, name: str) -> list[int]:
    """A column that was made of an array, and is a list from its first reader on. Raises AttributeError."""
    column = chunk.__dict__.get(UNLISTED, {}).pop(name, None)
    if column is None:
        raise AttributeError(f"{type(chunk).__name__} has no {name}")
    values: list[int] = column.tolist()
    setattr(chunk, name, values)
    chunk.__dict__[name + AS_ARRAY] = values, column
    return values


Observations.__getattr__ = _listed  # type: ignore[attr-defined]
"""Not within the class, where it would let type checkers take any name for a column."""

TABLES: dict[str, tuple[str, ...]] = {
    "rows": ("kind", "at", "transacted", "index"),
    "depth": ("first_id", "last_id", "previous_id", "bids_end", "asks_end"),
    "levels": ("level_price", "level_lots"),
    "prints": ("print_price", "print_lots", "print_side"),
    "tickers": ("ticker_id", "ticker_bid", "ticker_bid_lots", "ticker_ask", "ticker_ask_lots"),
    "marks": ("mark", "mark_index", "mark_rate", "mark_next_funding"),
}
"""Table -> its columns, in canonical order."""

ORDER_TABLES: dict[str, tuple[str, ...]] = {
    "makers": ("print_order",),
    "events": ("orders_end",),
    "orders": ("order_action", "order_id", "order_side", "order_price", "order_lots"),
}
"""Further tables, of sources that tell orders apart: chunks in which all of them are empty have no trace of them."""

_ACTIONS = frozenset(map(int, Action))
