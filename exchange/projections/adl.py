"""Where each position stands in the queue of auto-deleveraging: the five lights that venues show.

5 is the fifth of the queue that is deleveraged first, 1 the last one. Ranked are all traders' positions of one side of
an instrument, by the rank of the waterfall, which leaves out pools that are due: here they have a place too. Of equal
ones each has as many behind it as are truly lower.
Source: `docs/margin.md`, section "Liquidation"; Binance, "What is auto-deleveraging": five lights, each 20 % of the
queue.
"""

from __future__ import annotations

from bisect import bisect_left

from events.commands import AccountId
from exchange.core.contract import Contract
from exchange.core.liquidation.adl import quantile, rank
from exchange.core.state import State

LIGHTS = 5
"""How many parts the queue is shown in."""


def lights(state: State) -> dict[tuple[AccountId, str], int]:
    """The light of every open position: (account, position) -> 1 to 5. Each side is ranked once."""
    found: dict[tuple[AccountId, str], int] = {}
    for contract in state.contracts.values():
        for sign in (1, -1):
            found |= _side(contract, sign)
    return found


def light(state: State, account: AccountId, position: str) -> int | None:
    """The light of one position; None where the account holds nothing there."""
    held = state.accounts[account].positions.get(position)
    return quantile(held.contract, held, LIGHTS) if held is not None and held.lots else None


def _side(contract: Contract, sign: int) -> dict[tuple[AccountId, str], int]:
    ranks = {p.id: rank(p) for p in contract.holders if p.lots * sign > 0 and not p.exempt}
    ordered = sorted(ranks.values())
    return {key: 1 + bisect_left(ordered, own) * LIGHTS // len(ordered) for key, own in ranks.items()}
