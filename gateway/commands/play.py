"""`ringfence play`: a recorded session at any moment and any speed."""

from __future__ import annotations

import asyncio
import sys
from functools import partial
from pathlib import Path

from events.log import EventLog
from events.store.sqlite import open_session
from exchange.rebuild import rebuild
from gateway.commands.fork import RECORDS_MAX
from gateway.commands.play_fork import fork_here
from gateway.errors import UsageError, about
from gateway.naming import there_are
from gateway.playing import keys, script
from gateway.playing.deck import Deck
from gateway.times import nanos_in
from replay.control import Control
from replay.travel import NoSuchMoment
from replay.visit import Visit


def run(session: Path, at: str, speed: str, account: str, as_json: bool) -> int:
    """Play it: by keys on a terminal, else by lines from standard input. Returns 0."""
    is_by_keys = keys.are_there() and not as_json
    try:
        control = Control(speed, is_playing=False)
    except ValueError as error:
        raise UsageError(f"--{error}") from error
    with about(session):
        try:
            asyncio.run(_play(session, at, control, account, is_by_keys, as_json))
        except NoSuchMoment as error:
            raise UsageError(f"{session}: {error}") from error
    return 0


async def _play(session: Path, at: str, control: Control, account: str, is_by_keys: bool, as_json: bool) -> None:
    log = await open_session(session, read_only=True)
    try:
        visit = Visit(log)
        deck = Deck(control, lambda: visit.state, str(session), account, partial(fork_here, session))
        visit.on_batch = deck.note
        await _begin(log, visit, at)
        if account and account not in visit.state.accounts:
            await _check_account(log, account, session)
        if is_by_keys:
            await keys.run(deck, lambda: visit.play(control))
        else:
            await script.run(deck, visit, sys.stdin, as_json)
        await visit.close()
    finally:
        await log.close()


async def _begin(log: EventLog, visit: Visit, at: str) -> None:
    """Stand where it is to begin: at the first batch, after a record, or at a time."""
    if not at:
        await visit.seek_batch(1)
    elif at.isdecimal() and int(at) < RECORDS_MAX:
        await visit.seek_record(int(at))
    else:
        await visit.seek(await nanos_in(log, at, "--at"))


async def _check_account(log: EventLog, account: str, session: Path) -> None:
    """An account that is not there yet is there later."""
    accounts = (await rebuild(log)).state.accounts
    if account not in accounts:
        raise UsageError(f"--account {account}: {session} has no such account; {there_are(accounts, account)}")
