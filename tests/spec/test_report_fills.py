"""Fills against the quote, waits in the queue, orders and round trips of the report, worked out by hand."""

from __future__ import annotations

from fractions import Fraction

from events.units import SECOND
from replay.report import FillFigures, InstrumentReport, Role, Slip
from tests.reporting import DEAR, ann_of, story
from tests.scenario import Scenario, scenario
from tests.spec.contracts import COIN, OUNCE, inverse, later, pack_of
from tests.spec.tape import diff, printed, snapshot, tape
from tests.spec.words import (
    BUY,
    GOLD,
    IOC,
    ISOLATED,
    PERCENT,
    SELL,
    account,
    amend,
    cancel,
    deposit,
    funding,
    mark,
    market,
    open_account,
    place,
    position,
    proceed,
    resting,
    together,
)


def gold(session: Scenario) -> InstrumentReport:
    """What is reported of ann's gold."""
    return ann_of(session).instruments[GOLD]


def fills(session: Scenario, role: Role) -> FillFigures:
    return gold(session).fills[role]


def ticks(slip: Slip) -> float | None:
    return None if slip.ticks is None else float(slip.ticks)


def quoted() -> Scenario:
    """99 bid for 10, 10 offered at 101: the mid is 100."""
    session = scenario(clock=SECOND).given(account("ann", 9_000))
    return session.given(resting(1, SELL, price=101, lots=10), resting(2, BUY, price=99, lots=10))


class TestSlippage:
    """What fills cost beside the mid and the best price, at acceptance and just before each of them."""

    def test_a_taker_who_sweeps_pays_more_the_further_he_goes(self) -> None:
        # 50 at 100 and 50 at 102 with 96 bid: the mid is 98 at acceptance and before the first, 99 before the second
        taker = fills(story(), Role.TAKER)
        assert (taker.fills, taker.lots, taker.value) == (2, 100, 10_100)
        assert (taker.asked_mid.ticks, taker.asked_mid.points) == (3, Fraction(300 * 10_000, 98 * 100))
        assert (taker.asked_best.ticks, taker.asked_best.points) == (1, 100)
        assert (ticks(taker.met_mid), taker.met_best.ticks) == (2.5, 0)

    def test_a_maker_earns_what_a_taker_would_have_paid(self) -> None:
        # sold at 100 with 96 bid and 102 offered when it was accepted; then its own 100 is the best offer
        maker = fills(story(), Role.MAKER)
        assert (maker.fills, maker.lots, maker.value) == (2, 100, 10_000)
        assert (maker.asked_mid.ticks, maker.asked_best.ticks) == (-1, -4)
        assert (maker.met_mid.ticks, maker.met_best.ticks) == (-2, -4)
        assert gold(story()).maker_share == 50

    def test_a_forced_fill_is_held_against_the_quote_when_it_was_forced(self) -> None:
        # 95 bid and 105 offered: 100 is the mid, and the forced sale at 95 costs five ticks
        session = scenario().given(account("ann", 500, mode=ISOLATED), position(1, BUY, price=100, lots=10, by="ann"))
        session.given(resting(5, BUY, price=95, lots=20), resting(6, SELL, price=105, lots=1), mark(94), proceed())
        forced = fills(session, Role.FORCED)
        assert (forced.fills, forced.asked_mid.ticks, forced.met_mid.ticks, forced.asked_best.ticks) == (1, 5, 5, 0)

    def test_without_both_sides_there_is_no_mid(self) -> None:
        session = scenario().given(account("ann", 9_000), position(1, BUY, price=100, lots=10, by="ann"))
        taker = fills(session, Role.TAKER)
        assert (taker.fills, taker.asked_mid, taker.asked_mid.ticks, taker.asked_mid.points) == (1, Slip(), None, None)
        assert (taker.asked_best.fills, taker.asked_best.ticks) == (1, 0)

    def test_an_order_that_meets_the_book_anew_is_held_against_the_quote_of_then(self) -> None:
        # rests at 98 below a mid of 100; the bid is 100 when it is amended to 101: the mid without itself is 100.5
        session = quoted().given(place(3, BUY, price=98, lots=5, by="ann"), resting(4, BUY, price=100, lots=1))
        taker = fills(session.given(amend(3, price=101)), Role.TAKER)
        assert (ticks(taker.asked_mid), taker.asked_best.ticks) == (0.5, 0)

    def test_prices_of_an_inverse_contract_are_compared_as_prices(self) -> None:
        session = scenario(pack_of(inverse())).given(open_account("ann"), deposit("ann", 9_000, asset=OUNCE))
        session.given(resting(1, SELL, price=125, lots=10, on=COIN), resting(2, BUY, price=75, lots=10, on=COIN))
        session.given(market(3, BUY, lots=2, by="ann", on=COIN))
        taker = ann_of(session).instruments[COIN].fills[Role.TAKER]
        assert (taker.value, taker.asked_mid.ticks, taker.asked_mid.points) == (160, 25, 2_500)

    def test_historys_book_is_quoted_while_it_is_fresh(self) -> None:
        session = scenario().given(account("ann", 9_000), tape(snapshot(bids={98: 10}, asks={102: 10}, id=1)))
        session.given(market(1, BUY, lots=2, by="ann"))
        assert fills(session, Role.TAKER).asked_mid.ticks == 2

    def test_a_stale_book_quotes_nothing(self) -> None:
        session = scenario().given(account("ann", 9_000), tape(snapshot(bids={98: 10}, asks={102: 10}, id=1)))
        session.given(tape(diff(bids={97: 1}, id=9, previous=8)), resting(1, SELL, price=100, lots=5))
        session.given(resting(2, BUY, price=90, lots=5), place(3, BUY, price=100, lots=5, by="ann"))
        taker = fills(session, Role.TAKER)
        assert (taker.fills, taker.asked_mid.fills, taker.asked_best.fills, taker.met_mid.fills) == (1, 0, 0, 0)

    def test_slips_are_spread_by_size(self) -> None:
        # 2 % above a mid of 100 for 4 lots, 3 % for 1: hundredths of a basis point
        session = scenario().given(account("ann", 9_000), resting(1, SELL, price=102, lots=4))
        session.given(resting(2, SELL, price=103, lots=4), resting(3, BUY, price=98, lots=4))
        session.given(place(4, BUY, price=103, lots=5, by="ann"))
        assert gold(session).slips.items() == [(20_000, 4), (30_000, 1)]


class TestAfter:
    """What the mid moved in favour of a fill, one, ten and sixty seconds of session time later."""

    def test_the_mid_is_that_of_the_book_as_it_stood_then(self) -> None:
        # bought at 101; the mid is 100.5 after 1 s, 101.5 after 10 s, 102.5 after 60 s
        session = quoted().given(market(3, BUY, lots=1, by="ann"))
        bought = session.state.now
        session.given(resting(4, BUY, price=100, lots=5), resting(5, SELL, price=103, lots=5), cancel(1))
        session.given(later(bought + 20 * SECOND), resting(6, BUY, price=102, lots=5), later(bought + 70 * SECOND))
        after = fills(session, Role.TAKER).after
        assert {seconds: ticks(slip) for seconds, slip in after.items()} == {1: -0.5, 10: 0.5, 60: 1.5}
        assert after[60].points == Fraction(3 * 10_000, 202)

    def test_a_sale_gains_when_the_mid_falls(self) -> None:
        session = quoted().given(market(3, SELL, lots=1, by="ann"), cancel(2), resting(4, BUY, price=95, lots=5))
        session.given(later(session.state.now + 20 * SECOND))
        after = fills(session, Role.TAKER).after
        assert (ticks(after[10]), after[60].fills) == (1, 0)

    def test_rows_of_history_are_applied_up_to_the_moment_and_no_further(self) -> None:
        # bought at 102 a moment after 1 s; the mids are 101 at 1.5 s, 102 at 5 s, 104 at 30 s, 110 at 100 s
        session = scenario().given(account("ann", 9_000), tape(snapshot(bids={98: 10}, asks={102: 10}, id=1, at=1)))
        session.given(market(1, BUY, lots=2, by="ann"))
        rows = [
            diff(bids={100: 5}, at=1.5), diff(asks={102: 0, 104: 9}, at=5),
            diff(bids={103: 5}, asks={104: 0, 105: 9}, at=30), diff(bids={109: 5}, asks={105: 0, 111: 9}, at=100),
        ]  # fmt: skip
        session.given(tape(*rows, after=1))
        after = fills(session, Role.TAKER).after
        assert {seconds: ticks(slip) for seconds, slip in after.items()} == {1: -1, 10: 0, 60: 2}

    def test_what_is_due_at_the_very_end_is_compared_with_the_last_book(self) -> None:
        session = quoted().given(market(3, BUY, lots=1, by="ann"))
        session.given(later(session.state.now + SECOND))
        assert ticks(fills(session, Role.TAKER).after[1]) == -1


class TestQueue:
    """How long an order rested before its first fill, and before its last."""

    def test_both_are_counted_from_joining_the_queue(self) -> None:
        queue = gold(story()).queue
        assert (queue.first.items(), queue.whole.items()) == ([(1 * SECOND, 1)], [(2 * SECOND, 1)])

    def test_what_loses_its_place_waits_anew(self) -> None:
        session = quoted().given(resting(3, BUY, price=98, lots=5, by="ann"), amend(3, price=100))
        session.given(amend(3, lots=4), place(4, SELL, price=100, lots=4, tif=IOC))
        queue = gold(session).queue
        assert (queue.first.items(), queue.whole.items()) == ([(2 * SECOND, 1)], [(2 * SECOND, 1)])

    def test_what_trades_as_it_comes_does_not_wait(self) -> None:
        session = quoted().given(place(3, BUY, price=101, lots=12, by="ann"), place(4, SELL, price=101, lots=2))
        queue = gold(session).queue
        assert queue.first.items() == queue.whole.items() == [(1 * SECOND, 1)]
        assert ann_of(session).orders.filled == 1

    def test_a_print_of_history_fills_who_rests(self) -> None:
        session = scenario().given(account("ann", 9_000), tape(snapshot(bids={98: 10}, asks={102: 10}, id=1, at=1)))
        session.given(resting(1, BUY, price=99, lots=3, by="ann"))
        rested = session.state.now
        session.given(tape(printed(SELL, 99, 3, at=4), after=1))
        figures = gold(session)
        assert figures.queue.whole.items() == [(4 * SECOND - rested, 1)]
        assert ticks(figures.fills[Role.MAKER].asked_mid) == -1


class TestOrders:
    """What became of the orders."""

    def test_each_end_has_its_count(self) -> None:
        session = quoted().given(
            resting(3, BUY, price=98, lots=5, by="ann"), amend(3, lots=4), cancel(3),
            place(4, BUY, price=101, lots=20, by="ann", tif=IOC),
            place(5, BUY, price=90, lots=1, by="ann"),
        )  # fmt: skip
        session.when(resting(6, BUY, price=102, lots=9_999, by="ann"))
        session.when(together(place(7, BUY, price=90, lots=0, by="ann"), by="ann"))
        orders = ann_of(session).orders
        assert (orders.placed, orders.amended, orders.cancelled, orders.filled) == (3, 1, 1, 0)
        assert orders.expired == {"immediate": 1}
        assert orders.refused == {"position_limit_at_leverage": 1, "size_not_positive": 1}
        assert orders.per_fill(ann_of(session).fills) == 5
        assert orders.per_fill(0) is None


class TestTrips:
    """From flat to flat: fees and funding included, through zero split as the core splits it."""

    def test_one_is_what_it_cost_and_took(self) -> None:
        trips = gold(story()).all_trips()
        assert (trips.closed, trips.lost, trips.losses, trips.worst) == (1, 1, 492, -492)
        assert (trips.held_in_all, trips.win_percent, trips.average_gain) == (8 * SECOND, 0, None)

    def test_a_trade_through_zero_ends_one_and_begins_another(self) -> None:
        # 10 bought for 1,000, fee 20; 30 sold at 110, fee 66: 22 of it for the close; 44 for what is open
        session = scenario(DEAR).given(account("ann", 9_000), position(1, BUY, price=100, lots=10, by="ann"))
        session.given(position(3, SELL, price=110, lots=30, by="ann"))
        trips = gold(session).all_trips()
        assert (trips.won, trips.gains, trips.still_open, trips.current) == (1, 100 - 20 - 22, 1, -44)

    def test_averages_and_the_profit_factor(self) -> None:
        session = scenario().given(account("ann", 9_000))
        for number, sold in enumerate((103, 105, 98, 100)):
            session.given(position(4 * number + 1, BUY, price=100, lots=10, by="ann"))
            session.given(position(4 * number + 3, SELL, price=sold, lots=10, by="ann"))
        trips = gold(session).all_trips()
        assert (trips.won, trips.lost, trips.even, trips.win_percent) == (2, 1, 1, 50)
        assert (trips.gains, trips.losses, trips.profit_factor) == (80, 20, 4)
        assert (trips.average_gain, trips.average_loss) == (Fraction(40, 10**8), Fraction(20, 10**8))
        assert (trips.best, trips.worst) == (50, -20)

    def test_funding_belongs_to_the_trip_that_it_was_paid_in(self) -> None:
        session = scenario().given(account("ann", 9_000), position(1, BUY, price=100, lots=10, by="ann"))
        session.given(funding(PERCENT), proceed(), position(3, SELL, price=100, lots=10, by="ann"))
        assert gold(session).all_trips().losses == 10
