"""Why an edit of `ringfence fork` found nothing to change."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable

from events.codec import decode_body
from events.commands import Command
from events.log import EventLog
from exchange.core.state import State
from gateway.commands.fork_orders import Placed, placing
from gateway.naming import there_are
from replay.editing import Edit


async def why_idle(log: EventLog, before: int, state: State, edit: Edit) -> str:
    """One line, from the session and the state that the fork came to. Raises LogError."""
    if edit.account is not None and edit.account not in state.accounts:
        return f"there is no account {edit.account!r}; {there_are(map(str, state.accounts), edit.account)}"
    if edit.order is None:
        return "nothing after that moment is changed by it; a rule pack is set with --at 1"
    name = f"order {edit.order} of {edit.account}"
    async for number, seq, order in _orders(log):
        if (order.account, order.number) == (edit.account, edit.order):
            if number < before:
                return f"{name} was placed by record {seq:,}, before that moment; fork --at {seq}"
            return f"{name} is left out by another --set"
    return f"there is no {name}"


async def _orders(log: EventLog) -> AsyncIterator[tuple[int, int, Placed]]:
    """All orders that were asked for: the batch, the record, and the order."""
    async for stored in log.read():
        command = decode_body(stored.number, stored.body).command
        for order in _placed(command):
            yield stored.number, stored.first_seq, order


def _placed(command: Command) -> Iterable[Placed]:
    found: list[Placed] = []

    def note(order: Placed) -> Placed:
        found.append(order)
        return order

    placing(command, note)
    return found
