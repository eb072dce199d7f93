"""What an order is refused for: the rules about the order itself, then those about account, position and market.

The rules are asked in the order of precedence of `events.refusals`.
"""

from __future__ import annotations

from events.commands import (
    CLIENT_ID_CHARACTERS,
    CLIENT_ID_LENGTH,
    ClientId,
    PlaceOrder,
    PlaceTrigger,
    Side,
    TimeInForce,
)
from events.instruments import Instrument, Leg
from events.refusals import Reason
from events.units import UNIT, Lots
from exchange.core.book import Order
from exchange.core.contract import Contract
from exchange.core.fees import fee_rates
from exchange.core.margin.pretrade import order_refusal, reserve_price
from exchange.core.matching.good_till import time_refusal
from exchange.core.matching.phases import phase_refusal
from exchange.core.matching.visible import visible_refusal
from exchange.core.state import Account, Position, State

BUY = Side.BUY
NET = Leg.NET
POST_ONLY = TimeInForce.POST_ONLY
TIMED = (TimeInForce.GTD, TimeInForce.DAY)
WAITING = (POST_ONLY, *TIMED)


def form_refusal(account: Account, contract: Contract, command: PlaceOrder) -> Reason | None:
    """The rule about the order itself that it breaks, or None."""
    if (command.number <= account.last_number or command.client) and (refusal := name_refusal(account, command)):
        return refusal
    if not _measures(contract.terms, command) and (refusal := measure_refusal(contract, command)):
        return refusal
    if (command.good_till or command.time_in_force in TIMED) and (refusal := time_refusal(contract, command)):
        return refusal
    return None if account.hedges == (command.leg is not NET) else Reason.LEG_UNLIKE_POSITION_MODE


def name_refusal(account: Account, command: PlaceOrder | PlaceTrigger) -> Reason | None:
    """The rule about the order's names that it breaks, or None."""
    if command.number <= account.last_number:
        return Reason.ORDER_NUMBER_USED
    return client_refusal(account, command.client) if command.client else None


def _measures(terms: Instrument, command: PlaceOrder) -> bool:
    """Whether it is a limit order without more ado, whose price and size break no rule: most are, and none is named."""
    price, lots = command.price, command.lots
    if isinstance(price, int) and isinstance(lots, int):
        return price > 0 and terms.min_lots <= lots <= terms.max_lots and not command.visible
    return False


def measure_refusal(contract: Contract, command: PlaceOrder) -> Reason | None:
    """The rule about price and size that the order breaks, or None."""
    price = command.price
    if price is not None:
        if type(price) is str:
            return Reason.PRICE_OFF_TICK
        if price <= 0:  # type: ignore[operator]
            return Reason.PRICE_NOT_POSITIVE
    if refusal := size_refusal(contract, command.lots, price is None):
        return refusal
    if price is None and command.time_in_force in WAITING:
        return Reason.MARKET_ORDER_CANNOT_REST
    return visible_refusal(contract, command) if command.visible else None


def size_refusal(contract: Contract, lots: Lots | str, is_market: bool) -> Reason | None:
    """The rule about size that an order breaks, or None."""
    terms = contract.terms
    if isinstance(lots, str):
        return Reason.SIZE_OFF_LOT
    if lots < terms.min_lots:
        return Reason.SIZE_BELOW_MINIMUM if lots > 0 else Reason.SIZE_NOT_POSITIVE
    if lots > terms.max_lots:
        return Reason.SIZE_ABOVE_MAXIMUM
    return Reason.MARKET_SIZE_ABOVE_MAXIMUM if is_market and 0 < terms.market_max_lots < lots else None


def closes_leg(side: Side, leg: Leg) -> bool:
    """Whether an order on this side closes that leg of a position in hedge mode."""
    return leg is not NET and (side is BUY) == (leg is Leg.SHORT)


def client_refusal(account: Account, client: ClientId) -> Reason | None:
    """The rule about client ids that something new with this one breaks, or None."""
    if len(client) > CLIENT_ID_LENGTH or client.strip(CLIENT_ID_CHARACTERS):
        return Reason.CLIENT_ID_MALFORMED
    return Reason.CLIENT_ID_IN_USE if client in account.clients else None


def standing_refusal(
    state: State, position: Position, command: PlaceOrder, reduces: bool, instead: Order | None = None, adds: int = 1
) -> Reason | None:
    """The rule about account, position and market that the order breaks, or None.

    instead is the order that is amended; adds are the lots that are open of it then, 0 where it asks for no more margin
    than it has.
    """
    if position.due or position.wallet.due:
        return Reason.LIQUIDATION_IN_PROGRESS
    contract, price = position.contract, command.price
    if contract.expired:
        return Reason.INSTRUMENT_EXPIRED
    if contract.closed and (refusal := phase_refusal(contract, command)):
        return refusal
    if not contract.mark:
        return Reason.NO_MARK_PRICE
    if position.wallet.multi and not state.assets[contract.settle].index:
        return Reason.NO_INDEX_PRICE
    assert state.pack is not None
    side, sign = command.side, 1 if command.side is BUY else -1
    slippage = state.pack.market_buy_slippage
    at = reserve_price(contract, sign, slippage) if price is None else int(price) * contract.tick
    lots: int = command.lots  # type: ignore[assignment]
    beyond = contract.is_banded and price is not None and (at - contract.mark) * sign > 0
    if beyond and (refusal := _band_refusal(contract, sign, at)):
        return refusal
    if not reduces and lots * contract.notional_per_lot(at) < contract.terms.min_notional * UNIT:
        return Reason.NOTIONAL_BELOW_MINIMUM
    if instead is None and _open_orders(state, position) >= state.pack.max_orders:
        return Reason.TOO_MANY_OPEN_ORDERS
    if reduces and position.lots * sign >= 0:
        return Reason.REDUCE_ONLY_WOULD_INCREASE
    if command.time_in_force is POST_ONLY and instead is None and not contract.closed:
        resting = contract.book.asks if side is BUY else contract.book.bids
        if contract.book.front(resting, price) is not None:  # type: ignore[arg-type]
            return Reason.POST_ONLY_WOULD_TAKE
    if reduces or not adds:
        return None
    taker_fee = fee_rates(state, position)[1] if state.fee_tiers else contract.taker_fee
    return order_refusal(position, sign, lots if instead is None else adds, at, taker_fee, instead)


def _open_orders(state: State, position: Position) -> int:
    """How many orders the account has open in the instrument, for both legs.

    Source: Binance USD-M, filter MAX_NUM_ORDERS: an account's open orders on a symbol.
    """
    if position.leg is NET:
        return position.open_orders
    return sum(leg.open_orders for leg in state.accounts[position.account].legs(position.contract.id))


def _band_refusal(contract: Contract, sign: int, price: int) -> Reason | None:
    """Whether a limit price, mark units, is too far from the mark: a buy above it, or a sell below it.

    Source: Binance USD-M, filter PERCENT_PRICE: BUY price <= mark x multiplierUp, SELL price >= mark x multiplierDown.
    """
    terms = contract.terms
    if sign > 0:
        return Reason.PRICE_ABOVE_BAND if 0 < terms.price_up * contract.mark < price * UNIT else None
    return Reason.PRICE_BELOW_BAND if price * UNIT < contract.mark * terms.price_down else None
