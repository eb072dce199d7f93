"""What became of an account's orders, and how long those that rested waited for their fills."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from fractions import Fraction

from replay.report.spread import Spread


@dataclass(slots=True)
class OrderFigures:
    """Counts of an account's orders. conditional ones count as placed once they fired; filled are those that traded in
    full. expired is by why, refused by reason: commands of any kind.
    """

    placed: int = 0
    conditional: int = 0
    amended: int = 0
    filled: int = 0
    cancelled: int = 0
    expired: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)

    def per_fill(self, fills: int) -> Fraction | None:
        """Orders placed, amended and cancelled per fill; None without any."""
        return Fraction(self.placed + self.amended + self.cancelled, fills) if fills else None


@dataclass(slots=True)
class QueueTimes:
    """From joining the queue to the first fill there, and to the last, ns; of orders that filled while they rested."""

    first: Spread = field(default_factory=Spread)
    whole: Spread = field(default_factory=Spread)
