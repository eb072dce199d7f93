"""A batch has room for so many facts: what does not fit is said, or done, in the next one."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from events import facts as f
from events.commands import INSURANCE, AdvanceTime, TimeInForce
from events.instruments import Liquidation
from events.refusals import Reason
from events.rules import Layer, LiquidationStyle
from events.units import SECOND, UNIT, Nanos, Rate
from exchange.audit import audit
from exchange.core.snapshot import decode, encode
from exchange.core.step import step
from tests.full_batches import batches_of
from tests.scenario import Scenario, scenario
from tests.spec.contracts import OUNCE, join, price, several_assets
from tests.spec.linking import attached, bracket, pair, profit
from tests.spec.phases import AUCTION, CONTINUOUS, phase
from tests.spec.waiting import waiting
from tests.spec.words import (
    BUY,
    SELL,
    TIN,
    USD,
    account,
    deposit,
    funding,
    liquidation_due,
    mark,
    mark_moved,
    pack,
    place,
    position,
    proceed,
    refused,
    resting,
    set_leverage,
)


@pytest.fixture(autouse=True)
def few_facts() -> Iterator[None]:
    """A batch holds 12 facts."""
    with batches_of(12):
        yield


EIGHT = range(5, 13)
"""Orders that leave a batch of 12 facts no room but for what a step of an auction says."""


STARTED_ANYWAY = 4
"""Facts of the first liquidation of a batch, which is done whatever room there is."""


def crowd(size: int) -> Scenario:
    """So many accounts are long 10 at 100, with 100 each."""
    session = scenario().given(set_leverage("maker", 5))
    for n in range(size):
        name = f"a{n:02d}"
        session.given(account(name, 100), *position(2 * n + 1, BUY, price=100, lots=10, by=name))
    return session


def due(*numbers: int) -> list[f.LiquidationDue]:
    return [liquidation_due(f"a{n:02d}", USD) for n in numbers]


def test_who_does_not_fit_is_named_by_the_next_proceed_by_account() -> None:
    session = crowd(15)
    session.when(mark(94)).then(mark_moved(94), *due(*range(11)))
    session.when(proceed(limit=1))
    assert [fact.account for fact in session.batches[-1].facts if isinstance(fact, f.LiquidationDue)] == [
        "a11", "a12", "a13", "a14",
    ]  # fmt: skip
    while session.state.has_work:
        session.when(proceed())
        assert len(session.batches[-1].facts) <= 12
    assert all(session.state.accounts[f"a{n:02d}"].wallets[USD].balance == 0 for n in range(15))  # type: ignore[index]
    audit(session.batches)


@pytest.mark.parametrize(("room", "most"), [(7, 7), (13, 12), (1, 3), (-1, 3)])
def test_a_proceed_says_how_much_room_its_batch_has(room: int, most: int) -> None:
    session = crowd(15).given(mark(94))
    sizes = []
    while session.state.has_work:
        session.when(proceed(room=room))
        sizes.append(len(session.batches[-1].facts))
    assert max(sizes) <= max(most, STARTED_ANYWAY)
    assert all(session.state.accounts[f"a{n:02d}"].wallets[USD].balance == 0 for n in range(15))  # type: ignore[index]
    again = decode(encode(crowd(15).given(mark(94)).state))
    for batch in session.batches[-len(sizes) :]:
        assert step(again, batch.command) == batch
    audit(session.batches)


def test_an_account_that_was_left_is_named_before_its_own_command() -> None:
    session = crowd(14).given(mark(94))
    session.when(place(99, BUY, price=50, lots=1, by="a13")).then(
        *due(13), refused(Reason.LIQUIDATION_IN_PROGRESS), *due(11, 12)
    )
    audit(session.batches)


def test_whoever_recovers_before_being_named_is_left_alone() -> None:
    session = crowd(14).given(mark(94), mark(100))
    session.when(deposit("a13", 1))
    assert session.state.accounts["a13"].wallets[USD].due is None  # type: ignore[index]
    while session.state.has_work:
        session.when(proceed())
    session.holds("a11", lots=10).holds("a13", lots=10)
    audit(session.batches)


def test_a_deleveraging_that_fills_the_batch_goes_on_in_the_next_one() -> None:
    session = scenario(replace(pack(), liquidation=Liquidation(last_resort=(Layer.ADL,)))).given(account("ann", 300))
    for n in range(15):
        name = f"b{n:02d}"
        session.given(account(name, 1_000), *position(2 * n + 1, BUY, price=100, lots=2, by="ann", against=name))
    session.given(mark(89))
    ends = []
    while session.state.has_work:
        session.when(proceed())
        facts = session.batches[-1].facts
        assert len(facts) <= 12
        ends += [fact.outcome for fact in facts if isinstance(fact, f.LiquidationEnded)]
    assert ends == [f.LiquidationOutcome.REDUCED, f.LiquidationOutcome.CLOSED]
    session.holds("ann", lots=0)
    audit(session.batches)


def test_the_fee_for_what_the_book_took_is_charged_also_where_a_full_batch_ends_the_liquidation() -> None:
    rules = replace(pack(liquidation_fee=UNIT // 100), liquidation=Liquidation(last_resort=(Layer.ADL,)))
    session = scenario(rules).given(account("ann", 400))
    for n in range(15):
        winner = f"b{n:02d}"
        session.given(account(winner, 1000), *position(2 * n + 1, BUY, price=100, lots=2, by="ann", against=winner))
    session.given(account("cy", 1000), *position(91, BUY, price=100, lots=10, by="ann", against="cy", on=TIN))
    session.given(resting(97, BUY, price=99, lots=10, on=TIN), resting(98, BUY, price=95, lots=5), mark(91))
    charged, taken = [], []
    while session.state.has_work:
        session.when(proceed())
        facts = session.batches[-1].facts
        charged.append(sum(fact.amount for fact in facts if isinstance(fact, f.LiquidationFeeCharged)))
        taken.append(sum(fact.value for fact in facts if isinstance(fact, f.Traded)))
    assert charged == [-(-value // 100) for value in taken]
    assert len(charged) == 2
    assert all(charged)
    audit(session.batches)


def test_a_step_of_an_auction_that_is_cured_before_it_is_named_again_is_forgotten() -> None:
    auction = Liquidation(
        LiquidationStyle.AUCTION, last_resort=(Layer.FUND,), auction_start=Rate(UNIT // 100),
        auction_rise=Rate(UNIT // 100), auction_steps=3, auction_interval=Nanos(10 * SECOND),
    )  # fmt: skip
    session = scenario(replace(pack(), liquidation=auction)).given(deposit(INSURANCE, 10_000), account("ann", 1_000))
    session.given(*position(1, BUY, price=100, lots=100, by="ann"), *(resting(n, BUY, price=94, lots=1) for n in EIGHT))
    session.given(mark(94)).when(proceed())
    ann = session.state.accounts["ann"].wallets[USD]  # type: ignore[index]
    assert ann.auction is not None
    session.waits()
    again = decode(encode(session.state))
    assert [pool.id for pool in again.stepped] == [ann.id]
    session.when(mark(100)).then(mark_moved(100))
    assert ann.auction is None
    session.when(mark(94)).then(mark_moved(94), liquidation_due("ann", USD))
    facts = session.run(proceed(limit=1))
    assert [fact.step for fact in facts if isinstance(fact, f.AuctionStepped)] == [0]
    audit(session.batches)


def test_debts_that_a_full_batch_has_no_room_for_are_named_by_the_next_one() -> None:
    session = scenario(several_assets()).given(price(2))
    names = [f"a{n}" for n in range(9)]
    for n, name in enumerate(names):
        session.given(account(name, 0), deposit(name, 500, asset=OUNCE), join(name))
        session.given(*position(2 * n + 1, BUY, price=100, lots=2, by=name))
    session.given(funding(UNIT // 5)).when(proceed())
    named = [fact.account for fact in session.batches[-1].facts if isinstance(fact, f.ExchangeDue)]
    assert named == names[: len(named)]
    assert len(named) < len(names)
    later = []
    while session.state.has_work:
        session.when(proceed())
        later += [fact.account for fact in session.batches[-1].facts if isinstance(fact, f.ExchangeDue)]
    assert [*named, *later] == names
    audit(session.batches)


TILL = Nanos(601 * SECOND)


def pairs(size: int) -> Scenario:
    """So many pairs of which a limit order lives until TILL, and ends the other one then."""
    session = scenario()
    for n in range(size):
        limit = place(2 * n + 1, SELL, price=150, lots=1, tif=TimeInForce.GTD, good_till=TILL)
        session.given(pair(limit, waiting(2 * n + 2, SELL, at=50)))
    return session


@pytest.mark.parametrize("at_once", [4, 5])
def test_orders_past_their_time_count_with_those_that_they_end(at_once: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exchange.core.step.AT_ONCE", at_once)
    monkeypatch.setattr("exchange.audit.auditor.LAPSES_AT_ONCE", at_once)
    session = pairs(10).when(AdvanceTime(TILL))
    assert len(session.batches[-1].facts) <= at_once + 3
    while session.state.has_work:
        session.when(replace(proceed(), at=TILL))
        assert len(session.batches[-1].facts) <= 12
    assert not session.state.accounts["taker"].triggers  # type: ignore[index]
    audit(session.batches)


def test_trades_of_an_auction_count_with_what_they_arm() -> None:
    session = scenario().given(phase(AUCTION))
    for n in range(1, 20, 3):
        guards = profit(n + 1, SELL, at=150), attached(n + 2, SELL, at=50)
        session.given(bracket(place(n, BUY, price=100, lots=1), *guards))
        session.given(resting(n + 1, SELL, price=100, lots=1))
    session.given(phase(CONTINUOUS))
    while session.state.has_work:
        session.when(proceed())
        assert len(session.batches[-1].facts) <= 12
    assert sum(trigger.placed.lots for trigger in session.state.accounts["taker"].triggers.values()) == 14  # type: ignore[index]
    audit(session.batches)


def test_guards_that_find_no_room_are_armed_by_the_next_proceed() -> None:
    session = scenario()
    for n in range(1, 25, 3):
        guards = profit(n + 1, SELL, at=150), attached(n + 2, SELL, at=50)
        session.given(bracket(place(n, BUY, price=100, lots=1), *guards))
    session.when(place(30, SELL, price=100, lots=8, by="maker"))
    assert sum(isinstance(fact, f.TriggerArmed) for fact in session.batches[-1].facts) < 16
    assert session.state.pending
    while session.state.has_work:
        session.when(proceed())
    assert not session.state.pending
    assert sum(trigger.placed.lots for trigger in session.state.accounts["taker"].triggers.values()) == 16  # type: ignore[index]
    audit(session.batches)
