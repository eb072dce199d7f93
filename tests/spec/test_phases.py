"""Trading phases: what each of them takes, what goes on meanwhile, and how one follows on another."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from events import commands as c
from events import facts as f
from events.commands import INSURANCE
from events.guards import Breaker, Hold, PriceGuards
from events.instruments import Liquidation
from events.phases import TradingPhase
from events.refusals import Reason
from events.rules import Layer
from events.units import SECOND, UNIT, Nanos, Rate
from tests.scenario import Scenario, scenario
from tests.spec.contracts import dated, pack_of
from tests.spec.phases import AUCTION, CANCEL_ONLY, CONTINUOUS, HALTED, phase, phase_set, uncrossed
from tests.spec.tape import diff, marked, printed, snapshot, tape
from tests.spec.test_put_off import at, later, put_off, tripping
from tests.spec.words import (
    BUY,
    CLOSED,
    EASY,
    FOK,
    GOLD,
    IOC,
    POST_ONLY,
    SELL,
    TIN,
    USD,
    account,
    cancel,
    cancelled,
    deposit,
    forced_order,
    funding,
    funding_due,
    funding_paid,
    liquidation_due,
    liquidation_ended,
    liquidation_started,
    mark,
    mark_moved,
    market,
    place,
    position,
    proceed,
    refused,
    rested,
    resting,
    taken_over,
    traded,
)

ANN = (account("ann", 100), *position(1, BUY, price=100, lots=10, by="ann"))
"""Long 10 at 100 with 100, cross: due at 94."""

STOPPED = HALTED, CANCEL_ONLY
CLOSED_PHASES = HALTED, CANCEL_ONLY, AUCTION


class TestWhatPhasesTake:
    """New orders by phase; cancels pass in all of them."""

    @pytest.mark.parametrize(
        ("stopped", "reason"), [(HALTED, Reason.TRADING_HALTED), (CANCEL_ONLY, Reason.CANCEL_ONLY)]
    )
    def test_a_halt_and_cancel_only_take_no_order(self, stopped: TradingPhase, reason: Reason) -> None:
        session = scenario().given(resting(1, SELL, price=101, lots=5))
        session.when(phase(stopped)).then(phase_set(stopped))
        for n, asked in enumerate(
            (place(2, BUY, lots=1, price=90), market(2, BUY, lots=1), resting(2, BUY, lots=1, price=90))
        ):
            session.when(replace(asked, request=f"r{n}")).then(refused(reason))
        session.when(cancel(1)).then(cancelled(1, 5))

    def test_an_auction_lets_limit_orders_rest_whatever_they_cross(self) -> None:
        session = scenario().given(phase(AUCTION))
        session.when(
            place(1, BUY, price=105, lots=5, by="maker"),
            place(2, SELL, price=95, lots=3),
            place(3, SELL, price=104, lots=3, tif=POST_ONLY),
        ).then(rested(1, 5), rested(2, 3), rested(3, 3))
        session.book("""
            ask 104: 3#3
            ask 95: 3#2
            bid 105: 5#1
        """)
        session.when(cancel(2)).then(cancelled(2, 3))

    @pytest.mark.parametrize(
        "asked", [market(2, BUY, lots=1), place(2, BUY, lots=1), place(2, BUY, lots=1, price=99, tif=IOC),
                  place(2, BUY, lots=1, price=99, tif=FOK)]
    )  # fmt: skip
    def test_an_auction_takes_nothing_that_cannot_rest(self, asked: c.PlaceOrder) -> None:
        scenario().given(phase(AUCTION)).when(asked).then(refused(Reason.AUCTION_TAKES_LIMITS))

    def test_another_instrument_trades_on(self) -> None:
        session = scenario().given(phase(HALTED), resting(1, SELL, price=100, lots=5, on=TIN))
        session.when(place(2, BUY, price=100, lots=5, on=TIN)).then(traded(1, 2, price=100, lots=5, on=TIN))

    def test_margin_is_asked_for_as_ever(self) -> None:
        session = scenario().given(account("ann", 10), phase(AUCTION))
        session.when(place(1, BUY, price=110, lots=10, by="ann")).then(refused(Reason.INSUFFICIENT_MARGIN))


def halted() -> Scenario:
    """The operator halted GOLD."""
    return scenario().given(phase(HALTED))


def cancelling() -> Scenario:
    """Nothing but cancels in GOLD."""
    return scenario().given(phase(CANCEL_ONLY))


def calling() -> Scenario:
    """GOLD under auction."""
    return scenario().given(phase(AUCTION))


def uncrossing() -> Scenario:
    """What crosses in GOLD is trading; order 1 is of maker."""
    session = calling().given(place(1, BUY, price=100, lots=2, by="maker"), place(2, SELL, price=100, lots=2))
    return session.given(phase(CONTINUOUS))


def ended() -> Scenario:
    """A dated contract that expired."""
    terms = dated()
    return scenario(pack_of(terms)).given(c.AdvanceTime(terms.expiry))


PHASED: list[tuple[Reason, Callable[[], Scenario], c.Command]] = [
    (Reason.UNKNOWN_INSTRUMENT, halted, phase(HALTED, on="LEAD", until=-1)),
    (Reason.INSTRUMENT_EXPIRED, ended, phase(HALTED, on=dated().id, until=-1)),
    (Reason.AUCTION_UNCROSSES, uncrossing, phase(HALTED, until=-1)),
    (Reason.PHASE_END_NOT_AHEAD, halted, phase(HALTED, until=-1)),
    (Reason.PHASE_END_NOT_AHEAD, halted, phase(CONTINUOUS, until=10**6)),
    (Reason.SIZE_NOT_POSITIVE, uncrossing, place(5, BUY, lots=0, price=100)),
    (Reason.AUCTION_UNCROSSES, uncrossing, market(5, BUY, lots=9_999)),
    (Reason.UNKNOWN_ORDER, uncrossing, cancel(5, by="maker")),
    (Reason.AUCTION_UNCROSSES, uncrossing, cancel(1, by="maker")),
    (Reason.SIZE_NOT_POSITIVE, halted, place(5, BUY, lots=0, price=100)),
    (Reason.TRADING_HALTED, halted, market(5, BUY, lots=9_999)),
    (Reason.SIZE_NOT_POSITIVE, cancelling, place(5, BUY, lots=0, price=100)),
    (Reason.CANCEL_ONLY, cancelling, market(5, BUY, lots=9_999)),
    (Reason.MARKET_ORDER_CANNOT_REST, calling, place(5, BUY, lots=1, tif=POST_ONLY)),
    (Reason.AUCTION_TAKES_LIMITS, calling, market(5, BUY, lots=9_999)),
    (Reason.REDUCE_ONLY_WOULD_INCREASE, calling, place(5, BUY, lots=1, price=100, reduce_only=True)),
]
"""A rule that is broken, where, and by what: of two the one that stands first is named."""


@pytest.mark.parametrize(("reason", "situation", "command"), PHASED)
def test_what_a_phase_forbids_is_refused_by_the_first_rule_that_it_breaks(
    reason: Reason, situation: Callable[[], Scenario], command: c.Command
) -> None:
    session = situation()
    session.when(replace(command, at=session.state.now)).then(refused(reason))


class TestHowPhasesFollow:
    """The operator's word, and the end that it may have."""

    def test_a_phase_ends_by_itself_where_it_was_told_to(self) -> None:
        session = scenario().given(phase(CANCEL_ONLY, until=10))
        session.when(later(9)).then()
        session.when(later(10)).then(phase_set(CONTINUOUS))
        session.when(place(1, BUY, lots=1, price=99)).then(rested(1, 1))

    def test_it_ends_before_a_command_of_that_time_is_decided(self) -> None:
        session = scenario().given(phase(HALTED, until=10))
        session.when(at(10, place(1, BUY, lots=1, price=99))).then(phase_set(CONTINUOUS), rested(1, 1))

    def test_the_next_phase_has_its_own_end(self) -> None:
        session = scenario().given(phase(HALTED, until=10), phase(AUCTION, until=20))
        session.when(later(10)).then()
        session.when(later(20)).then(phase_set(CONTINUOUS))

    def test_an_end_may_be_taken_back(self) -> None:
        session = scenario().given(phase(HALTED, until=10), phase(HALTED))
        session.when(later(11)).then()
        session.when(phase(CONTINUOUS)).then(phase_set(CONTINUOUS))

    def test_an_end_lies_ahead_and_continuous_trading_has_none(self) -> None:
        session = scenario().given(at(5, mark(100)))
        session.when(phase(HALTED, until=5)).then(refused(Reason.PHASE_END_NOT_AHEAD))
        session.when(phase(CONTINUOUS, until=9)).then(refused(Reason.PHASE_END_NOT_AHEAD))

    def test_what_crosses_stays_so_under_a_halt_and_trades_before_trading_is_continuous(self) -> None:
        session = scenario().given(phase(AUCTION), place(1, BUY, price=105, lots=5, by="maker"))
        session.given(place(2, SELL, price=95, lots=5), phase(HALTED))
        session.when(proceed()).then(refused(Reason.NOTHING_DUE))
        session.when(phase(CONTINUOUS)).then(uncrossed(price=100, lots=5)).waits((GOLD, ""))
        session.when(proceed()).then(traded(2, 1, price=100, lots=5), phase_set(CONTINUOUS)).waits()

    def test_a_phase_may_be_told_of_an_instrument_without_a_mark(self) -> None:
        session = scenario(marks=None).given(phase(AUCTION))
        session.when(place(1, BUY, price=100, lots=1)).then(refused(Reason.NO_MARK_PRICE))
        session.when(phase(CONTINUOUS)).then(phase_set(CONTINUOUS))


class TestWhatGoesOn:
    """Marks, funding and settlement go on; liquidations wait, and the fund offers nothing."""

    @pytest.mark.parametrize("closed", CLOSED_PHASES)
    def test_liquidations_wait_until_trading_is_continuous(self, closed: TradingPhase) -> None:
        session = scenario().given(ANN, phase(closed))
        session.when(mark(94)).then(mark_moved(94), liquidation_due("ann", USD))
        session.when(proceed()).then(put_off("ann", USD, Hold.HALTED)).waits()
        session.when(mark(93)).then(mark_moved(93)).waits()
        session.when(phase(CONTINUOUS)).then(phase_set(CONTINUOUS)).waits(("ann", USD))
        session.when(proceed()).then(
            liquidation_started("ann", USD, equity=30, maintenance=47),
            forced_order("ann", SELL, lots=10, limit=90, at=93),
            taken_over("ann", SELL, lots=10, value=900),
            liquidation_ended("ann", USD, CLOSED, equity=0),
        )

    @pytest.mark.parametrize("closed", CLOSED_PHASES)
    def test_funding_is_paid(self, closed: TradingPhase) -> None:
        session = scenario().given(ANN, phase(closed))
        session.when(funding(UNIT // 100)).then(funding_due(UNIT // 100, at=100))
        session.when(proceed()).then(funding_paid("maker", 10), funding_paid("ann", -10))

    @pytest.mark.parametrize("closed", CLOSED_PHASES)
    def test_the_fund_offers_nothing_until_trading_is_continuous(self, closed: TradingPhase) -> None:
        layers = replace(EASY, liquidation=Liquidation(last_resort=(Layer.FUND,)))
        session = scenario(layers).given(deposit(INSURANCE, 1_000), ANN, mark(94), proceed())
        session.given(mark(95)).waits((GOLD, ""))
        session.when(phase(closed)).then(phase_set(closed)).waits()
        session.when(mark(96)).then(mark_moved(96)).waits()
        session.when(phase(CONTINUOUS)).then(phase_set(CONTINUOUS)).waits((GOLD, ""))
        session.when(proceed()).then(f.FundOffered(GOLD, 10))

    def test_an_expiry_ends_a_phase_and_what_crosses_and_settles_everybody(self) -> None:
        terms = dated()
        session = scenario(pack_of(terms), clock=0).given(phase(AUCTION, on=terms.id, until=10**9))
        session.given(
            place(1, BUY, price=105, lots=5, by="maker", on=terms.id), place(2, SELL, price=95, lots=5, on=terms.id)
        )
        session.given(phase(CONTINUOUS, on=terms.id)).waits((terms.id, ""))
        facts = session.run(c.AdvanceTime(terms.expiry))
        assert [type(fact) for fact in facts] == [f.SettlementDue, f.TimeAdvanced]
        session.given(proceed())
        session.when(phase(AUCTION, on=terms.id)).then(refused(Reason.INSTRUMENT_EXPIRED))
        session.when(proceed()).then(refused(Reason.NOTHING_DUE))


class TestHistory:
    """MARKET takes no part: history goes on, and meets nobody until trading is continuous."""

    BOOK = snapshot(bids={99: 10}, asks={101: 10})

    @pytest.mark.parametrize("closed", CLOSED_PHASES)
    def test_prints_and_crossing_prices_meet_no_order(self, closed: TradingPhase) -> None:
        session = scenario().given(resting(1, BUY, price=98, lots=5), tape(self.BOOK), phase(closed))
        session.when(tape(printed(SELL, 97, 50, at=1), diff(bids={99: 0}, asks={98: 4}, at=2), after=1)).then()
        session.when(tape(marked(90, at=3), after=2)).then(mark_moved(90))
        session.given(phase(CONTINUOUS))
        session.when(tape(diff(asks={98: 4}, at=4), after=2)).then(traded(1, "MARKET", price=98, lots=4, crossed=98))

    def test_an_auction_trades_among_traders_only_and_the_rest_meets_history_after_it(self) -> None:
        session = scenario().given(tape(self.BOOK), phase(AUCTION))
        session.given(place(1, BUY, price=103, lots=5, by="maker"), place(2, SELL, price=102, lots=2))
        session.when(phase(CONTINUOUS), proceed()).then(
            uncrossed(price=102, lots=2, surplus=3), traded(2, 1, price=102, lots=2), phase_set(CONTINUOUS)
        )
        session.when(tape(printed(BUY, 101, 1, at=1), after=1)).then(
            traded(1, "MARKET", price=103, lots=3, crossed=101)
        )

    def test_history_says_what_the_last_price_is(self) -> None:
        session = scenario().given(tape(self.BOOK, printed(BUY, 101, 1)), phase(AUCTION))
        session.given(place(1, BUY, price=110, lots=5, by="maker"), place(2, SELL, price=90, lots=5))
        session.when(phase(CONTINUOUS)).then(uncrossed(price=101, lots=5, near=101))

    def test_in_a_halt_of_the_breaker_history_goes_on_meeting_what_rests(self) -> None:
        session = scenario(tripping()).given(resting(1, BUY, price=98, lots=5), tape(self.BOOK), at(1, mark(80)))
        session.when(tape(printed(SELL, 97, 50, at=2), after=1)).then(traded(1, "MARKET", price=98, lots=5))


class TestBreaker:
    """The halt of the breaker is a phase too."""

    TRIP = f.BreakerTripped(GOLD, 800_000, 1_000_000, Nanos(31 * SECOND))

    def reopening(self, seconds: int = 10) -> Scenario:
        """A breaker after whose halt an auction follows."""
        breaker = Breaker(Rate(10 * UNIT // 100), Nanos(60 * SECOND), Nanos(30 * SECOND), Nanos(seconds * SECOND))
        return scenario(replace(EASY, guards=PriceGuards(breaker=breaker)))

    def test_an_auction_follows_on_the_halt_where_the_pack_says_so(self) -> None:
        session = self.reopening().given(ANN)
        session.when(at(1, mark(80))).then(mark_moved(80), self.TRIP, liquidation_due("ann", USD))
        session.when(proceed()).then(put_off("ann", USD, Hold.HALTED))
        session.when(later(31)).then(phase_set(AUCTION, until=41)).waits()
        session.given(place(5, BUY, price=95, lots=5, by="maker"), place(6, SELL, price=85, lots=5))
        session.when(later(41)).then(uncrossed(price=95, lots=5)).waits((GOLD, ""))
        session.when(proceed(2)).then(traded(6, 5, price=95, lots=5), phase_set(CONTINUOUS)).waits(("ann", USD))

    def test_marks_trip_nothing_in_an_auction_and_the_window_begins_anew_after_it(self) -> None:
        session = self.reopening().given(at(1, mark(80)), later(31))
        session.when(at(32, mark(50)), at(33, mark(80))).then(mark_moved(50), mark_moved(80))
        session.when(later(41)).then(phase_set(CONTINUOUS))
        session.when(at(42, mark(85))).then(mark_moved(85))

    @pytest.mark.parametrize("following", TradingPhase)
    def test_the_operator_ends_the_halt_of_the_breaker(self, following: TradingPhase) -> None:
        session = scenario(tripping()).given(at(1, mark(80)))
        session.when(phase(following)).then(phase_set(following))
        session.when(later(60)).then()

    def test_a_halt_that_outlasts_an_expiry_ends_without_an_auction(self) -> None:
        breaker = Breaker(Rate(10 * UNIT // 100), Nanos(60 * SECOND), Nanos(30 * SECOND), Nanos(10 * SECOND))
        terms = dated()
        session = scenario(replace(pack_of(terms), guards=PriceGuards(breaker=breaker)))
        session.given(c.SetMarkPrice(Nanos(terms.expiry - SECOND), terms.id, 80 * terms.tick))  # type: ignore[arg-type]
        facts = session.run(c.AdvanceTime(Nanos(terms.expiry + 40 * SECOND)))
        assert facts[1:] == [f.BreakerReset(terms.id), f.TimeAdvanced()]

    def test_a_pack_has_no_auction_of_less_than_nothing(self) -> None:
        breaker = Breaker(Rate(UNIT // 10), Nanos(SECOND), Nanos(SECOND), Nanos(-1))
        assert PriceGuards(breaker=breaker).defect()
