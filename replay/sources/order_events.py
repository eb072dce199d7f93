"""From events to rows: what an event of an order-by-order feed traded, and what it did to single orders."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from events.observations import Action, Kind
from replay.sources.rows import Ints, Rows


class Print(NamedTuple):
    """A trade: its line, ticks and lots, the taker's side, and the order of history that traded (0: none displayed)."""

    line: int
    price: int
    lots: int
    side: int
    order: int = 0


class Change(NamedTuple):
    """What happens to an order: `events.observations.Action` says what the numbers mean."""

    action: Action
    order: int
    side: int
    price: int
    lots: int


class EventRows:
    """Collects events: each makes a row of its prints, and then one of its changes, at one time."""

    def __init__(self) -> None:
        self._rows: list[tuple[int, int, int, int]] = []
        self._prints: list[Print] = []
        self._changes: list[Change] = []
        self._lengths: list[int] = []

    def add(self, line: int, at: int, transacted: int, prints: list[Print], changes: list[Change]) -> None:
        """Add an event that ended in this line, at this time and the venue's, ns."""
        for one in prints:
            self._rows.append((one.line, at, transacted, int(Kind.PRINT)))
        self._prints += prints
        if changes:
            self._rows.append((line, at, transacted, int(Kind.ORDERS)))
            self._changes += changes
            self._lengths.append(len(changes))

    def take(self) -> Iterator[Rows]:
        """The rows of what was added since the last call, if there are any."""
        if not self._rows:
            return
        lines, at, transacted, kind = _columns(self._rows, 4)
        _, price, lots, side, order = _columns(self._prints, 5)
        tables = {"print_price": price, "print_lots": lots, "print_side": side, "print_order": order}
        tables |= zip(
            ("order_action", "order_id", "order_side", "order_price", "order_lots"),
            _columns(self._changes, 5),
            strict=True,
        )
        yield Rows(lines, at, transacted, kind, tables, messages=np.array(self._lengths, np.int64))
        self._rows, self._prints, self._changes, self._lengths = [], [], [], []


def _columns(rows: Sequence[tuple[int, ...]], width: int) -> Ints:
    columns: Ints = np.array(rows, np.int64).reshape(-1, width).T
    return columns
