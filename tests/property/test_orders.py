"""What an order may do, whatever the others did before it."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from fractions import Fraction
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from events.commands import Command, PlaceOrder, Proceed, RequestId, Side, TimeInForce
from events.facts import Expiry, OrderAccepted, OrderExpired, OrderRested, Traded
from events.record import Batch
from events.refusals import Reason
from events.units import UNIT
from exchange.audit import Order
from exchange.core import snapshot
from exchange.core.state import State
from exchange.core.step import step
from tests.property.sessions import CHUNKS, HOME, Script, instruments, names, scripts
from tests.scenario import scenario
from tests.sim.world import World, lend, refusal
from tests.spec.words import BUY, FOK, SELL, account, expired, place, position, rested, resting, traded

LASTING = (TimeInForce.GTC, TimeInForce.POST_ONLY)
MARGIN = (Reason.INSUFFICIENT_MARGIN, Reason.POSITION_LIMIT_AT_LEVERAGE)


def accepted(script: Script) -> Iterator[tuple[PlaceOrder, Batch, State]]:
    """The orders of a session that were accepted, what followed from them, and the state before."""
    state = lend(State(), CHUNKS)
    for batch in script.decide():
        command = batch.command
        if isinstance(command, PlaceOrder) and any(isinstance(fact, OrderAccepted) for fact in batch.facts):
            yield command, batch, state
        step(state, command)


def fills(command: PlaceOrder, batch: Batch) -> list[Traded]:
    """The trades of the order as a taker."""
    taker = command.account, command.number
    return [fact for fact in batch.facts if isinstance(fact, Traded) and (fact.taker, fact.taker_order) == taker]


def left(command: PlaceOrder, batch: Batch, kind: type[OrderRested] | type[OrderExpired]) -> int:
    """The lots of the order that came to rest, or expired."""
    of = command.account, command.number
    return sum(fact.lots for fact in batch.facts if isinstance(fact, kind) and (fact.account, fact.number) == of)


@settings(max_examples=60)
@given(scripts())
def test_an_order_trades_rests_and_expires_as_its_terms_allow(script: Script) -> None:
    for command, batch, _ in accepted(script):
        assert isinstance(command.lots, int)
        done = sum(fill.lots for fill in fills(command, batch))
        resting, ended = left(command, batch, OrderRested), left(command, batch, OrderExpired)
        assert done + resting + ended == command.lots
        if command.price is None or command.time_in_force not in LASTING:
            assert not resting
        if command.time_in_force is TimeInForce.FOK:
            assert done in (0, command.lots)
        if command.time_in_force is TimeInForce.POST_ONLY:
            assert resting == command.lots


@settings(max_examples=60)
@given(scripts())
def test_an_order_takes_the_best_prices_first_and_none_beyond_its_limit(script: Script) -> None:
    for command, batch, _ in accepted(script):
        sign = 1 if command.side is Side.BUY else -1
        prices = [fill.price * sign for fill in fills(command, batch)]
        assert prices == sorted(prices)
        assert isinstance(command.price, int | None)
        assert all(command.price is None or price <= command.price * sign for price in prices)


@settings(max_examples=60)
@given(scripts())
def test_a_reduce_only_order_never_adds_to_a_position_nor_turns_it(script: Script) -> None:
    for command, batch, before in accepted(script):
        if command.reduce_only:
            held = before.accounts[command.account].positions[command.instrument].lots
            sign = 1 if command.side is Side.BUY else -1
            assert sum(fill.lots for fill in fills(command, batch)) <= max(0, -held * sign)


def order(state: State, account: str, instrument: str, side: Side, lots: int) -> PlaceOrder:
    """A post-only order at a price that nobody meets."""
    number = state.accounts[account].last_number + 1
    price = HOME // 2 if side is Side.BUY else HOME * 2
    return PlaceOrder(
        state.now, account, RequestId("last"), number, instrument, side, lots, price, TimeInForce.POST_ONLY
    )


def answer(data: bytes, command: Command) -> tuple[Reason | None, State]:
    """What a copy of the state says to the command."""
    state = lend(snapshot.decode(data), CHUNKS)
    batch = step(state, command)
    assert isinstance(batch, Batch)
    return refusal(batch), state


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(scripts(), names, instruments, st.sampled_from(Side))
def test_the_largest_order_that_is_accepted_is_the_largest_that_margin_carries(
    script: Script, account: str, instrument: str, side: Side
) -> None:
    """By bisection over the size; the limit is where the auditor's own available balance has its end."""
    world = script.play()
    assume(world.auditor is not None and world.state.pack is not None and world.state.pack.id == "small")
    while world.state.due:
        world.submit(Proceed(world.state.now, 4096))
    data = snapshot.encode(world.state)
    most = world.state.contracts[instrument].terms.max_lots
    assume(answer(data, order(world.state, account, instrument, side, 1))[0] in (None, *MARGIN))
    low, high = 0, most + 1
    while high - low > 1:
        middle = (low + high) // 2
        reason, _ = answer(data, order(world.state, account, instrument, side, middle))
        low, high = (middle, high) if reason is None else (low, middle)
    if low:
        assert world.auditor
        before = world.auditor.available(account, world.state.contracts[instrument].settle)
        assert room(world, order(world.state, account, instrument, side, low)) >= min(0, before)
    reason, _ = answer(data, order(world.state, account, instrument, side, high))
    if reason is Reason.INSUFFICIENT_MARGIN:
        assert room(world, order(world.state, account, instrument, side, high)) < Fraction(1, 1000)
    else:
        assert reason in (Reason.POSITION_LIMIT_AT_LEVERAGE, Reason.SIZE_ABOVE_MAXIMUM)


def room(world: World, command: Any) -> Fraction:
    """Available balance, as the auditor computes it, as if the order rested."""
    auditor = deepcopy(world.auditor)
    p = auditor.positions[command.account][command.instrument]
    sign = 1 if command.side is Side.BUY else -1
    loss = Fraction(sign * (command.price * p.terms.tick - auditor.marks[p.terms.id]) * p.terms.lot, UNIT)
    p.orders[command.number] = Order(command.side, command.lots, command.price, False, max(Fraction(0), loss))
    return auditor.available(command.account, p.terms.settle)


class TestAnAccountThatMeetsItself:
    """Found by simulation (seed 1231): such a trade leaves the position as it is, so the walk through the book went on
    for as many trades as the order had lots.
    """

    LONG = (account("ann", 100_000), *position(1, BUY, price=100, lots=2, by="ann"))

    def test_an_order_that_only_reduces_does_not_trade_with_its_own_account(self) -> None:
        (
            scenario()
            .given(*self.LONG, resting(3, BUY, price=100, lots=9, by="ann"))
            .when(place(4, SELL, price=100, lots=9, by="ann", reduce_only=True))
            .then(expired(4, 9, Expiry.NOTHING_TO_REDUCE))
        )

    def test_nor_does_one_that_rests(self) -> None:
        (
            scenario()
            .given(*self.LONG, resting(3, SELL, price=101, lots=9, by="ann", reduce_only=True))
            .given(resting(4, SELL, price=101, lots=5))
            .when(place(5, BUY, price=101, lots=9, by="ann"))
            .then(expired(3, 9, Expiry.NOTHING_TO_REDUCE), traded(4, 5, price=101, lots=5), rested(5, 4))
        )

    def test_it_trades_up_to_its_own_order(self) -> None:
        (
            scenario()
            .given(*self.LONG, resting(3, BUY, price=100, lots=1), resting(4, BUY, price=99, lots=9, by="ann"))
            .when(place(5, SELL, price=99, lots=2, by="ann", reduce_only=True))
            .then(traded(3, 5, price=100, lots=1), expired(5, 1, Expiry.NOTHING_TO_REDUCE))
        )

    def test_a_fill_or_kill_order_is_killed_where_it_would_meet_its_own_account(self) -> None:
        # Found by simulation (seed 1797): its fills together left the pool whole, its own loss as a maker did not.
        (
            scenario()
            .given(
                account("ann", 100_000),
                resting(1, SELL, price=101, lots=5),
                resting(2, SELL, price=102, lots=5, by="ann"),
            )
            .when(place(3, BUY, price=102, lots=6, by="ann", tif=FOK))
            .then(expired(3, 6, Expiry.FILL_OR_KILL))
            .when(place(4, BUY, price=102, lots=5, by="ann", tif=FOK))
            .then(traded(1, 4, price=101, lots=5))
        )
