"""No fill may break its pool: where equity would fall below zero, or added size finds nothing available, it ends."""

from __future__ import annotations

import pytest

from events.facts import Expiry
from events.instruments import MarginMode
from tests.scenario import scenario
from tests.spec.words import (
    BUY,
    CROSS,
    ISOLATED,
    SELL,
    TIN,
    USD,
    account,
    expired,
    liquidation_due,
    mark,
    market,
    pack,
    place,
    position,
    resting,
    traded,
)

ANN = account("ann", 100)


@pytest.mark.parametrize("mode", [CROSS, ISOLATED])
def test_a_market_order_stops_where_its_margin_ends(mode: MarginMode) -> None:
    # 1 at 100 needs 10; 9 more at 120 would lose 180
    (
        scenario()
        .given(account("ann", 100, mode=mode), resting(1, SELL, price=100, lots=1), resting(2, SELL, price=120, lots=9))
        .when(market(3, BUY, lots=10, by="ann"))
        .then(traded(1, 3, price=100, lots=1), expired(3, 9, Expiry.MARGIN_EXHAUSTED))
        .holds("ann", lots=1)
    )


def test_a_limit_order_does_not_rest_what_its_margin_did_not_carry() -> None:
    # 2 lots at 100 reserve 20 and a fee of 2.02; filled one by one they pay 2 each, and 23 - 4 does not carry 20
    (
        scenario(pack(taker_fee=1_010_000))
        .given(account("ann", 23), *(resting(n, SELL, price=100, lots=1) for n in (1, 2)))
        .when(place(3, BUY, price=100, lots=2, by="ann"))
        .then(traded(1, 3, price=100, lots=1, fees=(0, 2)), expired(3, 1, Expiry.MARGIN_EXHAUSTED))
        .holds("ann", wallet=21, available=11)
    )


def test_added_size_has_to_find_initial_margin_at_the_mark() -> None:
    # a sell reserves at the best bid, 100; sold at 50 each of the lots loses 50 at once
    (
        scenario()
        .given(ANN, resting(1, BUY, price=100, lots=1), resting(2, BUY, price=50, lots=9))
        .when(market(3, SELL, lots=10, by="ann"))
        .then(traded(1, 3, price=100, lots=1), expired(3, 9, Expiry.MARGIN_EXHAUSTED))
    )


@pytest.mark.parametrize(("lots", "passes"), [(5, True), (6, False)])
def test_a_cross_close_has_to_leave_the_pool_at_zero_or_above(lots: int, passes: bool) -> None:
    # equity 100 at the mark; each lot sold at 80 loses 20. At zero the pool is whole, and due
    session = scenario().given(
        ANN, *position(1, BUY, price=100, lots=10, by="ann"), resting(3, BUY, price=80, lots=lots)
    )
    session.when(market(4, SELL, lots=lots, by="ann"))
    if passes:
        session.then(traded(3, 4, price=80, lots=lots), liquidation_due("ann", USD))
    else:
        session.then(expired(4, lots, Expiry.MARGIN_EXHAUSTED))


@pytest.mark.parametrize(("lots", "passes"), [(3, True), (4, False)])
def test_a_cross_close_counts_what_the_position_has_lost_already(lots: int, passes: bool) -> None:
    # 200 in the wallet and the mark at 88: equity 80; each lot sold at 68 loses 20 against the mark, and 4 leave 0
    session = scenario().given(account("ann", 199), *position(1, BUY, price=100, lots=10, by="ann"), mark(88))
    session.given(resting(3, BUY, price=68, lots=lots)).when(market(4, SELL, lots=lots, by="ann"))
    if passes:
        session.then(traded(3, 4, price=68, lots=lots), liquidation_due("ann", USD))
    else:
        session.then(expired(4, lots, Expiry.MARGIN_EXHAUSTED))


def test_a_cross_close_counts_the_other_positions_of_the_pool() -> None:
    # TIN has lost 50 of the 200: at most 7 lots may be sold 20 below the mark
    pool = scenario().given(
        account("ann", 200),
        *position(1, BUY, price=100, lots=10, by="ann"),
        *position(3, BUY, price=100, lots=5, by="ann", on=TIN),
        mark(90, on=TIN),
        resting(5, BUY, price=80, lots=10),
    )
    pool.when(market(6, SELL, lots=8, by="ann")).then(expired(6, 8, Expiry.MARGIN_EXHAUSTED))
    pool.when(market(7, SELL, lots=7, by="ann"))
    pool.then(traded(5, 7, price=80, lots=7), liquidation_due("ann", USD))


@pytest.mark.parametrize("mode", [CROSS, ISOLATED])
def test_a_whole_close_needs_nothing_to_be_available(mode: MarginMode) -> None:
    # an order in TIN holds back 90 of 190, the margin of GOLD and what it has lost hold back the rest
    session = scenario().given(account("ann", 190, mode=mode), *position(1, BUY, price=100, lots=10, by="ann"))
    session.given(resting(3, BUY, price=90, lots=10, by="ann", on=TIN), mark(97))
    session.given(resting(4, BUY, price=96, lots=10)).holds("ann", available=0)
    session.when(market(5, SELL, lots=10, by="ann", reduce_only=True)).then(traded(4, 5, price=96, lots=10))
    session.holds("ann", wallet=150, lots=0)


def test_a_reduce_only_order_may_not_break_its_pool_either() -> None:
    (
        scenario()
        .given(ANN, *position(1, BUY, price=100, lots=10, by="ann"), resting(3, BUY, price=80, lots=10))
        .when(market(4, SELL, lots=10, by="ann", reduce_only=True))
        .then(expired(4, 10, Expiry.MARGIN_EXHAUSTED))
    )


def test_through_zero_both_halves_are_measured() -> None:
    # 10 long with 120: sold 20 at 100 it needs 100 for the short; at 91 the close loses 90, the short 90 more
    rich = scenario().given(account("ann", 120), *position(1, BUY, price=100, lots=10, by="ann"))
    rich.given(resting(3, BUY, price=100, lots=20))
    rich.when(market(4, SELL, lots=20, by="ann")).then(traded(3, 4, price=100, lots=20)).holds("ann", lots=-10)
    poor = scenario().given(account("ann", 120), *position(1, BUY, price=100, lots=10, by="ann"))
    poor.given(resting(3, BUY, price=98, lots=20))
    poor.when(market(4, SELL, lots=20, by="ann")).then(expired(4, 20, Expiry.MARGIN_EXHAUSTED)).holds("ann", lots=10)


def test_a_maker_is_never_stopped() -> None:
    # ann's bid at 100 is met when the mark is 70: 10 lots lose 300, three times what she has
    (
        scenario()
        .given(ANN, resting(1, BUY, price=100, lots=10, by="ann"), mark(70))
        .when(market(2, SELL, lots=10))
        .then(traded(1, 2, price=100, lots=10), liquidation_due("ann", USD))
    )
