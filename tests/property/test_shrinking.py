"""Reduce-only orders that shrink, whatever is asked: never more rests than the position has, once no work is due."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from events import commands as c
from events.commands import Proceed
from events.facts import Expiry, OrderExpired, OrderShrunk
from exchange.core.state import Position, State
from tests.full_batches import USUAL
from tests.sim.world import Happening, World
from tests.spec.test_shrinking import long
from tests.spec.words import BUY, GOLD, SELL

Asked = tuple[str, int, int, bool]
"""What is asked, with which price or order, for how many lots, and on which side (whether it sells)."""

KINDS = ("reduce", "reduce", "reduce", "trade", "trade", "amend", "cancel", "proceed", "crash", "restore", "save")
ASKED = st.tuples(st.sampled_from(KINDS), st.integers(0, 9), st.integers(1, 12), st.booleans())


def moves(session: World, asked: Asked) -> list[Any]:
    """The commands, or happenings, that this stands for now."""
    kind, where, lots, sells = asked
    state, request = session.state, f"request {len(session.moves)}"
    number = 1 + max(account.last_number for account in state.accounts.values())
    side, own = (SELL, 1) if sells else (BUY, -1)
    if kind in ("crash", "restore", "save"):
        return [Happening(kind)]
    if kind == "proceed":
        return [Proceed(state.now, 4096)] if state.has_work else []
    if kind == "reduce":
        price = 100 + own * (1 + where)
        return [c.PlaceOrder(state.now, "taker", request, number, GOLD, side, lots, price, reduce_only=True)]  # type: ignore[arg-type]
    if kind == "trade":
        other = BUY if sells else SELL
        against = c.PlaceOrder(state.now, "maker", f"{request} maker", number, GOLD, other, lots, 100)  # type: ignore[arg-type]
        taking = c.TimeInForce.IOC
        return [against, c.PlaceOrder(state.now, "taker", request, number + 1, GOLD, side, lots, 100, taking)]  # type: ignore[arg-type]
    numbers = sorted(state.accounts["taker"].orders)  # type: ignore[index]
    chosen = numbers[where % len(numbers)] if numbers else c.OrderNumber(999)
    if kind == "cancel":
        return [c.CancelOrder(state.now, "taker", request, chosen)]  # type: ignore[arg-type]
    return [c.AmendOrder(state.now, "taker", request, chosen, None, lots)]  # type: ignore[arg-type]


def beyond(state: State, position: Position) -> int:
    """How many lots too many reduce-only orders would close, on the side where there are more."""
    orders = [o for o in state.accounts["taker"].orders.values() if o.rests and o.reduce_only]  # type: ignore[index]
    lots = {sign: sum(o.lots for o in orders if o.sign == sign) for sign in (1, -1)}
    return max(lots[sign] - max(0, -sign * position.lots) for sign in lots)


@settings(max_examples=60, deadline=None)
@given(st.lists(ASKED, min_size=5, max_size=40), st.sampled_from((3, 4, 6, USUAL)))
def test_no_more_rests_than_there_is_to_close(asked: list[Asked], batch_facts: int) -> None:
    session = World(batch_facts=batch_facts)
    session.given(*(batch.command for batch in long().batches))
    for one in asked:
        for move in moves(session, one):
            session.play(move)
            assert session.state.has_work or beyond(session.state, session.state.accounts["taker"].positions[GOLD]) <= 0  # type: ignore[index]
    while session.state.has_work:
        session.play(Proceed(session.state.now, 4096))
    assert not session.state.exceeding
    session.finish()


def test_such_sessions_shrink_orders_and_let_them_go() -> None:
    session = World(batch_facts=4)
    session.given(*(batch.command for batch in long().batches))
    rungs: list[Asked] = [("reduce", where, 4, True) for where in range(4)]
    for one in (*rungs, ("trade", 0, 9, True), ("proceed", 0, 1, True), ("trade", 0, 5, True)):
        session.given(*moves(session, one))
    facts = [fact for batch in session.batches for fact in batch.facts]
    assert any(isinstance(fact, OrderShrunk) for fact in facts)
    assert Expiry.EXCEEDS_POSITION in {fact.why for fact in facts if isinstance(fact, OrderExpired)}
