"""The report of a session, worked out by hand: what became of the money of its accounts.

A lot is worth an atom a tick; makers pay 1 %, takers 2 %; every command comes a second after the one before.
"""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from events import facts as f
from events.commands import INSURANCE
from events.rules import Layer
from events.units import UNIT
from replay.report import Parts, Role
from tests.reporting import FEES, ann_of, nonzero, report_of, story
from tests.scenario import Scenario, scenario
from tests.spec.contracts import (
    COIN,
    HOUR,
    LONG,
    OUNCE,
    SHORT,
    dated,
    exchange,
    hedge,
    index,
    inverse,
    join,
    later,
    pack_of,
    price,
    several_assets,
    transfer,
)
from tests.spec.test_waterfall import STEPS, rules
from tests.spec.words import (
    BUY,
    GOLD,
    ISOLATED,
    PERCENT,
    SELL,
    TIN,
    USD,
    account,
    add_margin,
    deposit,
    mark,
    market,
    open_account,
    pack,
    place,
    position,
    proceed,
    resting,
    withdraw,
)


class TestMoney:
    """What came in, what was earned and what it cost add up to what is there."""

    def test_each_part_is_what_the_trades_say(self) -> None:
        # bought for 5,000 + 5,100, fees 100 + 102; sold for 4,000 + 6,000, fees 40 + 60; 1 % of 9,000 as funding
        parts = ann_of(story()).whole(USD)
        assert nonzero(parts) == {
            "deposited": 5_000, "realised": -100, "maker_fees": 100, "taker_fees": 202, "funding": -90,
        }  # fmt: skip
        assert (parts.brought_in, parts.gross, parts.fees, parts.earned) == (5_000, -100, 302, -492)
        assert story().position("ann").wallet.balance == 4_508 == parts.brought_in + parts.earned

    def test_parts_belong_to_instruments_as_far_as_they_can(self) -> None:
        session = story().given(position(20, BUY, price=100, lots=10, by="ann", on=TIN), withdraw("ann", 8))
        by = ann_of(session).parts[USD]
        assert list(by) == ["", GOLD, TIN]
        assert nonzero(by[""]) == {"deposited": 5_000, "withdrawn": 8}
        assert nonzero(by[GOLD]) == {"realised": -100, "maker_fees": 100, "taker_fees": 202, "funding": -90}
        assert nonzero(by[TIN]) == {"taker_fees": 20}

    def test_transfers_are_no_profit_of_who_gets_them(self) -> None:
        session = scenario().given(account("ann", 100), account("bob", 0), transfer("ann", 30, "bob"))
        report = report_of(session)
        for name, brought, transferred in (("ann", 70, -30), ("bob", 30, 30)):
            parts = report.accounts[name].whole(USD)  # type: ignore[index]
            assert (parts.brought_in, parts.transferred, parts.earned) == (brought, transferred, 0)
            assert report.accounts[name].standings[USD].drawdown.deepest is None  # type: ignore[index]

    @pytest.mark.parametrize(("pays", "forced"), [(False, {}), (True, {"forced_fees": 19})])
    def test_a_liquidation_is_told_apart(self, pays: bool, forced: dict[str, int]) -> None:
        # 10 bought at 100, fee 20; sold by force at 95; 1 % of 950 to the fund, rounded up, and where it is paid 2 %
        rules = replace(pack(**FEES, liquidation_fee=PERCENT), liquidation_pays_taker_fee=pays)
        session = scenario(rules).given(account("ann", 500, mode=ISOLATED))
        session.given(position(1, BUY, price=100, lots=10, by="ann"), add_margin("ann", 50))
        session.given(resting(5, BUY, price=95, lots=10), mark(91), proceed())
        ann = ann_of(session)
        expected = {"liquidated": -50, "taker_fees": 20, **forced, "liquidation_fees": 10}
        assert nonzero(ann.part(USD, GOLD)) == expected
        assert ann.liquidations == 1
        assert [(role, figures.fills) for role, figures in ann.instruments[GOLD].fills.items()] == [
            (Role.TAKER, 1), (Role.FORCED, 1),
        ]  # fmt: skip

    def test_what_the_fund_took_over_is_lost_to_the_liquidation(self) -> None:
        # 10 at 100 with 100 of margin: bankrupt at 90, where the fund takes all; nobody else is there
        session = scenario().given(account("ann", 500, mode=ISOLATED), position(1, BUY, price=100, lots=10, by="ann"))
        session.given(mark(94), proceed())
        assert nonzero(ann_of(session).whole(USD)) == {"deposited": 500, "liquidated": -100}

    def test_a_dated_contract_ends_with_its_settlement(self) -> None:
        session = scenario(pack_of(dated(settlement_fee=PERCENT))).given(
            account("ann", 5_000), position(1, BUY, price=100, lots=10, by="ann"), index(110), later(1_000), proceed()
        )
        ann = ann_of(session)
        assert nonzero(ann.part(USD, GOLD)) == {"realised": 100, "settlement_fees": 11}
        trips = ann.instruments[GOLD].all_trips()
        assert (trips.won, trips.gains, trips.still_open) == (1, 89, 0)

    def test_an_inverse_contract_is_told_in_its_coin(self) -> None:
        # 10 lots at 100 are 1,000 ounces, at 125 they are 800: a long gains 200
        session = scenario(pack_of(inverse(**FEES))).given(open_account("ann"), deposit("ann", 5_000, asset=OUNCE))
        session.given(position(1, BUY, price=100, lots=10, by="ann", on=COIN))
        session.given(position(3, SELL, price=125, lots=10, by="ann", on=COIN))
        ann = ann_of(session)
        assert nonzero(ann.whole(OUNCE)) == {"deposited": 5_000, "realised": 200, "taker_fees": 20 + 16}
        assert ann.standings[OUNCE].gross.highest.value == 1_000 * UNIT  # type: ignore[union-attr]
        assert ann.instruments[COIN].all_trips().gains == 164

    def test_an_exchange_moves_money_between_assets_and_costs_its_fee(self) -> None:
        # 50 ounces at 2, less 10 %: 90 USD
        session = scenario(several_assets(fee=10 * PERCENT)).given(price(2))
        session.given(account("ann", 1_000), deposit("ann", 500, asset=OUNCE), join("ann"), exchange("ann", 50))
        ann = ann_of(session)
        assert nonzero(ann.whole(OUNCE)) == {"deposited": 500, "exchanged": -50}
        assert nonzero(ann.whole(USD)) == {"deposited": 1_000, "exchanged": 100, "exchange_fees": 10}

    def test_who_trades_with_himself_realises_what_his_maker_closes(self) -> None:
        # 5 held at 90; the maker's side sells 3 of them at 100, the taker's buys 3 at 100
        session = scenario().given(account("ann", 5_000), position(1, BUY, price=90, lots=5, by="ann"))
        session.given(resting(3, SELL, price=100, lots=3, by="ann"), place(4, BUY, price=100, lots=3, by="ann"))
        ann = ann_of(session)
        assert nonzero(ann.part(USD, GOLD)) == {"realised": 30}
        assert session.position("ann").entry_value == 180 + 300
        assert ann.instruments[GOLD].all_trips().closed == 0


class TestOthers:
    """What the insurance fund, other accounts and lenders have to do with an account's money."""

    def test_who_is_deleveraged_realises_what_the_close_at_the_bankruptcy_price_brings(self) -> None:
        # bankrupt at 90 with the mark at 88; the fund takes 4 lots, the 6 others are closed against bob's short
        session = scenario(rules(Layer.FUND, Layer.ADL)).given(account("ann", 100), account("bob", 500))
        session.given(position(1, BUY, price=100, lots=10, by="ann", against="bob"), deposit(INSURANCE, 8))
        report = report_of(session.given(mark(88), proceed()))
        ann, bob = (report.accounts[name] for name in ("ann", "bob"))  # type: ignore[index]
        assert nonzero(ann.whole(USD)) == {"deposited": 100, "liquidated": -100}
        assert nonzero(bob.whole(USD)) == {"deposited": 500, "deleveraged": 60}
        assert bob.standings[USD].holdings.equity == (560 + 4 * 12) * UNIT
        assert (bob.fills, ann.fills) == (1, 1)

    def test_a_shared_loss_is_realised_and_paid(self) -> None:
        # at 88 bob gained 84, of which 14 go to the fund; then he buys his 7 back at 88
        session = scenario(rules(Layer.SOCIALISED)).given(account("ann", 100), account("bob", 500), account("cat", 500))
        session.given(position(1, BUY, price=100, lots=7, by="ann", against="bob"))
        session.given(position(3, BUY, price=100, lots=3, by="ann", against="cat"), mark(88), proceed())
        assert nonzero(self.bob(session)) == {"deposited": 500, "realised": 14, "shared": 14}
        session.given(position(5, BUY, price=88, lots=7, by="bob"))
        assert nonzero(self.bob(session)) == {"deposited": 500, "realised": 84, "shared": 14}
        assert session.position("bob").wallet.balance == 570

    def bob(self, session: Scenario) -> Parts:
        return report_of(session).accounts["bob"].whole(USD)  # type: ignore[index]

    def test_a_deficit_that_the_fund_covered_came_in(self) -> None:
        # 10 at 100 closed at 80 with 150 in the wallet: 50 are missing
        session = scenario().given(account("ann", 150), position(1, BUY, price=100, lots=10, by="ann"), mark(200))
        session.given(resting(3, SELL, price=80, lots=10, by="ann", reduce_only=True), market(4, BUY, lots=10))
        ann = ann_of(session.given(proceed()))
        assert nonzero(ann.whole(USD)) == {"deposited": 150, "realised": -200, "covered": 50}
        assert (ann.part(USD).other, ann.standings[USD].holdings.equity) == (50, 0)

    def test_interest_is_paid_on_a_debt(self) -> None:
        # 150 lost without a dollar: 1 % of the debt, rounded up
        told = several_assets(debt_limit=1_000, interest=PERCENT, interest_interval=HOUR)
        session = scenario(told).given(price(2), account("ann"), deposit("ann", 500, asset=OUNCE), join("ann"))
        session.given(position(1, BUY, price=100, lots=10, by="ann"), position(3, SELL, price=85, lots=10, by="ann"))
        assert nonzero(ann_of(session.given(later(HOUR), proceed())).whole(USD)) == {"realised": -150, "interest": 2}

    def test_legs_that_close_each_other_are_a_liquidation_too(self) -> None:
        # 10 long at 100 and 10 short at 90: at 200 no margin is left, and both close at the mark
        session = scenario(rules(Layer.FUND, style=STEPS)).given(account("ann", 300), hedge("ann"))
        session.given(position(1, BUY, price=100, lots=10, by="ann", leg=LONG))
        session.given(position(3, SELL, price=90, lots=10, by="ann", leg=SHORT), mark(200), proceed())
        parts = ann_of(session).whole(USD)
        facts = [fact for batch in session.batches for fact in batch.facts]
        assert [fact.lots for fact in facts if isinstance(fact, f.LegsNetted)] == [10]
        assert nonzero(parts) == {"deposited": 300, "liquidated": -100}


@pytest.mark.parametrize(("name", "shown"), [("ann", ["ann"]), (None, ["maker", "taker", "ann"])])
def test_one_account_may_be_looked_at(name: str | None, shown: list[str]) -> None:
    report = report_of(story(), name)
    assert list(report.accounts) == shown
    assert list(report.names) == ["maker", "taker", "ann"]


def test_a_market_order_of_nobody_is_nobodys() -> None:
    session = scenario().given(market(1, BUY, lots=1))
    assert report_of(session).accounts["taker"].fills == 0  # type: ignore[index]
