"""Who bore what liquidations lacked: the deficit at the mark, counted by layer from the facts.

A part of a position that is closed at a bankruptcy price beyond the mark costs whoever takes it the difference, and a
pool that is below zero costs the fund what brings it back. Each goes to one layer:

fund        the insurance fund took the part over, or covered the pool, and could pay for it
adl         a ranked account closed the part
market      MARKET closed the part: no ranked account was left
socialised  the winners bore what the fund lacked
open        the fund is below zero by it at the end, by what it bore or by what it lost later on what it holds
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from events import facts as f
from events.commands import MARKET, Side
from events.instruments import Instrument, Inverse
from events.units import UNIT

LAYERS = ("fund", "adl", "market", "socialised", "open")


class Deficits:
    """The deficit by layer so far, atoms of the settle asset; `open` only once `end` is told what the fund has."""

    def __init__(self, instruments: Mapping[str, Instrument]) -> None:
        self._instruments = instruments
        self._marks: dict[str, int] = {}
        self.total = 0
        self.layers = dict.fromkeys(LAYERS, 0)

    def observe(self, fact: f.Fact) -> None:
        """Fold a fact."""
        if fold := _FOLD.get(type(fact)):
            fold(self, fact)

    def end(self, fund: int) -> dict[str, int]:
        """The deficit by layer, where the fund's equity at the end is this, atoms: what it lacks is open.

        What it lost later on positions that it had taken over without a loss is open too, as far as it lacks it.
        """
        lack = max(0, -fund)
        return self.layers | {"fund": self.layers["fund"] - min(self.layers["fund"], lack), "open": lack}

    def _bear(self, layer: str, amount: int) -> None:
        self.layers[layer] += amount
        self.total += amount

    def _loss(self, fact: f.TakenOver | f.Deleveraged) -> int:
        """What the one who takes the part has lost by it at the mark, atoms, at least 0; its worth is rounded down."""
        terms = self._instruments[fact.instrument]
        worth = value_at(terms, fact.lots, self._marks[fact.instrument])
        is_long = fact.side is Side.SELL
        gains = is_long is not isinstance(terms, Inverse)
        return max(0, fact.value - worth if gains else worth - fact.value)


def value_at(terms: Instrument, lots: int, mark: int) -> int:
    """What so many lots are worth at a mark, atoms of the settle asset, rounded down."""
    if isinstance(terms, Inverse):
        return lots * terms.contract_value * terms.lot // mark
    return lots * terms.lot * mark // UNIT


def _on_mark(deficits: Deficits, fact: f.MarkPriceMoved) -> None:
    deficits._marks[fact.instrument] = fact.mark


def _on_taken_over(deficits: Deficits, fact: f.TakenOver) -> None:
    deficits._bear("fund", deficits._loss(fact))


def _on_deleveraged(deficits: Deficits, fact: f.Deleveraged) -> None:
    deficits._bear("market" if fact.against == MARKET else "adl", deficits._loss(fact))


def _on_covered(deficits: Deficits, fact: f.DeficitCovered) -> None:
    deficits._bear("fund", fact.amount)


def _on_shared(deficits: Deficits, fact: f.LossShared) -> None:
    """What is shared was the fund's until now; what it lost later, on what it holds, comes on top."""
    moved = min(fact.amount, deficits.layers["fund"])
    deficits.layers["fund"] -= moved
    deficits._bear("socialised", fact.amount)
    deficits.total -= moved


_FOLD: dict[type, Callable[[Deficits, Any], None]] = {
    f.MarkPriceMoved: _on_mark,
    f.TakenOver: _on_taken_over,
    f.Deleveraged: _on_deleveraged,
    f.DeficitCovered: _on_covered,
    f.LossShared: _on_shared,
}
