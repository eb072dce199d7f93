"""What is open of an account in an instrument ends all at once: it is cancelled, or its countdown ran out."""

from __future__ import annotations

from collections.abc import Iterator

from events.commands import CancelAll, OrderNumber
from events.facts import AllCancelled, Fact, OrderCancelled, Refused
from events.instruments import InstrumentId
from events.refusals import Reason
from events.units import Lots
from exchange.core.state import Account, State


def open_in(account: Account, instrument: InstrumentId) -> list[tuple[OrderNumber, Lots]]:
    """Number and open lots of every order, conditional ones too, in the order in which they were placed."""
    orders = [(order.number, Lots(order.lots)) for order in account.orders.values() if order.instrument == instrument]
    waiting = [trigger.placed for trigger in account.triggers.values()]
    return sorted([*orders, *((one.number, one.lots) for one in waiting if one.instrument == instrument)])


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
