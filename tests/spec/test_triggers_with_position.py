"""Conditional orders that end with their position, whoever closes it; and closing stops that do not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from events import facts as f
from events.facts import Expiry
from events.instruments import Leg, Liquidation
from events.refusals import Reason
from events.rules import Layer
from exchange.core import snapshot
from tests.full_batches import batches_of
from tests.scenario import Scenario, scenario
from tests.spec.contracts import dated, hedge, later, pack_of
from tests.spec.falsifying import noticed, putting, told
from tests.spec.waiting import (
    TAKE_PROFIT,
    amend_waiting,
    amended_waiting,
    reached,
    trailing,
    triggered,
    waiting,
    waits,
)
from tests.spec.words import (
    BUY,
    EASY,
    SELL,
    account,
    all_cancelled,
    cancel,
    cancel_all,
    cancelled,
    expired,
    item_refused,
    mark,
    mark_moved,
    market,
    place,
    position,
    proceed,
    refused,
    rested,
    resting,
    together,
    traded,
)

GONE = Expiry.POSITION_CLOSED


def stop(number: int = 20, **more: Any) -> Any:
    """A stop that sells 3 lots, and ends with the position."""
    return waiting(number, SELL, **({"at": 90, "lots": 3, "reduce_only": True, "with_position": True} | more))


def profit(number: int = 21) -> Any:
    """What takes the profit of the whole position, and ends with it."""
    return waiting(number, SELL, TAKE_PROFIT, at=110, closes=True, with_position=True)


def held(*asked: Any, lots: int = 3) -> Scenario:
    """A long position, the book around it, and these orders."""
    session = scenario().given(position(1, BUY, price=100, lots=lots, by="taker"))
    return session.given(resting(3, SELL, price=120, lots=50), resting(4, BUY, price=80, lots=50), *asked)


class TestTheEnd:
    """It ends in the batch that closes the position."""

    def test_an_order_of_the_account_closes_it(self) -> None:
        session = held(stop(), profit())
        session.when(market(30, SELL, lots=2)).then(traded(4, 30, price=80, lots=2))
        session.when(market(31, SELL, lots=1)).then(
            traded(4, 31, price=80, lots=1), expired(20, 3, GONE), expired(21, 0, GONE)
        )
        told(session.when(mark(90)).then(mark_moved(90)))
        assert session.causes(f.OrderExpired)[:2] == ["OrderExpired", "Traded"]

    def test_one_that_turns_it_to_the_other_side_does_too(self) -> None:
        session = held(stop())
        told(session.when(market(30, SELL, lots=5)).then(traded(4, 30, price=80, lots=5), expired(20, 3, GONE)))

    def test_a_maker_of_the_account_does_too(self) -> None:
        session = held(stop(), place(30, SELL, price=105, lots=3, by="taker"))
        session.when(place(31, BUY, price=105, lots=3, by="maker")).then(
            traded(30, 31, price=105, lots=3), expired(20, 3, GONE)
        )
        told(session)

    def test_of_two_the_one_that_fires_ends_the_other(self) -> None:
        session = held(stop(), profit()).when(mark(110)).then(mark_moved(110), reached())
        session.when(proceed()).then(triggered(21, 3), traded(4, 21, price=80, lots=3), expired(20, 3, GONE))
        told(session.waits())

    def test_one_that_was_reached_does_not_fire_any_more(self) -> None:
        session = held(stop(), trailing(21, SELL, percent=5, lots=3, reduce_only=True, with_position=True), profit(22))
        session.given(mark(105)).when(mark(90)).then(mark_moved(90), reached(2))
        session.when(proceed()).then(
            triggered(21, 3), traded(4, 21, price=80, lots=3), expired(20, 3, GONE), expired(22, 0, GONE)
        )
        told(session.waits())

    def test_nothing_is_left_due_where_the_last_one_that_was_reached_ends(self) -> None:
        session = held(stop()).when(mark(90)).then(mark_moved(90), reached())
        told(session.when(market(30, SELL, lots=3)).then(traded(4, 30, price=80, lots=3), expired(20, 3, GONE)).waits())

    def test_a_trailing_stop_and_one_of_an_amendment(self) -> None:
        session = held(trailing(20, SELL, lots=3, reduce_only=True, with_position=True), stop(21))
        session.when(amend_waiting(21, at=85, lots=2)).then(amended_waiting(21, at=85, lots=2))
        session.when(market(30, SELL, lots=3)).then(
            traded(4, 30, price=80, lots=3), expired(20, 3, GONE), expired(21, 2, GONE)
        )
        told(session)

    def test_the_leg_whose_order_it_is(self) -> None:
        session = scenario().given(
            hedge("taker"), resting(3, SELL, price=100, lots=50), resting(4, BUY, price=80, lots=50)
        )
        session.given(market(10, BUY, lots=3, leg=Leg.LONG), market(11, SELL, lots=2, leg=Leg.SHORT))
        session.given(waiting(20, SELL, at=90, lots=3, leg=Leg.LONG, with_position=True))
        session.given(waiting(21, BUY, at=110, lots=2, leg=Leg.SHORT, with_position=True))
        session.when(market(30, BUY, lots=2, leg=Leg.SHORT)).then(
            traded(3, 30, price=100, lots=2, leg=Leg.SHORT), expired(21, 2, GONE)
        )
        told(session)

    def test_a_new_position_is_none_of_its(self) -> None:
        session = held(stop())
        session.given(market(30, SELL, lots=3), market(31, BUY, lots=3))
        told(session.when(mark(90)).then(mark_moved(90)))

    def test_in_a_batch_it_is_gone_for_the_items_that_follow(self) -> None:
        session = held(profit())
        items = market(30, SELL, lots=3), amend_waiting(21, at=115), market(31, BUY, lots=1), profit(32)
        numbered = [replace(item, request=f"r{n}") for n, item in enumerate(items)]
        session.when(together(*numbered)).then(
            traded(4, 30, price=80, lots=3), item_refused(1, Reason.NOT_AMENDABLE), traded(3, 31, price=120, lots=1),
            waits(32, SELL, TAKE_PROFIT, at=110, closes=True, reduce_only=True, with_position=True),
            expired(21, 0, GONE),
        )  # fmt: skip
        told(session.when(profit(33)).then(refused(Reason.CLOSING_TRIGGER_EXISTS)))

    def test_whoever_takes_it_back_in_the_same_batch_was_first(self) -> None:
        session = held(stop())
        items = replace(market(30, SELL, lots=3), request="a"), replace(cancel(20, by="taker"), request="b")
        told(session.when(together(*items)).then(traded(4, 30, price=80, lots=3), cancelled(20, 3)))


class Looked(dict[Any, Any]):
    """Orders that know how many of them somebody looked at."""

    looked = 0

    def values(self) -> Any:
        """Every order, each counted as it is looked at."""
        for one in super().values():
            self.looked += 1
            yield one


def test_a_trade_that_leaves_a_position_looks_at_one_of_those_that_end_with_it() -> None:
    session = held(*(stop(number) for number in range(20, 25)), lots=9)
    holder = session.state.accounts["taker"].triggers[20].holder  # type: ignore[index]
    holder.bound = bound = Looked(holder.bound or {})
    session.given(market(30, SELL, lots=1))
    assert len(bound) == 5
    assert bound.looked == 1
    session.given(market(31, SELL, lots=8)).waits()
    assert not bound


class TestOtherEnds:
    """It ends like any other that waits."""

    def test_cancelled_with_all_others(self) -> None:
        session = held(stop(), profit())
        session.when(cancel_all("taker")).then(cancelled(20, 3), cancelled(21, 0), all_cancelled("taker"))
        told(session.when(market(30, SELL, lots=3)).then(traded(4, 30, price=80, lots=3)))

    def test_liquidated_with_the_position(self) -> None:
        session = scenario().given(account("ann", 110), position(1, BUY, price=100, lots=10, by="ann"))
        session.given(stop(20, by="ann", at=85), mark(93))
        facts = session.run(proceed())
        assert [fact.why for fact in facts if isinstance(fact, f.OrderExpired)][:1] == [Expiry.LIQUIDATION]
        told(session)

    def test_a_winner_who_is_deleveraged_loses_what_ends_with_his_position(self) -> None:
        rules = replace(EASY, liquidation=Liquidation(last_resort=(Layer.ADL,)))
        session = scenario(rules).given(account("ann", 110), account("ben", 1_000))
        session.given(resting(1, SELL, price=100, lots=10, by="ben"), place(2, BUY, price=100, lots=10, by="ann"))
        session.given(waiting(20, BUY, at=200, lots=10, by="ben", reduce_only=True, with_position=True))
        facts = session.given(mark(70)).run(proceed())
        assert any(isinstance(fact, f.Deleveraged) for fact in facts)
        assert [fact.why for fact in facts if isinstance(fact, f.OrderExpired)] == [GONE]
        told(session)

    def test_settled_with_its_contract(self) -> None:
        terms = dated()
        session = scenario(pack_of(terms)).given(position(1, BUY, price=100, lots=3, by="taker"), stop())
        session.given(later(terms.expiry))
        facts = session.run(proceed())
        assert [fact.why for fact in facts if isinstance(fact, f.OrderExpired)] == [Expiry.SETTLEMENT]
        told(session)


def test_one_that_closes_without_it_outlives_the_position() -> None:
    session = held(waiting(20, SELL, at=90, closes=True)).given(market(30, SELL, lots=3))
    session.when(mark(90), proceed()).then(mark_moved(90), reached(), expired(20, 0, Expiry.NOTHING_TO_REDUCE))
    told(session)


def test_once_it_fired_it_ends_as_reduce_only_orders_do() -> None:
    session = held(stop(price=95)).given(mark(90)).when(proceed()).then(triggered(20, 3), rested(20, 3))
    told(session.when(market(30, SELL, lots=3)).then(traded(4, 30, price=80, lots=3)))


def short() -> Scenario:
    """The position is on the other side."""
    return scenario().given(position(1, SELL, price=100, lots=3, by="taker"))


REFUSED: list[tuple[Reason, Callable[[], Scenario], Any]] = [
    (Reason.CLOSES_WHOLE_POSITION, scenario, stop(lots=3, closes=True)),
    (Reason.WITH_POSITION_ONLY_REDUCES, scenario, stop(reduce_only=False, leg=Leg.SHORT, at=100)),
    (
        Reason.WITH_POSITION_ONLY_REDUCES,
        lambda: scenario().given(hedge("taker")),
        stop(reduce_only=False, leg=Leg.SHORT),
    ),
    (Reason.LEG_UNLIKE_POSITION_MODE, scenario, stop(leg=Leg.LONG, at=100)),
    (Reason.WOULD_TRIGGER_AT_ONCE, scenario, stop(at=100)),
    (Reason.NO_POSITION, scenario, stop()),
    (Reason.NO_POSITION, short, stop()),
    (Reason.NO_POSITION, short, waiting(20, SELL, at=90, closes=True, with_position=True)),
]
"""Each breaks its rule, and those below it in the list that it can."""


@pytest.mark.parametrize(
    ("reason", "situation", "asked"), REFUSED, ids=[f"{row[0].value}-{n}" for n, row in enumerate(REFUSED)]
)
def test_it_is_refused_by_the_first_rule_that_it_breaks(
    reason: Reason, situation: Callable[[], Scenario], asked: Any
) -> None:
    told(situation().when(asked).then(refused(reason)))


class TestAudit:
    """The auditor knows what ends with which position."""

    def test_it_has_to_be_said(self) -> None:
        session = held(stop()).given(market(30, SELL, lots=3))
        noticed(session, "ended with their position", lambda _: None, f.OrderExpired)

    def test_it_is_said_of_no_other(self) -> None:
        early = f.OrderExpired("taker", 20, 3, GONE)  # type: ignore[arg-type]
        noticed(held(stop(), cancel(20, by="taker")), "reason for it to expire", lambda _: early, f.OrderCancelled)

    def test_it_needs_a_position_to_reduce(self) -> None:
        for session in (short(), scenario()):
            asked = session.given(waiting(20, SELL, at=90, reduce_only=True))
            noticed(asked, "has one to reduce", putting(with_position=True))
        noticed(held(waiting(20, SELL, at=90)), "has one to reduce", putting(with_position=True))

    def test_what_was_reached_does_not_fire_after_it(self) -> None:
        session = held(stop(), waiting(22, SELL, at=90), mark(90), market(30, SELL, lots=3))
        fires = f.OrderTriggered("taker", 20, 3)  # type: ignore[arg-type]
        noticed(
            session.given(resting(40, BUY, price=70, lots=1), proceed()), "it waits", lambda _: fires, f.OrderTriggered
        )


def crowd(most: int) -> Scenario:
    """Positions of two accounts that one order closes, with more that ends with them than a batch has room for."""
    session = scenario(replace(EASY, max_triggers=9))
    for name, first in (("ann", 10), ("ben", 50)):
        session.given(account(name, 10_000), position(first, BUY, price=100, lots=1, by=name))
        session.given(*(stop(first + 20 + n, by=name, lots=1) for n in range(most)))
        session.given(resting(first + 30, SELL, price=101, lots=1, by=name))
    return session


class TestFullBatches:
    """As many are said to have expired as the batch has room for; the rest is due work."""

    def test_the_rest_is_said_by_a_proceed(self) -> None:
        session = crowd(3)
        with batches_of(6):
            self.rest(session)

    def rest(self, session: Scenario) -> None:
        """What follows where a batch holds six facts."""
        facts = session.run(place(90, BUY, price=101, lots=2))
        ended = [fact for fact in facts if isinstance(fact, f.OrderExpired)]
        assert 0 < len(ended) < 6
        assert session.state.has_work
        restored = snapshot.decode(snapshot.encode(session.state))
        assert list(restored.orphans.values()) == list(session.state.orphans.values())
        assert snapshot.digest(restored) == snapshot.digest(session.state)
        session.when(cancel(99, by="ann")).then(refused(Reason.UNKNOWN_ORDER))
        assert session.state.has_work
        more = session.run(proceed())
        assert len(ended) + sum(isinstance(fact, f.OrderExpired) for fact in more) == 6
        assert not session.state.has_work
        session.waits()
