"""Conditional orders that their price reached fire one after the other, and meet the rules of any order then.

Source: Binance USD-M: a closing stop closes the whole position, `priceProtect` with the instrument's `triggerProtect`;
"Untriggered orders" reserve no margin, what would be refused when it fires expires.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from events.commands import OrderNumber, PlaceOrder, RequestId
from events.facts import Expiry, Fact, OrderExpired, OrderTriggered, TriggersReached
from events.refusals import Reason
from events.units import UNIT, Lots
from exchange.core.contract import Contract
from exchange.core.links import end_others, settle_links
from exchange.core.matching.checks import standing_refusal
from exchange.core.matching.limit import NO_MATCH, accepted, enter
from exchange.core.matching.price_match import priced
from exchange.core.owed import settle_first
from exchange.core.state import Due, Position, State
from exchange.core.triggers.trigger import Trigger


def triggers_reached(state: State) -> Iterator[Fact]:
    """Say, at the end of a batch, of which instruments prices reached conditional orders; where trading is not
    continuous, once it is.
    """
    for instrument, seq in list(state.reached.items()):
        contract = state.contracts[instrument]
        if not contract.closed:
            state.cause = seq
            yield TriggersReached(instrument, len(contract.triggers.reached))


def fire_all(state: State, due: Due, limit: int) -> Iterator[Fact]:
    """Fire the orders that an entry of the queue holds, until about `limit` facts are said."""
    end = state.seq + limit
    for trigger in list(islice(due.firing, limit)):
        if trigger in due.firing:
            state.cause = due.seq
            yield from _fire(state, due, trigger)
            yield from settle_links(state)
        if state.seq >= end:
            return


def _fire(state: State, due: Due, trigger: Trigger) -> Iterator[Fact]:
    placed, position = trigger.placed, trigger.holder
    yield from settle_first(state, placed.account)
    if trigger not in due.firing:
        return
    lots = closable(position, trigger.sign) if placed.closes else placed.lots
    if placed.protects and is_torn(position.contract):
        yield OrderExpired(placed.account, placed.number, placed.lots, Expiry.PRICE_PROTECTION)
        return
    if not lots:
        yield OrderExpired(placed.account, placed.number, placed.lots, Expiry.NOTHING_TO_REDUCE)
        return
    if state.links:
        yield from end_others(state, (placed.account, placed.number))
    yield OrderTriggered(placed.account, placed.number, Lots(lots))
    state.cause = state.seq
    order = order_of(state, trigger, lots)
    if isinstance(order, Reason):
        yield OrderExpired(placed.account, placed.number, Lots(lots), Expiry.REFUSED_WHEN_TRIGGERED, order)
        return
    yield accepted(order, placed.reduce_only)
    yield from enter(state, position, order, lots, placed.reduce_only)


def closable(position: Position, sign: int) -> int:
    """How many lots an order on this side (+1: buy) closes of a position."""
    return abs(position.lots) if position.lots * sign < 0 else 0


def is_torn(contract: Contract) -> bool:
    """Whether mark and last price are further apart than the instrument allows for orders with price protection."""
    most, last = contract.terms.trigger_protect, contract.feed.traded * contract.tick
    return bool(most and last) and abs(contract.mark - last) * UNIT > contract.mark * most


def order_of(state: State, trigger: Trigger, lots: int) -> PlaceOrder | Reason:
    """The order that a conditional one becomes, at the price that it matches by now, or the rule that it breaks."""
    placed = trigger.placed
    order = PlaceOrder(
        state.now, placed.account, RequestId(""), OrderNumber(placed.number), placed.instrument, placed.side,
        Lots(lots), placed.price, placed.time_in_force, placed.reduce_only, placed.leg,
        placed.client, placed.self_trade, placed.good_till, placed.price_match,
    )  # fmt: skip
    if placed.price_match is not NO_MATCH:
        with_price = priced(trigger.holder.contract, order)
        if isinstance(with_price, Reason):
            return with_price
        order = with_price
    return standing_refusal(state, trigger.holder, order, placed.reduce_only) or order
