"""Changes by facts of conditional orders, and what a price that moves reaches of them."""

from __future__ import annotations

from msgspec.structs import replace

from events import facts as f
from events.triggers import PriceSource
from exchange.core.changes.queue import kept
from exchange.core.contract import Contract
from exchange.core.due import DueKind
from exchange.core.state import Account, Due, Position, State
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
    account.last_number = max(account.last_number, fact.number)
    position = kept(state, fact.account, fact.instrument, fact.leg)
    trigger = Trigger(fact, position, state.seq)
    keep(state, account, trigger)
    bind(trigger)
    if not trigger.sleeps:
        contract = position.contract
        index_of(contract, fact.source).add(trigger, price_of(contract, fact.source))


def keep(state: State, account: Account, trigger: Trigger) -> None:
    """The account has the conditional order from now on."""
    placed = trigger.placed
    account.triggers[placed.number] = trigger
    trigger.holder.open_triggers += 1
    if placed.client:
        account.clients[placed.client] = placed.number
    if placed.good_till:
        state.keep_good_till(trigger)


def bind(trigger: Trigger) -> None:
    """Its position knows that it closes it, or ends with it."""
    position = trigger.holder
    position.closing |= trigger.closing
    if trigger.placed.with_position:
        if position.bound is None:
            position.bound = {}
        position.bound[trigger.placed.number] = trigger


def on_trigger_amended(state: State, fact: f.TriggerAmended) -> None:
    """It waits for what it was amended to, a stop that trails with the extreme that its price came to."""
    account = state.accounts[fact.account]
    before = account.triggers[fact.number]
    index, extreme = index_of(before.holder.contract, before.placed.source), before.extreme
    index.remove(before)
    placed = replace(before.placed, lots=fact.lots, trigger=fact.trigger, price=fact.price, callback=fact.callback)
    trigger = Trigger(placed, before.holder, before.serial if fact.keeps_priority else state.seq)
    trigger.amendments = before.amendments + 1
    account.triggers[fact.number] = trigger
    bind(trigger)
    index.restore(trigger, extreme)


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
    if placed.good_till:
        state.drop_good_till(trigger)
    trigger.holder.open_triggers -= 1
    if state.orphans.pop(trigger, None) is None:
        _loosen(trigger)
        _take_up(state, trigger)


def _loosen(trigger: Trigger) -> None:
    """Its position knows nothing of it any more."""
    position = trigger.holder
    position.closing &= ~trigger.closing
    if position.bound:
        position.bound.pop(trigger.placed.number, None)


def end_bound(state: State, *positions: Position) -> None:
    """Positions were traded; what ends with one that is closed, or on the other side by now, waits no more but to be
    said to have expired. All that end with a position are on one side, so the first speaks for them.
    """
    for position in positions:
        if (bound := position.bound) and position.lots * next(iter(bound.values())).sign >= 0:
            for trigger in list(bound.values()):
                _loosen(trigger)
                _take_up(state, trigger)
                state.orphans[trigger] = state.seq


def is_laid(state: State, trigger: Trigger) -> bool:
    """Whether it waits for its price: none has reached it, and its position is there."""
    return (
        trigger.due is None
        and not trigger.sleeps
        and trigger not in trigger.holder.contract.triggers.reached
        and trigger not in state.orphans
    )


def _take_up(state: State, trigger: Trigger) -> None:
    """Take it out of where it lies: the queue, what was reached, or the index of its price."""
    contract = trigger.holder.contract
    reached = contract.triggers.reached
    if trigger.due is not None:
        firing = state.due[trigger.due].firing
        del firing[trigger]
        if not firing:
            del state.due[trigger.due]
        trigger.due = None
    elif trigger in reached:
        del reached[trigger]
        if not reached:
            del state.reached[contract.id]
    elif not trigger.sleeps:
        index_of(contract, trigger.placed.source).remove(trigger)


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
