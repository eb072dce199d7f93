"""Linked orders are placed: two of which one ends the other, or an entry with what is attached to it.

All of them are refused where one of them is, before anything is said of any. What has to do with how they go together
is asked first, then the rules of each order, in the order in which they are placed.
Source: Binance Spot, New Order List OCO and OTOCO; `docs/decisions/0019-linked-orders.md`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from msgspec.structs import replace

from events.commands import OrderNumber, PlaceOrder, PlaceTrigger, TimeInForce
from events.facts import Fact, Refused
from events.instructions import PriceMatch
from events.linked import PlaceLinked
from events.refusals import Reason
from events.triggers import TriggerKind
from exchange.core.contract import Contract
from exchange.core.matching.checks import closes_leg, form_refusal, standing_refusal
from exchange.core.matching.limit import RESTING, accepted, enter
from exchange.core.matching.price_match import matched
from exchange.core.state import Account, State
from exchange.core.triggers import place

TAKE_PROFIT = TriggerKind.TAKE_PROFIT
FOK, IOC = TimeInForce.FOK, TimeInForce.IOC
NO_MATCH = PriceMatch.NONE


def decide_place_linked(state: State, command: PlaceLinked) -> Iterator[Fact]:
    """Refuse all of them, or place the conditional ones and then let the other one, if there is one, meet the book."""
    if refusal := _shape_refusal(command):
        yield Refused(refusal)
        return
    account, contract = state.accounts[command.account], state.contracts.get(command.linked[0].instrument)
    if contract is None:
        yield Refused(Reason.UNKNOWN_INSTRUMENT)
    elif refusal := _names_refusal(command):
        yield Refused(refusal)
    elif command.entry is None:
        yield from _pair(state, account, contract, command)
    else:
        yield from _bracket(state, account, contract, command, command.entry)


def _shape_refusal(command: PlaceLinked) -> Reason | None:
    """Why they do not go together, or None."""
    entry, linked = command.entry, command.linked
    named = command.account, command.at, command.request
    if any((one.account, one.at, one.request) != named for one in _all_of(command)):
        return Reason.LINKED_UNLIKE_COMMAND
    if entry is None:
        return None if _is_pair(linked) else Reason.NOT_A_PAIR
    return None if _fits(entry, linked) else Reason.NOT_FOR_THE_ENTRY


def _all_of(command: PlaceLinked) -> list[PlaceOrder | PlaceTrigger]:
    return [*([] if command.entry is None else [command.entry]), *command.linked]


def _is_pair(linked: tuple[PlaceOrder | PlaceTrigger, ...]) -> bool:
    """Whether they are two of the same side and size, one of which gains where the other loses.

    Source: Binance Spot, OCO: one is LIMIT_MAKER, TAKE_PROFIT or TAKE_PROFIT_LIMIT, the other STOP_LOSS or
    STOP_LOSS_LIMIT, of the same quantity.
    """
    if len(linked) != 2:
        return False
    one, other = linked
    alike = (one.instrument, one.side, one.lots, one.leg) == (other.instrument, other.side, other.lots, other.leg)
    return alike and _gains(one) != _gains(other) and all(_can_wait(each) for each in linked)


def _gains(one: PlaceOrder | PlaceTrigger) -> bool:
    """Whether it waits for a better price, not for a worse one."""
    return isinstance(one, PlaceOrder) or one.trigger_kind is TAKE_PROFIT


def _can_wait(one: PlaceOrder | PlaceTrigger) -> bool:
    """Whether it is conditional, or rests where it meets nobody."""
    return isinstance(one, PlaceTrigger) or (one.price is not None and one.time_in_force in RESTING)


def _fits(entry: PlaceOrder, linked: tuple[PlaceOrder | PlaceTrigger, ...]) -> bool:
    """Whether a take-profit, a stop or both, without a size of their own, close what the entry opens."""
    if entry.reduce_only or closes_leg(entry.side, entry.leg) or len(linked) not in (1, 2):
        return False
    if len(linked) == 2 and _gains(linked[0]) == _gains(linked[1]):
        return False
    return all(
        isinstance(one, PlaceTrigger)
        and (one.instrument, one.leg) == (entry.instrument, entry.leg)
        and one.side is not entry.side
        and not (one.lots or one.closes or one.with_position)
        for one in linked
    )


def _names_refusal(command: PlaceLinked) -> Reason | None:
    """Whether their numbers do not rise, or two have the same client id."""
    every = _all_of(command)
    numbers, clients = [one.number for one in every], [one.client for one in every if one.client]
    if any(number >= following for number, following in pairwise(numbers)):
        return Reason.ORDER_NUMBER_USED
    return Reason.CLIENT_ID_IN_USE if len(dict.fromkeys(clients)) < len(clients) else None


def _pair(state: State, account: Account, contract: Contract, command: PlaceLinked) -> Iterator[Fact]:
    triggers = [one for one in command.linked if isinstance(one, PlaceTrigger)]
    limits = [one for one in command.linked if isinstance(one, PlaceOrder)]
    refusals = (
        *(place.trigger_refusal(state, account, contract, one, beside) for beside, one in enumerate(triggers)),
        *(_order_refusal(state, account, contract, one) for one in limits),
    )
    if refusal := next(filter(None, refusals), None):
        yield Refused(refusal)
        return
    numbers = sum(one.number for one in command.linked)
    for trigger in triggers:
        yield place.placed(trigger, OrderNumber(numbers - trigger.number))
    for limit in limits:
        yield from _enter(state, account, contract, limit)


def _bracket(
    state: State, account: Account, contract: Contract, command: PlaceLinked, entry: PlaceOrder
) -> Iterator[Fact]:
    if entry.price_match is not NO_MATCH:
        priced = matched(account, contract, entry)
        if isinstance(priced, Reason):
            yield Refused(priced)
            return
        entry = priced
    linked: list[PlaceTrigger] = list(command.linked)  # type: ignore[arg-type]
    refusal = _order_refusal(state, account, contract, entry)
    for beside, one in enumerate(linked):
        refusal = refusal or place.own_refusal(account, contract, replace(one, lots=entry.lots, reduce_only=True))
        refusal = refusal or place.number_refusal(state, state.position(account, contract, one.leg), beside)
    if refusal is not None:
        yield Refused(refusal)
        return
    for one, other in zip(linked, reversed(linked), strict=True):
        yield place.placed(one, other.number if other is not one else place.ALONE, entry.number, command.arms)
    yield from _enter(state, account, contract, entry)


def _order_refusal(state: State, account: Account, contract: Contract, order: PlaceOrder) -> Reason | None:
    position = state.position(account, contract, order.leg)
    reduces = order.reduce_only or closes_leg(order.side, order.leg)
    return form_refusal(account, contract, order) or standing_refusal(state, position, order, reduces)


def _enter(state: State, account: Account, contract: Contract, order: PlaceOrder) -> Iterator[Fact]:
    reduces = order.reduce_only or closes_leg(order.side, order.leg)
    yield accepted(order, reduces)
    yield from enter(state, state.position(account, contract, order.leg), order, order.lots, reduces)  # type: ignore[arg-type]
