"""Margin: equity, initial and maintenance margin of a pool, and what an account's orders and positions hold back.

Amounts are grains unless the name says atoms. s = +1 for a long: unrealised PnL = s x (notional at the mark - entry
value), for an inverse contract s x (entry value - notional). Worth and entry value are signed by what a position gains
by, so that it is simply worth - entry value.
Source: `docs/margin.md`, sections "Linear contracts" and "Due"; Binance USD-M liquidation FAQ for the formulas.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from events.units import UNIT
from exchange.core.margin.rules import PPM, MarginRules
from exchange.core.state import MultiPool, Pool, Position, Wallet

_RULES: tuple[Callable[[MarginRules], int], ...] = (
    lambda rules: rules.strict,
    lambda rules: rules.warning,
    lambda rules: rules.recovery,
)
_STRICT, _WARNING, _RECOVERY = _RULES
"""Rules that a pool has of its venue."""


class Margin(NamedTuple):
    """A pool at the present marks, in grains. Due when a position is open and equity <= maintenance."""

    equity: int
    initial: int
    maintenance: int


def worth(position: Position) -> int:
    """What the position is worth at the mark, with the sign of what it gains by, rounded down.

    Its size is the notional; as equity and maintenance margin use the same one, their difference moves one way with
    the mark.
    """
    contract = position.contract
    return position.lots * contract.num // contract.den


def unrealised(position: Position) -> int:
    """Unrealised PnL at the mark."""
    contract = position.contract
    return position.lots * contract.num // contract.den - position.entry_value * UNIT


def notional(position: Position) -> int:
    """Notional at the mark, never negative."""
    return abs(worth(position))


def initial_of(position: Position, size: int) -> int:
    """Initial margin of a notional in grains, rounded up."""
    rules = position.contract.rules
    if rules.scales:
        contract = position.contract
        margin = -(-size * rules.scaled_share(abs(contract.open_interest * contract.num // contract.den)) // PPM)
    else:
        margin = -(-size * position.share // position.whole)
    return -(-margin // rules.step) * rules.step if rules.step else margin


def initial_margin(position: Position) -> int:
    """Initial margin at the mark: notional / leverage, or what the venue's margin model asks for."""
    return initial_of(position, notional(position))


def maintenance_margin(position: Position) -> int:
    """Maintenance margin at the mark: notional x MMR - cum of its bracket, rounded up, and what is fixed."""
    if not position.lots:
        return 0
    contract = position.contract
    margin = position.schedule.maintenance(abs(position.lots * contract.num // contract.den))
    return margin + fixed_maintenance(position) if contract.rules.has_fixed else margin


def fixed_maintenance(position: Position) -> int:
    """The part of maintenance margin that does not move with the mark: that on the entry value, the fee for closing.

    Source: Bybit, "Liquidation Price (USDT Contract)" and "How to calculate Liquidation Price (Inverse Contract)".
    """
    rules = position.contract.rules
    entry = position.entry_value * UNIT
    margin = rules.on_entry(position.leverage).maintenance(abs(entry)) if rules.by_entry else 0
    if rules.exit_fee:
        bankrupt = abs(bankrupt_worth(entry, backing(position) * UNIT, rules.exit_fee))
        margin += -(-bankrupt * rules.exit_fee // UNIT)
    return margin


def bankrupt_worth(entry: int, backing: int, fee: int) -> int:
    """What a position is worth where closing it, at this fee, leaves nothing of its backing; rounded up.

    entry is signed as a worth is, in the unit of the answer. A worth above 0 has to bear the fee, entry - backing =
    worth - fee; one below 0 likewise. Where that is on the other side of 0, there is no such price, and no fee.
    """
    left = entry - backing
    if entry > 0:
        return max(0, -(-left * UNIT // (UNIT - fee)))
    return min(0, -(-left * UNIT // (UNIT + fee)))


def backing(position: Position) -> int:
    """What the position can lose, atoms: its isolated wallet, or its part of the cross wallet by entry value."""
    if position.is_isolated:
        return position.isolated
    total = sum(abs(p.entry_value) for p in cross_positions(position.wallet))
    return position.wallet.balance * abs(position.entry_value) // total if total else 0


def fee_for_closing(position: Position, sign: int, value: int) -> int:
    """The fee for closing at the bankruptcy price that opening a value puts aside, in the value's unit, rounded up.

    Source: Bybit, "Order cost": the fee to close is that at entry price x (1 -+ 1 / leverage).
    """
    rules = position.contract.rules
    if not rules.exit_fee:
        return 0
    leverage = position.leverage
    return -(-value * (leverage - sign * position.contract.gain) * rules.exit_fee // (leverage * UNIT))


def cross_positions(pool: Wallet | MultiPool) -> list[Position]:
    """The open positions that the pool carries."""
    if isinstance(pool, MultiPool):
        return [p for wallet in pool.wallets.values() for p in cross_positions(wallet)]
    return [p for p in pool.positions if p.lots and not p.is_isolated]


def index_of(position: Position) -> int:
    """The index price of the position's settle asset in its pool's valuation asset: 1 where the pool has one asset."""
    multi = position.wallet.multi
    return multi.assets[position.wallet.asset].index if multi else UNIT


def requirement(pool: Pool) -> Margin:
    """Equity, initial and maintenance margin of a pool at the present marks (and index prices)."""
    equity, maintenance = solvency(pool)
    if isinstance(pool, Position):
        initial = initial_margin(pool)
    elif isinstance(pool, MultiPool):
        initial = sum(-(-initial_margin(p) * index_of(p) // UNIT) for p in cross_positions(pool))
    else:
        initial = sum(initial_margin(p) for p in cross_positions(pool))
    return Margin(equity, initial, maintenance)


def solvency(pool: Pool) -> tuple[int, int]:
    """Equity and maintenance margin of a pool, which say whether it is due: `requirement` without initial margin."""
    if isinstance(pool, Position):
        return pool.isolated * UNIT + unrealised(pool), maintenance_margin(pool)
    if isinstance(pool, MultiPool):
        margins = (-(-maintenance_margin(p) * index_of(p) // UNIT) for p in cross_positions(pool))
        return multi_equity(pool), sum(margins)
    equity, maintenance = pool.balance * UNIT, 0
    for p in pool.positions:
        if p.lots and not p.is_isolated:
            contract = p.contract
            worth = p.lots * contract.num // contract.den
            equity += worth - p.entry_value * UNIT
            maintenance += p.schedule.maintenance(abs(worth))
            if contract.rules.has_fixed:
                maintenance += fixed_maintenance(p)
    return equity, maintenance


def equity_of(pool: Pool) -> int:
    """What a pool is worth at the present marks: its balance and the unrealised PnL of its positions."""
    if isinstance(pool, Position):
        return pool.isolated * UNIT + unrealised(pool)
    return multi_equity(pool) if isinstance(pool, MultiPool) else cross_equity(pool)


def cross_equity(wallet: Wallet) -> int:
    """Cross wallet balance plus the unrealised PnL of the cross positions."""
    equity = wallet.balance * UNIT
    for p in wallet.positions:
        if p.lots and not p.is_isolated:
            contract = p.contract
            equity += p.lots * contract.num // contract.den - p.entry_value * UNIT
    return equity


def multi_equity(pool: MultiPool) -> int:
    """What counts of all balances, plus the unrealised PnL of all cross positions, in the valuation asset."""
    equity = 0
    for wallet in pool.wallets.values():
        asset = pool.assets[wallet.asset]
        profit = cross_equity(wallet) - wallet.balance * UNIT
        equity += asset.value(wallet.balance, asset.index) + profit * asset.index // UNIT
    return equity


def equity_after(position: Position, gain: int, pnl: int) -> int:
    """The equity of the cross pool once its wallet gained atoms and the position's unrealised PnL is this, grains."""
    wallet, multi = position.wallet, position.wallet.multi
    change = pnl - (unrealised(position) if position.lots else 0)
    if multi is None:
        return cross_equity(wallet) + gain * UNIT + change
    asset = multi.assets[wallet.asset]
    before, after = asset.value(wallet.balance, asset.index), asset.value(wallet.balance + gain, asset.index)
    return multi_equity(multi) + after - before + change * asset.index // UNIT


def is_open(pool: Pool) -> bool:
    """Whether the pool carries a position."""
    if isinstance(pool, Position):
        return pool.lots != 0
    if isinstance(pool, MultiPool):
        return any(map(is_open, pool.wallets.values()))
    return any(position.lots and not position.is_isolated for position in pool.positions)


def strictness(pool: Pool) -> int:
    """1 where the pool's venue holds it due only below maintenance margin, else 0."""
    return _highest_of(pool, _STRICT)


def _highest_of(pool: Pool, rule: Callable[[MarginRules], int]) -> int:
    """A rule of the pool's venue; of several settle assets the highest, 0 where there is no position yet."""
    if isinstance(pool, Position):
        return rule(pool.contract.rules)
    if isinstance(pool, MultiPool):
        return max((_highest_of(wallet, rule) for wallet in pool.wallets.values()), default=0)
    return rule(pool.positions[0].contract.rules) if pool.positions else 0


def is_due(pool: Pool) -> bool:
    """Whether the pool has to be liquidated: equity <= maintenance with a position open, or below zero without one.

    Under a strict venue, equity < maintenance.
    """
    return falls_short(pool, *solvency(pool))


def falls_short(pool: Pool, equity: int, maintenance: int) -> bool:
    """Whether a pool with this equity and maintenance margin is due. A pool without a position needs no margin."""
    if equity > maintenance:
        return False
    return equity + strictness(pool) <= maintenance if maintenance or is_open(pool) else equity < 0


def warning_of(pool: Pool) -> int:
    """The MM / equity at which the pool's venue makes a margin call, a Rate, 0 for none."""
    return _highest_of(pool, _WARNING)


def recovery_of(pool: Pool) -> int:
    """The MM / equity, a Rate, below which a warned pool recovered, 0 where its venue makes no margin calls."""
    return _highest_of(pool, _RECOVERY)


def is_warned(pool: Pool) -> bool:
    """Whether the pool's owner is warned from now on: a position open and MM / equity at the warning ratio or beyond,
    or, of one who is warned, at the ratio of recovery or beyond.
    """
    ratio = recovery_of(pool) if pool.warned else warning_of(pool)
    if not ratio or not is_open(pool):
        return False
    equity, maintenance = solvency(pool)
    return equity * ratio <= maintenance * UNIT


def contribution(position: Position, lots: int, entry_value: int, bids: int, asks: int, extra: int) -> int:
    """What a position with these lots, entry value and order sums adds to available balance, mostly less than 0.

    A cross position adds its unrealised PnL. Initial margin and order reserves go off: max(|N + bids|, |N - asks|) =
    max(N + bids, asks - N) over leverage, without what an isolated position already has in its own wallet, plus open
    loss and fees. N is signed as the lots are.
    """
    contract = position.contract
    worth = lots * contract.num // contract.den
    size = worth if contract.gain > 0 else -worth
    buying, selling = size + bids, asks - size
    if contract.rules.is_plain:
        need = -(-(buying if buying > selling else selling) // position.leverage)
        held = -(-abs(size) // position.leverage) if position.is_isolated else 0
    else:
        need = initial_of(position, max(buying, selling))
        held = initial_of(position, abs(size)) if position.is_isolated else 0
    if position.is_isolated:
        return held - need - extra
    return worth - entry_value * UNIT - need - extra


def contributed(position: Position) -> int:
    """What the position adds to available balance as it is."""
    p = position
    return contribution(p, p.lots, p.entry_value, p.bids, p.asks, p.extra)


def available(wallet: Wallet, without: Position | None = None) -> int:
    """Available balance, grains; below zero where the pool is short of initial margin. `without` is left out."""
    total = wallet.balance * UNIT
    for p in wallet.positions:
        if p is not without:
            total += contribution(p, p.lots, p.entry_value, p.bids, p.asks, p.extra)
    return total


def headroom(position: Position, own: int, gain: int = 0) -> int:
    """Available balance of the position's account once its wallet gained atoms and it contributes this, grains."""
    wallet = position.wallet
    if wallet.multi is not None:
        return multi_available(wallet.multi, wallet, gain, position, own)
    total = (wallet.balance + gain) * UNIT + own
    for p in wallet.positions:
        if p is not position:
            total += contribution(p, p.lots, p.entry_value, p.bids, p.asks, p.extra)
    return total


def multi_available(
    pool: MultiPool, changed: Wallet | None = None, gain: int = 0, without: Position | None = None, own: int = 0
) -> int:
    """As `available` for all wallets together, in the valuation asset; the changed wallet gained atoms and `own`."""
    total = 0
    for wallet in pool.wallets.values():
        if wallet is not changed:
            asset = pool.assets[wallet.asset]
            rest = available(wallet) - wallet.balance * UNIT
            total += asset.value(wallet.balance, asset.index) + rest * asset.index // UNIT
    if changed is not None:
        asset = pool.assets[changed.asset]
        rest = available(changed, without=without) - changed.balance * UNIT + own
        total += asset.value(changed.balance + gain, asset.index) + rest * asset.index // UNIT
    return total


def available_atoms(wallet: Wallet) -> int:
    """Available balance as the trader sees it: atoms, rounded down, never negative; in the wallet's own asset."""
    if wallet.multi is None:
        return max(0, available(wallet) // UNIT)
    asset = wallet.multi.assets[wallet.asset]
    return max(0, multi_available(wallet.multi) // asset.index) if asset.index else 0


def withdrawable_atoms(wallet: Wallet) -> int:
    """What may be taken out: min(available, balance - initial margin - order reserves), atoms, never negative."""
    if wallet.multi is not None:
        most = _withdrawable_of_many(wallet.multi, wallet)
    else:
        free = available(wallet)
        most = max(0, min(free, free + wallet.balance * UNIT - cross_equity(wallet)) // UNIT)
    if not most:
        return 0
    pool = wallet.pool.twin()
    twin = pool.wallets[wallet.asset] if isinstance(pool, MultiPool) else pool
    return _until_due(pool, most, lambda amount: setattr(twin, "balance", wallet.balance - amount))


def _until_due(pool: Pool, most: int, take: Callable[[int], None]) -> int:
    """The largest amount up to `most` after whose taking the pool, a twin, is not due.

    Maintenance margin may be above the initial margin at the mark: where it is one of the entry value, or in a bracket
    that the leverage does not reach.
    """
    take(most)
    if not is_due(pool):
        return most
    low, high = 0, most - 1
    while low < high:
        middle = (low + high + 1) // 2
        take(middle)
        low, high = (low, middle - 1) if is_due(pool) else (middle, high)
    return low


def _withdrawable_of_many(pool: MultiPool, wallet: Wallet) -> int:
    """The most of a balance without which the others carry all positions and orders, profits left aside."""
    assets = pool.assets
    counted = sum(assets[name].value(w.balance, assets[name].index) for name, w in pool.wallets.items())
    profit = max(0, multi_equity(pool) - counted)
    low, high = 0, max(0, wallet.balance)
    while low < high:
        middle = (low + high + 1) // 2
        enough = multi_available(pool, wallet, -middle) - profit >= 0
        low, high = (middle, high) if enough else (low, middle - 1)
    return low


def removable_atoms(position: Position) -> int:
    """What may be taken out of an isolated wallet: min(wallet, equity - initial margin at the mark), atoms, never
    negative.
    """
    margin = requirement(position)
    most = max(0, min(position.isolated, (margin.equity - margin.initial) // UNIT))
    if not most:
        return 0
    twin = position.twin(position.wallet)
    return _until_due(twin, most, lambda amount: setattr(twin, "isolated", position.isolated - amount))
