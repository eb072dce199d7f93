"""What is measured of an account under a mode. Amounts are grains of their asset until somebody reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from events.units import UNIT
from exchange.core.liquidation.pools import last_change
from exchange.core.margin.model import (
    Margin,
    available,
    cross_equity,
    cross_positions,
    index_of,
    is_due,
    is_open,
    multi_available,
    multi_equity,
    notional,
    requirement,
    unrealised,
)
from exchange.core.state import Account, Pool, Position, Wallet
from replay.lab.series import BEYOND, Series
from replay.lab.shadow import Mode, pools_under


@dataclass(frozen=True, slots=True)
class WouldBe:
    """The first moment at which a pool would have been due for liquidation.

    record is the one that made it due, marks are those of the pool's positions by instrument; spared is the part of the
    account's equity in the same asset that the pool could not have lost.
    """

    at: int
    record: int
    pool: str
    asset: str
    equity: int
    maintenance: int
    spared: int
    marks: dict[str, int]


@dataclass(slots=True)
class AssetFigures:
    """The figures in one settle asset.

    headroom is equity - maintenance margin of the pool where that is smallest, while a position is open. equity is all
    that the account has: wallets, isolated wallets, unrealised PnL. capital is what is tied up: isolated wallets of
    open positions, or initial margin under cross, and what open orders reserve. notional is that of all positions.
    """

    headroom: Series = field(default_factory=Series)
    equity: Series = field(default_factory=Series)
    capital: Series = field(default_factory=Series)
    notional: Series = field(default_factory=Series)
    capital_time: int = 0
    notional_time: int = 0
    measured_at: int = 0

    def pass_time(self, until: int) -> None:
        """Capital and notional were tied up until then: their sums over time, grains x ns."""
        if self.capital.last is not None and self.notional.last is not None:
            self.capital_time += self.capital.last.value * (until - self.measured_at)
            self.notional_time += self.notional.last.value * (until - self.measured_at)
        self.measured_at = until

    @property
    def efficiency(self) -> int | None:
        """Capital efficiency: notional carried per capital tied up, both averaged over time; 10^-8, rounded down."""
        return self.notional_time * UNIT // self.capital_time if self.capital_time > 0 else None


@dataclass(slots=True)
class Figures:
    """One account under one mode.

    ratio is maintenance margin / equity of the worst pool with a position, 10^-8, rounded up. would_be names each
    pool's first moment, in order. refused counts the orders that margin would not have carried. unpriced is an asset
    whose price multi-asset mode did not know for some time: it was valued one to one, or, beside others, not at all,
    and nothing was measured meanwhile (has_holes).
    """

    mode: Mode
    ratio: Series = field(default_factory=Series)
    assets: dict[str, AssetFigures] = field(default_factory=dict)
    would_be: dict[str, WouldBe] = field(default_factory=dict)
    refused: int = 0
    unpriced: str = ""
    has_holes: bool = False

    @property
    def first(self) -> WouldBe | None:
        """The first moment of a would-be liquidation."""
        return next(iter(self.would_be.values()), None)

    def note(self, at: int, record: int, account: Account, valuation: str, touched: Mapping[Pool, int]) -> None:
        """Measure the account as it stands after a record; touched are the pools that the last facts changed.

        In multi-asset mode amounts are in the valuation asset.
        """
        ratio = 0
        headroom: dict[str, int] = {}
        for pool in pools_under(self.mode, account):
            margin = requirement(pool)
            if is_open(pool):
                ratio = max(ratio, ratio_of(margin))
                asset = _asset_of(pool) or valuation
                left = margin.equity - margin.maintenance
                headroom[asset] = min(left, headroom.get(asset, left))
            if pool.id[1] not in self.would_be and self._falls_due(pool, margin):
                self.would_be[pool.id[1]] = _would_be(at, account, pool, margin, valuation, touched)
        self.ratio.add(at, ratio, record)
        for asset, total in _totals(account, valuation).items():
            figures = self.assets.get(asset)
            if figures is None:
                figures = self.assets[asset] = AssetFigures()
            figures.pass_time(at)
            figures.equity.add(at, total.equity, record)
            figures.capital.add(at, total.capital, record)
            figures.notional.add(at, total.notional, record)
            if asset in headroom:
                figures.headroom.add(at, headroom[asset], record)
            else:
                figures.headroom.pause(at)

    def _falls_due(self, pool: Pool, margin: Margin) -> bool:
        """Whether the core holds the pool due; a wallet overdrawn by orders that it would have refused is not."""
        if margin.equity > margin.maintenance:
            return False
        return is_due(pool) and (is_open(pool) or not self.refused)

    def end(self, at: int) -> None:
        """The session ended then."""
        for figures in self.assets.values():
            figures.pass_time(at)


def ratio_of(margin: Margin) -> int:
    """Maintenance margin / equity, 10^-8, rounded up."""
    if margin.equity > 0:
        return min(BEYOND, -(-margin.maintenance * UNIT // margin.equity))
    return BEYOND


class Total(NamedTuple):
    """What an account has, has tied up, and holds, grains of one asset."""

    equity: int
    capital: int
    notional: int


def _totals(account: Account, valuation: str) -> dict[str, Total]:
    """By asset: wallets, isolated wallets and unrealised PnL; isolated wallets of open positions, initial margin of
    cross ones and what orders reserve; the notional of all positions.
    """
    if account.multi is None:
        return {wallet.asset: _total(wallet) for wallet in account.wallets.values()}
    equity = multi_equity(account.multi)
    held = sum(notional(p) * index_of(p) // UNIT for p in cross_positions(account.multi))
    return {valuation: Total(equity, equity - multi_available(account.multi), held)}


def _total(wallet: Wallet) -> Total:
    cross = cross_equity(wallet)
    equity, tied, held = cross, cross - available(wallet), 0
    for p in wallet.positions:
        if p.is_isolated:
            equity += p.isolated * UNIT + (unrealised(p) if p.lots else 0)
        if p.lots:
            tied += p.isolated * UNIT if p.is_isolated else 0
            held += notional(p)
    return Total(equity, tied, held)


def _asset_of(pool: Pool) -> str:
    """The asset in which a pool is measured; nothing where that is the valuation asset."""
    return pool.wallet.asset if isinstance(pool, Position) else pool.asset if isinstance(pool, Wallet) else ""


def _would_be(
    at: int, account: Account, pool: Pool, margin: Margin, valuation: str, touched: Mapping[Pool, int]
) -> WouldBe:
    positions = [pool] if isinstance(pool, Position) else cross_positions(pool)
    asset = _asset_of(pool) or valuation
    return WouldBe(
        at=at,
        record=last_change(pool, touched.get(pool, 0)),
        pool=pool.id[1],
        asset=asset,
        equity=margin.equity,
        maintenance=margin.maintenance,
        spared=_totals(account, valuation)[asset].equity - margin.equity,
        marks={str(p.contract.id): p.contract.mark for p in positions},
    )
