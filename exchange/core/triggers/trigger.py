"""A conditional order that waits: what was placed, and where in the index of its price it lies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from events.commands import AccountId, OrderNumber, Side
from events.facts import TriggerPlaced
from events.triggers import PriceSource, TriggerKind
from events.units import Nanos

if TYPE_CHECKING:
    from exchange.core.contract import Contract
    from exchange.core.holdings import DueKey, Position
    from exchange.core.triggers.trailing import Group

BUY = Side.BUY


class Trigger:
    """A conditional order that has not fired.

    serial is the number of the record that placed it: the older of two has the lower one. level is the price that it
    waits for, in the unit of its source (mark units, or ticks for the last price), 0 for a trailing stop without
    activation. group is whose extreme it shares while it trails, due the entry of the queue once it was reached.
    amendments counts them; one that changes what it waits for makes it as young as its record.
    """

    __slots__ = ("amendments", "due", "group", "holder", "level", "placed", "serial", "sign")

    def __init__(self, placed: TriggerPlaced, holder: Position, serial: int) -> None:
        self.placed = placed
        self.holder = holder
        self.serial = serial
        self.sign = 1 if placed.side is BUY else -1
        self.level = level_of(holder.contract, placed.source, placed.trigger or 0)
        self.group: Group | None = None
        self.due: DueKey | None = None
        self.amendments = 0

    @property
    def account(self) -> AccountId:
        """Whose it is."""
        return self.placed.account

    @property
    def number(self) -> OrderNumber:
        """Its number, which is the order's once it fires."""
        return self.placed.number

    @property
    def until(self) -> Nanos:
        """When it expires, ns; 0 where it does not."""
        return self.placed.good_till

    @property
    def trails(self) -> bool:
        """Whether it follows its price."""
        return self.placed.trigger_kind is TriggerKind.TRAILING_STOP

    @property
    def sleeps(self) -> bool:
        """Whether its entry has not armed it yet, so that no price reaches it."""
        return self.placed.entry > 0 and not self.placed.lots

    @property
    def direction(self) -> int:
        """+1 where a price at or above its level reaches it, -1 at or below."""
        return direction_of(self.placed.trigger_kind, self.sign)

    @property
    def closing(self) -> int:
        """The bit of the way in which it closes its position; 0 where it does not."""
        return closing_bit(self.placed.trigger_kind, self.sign) if self.placed.closes else 0

    @property
    def extreme(self) -> int | None:
        """The extreme of its price so far while it trails, in the unit of its source."""
        return None if self.group is None else self.group.extreme * self.sign


def level_of(contract: Contract, source: PriceSource, ticks: int) -> int:
    """A trigger price in the unit of its source: mark units, or ticks for the last price."""
    return ticks * contract.tick if source is PriceSource.MARK else ticks


def direction_of(kind: TriggerKind, sign: int) -> int:
    """The side from which a price reaches the level of a buy (sign 1) or a sell (-1): +1 at or above, -1 at or below.

    Source: Binance USD-M, rules of conditional orders: a stop buys at or above, a take-profit at or below; a trailing
    stop that buys is activated at or below.
    """
    return sign if kind is TriggerKind.STOP else -sign


def closing_bit(kind: TriggerKind, sign: int) -> int:
    """One bit for each side and direction: of each a position has one conditional order that closes it at most."""
    return 1 << ((sign > 0) + 2 * (direction_of(kind, sign) > 0))
