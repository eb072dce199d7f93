"""What an account's wallets and positions were right after a batch was decided, for those whose streams are heard.

The state goes on before a batch is durable; what is told of it later must be what was then.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, NamedTuple

from events import facts as f
from events.commands import AccountId
from events.instruments import AssetId, InstrumentId, Leg
from events.observations import Observations
from events.record import Batch
from exchange.core.margin.model import maintenance_margin, unrealised
from exchange.core.state import Account, Position, State

Accounts = tuple[AccountId, ...]


class WalletSeen(NamedTuple):
    """The cross wallet, and the isolated ones of its asset together, atoms."""

    cross: int
    isolated: int


class PositionSeen(NamedTuple):
    """A position: signed lots and entry value, isolated wallet (atoms), unrealised PnL and MM (grains), mark."""

    instrument: InstrumentId
    asset: AssetId
    leg: Leg
    lots: int
    entry_value: int
    is_isolated: bool
    isolated: int
    unrealised: int
    maintenance: int
    mark: int


class Holdings(NamedTuple):
    """All that an account holds."""

    wallets: dict[AssetId, WalletSeen]
    positions: dict[str, PositionSeen]


Seen = dict[AccountId, Holdings]


class Look:
    """Looks at those accounts that a batch changed and that are `watched`, which whoever wants to know adds to."""

    def __init__(self, watched: Collection[AccountId]) -> None:
        self._watched = watched

    def __call__(self, state: State, batch: Batch, _columns: Observations | None) -> Seen | None:
        """What they hold; None where there is nothing to see."""
        if not self._watched:
            return None
        changed = {name: None for record in batch.records[1:] for name in touched(record.message)}
        seen = {name: holdings(state.accounts[name]) for name in changed if name in self._watched}
        return seen or None


def touched(fact: Any) -> Accounts:
    """Whose wallets or positions a fact changed, or are to be told."""
    who = _WHO.get(type(fact))
    return () if who is None else who(fact)


def holdings(account: Account) -> Holdings:
    """What the account holds now."""
    wallets = {
        asset: WalletSeen(wallet.balance, sum(position.isolated for position in wallet.positions))
        for asset, wallet in account.wallets.items()
    }
    return Holdings(wallets, {name: _position(position) for name, position in account.positions.items()})


def _position(position: Position) -> PositionSeen:
    contract = position.contract
    held = bool(position.lots)
    return PositionSeen(
        contract.id, contract.settle, position.leg, position.lots, position.entry_value, position.is_isolated,
        position.isolated, unrealised(position) if held else 0, maintenance_margin(position) if held else 0,
        contract.mark,
    )  # fmt: skip


def _own(fact: Any) -> Accounts:
    return (fact.account,)


_WHO: dict[type, Callable[[Any], Accounts]] = {
    f.Traded: lambda fact: (fact.maker, fact.taker),
    f.Transferred: lambda fact: (fact.account, fact.to),
    f.Deleveraged: lambda fact: (fact.account, fact.against),
    **dict.fromkeys(
        (
            f.Deposited, f.Withdrawn, f.Exchanged, f.InterestPaid, f.MarginModeSet, f.MarginMoved, f.FundingPaid,
            f.PositionSettled, f.TakenOver, f.LegsNetted, f.LossShared, f.LiquidationFeeCharged, f.DeficitCovered,
            f.LiquidationEnded, f.MarginCalled,
        ),
        _own,
    ),
}  # fmt: skip
"""LiquidationEnded is among them since it gives what is left of an isolated wallet back."""
