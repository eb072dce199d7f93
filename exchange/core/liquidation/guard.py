"""Liquidations that have to wait: none by a mark that is too old, or while trading is not continuous.

A pool that is due stays closed to its owner and leaves the queue until what it waits for is over: until the next mark
of the instrument where that is what it waits for, else until the end of the halt, or of the window, or until its
auction's next step. A mark brings it back too where it cures it. Source: `docs/margin.md`, section "Guards".
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
from exchange.core.margin.model import cross_positions, is_due
from exchange.core.state import Due, Pool, Position, State


def put_off(state: State, pool: Pool) -> LiquidationPutOff | None:
    """That the pool, which is due, has to wait, and for what; None where it has not."""
    assert state.pack is not None
    window = state.pack.liquidation.window
    positions = _held(pool)
    for position in positions:
        if why := held_by(state, position.contract):
            return LiquidationPutOff(*pool.id, position.contract.id, why)
    if window and (contract := capped(state, positions)):
        return LiquidationPutOff(*pool.id, contract.id, Hold.CAPPED)
    if positions and waits(state, pool):
        return LiquidationPutOff(*pool.id, min(position.contract.id for position in positions), Hold.AUCTIONED)
    return None


def held_by(state: State, contract: Contract) -> Hold | None:
    """Why nobody who holds the contract is liquidated now, None where they are."""
    if contract.closed:
        return Hold.HALTED
    oldest = state.guards.mark_age_max
    return Hold.STALE_MARK if oldest and state.now - contract.marked_at > oldest else None


def release(state: State, instrument: InstrumentId) -> None:
    """Who waits for an instrument, and no longer has to, is due now. For `apply` only."""
    waiting = state.put_off.get(instrument, {})
    for key, wait in list(waiting.items()):
        _, _, account, name, seq = key
        pool = pool_of(state.accounts[account], name)  # type: ignore[index]
        if not _waits_on(state, pool, state.contracts[instrument], wait.why):
            del waiting[key]
            again = (state.now, int(DueKind.LIQUIDATION), account, name, seq)
            state.due[again] = Due(wait.seq)
            close(pool, again)
    if not waiting:
        state.put_off.pop(instrument, None)


def _waits_on(state: State, pool: Pool, contract: Contract, why: Hold) -> bool:
    """Whether a pool that was put off is still due, and still held up by what it was put off for."""
    positions = _held(pool)
    if contract.expired or not positions or not is_due(pool):
        return False
    if why is Hold.AUCTIONED:
        return waits(state, pool)
    if why is Hold.CAPPED:
        return capped(state, positions) is contract
    return held_by(state, contract) is why


def _held(pool: Pool) -> list[Position]:
    """The open positions of a pool."""
    positions = [pool] if isinstance(pool, Position) else cross_positions(pool)
    return [position for position in positions if position.lots]


def check(state: State) -> None:
    """Assert that every pool that waits is closed by its entry, which is not in the queue."""
    for instrument, waiting in state.put_off.items():
        assert waiting, "nobody waits"
        assert not state.contracts[instrument].expired, "what is waited for does not come"
        for key in waiting:
            pool = pool_of(state.accounts[key[2]], key[3])  # type: ignore[index]
            assert pool.due == key
            assert key not in state.due
