"""How much each account traded of each instrument."""

from __future__ import annotations

from events.facts import Traded
from events.record import Batch
from events.units import Atoms, Lots
from events.views import Row
from exchange.projections.kept import Rows


class Volume(Row, frozen=True):
    """Trades, their lots, and their value in atoms."""

    trades: int
    lots: Lots
    value: Atoms


class Turnover:
    """A `Projection`: account and instrument -> Volume, whichever side the account was on."""

    name = "turnover"
    version = 1
    row = Volume

    def fold(self, rows: Rows, batch: Batch) -> None:
        """See `Projection.fold`."""
        for fact in batch.facts:
            if type(fact) is Traded:
                for account in (fact.maker, fact.taker):
                    key = f"{account} {fact.instrument}"
                    before = rows.get(key, Volume(0, Lots(0), Atoms(0)))
                    lots, value = Lots(before.lots + fact.lots), Atoms(before.value + fact.value)
                    rows.put(key, Volume(before.trades + 1, lots, value))
