"""What a story comes to: its steps grouped for reading, and where the equity of the pool went."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any, NamedTuple

from events import facts as f
from events.commands import MARKET
from events.units import UNIT
from replay.why import Story, Told

FILLS_SHOWN = 3
"""More fills in a row are told in one line."""


class Line(NamedTuple):
    """One or more steps that are told together: the first, and as many as there are."""

    steps: list[Told]

    @property
    def first(self) -> Told:
        """The first of them."""
        return self.steps[0]

    @property
    def last(self) -> Told:
        """The last of them."""
        return self.steps[-1]


def lines(story: Story) -> Iterator[Line]:
    """The steps; more than a few fills in a row are one line, and so are more than a few cancelled orders."""
    for kind, group in groupby(story.steps, lambda told: type(told.record.message)):
        steps = list(group)
        if kind in (f.Traded, f.OrderExpired) and len(steps) > FILLS_SHOWN:
            yield Line(steps)
        else:
            yield from (Line([told]) for told in steps)


class Part(NamedTuple):
    """What a part of the pool's equity went for, grains: below zero it was lost, above it was gained."""

    what: str
    amount: int


BOOK = "to the book, against the mark"
TO_FUND = "to the insurance fund, by its takeover at the bankruptcy price"
TO_RANKED = "to deleveraged accounts, at the bankruptcy price"
TO_MARKET = "to MARKET as the last to take, at the bankruptcy price"
TRADING_FEES = "trading fees"
LIQUIDATION_FEE = "liquidation fee, to the insurance fund"
COVERED = "deficit covered by the insurance fund"
MOVED = "marks that moved meanwhile"
GIVEN_BACK = "given back to the cross wallet"
OTHER = "funding, interest, exchanges"


def parts(story: Story) -> list[Part]:
    """Where the equity went from the moment the pool fell due until the end: with that left, they add up exactly."""
    found: dict[str, int] = {}

    def add(what: str, amount: int) -> None:
        if amount:
            found[what] = found.get(what, 0) + amount

    equity = story.margin.equity
    for told in story.steps:
        add(MOVED, told.before.equity - equity)
        equity = told.after.equity
        change = equity - told.before.equity
        fact: Any = told.record.message
        fee = _trading_fee(fact) * UNIT
        add(TRADING_FEES, -fee)
        add(_what(fact), change + fee)
    return [Part(what, amount) for what, amount in found.items()]


def _trading_fee(fact: Any) -> int:
    if isinstance(fact, f.Traded):
        return fact.taker_fee
    return fact.fee if isinstance(fact, f.TakenOver | f.Deleveraged) else 0


def _what(fact: Any) -> str:
    if isinstance(fact, f.Deleveraged):
        return TO_MARKET if fact.against == MARKET else TO_RANKED
    return _WHAT.get(type(fact), OTHER)


_WHAT: dict[type, str] = {
    f.Traded: BOOK,
    f.TakenOver: TO_FUND,
    f.LiquidationFeeCharged: LIQUIDATION_FEE,
    f.DeficitCovered: COVERED,
    f.LiquidationEnded: GIVEN_BACK,
}


class Share(NamedTuple):
    """So many lots of an instrument went to one kind of counterparty, at these values together, atoms."""

    instrument: str
    who: str
    lots: int
    value: int


def shares(story: Story) -> list[Share]:
    """Who took how much of what the liquidation closed, by instrument and layer."""
    found: dict[tuple[str, str], list[int]] = {}
    for told in story.steps:
        fact: Any = told.record.message
        if isinstance(fact, f.Traded | f.TakenOver | f.Deleveraged | f.LegsNetted):
            total = found.setdefault((fact.instrument, taker_of(fact)), [0, 0])
            total[0] += fact.lots
            total[1] += fact.value
    return [Share(*key, *total) for key, total in found.items()]


def taker_of(fact: Any) -> str:
    """Which layer took what a step closed."""
    if isinstance(fact, f.Deleveraged):
        return "market" if fact.against == MARKET else "adl"
    if isinstance(fact, f.TakenOver):
        return "fund"
    return "book" if isinstance(fact, f.Traded) else "netting"
