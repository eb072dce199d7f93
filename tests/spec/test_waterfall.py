"""What a pack may say of liquidations: steps down the brackets, a backstop, who bears what the book does not take."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from events import commands as c
from events import facts as f
from events.commands import INSURANCE, MARKET
from events.instruments import Liquidation, PackError, RulePack
from events.rules import Layer, LiquidationStyle
from events.units import UNIT, Rate
from exchange.core.liquidation.adl import quantile
from exchange.core.margin.model import requirement
from tests.scenario import Scenario, scenario
from tests.spec.tape import snapshot, tape
from tests.spec.words import (
    BUY,
    CLOSED,
    EASY,
    GOLD,
    SELL,
    USD,
    account,
    deposit,
    expired,
    forced_order,
    liquidation_due,
    liquidation_ended,
    liquidation_started,
    mark,
    mark_moved,
    pack,
    place,
    position,
    proceed,
    resting,
    taken_over,
    traded,
)

REDUCED = f.LiquidationOutcome.REDUCED
STEPS, FULL = LiquidationStyle.STEPS, LiquidationStyle.FULL
FUND, ADL, SOCIALISED = Layer.FUND, Layer.ADL, Layer.SOCIALISED


def rules(*layers: Layer, style: LiquidationStyle = FULL, backstop: int = 0, **terms: Any) -> RulePack:
    """The easy pack, with another way to liquidate."""
    return replace(pack(**terms), liquidation=Liquidation(style, Rate(backstop), layers))


def deleveraged(name: str, side: c.Side, *, lots: int, value: int, bankruptcy: int, against: str) -> f.Deleveraged:
    """A position was closed against another one."""
    return f.Deleveraged(name, GOLD, side, lots, value, bankruptcy, against)  # type: ignore[arg-type]


def offered(lots: int) -> f.FundOffered:
    """The fund offered what it holds."""
    return f.FundOffered(GOLD, lots)  # type: ignore[arg-type]


LONG_200 = (account("ann", 4_000, leverage=5), *position(1, BUY, price=100, lots=200, by="ann", against="bob"))
"""Cross, long 200 at 100 with 4,000: the second bracket, from 10,000 of notional on, 10 % less 500."""

BOB = account("bob", 20_000, leverage=5)


class TestSteps:
    """Down into the bracket below, then the due test once more."""

    def given(self, *more: Any) -> Scenario:
        return scenario(rules(FUND, style=STEPS)).given(BOB, *LONG_200, deposit(INSURANCE, 10_000), *more)

    def test_a_slice_that_cures_the_pool_is_the_last_one(self) -> None:
        # at 86: equity 4,000 - 2,800 = 1,200 = 6 a lot, MM 1,720 - 500; 116 lots leave 84 x 86 = 7,224 below 10,000
        session = self.given(resting(5, BUY, price=86, lots=100))
        session.when(mark(86)).then(mark_moved(86), liquidation_due("ann", USD))
        session.when(proceed()).then(
            liquidation_started("ann", USD, equity=1_200, maintenance=1_220),
            forced_order("ann", SELL, lots=84, limit=80, at=86, bankruptcy=800_000),
            traded(5, "ann", price=86, lots=84, side=SELL),
            liquidation_ended("ann", USD, REDUCED, equity=1_200),
        )
        session.holds("ann", lots=116)

    def test_from_the_lowest_bracket_all_is_closed(self) -> None:
        session = scenario(rules(FUND, style=STEPS)).given(
            account("ann", 100), *position(1, BUY, price=100, lots=10, by="ann"), resting(5, BUY, price=94, lots=10)
        )
        session.when(mark(94)).then(mark_moved(94), liquidation_due("ann", USD))
        session.when(proceed()).then(
            liquidation_started("ann", USD, equity=40, maintenance=47),
            forced_order("ann", SELL, lots=10, limit=90, at=94, bankruptcy=900_000),
            traded(5, "ann", price=94, lots=10, side=SELL),
            liquidation_ended("ann", USD, CLOSED, equity=40),
        )


class TestFund:
    """As many lots as leave its equity at 0 or above; then the next layer."""

    def test_it_takes_what_it_can_bear_and_the_ranked_the_rest(self) -> None:
        # bankruptcy at 90, mark at 88: each lot costs the fund 2; it has 8, so 4 lots
        session = scenario(rules(FUND, ADL)).given(
            account("ann", 100), account("bob", 500), *position(1, BUY, price=100, lots=10, by="ann", against="bob"),
            deposit(INSURANCE, 8),
        )  # fmt: skip
        session.when(mark(88)).then(mark_moved(88), liquidation_due("ann", USD))
        session.when(proceed()).then(
            liquidation_started("ann", USD, equity=-20, maintenance=44),
            forced_order("ann", SELL, lots=10, limit=90, at=88, bankruptcy=900_000),
            taken_over("ann", SELL, lots=4, value=360, bankruptcy=900_000),
            deleveraged("ann", SELL, lots=6, value=540, bankruptcy=900_000, against="bob"),
            liquidation_ended("ann", USD, CLOSED, equity=0),
        )
        session.holds("bob", lots=-4)
        assert session.state.accounts[INSURANCE].positions[GOLD].lots == 4

    def test_without_a_further_layer_it_takes_the_rest_too_and_its_deficit_stays_visible(self) -> None:
        session = scenario(rules(FUND)).given(account("ann", 100), *position(1, BUY, price=100, lots=10, by="ann"))
        session.when(mark(88)).then(mark_moved(88), liquidation_due("ann", USD))
        session.when(proceed()).then(
            liquidation_started("ann", USD, equity=-20, maintenance=44),
            forced_order("ann", SELL, lots=10, limit=90, at=88, bankruptcy=900_000),
            taken_over("ann", SELL, lots=10, value=900, bankruptcy=900_000),
            liquidation_ended("ann", USD, CLOSED, equity=0),
        )
        assert requirement(session.state.accounts[INSURANCE].wallets[USD]).equity == -20 * UNIT

    def test_below_zero_it_takes_nothing_even_at_a_price_that_the_mark_has_not_reached(self) -> None:
        # at 94 it took ann's lots at 90 with a gain; at 85 they make it -50, with eve's at 81 it would still be at -10
        session = scenario(rules(FUND, ADL)).given(
            account("ann", 100), account("eve", 190), account("bob", 900),
            *position(1, BUY, price=100, lots=10, by="ann", against="bob"),
            *position(3, BUY, price=100, lots=10, by="eve", against="bob"), mark(94), proceed(),
        )  # fmt: skip
        assert session.state.accounts[INSURANCE].positions[GOLD].lots == 10
        session.when(mark(85)).then(mark_moved(85), liquidation_due("eve", USD))
        session.when(proceed()).then(
            liquidation_started("eve", USD, equity=40, maintenance=43),
            forced_order("eve", SELL, lots=10, limit=81, at=85, bankruptcy=810_000),
            deleveraged("eve", SELL, lots=10, value=810, bankruptcy=810_000, against="bob"),
            liquidation_ended("eve", USD, CLOSED, equity=0),
            offered(10),
        )

    def test_what_it_holds_is_offered_at_the_mark_or_better_when_the_mark_moves(self) -> None:
        session = scenario(rules(FUND)).given(
            account("ann", 100), *position(1, BUY, price=100, lots=10, by="ann"), deposit(INSURANCE, 100),
            mark(88), proceed(),
        )  # fmt: skip
        session.given(resting(5, BUY, price=89, lots=3), resting(6, BUY, price=87, lots=9))
        session.when(mark(88)).then(mark_moved(88)).waits((GOLD, ""))
        session.when(proceed()).then(offered(10), traded(5, INSURANCE, price=89, lots=3, side=SELL)).waits()

    def test_its_offer_ends_an_order_that_has_nothing_left_to_reduce(self) -> None:
        session = scenario(rules(FUND)).given(
            account("ann", 100), *position(1, BUY, price=100, lots=10, by="ann"), deposit(INSURANCE, 100),
            account("cat", 500), *position(3, SELL, price=100, lots=5, by="cat"), mark(88), proceed(),
        )  # fmt: skip
        session.given(resting(5, BUY, price=90, lots=5, by="cat", reduce_only=True))
        session.given(resting(6, SELL, price=95, lots=5), place(7, BUY, price=95, lots=5, by="cat"))
        session.given(resting(8, BUY, price=89, lots=2), mark(88))
        session.when(proceed()).then(
            offered(10), expired(5, 5, f.Expiry.NOTHING_TO_REDUCE),
            traded(8, INSURANCE, price=89, lots=2, side=SELL),
        )  # fmt: skip


class TestDeleveraging:
    """Against the winners first who gained most with most leverage."""

    def test_the_rank_is_profit_times_leverage_and_ties_go_by_name(self) -> None:
        # bob and cat hold the same, dan the same with a tenth of the equity: dan is first
        session = scenario(rules(ADL)).given(account("ann", 300))
        for number, (name, money) in enumerate((("bob", 1_000), ("cat", 1_000), ("dan", 110)), 2):
            session.given(account(name, money))
            session.given(*position(2 * number, BUY, price=100, lots=10, by="ann", against=name))
        session.when(mark(89)).then(mark_moved(89), liquidation_due("ann", USD))
        contract = session.state.contracts[GOLD]
        places = {p.account: quantile(contract, p) for p in contract.holders if p.lots < 0}
        assert places == {"bob": 1, "cat": 1, "dan": 4}
        session.when(proceed()).then(
            liquidation_started("ann", USD, equity=-30, maintenance=134),
            forced_order("ann", SELL, lots=30, limit=90, at=89, bankruptcy=900_000),
            deleveraged("ann", SELL, lots=10, value=900, bankruptcy=900_000, against="dan"),
            deleveraged("ann", SELL, lots=10, value=900, bankruptcy=900_000, against="bob"),
            deleveraged("ann", SELL, lots=10, value=900, bankruptcy=900_000, against="cat"),
            liquidation_ended("ann", USD, CLOSED, equity=0),
        )

    def test_a_second_liquidation_in_the_same_batch_meets_what_the_first_one_left_of_the_queue(self) -> None:
        # dan has least equity and is first, and gone with 10 of ann's 12; 2 of bob's go with the rest of them
        session = scenario(rules(ADL)).given(account("ann", 120), account("eve", 110))
        session.given(account("bob", 1_000), *position(1, BUY, price=100, lots=12, by="ann", against="bob"))
        session.given(account("dan", 110), *position(3, BUY, price=100, lots=10, by="eve", against="dan"))
        session.when(mark(85)).then(mark_moved(85), liquidation_due("ann", USD), liquidation_due("eve", USD))
        session.when(proceed())
        told = [
            (fact.account, fact.against, fact.lots)
            for fact in session.batches[-1].facts
            if isinstance(fact, f.Deleveraged)
        ]
        assert told == [("ann", "dan", 10), ("ann", "bob", 2), ("eve", "bob", 10)]

    def test_who_has_nothing_left_stands_last_in_the_queue(self) -> None:
        session = scenario(rules(ADL)).given(account("ann", 9_000), account("bob", 100), account("cat", 1_000))
        session.given(*position(1, BUY, price=100, lots=10, by="ann", against="bob"))
        session.given(*position(3, BUY, price=100, lots=10, by="ann", against="cat"), mark(112))
        contract = session.state.contracts[GOLD]
        places = {p.account: quantile(contract, p) for p in contract.holders if p.lots < 0}
        assert places == {"bob": 1, "cat": 3}

    def test_market_takes_what_no_trader_holds(self) -> None:
        session = scenario(rules(ADL)).given(account("ann", 100), tape(snapshot({}, {100: 10})))
        session.given(place(1, BUY, price=100, lots=10, by="ann"), tape(snapshot({}, {120: 1}), after=1))
        session.when(mark(88)).then(mark_moved(88), liquidation_due("ann", USD))
        session.when(proceed()).then(
            liquidation_started("ann", USD, equity=-20, maintenance=44),
            forced_order("ann", SELL, lots=10, limit=90, at=88, bankruptcy=900_000),
            deleveraged("ann", SELL, lots=10, value=900, bankruptcy=900_000, against=MARKET),
            liquidation_ended("ann", USD, CLOSED, equity=0),
        )


def test_winners_share_a_loss_that_the_fund_cannot_bear_by_their_profit() -> None:
    # at 88 the fund, without a penny, is at -20 after its takeover; bob gained 84, cat 36
    session = scenario(rules(SOCIALISED)).given(account("ann", 100), account("bob", 500), account("cat", 500))
    session.given(*position(1, BUY, price=100, lots=7, by="ann", against="bob"))
    session.given(*position(3, BUY, price=100, lots=3, by="ann", against="cat"))
    session.when(mark(88)).then(mark_moved(88), liquidation_due("ann", USD))
    session.when(proceed()).then(
        liquidation_started("ann", USD, equity=-20, maintenance=44),
        forced_order("ann", SELL, lots=10, limit=90, at=88, bankruptcy=900_000),
        taken_over("ann", SELL, lots=10, value=900, bankruptcy=900_000),
        f.LossShared("bob", GOLD, 14),  # type: ignore[arg-type]
        f.LossShared("cat", GOLD, 6),  # type: ignore[arg-type]
        liquidation_ended("ann", USD, CLOSED, equity=0),
    )
    assert [requirement(session.state.accounts[n].wallets[USD]).equity // UNIT for n in ("bob", "cat")] == [570, 530]


def test_below_the_backstop_the_fund_takes_over_without_asking_the_book() -> None:
    # two thirds of 45 are 30: at 93 equity is 30 and the book is asked, at 92 it is 20 and the fund takes over
    session = scenario(rules(FUND, backstop=UNIT * 2 // 3)).given(
        account("ann", 100), *position(1, BUY, price=100, lots=10, by="ann"), resting(5, BUY, price=92, lots=10)
    )
    session.when(mark(92)).then(mark_moved(92), liquidation_due("ann", USD))
    session.when(proceed()).then(
        liquidation_started("ann", USD, equity=20, maintenance=46),
        taken_over("ann", SELL, lots=10, value=900, bankruptcy=900_000),
        liquidation_ended("ann", USD, CLOSED, equity=0),
    )


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        (Liquidation(backstop=Rate(2 * UNIT)), "easy: liquidation: backstop lies from 0 to 1"),
        (Liquidation(last_resort=(FUND, FUND)), "easy: liquidation: a layer of last_resort is stated twice"),
    ],
)
def test_rules_that_make_no_sense_are_refused(wrong: Liquidation, line: str) -> None:
    with pytest.raises(PackError, match=line):
        replace(EASY, liquidation=wrong).check()
