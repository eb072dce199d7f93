"""The withdrawal gate: while a deficit is seen that nobody covers, no money leaves, neither out nor to other accounts.

Seen is a deficit where the insurance fund is below zero at the marks at the end of a batch, or where a pool is below
zero whose liquidation is put off. The gate stays closed for the pack's time, and again for as long where a deficit
is still seen then. Source: dYdX v4, "Withdrawal rate limits and gating": 50 blocks from the last block in which a
subaccount below zero was seen that could not be liquidated or deleveraged.
"""

from __future__ import annotations

from collections.abc import Iterator

from events.facts import WithdrawalsClosed, WithdrawalsOpened
from events.units import UNIT, Atoms, Nanos
from exchange.core.liquidation.pools import pool_of
from exchange.core.margin.model import cross_equity, requirement
from exchange.core.state import Pool, State


def closes(state: State) -> WithdrawalsClosed | None:
    """That the gate, which the pack has, closes, as the fund is below zero; None where it need not, or is closed."""
    return None if state.gated_until else _of_fund(state)


def closes_on(state: State, pool: Pool) -> Iterator[WithdrawalsClosed]:
    """The same where a pool that is put off is below zero."""
    if not state.gated_until and _gate(state) and (lack := -(requirement(pool).equity // UNIT)) > 0:
        yield _closed(state, *pool.id, lack)


def at_the_end(state: State) -> WithdrawalsClosed | WithdrawalsOpened:
    """Its time is over: it opens, or stays closed where a deficit is still seen."""
    return _of_fund(state) or _of_waiting(state) or WithdrawalsOpened()


def _gate(state: State) -> int:
    assert state.pack is not None
    return state.pack.withdrawal_gate


def _of_fund(state: State) -> WithdrawalsClosed | None:
    for name in state.house()[1:]:
        for asset, wallet in state.accounts[name].wallets.items():
            if (lack := -(cross_equity(wallet) // UNIT)) > 0:
                return _closed(state, name, asset, lack)
    return None


def _of_waiting(state: State) -> WithdrawalsClosed | None:
    for name in sorted(state.put_off):
        for _, _, account, pool, _ in state.put_off[name]:
            lack = -(requirement(pool_of(state.accounts[account], pool)).equity // UNIT)  # type: ignore[index]
            if lack > 0:
                return _closed(state, account, pool, lack)
    return None


def _closed(state: State, account: str, pool: str, lack: int) -> WithdrawalsClosed:
    return WithdrawalsClosed(account, pool, Atoms(lack), Nanos(state.now + _gate(state)))  # type: ignore[arg-type]
