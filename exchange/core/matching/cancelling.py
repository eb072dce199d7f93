"""What is open of an account ends all at once: cancelled, by a countdown, or with its pool or its instrument."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from events.commands import CancelAll, OrderNumber
from events.facts import AllCancelled, Fact, OrderCancelled, Refused
from events.instruments import InstrumentId
from events.refusals import Reason
from events.units import Lots
from exchange.core.state import Account, Position, State

Open = list[tuple[OrderNumber, Lots]]
"""Number and open lots of orders."""


def open_of(account: Account, has: Callable[[Position], bool]) -> Open:
    """The orders of the positions that are asked for, then the conditional ones."""
    orders = [(order.number, Lots(order.lots)) for order in account.orders.values() if has(order.holder)]
    waiting = [trigger.placed for trigger in account.triggers.values() if has(trigger.holder)]
    return [*orders, *((placed.number, placed.lots) for placed in waiting)]


def open_in(account: Account, instrument: InstrumentId) -> Open:
    """All orders in an instrument, conditional ones too, in the order in which they were placed."""
    if not any(leg.open_orders or leg.open_triggers for leg in account.legs(instrument)):
        return []
    return sorted(open_of(account, lambda position: position.contract.id == instrument))


def decide_cancel_all(state: State, command: CancelAll) -> Iterator[Fact]:
    """Cancel as much as the batch has room for, and say how much it had none for."""
    if command.instrument not in state.contracts:
        yield Refused(Reason.UNKNOWN_INSTRUMENT)
        return
    account = state.accounts[command.account]
    found = open_in(account, command.instrument)
    if state.contracts[command.instrument].uncrossing and any(number in account.orders for number, _ in found):
        yield Refused(Reason.AUCTION_UNCROSSES)
        return
    room = max(0, state.full - 2 - state.seq)
    for number, lots in found[:room]:
        yield OrderCancelled(command.account, number, lots)
    yield AllCancelled(command.account, command.instrument, max(0, len(found) - room))
