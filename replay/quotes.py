"""What a strategy is shown: best prices, what an auction comes to, what an account owns."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from events.units import UNIT
from exchange.core.contract import Contract
from exchange.core.margin.model import cross_equity, unrealised
from exchange.core.state import Account


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


def price_of(contract: Contract, ticks: int | None) -> Decimal | None:
    """The price that so many ticks are."""
    return None if ticks is None else Decimal(ticks * contract.tick) / UNIT


def equity_atoms(account: Account, asset: str) -> int:
    """Wallets and unrealised PnL of an account in one asset, isolated wallets too, atoms rounded down."""
    wallet = account.wallets.get(asset)  # type: ignore[call-overload]
    if wallet is None:
        return 0
    isolated = [p for p in wallet.positions if p.is_isolated]
    total: int = cross_equity(wallet) + sum(p.isolated * UNIT + unrealised(p) for p in isolated)
    return total // UNIT
