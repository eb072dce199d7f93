"""What happened under stress, folded from the facts: moment by moment, and account by account."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from events import facts as f
from events.commands import LIQUIDATION_ORDER, MARKET, AccountId, Side
from events.instruments import Instrument, InstrumentId
from events.record import Batch
from events.units import UNIT
from exchange.projections.deficits import Deficits
from replay.stress.scenario import quote_of, value_at

TAKERS = ("book", "fund", "adl", "market")
"""Who takes what is closed by force: the book, the insurance fund, ranked accounts, or MARKET where none is left."""


@dataclass(slots=True)
class Moment:
    """One time at which prices were stated, and all that followed at that time. Amounts are atoms of the settle asset.

    price is the path's and mark the mark, mark units; volume is what was closed by force in the shocked instrument by
    who took it, elsewhere the same in the second, all takers together; impact is how far the worst forced fill in the
    book lay beyond the mark, displaced how far the book was pushed from the path afterwards, Rates; fund is the equity
    of the insurance funds together.
    """

    at: int
    price: int
    mark: int = 0
    liquidations: int = 0
    volume: dict[str, int] = field(default_factory=lambda: dict.fromkeys(TAKERS, 0))
    elsewhere: int = 0
    impact: int = 0
    displaced: int = 0
    deficit: int = 0
    fund: int = 0

    @property
    def closed(self) -> int:
        """All that was closed by force in the shocked instrument."""
        return sum(self.volume.values())


@dataclass(frozen=True, slots=True)
class Losses:
    """How many accounts there are, how many were liquidated, lost more than the margin of their positions, lost all.

    lost is what all accounts together lost, atoms.
    """

    accounts: int
    liquidated: int
    beyond: int
    emptied: int
    lost: int


class Figures:
    """The fold. pressure is what forced orders took of MARKET's book since it was asked for last, quote asset, 10^-8,
    by instrument and side; funds are the insurance funds, whose forced orders liquidate nobody.
    """

    def __init__(self, markets: Sequence[Instrument], funds: Sequence[AccountId]) -> None:
        self.instruments: Mapping[str, Instrument] = {terms.id: terms for terms in markets}
        self.funds = funds
        self.shocked: InstrumentId = markets[0].id
        self.moments: list[Moment] = []
        self._gathering = Moment(0, 0, 0)
        self.deficits = Deficits()
        self.liquidated: dict[AccountId, None] = {}
        self.refused: Counter[str] = Counter()
        self.pressure: dict[tuple[str, Side], int] = {}
        self.records = 0
        self.worked_off = 0
        self._marks: dict[str, int] = {}

    def observe(self, batch: Batch) -> None:
        """Fold the facts of one batch."""
        records = batch.records
        self.records = records[-1].seq
        for record in records:
            kind = type(record.message)
            if (fold := _FOLD.get(kind)) is not None:
                fold(self, record.message)
        self.deficits.observe(batch)
        if self.deficits.latest:
            self.now.deficit += sum(self.deficits.latest.values())

    def begin(self, at: int, price: int) -> Moment:
        """What follows belongs to this moment."""
        before = self.moments[-1].mark if self.moments else price
        moment = Moment(at, price, before)
        self.moments.append(moment)
        return moment

    @property
    def now(self) -> Moment:
        """The moment that facts belong to: what happens while the crowd gathers belongs to none that is told."""
        return self.moments[-1] if self.moments else self._gathering

    def close(self, instrument: str, taker: str, lots: int) -> None:
        """So many lots were closed by force, counted at the mark."""
        value = value_at(self.instruments[instrument], lots, self._marks[instrument])
        if instrument == self.shocked:
            self.now.volume[taker] += value
        else:
            self.now.elsewhere += value


def _on_mark(figures: Figures, fact: f.MarkPriceMoved) -> None:
    figures._marks[fact.instrument] = fact.mark
    if fact.instrument == figures.shocked and figures.moments:
        figures.now.mark = fact.mark


def _on_started(figures: Figures, fact: f.LiquidationStarted) -> None:
    figures.liquidated[fact.account] = None
    figures.now.liquidations += 1


def _on_traded(figures: Figures, fact: f.Traded) -> None:
    """A forced fill in the book: of a liquidation, or of a fund that works off what it holds."""
    if fact.taker_order != LIQUIDATION_ORDER or fact.taker == MARKET:
        return
    terms, mark = figures.instruments[fact.instrument], figures._marks[fact.instrument]
    price = fact.price * terms.tick
    if fact.maker == MARKET:
        key = (fact.instrument, fact.side)
        figures.pressure[key] = figures.pressure.get(key, 0) + quote_of(terms, fact.lots, price)
    if fact.taker in figures.funds:
        figures.worked_off += value_at(terms, fact.lots, mark)
        return
    figures.close(fact.instrument, "book", fact.lots)
    if fact.instrument == figures.shocked:
        beyond = mark - price if fact.side is Side.SELL else price - mark
        figures.now.impact = max(figures.now.impact, beyond * UNIT // mark)


def _on_taken_over(figures: Figures, fact: f.TakenOver) -> None:
    figures.close(fact.instrument, "fund", fact.lots)


def _on_deleveraged(figures: Figures, fact: f.Deleveraged) -> None:
    figures.close(fact.instrument, "market" if fact.against == MARKET else "adl", fact.lots)


def _on_refused(figures: Figures, fact: f.Refused) -> None:
    figures.refused[fact.reason.value] += 1


_FOLD: dict[type, Callable[[Figures, Any], None]] = {
    f.MarkPriceMoved: _on_mark,
    f.LiquidationStarted: _on_started,
    f.Traded: _on_traded,
    f.TakenOver: _on_taken_over,
    f.Deleveraged: _on_deleveraged,
    f.Refused: _on_refused,
}
