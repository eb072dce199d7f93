"""Multi-asset cross: all wallets answer together for all cross positions, valued in USD at the index less haircuts.

Of OUNCE, 90 % counts of the first 1,000 atoms and 50 % of the rest. At an index price of 2 the 500 ounces of Ann count
900 USD. GOLD is linear and settles in USD, COIN is inverse and settles in OUNCE.
"""

from __future__ import annotations

from typing import Any

import pytest

from events import commands as c
from events import facts as f
from events.refusals import Reason
from events.rules import MaintenanceBasis
from exchange.core.margin.collateral import Asset
from exchange.core.margin.model import Margin, requirement
from tests.scenario import Scenario, scenario
from tests.spec.contracts import COIN, OUNCE, PAIR, exchange, exchanged, inverse, join, pack_of, price, several_assets
from tests.spec.words import (
    BUY,
    CROSS,
    GOLD,
    ISOLATED,
    SELL,
    TIN,
    USD,
    account,
    cancel,
    deposit,
    expired,
    instrument,
    liquidation_due,
    mark,
    mark_at,
    market,
    mode_set,
    place,
    position,
    refused,
    rested,
    resting,
    set_mode,
    withdraw,
)

UNIT = 10**8
RULES = several_assets()


def session(**rules: Any) -> Scenario:
    return scenario(several_assets(**rules)).given(price(2))


def ann(usd: int = 1000, ounces: int = 500) -> list[Any]:
    """Ann, with all her wallets together."""
    money = [deposit("ann", ounces, asset=OUNCE)] if ounces else []
    return [account("ann", usd), money, join("ann")]


LONG = position(1, BUY, price=100, lots=10, by="ann")
COINS = position(3, BUY, price=100, lots=10, by="ann", on=COIN)


def margin_of(told: Scenario, name: str = "ann") -> Margin:
    pool = told.state.accounts[name].multi
    assert pool is not None
    return requirement(pool)


class TestEquity:
    """Balance x index x (1 - haircut), each tier's haircut for its own slice, plus PnL at the index."""

    @pytest.mark.parametrize(
        ("ounces", "index", "counts"),
        [
            (500, 2, 900),
            (1000, 2, 1800),
            (1500, 2, 1800 + 500),
            (3000, 1, 900 + 1000),
            (1, 3, 2.7),
        ],
    )  # fmt: skip
    def test_a_balance_counts_less_its_haircuts(self, ounces: int, index: int, counts: float) -> None:
        told = session().given(ann(1000, ounces), price(index))
        assert margin_of(told).equity == int((1000 + counts) * UNIT)

    def test_profit_counts_in_full_and_margin_is_valued_at_the_index(self) -> None:
        # GOLD at 110: 100 gained, margin 110 and 55. COIN at 80: 250 lost x 2, margin 125 x 2 and 62.5 x 2
        told = session().given(ann(), LONG, COINS, mark(110), mark(80, on=COIN))
        assert margin_of(told) == (
            (1000 + 900 + 100 - 500) * UNIT, (110 + 250) * UNIT, (55 + 125) * UNIT
        )  # fmt: skip

    def test_a_debt_counts_in_full(self) -> None:
        # 10 bought at 100, sold at 80: 200 lost where 50 were
        told = session(debt_limit=1000).given(ann(50), LONG, position(3, SELL, price=80, lots=10, by="ann"))
        told.holds("ann", wallet=-150)
        assert margin_of(told).equity == (900 - 150) * UNIT

    def test_what_counts_is_rounded_down_and_what_is_required_up(self) -> None:
        # an index of 0.3 and a third of a grain left over: 1 x 0.9 x 0.33333333 = 0.299999997
        told = session().given(ann(0, 1), c.SetIndexPrice(c.Nanos(0), "OUNCE/USD", 33_333_333))
        assert margin_of(told).equity == 29_999_999


class TestAvailable:
    """The same account over all wallets; in a wallet's own asset it is that over the index."""

    def test_all_wallets_carry_a_position_together(self) -> None:
        # 1,000 + 900 less 100 and 100 x 2
        told = session().given(ann(), LONG, COINS)
        told.holds("ann", available=1600).holds("ann", COIN, available=800)

    def test_what_can_be_withdrawn_leaves_the_others_with_enough(self) -> None:
        # all 1,000 USD leave 900 - 300; all ounces leave 1,000 - 300
        told = session().given(ann(), LONG, COINS)
        told.holds("ann", withdrawable=1000).holds("ann", COIN, withdrawable=500)
        # with 100 USD only: 100 + 900 - 300 = 700, of which an ounce carries 1.8: 388.8
        told = session().given(ann(100), LONG, COINS)
        told.holds("ann", withdrawable=100).holds("ann", COIN, withdrawable=388)
        told.when(withdraw("ann", 389, asset=OUNCE)).then(refused(Reason.INSUFFICIENT_BALANCE))
        told.when(withdraw("ann", 388, asset=OUNCE)).then(f.Withdrawn("ann", OUNCE, 388))

    def test_the_slices_that_count_least_go_first(self) -> None:
        # 2,000 ounces count 1,800 + 1,000; 900 of margin leave 1,900: 1,000 of the second slice, 500 of the first
        told = session().given(ann(0, 2000), position(1, BUY, price=100, lots=90, by="ann"))
        told.holds("ann", COIN, withdrawable=1500).given(withdraw("ann", 1500, asset=OUNCE)).holds("ann", available=0)

    def test_a_profit_cannot_be_withdrawn_and_a_loss_is_deducted(self) -> None:
        # at 150: 500 gained, margin 150; at 60: 400 lost, margin 60
        session().given(ann(200, 0), LONG, mark(150)).holds("ann", withdrawable=50, available=550)
        session().given(ann(600, 0), LONG, mark(60)).holds("ann", withdrawable=140, available=140)

    def test_a_wallet_that_owes_has_nothing_to_withdraw(self) -> None:
        told = session(debt_limit=1000).given(ann(50), LONG, position(3, SELL, price=80, lots=10, by="ann"))
        told.holds("ann", withdrawable=0, available=750).holds("ann", COIN, withdrawable=416)

    def test_an_order_is_carried_by_what_other_assets_are_worth(self) -> None:
        # 900 of collateral: 90 at 100
        told = session().given(ann(0))
        told.when(place(1, BUY, price=100, lots=91, by="ann")).then(refused(Reason.INSUFFICIENT_MARGIN))
        told.when(place(1, BUY, price=100, lots=90, by="ann")).then(rested(1, 90)).holds("ann", available=0)

    def test_a_fill_may_not_break_the_pool(self) -> None:
        # 180 of collateral; 10 at 100 need 100; 7 more at 110 need 70 and lose 70 against the mark
        (
            session()
            .given(ann(0, 100), resting(1, SELL, price=100, lots=10), resting(2, SELL, price=110, lots=10))
            .when(market(3, BUY, lots=17, by="ann"))
            .then(f.Traded(GOLD, BUY, 100, 10, 1000, "maker", 1, 0, "ann", 3, 0),
                  expired(3, 7, f.Expiry.MARGIN_EXHAUSTED))
        )  # fmt: skip

    def test_a_close_that_realises_a_loss_beyond_all_collateral_is_stopped(self) -> None:
        # 200 + 0: closing 10 at 75 would lose 250
        (
            session()
            .given(ann(200, 0), LONG, resting(3, BUY, price=75, lots=10))
            .when(market(4, SELL, lots=10, by="ann"))
            .then(expired(4, 10, f.Expiry.MARGIN_EXHAUSTED))
        )


class TestJoining:
    """What is joined must be cross, valued, and carried; what parts must stand on its own."""

    def test_wallets_join_and_part(self) -> None:
        told = session().given(account("ann", 1000), deposit("ann", 500, asset=OUNCE))
        told.when(join("ann")).then(f.CollateralModeSet("ann", True)).holds("ann", available=1900)
        told.when(join("ann")).then(f.CollateralModeSet("ann", True)).holds("ann", available=1900)
        told.when(join("ann", False)).then(f.CollateralModeSet("ann", False)).holds("ann", available=1000)

    def test_a_wallet_that_comes_later_is_part_of_it(self) -> None:
        told = session().given(ann(1000, 0), deposit("ann", 500, asset=OUNCE)).holds("ann", available=1900)
        assert margin_of(told).equity == 1900 * UNIT

    def test_positions_and_orders_come_along(self) -> None:
        told = session().given(account("ann", 200), deposit("ann", 500, asset=OUNCE), LONG)
        told.given(place(3, BUY, price=90, lots=5, by="ann")).holds("ann", available=55)
        told.when(join("ann")).then(f.CollateralModeSet("ann", True)).holds("ann", available=955)

    def test_a_pack_without_collateral_has_no_such_mode(self) -> None:
        told = scenario().given(account("ann", 1000))
        told.when(join("ann")).then(refused(Reason.NOT_COLLATERAL))
        told.when(join("ann", False)).then(refused(Reason.NOT_COLLATERAL))

    @pytest.mark.parametrize(
        "opened", [[], position(1, BUY, price=100, lots=2, by="ann"), place(1, BUY, price=90, lots=2, by="ann")]
    )
    def test_no_instrument_may_be_isolated(self, opened: Any) -> None:
        told = session().given(account("ann", 1000, mode=ISOLATED), opened)
        told.when(join("ann")).then(refused(Reason.MULTI_ASSET_IS_CROSS))

    def test_every_asset_held_needs_its_index(self) -> None:
        told = scenario(RULES).given(account("ann", 1000), deposit("ann", 1, asset=OUNCE))
        told.when(join("ann")).then(refused(Reason.NO_INDEX_PRICE))
        told.given(withdraw("ann", 1, asset=OUNCE)).when(join("ann")).then(f.CollateralModeSet("ann", True))

    def test_an_order_needs_the_index_of_what_it_is_margined_in(self) -> None:
        told = scenario(RULES).given(account("ann", 1000), join("ann"))
        told.when(place(1, BUY, price=100, lots=2, by="ann", on=COIN)).then(refused(Reason.NO_INDEX_PRICE))
        told.when(place(1, BUY, price=100, lots=2, by="ann")).then(rested(1, 2))
        told.given(price(2)).when(place(2, BUY, price=100, lots=2, by="ann", on=COIN)).then(rested(2, 2))

    def test_what_counts_less_may_not_be_enough(self) -> None:
        # alone, 110 ounces carry 10 coins and 100 of margin; less 10 % they are 99
        told = session().given(account("ann"), deposit("ann", 110, asset=OUNCE), COINS)
        told.when(join("ann")).then(refused(Reason.INSUFFICIENT_MARGIN))
        told.given(deposit("ann", 2, asset=OUNCE)).when(join("ann")).then(f.CollateralModeSet("ann", True))

    def test_no_wallet_parts_that_would_be_due_on_its_own(self) -> None:
        told = session(debt_limit=1000).given(ann(50), LONG)
        told.when(join("ann", False)).then(refused(Reason.INSUFFICIENT_MARGIN))
        told.given(deposit("ann", 1)).when(join("ann", False)).then(f.CollateralModeSet("ann", False))

    def test_no_wallet_parts_that_owes(self) -> None:
        told = session(debt_limit=1000).given(ann(50), LONG, position(3, SELL, price=90, lots=10, by="ann"))
        told.holds("ann", wallet=-50).when(join("ann", False)).then(refused(Reason.INSUFFICIENT_MARGIN))

    def test_no_wallet_parts_with_an_order_open(self) -> None:
        told = session().given(ann(), place(1, BUY, price=90, lots=2, by="ann"))
        told.when(join("ann", False)).then(refused(Reason.OPEN_ORDERS_OR_POSITION))
        told.given(cancel(1)).when(join("ann", False)).then(f.CollateralModeSet("ann", False))

    @pytest.mark.parametrize("multi", [True, False])
    def test_neither_during_a_liquidation(self, multi: bool) -> None:
        told = session().given(account("ann", 150), LONG, mark(88))
        told.when(join("ann", multi)).then(refused(Reason.LIQUIDATION_IN_PROGRESS))
        told = session().given(account("bob", 1000, mode=ISOLATED), position(1, BUY, price=100, lots=10, by="bob"))
        told.given(mark(94)).when(join("bob", multi)).then(refused(Reason.LIQUIDATION_IN_PROGRESS))

    def test_multi_asset_mode_is_cross(self) -> None:
        told = session().given(ann())
        told.when(set_mode("ann", ISOLATED)).then(refused(Reason.MULTI_ASSET_IS_CROSS))
        told.when(set_mode("ann", CROSS)).then(mode_set("ann", CROSS))


class TestWatch:
    """A pool bears a box of marks and index prices; whoever parted bears none."""

    def test_an_index_that_leaves_the_box_of_who_parted_touches_nobody(self) -> None:
        told = session().given(ann(), join("ann", False)).when(price(9))
        told.then(f.IndexPriceMoved(PAIR, 9 * UNIT)).waits()

    def test_maintenance_on_the_entry_value_is_part_of_the_box(self) -> None:
        # 180 - (1,000 - N) <= 50 at 87
        told = session(maintenance_basis=MaintenanceBasis.ENTRY).given(ann(0, 100), LONG)
        told.when(mark_at(870_001)).then(f.MarkPriceMoved(GOLD, 870_001))
        told.when(mark_at(870_000)).then(f.MarkPriceMoved(GOLD, 870_000), liquidation_due("ann", "multi"))

    def test_a_box_that_is_set_often_is_kept_once(self) -> None:
        asset = Asset(RULES.collateral[1], RULES.spot[0])
        for n in range(200):
            asset.arm("ann", 100 - n % 7, 200 + n % 5)
            asset.arm("bob", 50, 300)
        assert len(asset.lows) == len(asset.highs) <= 2 * 2 + 66
        asset.index = 150
        assert asset.reached() == []
        asset.index = 204
        assert asset.reached() == ["ann"]
        asset.index = 50
        assert asset.reached() == ["bob"]
        assert not asset.boxes


class TestExchange:
    """A trader exchanges what the pool can spare; the fees are those of the pairs."""

    def test_at_the_index_less_the_fee(self) -> None:
        # 100 x 2 = 200, 1 % of that
        told = session(fee=UNIT // 100).given(ann())
        told.when(exchange("ann", 100)).then(exchanged("ann", 100, 198, 2))
        told.holds("ann", wallet=1198).holds("ann", COIN, wallet=400).holds(c.MARKET, COIN, wallet=100)
        told.holds(c.MARKET, wallet=-200)

    def test_back_again_rounds_down_and_its_fee_up(self) -> None:
        # 101 / 2 = 50.5; 1 % of 50
        told = session(fee=UNIT // 100).given(ann())
        told.when(exchange("ann", 101, asset=USD, into=OUNCE)).then(exchanged("ann", 101, 49, 1, asset=USD, into=OUNCE))

    def test_each_wallet_on_its_own_gives_what_can_be_withdrawn(self) -> None:
        told = session().given(account("ann", 150), LONG)
        told.when(exchange("ann", 51, asset=USD, into=OUNCE)).then(refused(Reason.INSUFFICIENT_BALANCE))
        told.when(exchange("ann", 50, asset=USD, into=OUNCE)).then(exchanged("ann", 50, 25, asset=USD, into=OUNCE))

    def test_together_they_give_up_to_the_balance(self) -> None:
        told = session().given(ann())
        told.when(exchange("ann", 501)).then(refused(Reason.INSUFFICIENT_BALANCE))
        told.when(exchange("ann", 500)).then(exchanged("ann", 500, 1000)).holds("ann", available=2000)

    def test_together_they_keep_what_positions_need(self) -> None:
        # 100 + 0 carry 10 at 100; 20 USD would become 10 ounces that count 18
        told = session().given(ann(100, 0), LONG)
        told.when(exchange("ann", 20, asset=USD, into=OUNCE)).then(refused(Reason.INSUFFICIENT_MARGIN))
        told.given(deposit("ann", 2)).when(exchange("ann", 20, asset=USD, into=OUNCE)).then(
            exchanged("ann", 20, 10, asset=USD, into=OUNCE)
        )

    def test_a_pool_that_is_short_of_margin_may_still_exchange_for_what_counts_more(self) -> None:
        # at 94: 50 + 90 - 60 - 94 is short by 14, and each ounce in USD counts 0.2 more
        told = session().given(ann(50, 50), LONG, mark(94)).holds("ann", available=0)
        told.when(exchange("ann", 10)).then(exchanged("ann", 10, 20))


def test_a_pack_may_have_only_the_valuation_asset_as_collateral() -> None:
    told = scenario(pack_of(instrument(GOLD), instrument(TIN), valuation=USD, collateral=(RULES.collateral[0],)))
    told.given(account("ann", 100)).when(join("ann")).then(f.CollateralModeSet("ann", True)).holds("ann", available=100)


def test_an_inverse_contract_alone_can_be_carried_by_dollars() -> None:
    told = scenario(several_assets(inverse())).given(price(2))
    told.given(account("ann", 300), join("ann"), position(1, BUY, price=100, lots=10, by="ann", on=COIN))
    # 300 - 100 x 2; a lot more would need 20
    told.holds("ann", COIN, available=50, withdrawable=0)
