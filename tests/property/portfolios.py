"""Hypothesis strategies for portfolios: traders who hold positions in both modes, without the orders that led there."""

from __future__ import annotations

from typing import Any, NamedTuple

from hypothesis import strategies as st

from events import commands as c
from events import facts as f
from events.commands import AccountId, Side
from events.instruments import InstrumentId, MarginMode
from exchange.core.apply import APPLY
from exchange.core.contract import Contract
from exchange.core.liquidation.watch import is_due
from exchange.core.state import RULES_VERSION, Account, Pool, Position, State
from exchange.core.step import step
from tests.property.sessions import HOME, TICK, USD, X, Y, packs


class Holding(NamedTuple):
    """A position to be held, long where lots are positive; margin is added to its isolated wallet."""

    isolated: bool
    leverage: int
    lots: int
    entry: int
    margin: int


holdings = st.builds(
    Holding, st.booleans(), st.integers(1, 20), st.sampled_from((1, -1, 8, -8, 25, -25)) | st.integers(-60, 60),
    st.integers(HOME - 30, HOME + 30), st.sampled_from((0, 1, 500, 3_000)),
)  # fmt: skip


@st.composite
def portfolios(draw: st.DrawFn, holdings: st.SearchStrategy[Holding] = holdings) -> State:
    """A session with a handful of accounts that hold positions in both instruments, all triggers set."""
    state = State()
    say(state, f.SessionOpened(RULES_VERSION, draw(packs()), c.SessionOptions()))
    for name in (X, Y):
        say(state, f.MarkPriceMoved(name, HOME * TICK))
    for number in range(draw(st.integers(2, 5))):
        account = AccountId(f"A{number}")
        say(state, f.AccountOpened(account))
        say(state, f.Deposited(account, USD, draw(st.sampled_from((3_000, 20_000)) | st.integers(1, 20_000))))
        for name in (X, Y):
            hold(state, account, name, draw(holdings))
    step(state, c.AdvanceTime(state.now))
    return state


def hold(state: State, account: AccountId, instrument: InstrumentId, holding: Holding) -> None:
    """Give the account the position, with the insurance fund on the other side, as a takeover does."""
    most = state.contracts[instrument].rules.brackets.max_leverage
    side, lots = (Side.BUY if holding.lots > 0 else Side.SELL), abs(holding.lots)
    say(state, f.LeverageSet(account, instrument, min(holding.leverage, most)))
    if holding.isolated:
        say(state, f.MarginModeSet(account, instrument, MarginMode.ISOLATED))
    if lots:
        say(state, f.TakenOver(account, instrument, side, lots, lots * holding.entry, holding.entry * TICK))
    if lots and holding.isolated:
        say(state, f.MarginMoved(account, instrument, holding.margin))


def say(state: State, fact: Any) -> None:
    """Apply a fact that nobody decided."""
    state.seq += 1
    APPLY[type(fact)](state, fact)


def traders(state: State) -> list[Account]:
    """The accounts that can be liquidated."""
    return [account for account in state.accounts.values() if not account.is_reserved]


def pools(state: State) -> list[Pool]:
    """The pools of all traders."""
    wallets = [wallet for account in traders(state) for wallet in account.wallets.values()]
    positions = [position for account in traders(state) for position in account.positions.values()]
    return [*wallets, *(position for position in positions if position.is_isolated)]


def due_at(pool: Pool, contract: Contract, mark: int) -> bool:
    """Whether the pool would be due at another mark of one instrument."""
    before = contract.mark
    contract.set_mark(mark)
    try:
        return is_due(pool)
    finally:
        contract.set_mark(before)


def trigger(position: Position) -> int | None:
    """The mark at which the watch looks at the position's pool again, None where no mark above 0 is one."""
    mark = position.low if position.lots > 0 else position.high
    return mark if mark > 0 else None


def first_due_mark(position: Position) -> int | None:
    """The first mark, on the way down for a long and up for a short, at which the position's pool is due; by bisection.

    None where there is none above 0. The pool must not be due now.
    """
    pool, contract = position.pool, position.contract
    safe = contract.mark
    if position.lots > 0:
        due = 0
        if not due_at(pool, contract, 1):
            return None
    else:
        due = 2 * safe
        while not due_at(pool, contract, due):
            due *= 2
    while abs(safe - due) > 1:
        middle = (safe + due) // 2
        if due_at(pool, contract, middle):
            due = middle
        else:
            safe = middle
    return due
