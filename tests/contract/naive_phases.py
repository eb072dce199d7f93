"""Trading phases and the uniform-price auction, easy to believe: every price is tried, with all orders at each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from events import commands as c
from events.commands import TimeInForce
from events.facts import Expiry
from events.phases import TradingPhase
from events.refusals import Reason
from events.triggers import PriceSource
from tests.contract.naive_links import settle

if TYPE_CHECKING:
    from tests.contract.naive_exchange import NaiveExchange
    from tests.contract.naive_orders import NaiveOrder

CONTINUOUS, AUCTION = TradingPhase.CONTINUOUS, TradingPhase.AUCTION
REFUSED = {TradingPhase.HALTED: Reason.TRADING_HALTED, TradingPhase.CANCEL_ONLY: Reason.CANCEL_ONLY}
"""Phase -> why it takes no orders, conditional ones too."""


def set_phase(exchange: NaiveExchange, command: c.SetTradingPhase) -> None:
    """The operator says what may be done."""
    if exchange.crossing:
        exchange.said.append(("refused", Reason.AUCTION_UNCROSSES))
    elif command.until and (command.until <= command.at or command.phase is CONTINUOUS):
        exchange.said.append(("refused", Reason.PHASE_END_NOT_AHEAD))
    elif command.phase is CONTINUOUS:
        resume(exchange)
    else:
        begin(exchange, command.phase, command.until)


def phase_ends(exchange: NaiveExchange, now: int) -> None:
    """A phase whose time is over ends."""
    if 0 < exchange.phase_end <= now:
        resume(exchange)


def begin(exchange: NaiveExchange, phase: TradingPhase, until: int = 0) -> None:
    """A phase takes the place of the one before."""
    exchange.phase, exchange.phase_end, exchange.crossing = phase, until, None
    exchange.said.append(("phase", phase, until))


def resume(exchange: NaiveExchange) -> None:
    """Trading is continuous, once what crosses has traded at one price."""
    if (found := clearing(exchange)) is None:
        begin(exchange, CONTINUOUS)
        return
    exchange.phase, exchange.phase_end, exchange.crossing = AUCTION, 0, found[0]
    exchange.said.append(("uncrossed", *found, reference(exchange)))


def reference(exchange: NaiveExchange) -> int:
    """What the auction's price is near to: the last price in mark units, or the mark where nothing traded yet."""
    return exchange.prices[PriceSource.LAST] * exchange.rules.tick or exchange.prices[PriceSource.MARK]


def clearing(exchange: NaiveExchange) -> tuple[int, int, int] | None:
    """Price, lots and surplus of an auction that ended now, by trying every price; None where nothing crosses."""
    bids, asks = exchange.queue(1), exchange.queue(-1)
    if not (bids and asks and bids[0].price >= asks[0].price):
        return None
    tried = []
    for price in range(asks[0].price, bids[0].price + 1):
        bought, sold = wanted(exchange, 1, price), wanted(exchange, -1, price)
        off = abs(price * exchange.rules.tick - reference(exchange))
        tried.append((-min(bought, sold), abs(bought - sold), off, price, bought - sold))
    lots, _, _, price, surplus = min(tried)
    return price, -lots, surplus


def wanted(exchange: NaiveExchange, sign: int, price: int) -> int:
    """The lots of a side that would trade at the price; of an account's reduce-only ones what there is to reduce."""
    orders = [order for order in exchange.queue(sign) if (order.price - price) * sign >= 0]
    lots = sum(order.lots for order in orders if not order.reduces)
    for account in dict.fromkeys(order.account for order in orders):
        reducing = sum(order.lots for order in orders if order.reduces and order.account == account)
        lots += min(reducing, exchange.reducible(account, sign))
    return lots


def uncross(exchange: NaiveExchange, now: int) -> None:
    """What crosses trades at the auction's price, the best and then the oldest first, until nothing crosses."""
    while exchange.crossing:
        price = exchange.crossing
        while (bids := at(exchange, 1, price)) and (asks := at(exchange, -1, price)):
            bid, ask = bids[0], asks[0]
            most = ready(exchange, bid, ask, now)
            lots = ready(exchange, ask, bid, now) if most else 0
            if lots:
                exchange.trade(ask, bid, min(lots, most), at=price)
        resume(exchange)
        settle(exchange)


def at(exchange: NaiveExchange, sign: int, price: int) -> list[NaiveOrder]:
    """The orders of a side that trade at the price, in their turn."""
    return [order for order in exchange.queue(sign) if (order.price - price) * sign >= 0]


def ready(exchange: NaiveExchange, order: NaiveOrder, other: NaiveOrder, now: int) -> int:
    """The lots that an order may trade; 0 where it expires instead."""
    if 0 < order.until <= now:
        exchange.expire(order, Expiry.GOOD_TILL)
        return 0
    if not order.reduces:
        return order.offered
    own = order.account == other.account
    lots = 0 if own else min(order.offered, exchange.reducible(order.account, order.sign))
    if not lots:
        exchange.expire(order, Expiry.NOTHING_TO_REDUCE)
    return lots


def of_phase(exchange: NaiveExchange, price: Any, force: TimeInForce) -> dict[Reason, bool]:
    """The rules of the phase about an order or an amendment."""
    rests = price is not None and force not in (TimeInForce.IOC, TimeInForce.FOK)
    return {
        Reason.AUCTION_UNCROSSES: exchange.crossing is not None,
        Reason.AUCTION_TAKES_LIMITS: exchange.phase is AUCTION and not rests,
        **of_waiting(exchange),
    }


def of_waiting(exchange: NaiveExchange) -> dict[Reason, bool]:
    """The rules of the phase about what waits, which an auction takes."""
    return {reason: exchange.phase is phase for phase, reason in REFUSED.items()}
