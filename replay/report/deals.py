"""What a fact does to the positions of traders: who traded how much on which side, in which part, at what fee."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import Enum, unique
from typing import Any, NamedTuple

from events import facts as f
from events.commands import LIQUIDATION_ORDER, MARKET, AccountId, Side
from events.instruments import Leg, position_name
from exchange.core.posting import after_trade
from exchange.core.state import Position, State


@unique
class How(Enum):
    """How a position came to trade."""

    MAKER = "maker"
    TAKER = "taker"
    FORCED = "forced"
    CLOSED = "closed"
    DELEVERAGED = "deleveraged"


IS_FORCED = (How.FORCED, How.CLOSED)
"""The account's own liquidation: in the book, or against the insurance fund, another account or its own other leg."""


class Held(NamedTuple):
    """A position at a moment: signed lots, entry value."""

    lots: int
    entry: int


class Deal(NamedTuple):
    """One side of a trade: signed by `sign`, so many lots at a value, atoms, and the position as it was before.

    then is what this side made of it, where that is not simply what the whole fact did: who trades with himself.
    """

    position: Position
    how: How
    number: int
    sign: int
    lots: int
    value: int
    fee: int
    before: Held
    then: Held | None = None

    @property
    def after(self) -> Held:
        """The position after it; the fact has to be applied by now."""
        return self.then or _held(self.position)

    @property
    def realised(self) -> int:
        """The PnL that it settled before fees, atoms; the fact has to be applied by now."""
        gain = self.position.contract.gain
        return self.after.entry - self.before.entry - gain * self.sign * self.value


def _held(position: Position) -> Held:
    return Held(position.lots, position.entry_value)


def deals_of(state: State, fact: Any) -> list[Deal]:
    """The deals of traders in a fact that is about to be applied."""
    return list(_DEALS[type(fact)](state, fact))


def _deal(
    state: State, account: AccountId, leg: Leg, fact: Any, how: How, sign: int, fee: int, number: int = 0
) -> Iterator[Deal]:
    owner = state.accounts[account]
    if owner.is_reserved:
        return
    if number and how is How.MAKER:
        position: Position = owner.orders[number].holder  # type: ignore[index]
    else:
        position = owner.positions[position_name(fact.instrument, leg)]
    yield Deal(position, how, number, sign, fact.lots, fact.value, fee, _held(position))


def _sign(side: Side) -> int:
    return 1 if side is Side.BUY else -1


def _traded(state: State, fact: f.Traded) -> Iterator[Deal]:
    sign = _sign(fact.side)
    made = list(_deal(state, fact.maker, Leg.NET, fact, How.MAKER, -sign, fact.maker_fee, fact.maker_order))
    how = How.FORCED if fact.taker_order == LIQUIDATION_ORDER and fact.taker != MARKET else How.TAKER
    took = list(_deal(state, fact.taker, fact.leg, fact, how, sign, fact.taker_fee, fact.taker_order))
    if made and took and made[0].position is took[0].position:
        made, took = _with_himself(made[0], took[0])
    yield from (*made, *took)


def _with_himself(made: Deal, took: Deal) -> tuple[list[Deal], list[Deal]]:
    """The maker's side is posted first, and the taker's meets what that left."""
    after = after_trade(made.position, made.sign, made.lots, made.value, made.fee)
    between = Held(after.lots, after.entry_value)
    return [made._replace(then=between)], [took._replace(before=between)]


def _taken_over(state: State, fact: f.TakenOver) -> Iterator[Deal]:
    yield from _deal(state, fact.account, fact.leg, fact, How.CLOSED, _sign(fact.side), fact.fee)


def _netted(state: State, fact: f.LegsNetted) -> Iterator[Deal]:
    for leg, sign in ((Leg.LONG, -1), (Leg.SHORT, 1)):
        yield from _deal(state, fact.account, leg, fact, How.CLOSED, sign, 0)


def _deleveraged(state: State, fact: f.Deleveraged) -> Iterator[Deal]:
    sign = _sign(fact.side)
    yield from _deal(state, fact.account, fact.leg, fact, How.CLOSED, sign, fact.fee)
    yield from _deal(state, fact.against, fact.against_leg, fact, How.DELEVERAGED, -sign, 0)


_DEALS: dict[type, Callable[[State, Any], Iterator[Deal]]] = {
    f.Traded: _traded,
    f.TakenOver: _taken_over,
    f.LegsNetted: _netted,
    f.Deleveraged: _deleveraged,
}
"""Fact -> who deals."""

DEALS = frozenset(_DEALS)
"""The facts by which positions trade."""
