"""Rules of the facts about the withdrawal gate: it closes where a deficit is seen, and opens where none is any more."""

from __future__ import annotations

from collections.abc import Callable
from math import floor
from typing import Any

from events import facts as f
from events.commands import MARKET
from exchange.audit.books import Books
from exchange.audit.pools import margin

GATE = "gate"


def fund_lacks(books: Books) -> list[str]:
    """The funds, with the asset, that have less than nothing."""
    names = [name for name in books.house if name != MARKET]
    return [f"{name} {asset}" for name in names for asset in books.fund_assets if margin(books, name, asset).equity < 0]


def closed(books: Books, fact: f.WithdrawalsClosed) -> None:
    """On a deficit that is there, for the pack's time; again only when that is over."""
    key = fact.account, fact.pool
    until = books.timers.get((GATE, ""))
    books.hold("the gate is open, or its time over", until is None or until <= books.now, fact)
    books.hold("the fund, or who is put off, has a deficit", fact.account in books.house or key in books.put_off, fact)
    books.check("deficit", -floor(margin(books, *key).equity), fact.deficit, books.asset_of(*key))
    books.hold("a deficit is more than nothing", fact.deficit > 0 and books.rules.withdrawal_gate > 0, fact)
    books.check("end of the gate", books.now + books.rules.withdrawal_gate, fact.until)
    books.timers[GATE, ""] = fact.until


def opened(books: Books, fact: f.WithdrawalsOpened) -> None:
    """Its time is over, and no deficit is seen."""
    until = books.timers.pop((GATE, ""), None)
    books.hold("the time of the gate is over", until is not None and until <= books.now, fact)
    seen = [key for key in books.put_off if margin(books, *key).equity < 0]
    books.check("deficits seen", [], [*fund_lacks(books), *seen])


def check(books: Books) -> None:
    """Where the fund is below zero at the end of a batch, or who was put off in it, the gate is closed."""
    if books.rules.withdrawal_gate and (GATE, "") not in books.timers:
        books.check("deficits of the fund while money may leave", [], fund_lacks(books))
        books.check("deficits of who is put off while money may leave", [], books.lacking)


RULES: dict[type[f.Fact], Callable[[Books, Any], None]] = {
    f.WithdrawalsClosed: closed,
    f.WithdrawalsOpened: opened,
}
"""Fact -> what it has to agree with, and what it changes."""
