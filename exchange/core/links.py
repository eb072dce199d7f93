"""Linked orders: who ends whom, and what follows from what happened to one of them.

A fact that lets one of them trade, or end, leaves what of the others is `pending`: to be armed for so many lots, or to
end. That is said when the work in hand is done: an item of a batch, an order that fired, a piece of due work, the whole
command; what a full batch has no room for, before anything else is decided. So a link stands in nobody's way while
orders trade, and who is to end trades no more. Source of the rules: `docs/decisions/0019-linked-orders.md`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from events.commands import AccountId, OrderNumber
from events.facts import Expiry, Fact, OrderExpired, TriggerArmed
from events.instructions import Arming
from events.units import Lots

if TYPE_CHECKING:
    from exchange.core.book import Order
    from exchange.core.state import State

LinkKey = tuple[AccountId, OrderNumber]
"""An order."""


class Link(msgspec.Struct):
    """Orders of an account that end each other, by rising number, and the entry that arms them, 0 where there is none
    or it is over.

    filled is how many lots of the entry traded, left how many are open of it.
    """

    orders: list[OrderNumber]
    entry: OrderNumber = OrderNumber(0)
    arms: Arming = Arming.FIRST_FILL
    filled: int = 0
    left: int = 0

    def others(self, number: OrderNumber) -> list[OrderNumber]:
        """All but this one, the entry first."""
        return [other for other in (self.entry, *self.orders) if other not in (0, number)]


def settle_links(state: State, room: int | None = None) -> Iterator[Fact]:
    """Arm and end what is pending, or so much of it."""
    cause = state.cause
    for key, (seq, lots) in list(state.pending.items())[:room]:
        state.cause = seq
        yield TriggerArmed(*key, Lots(lots)) if lots else _ended(state, key)
    state.cause = cause


def end_others(state: State, key: LinkKey) -> Iterator[Fact]:
    """End what an order that is about to fire is linked to."""
    if (link := state.links.get(key)) is not None:
        for other in link.others(key[1]):
            yield _ended(state, (key[0], other))


def is_one_of_two(state: State, order: Order) -> bool:
    """Whether another order of the same size ends with this one."""
    link = state.links.get((order.account, order.number))
    return link is not None and link.entry != order.number


def is_frozen(state: State, key: LinkKey) -> bool:
    """Whether an auction uncrosses in which an order trades that would end with this one."""
    account = state.accounts[key[0]]
    link = state.links.get(key)
    others = [] if link is None else link.others(key[1])
    return any(n in account.orders and account.orders[n].holder.contract.uncrossing is not None for n in others)


def _ended(state: State, key: LinkKey) -> OrderExpired:
    account = state.accounts[key[0]]
    order = account.orders.get(key[1])
    lots = account.triggers[key[1]].placed.lots if order is None else Lots(order.lots)
    return OrderExpired(*key, lots, Expiry.LINKED)
