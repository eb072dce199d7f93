"""The watch: who is due, found without scanning accounts.

Every open position bears at most one trigger per direction: the first mark at which its part of the pool's buffer
(equity - maintenance) is used up. An isolated position may use all of its buffer, so its trigger is exact; the
positions of a cross pool share theirs, so that a pool cannot be due while no trigger was reached. A part of the buffer
is kept in reserve: reaching a trigger moves it on at the reserve's cost, or, where that is used up, makes the pool
dirty; `drain` looks at dirty pools before the batch ends and either says that they are due or arms them anew.
Source: `docs/margin.md`, section "Liquidation".
"""

from __future__ import annotations

from collections.abc import Iterator
from heapq import heappop

from sortedcontainers import SortedDict

from events.commands import AccountId
from events.facts import ExchangeDue, Fact, LiquidationDue, MarginRecovered
from events.units import UNIT
from exchange.core.contract import Contract
from exchange.core.debts import is_over
from exchange.core.liquidation.box import ends, widest_box
from exchange.core.liquidation.pools import last_change
from exchange.core.liquidation.triggers import SERIAL, SERIAL_BITS, fixed_in_band, place
from exchange.core.liquidation.warning import call, watch_warning
from exchange.core.margin.collateral import Asset
from exchange.core.margin.model import (
    cross_positions,
    is_due,
    is_warned,
    solvency,
    strictness,
    warning_of,
)
from exchange.core.state import BATCH_FACTS, FAR, NEVER, MultiPool, Pool, Position, State, Wallet

LAST = "\x7f"
"""After the name of every pool: names are printable ASCII."""

News = tuple[tuple[AccountId, str], Pool, int, list[Fact]]
"""A pool's name, the pool, the record that touched it last, and what there is to say of it."""


def drain(state: State, room: int) -> Iterator[Fact]:
    """Look at every dirty pool: say who is due or warned, by account and pool; arm the rest, and say whose debts have
    to go.

    Said are `room` facts at most; who comes after them is left for the next batch.
    """
    looked: dict[Pool, int] = {}
    for _, pool, seq, facts in _look(state, room, looked):
        state.cause = last_change(pool, seq)
        for fact in facts:
            yield fact
            state.cause = state.seq
            room -= 1
    if state.multis:
        yield from _exchanges_due(state, looked, 0 if state.left else room)


def _look(state: State, room: int, looked: dict[Pool, int]) -> list[News]:
    """What is new of the dirty pools and of those left before, by account and pool, as much of it as there is room for.

    Which pools are dirty depends on where their bands stood; what is new of them does not, nor does the order.
    """
    dirty, left = state.dirty, state.left
    state.dirty = {}
    if len(dirty) <= BATCH_FACTS:
        looked.update(dirty)
        standing = [(pool.id, pool, seq, _standing(pool)) for pool, seq in dirty.items() if not pool.due]
        found = [news for news in standing if news[-1]]
        if not left and sum(len(facts) for *_, facts in found) <= room:
            return sorted(found, key=lambda news: news[0])
        left.update((name, (pool, seq)) for name, pool, seq, _ in found)
    else:
        left.update((pool.id, (pool, seq)) for pool, seq in dirty.items() if not pool.due)
    return _take(left, room, looked)


def _take(left: SortedDict[tuple[AccountId, str], tuple[Pool, int]], room: int, looked: dict[Pool, int]) -> list[News]:
    """The first of those who were left, as long as there is room for what is new of them."""
    found = []
    while left:
        name, (pool, seq) = left.peekitem(0)
        facts = _standing(pool)
        if len(facts) > room:
            break
        room -= len(facts)
        left.popitem(0)
        looked[pool] = seq
        found.append((name, pool, seq, facts))
    return found


def name_first(state: State, account: AccountId) -> Iterator[Fact]:
    """Say what is new of the account's pools that an earlier batch left, before the account does anything."""
    for name in list(state.left.irange((account, ""), (account, LAST))):
        pool, seq = state.left.pop(name)
        state.cause = last_change(pool, seq)
        state.dirty[pool] = seq
        for fact in _standing(pool):
            yield fact
            state.cause = state.seq


def _exchanges_due(state: State, looked: dict[Pool, int], room: int) -> Iterator[ExchangeDue]:
    """Say whose debts are beyond their limits."""
    owes = [(pool.account, seq) for pool, seq in looked.items() if isinstance(pool, MultiPool) and _owes(pool)]
    for account, seq in sorted(owes):
        if room > 0:
            room -= 1
            state.cause = seq
            yield ExchangeDue(account)
        else:
            pool = state.multis[account]
            state.left[pool.id] = (pool, seq)


def unsaid(state: State) -> list[tuple[AccountId, str, int]]:
    """The pools of which there is something to say that the last batch had no room for, and what changed them last."""
    if state.full - state.seq > 1:
        return []
    touched = dict(state.left.values()) | state.dirty
    pools = [pool for pool in _watched(state) if not pool.due and _waits(pool)]
    return sorted((*pool.id, last_change(pool, touched.get(pool, 0))) for pool in pools)


def _waits(pool: Pool) -> bool:
    """Whether there is something to say of a pool: that it is due, warned or recovered, or that its debts are due."""
    if is_due(pool) or is_warned(pool) is not pool.warned:
        return True
    return isinstance(pool, MultiPool) and _owes(pool)


def _owes(pool: MultiPool) -> bool:
    """Whether a debt of the pool is beyond its limit while it has something to give for it."""
    if pool.exchange or pool.due or not can_give(pool):
        return False
    return any(is_over(pool, wallet, pool.assets[asset].debt_limit) for asset, wallet in pool.wallets.items())


def can_give(pool: MultiPool) -> bool:
    """Whether the pool has a balance whose price is known."""
    return any(w.balance > 0 and pool.assets[asset].index for asset, w in pool.wallets.items())


def _standing(pool: Pool) -> list[Fact]:
    """Arm the pool, and say what it is from now on, if that is new: due, warned, or recovered."""
    has_warnings = warning_of(pool) > 0
    if has_warnings and not isinstance(pool, MultiPool):
        if not (pool.warned and is_warned(pool)):
            _measure(pool, by_warning=True)
            if arm(pool):
                return [MarginRecovered(*pool.id)] if pool.warned else []
        _measure(pool, by_warning=False)
    if not arm(pool):
        return [*call(pool, *solvency(pool)), LiquidationDue(*pool.id)]
    return watch_warning(pool) if has_warnings else []


def _measure(pool: Wallet | Position, by_warning: bool) -> None:
    """Let bands stand for what may be lost until the pool is warned, or until it is due."""
    for position in [pool] if isinstance(pool, Position) else pool.positions:
        line = position.warning_line
        position.band = line if by_warning and line is not None else position.schedule


def arm(pool: Pool) -> bool:
    """Set the triggers of the pool's positions by their bands; False where there is no room: where the pool is due, or
    may be warned.
    """
    if isinstance(pool, Position):
        if not pool.lots:
            return pool.isolated >= 0
        part, _ = _part(pool)
        buffer = pool.isolated * UNIT + part + pool.contract.rules.strict
        if buffer <= 0:
            return False
        _set_trigger(pool, part - buffer + 1)
        return True
    if isinstance(pool, MultiPool):
        return _arm_box(pool)
    return _arm_cross(pool)


def _arm_cross(pool: Wallet) -> bool:
    """Give the positions of a cross pool their bands; False where it is due."""
    buffer, total, parts = pool.balance * UNIT, 0, []
    for position in pool.positions:
        if position.lots and not position.is_isolated:
            part, size = _part(position)
            buffer += part
            total += size
            parts.append((position, part, size))
    if not parts:
        return buffer >= 0
    buffer += parts[0][0].contract.rules.strict
    if buffer <= 0:
        return False
    pool.reserve = _share_out(buffer - 1, total, parts)
    return True


def _share_out(buffer: int, total: int, parts: list[tuple[Position, int, int]]) -> int:
    """Give each position (with its part and its size, of total) its band; what is left of the buffer, the reserve.

    A lone position gets all of it. Of several each gets 9/10 of what it may have by its size, and where it has between
    one half and all of that from before, its band stays where it is.
    """
    if len(parts) == 1:
        _set_trigger(parts[0][0], parts[0][1] - buffer)
        return 0
    left = buffer
    for position, part, size in parts:
        most = buffer * size // total if total else 0
        share = part - position.floor
        if not most <= 2 * share <= 2 * most:
            share = most * 9 // 10
        left -= share
        _set_trigger(position, part - share)
    return left


def _part(position: Position) -> tuple[int, int]:
    """Unrealised PnL - maintenance margin (or what the band has for it) at the mark, and the notional."""
    contract = position.contract
    worth = position.lots * contract.num // contract.den
    size = abs(worth)
    part = worth - position.entry_value * UNIT - position.band.maintenance(size)
    return part - fixed_in_band(position) if contract.rules.has_fixed else part, size


def _arm_box(pool: MultiPool) -> bool:
    """Set the box of a pool in multi-asset mode; False where it is due."""
    if is_due(pool):
        return False
    share = widest_box(pool) or FAR
    for asset in pool.assets.values():
        if asset.pair is not None and asset.asset in pool.wallets:
            low, high = ends(asset.index, share)
            asset.arm(pool.account, low - 1, high + 1)
    for position in cross_positions(pool):
        low, high = ends(position.contract.mark, share)
        place(position, low - 1, high + 1)
    return True


def _set_trigger(position: Position, floor: int) -> None:
    """Trigger at the first mark where unrealised PnL - maintenance margin falls below `floor` grains.

    What gains as its notional N rises, worth > 0, stays at or above it while N - MM(N) >= floor + entry value, the rest
    while N + MM(N) <= - entry value - floor; a linear N rises with the mark, an inverse one falls.
    """
    contract = position.contract
    position.floor = floor
    floor += position.entry_value * UNIT
    if contract.rules.has_fixed:
        floor += fixed_in_band(position)
    if position.lots * contract.gain > 0:
        notional = position.band.lowest_notional(floor)
    else:
        notional = position.band.highest_notional(-floor)
    low = high = NEVER
    size = abs(position.lots)
    if contract.is_inverse:
        if position.lots > 0:
            low = -(-size * contract.face // notional) - 1
        elif notional:
            high = size * contract.face // notional + 1
    elif position.lots > 0:
        low = -(-notional // (size * contract.lot)) - 1
    else:
        high = notional // (size * contract.lot) + 1
    place(position, low, high)


def mark_moved(state: State, contract: Contract) -> None:
    """The mark moved: the pools whose trigger it reached are dirty."""
    contract.marked = state.seq
    mark, positions = contract.mark, contract.positions
    lows, end = contract.lows, 1 - mark << SERIAL_BITS
    while lows and lows[0] < end:
        entry = heappop(lows)
        position = positions[entry & SERIAL]
        if position.low == -(entry >> SERIAL_BITS):
            _reached(state, position)
    highs, end = contract.highs, 1 + mark << SERIAL_BITS
    while highs and highs[0] < end:
        entry = heappop(highs)
        position = positions[entry & SERIAL]
        if position.high == entry >> SERIAL_BITS:
            _reached(state, position)


def _reached(state: State, position: Position) -> None:
    """The mark reached the position's trigger: what the pool has in reserve moves it on, or the pool is looked at."""
    position.low = position.high = NEVER
    pool = position.pool
    if type(pool) is not Wallet or not moved_on(state, pool, position):
        state.dirty.setdefault(pool, state.seq)


def moved_on(state: State, pool: Wallet, position: Position) -> bool:
    """Move the position's band on at the cost of the pool's reserve, of which a quarter of what is left stays; False
    where that is not enough, or the pool has to be looked at anyway.

    Nor where margins are rounded to a step: the new trigger could be at this mark again. Nor while the pool is watched
    for its recovery too.
    """
    if not position.lots or pool.due or pool in state.dirty or position.contract.rules.step:
        return False
    if position.warning_line is not None and position.band is position.schedule:
        return False
    least = position.floor - pool.reserve
    spare = _part(position)[0] - least
    if spare < 0:
        return False
    pool.reserve = spare // 4
    _set_trigger(position, least + pool.reserve)
    return True


def index_moved(state: State, asset: Asset) -> None:
    """An index price moved: the pools whose box it left are dirty."""
    asset.moved = state.seq
    for account in asset.reached():
        if (pool := state.multis.get(account)) is not None:
            state.dirty.setdefault(pool, state.seq)


def arm_all(state: State) -> None:
    """Set every trigger anew, after a rebuild, and find who was left unnamed."""
    touched = dict(state.left.values()) | state.dirty
    state.dirty.clear()
    state.left.clear()
    for contract in state.contracts.values():
        contract.lows.clear()
        contract.highs.clear()
        for position in contract.positions:
            position.low = position.high = NEVER
    for asset in state.assets.values():
        asset.disarm_all()
    for pool in _watched(state):
        if not pool.due and (_standing(pool) or (isinstance(pool, MultiPool) and _owes(pool))):
            state.left[pool.id] = (pool, touched.get(pool, 0))


def _watched(state: State) -> Iterator[Pool]:
    """Every pool that may fall due."""
    yield from state.multis.values()
    for account in state.accounts.values():
        for wallet in account.wallets.values():
            if not wallet.exempt and not wallet.multi:
                yield wallet
            yield from (p for p in wallet.positions if p.is_isolated and not p.exempt)


def check(state: State) -> None:
    """Assert that the watch missed nobody: a full scan finds no pool that is due and neither in the queue nor left for
    the next batch, and the bands of a cross pool and its reserve are its buffer.
    """
    for pool in _watched(state):
        if not pool.due and pool.id not in state.left:
            assert not is_due(pool), f"{pool.id} is due and the watch did not see it"
            assert pool.warned == is_warned(pool), f"{pool.id} is warned or not, and the watch did not see it"
            assert type(pool) is not Wallet or _is_armed(pool), f"the bands of {pool.id} are not its buffer"


def _is_armed(wallet: Wallet) -> bool:
    positions = cross_positions(wallet)
    floors = wallet.balance * UNIT + strictness(wallet) + sum(p.floor for p in positions)
    return not positions or (floors - 1 == wallet.reserve >= 0 and all(_part(p)[0] >= p.floor for p in positions))
