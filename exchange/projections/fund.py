"""What the insurance funds have, folded from the facts: their balances by asset, and what they hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from events import facts as f
from events.commands import INSURANCE, AccountId, Side
from events.instruments import AssetId, Instrument, Inverse, instrument_of
from events.units import UNIT


class FundBooks:
    """Balances, atoms by fund and asset; positions, signed lots and entry values, atoms, by instrument.

    instruments, marks and funds (that of each instrument) are those of the session, kept by whoever owns this.
    """

    def __init__(
        self, instruments: Mapping[str, Instrument], marks: Mapping[str, int], funds: Mapping[str, AccountId]
    ) -> None:
        self.balances: Counter[tuple[AccountId, AssetId]] = Counter()
        self.lots: Counter[str] = Counter()
        self.entries: Counter[str] = Counter()
        self._instruments = instruments
        self._marks = marks
        self._funds = funds
        self._names = {INSURANCE, *funds.values()}

    def apply(self, fact: Any) -> None:
        """Take one more fact."""
        if fold := _FOLD.get(type(fact)):
            fold(self, fact)

    def equity(self, fund: AccountId, asset: AssetId) -> int:
        """Balance and unrealised PnL of a fund at the present marks, atoms, rounded down."""
        grains = self.balances[fund, asset] * UNIT
        for name, lots in self.lots.items():
            terms = self._instruments[name]
            if lots and (self._funds[name], terms.settle) == (fund, asset):
                grains += worth(terms, lots, self._marks[name]) - self.entries[name] * UNIT
        return grains // UNIT

    def trade(self, instrument: str, lots: int, value: int) -> None:
        """It trades signed lots at a value, atoms: what it closes settles its part of the entry value."""
        terms, held = self._instruments[instrument], self.lots[instrument]
        size = abs(lots)
        closed = min(size, abs(held)) if held * lots < 0 else 0
        if closed:
            settled = value * closed // size
            cost = entry(terms, held, abs(self.entries[instrument]) * closed // abs(held))
            self.balances[self._funds[instrument], terms.settle] -= entry(terms, lots, settled) + cost
            self.entries[instrument] -= cost
            value -= settled
        if size > closed:
            self.entries[instrument] += entry(terms, lots, value)
        self.lots[instrument] += lots

    def deposited(self, fact: f.Deposited) -> None:
        """Money from outside."""
        if fact.account in self._names:
            self.balances[fact.account, fact.asset] += fact.amount

    def taken_over(self, fact: f.TakenOver) -> None:
        """The other side of what an account closes."""
        self.trade(fact.instrument, fact.lots if fact.side is Side.SELL else -fact.lots, fact.value)

    def traded(self, fact: f.Traded) -> None:
        """It works off what it holds, always as the taker."""
        if fact.taker in self._names:
            self.trade(fact.instrument, fact.lots if fact.side is Side.BUY else -fact.lots, fact.value)

    def paid(self, fact: f.FundingPaid | f.PositionSettled) -> None:
        """Funding, or the end of a dated contract."""
        if fact.account in self._names:
            self.balances[fact.account, self._instruments[fact.instrument].settle] += fact.amount
            if isinstance(fact, f.PositionSettled):
                self.lots[fact.instrument] = self.entries[fact.instrument] = 0

    def charged(self, fact: f.LiquidationFeeCharged) -> None:
        """A liquidation fee."""
        self.balances[fact.fund, self._asset_of(fact.pool)] += fact.amount

    def covered(self, fact: f.DeficitCovered) -> None:
        """A deficit that it covers."""
        self.balances[fact.fund, self._asset_of(fact.pool)] -= fact.amount

    def shared(self, fact: f.LossShared) -> None:
        """What winners pay."""
        self.balances[self._funds[fact.instrument], self._instruments[fact.instrument].settle] += fact.amount

    def _asset_of(self, pool: str) -> AssetId:
        terms = self._instruments.get(instrument_of(pool))
        return terms.settle if terms else AssetId(pool)


def worth(terms: Instrument, lots: int, mark: int) -> int:
    """What lots are worth at a mark, grains, with the sign of what their holder gains by; rounded down."""
    if isinstance(terms, Inverse):
        return -lots * terms.contract_value * terms.lot * UNIT // mark
    return lots * terms.lot * mark


def entry(terms: Instrument, lots: int, value: int) -> int:
    """The entry value of lots that were taken at a value, atoms, signed as their worth is."""
    return value if (lots > 0) != isinstance(terms, Inverse) else -value


_FOLD: dict[type[f.Fact], Callable[[FundBooks, Any], None]] = {
    f.Deposited: FundBooks.deposited,
    f.TakenOver: FundBooks.taken_over,
    f.Traded: FundBooks.traded,
    f.FundingPaid: FundBooks.paid,
    f.PositionSettled: FundBooks.paid,
    f.LiquidationFeeCharged: FundBooks.charged,
    f.DeficitCovered: FundBooks.covered,
    f.LossShared: FundBooks.shared,
}
"""Fact -> what it does to the fund."""
