"""Who bears what liquidations lack: every deficit is attributed to one layer, and the layers add up to it."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from events.commands import INSURANCE
from events.instruments import Liquidation, RulePack
from events.rules import Funds, Layer
from events.units import UNIT
from exchange.audit import audit
from exchange.core.margin.model import cross_equity
from exchange.projections.deficits import Bearer, Deficits
from tests.scenario import Scenario, scenario
from tests.spec.contracts import COIN, OUNCE, dated, inverse, pack_of
from tests.spec.tape import snapshot, tape
from tests.spec.words import (
    BUY,
    EASY,
    GOLD,
    ISOLATED,
    SELL,
    TIN,
    USD,
    account,
    deposit,
    funding,
    instrument,
    mark,
    pack,
    place,
    position,
    proceed,
    resting,
)

FUND, ADL, SOCIALISED = Layer.FUND, Layer.ADL, Layer.SOCIALISED
ANN = (account("ann", 100), account("bob", 500), *position(1, BUY, price=100, lots=10, by="ann", against="bob"))
"""Long 10 at 100 with 100: bankrupt at 90. At a mark of 88 the ten lots are short of 20 atoms."""


def rules(*layers: Layer, of: RulePack = EASY) -> RulePack:
    return replace(of, liquidation=Liquidation(last_resort=layers))


def folded(session: Scenario) -> Deficits:
    """All deficits of a scenario, checked on the way."""
    deficits = Deficits()
    for batch in session.batches:
        deficits.observe(batch)
        deficits.check()
    return deficits


def borne(session: Scenario, asset: str = USD) -> dict[str, int]:
    """Who bears how much of an asset; the sum is what there was."""
    deficits = folded(session)
    layers = {bearer.value: amount for bearer, amount in deficits.layers[asset].items() if amount}  # type: ignore[index]
    assert sum(layers.values()) == deficits.total[asset]  # type: ignore[index]
    return layers


def crash(*layers: Layer, fund: int = 0, of: RulePack = EASY, at: int = 88) -> Scenario:
    """Ann is liquidated beyond bankruptcy, without a book."""
    money = [deposit(INSURANCE, fund)] if fund else []
    return scenario(rules(*layers, of=of)).given(ANN, *money, mark(at), proceed())


class TestLayers:
    """The layers of the waterfall, as far as each had to pay."""

    def test_the_fund_bears_what_it_has_and_the_rest_stays_open(self) -> None:
        assert borne(crash(fund=50)) == {"fund": 20}
        assert borne(crash(fund=8)) == {"fund": 8, "open": 12}
        assert borne(crash()) == {"open": 20}

    def test_the_ranked_bear_what_their_close_brings_them_less_than_the_mark(self) -> None:
        assert borne(crash(FUND, ADL, fund=8)) == {"fund": 8, "adl": 12}

    def test_market_bears_what_is_closed_against_it(self) -> None:
        session = scenario(rules(ADL)).given(account("ann", 100), tape(snapshot({}, {100: 10})))
        session.given(place(1, BUY, price=100, lots=10, by="ann"), tape(snapshot({}, {120: 1}), after=1))
        assert borne(session.given(mark(88), proceed())) == {"market": 20}

    def test_what_winners_pay_is_open_no_more(self) -> None:
        assert borne(crash(FUND, SOCIALISED, fund=8)) == {"fund": 8, "socialised": 12}

    def test_what_winners_pay_for_what_the_fund_lost_since_is_told_apart(self) -> None:
        session = crash(SOCIALISED, fund=20).given(account("cat", 100), *position(5, BUY, price=88, lots=10, by="cat"))
        session.given(mark(79), mark(76), proceed())
        deficits = folded(session)
        assert deficits.total[USD] == 20 + 20
        assert deficits.layers[USD][Bearer.FUND] == 20
        assert deficits.layers[USD][Bearer.SOCIALISED] == 20
        assert deficits.shared_beyond[USD] == 120

    def test_what_winners_pay_for_one_fund_leaves_open_what_another_one_lacks(self) -> None:
        # Of the 20 that GOLD's fund lacks its winners can pay 10. TIN's fund gains, then loses all, and more than that
        liquidation = Liquidation(last_resort=(SOCIALISED,), funds=Funds.PER_INSTRUMENT)
        session = scenario(replace(EASY, liquidation=liquidation))
        session.given(ANN, account("cy", 100), account("dan", 500), account("eve", 100), account("fay", 500))
        session.given(*position(3, BUY, price=100, lots=10, by="cy", against="dan", on=TIN), mark(95))
        session.given(*position(5, BUY, price=89, lots=10, by="bob", against="fay"), mark(88), proceed())
        assert borne(session) == {"socialised": 10, "open": 10}
        session.given(mark(92, on=TIN), proceed(), mark(85, on=TIN))
        session.given(*position(7, BUY, price=85, lots=10, by="eve", against="dan", on=TIN), mark(78, on=TIN))
        deficits = folded(session.given(proceed()))
        assert (deficits.layers[USD][Bearer.OPEN], deficits.shared_beyond[USD]) == (10, 90)
        assert +deficits.open == {(f"{INSURANCE}:{GOLD}", USD): 10}
        assert audit(session.batches).deficits == deficits.total

    def test_a_position_closed_for_no_less_than_its_worth_leaves_no_deficit(self) -> None:
        assert borne(crash(fund=50, at=90)) == {}
        assert borne(crash(ADL, at=94)) == {}

    def test_a_short_position_is_as_much_a_deficit(self) -> None:
        session = scenario().given(account("ann", 100), *position(1, SELL, price=100, lots=10, by="ann"))
        assert borne(session.given(mark(112), proceed())) == {"open": 20}

    def test_what_a_maker_fill_left_below_zero_is_covered(self) -> None:
        session = scenario().given(ANN, resting(9, SELL, price=85, lots=10, by="ann", reduce_only=True))
        session.given(deposit(INSURANCE, 30), place(10, BUY, price=85, lots=10), proceed())
        assert borne(session) == {"fund": 30, "open": 20}

    def test_an_isolated_wallet_below_zero_is_covered_in_its_settle_asset(self) -> None:
        session = scenario().given(account("ann", 100, mode=ISOLATED), *position(1, BUY, price=100, lots=10, by="ann"))
        session.given(
            resting(9, SELL, price=85, lots=10, by="ann", reduce_only=True), place(10, BUY, price=85, lots=10)
        )
        assert borne(session.given(proceed())) == {"open": 50}

    def test_an_inverse_contract_is_short_of_coin(self) -> None:
        # 100 ounces of margin on 1,000: bankrupt at 90.91, where 10 lots are worth 1,100; at 80 they are worth 1,250
        session = scenario(pack_of(inverse())).given(
            account("ann", 0),
            deposit("ann", 100, asset=OUNCE),
            *position(1, BUY, price=100, lots=10, by="ann", on=COIN),
        )
        assert borne(session.given(mark(80, on=COIN), proceed()), OUNCE) == {"open": 150}


class TestFund:
    """The fund's equity, folded from the facts, is that of its account, whatever it does."""

    def check(self, session: Scenario) -> None:
        deficits = folded(session)
        for asset, wallet in session.state.accounts[INSURANCE].wallets.items():
            assert deficits.fund_equity(asset) == cross_equity(wallet) // UNIT

    def test_it_takes_over_works_off_and_pays_funding(self) -> None:
        session = crash(FUND, fund=50, of=pack(liquidation_fee=UNIT // 100))
        session.given(resting(5, BUY, price=88, lots=3), mark(87), funding(UNIT // 100), mark(86), proceed())
        self.check(session)

    def test_it_turns_around(self) -> None:
        session = crash(fund=50).given(account("cat", 100), *position(5, SELL, price=88, lots=11, by="cat"))
        self.check(session.given(mark(100), proceed(), mark(99)))

    def test_what_it_holds_settles(self) -> None:
        session = scenario(rules(of=pack_of(dated(GOLD), instrument(COIN)))).given(ANN, mark(88), proceed())
        session.given(replace(mark(90, on=COIN), at=2_000), proceed())
        self.check(session)
        assert session.state.accounts[INSURANCE].positions[GOLD].lots == 0  # type: ignore[index]


def test_the_latest_batch_is_told_apart() -> None:
    session, deficits = crash(FUND, ADL, fund=8), Deficits()
    seen: list[Any] = []
    for batch in session.batches:
        deficits.observe(batch)
        seen += [dict(deficits.latest)] if deficits.latest else []
    assert seen == [{(USD, Bearer.FUND): 8, (USD, Bearer.ADL): 12}]
