"""Caps per interval: of an instrument only so much is liquidated before a window without any liquidation has passed.

What was liquidated counts until a whole window went by in which nothing was; who finds nothing left of the cap waits
for that. Source: Synthetix Perps V3, `PerpsMarket.maxLiquidatableAmount`.
"""

from __future__ import annotations

from exchange.core.contract import Contract
from exchange.core.state import Position, State


def room(state: State, contract: Contract) -> int:
    """How many lots of the instrument may be liquidated now."""
    assert state.pack is not None
    cap: int = contract.terms.liquidation_cap
    if not cap:
        return contract.open_interest
    passed = state.now - contract.liquidated_at > state.pack.liquidation.window
    return cap if passed else cap - contract.liquidated


def capped(state: State, positions: list[Position]) -> Contract | None:
    """The instrument that is waited for where none of the positions may be liquidated: whose window ends first."""
    contracts = [position.contract for position in positions]
    if not contracts or any(room(state, contract) for contract in contracts):
        return None
    return min(contracts, key=lambda contract: (contract.liquidated_at, contract.id))


def count(state: State, contract: Contract, lots: int) -> None:
    """So many lots are liquidated now. For `apply` only."""
    if contract.terms.liquidation_cap:
        contract.liquidated = contract.terms.liquidation_cap - room(state, contract) + lots
        contract.liquidated_at = state.now


def window_end(state: State, contract: Contract) -> int:
    """When the window is over in which what was liquidated last counts."""
    assert state.pack is not None
    return contract.liquidated_at + state.pack.liquidation.window + 1
