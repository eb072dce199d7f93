"""Whether the margin of an account carries an order before it is accepted, and each fill before it happens."""

from __future__ import annotations

from events.refusals import Reason
from events.units import UNIT
from exchange.core.book import Order
from exchange.core.contract import Contract
from exchange.core.margin.model import contributed, contribution, equity_after, fee_for_closing, headroom
from exchange.core.posting import after_trade
from exchange.core.state import Position


def reserve_price(contract: Contract, sign: int, slippage: int) -> int:
    """The price per base asset, mark units, at which a market order reserves: rounded up.

    Buys: best ask x (1 + slippage), or the mark where nobody offers. Sells: max(best bid, mark).
    Source: Binance USD-M, cost of a market order (best ask x 1.0005; max(best bid, mark)).
    """
    book = contract.book
    if sign > 0:
        ask = book.best_price(book.asks)
        return contract.mark if ask is None else -(-ask * contract.tick * (UNIT + slippage) // UNIT)
    bid = book.best_price(book.bids)
    return contract.mark if bid is None else max(bid * contract.tick, contract.mark)


def order_sums(position: Position, sign: int, price: int, taker_fee: int) -> tuple[int, int]:
    """What one lot of an open order adds to the sums of its position, grains: notional, and open loss plus fees.

    price is in mark units, taker_fee a Rate. The open loss is what a fill would lose at once against the mark; it and
    the taker fee, and the fee for closing where the venue counts it in, are fixed at placement.
    """
    contract = position.contract
    if contract.is_inverse:
        notional = -(-contract.face // price)
        loss = -(sign * (contract.num + notional * contract.den) // contract.den)
    else:
        notional = price * contract.lot
        loss = sign * (price - contract.mark) * contract.lot
    fee = -(-notional * taker_fee // UNIT)
    if contract.rules.exit_fee:
        fee += fee_for_closing(position, sign, notional)
    return notional, (loss + fee if loss > 0 else fee)


def order_refusal(
    position: Position, sign: int, lots: int, price: int, taker_fee: int, instead: Order | None = None
) -> Reason | None:
    """The margin rule that an order of these lots at this price (mark units) would break, or None.

    Where it stands in instead of a resting order, what that one holds back is there for it.
    """
    notional, per_lot = order_sums(position, sign, price, taker_fee)
    bids, asks, extra = position.bids, position.asks, position.extra + lots * per_lot
    if instead is not None:
        extra -= instead.extra * instead.lots
        bids -= instead.notional * instead.lots if sign > 0 else 0
        asks -= instead.notional * instead.lots if sign < 0 else 0
    contract = position.contract
    size = contract.gain * (position.lots * contract.num // contract.den)
    if sign > 0:
        bids += lots * notional
        reach = size + bids
    else:
        asks += lots * notional
        reach = asks - size
    if reach > position.max_notional:
        return Reason.POSITION_LIMIT_AT_LEVERAGE
    after = contribution(position, position.lots, position.entry_value, bids, asks, extra)
    if headroom(position, after) >= 0:
        return None
    return Reason.INSUFFICIENT_MARGIN if after < contributed(position) else None


def carries_fill(position: Position, sign: int, lots: int, value: int, fee: int) -> bool:
    """Whether a taker's fill leaves its pool whole: equity >= 0 after fill and fee and, for added size, available >= 0.

    value and fee are atoms.
    """
    after = after_trade(position, sign, lots, value, fee)
    if position.is_isolated or position.lots * sign < 0:
        contract = position.contract
        pnl = after.lots * contract.num // contract.den - after.entry_value * UNIT
        equity = after.isolated * UNIT + pnl if position.is_isolated else equity_after(position, after.gain, pnl)
        if equity < 0:
            return False
        if position.lots * sign < 0 and lots <= abs(position.lots):
            return True
    own = contribution(position, after.lots, after.entry_value, position.bids, position.asks, position.extra)
    return headroom(position, own, after.gain) >= 0


def max_lots(position: Position, sign: int, price: int, taker_fee: int) -> int:
    """The largest order, lots, that margin and brackets carry at a price (mark units): one lot more is refused.

    0 where that is less than the smallest order of the instrument.
    """
    terms = position.contract.terms
    low, high = 0, int(terms.max_lots)
    while low < high:
        middle = (low + high + 1) // 2
        fits = order_refusal(position, sign, middle, price, taker_fee) is None
        low, high = (middle, high) if fits else (low, middle - 1)
    is_small = low < terms.min_lots or low * position.contract.notional_per_lot(price) < terms.min_notional * UNIT
    return 0 if is_small else low
