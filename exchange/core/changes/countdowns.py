"""Changes by facts of countdowns."""

from __future__ import annotations

from events import facts as f
from exchange.core.due import DueKind
from exchange.core.state import Due, State


def on_countdown_set(state: State, fact: f.CountdownSet) -> None:
    """The countdown runs from now on, in place of the one before."""
    _stop(state, fact.account, fact.instrument)
    if fact.until:
        state.accounts[fact.account].countdowns[fact.instrument] = fact.until
        state.countdowns[fact.until, fact.account, fact.instrument] = None
    state.rewind()


def on_countdowns_reached(state: State, _fact: f.CountdownsReached) -> None:
    """What the countdowns are for waits in the queue to end."""
    key = (state.now, int(DueKind.COUNTDOWN), "", "", state.seq)
    state.due[key] = Due(state.seq)
    state.run_out.append(key)
    state.rewind()


def on_countdown_ended(state: State, fact: f.CountdownEnded) -> None:
    """It is over; the last one whose time came takes the work out of the queue."""
    _stop(state, fact.account, fact.instrument)
    first = state.countdowns.peekitem(0)[0][0] if state.countdowns else None
    while state.run_out and (first is None or state.run_out[0][0] < first):
        del state.due[state.run_out.pop(0)]
    state.rewind()


def _stop(state: State, account: str, instrument: str) -> None:
    until = state.accounts[account].countdowns.pop(instrument, None)  # type: ignore[index, call-overload]
    if until is not None:
        del state.countdowns[until, account, instrument]
