"""Who meets icebergs beside takers: history, the orders of an auction, forced orders."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from events import facts as f
from events.commands import MARKET
from events.facts import Expiry
from events.refusals import Reason
from events.rules import ReduceOnly
from tests.scenario import Scenario, scenario
from tests.spec.falsifying import told
from tests.spec.icebergs import BEHIND, ICEBERG, OTHER, TAKER, iceberg
from tests.spec.phases import AUCTION, CONTINUOUS, phase, phase_set, uncrossed
from tests.spec.tape import printed, snapshot, tape
from tests.spec.words import (
    BUY,
    EASY,
    GOLD,
    SELL,
    USD,
    account,
    amend,
    amended,
    cancelled,
    expired,
    liquidation_due,
    mark,
    market,
    place,
    position,
    proceed,
    refused,
    rested,
    resting,
    shrunk,
    traded,
)


class TestHistory:
    """MARKET's volume that stands at the price is met before the next part."""

    def test_the_next_part_stands_behind_the_volume_that_joined(self) -> None:
        session = scenario().given(tape(snapshot({}, {100: 4})), iceberg(), tape(snapshot({}, {100: 6})))
        session.book("ask 100: M4 3+7#1 M2")
        session.when(market(TAKER, BUY, lots=10)).then(
            traded(MARKET, TAKER, price=100, lots=4),
            traded(ICEBERG, TAKER, price=100, lots=3),
            traded(MARKET, TAKER, price=100, lots=2),
            traded(ICEBERG, TAKER, price=100, lots=1),
        )
        session.book("ask 100: 2+4#1")

    def test_a_print_at_its_price_walks_the_queue_and_then_the_parts_that_follow(self) -> None:
        session = scenario().given(tape(snapshot({}, {100: 4})), iceberg(), resting(BEHIND, SELL, price=100, lots=1))
        session.given(tape(snapshot({}, {100: 6})))
        session.when(tape(printed(BUY, 100, 14), after=2)).then(
            traded(ICEBERG, MARKET, price=100, lots=3),
            traded(BEHIND, MARKET, price=100, lots=1),
            traded(ICEBERG, MARKET, price=100, lots=3),
            traded(ICEBERG, MARKET, price=100, lots=1),
        )
        session.book("ask 100: 2+1#1")
        told(session)

    def test_a_print_at_a_worse_price_fills_all_parts_of_a_better_one_first(self) -> None:
        session = scenario().given(tape(snapshot({}, {101: 9})), iceberg(lots=7), iceberg(BEHIND, price=101))
        session.when(tape(printed(BUY, 101, 20), after=1)).then(
            traded(ICEBERG, MARKET, price=100, lots=3),
            traded(ICEBERG, MARKET, price=100, lots=3),
            traded(ICEBERG, MARKET, price=100, lots=1),
            traded(BEHIND, MARKET, price=101, lots=3),
            traded(BEHIND, MARKET, price=101, lots=1),
        )
        told(session)

    def test_reduce_only_ones_of_one_position_end_once_whatever_a_print_reached(self) -> None:
        session = scenario().given(*position(1, BUY, price=100, lots=7, by="taker"), tape(snapshot({}, {102: 1})))
        session.given(*(iceberg(number, price=101, by="taker", reduce_only=True) for number in (3, 4)))
        session.when(tape(printed(BUY, 102, 30), after=1)).then(
            traded(3, MARKET, price=101, lots=3),
            traded(4, MARKET, price=101, lots=3),
            traded(3, MARKET, price=101, lots=1),
            expired(4, 7, Expiry.NOTHING_TO_REDUCE),
            expired(3, 6, Expiry.NOTHING_TO_REDUCE),
        )
        told(session)

    def test_a_price_that_runs_through_it_takes_part_after_part(self) -> None:
        session = scenario().given(iceberg())
        session.when(tape(snapshot({100: 7}, {}))).then(
            traded(ICEBERG, MARKET, price=100, lots=3, crossed=100),
            traded(ICEBERG, MARKET, price=100, lots=3, crossed=100),
            traded(ICEBERG, MARKET, price=100, lots=1, crossed=100),
        )
        told(session)


class TestAuction:
    """The whole counts for the price; at it, what is shown trades first, and part after part behind it."""

    def test_the_whole_counts_and_displayed_orders_trade_first(self) -> None:
        session = scenario().given(phase(AUCTION), place(ICEBERG, BUY, price=100, lots=10, visible=3, by="maker"))
        session.given(place(BEHIND, BUY, price=100, lots=4, by="maker"), place(OTHER, SELL, price=100, lots=12))
        session.when(phase(CONTINUOUS), proceed()).then(
            uncrossed(price=100, lots=12, surplus=2),
            traded(OTHER, ICEBERG, price=100, lots=3),
            traded(OTHER, BEHIND, price=100, lots=4),
            traded(OTHER, ICEBERG, price=100, lots=3),
            traded(OTHER, ICEBERG, price=100, lots=2),
            phase_set(CONTINUOUS),
        )
        session.book("bid 100: 1+1#1")
        told(session)

    @pytest.mark.parametrize("room", [3, 4, 5, 4096])
    def test_both_sides_show_parts_whatever_a_batch_holds(self, room: int) -> None:
        session = scenario().given(phase(AUCTION), iceberg(1, BUY), iceberg(2, BUY, visible=4))
        session.given(iceberg(3, by="taker", visible=5), iceberg(4, by="taker", visible=2), phase(CONTINUOUS))
        facts: list[f.Fact] = []
        while session.state.has_work:
            facts += session.run(proceed(4096, room))
        trades = [(x.taker_order, x.maker_order, x.lots) for x in facts if isinstance(x, f.Traded)]
        assert trades == [
            (1, 3, 3), (2, 3, 2), (2, 4, 2), (1, 3, 3), (2, 3, 2), (2, 4, 2), (1, 4, 2), (1, 4, 1), (2, 4, 1),
            (2, 4, 1), (1, 4, 1),
        ]  # fmt: skip
        told(session)


class TestShrinking:
    """Where reduce-only orders shrink with their position they lose what they hide first."""

    def closing(self) -> Scenario:
        """The taker's long of 10, a plain order behind an iceberg of all of it, of whose part 1 traded."""
        session = scenario(replace(EASY, reduce_only=ReduceOnly.SHRINK))
        session.given(*position(1, BUY, price=100, lots=10, by="taker"))
        session.given(iceberg(3, by="taker", reduce_only=True), resting(4, SELL, price=100, lots=4))
        return session.given(market(5, BUY, lots=1, by="maker"))

    def test_the_part_keeps_its_place(self) -> None:
        session = self.closing().given(market(6, BUY, lots=1, by="maker"))
        session.when(resting(8, BUY, price=90, lots=4), market(9, SELL, lots=4)).then(
            rested(8, 4), traded(8, 9, price=90, lots=4), shrunk(3, lots=4, left=4)
        )
        session.book("ask 100: 1+3#3 4#4")
        told(session)

    def test_one_that_is_smaller_than_a_part_shows_all_and_may_be_amended(self) -> None:
        session = self.closing().given(resting(8, BUY, price=90, lots=8), market(9, SELL, lots=8))
        session.book("ask 100: 1+0#3 4#4")
        session.when(amend(3, price=101)).then(amended(3, price=101, lots=2, left=1), rested(3, lots=1))
        session.when(amend(3, lots="1.5")).then(refused(Reason.SIZE_OFF_LOT))
        session.when(amend(3, lots=1)).then(cancelled(3, lots=1))
        told(session)

    def test_it_shows_its_parts_again_once_it_grows(self) -> None:
        session = self.closing().given(resting(8, BUY, price=90, lots=8), market(9, SELL, lots=8))
        session.given(resting(10, SELL, price=99, lots=9), market(11, BUY, lots=9), amend(3, lots=6))
        session.book("ask 100: 4#4 3+2#3")
        told(session)


class TestLiquidation:
    """A forced order takes parts as any taker does, and the orders of the pool end whole."""

    def test_a_forced_order_walks_through_parts(self) -> None:
        session = scenario().given(account("ann", 60), *position(1, SELL, price=100, lots=5, by="ann"))
        session.given(iceberg(3, price=105), mark(108)).when(proceed())
        sold = [x.lots for x in session.batches[-1].facts if isinstance(x, f.Traded)]
        assert sold == [3, 2]
        session.waits()
        told(session)

    def test_its_orders_end_with_what_they_hide(self) -> None:
        session = scenario().given(account("ann", 100), *position(1, BUY, price=100, lots=8, by="ann"))
        session.given(iceberg(3, side=SELL, by="ann", price=120, lots=8))
        session.when(mark(90)).then(f.MarkPriceMoved(GOLD, 900_000), liquidation_due("ann", USD))  # type: ignore[arg-type]
        session.when(proceed())
        ends = [x for x in session.batches[-1].facts if isinstance(x, f.OrderExpired)]
        assert [(x.number, x.lots) for x in ends] == [(3, 8)]
