"""What happens to linked orders by the facts of each of them. For `apply` only.

Every function here is called where there is a link at all: sessions without one pay for one test of that.
"""

from __future__ import annotations

from bisect import insort

from msgspec.structs import replace

from events import facts as f
from events.commands import OrderNumber
from events.facts import Expiry
from events.instructions import Arming
from exchange.core.changes import triggers
from exchange.core.changes.triggers import index_of, note, price_of
from exchange.core.links import Link, LinkKey
from exchange.core.state import State


def link(links: dict[LinkKey, Link], placed: f.TriggerPlaced, entry: OrderNumber) -> None:
    """A conditional order is linked to another one, or attached to an entry, 0 where that is over."""
    account, number = placed.account, placed.number
    known = links.get((account, entry or placed.linked))
    if known is None:
        known = Link([], entry, placed.arms) if entry else Link([placed.linked])
        links[account, entry or placed.linked] = known
    if number not in known.orders:
        insort(known.orders, number)
    links[account, number] = known


def on_trigger_placed(state: State, fact: f.TriggerPlaced) -> None:
    """The conditional order waits, linked to another one or not."""
    triggers.on_trigger_placed(state, fact)
    if fact.linked or fact.entry:
        link(state.links, fact, fact.entry)


def on_accepted(state: State, fact: f.OrderAccepted) -> None:
    """If it is an entry, so much of it is open."""
    known = state.links.get((fact.account, fact.number))
    if known is not None and known.entry == fact.number:
        known.left = fact.lots


def on_amended(state: State, fact: f.OrderAmended) -> None:
    """If it is an entry, so much of it is left open."""
    known = state.links.get((fact.account, fact.number))
    if known is not None and known.entry == fact.number:
        known.left = fact.left


def on_traded(state: State, fact: f.Traded) -> None:
    """An entry arms what is attached to it; of two one ends the other."""
    for key in ((fact.maker, fact.maker_order), (fact.taker, fact.taker_order)):
        known = state.links.get(key)
        if known is None:
            continue
        if known.entry != key[1]:
            _part(state, known, key)
            continue
        known.filled += fact.lots
        known.left -= fact.lots
        if known.arms is Arming.FIRST_FILL or not known.left:
            for number in known.orders:
                state.pending[key[0], number] = (state.seq, known.filled)
        if not known.left:
            _end_entry(state, known, key)


def on_ended(state: State, fact: f.OrderCancelled | f.OrderExpired) -> None:
    """An entry that armed nothing ends what is attached to it; of two one ends the other, unless it ended by that."""
    key = fact.account, fact.number
    state.pending.pop(key, None)
    known = state.links.get(key)
    if known is None:
        return
    if known.entry == fact.number and known.filled and known.arms is Arming.FIRST_FILL:
        _end_entry(state, known, key)
    elif isinstance(fact, f.OrderExpired) and fact.why is Expiry.LINKED:
        _leave(state, known, key)
    else:
        _part(state, known, key)


def on_trigger_armed(state: State, fact: f.TriggerArmed) -> None:
    """It waits for its price, if it did not do so yet; where that has come already it is reached at once."""
    key = fact.account, fact.number
    del state.pending[key]
    trigger = state.accounts[fact.account].triggers[fact.number]
    slept = trigger.sleeps
    trigger.placed = placed = replace(trigger.placed, lots=fact.lots)
    if not slept:
        return
    contract = trigger.holder.contract
    index, price = index_of(contract, placed.source), price_of(contract, placed.source)
    index.add(trigger, price)
    if not index.low < price < index.high:
        index.move(price)
        note(state, contract)


def _end_entry(state: State, known: Link, key: LinkKey) -> None:
    """The entry is over; those that it armed stay, and are linked to each other where there are two."""
    del state.links[key]
    known.entry, known.filled, known.left, known.arms = OrderNumber(0), 0, 0, Arming.FIRST_FILL
    _forget_last(state, known, key)


def _leave(state: State, known: Link, key: LinkKey) -> None:
    """One of them ended for the sake of another, which stays."""
    del state.links[key]
    known.orders.remove(key[1])
    _forget_last(state, known, key)


def _forget_last(state: State, known: Link, key: LinkKey) -> None:
    """One alone is linked to nothing."""
    if not known.entry and len(known.orders) == 1:
        del state.links[key[0], known.orders[0]]


def _part(state: State, known: Link, key: LinkKey) -> None:
    """They are linked no more: all but this one are to end."""
    for number in (*known.others(key[1]), key[1]):
        del state.links[key[0], number]
        if number != key[1]:
            state.pending[key[0], number] = (state.seq, 0)


def links_of(state: State) -> dict[LinkKey, Link]:
    """The links between what is open between two batches, as what was placed says them."""
    links: dict[LinkKey, Link] = {}
    for account in state.accounts.values():
        for number, trigger in account.triggers.items():
            placed = trigger.placed
            entry = account.orders.get(placed.entry)
            if (entry is None and not placed.linked) or state.pending.get((account.name, number), (0, 1))[1] == 0:
                continue
            link(links, placed, OrderNumber(0) if entry is None else entry.number)
            if entry is not None:
                known = links[account.name, number]
                known.filled, known.left = entry.executed, entry.lots
    return links
