"""Conditional orders as the auditor follows them: one by one, each with an extreme of its own.

Prices are counted in the unit of their source: mark units, or ticks for the last price.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from math import ceil, floor
from typing import TYPE_CHECKING

from events.commands import Side
from events.facts import TriggerPlaced
from events.triggers import PriceSource, TriggerKind
from exchange.audit.contract import rate

if TYPE_CHECKING:
    from exchange.audit.books import Position

NOWHERE = -1
NEVER = 1 << 100


@dataclass(slots=True, eq=False)
class Waiting:
    """A conditional order that waits: extreme is that of its price once it trails, gone that it fired or ended, lots
    for how many it fired, armed for how many its entry did. One that is orphaned ends with its position, which was
    closed.
    """

    placed: TriggerPlaced
    position: Position
    serial: int
    extreme: int | None = None
    gone: bool = False
    lots: int = 0
    amendments: int = 0
    orphaned: bool = False
    armed: int = 0

    @property
    def size(self) -> int:
        """Its lots: those that its entry armed, where it is attached to one."""
        return self.armed or self.placed.lots

    @property
    def trails(self) -> bool:
        """Whether it follows its price."""
        return self.placed.trigger_kind is TriggerKind.TRAILING_STOP

    @property
    def buys(self) -> bool:
        """Its side."""
        return self.placed.side is Side.BUY

    @property
    def from_below(self) -> bool:
        """Whether a rising price comes to its level: a stop that buys, a profit that is taken or trailed by selling."""
        return self.buys == (self.placed.trigger_kind is TriggerKind.STOP)

    @property
    def fires_rising(self) -> bool:
        """Whether it is a rising price that fires it."""
        return self.buys if self.trails else self.from_below

    @property
    def stated(self) -> int:
        """The price that it waits for, or that activates it; 0 where there is none."""
        unit = self.position.terms.tick if self.placed.source is PriceSource.MARK else 1
        return (self.placed.trigger or 0) * unit

    @property
    def level(self) -> int:
        """Where it fires while it trails: a callback off its extreme."""
        assert self.extreme is not None
        share = rate(self.placed.callback)
        return ceil(self.extreme * (1 + share)) if self.buys else floor(self.extreme * (1 - share))

    def has_come(self, price: int) -> bool:
        """Whether a price is where it fires or, until it trails, is activated; nothing moves along."""
        if self.trails and self.extreme is not None:
            return price >= self.level if self.buys else price <= self.level
        return self.stated > 0 and (price >= self.stated if self.from_below else price <= self.stated)

    def begin(self, price: int) -> None:
        """It waits from now on: a trailing stop without activation begins with this price."""
        if self.trails and not self.stated:
            self.extreme = price

    def meets(self, price: int) -> int | None:
        """The level at which the price reached it, none where it did not; its extreme moves along."""
        if not self.trails:
            comes = price >= self.stated if self.from_below else price <= self.stated
            return self.stated if comes else None
        if self.extreme is None:
            if not self.stated or (price >= self.stated if self.from_below else price <= self.stated):
                self.extreme = price
            return None
        self.extreme = min(self.extreme, price) if self.buys else max(self.extreme, price)
        return self.level if (price >= self.level if self.buys else price <= self.level) else None

    def quiet(self) -> tuple[int, int]:
        """Between which prices nothing happens to it."""
        if self.trails and self.extreme is not None:
            return (self.extreme - 1, self.level) if self.buys else (self.level, self.extreme + 1)
        return (NOWHERE, self.stated) if self.from_below else (self.stated, NEVER)


@dataclass(slots=True)
class Watched:
    """What waits for one price of an instrument, in the order in which it was placed, and where nothing happens."""

    waiting: dict[Waiting, None] = field(default_factory=dict)
    low: int = NOWHERE
    high: int = NEVER

    def add(self, one: Waiting) -> None:
        """One more."""
        self.waiting[one] = None
        self._bound([one])

    def move(self, price: int) -> list[Waiting]:
        """What a price reaches, in the order in which it is met, and of what is met at once the older first."""
        if self.low < price < self.high:
            return []
        met = [(level, one) for one in self.waiting if (level := one.meets(price)) is not None]
        for _, one in met:
            del self.waiting[one]
        self.low, self.high = NOWHERE, NEVER
        self._bound(self.waiting)
        return [one for _, one in sorted(met, key=lambda m: (m[0] if m[1].fires_rising else -m[0], m[1].serial))]

    def _bound(self, ones: Iterable[Waiting]) -> None:
        for low, high in (one.quiet() for one in ones):
            self.low, self.high = max(self.low, low), min(self.high, high)


class Waiters:
    """Everything that waits: by price, reached and not said yet, and in the queue to fire, by instrument.

    traded are positions that a fact changed, orphans those that ended with theirs and were not said to have expired.
    lasts are last prices, 0 while unknown; unseen are the instruments whose trades in history the auditor was not
    shown, so that it takes the session's word for what they reached.
    """

    def __init__(self) -> None:
        self.named: dict[tuple[str, int], Waiting] = {}
        self.lasts: dict[str, int] = {}
        self.unseen: dict[str, None] = {}
        self.firing: dict[str, deque[Waiting]] = {}
        self.reached: dict[str, dict[Waiting, None]] = {}
        self.fired: Waiting | None = None
        self.orphans: dict[Waiting, None] = {}
        self.traded: dict[Position, None] = {}
        self._watched: dict[tuple[str, PriceSource], Watched] = {}

    def watched(self, instrument: str, source: PriceSource) -> Watched:
        """What waits for a price."""
        return self._watched.setdefault((instrument, source), Watched())

    def moved(self, instrument: str, source: PriceSource, price: int) -> None:
        """A price moved."""
        if found := self.watched(instrument, source).move(price):
            self.reached.setdefault(instrument, {}).update(dict.fromkeys(found))

    def next(self, instrument: str) -> Waiting | None:
        """Who fires next."""
        queue = self.firing.get(instrument, deque())
        while queue and (queue[0].gone or queue[0].orphaned):
            queue.popleft()
        return queue[0] if queue else None

    def hold_back(self, instrument: str) -> None:
        """Nobody fires before trading is continuous again; who was to comes first then."""
        held = [one for one in self.firing.pop(instrument, ()) if not (one.gone or one.orphaned)]
        if held:
            self.reached[instrument] = dict.fromkeys([*held, *self.reached.get(instrument, {})])

    def drop(self, one: Waiting) -> None:
        """It waits no more."""
        placed = one.placed
        one.gone = True
        del self.named[placed.account, placed.number], one.position.waiting[placed.number]
        self.orphans.pop(one, None)
        self._take_up(one)

    def end_with_positions(self) -> None:
        """Positions were traded: no price reaches any more what ends with one that has nothing for it to close."""
        for position in self.traded:
            for one in position.waiting.values():
                if one.placed.with_position and position.lots * (1 if one.buys else -1) >= 0:
                    one.orphaned = True
                    self.orphans[one] = None
                    self._take_up(one)
        self.traded.clear()

    def _take_up(self, one: Waiting) -> None:
        placed = one.placed
        self.watched(placed.instrument, placed.source).waiting.pop(one, None)
        reached = self.reached.get(placed.instrument, {})
        reached.pop(one, None)
        if not reached:
            self.reached.pop(placed.instrument, None)
