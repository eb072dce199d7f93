"""Linked orders that are easy to believe: lists of names, and what follows for whom once the work in hand is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec.structs import replace

from events import commands as c
from events.commands import TimeInForce
from events.facts import Expiry
from events.instructions import Arming
from events.linked import PlaceLinked
from events.triggers import TriggerKind
from tests.contract.naive_triggers import NaiveTrigger, met

if TYPE_CHECKING:
    from tests.contract.naive_exchange import NaiveExchange
    from tests.contract.naive_orders import NaiveOrder

Name = tuple[str, int]


@dataclass
class NaiveGroup:
    """Orders that end each other; entry is that of a bracket while it is open, filled what it traded."""

    orders: list[Name]
    entry: Name | None = None
    by_part: bool = True
    filled: int = 0

    def names(self) -> list[Name]:
        """All of them, the entry first."""
        return [*([self.entry] if self.entry else []), *self.orders]


class NaiveLinks:
    """All groups, and what follows for orders of them: the lots to be armed, 0 for the end."""

    def __init__(self) -> None:
        self.groups: list[NaiveGroup] = []
        self.follows: dict[Name, int] = {}

    def link(self, command: PlaceLinked) -> None:
        """These are linked from now on."""
        names = sorted((one.account, one.number) for one in command.linked)
        entry = (command.account, command.entry.number) if command.entry else None
        self.groups.append(NaiveGroup(names, entry, command.arms is Arming.FIRST_FILL or entry is None))

    def of(self, name: Name) -> NaiveGroup | None:
        """The group of an order."""
        return next((group for group in self.groups if name in group.names()), None)

    def holds(self, name: Name, orders: list[NaiveOrder]) -> bool:
        """Whether one of these orders is linked to another one."""
        group = self.of(name)
        return group is not None and any(order.name in group.names() for order in orders)

    def traded(self, name: Name, lots: int, is_over: bool) -> None:
        """An order traded."""
        group = self.of(name)
        if group is None:
            return
        if name != group.entry:
            self.part(group, name)
            return
        group.filled += lots
        if group.by_part or is_over:
            for other in group.orders:
                self.follows[other] = group.filled
        if is_over:
            group.entry = None

    def ended(self, name: Name, why: Expiry | None) -> None:
        """An order was cancelled, or expired."""
        self.follows.pop(name, None)
        group = self.of(name)
        if group is None:
            return
        if name == group.entry and group.by_part and group.filled:
            group.entry = None
        elif why is Expiry.LINKED:
            group.orders = [other for other in group.orders if other != name]
        else:
            self.part(group, name)

    def part(self, group: NaiveGroup, name: Name) -> None:
        """All the others are to end."""
        self.groups.remove(group)
        for other in group.names():
            if other != name:
                self.follows[other] = 0


def is_sound(command: PlaceLinked) -> bool:
    """Whether the orders go together."""
    entry, kinds = command.entry, sorted(kind_of(one) for one in command.linked)
    if entry is None:
        alike = {(one.side, one.lots) for one in command.linked}
        return len(command.linked) == 2 and len(alike) == 1 and kinds == ["gains", "loses"]
    fit = all(
        isinstance(one, c.PlaceTrigger)
        and one.side is not entry.side
        and one.lots == 0
        and not (one.closes or one.with_position)
        for one in command.linked
    )
    return fit and not entry.reduce_only and kinds in (["gains"], ["loses"], ["gains", "loses"])


def kind_of(one: c.PlaceOrder | c.PlaceTrigger) -> str:
    """What an order waits for."""
    if isinstance(one, c.PlaceOrder):
        rests = one.price is not None and one.time_in_force not in (TimeInForce.IOC, TimeInForce.FOK)
        return "gains" if rests else "trades at once"
    return "gains" if one.trigger_kind is TriggerKind.TAKE_PROFIT else "loses"


def settle(exchange: NaiveExchange) -> None:
    """Arm and end what follows from what others did."""
    for name, lots in list(exchange.links.follows.items()):
        (one,) = (o for o in (*exchange.orders, *exchange.waiting()) if o.name == name)
        if lots:
            assert isinstance(one, NaiveTrigger)
            arm(exchange, one, lots)
        else:
            exchange.expire(one, Expiry.LINKED)


def arm(exchange: NaiveExchange, trigger: NaiveTrigger, lots: int) -> None:
    """An entry traded so much: what is attached to it waits, or is met already."""
    del exchange.links.follows[trigger.name]
    exchange.said.append(("armed", *trigger.name, lots))
    slept, trigger.sleeps = trigger.sleeps, False
    trigger.placed = replace(trigger.placed, lots=lots, reduce_only=True)
    source = trigger.placed.source
    if slept and trigger.trails and trigger.placed.trigger is None:
        trigger.extreme = exchange.prices[source]
    elif slept and met([trigger], source, exchange.prices[source]):
        exchange.drop(trigger)
        exchange.reached.append(trigger)


def end_others(exchange: NaiveExchange, trigger: NaiveTrigger) -> None:
    """One is about to fire: those that it is linked to end."""
    group = exchange.links.of(trigger.name)
    for name in group.names() if group else ():
        if name != trigger.name:
            (other,) = (o for o in (*exchange.orders, *exchange.waiting()) if o.name == name)
            exchange.expire(other, Expiry.LINKED)
    exchange.links.groups = [other for other in exchange.links.groups if other is not group]
