"""Liquidations that have to wait: no pool is liquidated by a mark that is too old, or while trading is halted.

A pool that is due stays closed to its owner and leaves the queue; the next mark of the instrument that it waits for, or
the end of that one's halt, brings it back, and its due test is made again. Source: `docs/margin.md`, section "Guards".
"""

from __future__ import annotations

from events.facts import LiquidationPutOff
from events.guards import Hold
from events.instruments import InstrumentId
from exchange.core.contract import Contract
from exchange.core.due import DueKind
from exchange.core.liquidation.auction import waits
from exchange.core.liquidation.cap import capped
from exchange.core.liquidation.pools import close, pool_of
from exchange.core.margin.model import cross_positions
from exchange.core.state import Pool, Position, State


def put_off(state: State, pool: Pool) -> LiquidationPutOff | None:
    """That the pool, which is due, has to wait, and for what; None where it has not."""
    assert state.pack is not None
    guards = state.pack.guards
    window = state.pack.liquidation.window
    if not (guards.mark_age_max or guards.breaker.jump or window or pool.auction):
        return None
    positions = [pool] if isinstance(pool, Position) else cross_positions(pool)
    for position in positions:
        if position.lots and (why := held_by(state, position.contract)):
            return LiquidationPutOff(*pool.id, position.contract.id, why)
    if window and (contract := capped(state, [position for position in positions if position.lots])):
        return LiquidationPutOff(*pool.id, contract.id, Hold.CAPPED)
    if waits(state, pool) and (held := [position.contract.id for position in positions if position.lots]):
        return LiquidationPutOff(*pool.id, min(held), Hold.AUCTIONED)
    return None


def held_by(state: State, contract: Contract) -> Hold | None:
    """Why nobody who holds the contract is liquidated now, None where they are."""
    assert state.pack is not None
    if contract.halted:
        return Hold.HALTED
    oldest = state.pack.guards.mark_age_max
    return Hold.STALE_MARK if oldest and state.now - contract.marked_at > oldest else None


def release(state: State, instrument: InstrumentId) -> None:
    """What waits for an instrument is due now. For `apply` only."""
    for key, due in state.put_off.pop(instrument, {}).items():
        _, _, account, pool, seq = key
        again = (state.now, int(DueKind.LIQUIDATION), account, pool, seq)
        state.due[again] = due
        close(pool_of(state.accounts[account], pool), again)  # type: ignore[index]


def check(state: State) -> None:
    """Assert that every pool that waits is closed by its entry, which is not in the queue."""
    for instrument, waiting in state.put_off.items():
        assert waiting, "nobody waits"
        assert not state.contracts[instrument].expired, "what is waited for does not come"
        for key in waiting:
            pool = pool_of(state.accounts[key[2]], key[3])  # type: ignore[index]
            assert pool.due == key
            assert key not in state.due
