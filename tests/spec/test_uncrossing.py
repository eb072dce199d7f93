"""The uniform-price auction: its price, who trades, what they pay, and how it is parted into batches."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from events import facts as f
from events.facts import Expiry
from events.instruments import Leg
from events.refusals import Reason
from exchange.core.matching.uncrossing import Clearing, clearing
from tests.scenario import Scenario, scenario
from tests.spec.contracts import hedge, inverse, pack_of
from tests.spec.phases import AUCTION, CONTINUOUS, HALTED, phase, phase_set, uncrossed
from tests.spec.words import (
    BUY,
    GOLD,
    ISOLATED,
    PERCENT,
    SELL,
    USD,
    account,
    cancel,
    expired,
    funding,
    funding_due,
    funding_paid,
    liquidation_due,
    mark,
    market,
    pack,
    place,
    position,
    proceed,
    refused,
    traded,
)


class Call(NamedTuple):
    """A book under auction as (price, lots), near a mark in ticks, and what comes of it: price, lots, surplus."""

    bids: list[tuple[int, int]]
    asks: list[tuple[int, int]]
    near: int
    found: tuple[int, int, int] | None


CALLS = {
    "no bids": Call([], [(100, 5)], 100, None),
    "no asks": Call([(100, 5)], [], 100, None),
    "nothing crosses": Call([(99, 5)], [(100, 5)], 100, None),
    "one price": Call([(100, 5)], [(100, 5)], 100, (100, 5, 0)),
    "most volume": Call([(103, 5), (101, 5)], [(99, 4), (101, 6), (103, 1)], 110, (101, 10, 0)),
    "least surplus": Call([(103, 5), (101, 3)], [(100, 5)], 100, (102, 5, 0)),
    "surplus of sellers": Call([(102, 5)], [(100, 9)], 101, (101, 5, -4)),
    "nearest to the reference, inside": Call([(105, 5)], [(95, 5)], 101, (101, 5, 0)),
    "nearest to the reference, above": Call([(105, 5)], [(95, 5)], 200, (105, 5, 0)),
    "nearest to the reference, below": Call([(105, 5)], [(95, 5)], 50, (95, 5, 0)),
    "nearest of two stretches": Call([(110, 5), (100, 5)], [(90, 5), (105, 5)], 104, (104, 5, 0)),
    "a reference where less trades": Call([(110, 5), (100, 5)], [(95, 10)], 108, (100, 10, 0)),
}


def called(call: Call) -> Scenario:
    """The book of a call, order by order."""
    session = scenario(marks=call.near).given(phase(AUCTION))
    session.given(*(place(n, BUY, price=p, lots=lots, by="maker") for n, (p, lots) in enumerate(call.bids, 1)))
    return session.given(*(place(n, SELL, price=p, lots=lots) for n, (p, lots) in enumerate(call.asks, 50)))


@pytest.mark.parametrize("name", CALLS)
def test_most_volume_then_least_surplus_then_nearest_to_the_reference(name: str) -> None:
    call = CALLS[name]
    session = called(call)
    assert clearing(session.state.contracts[GOLD]) == (call.found and Clearing(*call.found))
    if call.found:
        price, lots, surplus = call.found
        session.when(phase(CONTINUOUS)).then(uncrossed(price=price, lots=lots, surplus=surplus, near=call.near))
    else:
        session.when(phase(CONTINUOUS)).then(phase_set(CONTINUOUS))


def test_of_two_prices_as_near_to_the_reference_the_lower_one_is_taken() -> None:
    session = scenario(marks=None).given(mark_between := mark(100), phase(AUCTION))
    assert mark_between.mark == 1_000_000
    session.given(place(1, BUY, price=105, lots=5, by="maker"), place(2, SELL, price=95, lots=5))
    contract = session.state.contracts[GOLD]
    for units, price in ((1_005_000, 100), (1_005_001, 101), (1_004_999, 100)):
        contract.set_mark(units)
        assert clearing(contract) == Clearing(price, 5, 0)


class TestWhoTrades:
    """Price, then time, at one price for all."""

    def test_the_best_price_and_of_it_the_oldest_order_trades_first_and_the_rest_stays(self) -> None:
        session = scenario().given(account("ann", 10_000), phase(AUCTION))
        session.given(place(1, BUY, price=100, lots=4, by="maker"), place(2, BUY, price=103, lots=2, by="ann"))
        session.given(place(3, BUY, price=100, lots=4, by="ann"), place(4, SELL, price=98, lots=3))
        session.given(place(5, SELL, price=100, lots=5), place(6, SELL, price=104, lots=1))
        session.when(phase(CONTINUOUS), proceed()).then(
            uncrossed(price=100, lots=8, surplus=2),
            traded(4, 2, price=100, lots=2),
            traded(4, 1, price=100, lots=1),
            traded(5, 1, price=100, lots=3),
            traded(5, 3, price=100, lots=2),
            phase_set(CONTINUOUS),
        )
        session.book("""
            ask 104: 1#6
            bid 100: 2#3
        """)

    def test_nobody_is_charged_but_the_taker_s_fee(self) -> None:
        rules = pack(maker_fee=PERCENT, taker_fee=5 * PERCENT)
        session = scenario(rules).given(phase(AUCTION), place(1, BUY, price=100, lots=10, by="maker"))
        session.given(place(2, SELL, price=100, lots=10))
        session.when(phase(CONTINUOUS), proceed()).then(
            uncrossed(price=100, lots=10), traded(2, 1, price=100, lots=10, fees=(50, 50)), phase_set(CONTINUOUS)
        )

    def test_an_account_trades_with_itself(self) -> None:
        session = scenario().given(phase(AUCTION), place(1, BUY, price=100, lots=4), place(2, SELL, price=100, lots=4))
        session.when(phase(CONTINUOUS), proceed()).then(
            uncrossed(price=100, lots=4), traded(2, 1, price=100, lots=4), phase_set(CONTINUOUS)
        )
        session.holds("taker", lots=0)

    def test_each_leg_of_hedge_mode_and_each_isolated_wallet_gets_what_is_its_own(self) -> None:
        session = scenario().given(hedge("maker"), account("ann", 1_000, mode=ISOLATED), phase(AUCTION))
        session.given(place(1, BUY, price=101, lots=4, by="maker", leg=Leg.LONG))
        session.given(
            place(2, SELL, price=99, lots=4, by="ann"), place(3, SELL, price=99, lots=1, by="maker", leg=Leg.SHORT)
        )
        session.given(phase(CONTINUOUS), proceed())
        session.holds("maker", "GOLD:long", lots=4).holds("ann", lots=-4, isolated=40)

    def test_an_inverse_contract_uncrosses_likewise(self) -> None:
        terms = inverse()
        session = scenario(pack_of(terms), marks=100).given(phase(AUCTION, on=terms.id))
        session.given(place(1, BUY, price=101, lots=40, by="maker", on=terms.id))
        session.given(place(2, SELL, price=99, lots=30, on=terms.id))
        session.given(phase(CONTINUOUS, on=terms.id), proceed())
        session.holds("maker", terms.id, lots=30).holds("taker", terms.id, lots=-30)

    def test_a_fill_is_never_stopped_and_who_cannot_carry_it_is_liquidated_after_it(self) -> None:
        session = scenario().given(account("ann", 100), phase(AUCTION))
        session.given(place(1, BUY, price=100, lots=10, by="ann"), mark(91), place(2, SELL, price=100, lots=10))
        session.when(phase(CONTINUOUS), proceed(2)).then(
            uncrossed(price=100, lots=10, near=91),
            traded(2, 1, price=100, lots=10),
            phase_set(CONTINUOUS),
            liquidation_due("ann", USD),
        )

    def test_funding_that_is_owed_is_settled_before_a_position_changes(self) -> None:
        session = scenario().given(*position(1, BUY, price=100, lots=10, by="taker"), phase(AUCTION))
        session.given(place(3, BUY, price=100, lots=1, by="maker"), place(4, SELL, price=100, lots=1))
        session.when(phase(CONTINUOUS), funding(PERCENT), proceed()).then(
            uncrossed(price=100, lots=1),
            funding_due(PERCENT, at=100),
            funding_paid("maker", 10),
            funding_paid("taker", -10),
            traded(4, 3, price=100, lots=1),
            phase_set(CONTINUOUS),
        )


class TestReduceOnly:
    """Reduce-only orders count, and trade, as far as there is something to reduce."""

    def test_they_count_for_no_more_than_the_position(self) -> None:
        session = scenario().given(account("ann", 10_000), *position(1, BUY, price=100, lots=5, by="ann"))
        session.given(phase(AUCTION))
        session.given(place(3, SELL, price=98, lots=4, by="ann", reduce_only=True))
        session.given(place(4, SELL, price=99, lots=4, by="ann", reduce_only=True))
        session.given(place(5, BUY, price=102, lots=8, by="maker"))
        session.when(phase(CONTINUOUS), proceed()).then(
            uncrossed(price=100, lots=5, surplus=3),
            traded(3, 5, price=100, lots=4),
            traded(4, 5, price=100, lots=1),
            expired(4, 3, Expiry.NOTHING_TO_REDUCE),
            phase_set(CONTINUOUS),
        )

    def test_what_has_nothing_to_reduce_any_more_expires_when_it_is_met(self) -> None:
        session = scenario().given(account("ann", 10_000), *position(1, BUY, price=100, lots=5, by="ann"))
        session.given(place(3, SELL, price=101, lots=5, by="ann", reduce_only=True))
        session.given(place(4, SELL, price=100, lots=5, by="ann"), place(5, BUY, price=100, lots=5, by="maker"))
        session.given(phase(AUCTION), place(6, BUY, price=101, lots=5, by="maker"))
        session.when(phase(CONTINUOUS), proceed()).then(
            uncrossed(price=101, lots=0, surplus=5),
            expired(3, 5, Expiry.NOTHING_TO_REDUCE),
            phase_set(CONTINUOUS),
        )

    def test_of_one_position_s_own_two_orders_the_reduce_only_one_expires(self) -> None:
        session = scenario().given(account("ann", 10_000), *position(1, BUY, price=100, lots=5, by="ann"))
        session.given(phase(AUCTION), place(3, SELL, price=100, lots=5, by="ann", reduce_only=True))
        session.given(place(4, BUY, price=100, lots=5, by="ann"))
        session.when(phase(CONTINUOUS), proceed()).then(
            uncrossed(price=100, lots=5), expired(3, 5, Expiry.NOTHING_TO_REDUCE), phase_set(CONTINUOUS)
        )

    def test_where_they_leave_others_crossed_these_trade_at_a_price_of_their_own(self) -> None:
        session = scenario().given(account("ann", 10_000), *position(1, BUY, price=100, lots=5, by="ann"))
        session.given(phase(AUCTION), place(3, SELL, price=95, lots=5, by="ann", reduce_only=True))
        session.given(place(4, BUY, price=110, lots=5, by="ann"), place(5, BUY, price=104, lots=5, by="maker"))
        session.given(place(6, SELL, price=108, lots=2))
        session.when(phase(CONTINUOUS), proceed()).then(
            uncrossed(price=105, lots=5, near=100),
            expired(3, 5, Expiry.NOTHING_TO_REDUCE),
            uncrossed(price=108, lots=2, surplus=3),
            traded(6, 4, price=108, lots=2),
            phase_set(CONTINUOUS),
        )


class TestInParts:
    """Due work like any other: batches of what was asked for, and nothing else meets the book meanwhile."""

    def under_way(self) -> Scenario:
        """Three trades are to come, one of them is done."""
        session = scenario().given(account("ann", 10_000), phase(AUCTION), place(1, BUY, price=100, lots=3, by="maker"))
        session.given(*(place(n, SELL, price=100, lots=1) for n in (2, 3, 4)), phase(CONTINUOUS))
        return session.when(proceed(1)).then(traded(2, 1, price=100, lots=1)).waits((GOLD, ""))

    def test_batch_by_batch(self) -> None:
        session = self.under_way()
        session.when(proceed(1)).then(traded(3, 1, price=100, lots=1))
        session.when(proceed(1)).then(traded(4, 1, price=100, lots=1)).waits((GOLD, ""))
        session.when(proceed(1)).then(phase_set(CONTINUOUS)).waits()

    @pytest.mark.parametrize(
        "asked",
        [place(9, BUY, price=99, lots=1, by="ann"), market(9, SELL, lots=1, by="ann"), cancel(1), phase(HALTED)],
    )
    def test_orders_cancels_and_phases_are_refused_meanwhile(self, asked: f.Fact) -> None:
        self.under_way().when(asked).then(refused(Reason.AUCTION_UNCROSSES))

    def test_it_can_be_told_what_caused_a_trade(self) -> None:
        assert self.under_way().causes(f.Traded) == ["Traded", "AuctionUncrossed", "SetTradingPhase"]

    def test_no_end_of_the_phase_is_left_over(self) -> None:
        session = scenario().given(phase(AUCTION, until=10**6), place(1, BUY, price=100, lots=3, by="maker"))
        session.given(place(2, SELL, price=100, lots=3), phase(CONTINUOUS), proceed())
        assert session.state.timers == []

    def test_a_level_of_many_orders_is_taken_in_turn(self) -> None:
        session = scenario().given(phase(AUCTION))
        session.given(
            *(place(n, SELL, price=100, lots=1) for n in range(1, 6)), place(9, BUY, price=100, lots=5, by="maker")
        )
        session.when(phase(CONTINUOUS), proceed()).then(
            uncrossed(price=100, lots=5), *(traded(n, 9, price=100, lots=1) for n in range(1, 6)), phase_set(CONTINUOUS)
        )
