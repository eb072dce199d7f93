"""Due work that waits for single positions or wallets: funding, settlement of a dated contract, interest on debts.

A time that passed puts all who are concerned into one entry of the queue; each is settled in its turn, by a `Proceed`
or before its own account does anything else. Sources: `docs/margin.md`, "Funding, fees, settlement".
"""

from __future__ import annotations

from collections.abc import Iterator

from events.commands import AccountId
from events.facts import Expiry, Fact, InterestPaid, OrderExpired, PositionSettled
from events.units import UNIT, Atoms, MarkUnits
from exchange.core.due import DueKind
from exchange.core.funding import paid
from exchange.core.matching.cancelling import open_of
from exchange.core.state import Due, DueKey, Position, State, Wallet


def settle_all(state: State, key: DueKey, due: Due, limit: int) -> Iterator[Fact]:
    """Settle the positions and wallets that an entry still waits for, until about `limit` facts are said."""
    end = state.seq + limit
    for holder in list(due.owing):
        yield from _settled(state, key, due, holder)
        if state.seq >= end:
            return


def settle_first(state: State, account: AccountId) -> Iterator[Fact]:
    """Settle what the account still owes or is owed, before it trades."""
    if not state.owed:
        return
    owner = state.accounts[account]
    for key, due in list(state.owed.items()):
        holders = list(owner.wallets.values()) if key[1] == DueKind.INTEREST else owner.legs(key[2])
        for holder in holders:
            if holder in due.owing:
                yield from _settled(state, key, due, holder)


def _settled(state: State, key: DueKey, due: Due, holder: Position | Wallet) -> Iterator[Fact]:
    if isinstance(holder, Wallet):
        yield InterestPaid(holder.account, holder.asset, Atoms(interest(state, holder)))
    elif key[1] == DueKind.FUNDING:
        yield paid(holder, due)
    else:
        yield from _expire_orders(state, holder)
        yield settled(holder, due.mark)


def interest(state: State, wallet: Wallet) -> int:
    """What a debt costs for one interest interval, atoms, rounded up."""
    return -(min(0, wallet.balance) * state.assets[wallet.asset].interest // UNIT)


def _expire_orders(state: State, position: Position) -> Iterator[Fact]:
    if position.open_orders or position.open_triggers:
        for number, lots in open_of(state.accounts[position.account], lambda holder: holder is position):
            yield OrderExpired(position.account, number, lots, Expiry.SETTLEMENT)


def settled(position: Position, price: int) -> PositionSettled:
    """The end of a position at the settlement price, mark units: its PnL rounded down, its fee rounded up."""
    contract = position.contract
    num, den = contract.worth_at(price)
    worth = position.lots * num // (den * UNIT)
    fee = 0 if position.exempt else -(-abs(worth) * contract.terms.settlement_fee // UNIT)
    return PositionSettled(
        position.account, contract.id, MarkUnits(price), Atoms(worth - position.entry_value), Atoms(fee), position.leg
    )
