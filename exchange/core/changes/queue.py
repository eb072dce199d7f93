"""What changes keep up to date: which pools the watch has to look at, and the queue of due work."""

from __future__ import annotations

from events.instruments import Leg
from exchange.core.due import DueKind
from exchange.core.state import Due, Pool, Position, State, Wallet


def touch(state: State, pool: Pool) -> None:
    """The watch looks at the pool before the batch ends, and its positions are ranked anew."""
    if not pool.exempt:
        state.touch(pool)


def kept(state: State, account: str, instrument: str, leg: Leg = Leg.NET) -> Position:
    """The account's position, kept from now on."""
    return state.keep_position(state.accounts[account], state.contracts[instrument], leg)  # type: ignore[index]


def owe(state: State, kind: DueKind, instrument: str, due: Due) -> None:
    """Put work that waits for positions or wallets into the queue, if it waits for any."""
    if due.owing:
        key = (state.now, int(kind), instrument, "", state.seq)
        state.due[key] = state.owed[key] = due


def is_settled(state: State, kind: DueKind, instrument: str, holder: Position | Wallet) -> None:
    """The oldest such entry waits no more for the position or wallet."""
    key, due = next(
        (key, due) for key, due in state.owed.items() if key[1] == kind and key[2] == instrument and holder in due.owing
    )
    del due.owing[holder]
    if not due.owing:
        del state.owed[key], state.due[key]
