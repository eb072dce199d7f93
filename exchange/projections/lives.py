"""An order's life: the stages that it goes through, and the facts that lead from one to the next.

`TRANSITIONS` is the whole of it. `Lives` follows every order of a session and fails where a fact does what the table
does not say; the diagram in `docs/orders.md` is drawn from the table.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum, unique
from typing import Any, NamedTuple

from events import commands as c
from events import facts as f
from events.commands import AccountId, OrderNumber
from events.linked import PlaceLinked
from events.record import Batch, Record


@unique
class Stage(Enum):
    """Where an order is in its life."""

    ASKED = "asked"
    """A trader asked for it; nothing is decided yet."""
    ATTACHED = "attached"
    """It waits for its entry to trade."""
    WAITING = "waiting"
    """It is conditional, and its price has not come."""
    TRIGGERED = "triggered"
    """Its price came, and it is about to be an order like any other."""
    MATCHING = "matching"
    """It was accepted and walks through the book."""
    RESTING = "resting"
    """It waits in the queue at its price."""
    FILLED = "filled"
    """All of it traded."""
    CANCELLED = "cancelled"
    """What was open of it was taken back."""
    EXPIRED = "expired"
    """What was open of it ended by rule."""
    REFUSED = "refused"
    """It broke a rule, and never was."""


ENDS = (Stage.FILLED, Stage.CANCELLED, Stage.EXPIRED, Stage.REFUSED)


class Transition(NamedTuple):
    """From one stage to the next, and the fact that says so."""

    before: Stage
    fact: type[f.Fact]
    after: Stage

    @property
    def name(self) -> str:
        """As tables name it."""
        return f"{self.before.value} -> {self.fact.__name__} -> {self.after.value}"


TRANSITIONS = (
    Transition(Stage.ASKED, f.Refused, Stage.REFUSED),
    Transition(Stage.ASKED, f.TriggerPlaced, Stage.ATTACHED),
    Transition(Stage.ATTACHED, f.TriggerArmed, Stage.WAITING),
    Transition(Stage.ATTACHED, f.OrderCancelled, Stage.CANCELLED),
    Transition(Stage.ATTACHED, f.OrderExpired, Stage.EXPIRED),
    Transition(Stage.ASKED, f.TriggerPlaced, Stage.WAITING),
    Transition(Stage.WAITING, f.TriggerAmended, Stage.WAITING),
    Transition(Stage.WAITING, f.TriggerArmed, Stage.WAITING),
    Transition(Stage.WAITING, f.OrderCancelled, Stage.CANCELLED),
    Transition(Stage.WAITING, f.OrderExpired, Stage.EXPIRED),
    Transition(Stage.WAITING, f.OrderTriggered, Stage.TRIGGERED),
    Transition(Stage.TRIGGERED, f.OrderExpired, Stage.EXPIRED),
    Transition(Stage.TRIGGERED, f.OrderAccepted, Stage.MATCHING),
    Transition(Stage.ASKED, f.ItemRefused, Stage.REFUSED),
    Transition(Stage.ASKED, f.OrderAccepted, Stage.MATCHING),
    Transition(Stage.MATCHING, f.Traded, Stage.MATCHING),
    Transition(Stage.MATCHING, f.Traded, Stage.FILLED),
    Transition(Stage.MATCHING, f.OrderExpired, Stage.EXPIRED),
    Transition(Stage.MATCHING, f.OrderRested, Stage.RESTING),
    Transition(Stage.RESTING, f.Traded, Stage.RESTING),
    Transition(Stage.RESTING, f.Traded, Stage.FILLED),
    Transition(Stage.RESTING, f.OrderAmended, Stage.RESTING),
    Transition(Stage.RESTING, f.OrderShrunk, Stage.RESTING),
    Transition(Stage.RESTING, f.OrderAmended, Stage.MATCHING),
    Transition(Stage.RESTING, f.OrderCancelled, Stage.CANCELLED),
    Transition(Stage.RESTING, f.OrderExpired, Stage.EXPIRED),
)
"""All that can happen to an order, in the order in which it may happen."""

ASKING = (c.PlaceOrder, c.PlaceTrigger, PlaceLinked)
"""Commands that ask for an order. One that is refused may bear the name of another that is open: it never was."""

_KNOWN = frozenset(TRANSITIONS)

Name = tuple[AccountId, OrderNumber]


class ImpossibleLife(Exception):
    """An order did what `TRANSITIONS` does not know; the message names the order, the record and what it did."""


class Lives:
    """The stage, and the open lots, of every open order of a session whose batches are followed."""

    def __init__(self) -> None:
        self.open: dict[Name, tuple[Stage, int]] = {}

    def follow(self, batch: Batch) -> Iterator[Transition]:
        """What the orders of a batch went through. Raises ImpossibleLife."""
        for record in batch.records:
            if isinstance(record.message, f.Refused | f.ItemRefused) and isinstance(_asked(batch, record), ASKING):
                yield Transition(Stage.ASKED, type(record.message), Stage.REFUSED)
            for name, fact, after, lots in self._steps(record.message):
                before = self.open.pop(name)[0] if name in self.open else Stage.ASKED
                step = Transition(before, fact, after)
                if step not in _KNOWN:
                    raise ImpossibleLife(f"record {record.seq}: order {name[1]} of {name[0]} went {step.name}")
                if after not in ENDS:
                    self.open[name] = after, lots
                yield step

    def _steps(self, fact: Any) -> Iterator[Step]:
        if type(fact) is f.Traded:
            yield from self._traded(fact)
        elif type(fact) is f.OrderAmended:
            after = Stage.RESTING if fact.keeps_priority else Stage.MATCHING
            yield (fact.account, fact.number), f.OrderAmended, after, fact.left
        elif type(fact) is f.OrderShrunk:
            yield (fact.account, fact.number), f.OrderShrunk, Stage.RESTING, fact.left
        elif type(fact) is f.TriggerPlaced and fact.entry:
            yield (fact.account, fact.number), f.TriggerPlaced, Stage.ATTACHED, 0
        elif (leads := _LEADS_TO.get(type(fact))) is not None:
            yield (fact.account, fact.number), type(fact), leads, fact.lots

    def _traded(self, fact: f.Traded) -> Iterator[Step]:
        """Both orders of a trade lose its lots; MARKET's and forced ones have no number."""
        for name in ((fact.maker, fact.maker_order), (fact.taker, fact.taker_order)):
            if name in self.open:
                stage, lots = self.open[name]
                yield name, f.Traded, stage if lots > fact.lots else Stage.FILLED, lots - fact.lots


def _asked(batch: Batch, record: Record) -> c.Command:
    """What was refused: the command of the batch, or an item of it."""
    if isinstance(record.message, f.ItemRefused) and isinstance(batch.command, c.SubmitBatch):
        return batch.command.items[record.message.item]
    return batch.command


Step = tuple[Name, type[f.Fact], Stage, int]
"""An order, what happened to it, the stage it is in then and its open lots."""

_LEADS_TO: dict[type[Any], Stage] = {
    f.TriggerPlaced: Stage.WAITING,
    f.TriggerAmended: Stage.WAITING,
    f.TriggerArmed: Stage.WAITING,
    f.OrderTriggered: Stage.TRIGGERED,
    f.OrderAccepted: Stage.MATCHING,
    f.OrderRested: Stage.RESTING,
    f.OrderCancelled: Stage.CANCELLED,
    f.OrderExpired: Stage.EXPIRED,
}
"""Facts of one order, and the stage that they lead to whatever was before."""


def lives_of(batches: list[Batch]) -> Iterator[Transition]:
    """What all orders of a session went through. Raises ImpossibleLife."""
    lives = Lives()
    for batch in batches:
        yield from lives.follow(batch)
