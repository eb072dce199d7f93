"""Orders meet the book: acceptance, the walk of a taker, resting and expiry, and the fills that history brings."""

from __future__ import annotations

from collections.abc import Generator, Iterator

from events.commands import MARKET, CancelOrder, OrderNumber, PlaceOrder, Side, TimeInForce
from events.facts import Expiry, Fact, OrderAccepted, OrderCancelled, OrderExpired, OrderRested, Refused, Traded
from events.instruments import Leg
from events.refusals import Reason
from events.units import UNIT, Atoms, Lots, Ticks
from exchange.core.book import Order
from exchange.core.contract import Contract, fillable
from exchange.core.fees import fee_rates
from exchange.core.margin.pretrade import carries_fill, order_refusal, reserve_price
from exchange.core.matching.market import Fill
from exchange.core.owed import settle_first
from exchange.core.state import Account, Position, State

BUY, SELL = Side.BUY, Side.SELL
NET = Leg.NET
GTC, FOK, POST_ONLY = TimeInForce.GTC, TimeInForce.FOK, TimeInForce.POST_ONLY
MARKET_ORDER = OrderNumber(0)


def decide_place(state: State, command: PlaceOrder) -> Iterator[Fact]:
    """Accept or refuse an order, let it meet the book, rest or expire the remainder."""
    account = state.accounts[command.account]
    contract = state.contracts.get(command.instrument)
    if contract is None:
        yield Refused(Reason.UNKNOWN_INSTRUMENT)
        return
    leg = command.leg
    position = (account.positions.get(contract.id) if leg is NET else None) or state.position(account, contract, leg)
    reduces = command.reduce_only or (leg is not NET and (command.side is BUY) == (leg is Leg.SHORT))
    if refusal := _form_refusal(account, contract, command) or _order_refusal(state, position, command, reduces):
        yield Refused(refusal)
        return
    lots, price, side = command.lots, command.price, command.side
    assert isinstance(lots, int)
    assert not isinstance(price, str)
    number = command.number
    yield OrderAccepted(command.account, number, contract.id, side, lots, price, command.time_in_force, reduces, leg)
    resting = contract.book.asks if side is BUY else contract.book.bids
    why = Expiry.IMMEDIATE
    if command.time_in_force is FOK and not _fills_whole(state, position, command, reduces):
        yield OrderExpired(command.account, number, lots, Expiry.FILL_OR_KILL)
        return
    if (front := contract.book.front(resting, price)) is not None:
        position = account.positions[position.name]
        sign = 1 if side is BUY else -1
        while lots and front is not None:
            if reduces and (position.lots * sign >= 0 or _is_own(position, front[1])):
                why = Expiry.NOTHING_TO_REDUCE
                break
            most = min(lots, abs(position.lots)) if reduces else lots
            traded = yield from _meet(state, position, command, most, front)
            if traded is None:
                why = Expiry.MARGIN_EXHAUSTED
                break
            lots = Lots(lots - traded)
            front = contract.book.front(resting, price)
    if not lots:
        return
    if price is not None and why is Expiry.IMMEDIATE and command.time_in_force in (GTC, POST_ONLY):
        yield OrderRested(command.account, number, lots)
    else:
        yield OrderExpired(command.account, number, lots, why)


def _form_refusal(account: Account, contract: Contract, command: PlaceOrder) -> Reason | None:
    """The rule about the order itself that it breaks, or None."""
    lots, price, terms = command.lots, command.price, contract.terms
    if command.number <= account.last_number:
        return Reason.ORDER_NUMBER_USED
    if price is not None:
        if type(price) is str:
            return Reason.PRICE_OFF_TICK
        if price <= 0:  # type: ignore[operator]
            return Reason.PRICE_NOT_POSITIVE
    if type(lots) is str:
        return Reason.SIZE_OFF_LOT
    if lots < terms.min_lots:  # type: ignore[operator]
        return Reason.SIZE_BELOW_MINIMUM if lots > 0 else Reason.SIZE_NOT_POSITIVE  # type: ignore[operator]
    if lots > terms.max_lots:  # type: ignore[operator]
        return Reason.SIZE_ABOVE_MAXIMUM
    if price is None and command.time_in_force is POST_ONLY:
        return Reason.MARKET_ORDER_CANNOT_REST
    return None if account.hedges == (command.leg is not NET) else Reason.LEG_UNLIKE_POSITION_MODE


def _order_refusal(state: State, position: Position, command: PlaceOrder, reduces: bool) -> Reason | None:
    """The rule about account, position and market that the order breaks, or None."""
    if position.due or position.wallet.due:
        return Reason.LIQUIDATION_IN_PROGRESS
    contract, price = position.contract, command.price
    if contract.expired:
        return Reason.INSTRUMENT_EXPIRED
    if contract.halted:
        return Reason.TRADING_HALTED
    if not contract.mark:
        return Reason.NO_MARK_PRICE
    if position.wallet.multi and not state.assets[contract.settle].index:
        return Reason.NO_INDEX_PRICE
    assert state.pack is not None
    side, sign = command.side, 1 if command.side is BUY else -1
    slippage = state.pack.market_buy_slippage
    at = reserve_price(contract, sign, slippage) if price is None else int(price) * contract.tick
    lots: int = command.lots  # type: ignore[assignment]
    if not reduces and lots * contract.notional_per_lot(at) < contract.terms.min_notional * UNIT:
        return Reason.NOTIONAL_BELOW_MINIMUM
    if position.open_orders >= state.pack.max_orders:
        return Reason.TOO_MANY_OPEN_ORDERS
    if reduces and position.lots * sign >= 0:
        return Reason.REDUCE_ONLY_WOULD_INCREASE
    if command.time_in_force is POST_ONLY:
        resting = contract.book.asks if side is BUY else contract.book.bids
        if contract.book.front(resting, price) is not None:  # type: ignore[arg-type]
            return Reason.POST_ONLY_WOULD_TAKE
    if reduces:
        return None
    taker_fee = fee_rates(state, position)[1] if state.fee_tiers else contract.taker_fee
    return order_refusal(position, sign, lots, at, taker_fee)


def _fills_whole(state: State, position: Position, command: PlaceOrder, reduces: bool) -> bool:
    """Whether all of a fill-or-kill order trades right now: the book has it, its makers may trade it, margin carries
    it. Where it would meet an order of its own account, the fills together do not say what each does to margin: no.
    """
    contract, left = position.contract, int(command.lots)
    if reduces and left > abs(position.lots):
        return False
    book, sign = contract.book, 1 if command.side is BUY else -1
    taker_fee = fee_rates(state, position)[1]
    held: dict[Position, int] = {}
    value = fee = 0
    for price, maker, size in book.walk(book.asks if sign > 0 else book.bids, command.price):  # type: ignore[arg-type]
        lots = min(size, left)
        if maker is not None:
            if maker.account == command.account:
                return False
            before = held.setdefault(maker.holder, maker.holder.lots)
            lots = min(lots, max(0, sign * before)) if maker.reduce_only else lots
            held[maker.holder] = before - sign * lots
        part = contract.value_of(price, lots)
        value += part
        fee += -(-part * taker_fee // UNIT)
        left -= lots
        if not left:
            return carries_fill(position, sign, int(command.lots), value, fee)
    return False


def _meet(
    state: State, position: Position, command: PlaceOrder, lots: int, front: tuple[int, Order | None, int]
) -> Generator[Fact, None, int | None]:
    """One fill of a taker at the front of the book. Returns its lots, 0 where the maker only left, None where margin
    ends it.
    """
    contract = position.contract
    price, maker, size = front
    sign = 1 if command.side is BUY else -1
    if maker is not None:
        size = yield from ready_maker(state, maker, taker=position)
        if not size:
            return 0
    elif state.owed:
        yield from settle_first(state, MARKET)
    size = min(size, lots)
    value = contract.value_of(price, size)
    taker_fee = fee_rates(state, position)[1] if state.fee_tiers else contract.taker_fee
    fee = -(-value * taker_fee // UNIT)
    if command.time_in_force is not FOK and not carries_fill(position, sign, size, value, fee):
        return None
    yield trade(
        state, contract, command.side, price, size, maker, command.account, command.number, fee, leg=command.leg
    )
    return size


def _is_own(position: Position, maker: Order | None) -> bool:
    """Whether the order meets one of its own position. Such a trade reduces nothing: no reduce-only order makes it."""
    return maker is not None and maker.holder is position


def ready_maker(state: State, maker: Order, taker: Position | None = None) -> Generator[Fact, None, int]:
    """Make a maker ready to trade: settle funding it owes, cap a reduce-only order. Returns the lots it may trade."""
    if state.owed:
        yield from settle_first(state, maker.account)
    if not maker.reduce_only:
        return maker.lots
    if maker.holder is not taker and (lots := fillable(maker)):
        return lots
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
    """The traders' orders that a print reached trade with MARKET, at their own prices."""
    for order, reached in fills:
        lots = yield from ready_maker(state, order)
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


def decide_cancel(state: State, command: CancelOrder) -> Iterator[Fact]:
    """Cancel what is open of an order."""
    order = state.accounts[command.account].orders.get(command.number)
    if order is None:
        yield Refused(Reason.UNKNOWN_ORDER)
    else:
        yield OrderCancelled(command.account, command.number, Lots(order.lots))
