"""A maker's part: made ready for a trade, and the fills that history brings it."""

from __future__ import annotations

from collections.abc import Generator, Iterator

from events.commands import MARKET, OrderNumber, Side
from events.facts import Expiry, Fact, OrderExpired, Traded
from events.instruments import Leg
from events.units import UNIT, Atoms, Lots, Ticks
from exchange.core.book import Order
from exchange.core.contract import Contract, fillable
from exchange.core.fees import fee_rates
from exchange.core.matching.prints import Fill
from exchange.core.owed import settle_first
from exchange.core.state import Position, State

BUY, SELL = Side.BUY, Side.SELL
MARKET_ORDER = OrderNumber(0)


def ready_maker(state: State, maker: Order, taker: Position | None = None) -> Generator[Fact, None, int]:
    """Make a maker ready to trade: settle funding it owes, cap a reduce-only order, let one past its time expire.
    Returns the lots it may trade at once.
    """
    if 0 < maker.until <= state.now:
        yield OrderExpired(maker.account, maker.number, Lots(maker.lots), Expiry.GOOD_TILL)
        return 0
    if state.owed:
        yield from settle_first(state, maker.account)
    if not maker.reduce_only:
        return maker.shown or maker.lots
    if maker.holder is not taker and (lots := fillable(maker)):
        return min(lots, maker.shown or lots)
    yield OrderExpired(maker.account, maker.number, Lots(maker.lots), Expiry.NOTHING_TO_REDUCE)
    return 0


def trade(
    state: State, contract: Contract, side: Side, price: int, lots: int, maker: Order | None, taker: str, order: int,
    taker_fee: int, crossed: int | None = None, leg: Leg = Leg.NET,
) -> Traded:  # fmt: skip
    """The fact of a trade at `price`; a maker of None is MARKET, which pays no fee."""
    value = contract.value_of(price, lots)
    if maker is None:
        name, number, fee = MARKET, MARKET_ORDER, 0
    else:
        name, number = maker.account, maker.number
        rate = fee_rates(state, maker.holder)[0] if state.fee_tiers else contract.maker_fee
        fee = -(-value * rate // UNIT)
    return Traded(
        instrument=contract.id,
        side=side,
        price=Ticks(price),
        lots=Lots(lots),
        value=Atoms(value),
        maker=name,
        maker_order=number,
        maker_fee=Atoms(fee),
        taker=taker,  # type: ignore[arg-type]
        taker_order=OrderNumber(order),
        taker_fee=Atoms(taker_fee),
        crossed=None if crossed is None else Ticks(crossed),
        leg=leg,
    )


def history_fills(state: State, contract: Contract, fills: list[Fill]) -> Iterator[Fact]:
    """The traders' orders that a print reached trade with MARKET, at their own prices.

    One that shows parts is named for each of them, and may have ended by then.
    """
    for order, reached in fills:
        lots = (yield from ready_maker(state, order)) if order.lots else 0
        if lots := min(lots, reached):
            yield from settle_first(state, MARKET)
            side = SELL if order.sign > 0 else BUY
            yield trade(state, contract, side, order.price, lots, order, MARKET, MARKET_ORDER, 0)


def crossing_fill(state: State, contract: Contract, order: Order, lots: int, price: int) -> Iterator[Fact]:
    """History's price runs through a resting order: it trades at its own price, and takes from MARKET's level."""
    ready = yield from ready_maker(state, order)
    if lots := min(lots, ready):
        yield from settle_first(state, MARKET)
        side = SELL if order.sign > 0 else BUY
        yield trade(state, contract, side, order.price, lots, order, MARKET, MARKET_ORDER, 0, crossed=price)
