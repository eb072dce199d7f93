"""What an account had over time in one asset: equity, drawdown, exposure, headroom. Amounts are grains.

Everything is measured at the end of each batch that touched the account or moved a price that it depends on; between
two such moments nothing of it changes. Series keep the lowest and highest value of every stretch, so that no spike is
lost (`replay.lab.Series`). Definitions: `docs/report.md`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import InitVar, dataclass, field
from fractions import Fraction
from typing import NamedTuple

from events.units import UNIT
from exchange.core.margin.model import cross_equity, is_open, requirement, unrealised, worth
from exchange.core.state import Account, Pool, Position, Wallet
from replay.lab import Room, Series
from replay.lab.figures import ratio_of
from replay.report.drawdown import Drawdown
from replay.report.samples import Samples

TOGETHER = "together"
"""Under this name stands what an account in multi-asset mode has in all its assets, in the valuation asset."""


class Holdings(NamedTuple):
    """What an account has in an asset at a moment: equity, notional of all positions, long less short notional."""

    equity: int
    gross: int
    net: int


NOTHING = Holdings(0, 0, 0)


class Need(NamedTuple):
    """What the pools of an account leave in an asset at a moment: the least equity beyond maintenance and beyond
    initial margin, and the highest maintenance margin / equity (10^-8, rounded up).
    """

    headroom: int
    beyond_initial: int
    ratio: int


CURVES = ("equity", "profit", "gross", "net", "leverage", "headroom", "initial", "ratio")
"""What is kept over time."""


@dataclass(slots=True)
class Standing:
    """An account in one asset over time. leverage and ratio are in 10^-8; brought is the money brought in.

    headroom, initial and ratio have a value while a position is open. The times are sums of value x ns. While it is a
    part of what answers together it has no leverage of its own.
    """

    asset: str
    room: InitVar[Room]
    equity: Series = field(init=False)
    profit: Series = field(init=False)
    gross: Series = field(init=False)
    net: Series = field(init=False)
    leverage: Series = field(init=False)
    headroom: Series = field(init=False)
    initial: Series = field(init=False)
    ratio: Series = field(init=False)
    drawdown: Drawdown = field(default_factory=Drawdown)
    samples: Samples = field(default_factory=Samples)
    holdings: Holdings = NOTHING
    brought: int = 0
    is_part: bool = False
    started: int = 0
    measured: int = 0
    gross_time: int = 0
    net_time: int = 0
    levered_time: int = 0
    equity_time: int = 0
    open_time: int = 0

    def __post_init__(self, room: Room) -> None:
        for name in CURVES:
            setattr(self, name, Series(room))

    def pass_time(self, until: int) -> None:
        """What it holds it held until then."""
        lasted = until - self.measured
        self.gross_time += self.holdings.gross * lasted
        self.net_time += self.holdings.net * lasted
        if not self.is_part:
            self.levered_time += self.holdings.gross * lasted
            self.equity_time += self.holdings.equity * lasted
        if self.holdings.gross:
            self.open_time += lasted
        self.measured = until

    def note(
        self, at: int, record: int, holdings: Holdings, brought: int, need: Need | None, is_part: bool = False
    ) -> None:
        """It holds this from now on; alone, or as a part of all that answers together."""
        if self.equity.last is None:
            self.started = self.measured = at
        self.pass_time(at)
        self.holdings, self.brought, self.is_part = holdings, brought, is_part
        profit = holdings.equity - brought
        self.equity.add(at, holdings.equity, record)
        self.profit.add(at, profit, record)
        self.drawdown.add(at, profit, brought)
        self.gross.add(at, holdings.gross, record)
        self.net.add(at, holdings.net, record)
        if holdings.gross and holdings.equity > 0 and not is_part:
            self.leverage.add(at, holdings.gross * UNIT // holdings.equity, record)
        else:
            self.leverage.pause(at)
        for series, value in zip((self.headroom, self.initial, self.ratio), need or (None,) * 3, strict=True):
            if value is None:
                series.pause(at)
            else:
                series.add(at, value, record)

    def pause(self, at: int) -> None:
        """It stands no more, until it is noted again."""
        self.pass_time(at)
        self.brought -= self.holdings.equity
        self.holdings = NOTHING
        for series in (self.equity, self.gross, self.net, self.leverage, self.headroom, self.initial, self.ratio):
            series.pause(at)

    def sample(self, times: int) -> None:
        """So many equal intervals ended with what it holds."""
        if self.equity.last is not None:
            self.samples.sample(self.holdings.equity - self.brought, self.holdings.equity, times)

    def end(self, at: int) -> None:
        """The session ended then."""
        if self.equity.last is not None:
            self.pass_time(at)
            self.drawdown.end(at)

    @property
    def lasted(self) -> int:
        """How long it was measured, ns."""
        return self.measured - self.started

    @property
    def mean_leverage(self) -> Fraction | None:
        """Notional over equity, both averaged over time; None without equity."""
        return Fraction(self.levered_time, self.equity_time) if self.equity_time > 0 else None

    def average(self, sum_over_time: int) -> int:
        """The mean over time of what was summed up, rounded down."""
        return sum_over_time // self.lasted if self.lasted else 0


def holdings_of(wallet: Wallet) -> Holdings:
    """What the account has in the wallet's asset, isolated wallets among it."""
    equity, gross, net = cross_equity(wallet), 0, 0
    for p in wallet.positions:
        if p.is_isolated:
            equity += p.isolated * UNIT + (unrealised(p) if p.lots else 0)
        if p.lots:
            size = abs(worth(p))
            gross += size
            net += size if p.lots > 0 else -size
    return Holdings(equity, gross, net)


def together(account: Account) -> Holdings | None:
    """All assets of an account in multi-asset mode at their index prices, without haircuts; None where one that it has
    something of has no price yet.
    """
    assert account.multi is not None
    sums = [0, 0, 0]
    for wallet in account.wallets.values():
        index, has = account.multi.assets[wallet.asset].index, holdings_of(wallet)
        if not index and any(has):
            return None
        for n, amount in enumerate(has):
            sums[n] += amount * index // UNIT
    return Holdings(*sums)


def needs(account: Account) -> dict[str, Need]:
    """By asset, what the account's pools with a position leave: in multi-asset mode also under `TOGETHER`."""
    found: dict[str, Need] = {}
    for pool in pools(account):
        if is_open(pool):
            margin = requirement(pool)
            need = Need(margin.equity - margin.maintenance, margin.equity - margin.initial, ratio_of(margin))
            known = found.get(asset := _asset_of(pool), need)
            found[asset] = Need(*map(min, known[:2], need[:2]), max(known.ratio, need.ratio))  # type: ignore[call-arg]
    return found


def pools(account: Account) -> Iterator[Pool]:
    """The pools of an account as they are: its wallets, or all together, and its isolated positions."""
    if account.multi is not None:
        yield account.multi
    else:
        yield from account.wallets.values()
    yield from (p for p in account.positions.values() if p.is_isolated)


def _asset_of(pool: Pool) -> str:
    return pool.wallet.asset if isinstance(pool, Position) else pool.asset if isinstance(pool, Wallet) else TOGETHER
