"""Hypothesis strategies for portfolios: traders who hold positions in both modes, without the orders that led there."""

from __future__ import annotations

from typing import Any, NamedTuple

from hypothesis import strategies as st

from events import commands as c
from events import facts as f
from events.commands import AccountId, Side
from events.instruments import InstrumentId, Leg, MarginMode, RulePack
from events.units import UNIT
from exchange.core.apply import APPLY
from exchange.core.contract import Contract
from exchange.core.liquidation.watch import cross_positions, is_due
from exchange.core.state import RULES_VERSION, Account, Pool, Position, State
from exchange.core.step import step
from tests.property.rules import HOME, PAIR, TICK, X, Y, packs

FAR = 10**40
"""A mark beyond all others."""


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


ANY = packs()
MODES = st.tuples(st.booleans(), st.booleans())


@st.composite
def portfolios(
    draw: st.DrawFn, holdings: st.SearchStrategy[Holding] = holdings, packs: st.SearchStrategy[RulePack] = ANY,
    modes: st.SearchStrategy[tuple[bool, bool]] = MODES,
) -> State:  # fmt: skip
    """A session with a handful of accounts that hold positions in both instruments, all triggers set.

    modes says of each account whether it hedges, and whether its assets answer together where the pack lets them.
    """
    state = State()
    say(state, f.SessionOpened(RULES_VERSION, draw(packs), c.SessionOptions()))
    for name in (X, Y):
        say(state, f.MarkPriceMoved(name, HOME * TICK))
        say(state, f.IndexPriceMoved(name, HOME * TICK))
    say(state, f.IndexPriceMoved(PAIR, UNIT))
    money = st.sampled_from((3_000, 20_000)) | st.integers(1, 20_000)
    for number in range(draw(st.integers(2, 5))):
        account = AccountId(f"A{number}")
        say(state, f.AccountOpened(account))
        for asset in state.ledger:
            say(state, f.Deposited(account, asset, draw(money)))
        hedges, multi = draw(modes)
        if hedges:
            say(state, f.PositionModeSet(account, True))
        if multi and state.assets:
            say(state, f.CollateralModeSet(account, True))
        for name in (X, Y):
            held = [draw(holdings) for _ in range(1 + hedges)]
            hold(state, account, name, [one._replace(isolated=held[0].isolated and not multi) for one in held])
    step(state, c.AdvanceTime(state.now))
    return state


def hold(state: State, name: AccountId, instrument: InstrumentId, held: list[Holding]) -> None:
    """Give the account the position, or its legs, with the insurance fund on the other side, as a takeover does."""
    contract, hedges = state.contracts[instrument], state.accounts[name].hedges
    say(state, f.LeverageSet(name, instrument, min(held[0].leverage, contract.rules.brackets.max_leverage)))
    if held[0].isolated:
        say(state, f.MarginModeSet(name, instrument, MarginMode.ISOLATED))
    for one, leg in zip(held, (Leg.LONG, Leg.SHORT) if hedges else (Leg.NET,), strict=True):
        lots = abs(one.lots) * (leg.sign or (1 if one.lots > 0 else -1))
        if lots:
            value, side = contract.value_of(one.entry, abs(lots)), Side.BUY if lots > 0 else Side.SELL
            say(state, f.TakenOver(name, instrument, side, abs(lots), value, one.entry * TICK, leg))
        if lots and one.isolated:
            say(state, f.MarginMoved(name, instrument, one.margin, leg))


def say(state: State, fact: Any) -> None:
    """Apply a fact that nobody decided."""
    state.seq += 1
    APPLY[type(fact)](state, fact)


def traders(state: State) -> list[Account]:
    """The accounts that can be liquidated."""
    return [account for account in state.accounts.values() if not account.is_reserved]


def pools(state: State) -> list[Pool]:
    """The pools of all traders."""
    wallets = {wallet.pool: None for account in traders(state) for wallet in account.wallets.values()}
    positions = [position for account in traders(state) for position in account.positions.values()]
    return [*wallets, *(position for position in positions if position.is_isolated)]


def is_stepped(pool: Pool) -> bool:
    """Whether margins are rounded to a step, so that the pool may be due, not due, and due again."""
    positions = [pool] if isinstance(pool, Position) else cross_positions(pool)
    return any(position.contract.rules.step for position in positions)


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
    """The mark, on the way down for a long and up for a short, at which the position's pool becomes due; by bisection.

    It is the first one where margins have no steps. None where there is none above 0. The pool must not be due now.
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
            if due > FAR:
                return None
    while abs(safe - due) > 1:
        middle = (safe + due) // 2
        if due_at(pool, contract, middle):
            due = middle
        else:
            safe = middle
    return due
