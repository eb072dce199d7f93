"""An order that rests is amended: another price, another size, or both."""

from __future__ import annotations

from collections.abc import Iterator

from events.commands import AmendOrder, PlaceOrder, RequestId, Side, TimeInForce
from events.facts import Fact, OrderAmended, OrderCancelled, Refused
from events.refusals import Reason
from events.rules import AmendPriority
from events.units import Lots, Ticks
from exchange.core.book import Order
from exchange.core.links import is_one_of_two
from exchange.core.matching.checks import measure_refusal, standing_refusal
from exchange.core.matching.limit import enter, open_order
from exchange.core.state import State
from exchange.core.triggers.amend import decide_amend_trigger

BUY, SELL = Side.BUY, Side.SELL


def decide_amend(state: State, command: AmendOrder) -> Iterator[Fact]:
    """Refuse, cancel what the amendment ends, shrink the order where it stands, or let what is open meet the book."""
    order = open_order(state.accounts[command.account], command.number, command.client)
    if order is None:
        if _is_of_waiting(command):
            yield from decide_amend_trigger(state, command)
        else:
            yield Refused(Reason.UNKNOWN_ORDER)
        return
    asked = _asked(order, command)
    keeps = _keeps_priority(state, order, asked)
    if refusal := _refusal(state, order, asked, keeps, _is_of_waiting(command)):
        yield Refused(refusal)
        return
    lots, price = int(asked.lots), int(asked.price)  # type: ignore[arg-type]
    left = lots - order.executed
    if left <= 0 or _would_take(order, price):
        yield OrderCancelled(order.account, order.number, Lots(order.lots))
        return
    yield OrderAmended(order.account, order.number, Ticks(price), Lots(lots), Lots(left), keeps)
    if not keeps:
        yield from enter(state, order.holder, asked, left, order.reduce_only)


def _asked(order: Order, command: AmendOrder) -> PlaceOrder:
    """The order as it would have been placed with what it is amended to."""
    return PlaceOrder(
        command.at, order.account, RequestId(""), order.number, order.instrument, BUY if order.sign > 0 else SELL,
        Lots(order.total) if command.lots is None else command.lots,
        Ticks(order.price) if command.price is None else command.price,
        order.time_in_force, order.reduce_only, order.holder.leg, self_trade=order.self_trade,
        visible=_visible(order, command.lots),
    )  # fmt: skip


def _visible(order: Order, lots: Lots | str | None) -> Lots:
    """What it shows at a time; of one that its position made smaller than that, no more than the size asked for."""
    shrank = order.total < order.visible
    return Lots(min(order.visible, lots if shrank and isinstance(lots, int) else order.total))


def _keeps_priority(state: State, order: Order, asked: PlaceOrder) -> bool:
    assert state.pack is not None
    is_smaller = asked.price == order.price and isinstance(asked.lots, int) and asked.lots < order.total
    return is_smaller and state.pack.amend_priority is AmendPriority.WHEN_SMALLER


def _is_of_waiting(command: AmendOrder) -> bool:
    """Whether it speaks of an order that waits for its price."""
    return command.trigger is not None or command.callback != 0


def _refusal(state: State, order: Order, asked: PlaceOrder, keeps: bool, of_waiting: bool) -> Reason | None:
    """The rule that the amendment breaks, or None."""
    assert state.pack is not None
    position = order.holder
    if refusal := measure_refusal(position.contract, asked):
        return refusal
    if of_waiting:
        return Reason.NOT_AMENDABLE
    if asked.lots != order.total and is_one_of_two(state, order):
        return Reason.SIZE_IS_LINKED
    if (asked.price, asked.lots) == (order.price, order.total):
        return Reason.NOTHING_TO_AMEND
    if order.amendments >= state.pack.max_amendments:
        return Reason.TOO_MANY_AMENDMENTS
    adds = 0 if keeps else max(0, int(asked.lots) - order.executed)
    return standing_refusal(state, position, asked, order.reduce_only, order, adds)


def _would_take(order: Order, price: int) -> bool:
    """Whether a post-only order would meet somebody at that price, which in an auction nobody does."""
    contract, book = order.holder.contract, order.holder.contract.book
    if contract.closed or order.time_in_force is not TimeInForce.POST_ONLY:
        return False
    return book.front(book.asks if order.sign > 0 else book.bids, price) is not None
