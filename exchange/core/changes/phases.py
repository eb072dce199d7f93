"""Changes by facts of trading phases: the operator's, the breaker's, and the end of an auction."""

from __future__ import annotations

from events import facts as f
from events.phases import TradingPhase
from exchange.core.changes.triggers import hold_back
from exchange.core.contract import Contract
from exchange.core.due import DueKind
from exchange.core.liquidation.guard import release
from exchange.core.state import Due, DueKey, State
from exchange.core.timers import forget, took_effect

CONTINUOUS, HALTED, AUCTION = TradingPhase.CONTINUOUS, TradingPhase.HALTED, TradingPhase.AUCTION


def on_breaker_tripped(state: State, fact: f.BreakerTripped) -> None:
    """The contract is halted, and the fund offers nothing of it."""
    contract = state.contracts[fact.instrument]
    _close(state, contract, HALTED, fact.until)
    state.set_timer(fact.until, DueKind.BREAKER, fact.instrument)


def on_breaker_reset(state: State, fact: f.BreakerReset) -> None:
    """The contract trades again; its window begins with the present mark."""
    took_effect(state, DueKind.BREAKER, fact.instrument)
    _open(state, state.contracts[fact.instrument])


def on_trading_phase_set(state: State, fact: f.TradingPhaseSet) -> None:
    """The phase begins; the one before it has no end of its own any more."""
    contract = state.contracts[fact.instrument]
    stop(state, contract)
    if fact.phase is CONTINUOUS:
        _open(state, contract)
        return
    _close(state, contract, fact.phase)
    if fact.until:
        state.set_timer(fact.until, DueKind.PHASE, contract.id)


def on_auction_uncrossed(state: State, fact: f.AuctionUncrossed) -> None:
    """What crosses waits to trade at this price, as due work, and nothing else meets the book meanwhile."""
    contract = state.contracts[fact.instrument]
    if contract.uncrossing is None:
        stop(state, contract)
        _close(state, contract, AUCTION)
        key: DueKey = (state.now, int(DueKind.UNCROSSING), contract.id, "", state.seq)
        state.due[key] = Due(state.seq)
    else:
        key = contract.uncrossing[1]
    contract.uncrossing = (fact.price, key)


def stop(state: State, contract: Contract) -> None:
    """No phase ends by itself, and nothing crosses on. For `apply` only."""
    forget(state, DueKind.PHASE, contract.id)
    if contract.halted and not contract.expired:
        forget(state, DueKind.BREAKER, contract.id)
    if contract.uncrossing is not None:
        del state.due[contract.uncrossing[1]]
        contract.uncrossing = None


def _close(state: State, contract: Contract, phase: TradingPhase, halted: int = 0) -> None:
    contract.set_phase(phase, halted)
    hold_back(state, contract)
    if contract.swing is not None:
        contract.swing.clear()
    if contract.offer is not None:
        del state.due[contract.offer]
        contract.offer = None


def _open(state: State, contract: Contract) -> None:
    contract.set_phase(CONTINUOUS)
    release(state, contract.id)
    offer(state, contract)


def offer(state: State, contract: Contract) -> None:
    """What the insurance fund holds of the contract waits to be offered to the book, where the pack states layers."""
    if contract.offer is not None or not state.pack.liquidation.last_resort:  # type: ignore[union-attr]
        return
    held = state.fund(contract).positions.get(contract.id)
    if held is not None and held.lots:
        contract.offer = key = (state.now, int(DueKind.OFFER), contract.id, "", state.seq)
        state.due[key] = Due(state.seq)
