"""Debts of multi-asset mode: exchanged beyond their limits, charged with interest, covered when all is liquidated.

At an index price of 2 an ounce is worth two dollars and counts 1.8 of them.
"""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from events import commands as c
from events import facts as f
from events.commands import INSURANCE
from events.instruments import AssetId, Collateral, HaircutTier, InstrumentId, SpotPair
from events.refusals import Reason
from events.units import Rate
from tests.scenario import Scenario, scenario
from tests.spec.contracts import (
    COIN,
    HOUR,
    OUNCE,
    PAIR,
    exchange,
    exchanged,
    hedge,
    inverse,
    join,
    later,
    price,
    several_assets,
    transfer,
)
from tests.spec.words import (
    BUY,
    CLOSED,
    CURED,
    GOLD,
    PERCENT,
    SELL,
    USD,
    account,
    deficit_covered,
    deposit,
    deposited,
    expired,
    fee_charged,
    forced_order,
    funding,
    instrument,
    liquidation_due,
    liquidation_ended,
    liquidation_started,
    mark,
    mark_moved,
    place,
    position,
    proceed,
    refused,
    resting,
    set_leverage,
    taken_over,
    traded,
    withdraw,
)

MULTI = "multi"


def session(**rules: Any) -> Scenario:
    return scenario(several_assets(**rules)).given(price(2))


def ann(usd: int = 0, ounces: int = 500) -> list[Any]:
    money = [deposit("ann", ounces, asset=OUNCE)] if ounces else []
    return [account("ann", usd), money, join("ann")]


def lose(amount: int, number: int = 1) -> list[Any]:
    """Ann buys 10 at 100 and sells them for less."""
    return [
        *position(number, BUY, price=100, lots=10, by="ann"),
        resting(number + 2, BUY, price=100 - amount // 10, lots=10),
        place(number + 3, SELL, price=100 - amount // 10, lots=10, by="ann", reduce_only=True),
    ]


def exchange_due(name: str = "ann") -> Any:
    return f.ExchangeDue(name)


def debts_exchanged(name: str = "ann") -> Any:
    return f.DebtsExchanged(name)


SHELL = Collateral(AssetId("SHELL"), (HaircutTier(Rate(50 * PERCENT)),), InstrumentId("SHELL/USD"))
TWO = several_assets(fee=PERCENT)
THREE = replace(
    several_assets(),
    spot=(*several_assets().spot, SpotPair(InstrumentId("SHELL/USD"), AssetId("SHELL"), USD)),
    collateral=(*several_assets().collateral, SHELL),
).check()
THREE_FEES = replace(
    THREE, spot=(*TWO.spot, SpotPair(InstrumentId("SHELL/USD"), AssetId("SHELL"), USD, Rate(2 * PERCENT)))
).check()


class TestExchange:
    """A debt above its limit is exchanged at once; then all of it, fees included, at the least cost."""

    def test_a_debt_at_its_limit_stays_and_one_above_it_goes(self) -> None:
        told = session(debt_limit=100).given(ann(), lose(100)).holds("ann", wallet=-100).waits()
        told.given(lose(10, number=5)).holds("ann", wallet=-110).waits(("ann", ""))
        told.when(proceed()).then(exchanged("ann", 55, 110), debts_exchanged()).waits()
        told.holds("ann", wallet=0).holds("ann", COIN, wallet=445)

    def test_it_is_said_in_the_batch_that_made_it(self) -> None:
        told = session().given(ann(), position(1, BUY, price=100, lots=10, by="ann"))
        told.given(resting(3, BUY, price=90, lots=10)).when(place(4, SELL, price=90, lots=10, by="ann"))
        told.then(traded(3, 4, price=90, lots=10), exchange_due())
        assert told.causes() == ["ExchangeDue", "Traded", "PlaceOrder"]
        told.given(proceed())
        assert told.causes() == ["DebtsExchanged", "ExchangeDue", "Traded", "PlaceOrder"]

    @pytest.mark.parametrize(
        ("loss", "given", "received", "fee"),
        [
            # 1 %: 152 x 2 = 304, less 3.04 rounded up; 151 x 2 = 302, less 4, would not be enough
            (300, 152, 300, 4),
            # 51 x 2 = 102, less 2
            (100, 51, 100, 2),
            # 5 x 2 = 10 would leave 9; 6 x 2 = 12, less 1, are one more than is owed
            (10, 6, 11, 1),
        ],
    )
    def test_the_least_that_pays_it_with_its_fee(self, loss: int, given: int, received: int, fee: int) -> None:
        told = session(fee=PERCENT).given(ann(), lose(loss)).when(proceed())
        told.then(exchanged("ann", given, received, fee), debts_exchanged()).holds("ann", wallet=received - loss)

    def test_where_there_is_not_enough_all_is_given_and_the_pool_below_zero_is_due(self) -> None:
        # 60 ounces count 108 and fetch 120 less 20 %
        told = session(fee=20 * PERCENT).given(ann(5, 60), lose(110)).holds("ann", wallet=-105)
        told.when(proceed()).then(exchanged("ann", 60, 96, 24), debts_exchanged(), liquidation_due("ann", MULTI))
        told.given(deposit(INSURANCE, 500)).when(proceed()).then(
            liquidation_started("ann", MULTI, equity=-9, maintenance=0),
            deficit_covered("ann", USD, 9),
            liquidation_ended("ann", MULTI, CLOSED, equity=0),
        )

    def test_a_debt_in_coin_is_paid_in_dollars(self) -> None:
        # 10 at 100 bought and 10 at 80 sold: 250 ounces lost; 500 dollars for them
        told = session().given(ann(1000, 0), position(1, BUY, price=100, lots=10, by="ann", on=COIN))
        told.given(position(3, SELL, price=80, lots=10, by="ann", on=COIN)).holds("ann", COIN, wallet=-250)
        told.when(proceed()).then(exchanged("ann", 500, 250, asset=USD, into=OUNCE), debts_exchanged())

    def test_of_an_asset_without_an_index_nothing_is_given_until_it_has_one(self) -> None:
        # a profit of 500 lets 300 of funding be owed
        told = scenario(several_assets()).given(account("ann", 100), join("ann"), deposit("ann", 150, asset=OUNCE))
        told.given(position(1, BUY, price=100, lots=10, by="ann"), mark(150), funding(20 * PERCENT), proceed())
        told.holds("ann", wallet=-200).waits()
        told.when(price(2)).then(f.IndexPriceMoved(PAIR, 2 * 10**8), exchange_due())
        told.when(proceed()).then(exchanged("ann", 100, 200), debts_exchanged())

    def test_assets_are_given_in_the_order_of_the_pack(self) -> None:
        # 60 x 2, and 180 shells at 1
        told = scenario(THREE).given(price(2), price(1, on="SHELL/USD"), ann(0, 60), deposit("ann", 500, asset="SHELL"))
        told.given(lose(300)).when(proceed())
        told.then(exchanged("ann", 60, 120), exchanged("ann", 180, 180, asset="SHELL"), debts_exchanged())

    def test_an_exchange_of_two_bases_costs_the_fees_of_both_pairs(self) -> None:
        # 50 x 2 = 100, 1 % + 2 % of that
        told = scenario(THREE_FEES).given(price(2), price(1, on="SHELL/USD"), ann(0, 60))
        told.when(exchange("ann", 50, into="SHELL")).then(exchanged("ann", 50, 97, 3, into="SHELL"))

    @pytest.mark.parametrize(("asset", "into"), [(OUNCE, "SHELL"), ("SHELL", OUNCE)])
    def test_nothing_is_exchanged_without_both_indices(self, asset: str, into: str) -> None:
        told = scenario(THREE).given(price(2), ann(0, 60))
        told.when(exchange("ann", 1, asset, into)).then(refused(Reason.NO_INDEX_PRICE))

    def test_deposits_come_before_the_queue_does(self) -> None:
        told = session().given(ann(), lose(100)).waits(("ann", ""))
        told.when(deposit("ann", 100)).then(deposited("ann", 100))
        told.when(proceed()).then(debts_exchanged()).holds("ann", COIN, wallet=500)

    def test_who_parts_meanwhile_owes_nothing_and_leaves_the_queue(self) -> None:
        told = session().given(ann(), lose(100), deposit("ann", 100)).waits(("ann", ""))
        told.when(join("ann", False)).then(f.CollateralModeSet("ann", False)).waits()

    def test_a_debt_that_grows_with_the_queue_waiting_waits_once(self) -> None:
        told = session().given(ann(), lose(100), lose(50, number=5)).waits(("ann", ""))
        told.when(proceed()).then(exchanged("ann", 75, 150), debts_exchanged())

    def test_a_trader_may_pay_it_before(self) -> None:
        told = session().given(ann(), lose(100)).when(exchange("ann", 50)).then(exchanged("ann", 50, 100))
        told.when(proceed()).then(debts_exchanged())


class TestInterest:
    """What is owed of an asset costs its rate at every whole interval, rounded up."""

    def told(self, **rules: Any) -> Scenario:
        return session(debt_limit=1000, interest=PERCENT, interest_interval=HOUR, **rules)

    def test_a_debt_grows_by_its_interest(self) -> None:
        # 1 % of 150, twice; then of 152 rounded up
        told = self.told().given(ann(), lose(150))
        told.when(later(HOUR)).then(f.InterestDue()).waits(("", ""))
        told.when(proceed()).then(f.InterestPaid("ann", USD, 2)).holds("ann", wallet=-152).waits()
        told.when(later(2 * HOUR), proceed()).then(f.InterestDue(), f.InterestPaid("ann", USD, 2))
        told.holds("ann", wallet=-154)

    def test_nobody_waits_where_nobody_owes(self) -> None:
        self.told().given(ann(100)).when(later(HOUR)).then(f.InterestDue()).waits()

    def test_a_wallet_of_its_own_pays_none(self) -> None:
        self.told().given(account("bob", 100)).when(later(HOUR)).then(f.InterestDue()).waits()

    def test_a_free_asset_costs_nothing(self) -> None:
        told = session(debt_limit=1000, interest_interval=HOUR).given(ann(), lose(150))
        told.when(later(HOUR)).then(f.InterestDue()).waits()

    def test_intervals_that_passed_unseen_are_made_up_for_one_by_one(self) -> None:
        told = self.told().given(ann(), lose(150))
        told.when(later(3 * HOUR + 1), proceed()).then(*[f.InterestDue()] * 3, *[f.InterestPaid("ann", USD, 2)] * 3)
        told.when(later(4 * HOUR - 1)).then().when(later(4 * HOUR)).then(f.InterestDue())

    def test_intervals_without_a_debt_are_passed_over(self) -> None:
        self.told().given(ann()).when(later(99 * HOUR)).then(f.InterestDue())

    def test_it_is_paid_before_the_account_does_anything(self) -> None:
        told = self.told().given(ann(), lose(150), later(HOUR))
        told.when(deposit("ann", 152)).then(f.InterestPaid("ann", USD, 2), deposited("ann", 152)).waits()
        told.holds("ann", wallet=0)

    def test_it_is_paid_before_money_from_another_account_pays_the_debt(self) -> None:
        told = self.told().given(ann(), lose(150), later(HOUR))
        told.when(transfer("maker", 152, "ann")).then(
            f.InterestPaid("ann", USD, 2), f.Transferred("maker", USD, 152, "ann")
        )  # fmt: skip
        told.waits().holds("ann", wallet=0)

    def test_it_may_bring_a_debt_beyond_its_limit(self) -> None:
        told = session(debt_limit=150, interest=PERCENT, interest_interval=HOUR).given(ann(), lose(150)).waits()
        told.when(later(HOUR), proceed()).then(
            f.InterestDue(), f.InterestPaid("ann", USD, 2), exchange_due()
        )  # fmt: skip
        told.when(proceed()).then(exchanged("ann", 76, 152), debts_exchanged())


class TestLiquidation:
    """The pool is due as any other; its debts are covered by what is left, then by the fund wallet by wallet."""

    def test_an_index_that_falls_makes_it_due(self) -> None:
        # 100 ounces at 1 count 90; 1,000 / 10 was asked, 5 % is 50. At 2: 180
        told = session().given(ann(0, 100), position(1, BUY, price=100, lots=10, by="ann"))
        told.when(price(1)).then(f.IndexPriceMoved("OUNCE/USD", 10**8))
        told.when(c.SetIndexPrice(c.Nanos(0), "OUNCE/USD", 55_555_556)).then(f.IndexPriceMoved("OUNCE/USD", 55_555_556))
        told.when(c.SetIndexPrice(c.Nanos(0), "OUNCE/USD", 55_555_555)).then(
            f.IndexPriceMoved("OUNCE/USD", 55_555_555), liquidation_due("ann", MULTI)
        )
        assert told.causes() == ["LiquidationDue", "IndexPriceMoved", "SetIndexPrice"]

    def test_an_index_that_rises_makes_it_due_where_coin_is_owed_or_lost(self) -> None:
        # 300 dollars; COIN at 90 is worth 1,111.11: 111.11 lost and 55.56 asked, 333.33 at an index of 2
        told = session().given(ann(500, 0), position(1, BUY, price=100, lots=10, by="ann", on=COIN), mark(90, on=COIN))
        told.when(price(3)).then(f.IndexPriceMoved("OUNCE/USD", 3 * 10**8), liquidation_due("ann", MULTI))

    def test_a_mark_makes_it_due_at_the_first_unit(self) -> None:
        # 180 - (1,000 - N) <= N / 20: N <= 863.157: at 86.3157
        told = session().given(ann(0, 100), position(1, BUY, price=100, lots=10, by="ann"))
        told.when(c.SetMarkPrice(c.Nanos(0), GOLD, 863_158)).then(f.MarkPriceMoved(GOLD, 863_158))
        told.when(c.SetMarkPrice(c.Nanos(0), GOLD, 863_157)).then(
            f.MarkPriceMoved(GOLD, 863_157), liquidation_due("ann", MULTI)
        )

    def test_positions_close_and_the_debt_is_paid_in_ounces(self) -> None:
        # at 86: 180 - 140 = 40 of 43; sold at 85 in the book: 150 lost, 75 ounces; fee 1 % of 850 finds no dollars
        (
            session()
            .given(ann(0, 100), position(1, BUY, price=100, lots=10, by="ann"), resting(3, BUY, price=85, lots=10))
            .given(place(5, BUY, price=50, lots=1, by="ann"))
            .when(mark(86), proceed())
            .then(
                mark_moved(86),
                liquidation_due("ann", MULTI),
                liquidation_started("ann", MULTI, equity=40, maintenance=43),
                expired(5, 1, f.Expiry.LIQUIDATION),
                forced_order("ann", SELL, lots=10, limit=82, at=86),
                traded(3, "ann", price=85, lots=10, side=SELL),
                exchanged("ann", 75, 150),
                liquidation_ended("ann", MULTI, CLOSED, equity=45),
            )
            .holds("ann", wallet=0)
            .holds("ann", COIN, wallet=25)
        )

    def test_what_the_ounces_do_not_pay_the_fund_does(self) -> None:
        # at 70: 180 - 300 = -120, bankrupt at 82 and taken over there: 180 lost, 90 ounces; nothing is missing
        told = session().given(ann(0, 100), position(1, BUY, price=100, lots=10, by="ann"), deposit(INSURANCE, 500))
        told.when(mark(70), proceed()).then(
            mark_moved(70),
            liquidation_due("ann", MULTI),
            liquidation_started("ann", MULTI, equity=-120, maintenance=35),
            forced_order("ann", SELL, lots=10, limit=82, at=70),
            taken_over("ann", SELL, lots=10, value=820),
            exchanged("ann", 90, 180),
            liquidation_ended("ann", MULTI, CLOSED, equity=18),
        )
        told.holds("ann", COIN, wallet=10).holds(INSURANCE, lots=10, entry_value=820)

    def test_a_debt_without_a_position_is_covered_by_the_fund(self) -> None:
        # 100 lost and owed; at an index of 0.5 the 100 ounces count 45 and fetch 50
        told = session(debt_limit=1000).given(ann(0, 100), lose(100), deposit(INSURANCE, 500))
        told.when(c.SetIndexPrice(c.Nanos(0), "OUNCE/USD", 50_000_000)).then(
            f.IndexPriceMoved("OUNCE/USD", 50_000_000), liquidation_due("ann", MULTI)
        )
        told.when(proceed()).then(
            liquidation_started("ann", MULTI, equity=-55, maintenance=0),
            exchanged("ann", 100, 50),
            deficit_covered("ann", USD, 50),
            liquidation_ended("ann", MULTI, CLOSED, equity=0),
        )
        told.holds("ann", wallet=0).holds("ann", COIN, wallet=0).holds(INSURANCE, wallet=450)

    def test_a_wallet_pays_the_fee_of_what_closed_in_its_asset_as_far_as_it_goes(self) -> None:
        # 200 - 150 are left of the dollars, 1 % of 850; of ounces nothing is taken for it
        rules = several_assets(instrument(GOLD, liquidation_fee=PERCENT), inverse())
        told = scenario(rules).given(price(2), ann(200, 0), position(1, BUY, price=100, lots=10, by="ann"))
        told.given(resting(3, BUY, price=85, lots=10)).when(mark(84), proceed()).then(
            mark_moved(84),
            liquidation_due("ann", MULTI),
            liquidation_started("ann", MULTI, equity=40, maintenance=42),
            forced_order("ann", SELL, lots=10, limit=80, at=84),
            traded(3, "ann", price=85, lots=10, side=SELL),
            fee_charged("ann", USD, 9),
            liquidation_ended("ann", MULTI, CLOSED, equity=41),
        )

    def test_positions_of_two_assets_close_by_their_margin_at_the_index(self) -> None:
        # 400 dollars. GOLD at 90: -100, 45 asked. COIN at 90: -111.1 ounces, 55.6 asked: 222.2 and 111.1 dollars
        told = session().given(ann(450, 0), position(1, BUY, price=100, lots=10, by="ann"))
        told.given(position(3, BUY, price=100, lots=10, by="ann", on=COIN), deposit(INSURANCE, 500))
        told.given(mark(90, on=COIN), mark(90))
        told.waits(("ann", MULTI))
        facts = told.run(proceed())
        closed = [fact.instrument for fact in facts if isinstance(fact, f.TakenOver)]
        assert closed == [COIN, GOLD]
        assert isinstance(facts[-1], f.LiquidationEnded)
        assert facts[-1].equity >= 0
        told.holds("ann", wallet=0).holds("ann", COIN, lots=0, wallet=0)

    @pytest.mark.parametrize(
        "asked",
        [
            withdraw("ann", 1, asset=OUNCE),
            exchange("ann", 1),
            exchange("ann", 1, asset=USD, into=OUNCE),
            transfer("ann", 1, "maker"),
            place(9, BUY, price=50, lots=1, by="ann"),
            place(9, BUY, price=50, lots=1, by="ann", on=COIN),
            set_leverage("ann", 5),
            join("ann", False),
            hedge("ann"),
        ],
        ids=lambda asked: type(asked).__name__,
    )
    def test_it_is_closed_while_it_is_due(self, asked: Any) -> None:
        told = session().given(ann(0, 100), position(1, BUY, price=100, lots=10, by="ann"), mark(86))
        told.when(asked).then(refused(Reason.LIQUIDATION_IN_PROGRESS))

    def test_a_deposit_of_any_asset_cures_it(self) -> None:
        told = session().given(ann(0, 100), position(1, BUY, price=100, lots=10, by="ann"), mark(86))
        told.given(deposit("ann", 10)).when(proceed()).then(liquidation_ended("ann", MULTI, CURED, equity=50))

    def test_a_debt_that_waited_first_is_exchanged_first(self) -> None:
        # 180 - 100 = 80 carry 7; at 90 10 are left of them, and 31.5 needed
        told = session().given(ann(0, 100), lose(100), position(5, BUY, price=100, lots=7, by="ann"))
        told.when(mark(90)).then(mark_moved(90), liquidation_due("ann", MULTI)).waits(("ann", ""), ("ann", MULTI))
        told.when(proceed()).then(
            exchanged("ann", 50, 100),
            debts_exchanged(),
            # 50 ounces count 90; 70 lost
            liquidation_started("ann", MULTI, equity=20, maintenance=32),
            forced_order("ann", SELL, lots=7, limit=88, at=90, bankruptcy=871_429),
            taken_over("ann", SELL, lots=7, value=610, bankruptcy=871_429),
            exchanged("ann", 45, 90),
            liquidation_ended("ann", MULTI, CLOSED, equity=9),
        )

    def test_an_exchange_waits_behind_a_liquidation_that_it_found(self) -> None:
        # due and in debt at once: only the liquidation is said
        told = session().given(ann(0, 100), position(1, BUY, price=100, lots=10, by="ann"), mark(88))
        told.when(funding(3 * PERCENT), proceed())
        told.then(
            f.FundingDue(GOLD, 3 * PERCENT, 880_000),
            f.FundingPaid("maker", GOLD, 26),
            f.FundingPaid("ann", GOLD, -27),
            liquidation_due("ann", MULTI),
        )
