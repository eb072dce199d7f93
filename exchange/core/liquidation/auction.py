"""The Dutch auction: forced orders whose limit leaves the mark step by step, by a discount that grows with time.

No limit is worse than the bankruptcy price. Between the steps the pool waits, closed to its owner; after the last one,
or once nothing is left in it, the limit is the bankruptcy price, and what the book does not take goes to the layers.
Source: Drift protocol v2, `math/liquidation.rs`, `get_liquidation_fee`: what a liquidator gets off the oracle price
grows with every slot, from a base up to a maximum.
"""

from __future__ import annotations

from events.facts import AuctionStepped
from events.instruments import Liquidation
from events.units import UNIT, Nanos
from exchange.core.margin.model import equity_of, is_due
from exchange.core.state import Pool, Position, State


def discount(state: State, pool: Pool) -> int | None:
    """By how much, a Rate, the limit is off the mark at this step; None where the auction is over."""
    assert state.pack is not None
    rules, step = state.pack.liquidation, _step(state, pool)
    if step >= rules.auction_steps or equity_of(pool) <= 0:
        return None
    return rules.auction_start + step * rules.auction_rise


def _step(state: State, pool: Pool) -> int:
    if pool.auction is None:
        return 0
    assert state.pack is not None
    step, until, _ = pool.auction
    return step + 1 + (state.now - until) // state.pack.liquidation.auction_interval


def waits(state: State, pool: Pool) -> bool:
    """Whether the pool's next step is still to come; where nothing is left in it, it has none."""
    return pool.auction is not None and state.now < pool.auction[1] and equity_of(pool) > 0


def forget_cured(state: State) -> None:
    """At the end of a batch: an auction is over where its step left the pool due, and it no longer is, before anybody
    said so. For `apply` and `step` only.
    """
    for pool in list(state.stepped):
        if not is_due(pool):
            pool.auction = None
            del state.stepped[pool]


def stepped(state: State, pool: Pool, rules: Liquidation) -> AuctionStepped:
    """That this step left the pool due."""
    return AuctionStepped(*pool.id, _step(state, pool), Nanos(state.now + rules.auction_interval))


def limit_of(position: Position, bankrupt: int, off: int) -> int:
    """The limit of a step, ticks: the mark less (for a short: and) the discount, safe for the account; at the worst the
    bankruptcy price.
    """
    contract = position.contract
    if position.lots > 0:
        return max(bankrupt, -(-contract.mark * (UNIT - off) // (UNIT * contract.tick)))
    return min(bankrupt, contract.mark * (UNIT + off) // (UNIT * contract.tick))
