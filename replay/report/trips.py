"""Round trips: from the moment a position is opened until it is flat again, what it brought and how long it took.

A trade through zero ends one trip and begins the next, the fee split as the core splits it. What a trip brought is the
realised PnL of its closes less the fees of its trades, plus its funding; liquidation fees and what the insurance fund
does are the pool's, and of no trip. Definitions: `docs/report.md`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction

from events.units import UNIT
from replay.report.spread import Spread


@dataclass(slots=True)
class Trips:
    """The round trips of one position: how many ended with a gain, a loss, or neither; sums in atoms; ns.

    current is what the open one brought so far; opened_at when it began, None while the position is flat; still_open
    counts the open ones of other positions whose trips were taken over.
    """

    won: int = 0
    lost: int = 0
    even: int = 0
    gains: int = 0
    losses: int = 0
    best: int | None = None
    worst: int | None = None
    held: Spread = field(default_factory=Spread)
    held_in_all: int = 0
    opened_at: int | None = None
    current: int = 0
    still_open: int = 0

    @property
    def closed(self) -> int:
        """How many ended."""
        return self.won + self.lost + self.even

    @property
    def win_percent(self) -> Fraction | None:
        """How many of a hundred ended with a gain."""
        return Fraction(100 * self.won, self.closed) if self.closed else None

    @property
    def average_gain(self) -> Fraction | None:
        """What one that won brought, the asset."""
        return Fraction(self.gains, self.won * UNIT) if self.won else None

    @property
    def average_loss(self) -> Fraction | None:
        """What one that lost cost, the asset, above 0."""
        return Fraction(self.losses, self.lost * UNIT) if self.lost else None

    @property
    def profit_factor(self) -> Fraction | None:
        """The gains of all that won over the losses of all that lost; None where none lost."""
        return Fraction(self.gains, self.losses) if self.losses else None

    def trade(self, at: int, before: int, after: int, lots: int, realised: int, fee: int) -> None:
        """The position went from `before` to `after`, signed lots, by a trade of so many lots."""
        if before and before * after <= 0:
            of_close = fee * abs(before) // lots
            self.add(realised - of_close)
            self._close(at)
            fee, realised = fee - of_close, 0
        if after and self.opened_at is None:
            self.opened_at = at
        self.add(realised - fee)

    def add(self, amount: int) -> None:
        """The open trip gained or lost."""
        if self.opened_at is not None:
            self.current += amount

    def settle(self, at: int, amount: int) -> None:
        """The position ended at its expiry."""
        if self.opened_at is not None:
            self.current += amount
            self._close(at)

    def _close(self, at: int) -> None:
        brought, self.current = self.current, 0
        assert self.opened_at is not None
        self.held.add(at - self.opened_at)
        self.held_in_all += at - self.opened_at
        self.opened_at = None
        self._extremes(brought, brought)
        if brought > 0:
            self.won += 1
            self.gains += brought
        elif brought < 0:
            self.lost += 1
            self.losses -= brought
        else:
            self.even += 1

    def _extremes(self, best: int, worst: int) -> None:
        self.best = best if self.best is None else max(self.best, best)
        self.worst = worst if self.worst is None else min(self.worst, worst)

    def take(self, other: Trips) -> None:
        """Count another position's trips too."""
        for name in ("won", "lost", "even", "gains", "losses", "held_in_all"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        if other.best is not None and other.worst is not None:
            self._extremes(other.best, other.worst)
        self.still_open += other.still_open + (other.opened_at is not None)
        self.current += other.current
        self.held.take(other.held)
