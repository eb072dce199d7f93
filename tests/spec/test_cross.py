"""Cross margin: one pool carries all cross positions of a settle asset, and open orders reserve what they may need.

available = max(0, wallet + cross PnL - initial margin - reserves), with the reserve of a symbol
max(|N + bids|, |N - asks|) / leverage - initial margin held, plus open loss and taker fee of its orders.
"""

from __future__ import annotations

import pytest

from events.commands import Side
from events.instruments import Bracket
from events.refusals import Reason
from events.units import Atoms, Rate
from tests.scenario import scenario
from tests.spec.words import (
    BUY,
    ISOLATED,
    PERCENT,
    SELL,
    TIN,
    account,
    cancel,
    deposit,
    mark,
    market,
    pack,
    place,
    position,
    refused,
    rested,
    resting,
    withdraw,
)

ANN = account("ann", 1000)
LONG = (ANN, *position(1, BUY, price=100, lots=10, by="ann"))
SHORT = (ANN, *position(1, SELL, price=100, lots=10, by="ann"))
ONE_PERCENT = 1_000_000


class TestPool:
    """Wallet, profit and loss, and initial margin of all cross positions together."""

    def test_a_position_holds_back_its_notional_at_the_mark_over_leverage(self) -> None:
        scenario().given(*LONG).holds("ann", available=900).given(mark(120)).holds("ann", available=1000 + 200 - 120)
        scenario().given(*SHORT).holds("ann", available=900).given(mark(120)).holds("ann", available=1000 - 200 - 120)

    def test_positions_answer_for_each_other(self) -> None:
        # GOLD gains 200, TIN loses 300; initial margins of 120 and 70
        (
            scenario()
            .given(*LONG, *position(3, BUY, price=100, lots=10, by="ann", on=TIN), mark(120), mark(70, on=TIN))
            .holds("ann", available=1000 + 200 - 300 - 120 - 70, withdrawable=1000 - 100 - 120 - 70)
        )

    def test_a_profit_is_realised_into_the_wallet(self) -> None:
        (
            scenario()
            .given(*LONG, *position(3, SELL, price=112, lots=4, by="ann"))
            .holds("ann", wallet=1048, lots=6, entry_value=600)
        )

    def test_part_of_an_entry_value_is_rounded_down_and_the_rest_stays(self) -> None:
        # 3 lots for 301: closing two releases floor(602 / 3) = 200
        (
            scenario()
            .given(ANN, *position(1, BUY, price=100, lots=2, by="ann"), *position(3, BUY, price=101, lots=1, by="ann"))
            .given(*position(5, SELL, price=101, lots=2, by="ann"))
            .holds("ann", wallet=1002, lots=1, entry_value=101)
        )

    def test_through_zero_the_close_is_realised_and_the_rest_is_a_new_entry(self) -> None:
        (
            scenario(pack(taker_fee=ONE_PERCENT))
            .given(*LONG, *position(3, SELL, price=110, lots=15, by="ann"))
            .holds("ann", wallet=1000 - 10 + 100 - 17, lots=-5, entry_value=-550)
        )


class TestReserves:
    """What open orders hold back."""

    @pytest.mark.parametrize(
        ("orders", "reserve"),
        [
            ([(BUY, 90, 10)], 90),
            ([(SELL, 110, 10)], 110),
            ([(BUY, 90, 10), (SELL, 110, 10)], 110),
            ([(BUY, 90, 10), (BUY, 80, 10)], 170),
            ([(BUY, 90, 20), (SELL, 110, 10)], 180),
        ],
        ids=str,
    )
    def test_without_a_position_the_larger_side_counts(self, orders: list[tuple[Side, int, int]], reserve: int) -> None:
        asked = [resting(n, side, price=price, lots=lots, by="ann") for n, (side, price, lots) in enumerate(orders, 1)]
        scenario().given(ANN, *asked).holds("ann", available=1000 - reserve)

    @pytest.mark.parametrize(
        ("side", "price", "lots", "reserve"),
        [
            # N = 1,000, initial margin held 100
            (BUY, 90, 10, 90),
            (SELL, 110, 10, 0),
            (SELL, 110, 18, 0),
            (SELL, 110, 20, 20),
            (SELL, 200, 20, 200),
        ],
    )
    def test_orders_against_a_position_reserve_only_beyond_it(
        self, side: Side, price: int, lots: int, reserve: int
    ) -> None:
        (
            scenario()
            .given(*LONG, resting(3, side, price=price, lots=lots, by="ann"))
            .holds("ann", available=900 - reserve)
        )

    def test_a_short_mirrors_it(self) -> None:
        # |-1,000 - 900| / 10 - 100 = 90; |-1,000 + 20 x 90| = 800 is less than is held
        scenario().given(*SHORT, resting(3, SELL, price=100, lots=9, by="ann")).holds("ann", available=810)
        scenario().given(*SHORT, resting(3, BUY, price=90, lots=20, by="ann")).holds("ann", available=900)

    def test_the_reserve_follows_the_mark_of_the_position_and_not_of_the_order(self) -> None:
        # bids stay at 900; N = 1,200: uPnL 200, (1,200 + 900) / 10 = 210
        scenario().given(*LONG, resting(3, BUY, price=90, lots=10, by="ann"), mark(120)).holds("ann", available=990)

    def test_an_order_through_the_mark_reserves_its_open_loss_fixed_at_placement(self) -> None:
        # buy 10 at 105 with the mark at 100: 105 + 50; sell 10 at 95: 95 + 50
        buying = scenario().given(ANN, resting(1, BUY, price=105, lots=10, by="ann")).holds("ann", available=845)
        buying.given(mark(105)).holds("ann", available=845).given(mark(90)).holds("ann", available=845)
        scenario().given(ANN, resting(1, SELL, price=95, lots=10, by="ann")).holds("ann", available=855)

    def test_the_taker_fee_is_reserved_for_the_whole_order(self) -> None:
        # 1 % of 1,000, and of the 10 lots that are left at 100 when 5 of 15 were filled with a maker fee of 0
        (
            scenario(pack(taker_fee=ONE_PERCENT))
            .given(ANN, resting(1, BUY, price=100, lots=15, by="ann"))
            .holds("ann", available=1000 - 150 - 15)
            .given(market(2, SELL, lots=5))
            .holds("ann", available=1000 - 150 - 10, wallet=1000)
        )

    def test_open_loss_and_fee_add_up(self) -> None:
        # buy 10 at 105 with the mark at 100: 105 + 50 + 1 % of 1,050
        (
            scenario(pack(taker_fee=ONE_PERCENT))
            .given(ANN, resting(1, BUY, price=105, lots=10, by="ann"))
            .holds("ann", available=1000 - 105 - 50 - 11)
        )

    def test_a_part_filled_order_reserves_for_what_is_open(self) -> None:
        (
            scenario()
            .given(ANN, resting(1, BUY, price=90, lots=10, by="ann"), mark(90), market(2, SELL, lots=4))
            .holds("ann", bids=540 * 10**8, lots=4, available=910)
        )

    def test_nothing_open_reserves_nothing(self) -> None:
        (
            scenario(pack(taker_fee=ONE_PERCENT))
            .given(ANN, resting(1, BUY, price=105, lots=10, by="ann"), resting(2, SELL, price=109, lots=9, by="ann"))
            .given(cancel(1), market(3, BUY, lots=9))
            .holds("ann", bids=0, asks=0, extra=0, open_orders=0)
        )


class TestCarrying:
    """An order that available balance cannot carry is refused."""

    @pytest.mark.parametrize(
        ("side", "price", "needs"),
        [(BUY, 90, 90), (BUY, 100, 100), (BUY, 105, 105 + 50), (SELL, 110, 110), (SELL, 95, 95 + 50)],
    )
    def test_a_limit_order_at_its_own_price(self, side: Side, price: int, needs: int) -> None:
        session = scenario().given(account("ann", needs - 1))
        session.when(place(1, side, price=price, lots=10, by="ann")).then(refused(Reason.INSUFFICIENT_MARGIN))
        session.given(deposit("ann", 1)).when(place(1, side, price=price, lots=10, by="ann")).then(rested(1, 10))

    @pytest.mark.parametrize(
        ("asks", "bids", "side", "needs"),
        [
            # a buy at the best ask and 10 %, where nobody offers at the mark; with the loss against the mark
            ((100,), (), BUY, 110 + 100),
            ((80, 200), (), BUY, 88),
            ((), (), BUY, 100),
            # a sell at the best bid or the mark, whichever is higher
            ((), (90,), SELL, 100),
            ((), (120, 60), SELL, 120),
            ((), (), SELL, 100),
        ],
    )
    def test_a_market_order_as_the_pack_says(
        self, asks: tuple[int, ...], bids: tuple[int, ...], side: Side, needs: int
    ) -> None:
        session = scenario(pack(slippage=10 * ONE_PERCENT)).given(account("ann", needs - 1))
        session.given(*(resting(n, SELL, price=price, lots=5) for n, price in enumerate(asks, 1)))
        session.given(*(resting(n, BUY, price=price, lots=5) for n, price in enumerate(bids, 1)))
        session.when(market(9, side, lots=10, by="ann")).then(refused(Reason.INSUFFICIENT_MARGIN))
        session.given(deposit("ann", 1), market(9, side, lots=10, by="ann"))

    def test_the_reserve_of_a_market_buy_is_rounded_up(self) -> None:
        # 1 % over 33.3333 is beyond the eighth decimal place of a price
        session = scenario(pack(slippage=1), marks=1).given(account("ann", 33), resting(1, SELL, price=3, lots=100))
        session.when(market(2, BUY, lots=100, by="ann")).then(refused(Reason.INSUFFICIENT_MARGIN))

    def test_what_closes_is_carried_even_where_nothing_is_available(self) -> None:
        # at a mark of 55 the pool of 500 has lost 450 and lacks 5 of the initial margin of 55; selling 18 at 60 would
        # leave it short of 530, for which it holds enough
        session = scenario().given(account("ann", 500), *position(1, BUY, price=100, lots=10, by="ann"), mark(55))
        session.holds("ann", available=0)
        session.when(place(3, BUY, price=50, lots=1, by="ann")).then(refused(Reason.INSUFFICIENT_MARGIN))
        session.when(place(3, SELL, price=60, lots=18, by="ann")).then(rested(3, 18))
        session.when(place(4, SELL, price=60, lots=1, by="ann")).then(refused(Reason.INSUFFICIENT_MARGIN))

    def test_an_isolated_order_is_carried_by_the_cross_wallet(self) -> None:
        (
            scenario()
            .given(account("ann", 100, mode=ISOLATED))
            .when(place(1, BUY, price=101, lots=10, by="ann"), place(1, BUY, price=100, lots=10, by="ann"))
            .then(refused(Reason.INSUFFICIENT_MARGIN), rested(1, 10))
            .holds("ann", available=0, wallet=100)
            .given(market(2, SELL, lots=10))
            .holds("ann", available=0, wallet=0, isolated=100)
        )

    def test_an_order_against_an_isolated_position_reserves_beyond_what_its_wallet_holds(self) -> None:
        (
            scenario()
            .given(account("ann", 1000, mode=ISOLATED), *position(1, BUY, price=100, lots=10, by="ann"))
            .given(resting(3, SELL, price=110, lots=10, by="ann"))
            .holds("ann", available=900)
            .given(resting(4, SELL, price=120, lots=10, by="ann"))
            .holds("ann", available=900 - 30)
        )


STEEP = (
    Bracket(Atoms(0), Atoms(2_000), 20, Rate(4 * PERCENT), Atoms(0)),
    Bracket(Atoms(2_000), Atoms(10**12), 5, Rate(19 * PERCENT), Atoms(300)),
)
"""Above a notional of 2,000 a maintenance margin that grows faster than the initial margin at ten times leverage."""


def test_nothing_is_withdrawable_that_would_make_the_account_due_though_initial_margin_would_let_it_go() -> None:
    """Short 19 at 100, at 180: equity 480, IM 342, and MM 19 % of 3,420 less 300: 349.8."""
    told = scenario(pack(brackets=STEEP)).given(account("ann", 2_000), *position(1, SELL, price=100, lots=19, by="ann"))
    told.given(mark(180)).holds("ann", available=138, withdrawable=130)
    told.given(withdraw("ann", 130)).holds("ann", withdrawable=0).waits()
