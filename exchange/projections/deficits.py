"""Who bore what liquidations lacked: every deficit, attributed to one layer, folded from the facts alone.

A *deficit* is what a liquidation leaves to others, atoms of the settle asset:

- where positions are closed at the bankruptcy price, by the fund or against others, what their worth at the mark of
  that moment is short of the value at which they were taken, rounded up to an atom; nothing where it is not short;
- what the fund pays into a pool that is below zero without a position.

It is borne by exactly one layer, or split between two at the atom: `adl`, accounts of the ranked queue; `market`, the
counterparty of a replay after them; `fund`, as far as the fund's equity at the marks was above 0 before it paid;
`open`, the rest of what the fund took on; `socialised`, what winners paid of what that same fund left open. So the sum
over the layers is the deficit. What a fund loses later, on what it holds, is no deficit of a liquidation; where winners
pay for that too, `shared_beyond` says how much. Source: `docs/margin.md`, section "Deficits by layer".
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable
from enum import Enum, unique
from typing import Any

from events import facts as f
from events.commands import INSURANCE, MARKET, AccountId, Side, funds_of
from events.instruments import AssetId, Instrument, instrument_of
from events.record import Batch
from events.units import UNIT
from exchange.projections.fund import FundBooks, entry, worth


@unique
class Bearer(Enum):
    """Who bears a deficit."""

    FUND = "fund"
    ADL = "adl"
    MARKET = "market"
    SOCIALISED = "socialised"
    OPEN = "open"


class Deficits:
    """All deficits of a session so far, by asset.

    `total` has what there was in all, `layers` by asset who bears it, both atoms; `latest` what the last batch added:
    (asset, layer) -> atoms, less where an open deficit became a shared one. `open` is what each fund left open of each
    asset, atoms.
    """

    def __init__(self) -> None:
        self.total: Counter[AssetId] = Counter()
        self.layers: dict[AssetId, Counter[Bearer]] = defaultdict(Counter)
        self.latest: Counter[tuple[AssetId, Bearer]] = Counter()
        self.shared_beyond: Counter[AssetId] = Counter()
        self.open: Counter[tuple[AccountId, AssetId]] = Counter()
        self._instruments: dict[str, Instrument] = {}
        self._marks: dict[str, int] = {}
        self._funds: dict[str, AccountId] = {}
        self._fund = FundBooks({}, {}, {})

    def observe(self, batch: Batch) -> None:
        """Fold one batch."""
        self.latest.clear()
        for fact in batch.facts:
            if fold := _FOLD.get(type(fact)):
                fold(self, fact)
            self._fund.apply(fact)

    def fund_equity(self, asset: AssetId, fund: AccountId = INSURANCE) -> int:
        """What a fund has of an asset at the present marks, atoms, rounded down."""
        return self._fund.equity(fund, asset)

    def check(self) -> None:
        """Assert that every deficit is somebody's, and nobody bears less than nothing."""
        for asset, total in self.total.items():
            assert sum(self.layers[asset].values()) == total, f"{asset}: layers and deficits do not add up"
            assert min(self.layers[asset].values()) >= 0
            left = [amount for (_, of), amount in self.open.items() if of == asset]
            assert sum(left) == self.layers[asset][Bearer.OPEN], f"{asset}: what funds left open does not add up"
            assert min(left, default=0) >= 0

    def open_session(self, fact: f.SessionOpened) -> None:
        """Learn the instruments."""
        self._instruments = {terms.id: terms for terms in fact.pack.instruments}
        self._funds = {str(name): fund for name, fund in funds_of(fact.pack).items()}
        self._fund = FundBooks(self._instruments, self._marks, self._funds)

    def mark(self, fact: f.MarkPriceMoved) -> None:
        """The mark that positions are worth."""
        self._marks[fact.instrument] = fact.mark

    def taken(self, fact: f.TakenOver | f.Deleveraged) -> None:
        """A position was taken at the bankruptcy price, by the fund or by another account."""
        terms = self._instruments[fact.instrument]
        lots = fact.lots if fact.side is Side.SELL else -fact.lots
        gained = worth(terms, lots, self._marks[fact.instrument]) - entry(terms, lots, fact.value) * UNIT
        amount = -(gained // UNIT) if gained < 0 else 0
        if isinstance(fact, f.TakenOver):
            self._by_fund(self._funds[terms.id], terms.settle, amount)
        else:
            self._add(terms.settle, Bearer.MARKET if fact.against == MARKET else Bearer.ADL, amount)

    def covered(self, fact: f.DeficitCovered) -> None:
        """The fund paid into a pool without a position."""
        terms = self._instruments.get(instrument_of(fact.pool))
        self._by_fund(fact.fund, terms.settle if terms else AssetId(fact.pool), fact.amount)

    def shared(self, fact: f.LossShared) -> None:
        """A winner paid what the instrument's fund lacked: an open deficit, or what it lost since on what it holds."""
        asset = self._instruments[fact.instrument].settle
        fund = self._funds[fact.instrument]
        amount = min(fact.amount, self.open[fund, asset])
        self.open[fund, asset] -= amount
        self.shared_beyond[asset] += fact.amount - amount
        for layer, change in ((Bearer.OPEN, -amount), (Bearer.SOCIALISED, amount)):
            self.layers[asset][layer] += change
            self.latest[asset, layer] += change

    def _by_fund(self, fund: AccountId, asset: AssetId, amount: int) -> None:
        paid = min(amount, max(0, self.fund_equity(asset, fund)))
        self._add(asset, Bearer.FUND, paid)
        self._add(asset, Bearer.OPEN, amount - paid)
        self.open[fund, asset] += amount - paid

    def _add(self, asset: AssetId, layer: Bearer, amount: int) -> None:
        if amount:
            self.total[asset] += amount
            self.layers[asset][layer] += amount
            self.latest[asset, layer] += amount


_FOLD: dict[type[f.Fact], Callable[[Deficits, Any], None]] = {
    f.SessionOpened: Deficits.open_session,
    f.MarkPriceMoved: Deficits.mark,
    f.TakenOver: Deficits.taken,
    f.Deleveraged: Deficits.taken,
    f.DeficitCovered: Deficits.covered,
    f.LossShared: Deficits.shared,
}
"""Fact -> how it counts."""
