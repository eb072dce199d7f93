"""Countdowns, the dead-man's switch: what an account has open in an instrument ends unless it asks again in time.

Source: Binance USD-M, "Auto-Cancel All Open Orders". The venue looks at its countdowns about every 10 ms; here the time
puts them in the queue, and a `Proceed`, or a command of the account's own, does the work.
"""

from __future__ import annotations

from collections.abc import Iterator

from events.commands import SetCountdown
from events.facts import CountdownEnded, CountdownSet, Expiry, Fact, OrderExpired, Refused
from events.instruments import InstrumentId
from events.refusals import Reason
from events.units import Nanos
from exchange.core.matching.cancelling import open_in
from exchange.core.state import FAR, Account, DueKey, State


def decide_set_countdown(state: State, command: SetCountdown) -> Iterator[Fact]:
    """Set the countdown, set it anew, or stop it."""
    if command.instrument not in state.contracts:
        yield Refused(Reason.UNKNOWN_INSTRUMENT)
    elif command.after < 0:
        yield Refused(Reason.COUNTDOWN_NEGATIVE)
    else:
        until = Nanos(state.now + command.after if command.after else 0)
        yield CountdownSet(command.account, command.instrument, until)


def end_all(state: State, key: DueKey, room: int) -> Iterator[Fact]:
    """End countdowns whose time came, the earliest first, until about so many facts are said."""
    end = state.seq + room
    while state.seq < end and key in state.due:
        _, account, instrument = state.countdowns.peekitem(0)[0]
        yield from _ended(state, state.accounts[account], instrument, end)


def end_first(state: State, account: Account) -> Iterator[Fact]:
    """End those of an account before it does anything else."""
    reached = state.run_out[-1][0] if state.run_out else 0
    for until, instrument in sorted((until, instrument) for instrument, until in account.countdowns.items()):
        if until <= reached:
            yield from _ended(state, account, instrument, FAR)


def _ended(state: State, account: Account, instrument: InstrumentId, end: int) -> Iterator[Fact]:
    for number, lots in open_in(account, instrument):
        if state.seq >= end:
            return
        yield OrderExpired(account.name, number, lots, Expiry.COUNTDOWN)
    if state.seq < end:
        yield CountdownEnded(account.name, instrument)
