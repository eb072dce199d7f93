"""The liquidation of one pool: orders cancelled, positions closed in the book down to bankruptcy, the rest taken over.

1. the due test is made again: a pool that recovered meanwhile is left alone;
2. the pool's open orders expire;
3. each position, most maintenance margin first, meets the book with an immediate-or-cancel order limited at its
bankruptcy
   price; these fills pay no trading fee;
4. what the book cannot take goes to the insurance fund at the bankruptcy price;
5. the liquidation fee goes to the fund, at most what the pool has left.
Source: `docs/margin.md`, section "Liquidation"; Binance USD-M liquidation protocol for fee and fund.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator

from events.commands import INSURANCE, LIQUIDATION_ORDER, MARKET, Side
from events.facts import (
    DeficitCovered,
    Expiry,
    Fact,
    LiquidationEnded,
    LiquidationFeeCharged,
    LiquidationOrderPlaced,
    LiquidationOutcome,
    LiquidationStarted,
    MarginMoved,
    OrderExpired,
    TakenOver,
    Traded,
)
from events.units import UNIT, Atoms, Lots, MarkUnits, Ticks
from exchange.core.book import Order
from exchange.core.debts import cover, is_over
from exchange.core.margin.model import (
    available_atoms,
    cross_positions,
    index_of,
    initial_margin,
    is_due,
    maintenance_margin,
    requirement,
    withdrawable_atoms,
    worth,
)
from exchange.core.matching.limit import ready_maker, trade
from exchange.core.owed import settle_first
from exchange.core.state import MULTI, Account, Due, DueKey, MultiPool, Pool, Position, State, Wallet


def pool_of(account: Account, name: str) -> Pool:
    """The pool that a fact names: an isolated position, the wallet of an asset, or all wallets together."""
    if name == MULTI:
        assert account.multi is not None
        return account.multi
    position = account.positions.get(name)
    return position if position is not None else account.wallets[name]  # type: ignore[index]


def close(pool: Pool, key: DueKey | None) -> None:
    """The pool is closed to its owner while it is due (no key: open again), and so are all wallets that it has."""
    pool.due = key
    if isinstance(pool, MultiPool):
        for wallet in pool.wallets.values():
            wallet.due = key


def liquidate(state: State, key: DueKey, due: Due) -> Iterator[Fact]:
    """Liquidate the pool that this entry of the queue names."""
    _, _, name, pool_name, _ = key
    account = state.accounts[name]  # type: ignore[index]
    pool = pool_of(account, pool_name)
    state.cause = due.seq
    yield from settle_first(state, account.name)
    if is_due(pool) and isinstance(pool, Position) and pool.auto_add:
        yield from _add_margin(pool)
    if not is_due(pool):
        yield _ended(pool, LiquidationOutcome.CURED)
        return
    margin = requirement(pool)
    yield LiquidationStarted(*pool.id, Atoms(margin.equity // UNIT), Atoms(-(-margin.maintenance // UNIT)))
    state.cause = state.seq
    yield from _expire_orders(account, pool)
    fees: dict[str, int] = {}
    for position in _order_of_closing(pool):
        asset = position.wallet.asset
        fees[asset] = (yield from _close(state, pool, position)) + fees.get(asset, 0)
        state.cause = due.seq
    if isinstance(pool, MultiPool):
        debts = [wallet for wallet in pool.wallets.values() if is_over(pool, wallet, 0)]
        yield from cover(pool, debts)
        for asset, wallet in list(pool.wallets.items()):
            yield from _even_out(wallet, wallet.balance, fees.get(asset, 0))
    else:
        yield from _even_out(pool, requirement(pool).equity // UNIT, sum(fees.values()))
    yield _ended(pool, LiquidationOutcome.CLOSED)


def _even_out(pool: Wallet | Position, left: int, fee: int) -> Iterator[Fact]:
    """The fund brings what is below zero back to zero, or takes the liquidation fee, at most what is left, atoms."""
    if left < 0:
        yield DeficitCovered(*pool.id, Atoms(-left))
    elif charged := min(fee, left):
        yield LiquidationFeeCharged(*pool.id, Atoms(charged))


def _add_margin(position: Position) -> Iterator[Fact]:
    """Add as much as the position's initial margin, or all that is available, up to where it is fully paid.

    Source: Bybit, "Auto Margin Replenishment".
    """
    wallet = position.wallet
    wanted = min(-(-initial_margin(position) // UNIT), abs(position.entry_value) - position.isolated)
    amount = 0 if wallet.due else min(wanted, available_atoms(wallet), withdrawable_atoms(wallet))
    if amount > 0:
        yield MarginMoved(position.account, position.contract.id, Atoms(amount), position.leg)


def bankruptcy_value(pool: Pool, position: Position) -> int:
    """The value, atoms, at which closing the whole position uses up its share of the pool's equity, and no more.

    Isolated: worth = entry value - isolated wallet. Cross: worth = worth at the mark - E x MM_i / sum MM. Where forced
    fills pay the taker fee, that fits in too. Rounded so that the account cannot end below zero, a worth up.
    Source: `docs/margin.md`, "Bankruptcy price".
    """
    fee = position.contract.rules.forced_fee
    if isinstance(pool, Position):
        left, scale = position.entry_value - pool.isolated, 1
    else:
        margins = {p.name: maintenance_margin(p) * index_of(p) for p in cross_positions(pool)}
        total, index = sum(margins.values()), index_of(position)
        scale = total * index * UNIT
        left = worth(position) * total * index - requirement(pool).equity * margins[position.name] * UNIT
    if position.entry_value > 0:
        return max(1 if position.contract.is_inverse else 0, -(-left * UNIT // (scale * (UNIT - fee))))
    return max(1 if position.contract.is_inverse else 0, left * -UNIT // (scale * (UNIT + fee)))


def bankruptcy_price(position: Position, value: int) -> int:
    """The price per base asset, mark units, of that value: long up, short down."""
    sign, contract, size = (1 if position.lots > 0 else -1), position.contract, abs(position.lots)
    if contract.is_inverse:
        return sign * -(-sign * size * contract.face // (value * UNIT))
    return sign * -(-sign * value * UNIT // (size * contract.lot))


def _ended(pool: Pool, outcome: LiquidationOutcome) -> Fact:
    return LiquidationEnded(*pool.id, outcome, Atoms(requirement(pool).equity // UNIT))


def _expire_orders(account: Account, pool: Pool) -> Iterator[Fact]:
    for order in list(account.orders.values()):
        if order.holder.pool is pool:
            yield OrderExpired(account.name, order.number, Lots(order.lots), Expiry.LIQUIDATION)


def _order_of_closing(pool: Pool) -> list[Position]:
    if isinstance(pool, Position):
        return [pool] if pool.lots else []
    return sorted(cross_positions(pool), key=lambda p: (-maintenance_margin(p) * index_of(p), p.name))


def _close(state: State, pool: Pool, position: Position) -> Generator[Fact, None, int]:
    """Close one position; what it yields is followed by the liquidation fee that its fills call for."""
    contract = position.contract
    side = Side.SELL if position.lots > 0 else Side.BUY
    bankruptcy = bankruptcy_price(position, bankruptcy_value(pool, position))
    limit = -(-bankruptcy // contract.tick) if side is Side.SELL else bankruptcy // contract.tick
    yield LiquidationOrderPlaced(
        position.account, contract.id, side, Lots(abs(position.lots)), Ticks(limit), MarkUnits(contract.mark),
        MarkUnits(bankruptcy), position.leg,
    )  # fmt: skip
    state.cause = state.seq
    closed = yield from _sweep(state, position, side, limit)
    if position.lots:
        yield from settle_first(state, INSURANCE)
        value = bankruptcy_value(pool, position)
        price = bankruptcy_price(position, value)
        yield TakenOver(
            position.account, contract.id, side, Lots(abs(position.lots)), Atoms(value), MarkUnits(price), position.leg
        )  # fmt: skip
    return -(-closed * contract.terms.liquidation_fee // UNIT)


def _sweep(state: State, position: Position, side: Side, limit: int) -> Generator[Fact, None, int]:
    """Trade the position against the book down to the limit. Returns the value closed, atoms."""
    contract = position.contract
    resting = contract.book.bids if side is Side.SELL else contract.book.asks
    closed = 0
    while position.lots and (front := contract.book.front(resting, limit)) is not None:
        price, maker, lots = front
        if maker is not None:
            lots = yield from ready_maker(state, maker)
        else:
            yield from settle_first(state, MARKET)
        if lots := min(lots, abs(position.lots)):
            fact = _forced_trade(state, side, price, lots, maker, position)
            closed += fact.value
            yield fact
    return closed


def _forced_trade(state: State, side: Side, price: int, lots: int, maker: Order | None, position: Position) -> Traded:
    contract = position.contract
    fee = -(-contract.value_of(price, lots) * contract.rules.forced_fee // UNIT)
    return trade(state, contract, side, price, lots, maker, position.account, LIQUIDATION_ORDER, fee, leg=position.leg)
