"""Rules of linked orders: who of them has to end, and for how much what is attached to an entry is armed.

The auditor keeps the groups by itself and says what follows from a fact for the others; a session has to say just that
before the command is done, or, where a batch is full, before the next one is decided.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from events import facts as f
from events.commands import PlaceOrder, PlaceTrigger
from events.facts import Expiry
from events.instructions import Arming
from events.linked import PlaceLinked
from events.triggers import PriceSource

if TYPE_CHECKING:
    from exchange.audit.books import Books
    from exchange.audit.waiting import Waiting

Name = tuple[str, int]


@dataclass(slots=True, eq=False)
class Group:
    """Orders that are linked: the entry, if it is open, how much of it traded, and whether a part of it arms."""

    orders: dict[Name, None] = field(default_factory=dict)
    entry: Name | None = None
    filled: int = 0
    by_part: bool = True


class Groups:
    """All groups by order; what follows for orders of them and was not said: the lots to be armed, 0 for the end.

    asked is the command that links; ending the group of which one is about to fire.
    """

    def __init__(self) -> None:
        self.of: dict[Name, Group] = {}
        self.follows: dict[Name, int] = {}
        self.asked: PlaceLinked | None = None
        self.ending: Group | None = None

    def leave(self, name: Name) -> None:
        """One order is linked no more."""
        group = self.of.pop(name, None)
        if group is not None:
            group.orders.pop(name, None)
            group.entry = None if group.entry == name else group.entry

    def part(self, name: Name) -> None:
        """One of them did what ends all the others."""
        if (group := self.of.get(name)) is not None:
            for other in [*([group.entry] if group.entry else []), *group.orders]:
                self.leave(other)
                if other != name:
                    self.follows[other] = 0


def in_order(command: PlaceLinked) -> list[PlaceOrder | PlaceTrigger]:
    """The orders of a command as they are said: conditional ones first."""
    every = [*command.linked, *([] if command.entry is None else [command.entry])]
    return sorted(every, key=lambda one: isinstance(one, PlaceOrder))


def placed(books: Books, fact: f.TriggerPlaced) -> None:
    """It is linked as it was asked to be: with the other of two, or to an entry without any lots."""
    groups, asked, name = books.groups, books.groups.asked, (fact.account, fact.number)
    others = [] if asked is None else [one.number for one in asked.linked if one.number != fact.number]
    entry = 0 if asked is None or asked.entry is None else asked.entry.number
    books.check("order that it is linked to", others[0] if others else 0, fact.linked)
    books.check("entry that it is attached to", entry, fact.entry)
    if asked is None or not (others or entry):
        return
    books.check("what arms it", asked.arms if entry else Arming.FIRST_FILL, fact.arms)
    first = fact.account, entry or others[0]
    group = groups.of.setdefault(first, Group(by_part=fact.arms is Arming.FIRST_FILL))
    if entry:
        group.entry = first
    else:
        group.orders[first] = None
    group.orders[name] = None
    groups.of[name] = group


def armed(books: Books, fact: f.TriggerArmed) -> None:
    """For what the entry traded; where its price has come, it is reached at once."""
    name = fact.account, fact.number
    books.check("lots that are armed", books.groups.follows.pop(name, None), fact.lots)
    one = books.waiters.named[name]
    is_first, one.armed = not one.armed, fact.lots
    instrument, source = one.placed.instrument, one.placed.source
    if not is_first:
        return
    price = one.position.contract.mark if source is PriceSource.MARK else books.waiters.lasts.get(instrument, 0)
    one.begin(price)
    books.waiters.watched(instrument, source).add(one)
    if source is PriceSource.MARK or instrument not in books.waiters.unseen:
        books.waiters.moved(instrument, source, price)


def traded(books: Books, fact: f.Traded) -> None:
    """An entry arms what is attached to it, and any other order ends those that it is linked to."""
    groups = books.groups
    for name in ((fact.maker, fact.maker_order), (fact.taker, fact.taker_order)):
        group = groups.of.get(name)
        if group is None or group.entry != name:
            groups.part(name)
            continue
        group.filled += fact.lots
        is_over = name not in books.placed
        if group.by_part or is_over:
            groups.follows.update(dict.fromkeys(group.orders, group.filled))
        if is_over:
            groups.leave(name)


def ended(books: Books, fact: f.OrderCancelled | f.OrderExpired) -> None:
    """What ended for the sake of another had to; an entry that armed something leaves that as it is."""
    groups, name = books.groups, (fact.account, fact.number)
    group, follows = groups.of.get(name), groups.follows.pop(name, None)
    if isinstance(fact, f.OrderExpired) and fact.why is Expiry.LINKED:
        books.hold("another one ended it, or is about to fire", follows == 0 or group is not None, fact)
        if follows != 0:
            groups.ending = group
        groups.leave(name)
    elif group is not None and group.entry == name and group.by_part and group.filled:
        groups.leave(name)
    else:
        groups.part(name)


def fires(books: Books, one: Waiting) -> None:
    """It has lots, nothing follows for it first, and nobody that it was linked to is left."""
    groups, name = books.groups, (one.placed.account, one.placed.number)
    group = groups.of.get(name)
    books.check("what follows for it first", None, groups.follows.get(name))
    books.hold("it is one of those whose others ended", groups.ending in (None, group), one.placed)
    left = [] if group is None else [other for other in (*group.orders, group.entry) if other not in (None, name)]
    books.check("orders that it is linked to still", [], left)
    groups.ending = None
    groups.leave(name)


def check_end_of_batch(books: Books, is_full: bool) -> None:
    """All that follows was said, unless the batch is full; whose others ended has fired."""
    books.hold("what follows for linked orders was said", is_full or not books.groups.follows, books.groups.follows)
    books.check("linked orders ended for one that did not fire", None, books.groups.ending)


RULES: dict[type[f.Fact], Callable[[Books, Any], None]] = {f.TriggerArmed: armed}
"""Fact -> what it has to agree with, and what it changes."""
