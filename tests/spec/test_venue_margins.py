"""The margin rules by which venues differ, each on a long or short of 10 lots at 100."""

from __future__ import annotations

import pytest

from events import facts as f
from events.commands import Side
from events.instruments import Bracket
from events.refusals import Reason
from events.rules import DueAt, ExitFee, MaintenanceBasis, MarginModel
from tests.scenario import scenario
from tests.spec.contracts import COIN, OUNCE, inverse, pack_of
from tests.spec.margins import hold, is_due_first_at, margin_of, session
from tests.spec.words import (
    BUY,
    CLOSED,
    GOLD,
    ISOLATED,
    PERCENT,
    SELL,
    TIN,
    USD,
    account,
    add_margin,
    deposit,
    forced_order,
    leverage_set,
    liquidation_due,
    liquidation_ended,
    liquidation_started,
    mark,
    mark_at,
    mark_moved_at,
    open_account,
    place,
    position,
    proceed,
    refused,
    resting,
    set_leverage,
    set_mode,
    traded,
)

UNIT = 10**8


class TestEntryBasis:
    """Maintenance margin is a part of the entry value: no mark moves it. Source: Bybit, USDT contracts."""

    RULES = {"maintenance_basis": MaintenanceBasis.ENTRY}

    def test_it_stays_whatever_the_mark(self) -> None:
        told = session(self.RULES).given(account("ann", 1000), hold(BUY))
        assert [margin_of(told.given(mark(price))).maintenance for price in (100, 150, 60)] == [50 * UNIT] * 3
        assert margin_of(told.given(mark(150))).initial == 150 * UNIT

    @pytest.mark.parametrize(
        ("side", "money", "due", "safe"),
        [
            # 150 - (1,000 - N) <= 50
            (BUY, 150, 900_000, 900_001),
            (SELL, 150, 1_100_000, 1_099_999),
        ],
    )
    def test_cross_is_due_by_the_loss_alone(self, side: Side, money: int, due: int, safe: int) -> None:
        is_due_first_at(session(self.RULES).given(account("ann", money), hold(side)), due, safe, USD)

    @pytest.mark.parametrize(("side", "due", "safe"), [(BUY, 950_000, 950_001), (SELL, 1_050_000, 1_049_999)])
    def test_isolated_is_due_by_the_loss_alone(self, side: Side, due: int, safe: int) -> None:
        is_due_first_at(session(self.RULES).given(account("ann", 500, mode=ISOLATED), hold(side)), due, safe, GOLD)

    def test_the_bracket_is_that_of_the_entry_value(self) -> None:
        # 110 at 100: 10 % of 11,000 less 500, also where they are worth 9,000 or 20,000
        told = session(self.RULES).given(set_leverage("maker", 5))
        told.given(account("ann", 100_000, leverage=5), hold(BUY, lots=110))
        assert margin_of(told).maintenance == 600 * UNIT
        assert margin_of(told.given(mark(82))).maintenance == 600 * UNIT

    def test_an_inverse_contract_by_its_entry_value_in_coin(self) -> None:
        # 150 + 1,000 - N <= 50: N >= 1,100, P <= 90.909090
        told = scenario(pack_of(inverse(), **self.RULES)).given(open_account("ann"), deposit("ann", 150, asset=OUNCE))
        told.given(position(1, BUY, price=100, lots=10, by="ann", on=COIN))
        is_due_first_at(told, 909_090, 909_091, OUNCE, on=COIN)

    def test_with_the_exit_fee_at_the_mark_only_that_moves(self) -> None:
        # 50 + 1 % of N: 150 + N - 1,000 <= 50 + N / 100: N <= 909.0909; the fee for opening is paid beside
        rules = self.RULES | {"exit_fee": ExitFee.AT_MARK}
        told = session(rules, taker_fee=PERCENT).given(account("ann", 160), hold(BUY))
        is_due_first_at(told, 909_090, 909_091, USD)

    def test_a_short_with_the_exit_fee_at_the_mark(self) -> None:
        # 150 + 1,000 - N <= 50 + N / 100: N >= 1,089.1089
        rules = self.RULES | {"exit_fee": ExitFee.AT_MARK}
        told = session(rules, taker_fee=PERCENT).given(account("ann", 160), hold(SELL))
        is_due_first_at(told, 1_089_109, 1_089_108, USD)


class TestExitFeeAtMark:
    """The taker fee for closing at the mark is part of maintenance margin. Source: Gate, OKX."""

    RULES = {"exit_fee": ExitFee.AT_MARK}

    def test_it_is_one_rate_more(self) -> None:
        told = session(self.RULES, taker_fee=PERCENT).given(account("ann", 160), hold(BUY))
        assert margin_of(told) == (150 * UNIT, 100 * UNIT, 60 * UNIT)

    def test_it_makes_a_pool_due_earlier(self) -> None:
        # 150 + N - 1,000 <= 0.06 N: N <= 850 / 0.94 = 904.2553
        told = session(self.RULES, taker_fee=PERCENT).given(account("ann", 160), hold(BUY))
        is_due_first_at(told, 904_255, 904_256, USD)

    def test_orders_reserve_no_more_for_it(self) -> None:
        told = session(self.RULES, taker_fee=PERCENT).given(account("ann", 1000))
        told.given(place(1, BUY, price=100, lots=10, by="ann")).holds("ann", available=1000 - 100 - 10)


class TestExitFeeAtBankruptcy:
    """The taker fee for closing at the bankruptcy price: put aside on opening, part of maintenance. Source: Bybit."""

    RULES = {"exit_fee": ExitFee.AT_BANKRUPTCY}

    @pytest.mark.parametrize(
        ("side", "aside"),
        [
            # 1 % of 1,000 x (1 - 1 / 10), of 1,000 x (1 + 1 / 10)
            (BUY, 9),
            (SELL, 11),
        ],
    )
    def test_opening_an_isolated_position_puts_it_aside(self, side: Side, aside: int) -> None:
        told = session(self.RULES, taker_fee=PERCENT).given(account("ann", 1000, mode=ISOLATED), hold(side))
        told.holds("ann", isolated=100 + aside - 10, wallet=1000 - 100 - aside)

    @pytest.mark.parametrize(
        ("side", "fee"),
        [
            # worth - fee = 1,000 - 99: worth 901 / 0.99, 1 % of it
            (BUY, 9_10101011),
            # worth + fee = 1,000 + 101: 1,101 / 1.01
            (SELL, 10_90099010),
        ],
    )
    def test_maintenance_counts_it_where_the_wallet_is_used_up(self, side: Side, fee: int) -> None:
        told = session(self.RULES, taker_fee=PERCENT).given(account("ann", 1000, mode=ISOLATED), hold(side))
        assert margin_of(told).maintenance == 50 * UNIT + fee

    def test_a_position_backed_in_full_has_no_such_price_and_no_such_fee(self) -> None:
        told = session(self.RULES, taker_fee=PERCENT).given(account("ann", 5000, leverage=1), hold(BUY))
        assert margin_of(told).maintenance == 50 * UNIT

    def test_cross_positions_share_the_wallet_by_their_entry_values(self) -> None:
        told = session(self.RULES, taker_fee=PERCENT).given(account("ann", 490), hold(BUY))
        told.given(position(3, BUY, price=100, lots=30, by="ann", on=TIN)).holds("ann", wallet=450)
        # 490 less fees of 40; 112.5 and 337.5 in whole atoms: 888 / 0.99 = 896.96969697, 2,663 / 0.99 = 2,689.8989899
        assert margin_of(told).maintenance == 200 * UNIT + 8_96969697 + 26_89898990

    def test_an_order_reserves_it(self) -> None:
        told = session(self.RULES, taker_fee=PERCENT).given(account("ann", 1000))
        told.given(place(1, BUY, price=100, lots=10, by="ann")).holds("ann", available=1000 - 100 - 10 - 9)

    def test_it_is_due_where_wallet_and_loss_leave_maintenance_and_fee(self) -> None:
        # 99 + N - 1,000 <= N / 20 + 9.10101011: N <= 910.10101011 / 0.95 = 958.0010632
        told = session(self.RULES, taker_fee=PERCENT).given(account("ann", 1000, mode=ISOLATED), hold(BUY))
        is_due_first_at(told, 958_001, 958_002, GOLD)

    def test_of_an_inverse_contract_a_long_is_bankrupt_where_it_is_worth_more(self) -> None:
        # aside: 1 % of 1,000 x (1 + 1 / 10); wallet 101: worth + fee = 1,101
        rules = pack_of(inverse(taker_fee=PERCENT), **self.RULES)
        told = scenario(rules).given(
            open_account("ann"), deposit("ann", 500, asset=OUNCE), set_mode("ann", ISOLATED, COIN)
        )
        told.given(position(1, BUY, price=100, lots=10, by="ann", on=COIN)).holds("ann", COIN, isolated=101, wallet=389)
        assert margin_of(told, COIN).maintenance == 50 * UNIT + 10_90099010


class TestDueBelow:
    """Due only once equity is below maintenance margin. Source: dYdX, Drift."""

    @pytest.mark.parametrize(("rule", "due"), [(DueAt.AT_MAINTENANCE, 900_000), (DueAt.BELOW_MAINTENANCE, 899_999)])
    @pytest.mark.parametrize("mode", ["cross", "isolated"])
    def test_equity_that_is_just_maintenance(self, rule: DueAt, due: int, mode: str) -> None:
        # 145 - 100 = 45, 5 % of 900; isolated: 100 and 45 added
        told = session({"due_at": rule})
        if mode == "cross":
            is_due_first_at(told.given(account("ann", 145), hold(BUY)), due, due + 1, USD)
        else:
            told.given(account("ann", 500, mode=ISOLATED), hold(BUY), add_margin("ann", 45))
            is_due_first_at(told, due, due + 1, GOLD)

    def test_a_pool_at_its_maintenance_is_left_alone(self) -> None:
        told = session({"due_at": DueAt.BELOW_MAINTENANCE}).given(account("ann", 145), hold(BUY), mark(90))
        told.waits().when(mark_at(899_999), deposit("ann", 1), proceed())
        told.then(
            mark_moved_at(899_999),
            liquidation_due("ann", USD),
            f.Deposited("ann", USD, 1),
            liquidation_ended("ann", USD, f.LiquidationOutcome.CURED, equity=45),
        )


class TestModels:
    """Initial margin as a fixed part of notional, or as a part of notional / leverage."""

    STANDARD = {"margin_model": MarginModel.STANDARD}
    LEVERAGED = {"margin_model": MarginModel.LEVERAGED}

    def test_standard_margin_is_the_same_at_every_leverage(self) -> None:
        told = session(self.STANDARD, initial_margin=20 * PERCENT).given(account("ann", 1000), hold(BUY))
        assert margin_of(told) == (1000 * UNIT, 200 * UNIT, 50 * UNIT)
        told.when(set_leverage("ann", 2)).then(leverage_set("ann", 2)).holds("ann", available=800)

    def test_leveraged_margins_are_parts_of_notional_over_leverage(self) -> None:
        # at 10x: 50 % and 5 % of 100; at 5x of 200
        told = session(self.LEVERAGED, initial_margin=50 * PERCENT).given(account("ann", 1000), hold(BUY))
        assert margin_of(told) == (1000 * UNIT, 50 * UNIT, 5 * UNIT)
        told.when(set_leverage("ann", 5)).then(leverage_set("ann", 5))
        assert margin_of(told) == (1000 * UNIT, 100 * UNIT, 10 * UNIT)

    def test_a_lower_leverage_needs_the_margin_for_it(self) -> None:
        # 1,000 / 4 x 50 % = 125
        told = session(self.LEVERAGED, initial_margin=50 * PERCENT).given(account("ann", 120), hold(BUY))
        told.when(set_leverage("ann", 4)).then(refused(Reason.INSUFFICIENT_MARGIN))
        told.when(set_leverage("ann", 5)).then(leverage_set("ann", 5)).holds("ann", available=20)

    def test_leveraged_maintenance_makes_due_later(self) -> None:
        # 60 + N - 1,000 <= N / 200: N <= 940 / 0.995 = 944.7236
        told = session(self.LEVERAGED, initial_margin=50 * PERCENT).given(account("ann", 60), hold(BUY))
        is_due_first_at(told, 944_723, 944_724, USD)

    def test_leveraged_margin_on_the_entry_value(self) -> None:
        # 5 % of 1,000 / 10: 60 + N - 1,000 <= 5
        rules = self.LEVERAGED | {"maintenance_basis": MaintenanceBasis.ENTRY}
        told = session(rules, initial_margin=50 * PERCENT).given(account("ann", 60), hold(BUY))
        is_due_first_at(told, 945_000, 945_001, USD)

    def test_an_order_and_an_isolated_wallet_take_the_models_margin(self) -> None:
        told = session(self.STANDARD, initial_margin=20 * PERCENT).given(account("ann", 1000, mode=ISOLATED))
        told.given(place(1, BUY, price=90, lots=5, by="ann")).holds("ann", available=910)
        told.given(hold(BUY, number=2)).holds("ann", isolated=200, wallet=800)

    def test_half_of_the_initial_margin_at_the_highest_leverage(self) -> None:
        # Hyperliquid: at most 10x, so 5 %
        brackets = (Bracket(0, 1_000_000, 10, 5 * PERCENT, 0),)
        told = session({}, maintenance_fraction=50 * PERCENT, brackets=brackets).given(account("ann", 1000), hold(BUY))
        assert margin_of(told).maintenance == 50 * UNIT


class TestForcedFee:
    """Fills of a liquidation pay the taker fee; the bankruptcy price leaves room for it. Source: OKX."""

    RULES = {"liquidation_pays_taker_fee": True}

    def test_in_the_book_it_is_paid(self) -> None:
        # 160 less 10; at 88 30 are left of 44; worth 850 after a fee of 1 %: 858.58..., rounded up
        (
            session(self.RULES, taker_fee=PERCENT)
            .given(account("ann", 160), hold(BUY), resting(3, BUY, price=87, lots=10), mark(88))
            .when(proceed())
            .then(
                liquidation_started("ann", USD, equity=30, maintenance=44),
                forced_order("ann", SELL, lots=10, limit=86, at=88, bankruptcy=859_000),
                traded(3, "ann", price=87, lots=10, fees=(0, 9), side=SELL),
                liquidation_ended("ann", USD, CLOSED, equity=11),
            )
        )

    def test_a_short_buys_back_lower(self) -> None:
        # at 112: 30 of 56; 1,150 less a fee of 1 %: 1,138.61, rounded down
        (
            session(self.RULES, taker_fee=PERCENT)
            .given(account("ann", 160), hold(SELL), resting(3, SELL, price=113, lots=10), mark(112))
            .when(proceed())
            .then(
                liquidation_started("ann", USD, equity=30, maintenance=56),
                forced_order("ann", BUY, lots=10, limit=113, at=112, bankruptcy=1_138_000),
                traded(3, "ann", price=113, lots=10, fees=(0, 12), side=BUY),
                liquidation_ended("ann", USD, CLOSED, equity=8),
            )
        )

    def test_an_isolated_wallet_is_not_overdrawn_by_it(self) -> None:
        # wallet 90; worth 910 / 0.99 = 919.19, sold at 92: 80 lost and 10 of fee
        (
            session(self.RULES, taker_fee=PERCENT)
            .given(account("ann", 500, mode=ISOLATED), hold(BUY), resting(3, BUY, price=92, lots=10), mark(95))
            .when(proceed())
            .then(
                liquidation_started("ann", GOLD, equity=40, maintenance=48),
                forced_order("ann", SELL, lots=10, limit=92, at=95, bankruptcy=920_000),
                traded(3, "ann", price=92, lots=10, fees=(0, 10), side=SELL),
                liquidation_ended("ann", GOLD, CLOSED, equity=0),
            )
        )
