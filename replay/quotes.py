"""What a strategy is shown: best prices, what an auction comes to, what an account owns."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from events.commands import FundingSource
from events.units import UNIT, Nanos
from exchange.core.contract import Contract
from exchange.core.due import DueKind
from exchange.core.margin.model import cross_equity, requirement, unrealised
from exchange.core.state import Account, Pool, State
from exchange.core.timers import funding_due


@dataclass(frozen=True, slots=True)
class Quote:
    """Best prices that a taker could meet now; None where there is nobody."""

    bid: Decimal | None
    ask: Decimal | None


class Indicative(NamedTuple):
    """What an auction comes to so far: its price, the size that trades, and what more is bought, or sold (below 0)."""

    price: Decimal
    size: Decimal
    surplus: Decimal


class Funding(NamedTuple):
    """The rate as it stands, a share of the notional (above 0 longs pay shorts), and when it is paid, ns: 0 where
    that is not known.
    """

    rate: Decimal
    at: Nanos


class Margin(NamedTuple):
    """A pool at the present marks, in its asset: what it is worth, and the margins that its positions need."""

    equity: Decimal
    initial: Decimal
    maintenance: Decimal

    @property
    def headroom(self) -> Decimal:
        """What it can lose before it is liquidated, as long as its maintenance margin stays what it is."""
        return self.equity - self.maintenance

    @property
    def ratio(self) -> Decimal | None:
        """Maintenance margin / equity: it falls due at 1. None without a position, or with nothing left."""
        return self.maintenance / self.equity if self.maintenance and self.equity > 0 else None


def price_of(contract: Contract, ticks: int | None) -> Decimal | None:
    """The price that so many ticks are."""
    return None if ticks is None else Decimal(ticks * contract.tick) / UNIT


def funding_of(state: State, contract: Contract) -> Funding:
    """The funding of an instrument as it stands: as the data has it or, where it is computed, by the premium so far."""
    assert state.options is not None
    if state.options.funding is FundingSource.FED:
        return Funding(Decimal(contract.feed.rate) / UNIT, Nanos(contract.feed.next_funding))
    due = funding_due(state, contract, state.now)
    times = (at for at, kind, name in state.timers if kind == DueKind.FUNDING and name == contract.id)
    return Funding(Decimal(due.rate) / due.over / UNIT, Nanos(next(times, 0)))


def margin_of(pool: Pool) -> Margin:
    """A pool's margin: its equity rounded down to atoms, what it needs rounded up."""
    equity, initial, maintenance = requirement(pool)
    return Margin(*(Decimal(atoms) / UNIT for atoms in (equity // UNIT, -(-initial // UNIT), -(-maintenance // UNIT))))


def equity_atoms(account: Account, asset: str) -> int:
    """Wallets and unrealised PnL of an account in one asset, isolated wallets too, atoms rounded down."""
    wallet = account.wallets.get(asset)  # type: ignore[call-overload]
    if wallet is None:
        return 0
    isolated = [p for p in wallet.positions if p.is_isolated]
    total: int = cross_equity(wallet) + sum(p.isolated * UNIT + unrealised(p) for p in isolated)
    return total // UNIT
