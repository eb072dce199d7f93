"""What a conditional order may be, and what stands against it while it waits; what it becomes is checked when it fires.

The rules are asked in the order of precedence of `events.refusals`. Source: Binance USD-M, rules of conditional orders:
errors -2021 (would trigger at once; a trailing stop's activation lies beyond the latest price), -4045 (too many),
-4130 (one closing stop for each direction), -4136 and -4137 (what a closing stop cannot carry), -4509 (one that ends
with its position needs one); OKX, `cxlOnClosePos`: it only reduces.
"""

from __future__ import annotations

from events.commands import PlaceTrigger, Side, TimeInForce
from events.instructions import PriceMatch
from events.instruments import Leg
from events.refusals import Reason
from events.triggers import CALLBACK_MAX, CALLBACK_MIN, TriggerKind
from exchange.core.changes.triggers import price_of
from exchange.core.contract import Contract
from exchange.core.matching.checks import closes_leg, size_refusal
from exchange.core.matching.good_till import time_refusal
from exchange.core.matching.phases import waiting_refusal
from exchange.core.state import Account, Position
from exchange.core.triggers.trigger import direction_of, level_of

BUY = Side.BUY
NET = Leg.NET
TRAILING_STOP = TriggerKind.TRAILING_STOP
TIMED = (TimeInForce.GTD, TimeInForce.DAY)


def is_market(command: PlaceTrigger) -> bool:
    """Whether it becomes a market order."""
    return command.price is None and command.price_match is PriceMatch.NONE


def reduces(command: PlaceTrigger) -> bool:
    """Whether it only reduces its position."""
    return command.reduce_only or command.closes or closes_leg(command.side, command.leg)


def price_refusal(command: PlaceTrigger) -> Reason | None:
    """The rule about its prices that it breaks, or None."""
    if command.price_match is not PriceMatch.NONE and command.price is not None:
        return Reason.PRICE_MATCH_WITH_PRICE
    prices = [price for price in (command.trigger, command.price) if price is not None]
    if any(type(price) is not str and price <= 0 for price in prices):  # type: ignore[operator]
        return Reason.PRICE_NOT_POSITIVE
    return Reason.PRICE_OFF_TICK if any(type(price) is str for price in prices) else None


def lots_refusal(contract: Contract, command: PlaceTrigger) -> Reason | None:
    """The rule about its size that it breaks, or None."""
    if command.closes and not isinstance(command.lots, str):
        return None
    return size_refusal(contract, command.lots, is_market(command))


def form_refusal(account: Account, contract: Contract, command: PlaceTrigger) -> Reason | None:
    """The rule about what goes together that it breaks, or None."""
    trails = command.trigger_kind is TRAILING_STOP
    if is_market(command) and command.time_in_force is TimeInForce.POST_ONLY:
        return Reason.MARKET_ORDER_CANNOT_REST
    if (command.good_till or command.time_in_force in TIMED) and (refusal := time_refusal(contract, command)):
        return refusal
    if command.trigger is None and not trails:
        return Reason.NO_TRIGGER_PRICE
    if refusal := callback_refusal(command):
        return refusal
    if trails and (not is_market(command) or command.closes or command.protects):
        return Reason.NOT_FOR_TRAILING_STOPS
    if command.closes and (command.lots or command.reduce_only or not is_market(command) or _opens(command)):
        return Reason.CLOSES_WHOLE_POSITION
    if command.with_position and not reduces(command):
        return Reason.WITH_POSITION_ONLY_REDUCES
    return None if account.hedges == (command.leg is not NET) else Reason.LEG_UNLIKE_POSITION_MODE


def callback_refusal(command: PlaceTrigger) -> Reason | None:
    """A trailing stop has a callback in its range, nothing else has any."""
    trails, callback = command.trigger_kind is TRAILING_STOP, command.callback
    fits = CALLBACK_MIN <= callback <= CALLBACK_MAX if trails else callback == 0
    return None if fits else Reason.CALLBACK_OUT_OF_RANGE


def _opens(command: PlaceTrigger) -> bool:
    """Whether it is on the side that opens its leg."""
    return command.leg is not NET and not closes_leg(command.side, command.leg)


def waits_refusal(position: Position, command: PlaceTrigger) -> Reason | None:
    """Why a conditional order cannot wait for its price now, or None."""
    if position.due or position.wallet.due:
        return Reason.LIQUIDATION_IN_PROGRESS
    contract = position.contract
    if contract.expired:
        return Reason.INSTRUMENT_EXPIRED
    if contract.closed and (refusal := waiting_refusal(contract)):
        return refusal
    if not contract.mark:
        return Reason.NO_MARK_PRICE
    return None if price_of(contract, command.source) else Reason.NO_LAST_PRICE


def is_reached(contract: Contract, command: PlaceTrigger) -> bool:
    """Whether the trigger price, or the price that activates a trailing stop, has come already."""
    if command.trigger is None:
        return False
    sign = 1 if command.side is BUY else -1
    direction = direction_of(command.trigger_kind, sign)
    level = level_of(contract, command.source, int(command.trigger))
    return price_of(contract, command.source) * direction >= level * direction
