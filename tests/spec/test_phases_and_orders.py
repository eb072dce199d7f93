"""What phases do to orders that were there: amendments, and conditional orders that prices reach meanwhile."""

from __future__ import annotations

import pytest

from events.phases import TradingPhase
from events.refusals import Reason
from tests.scenario import scenario
from tests.spec.falsifying import told
from tests.spec.phases import AUCTION, CANCEL_ONLY, CONTINUOUS, HALTED, phase, phase_set, uncrossed
from tests.spec.test_put_off import at
from tests.spec.waiting import LAST, amend_waiting, amended_waiting, reached, triggered, waiting
from tests.spec.words import (
    BUY,
    GOLD,
    POST_ONLY,
    SELL,
    amend,
    amended,
    cancel,
    cancelled,
    mark,
    mark_moved,
    place,
    proceed,
    refused,
    rested,
    resting,
    traded,
)

STOPPED = [(HALTED, Reason.TRADING_HALTED), (CANCEL_ONLY, Reason.CANCEL_ONLY)]
BOOK = (resting(1, SELL, price=120, lots=50), resting(2, BUY, price=80, lots=50))
STOP_AT_110 = waiting(3, BUY, at=110)


class TestAmendments:
    """An amendment is an order once more: what takes orders takes amendments."""

    @pytest.mark.parametrize(("stopped", "reason"), STOPPED)
    def test_a_halt_and_cancel_only_take_none(self, stopped: TradingPhase, reason: Reason) -> None:
        scenario().given(resting(1, BUY, price=90, lots=5), phase(stopped)).when(amend(1, lots=4)).then(refused(reason))

    @pytest.mark.parametrize("tif", [POST_ONLY, None])
    def test_in_an_auction_the_order_rests_where_it_crosses(self, tif: object) -> None:
        session = scenario().given(resting(1, SELL, price=100, lots=5, by="taker"))
        order = resting(2, BUY, price=90, lots=5) if tif else place(2, BUY, price=90, lots=5, by="maker")
        session.given(order, phase(AUCTION))
        session.when(amend(2, price=110)).then(amended(2, price=110, lots=5), rested(2, 5))
        session.when(phase(CONTINUOUS), proceed()).then(
            uncrossed(price=100, lots=5), traded(1, 2, price=100, lots=5), phase_set(CONTINUOUS)
        )

    def test_a_smaller_size_keeps_its_turn_in_the_auction(self) -> None:
        session = scenario().given(phase(AUCTION), place(1, BUY, price=100, lots=5, by="maker"))
        session.given(place(2, BUY, price=100, lots=5, by="maker"), amend(1, lots=2), place(3, SELL, price=100, lots=3))
        session.when(phase(CONTINUOUS), proceed()).then(
            uncrossed(price=100, lots=3, surplus=4),
            traded(3, 1, price=100, lots=2),
            traded(3, 2, price=100, lots=1),
            phase_set(CONTINUOUS),
        )

    def test_nothing_is_amended_while_it_uncrosses(self) -> None:
        session = scenario().given(phase(AUCTION), place(1, BUY, price=100, lots=5, by="maker"))
        session.given(place(2, SELL, price=100, lots=3), phase(CONTINUOUS))
        session.when(amend(1, lots=2)).then(refused(Reason.AUCTION_UNCROSSES))

    def test_what_waits_for_its_price_is_amended_while_it_uncrosses(self) -> None:
        session = scenario().given(STOP_AT_110, phase(AUCTION), place(4, BUY, price=100, lots=5, by="maker"))
        session.given(place(5, SELL, price=100, lots=3), phase(CONTINUOUS))
        told(session.when(amend_waiting(3, at=105)).then(amended_waiting(3, at=105)))


class TestConditionalOrders:
    """Nobody fires before trading is continuous."""

    @pytest.mark.parametrize(("stopped", "reason"), STOPPED)
    def test_a_halt_and_cancel_only_take_none(self, stopped: TradingPhase, reason: Reason) -> None:
        scenario().given(phase(stopped)).when(STOP_AT_110).then(refused(reason))

    @pytest.mark.parametrize("closed", [HALTED, CANCEL_ONLY, AUCTION])
    def test_what_a_price_reaches_fires_once_trading_is_continuous(self, closed: TradingPhase) -> None:
        session = scenario().given(*BOOK, STOP_AT_110, phase(closed))
        session.when(mark(111), mark(100)).then(mark_moved(111), mark_moved(100)).waits()
        session.when(phase(CONTINUOUS)).then(phase_set(CONTINUOUS), reached())
        session.when(proceed()).then(triggered(3), traded(1, 3, price=120, lots=1))

    def test_an_auction_takes_them_to_wait(self) -> None:
        session = scenario().given(*BOOK, phase(AUCTION), STOP_AT_110, mark(110))
        session.when(cancel(3, by="taker")).then(cancelled(3, 1))
        session.when(phase(CONTINUOUS)).then(phase_set(CONTINUOUS)).waits()

    def test_what_had_been_reached_before_a_halt_waits_too_and_fires_first(self) -> None:
        session = scenario().given(*BOOK, waiting(3, SELL, at=90))
        session.given(waiting(4, BUY, at=110))
        session.given(mark(90)).waits((GOLD, ""))
        session.when(phase(HALTED)).then(phase_set(HALTED)).waits()
        session.given(mark(110))
        session.when(phase(CONTINUOUS)).then(phase_set(CONTINUOUS), reached(2))
        session.when(proceed()).then(
            triggered(3), traded(2, 3, price=80, lots=1), triggered(4), traded(1, 4, price=120, lots=1)
        )

    def test_trades_of_an_auction_reach_orders_that_fire_after_it(self) -> None:
        session = scenario().given(*BOOK, resting(3, SELL, price=100, lots=1), place(4, BUY, price=100, lots=1))
        session.given(
            waiting(5, BUY, at=105, source=LAST), phase(AUCTION), place(6, BUY, price=105, lots=2, by="maker")
        )
        session.given(place(7, SELL, price=105, lots=1), place(8, SELL, price=105, lots=1))
        session.when(phase(CONTINUOUS), proceed(1)).then(
            uncrossed(price=105, lots=2), traded(7, 6, price=105, lots=1)
        ).waits((GOLD, ""))
        session.when(proceed(1)).then(traded(8, 6, price=105, lots=1))
        session.when(proceed(1)).then(phase_set(CONTINUOUS), reached()).waits((GOLD, ""))
        session.when(proceed()).then(triggered(5), traded(1, 5, price=120, lots=1))

    def test_who_is_reached_is_said_after_a_refusal_at_the_end_of_a_phase_too(self) -> None:
        session = scenario().given(*BOOK, STOP_AT_110, phase(HALTED, until=10), mark(110))
        session.when(at(10, cancel(9, by="taker"))).then(
            phase_set(CONTINUOUS), refused(Reason.UNKNOWN_ORDER), reached()
        )
