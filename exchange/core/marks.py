"""How a mark or an index price comes to be: what was stated, as far as the guards of the session let it move.

Every mark goes through `mark_moves`, whoever states it: a command, a row of the data, or the book and the prints that a
session samples; every index price through `index_moves`.
"""

from __future__ import annotations

from collections.abc import Iterator

from events.facts import BreakerTripped, Fact, IndexPriceMoved, MarkPriceMoved, PriceBounded
from events.guards import Bound, PriceKind
from events.instruments import InstrumentId
from events.units import UNIT, MarkUnits, Nanos
from exchange.core.contract import Contract
from exchange.core.state import State


def mark_moves(state: State, contract: Contract, stated: int) -> Iterator[Fact]:
    """Move a mark to what was stated (mark units, above 0), or as far as the guards let it."""
    guards = state.guards
    mark, by = within(stated, contract.index, guards.mark_band), Bound.BAND
    if (slowed := within(mark, contract.mark, guards.mark_step)) != mark:
        mark, by = slowed, Bound.STEP
    if mark != stated:
        yield PriceBounded(contract.id, PriceKind.MARK, MarkUnits(stated), MarkUnits(mark), by)
    yield MarkPriceMoved(contract.id, MarkUnits(mark))
    if contract.swing is not None and not contract.closed:
        breaker = guards.breaker
        if reference := contract.swing.leapt(mark, breaker.jump):
            until = Nanos(state.now + breaker.halt)
            yield BreakerTripped(contract.id, MarkUnits(mark), MarkUnits(reference), until)


def index_moves(state: State, instrument: InstrumentId, before: int, stated: int) -> Iterator[Fact]:
    """Move the index price of an instrument or a spot pair likewise; `before` is the one before it, 0 for none."""
    index = within(stated, before, state.guards.index_step)
    if index != stated:
        yield PriceBounded(instrument, PriceKind.INDEX, MarkUnits(stated), MarkUnits(index), Bound.STEP)
    yield IndexPriceMoved(instrument, MarkUnits(index))


def within(price: int, around: int, share: int) -> int:
    """The price, or the last one on its side that is within a share (a Rate) of another; 0 of either bounds nothing.

    Rounded towards that other price: up below it, down above it.
    """
    if not around or not share:
        return price
    return min(around * (UNIT + share) // UNIT, max(-(-around * (UNIT - share) // UNIT), price))
