"""Where history has trades and no book: orders wait for a trade through their price, or for one that touches it.

A taker finds what is made up of the last trade: one level a side, a tick apart, as deep as that trade was large.
"""

from __future__ import annotations

import pytest

from events.commands import MARKET, Impact, QueueModel, Side, TradeFills
from events.facts import Expiry, TakenOver, Traded
from events.phases import TradingPhase
from tests.scenario import Scenario, scenario
from tests.spec.phases import phase
from tests.spec.tape import diff, marked, printed, snapshot, tape
from tests.spec.test_history_stale import agreed
from tests.spec.words import (
    BUY,
    SELL,
    account,
    expired,
    mark,
    market,
    place,
    position,
    proceed,
    rested,
    resting,
    traded,
)

THROUGH, TOUCH = TradeFills.THROUGH, TradeFills.TOUCH


def told(fills: TradeFills = THROUGH, **options: object) -> Scenario:
    return scenario(trade_fills=fills, **options)


class TestThrough:
    """A trade at a better price than the order's: it went through it."""

    @pytest.mark.parametrize("taker", [BUY, SELL])
    @pytest.mark.parametrize(("side", "price", "beyond"), [(BUY, 100, 99), (SELL, 100, 101)])
    def test_an_order_fills_at_its_own_price_whoever_took(
        self, taker: Side, side: Side, price: int, beyond: int
    ) -> None:
        told().given(resting(1, side, price=price, lots=5)).when(tape(printed(taker, beyond, 9))).then(
            traded(1, MARKET, price=price, lots=5)
        )

    @pytest.mark.parametrize("taker", [BUY, SELL])
    @pytest.mark.parametrize("price", [100, 101])
    def test_a_trade_at_its_price_or_short_of_it_fills_nothing(self, taker: Side, price: int) -> None:
        told().given(resting(1, BUY, price=100, lots=5)).when(tape(printed(taker, price, 9))).then()

    def test_no_more_fills_than_traded_and_the_best_price_comes_first(self) -> None:
        (
            told()
            .given(
                resting(1, BUY, price=100, lots=5),
                resting(2, BUY, price=101, lots=4),
                resting(3, BUY, price=100, lots=2),
            )
            .when(tape(printed(SELL, 99, 8)))
            .then(traded(2, MARKET, price=101, lots=4), traded(1, MARKET, price=100, lots=4))
            .when(tape(printed(SELL, 99, 2)))
            .then(traded(1, MARKET, price=100, lots=1), traded(3, MARKET, price=100, lots=1))
        )

    def test_each_trade_of_a_chunk_fills_for_itself(self) -> None:
        (
            told()
            .given(resting(1, SELL, price=100, lots=9))
            .when(tape(printed(BUY, 101, 2), printed(BUY, 100, 5), printed(SELL, 103, 3)))
            .then(traded(1, MARKET, price=100, lots=2), traded(1, MARKET, price=100, lots=3))
        )

    def test_an_iceberg_shows_its_next_part_to_the_same_trade(self) -> None:
        (
            told()
            .given(place(1, BUY, price=100, lots=9, visible=4))
            .when(tape(printed(SELL, 99, 6)))
            .then(traded(1, MARKET, price=100, lots=4), traded(1, MARKET, price=100, lots=2))
        )

    def test_nothing_fills_while_trading_is_halted(self) -> None:
        told().given(resting(1, BUY, price=100, lots=5), phase(TradingPhase.HALTED)).when(
            tape(printed(SELL, 90, 9))
        ).then()

    def test_the_volume_of_the_market_counts_trades(self) -> None:
        told().given(resting(1, BUY, price=100, lots=5), tape(printed(SELL, 99, 9), printed(SELL, 98, 1))).feed(
            prints=2, volume=10, last_price=98, defects=[]
        )


class TestTouch:
    """A trade at the order's price is enough."""

    @pytest.mark.parametrize("taker", [BUY, SELL])
    @pytest.mark.parametrize("price", [99, 100])
    def test_a_trade_at_its_price_or_through_it_fills(self, taker: Side, price: int) -> None:
        told(TOUCH).given(resting(1, BUY, price=100, lots=5)).when(tape(printed(taker, price, 3))).then(
            traded(1, MARKET, price=100, lots=3)
        )

    def test_a_trade_short_of_it_does_not(self) -> None:
        told(TOUCH).given(resting(1, BUY, price=100, lots=5)).when(tape(printed(SELL, 101, 3))).then()


class TestTaker:
    """A taker finds the last trade's lots at its price, or a tick away, and nobody knows of more."""

    def test_before_the_first_trade_there_is_nobody_to_trade_with(self) -> None:
        told().given(tape(marked(100))).when(market(1, BUY, lots=1)).then(expired(1, 1))

    def test_a_buyer_pays_the_price_that_the_last_buyer_paid_as_deep_as_that_trade_was(self) -> None:
        (
            told()
            .given(tape(printed(SELL, 90, 50), printed(BUY, 100, 4)))
            .book("ask 100: M4\nbid 99: M4")
            .when(market(1, BUY, lots=6))
            .then(traded(MARKET, 1, price=100, lots=4), expired(1, 2))
            .book("bid 99: M4")
            .when(market(2, SELL, lots=1))
            .then(traded(MARKET, 2, price=99, lots=1))
        )

    def test_a_sale_makes_the_best_bid(self) -> None:
        told().given(tape(printed(SELL, 100, 4))).book("ask 101: M4\nbid 100: M4")

    def test_at_the_lowest_price_there_is_no_bid_below(self) -> None:
        told().given(tape(printed(BUY, 1, 4))).book("ask 1: M4")

    def test_what_was_taken_is_there_again_with_the_next_trade(self) -> None:
        (
            told()
            .given(tape(printed(BUY, 100, 4)), market(1, BUY, lots=4), tape(printed(BUY, 100, 3)))
            .book("ask 100: M3\nbid 99: M3")
        )

    def test_without_impact_it_is_there_at_once(self) -> None:
        (
            told(impact=Impact.NONE)
            .given(tape(printed(BUY, 100, 4)), market(1, BUY, lots=4))
            .book("ask 100: M4\nbid 99: M4")
        )

    def test_a_limit_order_takes_what_is_there_and_waits_with_the_rest(self) -> None:
        # the rest rests above the price of the last trade: the next one below it fills it
        (
            told()
            .given(tape(printed(BUY, 100, 4)))
            .when(place(1, BUY, price=101, lots=6))
            .then(traded(MARKET, 1, price=100, lots=4), rested(1, 2))
            .when(tape(printed(SELL, 100, 9)))
            .then(traded(1, MARKET, price=101, lots=2))
        )

    def test_traders_meet_each_other_as_ever(self) -> None:
        (
            told()
            .given(tape(printed(BUY, 100, 4)), resting(1, SELL, price=100, lots=2), tape(printed(BUY, 100, 3)))
            .book("ask 100: 2#1 M3\nbid 99: M3")
            .when(place(2, BUY, price=100, lots=4))
            .then(traded(1, 2, price=100, lots=2), traded(MARKET, 2, price=100, lots=2))
        )

    def test_what_is_made_up_moves_with_the_price_past_the_orders(self) -> None:
        (
            told(queue_model=QueueModel.BEHIND)
            .given(tape(printed(BUY, 100, 4)), resting(1, BUY, price=99, lots=2))
            .book("ask 100: M4\nbid 99: M4 2#1")
            .given(tape(printed(BUY, 105, 1)))
            .book("ask 105: M1\nbid 104: M1\nbid 99: 2#1")
            .feed(credits={})
        )

    def test_no_resting_order_trades_with_it(self) -> None:
        # the made-up ask stands at 100, where the trade touched the order but did not go through it
        (
            told()
            .given(resting(1, BUY, price=100, lots=5))
            .when(tape(printed(BUY, 100, 9)))
            .then()
            .book("ask 100: M9\nbid 100: 5#1\nbid 99: M9")
        )

    def test_a_forced_order_trades_with_it_and_the_fund_takes_the_rest(self) -> None:
        tale = told().given(account("ann", 100), *position(1, BUY, price=100, lots=10, by="ann"), mark(94))
        tale.given(tape(printed(SELL, 93, 4)), mark(90))
        forced = [fact for fact in tale.run(proceed()) if isinstance(fact, Traded | TakenOver)]
        assert [fact.lots for fact in forced] == [4, 6]


class TestABookAfterAll:
    """From its first row on, what history's book says counts."""

    def test_a_snapshot_takes_the_place_of_what_was_made_up(self) -> None:
        (
            told()
            .given(resting(1, BUY, price=98, lots=5), tape(printed(BUY, 100, 4), snapshot({98: 7}, {103: 8})))
            .book("ask 103: M8\nbid 98: 5#1 M7")
            .feed(stale=False)
            .when(tape(printed(BUY, 97, 3), printed(SELL, 98, 3)))
            .then(traded(1, MARKET, price=98, lots=3))
        )

    def test_a_diff_makes_it_stale_as_in_every_file_that_begins_without_a_snapshot(self) -> None:
        (
            told()
            .given(tape(printed(BUY, 100, 4)), resting(1, BUY, price=99, lots=5), tape(diff({98: 7}, {103: 8})))
            .feed(stale=True)
            .when(tape(printed(SELL, 97, 3)), market(2, SELL, lots=1, by="taker"))
            .then(traded(1, 2, price=99, lots=1))
        )

    def test_rows_of_one_chunk_are_applied_as_they_stand(self) -> None:
        # the diffs that end the reign of trades may also be those that make a book fresh
        rows = [*agreed(2), *agreed(3), *agreed(4)]
        (
            told()
            .given(resting(1, SELL, price=98, lots=5), tape(printed(BUY, 97, 1)))
            .when(tape(diff({99: 10}, {101: 10}), *rows))
            .then(traded(1, MARKET, price=98, lots=5, crossed=99))
        )


class TestWithoutTheOption:
    """A session that does not ask for it fills nobody, as ever, until a book comes."""

    def test_trades_alone_fill_nobody(self) -> None:
        scenario().given(resting(1, BUY, price=100, lots=5)).when(tape(printed(SELL, 90, 9))).then()

    def test_nobody_can_take_them(self) -> None:
        scenario().given(tape(printed(SELL, 90, 9))).when(market(1, SELL, lots=1)).then(expired(1, 1, Expiry.IMMEDIATE))
