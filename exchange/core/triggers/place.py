"""What a conditional order is refused for when it is placed; what it becomes is checked when it fires.

The rules are asked in the order of precedence of `events.refusals`. Source: Binance USD-M, rules of conditional orders:
errors -2021 (would trigger at once; a trailing stop's activation lies beyond the latest price), -4045 (too many),
-4130 (one closing stop for each direction), -4136 and -4137 (what a closing stop cannot carry).
"""

from __future__ import annotations

from collections.abc import Iterator

from events.commands import PlaceTrigger, Side, TimeInForce
from events.facts import Fact, Refused, TriggerPlaced
from events.instruments import Leg
from events.refusals import Reason
from events.triggers import CALLBACK_MAX, CALLBACK_MIN, TriggerKind
from exchange.core.changes.triggers import price_of
from exchange.core.contract import Contract
from exchange.core.matching.checks import client_refusal, closes_leg, size_refusal
from exchange.core.matching.phases import waiting_refusal
from exchange.core.state import Account, Position, State
from exchange.core.triggers.trigger import closing_bit, direction_of, level_of

BUY = Side.BUY
NET = Leg.NET
TRAILING_STOP = TriggerKind.TRAILING_STOP
TIMED = (TimeInForce.GTD, TimeInForce.DAY)


def decide_place_trigger(state: State, command: PlaceTrigger) -> Iterator[Fact]:
    """Let a conditional order wait for its price, or refuse it."""
    account = state.accounts[command.account]
    contract = state.contracts.get(command.instrument)
    if contract is None:
        yield Refused(Reason.UNKNOWN_INSTRUMENT)
        return
    position = state.position(account, contract, command.leg)
    refusal = _price_refusal(account, command) or _size_refusal(contract, command) or _form_refusal(account, command)
    if refusal := refusal or _standing_refusal(state, account, position, command):
        yield Refused(refusal)
        return
    reduces = command.reduce_only or command.closes or closes_leg(command.side, command.leg)
    yield TriggerPlaced(
        command.account, command.number, contract.id, command.side, command.trigger_kind, command.lots,  # type: ignore[arg-type]
        command.trigger, command.price, command.time_in_force, command.source, reduces, command.callback,  # type: ignore[arg-type]
        command.closes, command.protects, command.leg, command.client, command.self_trade,
    )  # fmt: skip


def _price_refusal(account: Account, command: PlaceTrigger) -> Reason | None:
    if command.number <= account.last_number:
        return Reason.ORDER_NUMBER_USED
    if command.client and (refusal := client_refusal(account, command.client)):
        return refusal
    prices = [price for price in (command.trigger, command.price) if price is not None]
    if any(type(price) is not str and price <= 0 for price in prices):  # type: ignore[operator]
        return Reason.PRICE_NOT_POSITIVE
    return Reason.PRICE_OFF_TICK if any(type(price) is str for price in prices) else None


def _size_refusal(contract: Contract, command: PlaceTrigger) -> Reason | None:
    if command.closes and not isinstance(command.lots, str):
        return None
    return size_refusal(contract, command.lots, command.price is None)


def _form_refusal(account: Account, command: PlaceTrigger) -> Reason | None:
    trails = command.trigger_kind is TRAILING_STOP
    if command.price is None and command.time_in_force is TimeInForce.POST_ONLY:
        return Reason.MARKET_ORDER_CANNOT_REST
    if command.time_in_force in TIMED:
        return Reason.GOOD_TILL_UNLIKE_TIME_IN_FORCE
    if command.trigger is None and not trails:
        return Reason.NO_TRIGGER_PRICE
    if not (CALLBACK_MIN <= command.callback <= CALLBACK_MAX if trails else command.callback == 0):
        return Reason.CALLBACK_OUT_OF_RANGE
    if trails and (command.price is not None or command.closes or command.protects):
        return Reason.NOT_FOR_TRAILING_STOPS
    if command.closes and (command.lots or command.reduce_only or command.price is not None or _opens(command)):
        return Reason.CLOSES_WHOLE_POSITION
    return None if account.hedges == (command.leg is not NET) else Reason.LEG_UNLIKE_POSITION_MODE


def _opens(command: PlaceTrigger) -> bool:
    """Whether it is on the side that opens its leg."""
    return command.leg is not NET and not closes_leg(command.side, command.leg)


def _standing_refusal(state: State, account: Account, position: Position, command: PlaceTrigger) -> Reason | None:
    if position.due or position.wallet.due:
        return Reason.LIQUIDATION_IN_PROGRESS
    contract = position.contract
    if contract.expired:
        return Reason.INSTRUMENT_EXPIRED
    if contract.closed and (refusal := waiting_refusal(contract)):
        return refusal
    if not contract.mark:
        return Reason.NO_MARK_PRICE
    if not price_of(contract, command.source):
        return Reason.NO_LAST_PRICE
    assert state.pack is not None
    most = state.pack.max_triggers
    if most and sum(position.open_triggers for position in account.legs(contract.id)) >= most:
        return Reason.TOO_MANY_TRIGGERS
    if command.closes and position.closing & closing_bit(command.trigger_kind, 1 if command.side is BUY else -1):
        return Reason.CLOSING_TRIGGER_EXISTS
    return Reason.WOULD_TRIGGER_AT_ONCE if _is_reached(contract, command) else None


def _is_reached(contract: Contract, command: PlaceTrigger) -> bool:
    if command.trigger is None:
        return False
    sign = 1 if command.side is BUY else -1
    direction = direction_of(command.trigger_kind, sign)
    level = level_of(contract, command.source, int(command.trigger))
    return price_of(contract, command.source) * direction >= level * direction
