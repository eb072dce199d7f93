"""Amendments: a resting order changes its price or size; it keeps its place, goes to the back, takes, or ends."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from events.facts import Expiry
from events.instruments import FeeTier
from events.refusals import Reason
from events.rules import AmendPriority
from tests.scenario import Scenario, scenario
from tests.spec.test_put_off import at, tripping
from tests.spec.words import (
    BUY,
    EASY,
    POST_ONLY,
    SELL,
    account,
    amend,
    amended,
    cancelled,
    expired,
    mark,
    pack,
    place,
    position,
    refused,
    rested,
    resting,
    traded,
)

QUEUE = (resting(1, BUY, price=90, lots=5), resting(2, BUY, price=90, lots=7, by="taker"))
FILLED = (*QUEUE, place(3, SELL, price=90, lots=2, by="taker"))
"""The maker's order 1 has 3 of 5 open."""

NEVER = replace(EASY, amend_priority=AmendPriority.NEVER)


def queue(rules: Any = EASY) -> Scenario:
    """Two buyers at 90: the maker's 5, then the taker's 7."""
    return scenario(rules).given(*QUEUE)


class TestItsPlaceInTheQueue:
    """It is kept where only the size changes, and to less; in all other cases the order goes to the back."""

    def test_less_at_the_same_price_keeps_it(self) -> None:
        queue().when(amend(1, lots=3)).then(amended(1, price=90, lots=3, keeps=True)).book("bid 90: 3#1 7#2")

    def test_the_same_price_may_be_said(self) -> None:
        queue().when(amend(1, price=90, lots=3)).then(amended(1, price=90, lots=3, keeps=True))

    def test_more_at_the_same_price_goes_to_the_back(self) -> None:
        (queue().when(amend(1, lots=6)).then(amended(1, price=90, lots=6), rested(1, lots=6)).book("bid 90: 7#2 6#1"))

    @pytest.mark.parametrize(("price", "book"), [(91, "bid 91: 4#1\nbid 90: 7#2"), (89, "bid 90: 7#2\nbid 89: 4#1")])
    def test_another_price_goes_to_the_back_there(self, price: int, book: str) -> None:
        queue().when(amend(1, price=price, lots=4)).then(amended(1, price=price, lots=4), rested(1, lots=4)).book(book)

    def test_it_joins_those_who_stand_at_its_new_price(self) -> None:
        (
            queue()
            .given(resting(3, BUY, price=91, lots=1))
            .when(amend(2, price=91))
            .then(amended(2, price=91, lots=7), rested(2, lots=7))
            .book("bid 91: 1#3 7#2\nbid 90: 5#1")
        )

    def test_a_venue_that_never_lets_an_order_keep_it(self) -> None:
        (
            queue(NEVER)
            .when(amend(1, lots=3))
            .then(amended(1, price=90, lots=3), rested(1, lots=3))
            .book("bid 90: 7#2 3#1")
        )

    def test_an_order_moves_more_than_once(self) -> None:
        (
            queue()
            .given(amend(1, lots=6), amend(2, lots=8), amend(1, price=91), amend(1, price=90))
            .book("bid 90: 8#2 6#1")
            .holds("maker", bids=6 * 90 * 10**8, open_orders=1)
        )


class TestWhatIsExecuted:
    """Sizes are those of the whole order: what is executed of it counts."""

    @pytest.mark.parametrize(("lots", "book"), [(4, "bid 90: 2#1 7#2"), (3, "bid 90: 1#1 7#2"), (9, "bid 90: 7#2 7#1")])
    def test_what_is_open_is_the_new_size_less_what_is_executed(self, lots: int, book: str) -> None:
        scenario().given(*FILLED, amend(1, lots=lots)).book(book)

    def test_it_stays_executed_over_several_amendments(self) -> None:
        (
            scenario()
            .given(*FILLED, amend(1, price=91), amend(1, lots=6), place(4, SELL, price=91, lots=1, by="taker"))
            .when(amend(1, lots=4))
            .then(amended(1, price=91, lots=4, left=1, keeps=True))
            .book("bid 91: 1#1\nbid 90: 7#2")
        )

    @pytest.mark.parametrize("lots", [2, 1])
    def test_a_size_that_is_executed_already_ends_it(self, lots: int) -> None:
        scenario().given(*FILLED).when(amend(1, lots=lots)).then(cancelled(1, 3)).book("bid 90: 7#2")


class TestAPriceThatCrosses:
    """The order takes like a new one, up to its new price."""

    ASKS = (resting(1, SELL, price=101, lots=5), resting(2, SELL, price=102, lots=5))
    MINE = (*ASKS, place(3, BUY, price=99, lots=8))

    def test_it_takes_and_rests_the_remainder(self) -> None:
        (
            scenario()
            .given(*self.MINE)
            .when(amend(3, price=101))
            .then(amended(3, price=101, lots=8), traded(1, 3, price=101, lots=5), rested(3, lots=3))
            .book("ask 102: 5#2\nbid 101: 3#3")
            .when(amend(3, price=102))
            .then(amended(3, price=102, lots=8, left=3), traded(2, 3, price=102, lots=3))
            .book("ask 102: 2#2")
            .holds("taker", lots=8, entry_value=5 * 101 + 3 * 102, bids=0, extra=0, open_orders=0)
        )

    def test_it_takes_what_is_open_of_it_and_no_more(self) -> None:
        (
            scenario()
            .given(*self.MINE, place(4, SELL, price=99, lots=6, by="maker"))
            .when(amend(3, price=101, lots=9))
            .then(amended(3, price=101, lots=9, left=3), traded(1, 3, price=101, lots=3))
        )

    def test_a_seller_takes_too(self) -> None:
        (
            scenario()
            .given(resting(1, BUY, price=95, lots=2), place(2, SELL, price=99, lots=3))
            .when(amend(2, price=95))
            .then(amended(2, price=95, lots=3), traded(1, 2, price=95, lots=2), rested(2, lots=1))
        )

    def test_a_post_only_order_that_would_take_is_cancelled(self) -> None:
        (
            scenario()
            .given(*self.ASKS, place(3, BUY, price=99, lots=8, tif=POST_ONLY))
            .when(amend(3, price=101))
            .then(cancelled(3, 8))
            .book("ask 102: 5#2\nask 101: 5#1")
        )

    def test_a_post_only_seller_that_would_take_is_cancelled(self) -> None:
        (
            scenario()
            .given(resting(1, BUY, price=95, lots=2), resting(2, SELL, price=99, lots=3, by="taker"))
            .when(amend(2, price=95))
            .then(cancelled(2, 3))
        )

    def test_a_post_only_order_that_takes_nothing_rests(self) -> None:
        (
            scenario()
            .given(*self.ASKS, place(3, BUY, price=99, lots=8, tif=POST_ONLY))
            .when(amend(3, price=100))
            .then(amended(3, price=100, lots=8), rested(3, lots=8))
            .when(amend(3, price=101))
            .then(cancelled(3, 8))
        )


class TestReduceOnly:
    """It only reduces still, and holds back nothing."""

    LONG = (*position(1, BUY, price=100, lots=5, by="taker"), place(3, SELL, price=110, lots=5, reduce_only=True))

    def test_it_moves(self) -> None:
        (
            scenario()
            .given(*self.LONG)
            .when(amend(3, price=109, lots=9))
            .then(amended(3, price=109, lots=9), rested(3, lots=9))
            .holds("taker", asks=0, extra=0)
        )

    def test_it_takes_no_more_than_there_is_to_reduce(self) -> None:
        (
            scenario()
            .given(*self.LONG, amend(3, lots=9), resting(4, BUY, price=99, lots=20))
            .when(amend(3, price=99))
            .then(amended(3, price=99, lots=9), traded(4, 3, price=99, lots=5), expired(3, 4, Expiry.NOTHING_TO_REDUCE))
        )

    def test_there_has_to_be_something_to_reduce(self) -> None:
        (
            scenario()
            .given(*self.LONG, resting(4, BUY, price=100, lots=5), place(5, SELL, price=100, lots=5))
            .when(amend(3, price=109))
            .then(refused(Reason.REDUCE_ONLY_WOULD_INCREASE))
        )


class TestMargin:
    """What the order holds back already is there for what it becomes."""

    # 10x: 9 lots at 100 hold back 90 of 100; the mark is 100.
    ANN = (account("ann", 100), resting(1, BUY, price=100, lots=9, by="ann"))

    def test_what_it_holds_back_counts(self) -> None:
        (
            scenario()
            .given(*self.ANN)
            .holds("ann", available=10)
            .when(amend(1, lots=10))
            .then(amended(1, price=100, lots=10), rested(1, lots=10))
            .holds("ann", available=0)
        )

    @pytest.mark.parametrize("change", [{"lots": 11}, {"price": 112}])
    def test_more_than_that_is_refused_and_the_order_stays(self, change: dict[str, int]) -> None:
        (
            scenario()
            .given(*self.ANN)
            .when(amend(1, **change))
            .then(refused(Reason.INSUFFICIENT_MARGIN))
            .book("bid 100: 9#1")
            .holds("ann", available=10)
        )

    def test_a_seller_counts_what_he_holds_back(self) -> None:
        (
            scenario()
            .given(account("ann", 100), resting(1, SELL, price=100, lots=9, by="ann"))
            .given(amend(1, lots=10))
            .holds("ann", available=0, asks=10 * 100 * 10**8)
            .when(amend(1, lots=11))
            .then(refused(Reason.INSUFFICIENT_MARGIN))
        )

    def test_less_is_never_refused_for_want_of_it(self) -> None:
        # at a mark of 50 each lot of a new order would hold back an open loss of 50
        (
            scenario()
            .given(*self.ANN, mark(50))
            .when(amend(1, lots=8))
            .then(amended(1, price=100, lots=8, keeps=True))
            .holds("ann", available=20)
        )

    def test_a_venue_where_it_goes_to_the_back_asks_for_what_it_holds_back_anew(self) -> None:
        scenario(NEVER).given(*self.ANN, mark(50)).when(amend(1, lots=8)).then(refused(Reason.INSUFFICIENT_MARGIN))

    def test_the_open_loss_is_that_of_the_moment(self) -> None:
        (
            scenario()
            .given(account("ann", 1_000), resting(1, BUY, price=100, lots=9, by="ann"), mark(98))
            .holds("ann", extra=0)
            .given(amend(1, lots=10))
            .holds("ann", extra=10 * 2 * 10**8)
        )

    def test_fee_tiers_say_what_is_put_aside_for_fees(self) -> None:
        tiers = (FeeTier(0, 0, 0), FeeTier(1, 0, 1_000_000))
        told = scenario(replace(EASY, fee_tiers=tiers)).given(*self.ANN, amend(1, lots=8), amend(1, lots=9))
        told.holds("ann", extra=0)


def test_an_order_is_amended_by_its_client_id_and_keeps_it() -> None:
    (
        scenario()
        .given(resting(1, BUY, price=90, lots=5, by="taker", client="mine"))
        .when(amend(by="taker", client="mine", price=91))
        .then(amended(1, price=91, lots=5), rested(1, lots=5))
        .when(amend(by="taker", client="mine", lots=4))
        .then(amended(1, price=91, lots=4, keeps=True))
        .when(place(2, BUY, price=90, lots=5, client="mine"))
        .then(refused(Reason.CLIENT_ID_IN_USE))
    )


RULES = replace(pack(min_lots=2, max_orders=1), max_amendments=2)
ANN = (account("ann", 200), resting(1, BUY, price=50, lots=10, by="ann"))


REFUSALS: list[tuple[Reason, tuple[Any, ...], dict[str, Any]]] = [
    (Reason.UNKNOWN_ACCOUNT, (), {"by": "nobody"}),
    (Reason.UNKNOWN_ORDER, (), {"number": 9, "price": 0}),
    (Reason.UNKNOWN_ORDER, (), {"number": 0, "client": "nobody's", "price": 0}),
    (Reason.PRICE_NOT_POSITIVE, (), {"price": 0, "lots": 0}),
    (Reason.PRICE_OFF_TICK, (), {"price": "50.5", "lots": 0}),
    (Reason.SIZE_NOT_POSITIVE, (), {"lots": 0}),
    (Reason.SIZE_OFF_LOT, (), {"lots": "2.5"}),
    (Reason.SIZE_BELOW_MINIMUM, (), {"lots": 1}),
    (Reason.SIZE_ABOVE_MAXIMUM, (mark(10),), {"lots": 10_001}),
    (Reason.NOTHING_TO_AMEND, (), {}),
    (Reason.NOTHING_TO_AMEND, (), {"price": 50, "lots": 10}),
    (Reason.NOTHING_TO_AMEND, (amend(1, lots=9), amend(1, lots=8)), {"lots": 8}),
    (Reason.TOO_MANY_AMENDMENTS, (amend(1, lots=9), amend(1, lots=8)), {"lots": 9_999}),
    (Reason.NOTIONAL_BELOW_MINIMUM, (), {"price": 4, "lots": 2}),
    (Reason.POSITION_LIMIT_AT_LEVERAGE, (), {"lots": 9_999}),
    (Reason.INSUFFICIENT_MARGIN, (), {"lots": 100}),
]  # fmt: skip


@pytest.mark.parametrize(("reason", "given", "asked"), REFUSALS, ids=lambda row: getattr(row, "value", None))
def test_an_amendment_is_refused_by_the_first_rule_that_it_breaks(
    reason: Reason, given: tuple[Any, ...], asked: dict[str, Any]
) -> None:
    told = scenario(RULES).given(*ANN, *given)
    told.when(amend(**({"number": 1, "by": "ann"} | asked))).then(refused(reason))


def test_an_account_with_as_many_orders_as_it_may_have_amends_them() -> None:
    scenario(RULES).given(*ANN).when(amend(1, price=51)).then(amended(1, price=51, lots=10), rested(1, lots=10))


def test_nothing_is_amended_while_a_liquidation_is_due() -> None:
    due = scenario().given(
        account("ann", 200),
        *position(1, BUY, price=100, lots=10, by="ann"),
        resting(3, BUY, price=50, lots=2, by="ann"),
    )
    due.given(mark(84)).when(amend(3, lots=1)).then(refused(Reason.LIQUIDATION_IN_PROGRESS))


def test_nothing_is_amended_while_trading_is_halted() -> None:
    told = scenario(tripping()).given(resting(1, BUY, price=90, lots=5), at(10, mark(100)), at(20, mark(89)))
    told.when(replace(amend(1, lots=4), at=told.state.now)).then(refused(Reason.TRADING_HALTED))


def test_an_order_that_ended_is_not_amended() -> None:
    queue().given(place(3, SELL, price=90, lots=5)).when(amend(1, lots=9)).then(refused(Reason.UNKNOWN_ORDER))


def test_nobody_amends_what_is_anothers() -> None:
    queue().when(amend(1, lots=4, by="taker")).then(refused(Reason.UNKNOWN_ORDER))
