"""Funding: a funding time charges every position open at that moment; each account settles in its turn.

Payment = s x notional at the mark x rate; longs pay shorts when the rate is positive. What an account owes is rounded
up, what it receives down; the difference is booked as a remainder. A position that still owes funding settles before
it changes. Source: Binance USD-M, "Introduction to Futures Funding Rates"; `docs/margin.md`.
"""

from __future__ import annotations

from collections.abc import Iterator

from events.commands import AccountId
from events.facts import FundingPaid
from events.units import UNIT, Atoms
from exchange.core.state import Due, DueKey, Position, State


def payment(position: Position, rate: int, price: int) -> int:
    """What the position receives (negative: pays), atoms, rounded down: a debt is rounded up."""
    contract = position.contract
    num, den = contract.worth_at(price)
    return -position.lots * contract.gain * num * rate // (den * UNIT * UNIT)


def settle_all(state: State, key: DueKey, due: Due, limit: int) -> Iterator[FundingPaid]:
    """Settle up to `limit` of the positions that a funding time still waits for."""
    for position in list(due.owing)[:limit]:
        yield _paid(position, due)


def settle_first(state: State, account: AccountId) -> Iterator[FundingPaid]:
    """Settle what the account still owes or is owed, before it trades."""
    for key, due in list(state.funding_due.items()):
        for position in state.accounts[account].legs(key[2]):
            if position in due.owing:
                yield _paid(position, due)


def _paid(position: Position, due: Due) -> FundingPaid:
    amount = Atoms(payment(position, due.rate, due.mark))
    return FundingPaid(position.account, position.contract.id, amount, position.leg)
