"""Conditional orders that are easy to believe: all of them are asked whether a price that moved met them."""

from __future__ import annotations

from dataclasses import dataclass

from events import commands as c
from events.commands import Side
from events.instructions import PriceMatch
from events.triggers import PriceSource, TriggerKind
from events.units import UNIT


@dataclass
class NaiveTrigger:
    """A conditional order. unit is a tick in the unit of its price; extreme is that of a price that it trails.

    amended is how often it was; lost says that its position was closed, with which it ends; one that sleeps is attached
    to an entry that has not armed it; one that is linked was placed with others.
    """

    placed: c.PlaceTrigger
    age: int
    unit: int
    extreme: int | None = None
    amended: int = 0
    lost: bool = False
    sleeps: bool = False
    linked: bool = False

    @property
    def name(self) -> tuple[str, int]:
        """What facts call it."""
        return self.placed.account, self.placed.number

    @property
    def client(self) -> str:
        """What its owner calls it."""
        return self.placed.client

    @property
    def sign(self) -> int:
        """+1 for a buy."""
        return 1 if self.placed.side is Side.BUY else -1

    @property
    def trails(self) -> bool:
        """Whether it is a trailing stop."""
        return self.placed.trigger_kind is TriggerKind.TRAILING_STOP

    @property
    def direction(self) -> int:
        """+1 where a price that rises meets its trigger price."""
        return self.sign if self.placed.trigger_kind is TriggerKind.STOP else -self.sign

    @property
    def until(self) -> int:
        """When it expires; 0 where it does not."""
        return self.placed.good_till

    @property
    def is_limit(self) -> bool:
        """Whether it becomes a limit order."""
        return not self.is_market

    @property
    def is_market(self) -> bool:
        """Whether it becomes a market order."""
        return self.placed.price is None and self.placed.price_match is PriceMatch.NONE

    @property
    def reduces(self) -> bool:
        """Whether it only reduces a position."""
        return self.placed.reduce_only or self.placed.closes

    def has_come(self, price: int) -> bool:
        """Whether a price is where it fires or, until it trails, is activated; nothing is followed."""
        return self.is_beyond(price) if self.extreme is None else price * self.sign >= self.level

    @property
    def level(self) -> int:
        """Where it fires while it trails, counted in its direction."""
        assert self.extreme is not None
        return -(-self.extreme * self.sign * (UNIT + self.sign * self.placed.callback) // UNIT)

    def is_beyond(self, price: int) -> bool:
        """Whether a price is at its trigger price or beyond it."""
        trigger = self.placed.trigger
        return trigger is not None and price * self.direction >= trigger * self.unit * self.direction  # type: ignore[operator]

    def met_by(self, price: int) -> int | None:
        """Follow a price that moved; where it fires, the level at which that happened, counted in its direction."""
        if not self.trails:
            return self.placed.trigger * self.unit * self.direction if self.is_beyond(price) else None  # type: ignore[operator]
        if self.extreme is None:
            self.extreme = price if self.is_beyond(price) else None
            return None
        self.extreme = min(self.extreme * self.sign, price * self.sign) * self.sign
        return self.level if price * self.sign >= self.level else None


def met(triggers: list[NaiveTrigger], source: PriceSource, price: int) -> list[NaiveTrigger]:
    """Those that a price met which moved there: what it meets first, and of those the older, comes first."""
    waiting = [trigger for trigger in triggers if trigger.placed.source is source and not trigger.sleeps]
    levels = [(level, trigger.age, trigger) for trigger in waiting if (level := trigger.met_by(price)) is not None]
    return [trigger for _, _, trigger in sorted(levels, key=lambda entry: entry[:2])]
