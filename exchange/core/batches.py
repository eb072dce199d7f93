"""Batches of orders: what one may be, and how the outcomes of its items are kept."""

from __future__ import annotations

from collections.abc import Iterable

from events.commands import CancelOrder, RequestId, SubmitBatch
from events.facts import Fact, ItemRefused, ItemRepeated, Refused
from events.instruments import RulePack
from events.record import Record
from events.refusals import Reason
from exchange.core.state import Account, Outcome

OUTCOMES_KEPT = 1024
"""How many outcomes of an account's commands are remembered."""


def batch_refusal(pack: RulePack, command: SubmitBatch) -> Reason | None:
    """The rule about the batch as a whole that it breaks, or None."""
    items = command.items
    if not items:
        return Reason.BATCH_IS_EMPTY
    only_cancels = all(isinstance(item, CancelOrder) for item in items)
    if len(items) > (pack.max_batch_cancels if only_cancels else pack.max_batch):
        return Reason.BATCH_TOO_LARGE
    if any((item.account, item.at) != (command.account, command.at) for item in items):
        return Reason.ITEM_UNLIKE_BATCH
    requests = {command.request, *(item.request for item in items)}
    return Reason.REQUEST_TWICE_IN_BATCH if len(requests) <= len(items) else None


def keep(account: Account, request: RequestId, outcome: Outcome) -> None:
    """Remember an outcome, and forget the oldest where there are too many."""
    outcomes = account.outcomes
    outcomes[request] = outcome
    if len(outcomes) > OUTCOMES_KEPT:
        del outcomes[next(iter(outcomes))]


def keep_items(account: Account, command: SubmitBatch, records: Iterable[Record]) -> None:
    """Remember the outcome of every item that was decided now, each under its own request."""
    told: dict[int, Fact] = {}
    first = 0
    for record in records:
        first = first or record.seq
        if isinstance(record.message, Refused):
            return
        if isinstance(record.message, ItemRefused | ItemRepeated):
            told[record.message.item] = record.message
    for number, item in enumerate(command.items):
        fact = told.get(number)
        if not isinstance(fact, ItemRepeated):
            keep(account, item.request, Outcome(first, fact.reason if isinstance(fact, ItemRefused) else None))
