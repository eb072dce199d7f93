"""Countdowns: what an account has open in an instrument ends unless it asks again in time."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from events.commands import AdvanceTime, PlaceOrder, SetCountdown
from events.facts import (
    CountdownEnded,
    CountdownSet,
    CountdownsReached,
    Expiry,
    OrderAccepted,
    OrderExpired,
    OrderRested,
)
from events.record import Batch
from events.refusals import Reason
from exchange.audit import AuditError, audit
from tests.scenario import Scenario, scenario
from tests.spec.falsifying import noticed, putting, told
from tests.spec.waiting import waiting
from tests.spec.words import (
    BUY,
    SELL,
    TIN,
    account,
    cancel,
    countdown,
    expired,
    place,
    proceed,
    refused,
    rested,
    resting,
)

BID = resting(1, BUY, price=90, lots=5, by="taker")
OFFER = resting(2, SELL, price=110, lots=3, by="taker")
REACHED = CountdownsReached()


def is_set(until: int, name: str = "taker", on: str = "GOLD") -> CountdownSet:
    return CountdownSet(name, on, until)  # type: ignore[arg-type]


def over(name: str = "taker", on: str = "GOLD") -> CountdownEnded:
    return CountdownEnded(name, on)  # type: ignore[arg-type]


def ended(number: int, lots: int) -> Any:
    """An order whose countdown ran out."""
    return expired(number, lots, Expiry.COUNTDOWN)


def passing(session: Scenario, at: int) -> Scenario:
    """Time goes on to that moment."""
    return session.when(AdvanceTime(at))  # type: ignore[arg-type]


def running(*asked: Any) -> Scenario:
    """The taker has two orders, and a countdown that ends at 100."""
    session = scenario().given(BID, OFFER, *asked)
    now = session.state.now + 1
    return session.when(countdown("taker", 100 - now)).then(is_set(100))


def test_it_runs_out_and_what_is_open_ends_as_due_work() -> None:
    session = passing(running(), 100).then(REACHED).waits(("", ""))
    session.when(proceed()).then(ended(1, 5), ended(2, 3), over()).waits()
    assert session.causes()[:2] == ["CountdownEnded", "CountdownsReached"]
    told(session)


def test_until_then_nothing_ends() -> None:
    passing(running(), 99).then().book("ask 110: 3#2\nbid 90: 5#1")


def test_asked_again_in_time_it_begins_anew() -> None:
    session = running().when(countdown("taker", 200))
    later = session.state.now + 200
    session.then(is_set(later))
    passing(session, later - 1).then()
    passing(session, later).then(REACHED).when(proceed()).then(ended(1, 5), ended(2, 3), over())


def test_zero_stops_it() -> None:
    passing(running().when(countdown("taker", 0)).then(is_set(0)), 1_000).then()


def test_stopping_what_does_not_run_is_no_mistake() -> None:
    scenario().when(countdown("taker", 0)).then(is_set(0))


def test_it_ends_once() -> None:
    session = passing(running(), 100).given(proceed(), resting(3, BUY, price=80, lots=1, by="taker"))
    passing(session, 10_000).then().book("bid 80: 1#3")


def test_orders_that_come_later_end_with_the_others() -> None:
    session = running().given(resting(3, BUY, price=80, lots=1, by="taker"))
    passing(session, 100).when(proceed()).then(ended(1, 5), ended(2, 3), ended(3, 1), over())


def test_conditional_orders_end_too() -> None:
    session = running(waiting(7, SELL, at=80, lots=2))
    passing(session, 100).when(proceed()).then(ended(1, 5), ended(2, 3), ended(7, 2), over())
    told(session)


def test_other_instruments_and_other_accounts_have_countdowns_of_their_own() -> None:
    session = running(resting(5, BUY, price=90, lots=1, by="taker", on=TIN), resting(6, BUY, price=91, lots=4))
    passing(session, 100).when(proceed()).then(ended(1, 5), ended(2, 3), over()).book("bid 91: 4#6")
    session.book("bid 90: 1#5", TIN)


def test_a_countdown_of_nothing_ends_quietly() -> None:
    session = scenario().given(countdown("taker", 10))
    passing(session, 1_000).then(REACHED).when(proceed()).then(over())


class TestTheOwner:
    """Whoever comes back too late finds his orders ended before his command is decided."""

    def test_a_command_at_the_time_comes_too_late(self) -> None:
        session = running()
        session.when(replace(cancel(1), at=100)).then(
            REACHED, ended(1, 5), ended(2, 3), over(), refused(Reason.UNKNOWN_ORDER)
        )
        told(session.waits())

    def test_so_does_one_while_the_work_waits(self) -> None:
        session = passing(running(), 100).when(countdown("taker", 50))
        session.then(ended(1, 5), ended(2, 3), over(), is_set(session.state.now + 50)).waits()
        told(session)

    def test_somebody_elses_does_not_wait_for_it(self) -> None:
        session = passing(running(), 100).when(place(9, SELL, price=120, lots=1, by="maker")).then(rested(9, lots=1))
        session.waits(("", "")).when(proceed()).then(ended(1, 5), ended(2, 3), over())

    def test_a_countdown_in_another_instrument_that_still_runs_stays(self) -> None:
        session = running().given(countdown("taker", 10_000, on=TIN))
        passing(session, 100).when(cancel(1)).then(ended(1, 5), ended(2, 3), over(), refused(Reason.UNKNOWN_ORDER))
        assert list(session.state.accounts["taker"].countdowns) == [TIN]  # type: ignore[index]


class TestMany:
    """Any number of countdowns run out at once: one fact says so, bounded batches do the work."""

    NAMES = tuple(f"t{n}" for n in range(5))

    def crowd(self) -> Scenario:
        """Five traders with two orders each, and countdowns that end at 1,000."""
        session = scenario()
        for n, name in enumerate(self.NAMES):
            orders = [resting(10 * n + k, BUY, price=80 + k, lots=1, by=name) for k in (1, 2)]
            session.given(*account(name, 1_000), *orders)
        for name in self.NAMES:
            session.given(countdown(name, 1_000 - session.state.now - 1))
        return session

    def test_one_fact_says_it_and_each_proceed_does_its_part(self) -> None:
        session = passing(self.crowd(), 1_000).then(REACHED)
        done = []
        while session.state.due:
            session.when(proceed(4))
            done.append(len(session.batches[-1].facts))
        assert (max(done), sum(done)) == (4, 15)
        told(session)

    def test_those_that_run_out_later_are_said_later(self) -> None:
        session = self.crowd().given(countdown("taker", 1_500))
        passing(session, 1_000).then(REACHED).when(proceed(1)).then(ended(1, 1))
        passing(session, 3_000).then(REACHED).waits(("", ""), ("", ""))
        session.given(proceed())
        assert not session.state.has_work
        assert not session.state.countdowns
        told(session)

    def test_the_last_of_an_earlier_time_may_end_by_its_owners_command(self) -> None:
        session = scenario().given(BID, countdown("taker", 10), account("ann", 1_000), countdown("ann", 1_000))
        passing(session, 100).then(REACHED).when(countdown("taker", 0))
        session.then(ended(1, 5), over(), is_set(0)).waits()


REFUSALS: list[tuple[Reason, SetCountdown]] = [
    (Reason.UNKNOWN_ACCOUNT, countdown("nobody", 1)),
    (Reason.UNKNOWN_INSTRUMENT, countdown("taker", -1, on="LEAD")),
    (Reason.COUNTDOWN_NEGATIVE, countdown("taker", -1)),
]


@pytest.mark.parametrize(("reason", "asked"), REFUSALS)
def test_a_countdown_is_refused_by_the_first_rule_that_it_breaks(reason: Reason, asked: SetCountdown) -> None:
    scenario().when(asked).then(refused(reason))


class TestTheAuditor:
    """Countdowns end when they were set to end, and with nothing open."""

    def test_it_notices_another_end_than_the_one_asked_for(self) -> None:
        noticed(running(), "end of the countdown", putting(until=99), CountdownSet)

    def test_it_notices_that_one_ran_out_and_was_not_said(self) -> None:
        session = (
            running()
            .when(replace(BID, number=9, at=100))
            .then(REACHED, ended(1, 5), ended(2, 3), over(), rested(9, lots=5))
        )
        kept = lambda fact: fact if isinstance(fact, PlaceOrder | OrderAccepted | OrderRested) else None  # noqa: E731
        noticed(session, "countdowns that ran out were said", kept)

    def test_it_notices_that_one_is_said_too_early(self) -> None:
        *before, last = passing(running(), 100).batches
        with pytest.raises(AuditError, match="a countdown ran out"):
            audit([*before, Batch(last.number, 99, last.records)])  # type: ignore[arg-type]

    def test_it_notices_orders_that_end_or_stay_for_no_reason(self) -> None:
        session = passing(running(), 100).when(proceed())
        noticed(session, "orders left open", lambda fact: None if fact.number == 2 else fact, OrderExpired)
        noticed(session, "the countdown ran out", putting(instrument=TIN), CountdownEnded)

    def test_it_notices_an_end_whose_countdown_still_runs(self) -> None:
        session = running(resting(5, BUY, price=90, lots=1, by="taker", on=TIN)).given(countdown("taker", 900, on=TIN))
        passing(session, 100).when(proceed())
        noticed(session, "its countdown ran out", lambda fact: replace(fact, number=5, lots=1), OrderExpired)
