"""Linked orders: of two one ends the other, and what is attached to an entry guards what that traded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from msgspec.structs import replace

from events.commands import AdvanceTime, SetPositionMode, TimeInForce
from events.facts import Expiry, OrderExpired
from events.instructions import PriceMatch, SelfTrade
from events.instruments import Leg
from events.refusals import Reason
from events.units import Nanos
from exchange.audit import audit
from tests.scenario import Scenario, scenario
from tests.spec.linking import FULL_FILL, armed, attached, bracket, pair, profit, sleeps, unlinked
from tests.spec.phases import AUCTION, CONTINUOUS, phase, phase_set
from tests.spec.waiting import (
    LAST,
    TAKE_PROFIT,
    reached,
    refused_when_triggered,
    trailing,
    triggered,
    waiting,
    waits,
)
from tests.spec.words import (
    BUY,
    FOK,
    IOC,
    NOW,
    PERCENT,
    SELL,
    account,
    amend,
    amended,
    cancel,
    cancel_all,
    cancelled,
    countdown,
    expired,
    mark,
    mark_moved,
    pack,
    place,
    proceed,
    refused,
    rested,
    resting,
    together,
    traded,
)


@pytest.fixture(autouse=True)
def _audited(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The auditor has nothing to say against any session that is told here."""
    sessions: list[Scenario] = []
    monkeypatch.setattr(Scenario, "__init__", lambda told, *how: sessions.append(told) or INIT(told, *how))
    yield
    for session in sessions:
        audit(session.batches)


INIT = Scenario.__init__

BOOK = (resting(1, SELL, price=120, lots=50), resting(2, BUY, price=80, lots=50))
"""Orders far off the mark of 100, for those that fire to meet."""

OCO = pair(place(10, SELL, lots=4, price=110), waiting(11, SELL, at=90, lots=4))
"""Sell 4 at 110, or at the market once the mark is at 90."""

BOTH = (profit(11, SELL, at=110), attached(12, SELL, at=90))
"""A take-profit at 110 and a stop at 90 for what is bought."""


def ended(number: int, lots: int, why: Expiry) -> OrderExpired:
    """What was open of it ended, and why."""
    return OrderExpired("", number, lots, why)  # type: ignore[arg-type]


def bought(number: int, lots: int, price: int = 120) -> list[Any]:
    """The taker takes so many lots of the offers at 120."""
    return [place(number, BUY, lots=lots, price=price)]


class TestTwoOfWhichOneEndsTheOther:
    """OCO."""

    def test_one_rests_and_the_other_waits(self) -> None:
        told = scenario().when(OCO).then(waits(11, SELL, at=90, lots=4, linked=10), rested(10, 4))
        told.book("ask 110: 4#10")
        told.holds("taker", open_orders=1, open_triggers=1)

    def test_the_first_fill_of_the_limit_order_ends_the_stop_and_the_rest_of_it_stays(self) -> None:
        told = scenario().given(OCO).when(place(20, BUY, lots=1, price=110, by="maker"))
        told.then(traded(10, 20, price=110, lots=1), unlinked(11, 4))
        told.given(cancel(10))

    def test_the_stop_that_fires_ends_the_limit_order_first(self) -> None:
        told = scenario().given(*BOOK, OCO).when(mark(90), proceed())
        told.then(mark_moved(90), reached(), unlinked(10, 4), triggered(11, 4), traded(2, 11, price=80, lots=4))

    def test_the_limit_order_may_trade_at_once(self) -> None:
        told = scenario().given(*BOOK).when(pair(place(10, SELL, lots=4, price=80), waiting(11, SELL, at=90, lots=4)))
        told.then(waits(11, SELL, at=90, lots=4, linked=10), traded(2, 10, price=80, lots=4), unlinked(11, 4))

    def test_both_may_be_conditional(self) -> None:
        told = (
            scenario()
            .given(*BOOK)
            .when(pair(waiting(10, BUY, TAKE_PROFIT, at=90, lots=2, price=90), waiting(11, BUY, at=110, lots=2)))
        )
        told.then(
            waits(10, BUY, TAKE_PROFIT, at=90, lots=2, price=90, linked=11), waits(11, BUY, at=110, lots=2, linked=10)
        )
        told.when(mark(90), proceed()).then(mark_moved(90), reached(), unlinked(11, 2), triggered(10, 2), rested(10, 2))

    def test_both_may_close_the_whole_position(self) -> None:
        told = scenario().given(*BOOK, *bought(5, 3))
        told.given(pair(waiting(10, SELL, TAKE_PROFIT, at=130, closes=True), waiting(11, SELL, at=90, closes=True)))
        told.when(mark(90), proceed()).then(
            mark_moved(90), reached(), unlinked(10, 0), triggered(11, 3), traded(2, 11, price=80, lots=3)
        )

    def test_a_trailing_stop_is_a_stop(self) -> None:
        told = scenario().given(*BOOK, pair(place(10, SELL, lots=1, price=110), trailing(11, SELL)))
        told.when(mark(98), proceed()).then(
            mark_moved(98), reached(), unlinked(10, 1), triggered(11), traded(2, 11, price=80, lots=1)
        )

    @pytest.mark.parametrize(("number", "lots", "other"), [(10, 4, 11), (11, 4, 10)])
    def test_a_cancel_of_one_ends_the_other(self, number: int, lots: int, other: int) -> None:
        scenario().given(OCO).when(cancel(number)).then(cancelled(number, lots), unlinked(other, lots))

    def test_a_cancel_of_all_cancels_both(self) -> None:
        told = scenario().given(OCO).when(cancel_all("taker"))
        assert [fact for fact in told._facts if isinstance(fact, OrderExpired)] == []
        told.holds("taker", open_orders=0, open_triggers=0)

    def test_a_countdown_ends_both(self) -> None:
        told = scenario().given(OCO, countdown("taker", 5)).when(AdvanceTime(Nanos(20)), proceed())
        assert [fact.why for fact in told._facts if isinstance(fact, OrderExpired)] == [Expiry.COUNTDOWN] * 2

    def test_the_time_of_one_is_the_end_of_both(self) -> None:
        limit = place(10, SELL, lots=4, price=110, tif=TimeInForce.GTD, good_till=Nanos(600 * 10**9 + 50))
        told = scenario().given(pair(limit, waiting(11, SELL, at=90, lots=4)))
        told.when(AdvanceTime(Nanos(600 * 10**9 + 50))).then(ended(10, 4, Expiry.GOOD_TILL), unlinked(11, 4))

    def test_self_trade_prevention_of_one_is_the_end_of_both(self) -> None:
        told = scenario().given(OCO)
        told.when(place(20, BUY, lots=1, price=110, tif=IOC, self_trade=SelfTrade.EXPIRE_MAKER))
        told.then(ended(10, 4, Expiry.SELF_TRADE), expired(20, 1), unlinked(11, 4))

    def test_the_price_of_the_limit_order_may_be_amended_its_size_may_not(self) -> None:
        told = scenario().given(OCO)
        told.when(amend(10, lots=3)).then(refused(Reason.SIZE_IS_LINKED))
        told.when(amend(10, price=111)).then(amended(10, price=111, lots=4), rested(10, 4))
        told.when(cancel(10)).then(cancelled(10, 4), unlinked(11, 4))

    def test_the_conditional_one_is_not_amended(self) -> None:
        told = scenario().given(OCO)
        told.when(replace(amend(11), trigger=95)).then(refused(Reason.NOT_AMENDABLE))

    def test_one_that_ends_with_its_position_ends_the_other_too(self) -> None:
        told = scenario().given(*BOOK, *bought(5, 3))
        bound = {"reduce_only": True, "with_position": True}
        told.given(pair(waiting(10, SELL, TAKE_PROFIT, at=130, lots=3, **bound), waiting(11, SELL, at=90, lots=3)))
        told.when(place(20, SELL, lots=3, price=80)).then(
            traded(2, 20, price=80, lots=3), ended(10, 3, Expiry.POSITION_CLOSED), unlinked(11, 3)
        )

    def test_who_is_to_end_trades_no_more_in_the_same_batch(self) -> None:
        told = scenario().given(OCO)
        told.when(together(cancel(11), place(20, BUY, lots=1, price=110, tif=IOC)))
        told.then(cancelled(11, 4), unlinked(10, 4), expired(20, 1))

    def test_one_that_traded_ends_the_other_though_its_price_came_in_the_same_batch(self) -> None:
        low = waiting(11, SELL, at=108, lots=1, source=LAST)
        told = scenario().given(resting(1, SELL, price=109, lots=1), place(2, BUY, lots=1, price=109, by="taker"))
        told.given(pair(place(10, SELL, lots=1, price=110), low), resting(3, BUY, price=105, lots=9))
        told.when(
            together(
                place(20, BUY, lots=1, price=110, by="maker"),
                place(21, SELL, lots=1, price=105, by="maker"),
                by="maker",
            )
        )
        told.then(traded(10, 20, price=110, lots=1), unlinked(11, 1), traded(3, 21, price=105, lots=1))

    def test_of_two_whose_prices_came_together_the_first_to_fire_ends_the_other(self) -> None:
        told = scenario().given(resting(1, SELL, price=110, lots=2), place(2, BUY, lots=1, price=110))
        told.given(resting(3, BUY, price=80, lots=9))
        told.given(pair(waiting(10, SELL, TAKE_PROFIT, at=112, lots=1), waiting(11, SELL, at=105, lots=1, source=LAST)))
        told.given(place(20, SELL, lots=1, price=80), mark(112))
        told.when(proceed()).then(unlinked(10, 1), triggered(11, 1), traded(3, 11, price=80, lots=1))

    def test_one_that_expires_when_it_would_fire_ends_the_other_too(self) -> None:
        told = scenario(pack(trigger_protect=5 * PERCENT)).given(*bought_at(100), OCO_PROTECTED)
        told.when(mark(90), proceed()).then(
            mark_moved(90), reached(), ended(11, 4, Expiry.PRICE_PROTECTION), unlinked(10, 4)
        )

    def test_one_that_is_refused_when_it_fires_has_ended_the_other(self) -> None:
        told = scenario().given(*BOOK, account("ann", 100))
        two = by("ann", waiting(10, BUY, TAKE_PROFIT, at=90, lots=50), waiting(11, BUY, at=110, lots=50))
        told.given(pair(*two, by="ann"))
        told.when(mark(110), proceed()).then(
            mark_moved(110), reached(), unlinked(10, 50), triggered(11, 50),
            refused_when_triggered(11, Reason.INSUFFICIENT_MARGIN, 50),
        )  # fmt: skip

    def test_who_is_not_linked_fires_alone(self) -> None:
        told = scenario().given(*BOOK, OCO, waiting(30, SELL, at=95)).when(mark(95), proceed())
        told.then(mark_moved(95), reached(), triggered(30), traded(2, 30, price=80, lots=1))

    def test_nobody_gets_out_of_an_auction_by_the_other_one(self) -> None:
        told = scenario().given(OCO)
        told.given(phase(AUCTION), place(20, BUY, lots=9, price=111, by="maker"), phase(CONTINUOUS))
        told.when(cancel(11)).then(refused(Reason.AUCTION_UNCROSSES))
        told.when(proceed())
        told.then(traded(10, 20, price=110, lots=4, side=BUY), phase_set(CONTINUOUS), unlinked(11, 4))


OCO_PROTECTED = pair(place(10, SELL, lots=4, price=110), waiting(11, SELL, at=90, lots=4, protects=True))


def bought_at(price: int) -> list[Any]:
    """A trade at a price, which makes it the last one."""
    return [resting(5, SELL, price=price, lots=1), place(6, BUY, price=price, lots=1)]


class TestWhatIsAttachedToAnEntry:
    """Brackets."""

    def test_it_sleeps_until_the_entry_trades_and_grows_with_its_fills(self) -> None:
        told = (
            scenario()
            .when(bracket(place(10, BUY, lots=5, price=99), *BOTH))
            .then(
                sleeps(11, SELL, TAKE_PROFIT, at=110, entry=10, linked=12),
                sleeps(12, SELL, at=90, entry=10, linked=11),
                rested(10, 5),
            )
        )
        told.holds("taker", open_orders=1, open_triggers=2)
        told.given(mark(90), mark(110), mark(100)).waits()
        told.when(place(20, SELL, lots=2, price=99, by="maker"))
        told.then(traded(10, 20, price=99, lots=2), armed(11, 2), armed(12, 2))
        told.when(place(21, SELL, lots=3, price=99, by="maker"))
        told.then(traded(10, 21, price=99, lots=3), armed(11, 5), armed(12, 5))
        told.given(resting(30, BUY, price=80, lots=50)).when(mark(90), proceed())
        told.then(mark_moved(90), reached(), unlinked(11, 5), triggered(12, 5), traded(30, 12, price=80, lots=5))
        told.holds("taker", open_triggers=0)

    def test_an_entry_that_takes_arms_it_in_the_same_batch_once(self) -> None:
        asks = resting(1, SELL, price=100, lots=2), resting(2, SELL, price=101, lots=2)
        told = scenario().given(*asks).when(bracket(place(10, BUY, lots=4), *BOTH)).then(
            sleeps(11, SELL, TAKE_PROFIT, at=110, entry=10, linked=12),
            sleeps(12, SELL, at=90, entry=10, linked=11),
            traded(1, 10, price=100, lots=2), traded(2, 10, price=101, lots=2),
            armed(11, 4), armed(12, 4),
        )  # fmt: skip
        told.when(cancel(11)).then(cancelled(11, 4), unlinked(12, 4))

    def test_what_fires_ends_what_is_left_of_the_entry_too(self) -> None:
        told = scenario().given(resting(2, BUY, price=80, lots=50), bracket(place(10, BUY, lots=5, price=99), *BOTH))
        told.given(place(20, SELL, lots=2, price=99, by="maker")).when(mark(90), proceed())
        told.then(
            mark_moved(90), reached(), unlinked(10, 3), unlinked(11, 2), triggered(12, 2),
            traded(2, 12, price=80, lots=2),
        )  # fmt: skip

    def test_one_whose_price_has_come_when_it_is_armed_fires_at_once(self) -> None:
        told = scenario().given(resting(2, BUY, price=80, lots=50), bracket(place(10, BUY, lots=5, price=99), *BOTH))
        told.given(mark(89)).when(place(20, SELL, lots=5, price=99, by="maker"), proceed())
        told.then(
            traded(10, 20, price=99, lots=5), armed(11, 5), armed(12, 5), reached(),
            unlinked(11, 5), triggered(12, 5), traded(2, 12, price=80, lots=5),
        )  # fmt: skip

    def test_a_stop_that_trails_begins_to_follow_its_price_when_it_is_armed(self) -> None:
        stop = trailing(11, SELL, percent=5, lots=0)
        told = scenario().given(resting(2, BUY, price=80, lots=50), bracket(place(10, BUY, lots=5, price=99), stop))
        told.given(mark(200), mark(100), place(20, SELL, lots=5, price=99, by="maker"), mark(110), mark(105)).waits()
        told.when(mark(104), proceed()).then(
            mark_moved(104), reached(), triggered(11, 5), traded(2, 11, price=80, lots=5)
        )

    def test_a_fill_while_it_waits_to_fire_lets_it_fire_for_more(self) -> None:
        told = scenario().given(resting(2, BUY, price=80, lots=50), bracket(place(10, BUY, lots=5, price=99), BOTH[1]))
        told.given(
            place(20, SELL, lots=2, price=99, by="maker"), mark(90), place(21, SELL, lots=1, price=99, by="maker")
        )
        told.when(proceed()).then(unlinked(10, 2), triggered(12, 3), traded(2, 12, price=80, lots=3))

    def test_without_a_fill_the_end_of_the_entry_is_its_end(self) -> None:
        told = scenario().given(bracket(place(10, BUY, lots=5, price=99), *BOTH))
        told.when(cancel(10)).then(cancelled(10, 5), unlinked(11, 0), unlinked(12, 0))
        told.when(bracket(place(20, BUY, lots=5, price=99, tif=FOK), attached(21, SELL, at=90))).then(
            sleeps(21, SELL, at=90, entry=20), ended(20, 5, Expiry.FILL_OR_KILL), unlinked(21, 0)
        )

    def test_after_a_fill_it_outlives_the_entry(self) -> None:
        told = scenario().given(bracket(place(10, BUY, lots=5, price=99), *BOTH))
        told.given(place(20, SELL, lots=2, price=99, by="maker")).when(cancel(10)).then(cancelled(10, 3))
        told.holds("taker", open_triggers=2)
        told.when(cancel(12)).then(cancelled(12, 2), unlinked(11, 2))

    def test_alone_it_outlives_the_entry_too(self) -> None:
        told = scenario().given(bracket(place(10, BUY, lots=5, price=99), BOTH[0]))
        told.given(place(20, SELL, lots=2, price=99, by="maker")).when(cancel(10)).then(cancelled(10, 3))
        told.when(cancel(11)).then(cancelled(11, 2))

    def test_its_cancel_is_the_end_of_all_of_them(self) -> None:
        told = scenario().given(bracket(place(10, BUY, lots=5, price=99), *BOTH))
        told.when(cancel(12)).then(cancelled(12, 0), unlinked(10, 5), unlinked(11, 0))

    def test_it_only_reduces_what_is_left_of_the_position(self) -> None:
        told = scenario().given(resting(2, BUY, price=80, lots=50), bracket(place(10, BUY, lots=5, price=99), *BOTH))
        told.given(place(20, SELL, lots=5, price=99, by="maker"), place(30, SELL, lots=3, price=80))
        told.when(mark(90), proceed()).then(
            mark_moved(90), reached(), unlinked(11, 5), triggered(12, 5),
            traded(2, 12, price=80, lots=2), ended(12, 3, Expiry.NOTHING_TO_REDUCE),
        )  # fmt: skip

    def test_where_the_position_is_gone_it_is_refused_when_it_fires(self) -> None:
        told = scenario().given(resting(2, BUY, price=80, lots=50), bracket(place(10, BUY, lots=5, price=99), *BOTH))
        told.given(place(20, SELL, lots=5, price=99, by="maker"), place(30, SELL, lots=5, price=80))
        told.when(mark(90), proceed()).then(
            mark_moved(90), reached(), unlinked(11, 5), triggered(12, 5),
            refused_when_triggered(12, Reason.REDUCE_ONLY_WOULD_INCREASE, 5),
        )  # fmt: skip

    def test_the_entry_may_be_amended_and_arms_by_what_it_trades(self) -> None:
        told = scenario().given(bracket(place(10, BUY, lots=5, price=99), *BOTH, arms=FULL_FILL))
        told.given(place(20, SELL, lots=2, price=99, by="maker"))
        told.when(amend(10, lots=3)).then(amended(10, price=99, lots=3, left=1, keeps=True))
        told.when(place(21, SELL, lots=1, price=99, by="maker"))
        told.then(traded(10, 21, price=99, lots=1), armed(11, 3), armed(12, 3))

    def test_armed_by_the_full_fill_it_ends_with_an_entry_that_is_cancelled_before(self) -> None:
        told = scenario().given(bracket(place(10, BUY, lots=5, price=99), *BOTH, arms=FULL_FILL))
        told.when(place(20, SELL, lots=2, price=99, by="maker")).then(traded(10, 20, price=99, lots=2))
        told.when(cancel(10)).then(cancelled(10, 3), unlinked(11, 0), unlinked(12, 0))

    def test_armed_by_the_full_fill_it_waits_for_all_of_it(self) -> None:
        told = scenario().given(bracket(place(10, BUY, lots=5, price=99), *BOTH, arms=FULL_FILL))
        told.given(place(20, SELL, lots=2, price=99, by="maker"))
        told.when(place(21, SELL, lots=3, price=99, by="maker"))
        told.then(traded(10, 21, price=99, lots=3), armed(11, 5), armed(12, 5))

    def test_the_entry_may_take_its_price_from_the_book(self) -> None:
        told = (
            scenario()
            .given(*BOOK)
            .when(bracket(place(10, BUY, lots=5, price_match=PriceMatch.QUEUE), attached(11, SELL, at=90)))
        )
        told.then(sleeps(11, SELL, at=90, entry=10), rested(10, 5)).book("ask 120: 50#1\nbid 80: 50#2 5#10")

    def test_in_an_auction_it_is_armed_when_that_trades(self) -> None:
        told = scenario().given(phase(AUCTION), bracket(place(10, BUY, lots=5, price=101), *BOTH))
        told.given(place(20, SELL, lots=2, price=101, by="maker"), phase(CONTINUOUS)).when(proceed())
        told.then(traded(20, 10, price=101, lots=2), phase_set(CONTINUOUS), armed(11, 2), armed(12, 2))

    def test_in_hedge_mode_it_guards_the_leg_of_its_entry(self) -> None:
        told = scenario().given(SetPositionMode(NOW, "taker", "", True), resting(1, SELL, price=100, lots=5))  # type: ignore[arg-type]
        told.given(bracket(place(10, BUY, lots=5, price=100, leg=LONG), attached(11, SELL, at=90, leg=LONG)))
        told.given(resting(2, BUY, price=80, lots=9)).when(mark(90), proceed()).then(
            mark_moved(90), reached(), triggered(11, 5), traded(2, 11, price=80, lots=5, leg=LONG)
        )

    def test_a_liquidation_of_the_pool_ends_all_of_them(self) -> None:
        told = scenario().given(BOOK[1], account("ann", 60), resting(3, SELL, price=100, lots=4))
        told.given(bracket(place(10, BUY, lots=5, price=100, by="ann"), *by("ann", *BOTH), by="ann"))
        told.given(mark(88)).when(proceed())
        whys = [(fact.number, fact.why) for fact in told._facts if isinstance(fact, OrderExpired)]
        assert whys[:3] == [(10, Expiry.LIQUIDATION), (11, Expiry.LIQUIDATION), (12, Expiry.LIQUIDATION)]


LONG = Leg.LONG


def by(name: str, *orders: Any) -> list[Any]:
    """The orders of another account."""
    return [replace(order, account=name) for order in orders]
