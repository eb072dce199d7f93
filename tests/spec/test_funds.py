"""Insurance funds: one for all, or one of its own for each instrument, and which of them bears what."""

from __future__ import annotations

from msgspec.structs import replace

from events import facts as f
from events.commands import INSURANCE, MARKET, funds_of
from events.instruments import Liquidation, RulePack, load_pack
from events.refusals import Reason
from events.rules import Funds, Layer, LiquidationStyle
from events.units import UNIT, Nanos
from exchange.audit import audit
from exchange.core.invariants import check
from exchange.core.margin.model import cross_equity
from exchange.projections.deficits import Bearer, Deficits
from exchange.projections.solvency.backing import backing
from tests.scenario import Scenario, scenario
from tests.spec.contracts import join, several_assets
from tests.spec.words import (
    BUY,
    GOLD,
    ISOLATED,
    SELL,
    TIN,
    USD,
    account,
    deposit,
    funding,
    liquidation_due,
    mark,
    mark_moved,
    open_account,
    pack,
    place,
    position,
    proceed,
    refused,
    resting,
    set_mode,
    withdraw,
)

OF_GOLD, OF_TIN = f"{INSURANCE}:{GOLD}", f"{INSURANCE}:{TIN}"


def own(*layers: Layer, style: LiquidationStyle = LiquidationStyle.FULL, of: RulePack | None = None) -> RulePack:
    """Every instrument has a fund of its own."""
    return replace(of or pack(), liquidation=Liquidation(style, last_resort=layers, funds=Funds.PER_INSTRUMENT))


ANN = (account("ann", 100), *position(1, BUY, price=100, lots=10, by="ann"))
"""Long 10 GOLD at 100 with 100: bankrupt at 90."""


def balances(session: Scenario) -> dict[str, int]:
    """What each fund has of USD."""
    wallets = {name: session.state.accounts[name].wallets.get(USD) for name in session.state.house()[1:]}
    return {name: cross_equity(wallet) // UNIT for name, wallet in wallets.items() if wallet}


class TestWhoseFund:
    """The fund of the instrument that is closed; the general one for what no instrument can be named for."""

    def test_a_position_is_taken_over_by_the_fund_of_its_instrument(self) -> None:
        session = scenario(own()).given(ANN, deposit(OF_GOLD, 50), deposit(OF_TIN, 70), deposit(INSURANCE, 90))
        session.given(mark(88), proceed())
        assert session.state.accounts[OF_GOLD].positions[GOLD].lots == 10  # type: ignore[index]
        assert balances(session) == {INSURANCE: 90, OF_GOLD: 30, OF_TIN: 70}

    def test_one_that_has_nothing_left_is_not_helped_by_the_others(self) -> None:
        session = scenario(own(Layer.FUND, Layer.ADL)).given(ANN, deposit(OF_TIN, 1_000), mark(88), proceed())
        assert balances(session) == {OF_TIN: 1_000}
        assert session.state.accounts["ann"].positions[GOLD].lots == 0  # type: ignore[index]

    def test_a_shared_one_bears_all(self) -> None:
        session = scenario().given(ANN, deposit(INSURANCE, 50), mark(88), proceed())
        assert balances(session) == {INSURANCE: 30}

    def test_fees_go_to_the_fund_of_what_was_closed(self) -> None:
        rules = own(of=pack(liquidation_fee=UNIT // 100))
        session = scenario(rules).given(account("ann", 200), *position(1, BUY, price=100, lots=10, by="ann"))
        session.given(*position(3, BUY, price=100, lots=10, by="ann", on=TIN))
        session.given(resting(5, BUY, price=95, lots=10), resting(6, BUY, price=95, lots=10, on=TIN))
        session.given(mark(95)).when(mark(94, on=TIN)).then(mark_moved(94, on=TIN), liquidation_due("ann", USD))
        session.given(proceed())
        charged = [
            fact for batch in session.batches for fact in batch.facts if isinstance(fact, f.LiquidationFeeCharged)
        ]
        assert [(fact.fund, fact.amount) for fact in charged] == [(OF_GOLD, 10), (OF_TIN, 10)]
        assert balances(session) == {OF_GOLD: 10, OF_TIN: 10}

    def test_an_isolated_wallet_below_zero_is_covered_by_that_of_its_instrument(self) -> None:
        session = scenario(own()).given(account("ann", 100, mode=ISOLATED), *ANN[1:], deposit(OF_GOLD, 80))
        session.given(resting(9, SELL, price=85, lots=10, by="ann", reduce_only=True))
        session.given(place(10, BUY, price=85, lots=10), proceed())
        assert balances(session) == {OF_GOLD: 30}

    def test_a_cross_wallet_below_zero_is_covered_by_the_general_one(self) -> None:
        session = scenario(own()).given(ANN, deposit(INSURANCE, 80), deposit(OF_GOLD, 80))
        session.given(resting(9, SELL, price=85, lots=10, by="ann", reduce_only=True))
        session.given(place(10, BUY, price=85, lots=10), proceed())
        assert balances(session) == {INSURANCE: 30, OF_GOLD: 80}

    def test_so_are_the_wallets_of_multi_asset_mode(self) -> None:
        rules = own(of=several_assets())
        session = scenario(rules).given(
            account("ann", 100), join("ann"), *position(1, BUY, price=100, lots=10, by="ann")
        )
        session.given(resting(9, SELL, price=85, lots=10, by="ann", reduce_only=True), deposit(INSURANCE, 80))
        session.given(place(10, BUY, price=85, lots=10), proceed())
        assert balances(session) == {INSURANCE: 30}

    def test_winners_of_an_instrument_pay_what_its_fund_lacks(self) -> None:
        session = scenario(own(Layer.SOCIALISED)).given(account("bob", 500), account("ann", 100))
        session.given(*position(1, BUY, price=100, lots=10, by="ann", against="bob"), mark(88), proceed())
        assert balances(session) == {OF_GOLD: 0}

    def test_each_works_off_what_it_holds_and_pays_its_funding(self) -> None:
        session = scenario(own(Layer.FUND)).given(ANN, deposit(OF_GOLD, 50), mark(88), proceed())
        session.given(resting(5, BUY, price=89, lots=4), funding(UNIT // 100))
        session.when(mark(88)).then(mark_moved(88)).waits(("GOLD", ""), (GOLD, ""))
        session.given(proceed())
        assert session.state.accounts[OF_GOLD].positions[GOLD].lots == 6  # type: ignore[index]
        assert balances(session) == {OF_GOLD: 50 - 20 - 9 + 4}


class TestParticipants:
    """The funds are participants of the house."""

    def test_money_is_paid_into_each_and_nothing_else_is_asked_of_them(self) -> None:
        session = scenario(own())
        session.when(deposit(OF_GOLD, 5)).then(f.Deposited(OF_GOLD, USD, 5))  # type: ignore[arg-type]
        reserved = refused(Reason.RESERVED_ACCOUNT_NAME)
        session.when(withdraw(OF_GOLD, 5)).then(reserved)
        session.when(place(1, BUY, price=100, lots=1, by=OF_TIN)).then(reserved)
        session.when(set_mode(OF_GOLD, ISOLATED)).then(reserved)
        session.when(open_account(OF_GOLD)).then(reserved)

    def test_where_one_is_shared_the_names_are_free(self) -> None:
        scenario().when(open_account(OF_GOLD)).then(f.AccountOpened(OF_GOLD))  # type: ignore[arg-type]
        assert set(funds_of(load_pack("binance-usdm")).values()) == {INSURANCE}

    def test_the_house_is_listed_in_full(self) -> None:
        assert scenario(own()).state.house() == [MARKET, INSURANCE, OF_GOLD, OF_TIN]
        assert scenario().state.house() == [MARKET, INSURANCE]


def test_money_adds_up_and_the_auditor_agrees() -> None:
    session = scenario(own(Layer.FUND, style=LiquidationStyle.STEPS)).given(
        ANN, deposit(OF_GOLD, 50), deposit(OF_TIN, 7)
    )
    session.given(
        account("bob", 90), *position(3, BUY, price=100, lots=8, by="bob", on=TIN), mark(88), mark(80, on=TIN)
    )
    session.given(proceed(), mark(89), proceed())
    check(session.state)
    audit(session.batches)
    layers = {layer.name: layer.ledger for layer in backing(session.state, USD).layers}
    assert {"insurance fund", "insurance fund GOLD", "insurance fund TIN"} <= set(layers)
    assert sum(layers.values()) == backing(session.state, USD).entered


def test_a_deficit_is_the_one_fund_s_that_bore_it() -> None:
    session, deficits = (
        scenario(own()).given(ANN, deposit(OF_GOLD, 8), deposit(OF_TIN, 99), mark(88), proceed()),
        Deficits(),
    )
    for batch in session.batches:
        deficits.observe(batch)
        deficits.check()
    assert deficits.layers[USD] == {Bearer.FUND: 8, Bearer.OPEN: 12}
    assert deficits.fund_equity(USD, OF_GOLD) == -12  # type: ignore[arg-type]


def test_one_fund_below_zero_closes_withdrawals_for_all() -> None:
    session = scenario(replace(own(), withdrawal_gate=Nanos(60 * 10**9))).given(ANN, deposit(OF_TIN, 99), mark(88))
    closed = session.run(proceed())[-1]
    assert isinstance(closed, f.WithdrawalsClosed)
    assert (closed.account, closed.pool, closed.deficit) == (OF_GOLD, USD, 20)
    session.when(withdraw("maker", 1)).then(refused(Reason.WITHDRAWALS_ARE_CLOSED))
