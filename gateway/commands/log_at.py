"""`ringfence log at`: any moment of a session."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from events.commands import MARKET, AccountId
from events.log import Head
from events.store.sqlite import open_session
from events.units import exact_units
from exchange.core.state import State
from exchange.projections.moment import moment
from gateway.console import OUT, aligned, say, say_json, time_text
from gateway.errors import UsageError, about
from gateway.naming import there_are
from gateway.reports import moment_table
from gateway.reports.why_words import Words
from gateway.times import nanos_in
from replay.travel import NoSuchMoment, state_at, state_when


def run(session: Path, record: int, time: str, account: str, levels: int, as_json: bool) -> int:
    """Show the moment. Returns 0."""
    if record and time:
        raise UsageError("--record and --time: give one of them")
    with about(session):
        try:
            state, head = asyncio.run(_moment(session, record, time))
        except NoSuchMoment as error:
            raise UsageError(f"{session}: {error}") from error
    shown = {"head": head.digest.hex(), **moment(state, _names(session, state, account), levels)}
    if as_json:
        say_json(shown)
    else:
        show(state, shown, head)
    return 0


async def _moment(session: Path, record: int, time: str) -> tuple[State, Head]:
    log = await open_session(session, read_only=True)
    try:
        if time:
            return await state_when(log, await nanos_in(log, time, "--time"))
        return await state_at(log, record or (await log.head()).seq)
    finally:
        await log.close()


def _names(session: Path, state: State, account: str) -> list[AccountId]:
    if not account:
        return [name for name, a in state.accounts.items() if name != MARKET and (a.wallets or not a.is_reserved)]
    if account not in state.accounts:
        raise UsageError(f"{session}: no account {account!r} at that moment; {there_are(state.accounts, account)}")
    return [AccountId(account)]


def show(state: State, shown: dict[str, Any], head: Head) -> None:
    """The moment as text."""
    assert state.pack is not None
    words = Words(state.pack)
    due = f", {shown['due']:,} pieces of due work" if shown["due"] else ""
    say(f"moment   {time_text(shown['at'])} UTC, after record {head.seq:,} (batch {head.batch:,}){due}", 9)
    for name, instrument in shown["instruments"].items():
        OUT.print()
        mark, interest = exact_units(instrument["mark"]), instrument["open_interest"]
        said = words.mark(mark, name) if mark else "none yet"
        say(f"{name}  mark {said}, open interest {moment_table.sized(interest, name, words)}")
        if "phase" in instrument:
            say(moment_table.phase(instrument, name, words))
        if instrument["bids"] or instrument["asks"]:
            _print(moment_table.book(name, instrument, words), range(4))
    for heading, rows, left in moment_table.tables(shown["accounts"], words):
        OUT.print(f"\n{heading}", markup=False)
        _print(rows, range(left, len(rows[0])))
    OUT.print(f"\nhead     {head.digest.hex()}")


def _print(rows: list[list[str]], right: range) -> None:
    for line in aligned(rows, right):
        OUT.print(line, markup=False)
