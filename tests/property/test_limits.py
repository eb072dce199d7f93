"""How much may be ordered, withdrawn and taken from a position: so much passes, and one more is refused."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from events import commands as c
from events.commands import Command, Side, TimeInForce
from events.facts import LiquidationDue
from events.instruments import Leg, MarginMode
from events.record import Batch
from events.refusals import Reason
from exchange.core import snapshot
from exchange.core.fees import fee_rates
from exchange.core.margin.model import removable_atoms, withdrawable_atoms
from exchange.core.margin.pretrade import max_lots, reserve_price
from exchange.core.state import State
from exchange.core.step import step
from tests.property.portfolios import portfolios, traders
from tests.property.rules import EXPIRY, PERCENT, wide_packs
from tests.property.sessions import instruments, prices
from tests.sim.world import refusal

TOO_MUCH = (Reason.INSUFFICIENT_MARGIN, Reason.POSITION_LIMIT_AT_LEVERAGE, Reason.SIZE_ABOVE_MAXIMUM)

TOO_SMALL = (Reason.SIZE_BELOW_MINIMUM, Reason.NOTIONAL_BELOW_MINIMUM)


def answer(data: bytes, command: Command) -> Reason | None:
    """What a copy of the state says to the command. Taking money out makes nobody due."""
    batch = step(snapshot.decode(data), command)
    assert isinstance(batch, Batch)
    if isinstance(command, c.Withdraw | c.RemoveMargin | c.SetMarginMode):
        assert not any(isinstance(fact, LiquidationDue) and fact.account == command.account for fact in batch.facts)
    return refusal(batch)  # type: ignore[return-value]


@settings(max_examples=150)
@given(portfolios(packs=wide_packs()), instruments, st.sampled_from(Side), st.none() | prices, st.sampled_from(Leg))
def test_the_largest_order_is_accepted_and_one_lot_more_is_refused(
    state: State, instrument: Any, side: Side, price: int | None, leg: Leg
) -> None:
    assert state.pack
    data, contract, sign = snapshot.encode(state), state.contracts[instrument], 1 if side is Side.BUY else -1
    for account in traders(state):
        position = state.position(account, contract, leg)
        reduces = leg.sign * sign < 0
        if account.hedges != (leg is not Leg.NET) or reduces or position.due or position.wallet.due:
            continue
        at = reserve_price(contract, sign, state.pack.market_buy_slippage) if price is None else price * contract.tick
        most = max_lots(position, sign, at, fee_rates(state, position)[1])
        force = TimeInForce.IOC if price is None else TimeInForce.GTC
        orders = [
            c.PlaceOrder(state.now, account.name, "last", 1, instrument, side, lots, price, force, False, leg)  # type: ignore[arg-type]
            for lots in (most, most + 1)
        ]
        assert not most or answer(data, orders[0]) is None
        assert answer(data, orders[1]) in (TOO_MUCH if most else (*TOO_MUCH, *TOO_SMALL))


@settings(max_examples=150)
@given(portfolios(packs=wide_packs()))
def test_what_is_withdrawable_leaves_and_one_atom_more_does_not(state: State) -> None:
    data = snapshot.encode(state)
    for wallet in [w for account in traders(state) for w in account.wallets.values() if not w.due]:
        most = withdrawable_atoms(wallet)
        asked = [c.Withdraw(state.now, wallet.account, "last", wallet.asset, n) for n in (most, most + 1)]  # type: ignore[arg-type]
        assert not most or answer(data, asked[0]) is None
        assert answer(data, asked[1]) is Reason.INSUFFICIENT_BALANCE


@settings(max_examples=150)
@given(portfolios(packs=wide_packs()))
def test_what_is_removable_from_a_position_leaves_it_and_one_atom_more_does_not(state: State) -> None:
    data = snapshot.encode(state)
    held = [
        p for account in traders(state) for p in account.positions.values() if p.is_isolated and p.lots and not p.due
    ]
    for position in held:
        most, name = removable_atoms(position), position.contract.id
        asked = [
            c.RemoveMargin(state.now, position.account, "last", name, n, position.leg)  # type: ignore[arg-type]
            for n in (most, most + 1)
        ]
        assert not most or answer(data, asked[0]) is None
        assert answer(data, asked[1]) is Reason.INSUFFICIENT_MARGIN


@settings(max_examples=60)
@given(portfolios(packs=wide_packs()), st.integers(-10, 10))
def test_funding_and_settlement_sum_to_zero_but_for_what_rounding_leaves(state: State, percent: int) -> None:
    """Nobody gains by rounding: what all receive is at most what all pay, by less than an atom each."""
    for name in state.contracts:
        step(state, c.ApplyFunding(state.now, name, percent * PERCENT))  # type: ignore[arg-type]
    step(state, c.AdvanceTime(EXPIRY))  # type: ignore[arg-type]
    holders = sum(len(due.owing) for due in state.owed.values())
    before = sum(books.remainders for books in state.ledger.values())
    while state.due:
        step(state, c.Proceed(state.now, 4096))
    left = sum(books.remainders for books in state.ledger.values()) - before
    assert 0 <= left <= holders
    for contract in state.contracts.values():
        assert sum(p.lots for p in contract.positions) == 0
        assert contract.clearing == -sum(p.entry_value for p in contract.positions)


@settings(max_examples=150)
@given(portfolios(packs=wide_packs()), instruments, st.sampled_from(MarginMode))
def test_no_switch_of_the_margin_mode_makes_its_account_due(state: State, instrument: Any, mode: MarginMode) -> None:
    data = snapshot.encode(state)
    for account in traders(state):
        answer(data, c.SetMarginMode(state.now, account.name, "last", instrument, mode))  # type: ignore[arg-type]
