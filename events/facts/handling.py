"""Facts of what a trader does with several of his orders at once: cancels of all, batches, countdowns."""

from __future__ import annotations

from events.commands import AccountId
from events.facts.base import Fact
from events.instruments import InstrumentId
from events.refusals import Reason
from events.units import Nanos


class AllCancelled(Fact, tag="all_cancelled.1"):
    """What the account had open in the instrument was cancelled, but for what the batch had no room for: `left`."""

    account: AccountId
    instrument: InstrumentId
    left: int = 0


class ItemRefused(Fact, tag="item_refused.1"):
    """An item of a batch, the first is 0, broke a rule and changed nothing."""

    account: AccountId
    item: int
    reason: Reason


class ItemRepeated(Fact, tag="item_repeated.1"):
    """An item's request was decided before, by the command of record `first`, and has that outcome still."""

    account: AccountId
    item: int
    first: int
    reason: Reason | None = None


class CountdownSet(Fact, tag="countdown_set.1"):
    """What the account has open in the instrument ends at that time, unless a countdown is set anew; 0: it does not."""

    account: AccountId
    instrument: InstrumentId
    until: Nanos


class CountdownsReached(Fact, tag="countdowns_reached.1"):
    """The time came for countdowns: what they are for waits in the queue to end."""


class CountdownEnded(Fact, tag="countdown_ended.1"):
    """Nothing that was open when the account's countdown ran out is open in the instrument any more."""

    account: AccountId
    instrument: InstrumentId
