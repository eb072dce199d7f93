"""The liquidation price that is shown is where the core would act: due at it, and not one unit before."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given

from events.commands import AccountId
from events.instruments import AssetId, load_pack
from events.units import UNIT
from exchange.calculator import LONG, Holding, Pool, liquidation, rules_of
from exchange.core.margin.model import is_due
from exchange.core.state import Position, State
from exchange.projections.liquidation_price import FARTHEST, liquidation_mark
from gateway.desk import Desk
from tests.property.portfolios import portfolios


@given(portfolios())
def test_a_pool_is_due_at_the_liquidation_price_of_its_position_and_not_just_before(state: State) -> None:
    for account in state.accounts.values():
        for position in () if account.is_reserved else account.positions.values():
            _holds(position)


def _holds(position: Position) -> None:
    contract = position.contract
    before, found = contract.mark, liquidation_mark(position)
    assert contract.mark == before
    if not position.lots:
        assert found is None
        return
    if is_due(position.pool):
        assert found == before
        return
    own = [position] if position.is_isolated else [p for p in position.wallet.positions if not p.is_isolated]
    is_long = sum(p.lots for p in own if p.contract is contract) > 0
    try:
        if found is None:
            contract.set_mark(1 if is_long else before * FARTHEST)
            assert not is_due(position.pool)
        else:
            assert (found < before) is is_long
            contract.set_mark(found)
            assert is_due(position.pool)
            contract.set_mark(found + (1 if is_long else -1))
            assert not is_due(position.pool)
    finally:
        contract.set_mark(before)


def test_the_price_of_a_single_position_is_that_of_the_venues_formula() -> None:
    desk = Desk()
    ann, bob = desk.trader("ann", "1000"), desk.trader("bob")
    desk.mark("BTCUSDT", "60000")
    bob.sell("BTCUSDT", "0.1", "60000")
    ann.buy("BTCUSDT", "0.1", "60000")
    position = desk.state.accounts[AccountId("ann")].positions["BTCUSDT"]
    wallet = Fraction(desk.state.accounts[AccountId("ann")].wallets[AssetId("USDT")].balance, UNIT)
    held = Holding(LONG, Fraction(1, 10), Fraction(60000))
    formula = liquidation(Pool(wallet, (held,), rules_of(load_pack("binance-usdm"), position.contract.terms)))
    assert liquidation_mark(position) == formula.trigger
    assert formula.exact is not None
    assert 0 <= formula.exact * UNIT - (liquidation_mark(position) or 0) < 1
