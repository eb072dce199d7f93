"""Rules of cancels of all, of batches, of countdowns, and of the times until which orders live."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any

from events import commands as c
from events import facts as f
from events.commands import TimeInForce
from events.linked import PlaceLinked
from events.record import Batch
from exchange.audit import links
from exchange.audit.books import DAY, Books, Position

BEGINS = (
    f.OrderAccepted,
    f.TriggerPlaced,
    f.TriggerAmended,
    f.OrderAmended,
    f.OrderCancelled,
    f.ItemRefused,
    f.ItemRepeated,
)
"""Facts of which every item of a batch has one, as its first."""


def begin(books: Books, command: c.Command) -> None:
    """A command is asked; the items of a batch, and linked orders, are asked one after the other."""
    books.command, books.item = command, -1
    books.items = iter(command.items if isinstance(command, c.SubmitBatch) else ())
    books.groups.asked = command if isinstance(command, PlaceLinked) else None
    if isinstance(command, PlaceLinked):
        books.items = iter(links.in_order(command))


def next_item(books: Books, fact: f.Fact) -> None:
    """Of a batch, the next item is what the fact follows from."""
    if isinstance(fact, BEGINS) and (item := next(books.items, None)) is not None:
        books.command = item
        books.item += 1


def check_end_of_batch(books: Books, batch: Batch) -> None:
    """Every item of a batch was decided, unless it was refused as a whole."""
    if not any(isinstance(fact, f.Refused) for fact in batch.facts):
        books.check("items without an outcome", [], list(books.items))


def ends_in(books: Books, fact: f.OrderCancelled | f.OrderExpired, instrument: str) -> None:
    """What ends with others is in the instrument that was named, or its countdown ran out."""
    if isinstance(fact, f.OrderExpired):
        ends = fact.why is not f.Expiry.COUNTDOWN or ran_out(books, fact.account, instrument)
        books.hold("its countdown ran out", ends, fact)
    elif isinstance(command := books.command, c.CancelAll):
        books.check("instrument whose orders are cancelled", command.instrument, instrument)


def earliest(books: Books) -> int | None:
    """When the first countdown ends that was not said to have run out."""
    heap = books.running_out
    while heap and (heap[0][0] <= books.run_out_by or books.countdowns.get(heap[0][1:]) != heap[0][0]):
        heappop(heap)
    return heap[0][0] if heap else None


def still_open(books: Books, account: str, instrument: str) -> int:
    """How many orders of an account are open in an instrument, conditional ones too."""
    waiting = [one for one in books.waiters.named.values() if one.placed.account == account]
    orders = sum(len(p.orders) for p in books.legs(account, instrument))
    return orders + sum(one.placed.instrument == instrument for one in waiting)


def all_cancelled(books: Books, fact: f.AllCancelled) -> None:
    """Nothing is open but what a full batch left."""
    books.check("orders left open", still_open(books, fact.account, fact.instrument), fact.left)
    is_full = books.report.records - books.began >= books.room - 3
    books.hold("only a full batch leaves something", not fact.left or is_full, fact)


def item_refused(books: Books, fact: f.ItemRefused) -> None:
    """It is that item's turn."""
    books.check("item of the batch", books.item, fact.item)


def item_repeated(books: Books, fact: f.ItemRepeated) -> None:
    """It is that item's turn, and an earlier command decided it."""
    books.check("item of the batch", books.item, fact.item)
    books.hold("it was decided before this batch", 0 < fact.first < books.began, fact)


def countdown_set(books: Books, fact: f.CountdownSet) -> None:
    """It ends as long after now as it was asked for."""
    if isinstance(command := books.command, c.SetCountdown):
        books.check("end of the countdown", books.now + command.after if command.after else 0, fact.until)
    key = fact.account, fact.instrument
    books.countdowns.pop(key, None)
    if fact.until:
        books.countdowns[key] = fact.until
        heappush(books.running_out, (fact.until, *key))


def countdowns_reached(books: Books, fact: f.CountdownsReached) -> None:
    """The time of one at least came."""
    first = earliest(books)
    books.hold("a countdown ran out", first is not None and first <= books.now, fact)
    books.run_out_by = books.now


def ran_out(books: Books, account: str, instrument: str) -> bool:
    """Whether the countdown of an account was said to have run out."""
    until = books.countdowns.get((account, instrument))
    return until is not None and until <= books.run_out_by


def countdown_ended(books: Books, fact: f.CountdownEnded) -> None:
    """It ran out, and nothing is open."""
    books.hold("the countdown ran out", ran_out(books, fact.account, fact.instrument), fact)
    books.check("orders left open", 0, still_open(books, fact.account, fact.instrument))
    del books.countdowns[fact.account, fact.instrument]


def lives_until(books: Books, p: Position, fact: f.OrderAccepted | f.TriggerPlaced) -> int:
    """A GTD order till it says, longer than the venue asks for; a day order to the end of its day."""
    if fact.time_in_force is TimeInForce.DAY:
        books.hold("day orders are for dated contracts", p.terms.expiry > 0, fact)
        return books.now - books.now % DAY + DAY
    if fact.time_in_force is not TimeInForce.GTD:
        return 0
    ahead = fact.good_till - books.now > books.rules.good_till_ahead
    books.hold("a GTD order lives as long as the venue asks for", ahead, fact)
    return books.command.good_till if isinstance(books.command, c.PlaceOrder | c.PlaceTrigger) else fact.good_till


RULES: dict[type[f.Fact], Callable[[Books, Any], None]] = {
    f.AllCancelled: all_cancelled,
    f.ItemRefused: item_refused,
    f.ItemRepeated: item_repeated,
    f.CountdownSet: countdown_set,
    f.CountdownsReached: countdowns_reached,
    f.CountdownEnded: countdown_ended,
}
"""Fact -> what it has to agree with, and what it changes."""
