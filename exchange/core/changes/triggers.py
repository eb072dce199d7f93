"""Changes by facts of conditional orders, and what a price that moves reaches of them."""

from __future__ import annotations

from events import facts as f
from events.triggers import PriceSource
from exchange.core.changes.queue import kept
from exchange.core.contract import Contract
from exchange.core.due import DueKind
from exchange.core.state import Account, Due, State
from exchange.core.triggers.index import PriceIndex
from exchange.core.triggers.trigger import Trigger


def index_of(contract: Contract, source: PriceSource) -> PriceIndex:
    """Where the conditional orders of a contract lie that wait for this price."""
    return contract.triggers.marks if source is PriceSource.MARK else contract.triggers.lasts


def price_of(contract: Contract, source: PriceSource) -> int:
    """The price as it is, in the unit of its source: mark units, or ticks; 0 while unknown."""
    return contract.mark if source is PriceSource.MARK else contract.feed.traded


def on_trigger_placed(state: State, fact: f.TriggerPlaced) -> None:
    """The conditional order's number is used, and it waits for its price."""
    account = state.accounts[fact.account]
    account.last_number = fact.number
    position = kept(state, fact.account, fact.instrument, fact.leg)
    trigger = Trigger(fact, position, state.seq)
    keep(account, trigger)
    contract = position.contract
    index_of(contract, fact.source).add(trigger, price_of(contract, fact.source))


def keep(account: Account, trigger: Trigger) -> None:
    """The account has the conditional order from now on."""
    placed = trigger.placed
    account.triggers[placed.number] = trigger
    trigger.holder.open_triggers += 1
    trigger.holder.closing |= trigger.closing
    if placed.client:
        account.clients[placed.client] = placed.number


def on_triggers_reached(state: State, fact: f.TriggersReached) -> None:
    """What was reached waits in the queue to fire."""
    reached = state.contracts[fact.instrument].triggers.reached
    key = (state.now, int(DueKind.TRIGGER), fact.instrument, "", state.seq)
    for trigger in reached:
        trigger.due = key
    state.due[key] = Due(state.seq, firing=dict(reached))
    reached.clear()
    state.reached.pop(fact.instrument, None)


def on_order_triggered(state: State, fact: f.OrderTriggered) -> None:
    """It waits no more."""
    account = state.accounts[fact.account]
    drop(state, account, account.triggers[fact.number])


def hold_back(state: State, contract: Contract) -> None:
    """Trading is not continuous any more: what has not fired yet waits for that, before what prices reach meanwhile."""
    keys = [key for key in state.due if key[1] == DueKind.TRIGGER and key[2] == contract.id]
    if not keys:
        return
    held = {trigger: None for key in keys for trigger in state.due.pop(key).firing}
    for trigger in held:
        trigger.due = None
    reached = contract.triggers.reached
    later = dict(reached)
    reached.clear()
    reached.update(held)
    reached.update(later)
    note(state, contract)


def drop(state: State, account: Account, trigger: Trigger) -> None:
    """A conditional order fired or ended: take it out of where it lies."""
    placed = trigger.placed
    del account.triggers[placed.number]
    if placed.client:
        del account.clients[placed.client]
    position = trigger.holder
    position.open_triggers -= 1
    position.closing &= ~trigger.closing
    contract = position.contract
    reached = contract.triggers.reached
    if trigger.due is not None:
        firing = state.due[trigger.due].firing
        del firing[trigger]
        if not firing:
            del state.due[trigger.due]
    elif trigger in reached:
        del reached[trigger]
        if not reached:
            del state.reached[contract.id]
    else:
        index_of(contract, placed.source).remove(trigger)


def mark_moved(state: State, contract: Contract) -> None:
    """The mark moved: what it reached is taken out."""
    marks = contract.triggers.marks
    if not marks.low < contract.mark < marks.high:
        marks.move(contract.mark)
        note(state, contract)


def last_moved(state: State, contract: Contract, price: int) -> None:
    """The last price moved, ticks, to where something happens: what it reached is taken out."""
    contract.triggers.lasts.move(price)
    note(state, contract)


def note(state: State, contract: Contract) -> None:
    """Before the batch ends, something is to be said of what prices reached."""
    if contract.triggers.reached:
        state.reached.setdefault(contract.id, state.seq)
