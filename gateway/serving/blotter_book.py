"""The rows of one account, and how many of them are kept."""

from __future__ import annotations

from collections import deque

import msgspec

from events.instruments import Leg, position_name
from gateway.serving.blotter_rows import Amendment, Fill, Held, Income, IncomeKind, Move, OrderRow, Status

KEPT_MAX = 10_000
"""Of each account so many ended orders are kept, and as many fills, entries of income, moves and amendments."""


class Rows(msgspec.Struct, array_like=True):
    """What is kept of an account."""

    orders: list[OrderRow]
    ended: list[int]
    fills: list[Fill]
    income: list[Income]
    moves: list[Move]
    amendments: list[Amendment]
    held: dict[str, Held]


class AccountBook:
    """The rows of an account, oldest first; open orders beside, by number."""

    def __init__(self, kept_max: int = KEPT_MAX) -> None:
        self.orders: dict[int, OrderRow] = {}
        self.open: dict[int, OrderRow] = {}
        self.clients: dict[str, int] = {}
        self.ended: deque[int] = deque()
        self.fills: deque[Fill] = deque(maxlen=kept_max)
        self.income: deque[Income] = deque(maxlen=kept_max)
        self.moves: deque[Move] = deque(maxlen=kept_max)
        self.amendments: deque[Amendment] = deque(maxlen=kept_max)
        self.held: dict[str, Held] = {}
        self._kept_max = kept_max

    @classmethod
    def of(cls, rows: Rows, kept_max: int = KEPT_MAX) -> AccountBook:
        """As it was kept."""
        book = cls(kept_max)
        for row in rows.orders:
            book.place(row)
        book.ended.extend(rows.ended)
        book.fills.extend(rows.fills)
        book.income.extend(rows.income)
        book.moves.extend(rows.moves)
        book.amendments.extend(rows.amendments)
        book.held = rows.held
        return book

    def rows(self) -> Rows:
        """What to keep."""
        orders, ended = list(self.orders.values()), list(self.ended)
        fills, income, moves = list(self.fills), list(self.income), list(self.moves)
        return Rows(orders, ended, fills, income, moves, list(self.amendments), self.held)

    def place(self, row: OrderRow) -> None:
        """An order that is new."""
        self.orders[row.number] = row
        if row.is_live:
            self.open[row.number] = row
        if row.client:
            self.clients[row.client] = row.number

    def end(self, row: OrderRow, status: Status) -> None:
        """An order ended; the oldest ended one is forgotten where there are too many."""
        row.status = status
        self.open.pop(row.number, None)
        self.ended.append(row.number)
        if len(self.ended) > self._kept_max:
            old = self.orders.pop(self.ended.popleft())
            if self.clients.get(old.client) == old.number:
                del self.clients[old.client]

    def gain(self, id: int, at: int, kind: IncomeKind, asset: str, amount: int, of: str = "", fill: int = 0) -> None:
        """A wallet gained, or lost, so much; nothing is nothing."""
        if amount:
            self.income.append(Income(id, at, kind, asset, amount, of, fill))

    def position(self, instrument: str, leg: Leg) -> Held:
        """The position, flat where there was none."""
        return self.held.setdefault(position_name(instrument, leg), Held())


def trade(held: Held, gain: int, sign: int, lots: int, value: int, fee: int, at: int) -> int:
    """Post a trade to a position as the core does; what it realised, atoms, without its fee.

    gain is +1 for a linear contract, -1 for an inverse one. Of one that turns the position, floor(value x closed /
    lots) closes it. Source: `docs/margin.md`, as `exchange.core.posting`.
    """
    size, realized = abs(held.lots), 0
    opened, worth = lots, value
    if held.lots * sign < 0:
        closed = min(lots, size)
        opened, closing = lots - closed, value * closed // lots
        entry = -sign * gain * (abs(held.entry_value) * closed // size)
        realized = -sign * gain * closing - entry
        held.entry_value -= entry
        held.lots += sign * closed
        worth = value - closing
    held.cost += fee - realized
    if not held.lots:
        held.cost = held.entry_value = 0
        held.opened_at = at
        if opened:
            held.cost = fee * opened // lots
    if opened:
        held.lots += sign * opened
        held.entry_value += sign * gain * worth
    held.updated_at = at
    return realized
