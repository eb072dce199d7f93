"""Orders come and go: acceptance, what becomes of what did not trade, and cancels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from events.commands import CancelOrder, ClientId, OrderNumber, PlaceOrder, TimeInForce
from events.facts import Expiry, Fact, OrderAccepted, OrderCancelled, OrderExpired, OrderRested, Refused
from events.instructions import PriceMatch
from events.instruments import Leg
from events.refusals import Reason
from events.units import Lots
from exchange.core.book import Order
from exchange.core.links import is_frozen
from exchange.core.matching.checks import closes_leg, form_refusal, standing_refusal
from exchange.core.matching.good_till import until_of
from exchange.core.matching.price_match import matched
from exchange.core.matching.taking import fills_whole, first_met, take, unmet
from exchange.core.state import Account, Position, State

NET = Leg.NET
FOK, DAY = TimeInForce.FOK, TimeInForce.DAY
NO_MATCH = PriceMatch.NONE
RESTING = (TimeInForce.GTC, TimeInForce.POST_ONLY, TimeInForce.GTD, TimeInForce.DAY)


def decide_place(state: State, command: PlaceOrder) -> Iterable[Fact]:
    """Accept or refuse an order, let it meet the book, rest or expire the remainder.

    Of an order that meets nobody both facts are known at once: nothing about the second waits for the first.
    """
    account = state.accounts[command.account]
    contract = state.contracts.get(command.instrument)
    if contract is None:
        return (Refused(Reason.UNKNOWN_INSTRUMENT),)
    if command.price_match is not NO_MATCH:
        priced = matched(account, contract, command)
        if isinstance(priced, Reason):
            return (Refused(priced),)
        command = priced
    leg = command.leg
    position = (account.positions.get(contract.id) if leg is NET else None) or state.position(account, contract, leg)
    reduces = command.reduce_only or (leg is not NET and closes_leg(command.side, leg))
    if refusal := form_refusal(account, contract, command) or standing_refusal(state, position, command, reduces):
        return (Refused(refusal),)
    rests = command.price is not None and command.time_in_force in RESTING
    if rests and (contract.closed or first_met(contract, command) is None):
        return accepted(command, reduces), OrderRested(command.account, command.number, command.lots)  # type: ignore[arg-type]
    return _enter_accepted(state, position, command, reduces)


def _enter_accepted(state: State, position: Position, command: PlaceOrder, reduces: bool) -> Iterator[Fact]:
    yield accepted(command, reduces)
    yield from enter(state, position, command, command.lots, reduces)  # type: ignore[arg-type]


def accepted(command: PlaceOrder, reduces: bool) -> OrderAccepted:
    """The fact that no rule speaks against an order, which is about to meet the book."""
    return OrderAccepted(
        command.account, command.number, command.instrument, command.side, command.lots, command.price,  # type: ignore[arg-type]
        command.time_in_force, reduces, command.leg, command.client, command.self_trade,
        until_of(command) if command.time_in_force is DAY else command.good_till,
        command.visible,  # type: ignore[arg-type]
    )  # fmt: skip


def enter(state: State, position: Position, command: PlaceOrder, lots: int, reduces: bool) -> Iterator[Fact]:
    """Let so many lots of an accepted order meet the book, and rest or expire what is left of them.

    In an auction, where nothing meets, all of it rests.
    """
    if position.contract.closed:
        yield OrderRested(command.account, command.number, Lots(lots))
        return
    tif = command.time_in_force
    if tif is FOK and not fills_whole(state, position, command, reduces):
        yield OrderExpired(command.account, command.number, Lots(lots), Expiry.FILL_OR_KILL)
        return
    if (front := first_met(position.contract, command)) is None:
        why = unmet(position.contract, command)
    else:
        lots, why = yield from take(state, position, command, lots, reduces, front)
        if not lots:
            return
    if command.price is not None and why is Expiry.IMMEDIATE and tif in RESTING:
        yield OrderRested(command.account, command.number, Lots(lots))
    else:
        yield OrderExpired(command.account, command.number, Lots(lots), why)


def decide_cancel(state: State, command: CancelOrder) -> Iterable[Fact]:
    """Cancel what is open of an order, or a conditional one that has not fired."""
    account = state.accounts[command.account]
    order = account.orders.get(command.number) or open_order(account, command.number, command.client)
    if order is not None:
        if order.holder.contract.uncrossing is not None:
            return (Refused(Reason.AUCTION_UNCROSSES),)
        return (OrderCancelled(command.account, order.number, Lots(order.lots)),)
    if (trigger := account.triggers.get(named(account, command.number, command.client))) is None:
        return (Refused(Reason.UNKNOWN_ORDER),)
    if is_frozen(state, (account.name, trigger.placed.number)):
        return (Refused(Reason.AUCTION_UNCROSSES),)
    return (OrderCancelled(command.account, trigger.placed.number, trigger.placed.lots),)


def open_order(account: Account, number: OrderNumber, client: ClientId) -> Order | None:
    """The open order of that number or, where it is 0, of that client id; None where there is none."""
    return account.orders.get(named(account, number, client))


def named(account: Account, number: OrderNumber, client: ClientId) -> OrderNumber:
    """The number or, where it is 0, that of what is open under the client id; 0 where there is none."""
    return number or account.clients.get(client, number)
