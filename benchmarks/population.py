"""Accounts with open positions, as the facts of a session would have left them: sizes and margin ratios are seeded.

Facts are applied, as a rebuild does, but no log is written; records count from 1 afterwards.
Accounts come in pairs that hold the two sides of the same trades at the mark, in one to five instruments, long or short
by chance. Half of the pairs is cross, half isolated. Notionals are log-uniform, margin ratios (maintenance / equity)
uniform, of a cross account as a whole and of each isolated position.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from random import Random

from rich.console import Console
from rich.progress import Progress

from events import facts as f
from events.commands import AccountId, SessionOptions, Side
from events.instruments import InstrumentId, MarginMode, RulePack
from events.units import UNIT, Atoms, Lots, MarkUnits
from exchange.core.apply import APPLY
from exchange.core.contract import Contract
from exchange.core.state import RULES_VERSION, State
from exchange.core.step import finish_rebuild

MARKS = {"BTCUSDT": 60_000, "ETHUSDT": 2_500, "BNBUSDT": 600, "SOLUSDT": 150, "XRPUSDT": 1}
"""The instruments held and their marks, quote asset, as in the autumn of 2024, rounded."""

SMALLEST, DECADES = 200, 3
"""Notionals are log-uniform from 200 to 200,000 of the quote asset."""

LEAST_PERCENT, MOST_PERCENT = 5, 95
"""Margin ratios are uniform between these."""


def populated(pack: RulePack, positions: int, seed: int, held: int = len(MARKS)) -> State:
    """A state with so many open positions, so many an account (rounded up to whole pairs), its triggers set."""
    state = State()
    pairs = -(-positions // (2 * held))
    with Progress(console=Console(stderr=True), transient=True) as progress:
        say(state, f.SessionOpened(RULES_VERSION, pack, SessionOptions()))
        for name, mark in MARKS.items():
            say(state, f.MarkPriceMoved(InstrumentId(name), MarkUnits(mark * UNIT)))
        random = Random(seed)
        for pair in progress.track(range(pairs), description=f"{positions:,} positions"):
            for fact in _pair(state, random, pair, held):
                say(state, fact)
    finish_rebuild(state)
    _number_anew(state)
    return state


def _number_anew(state: State) -> None:
    """Let records count from 1, so that a log can begin here."""
    state.seq = 0
    for contract in state.contracts.values():
        contract.marked = 0


def say(state: State, fact: f.Fact) -> None:
    """Apply a fact that nobody decided."""
    state.seq += 1
    APPLY[type(fact)](state, fact)


def _pair(state: State, random: Random, pair: int, held: int) -> Iterator[f.Fact]:
    names = AccountId(f"a{2 * pair}"), AccountId(f"a{2 * pair + 1}")
    trades = [_trade(random, state.contracts[InstrumentId(name)]) for name in islice(MARKS, held)]
    isolated = pair % 2 == 1
    for name in names:
        yield f.AccountOpened(name)
        yield f.Deposited(name, trades[0][0].settle, _backing(trades, random) if not isolated else Atoms(10**7 * UNIT))
        if isolated:
            for contract, _, _ in trades:
                yield f.MarginModeSet(name, contract.id, MarginMode.ISOLATED)
    for contract, side, lots in trades:
        value = Atoms(lots * contract.num // UNIT)
        yield f.Deleveraged(names[0], contract.id, side, lots, value, MarkUnits(contract.mark), names[1])
        if isolated:
            for name in names:
                has = state.accounts[name].positions[contract.id].isolated
                yield f.MarginMoved(name, contract.id, Atoms(_backing([(contract, side, lots)], random) - has))


def _trade(random: Random, contract: Contract) -> tuple[Contract, Side, Lots]:
    notional = int(SMALLEST * UNIT * 10 ** (DECADES * random.random()))
    lots = Lots(max(1, notional * UNIT // contract.num))
    return contract, Side.BUY if random.random() < 0.5 else Side.SELL, lots


def _backing(trades: list[tuple[Contract, Side, Lots]], random: Random) -> Atoms:
    """The equity, atoms, at which maintenance margin is a share of it drawn by chance."""
    margin = sum(contract.rules.brackets.maintenance(lots * contract.num) for contract, _, lots in trades)
    return Atoms(int(margin / random.uniform(LEAST_PERCENT / 100, MOST_PERCENT / 100)) // UNIT + 1)
