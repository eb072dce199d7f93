"""`ringfence fork`: a session with something changed from a moment on, as a session of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf
from pathlib import Path

from events.log import ExistingLog
from events.notes import note_strategies
from events.store.entries import head_after
from events.store.link import Link
from events.store.sqlite import SqliteLog, open_session
from gateway.commands import diff
from gateway.commands.fork_edits import edit_of
from gateway.commands.fork_idle import why_idle
from gateway.commands.fork_pack import check_packs
from gateway.commands.fork_rerun import Asked, Rerun, as_objects, lines, rerun_of
from gateway.console import OUT, progress, say_json
from gateway.errors import UsageError, about
from gateway.times import nanos_in
from replay.branching import branch
from replay.editing import Branched, Edit
from replay.slots import after_due_work
from replay.travel import NoSuchMoment, batch_at, batch_of, batch_when

RECORDS_MAX = 10**12
"""A larger number is a time in ns."""


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked on the command line."""

    session: Path
    at: str
    settings: Sequence[str]
    out: Path
    is_linked: bool = False
    strategies: Asked = field(default_factory=Asked)


def run(request: Request, as_json: bool) -> int:
    """Write the fork, and say what came of it. Returns 0."""
    session, out = request.session, request.out
    request.strategies.check()
    edits = [edit_of(text) for text in request.settings]
    if out.exists():
        raise ExistingLog(f"{out}: exists already; choose another name")
    with about(session):
        try:
            branched, rerun = asyncio.run(forked(request, edits))
        except NoSuchMoment as error:
            raise UsageError(f"{session}: {error}") from error
        except BaseException:
            out.unlink(missing_ok=True)
            raise
    comparison = diff.compared(session, out)
    if as_json:
        refused = [{"set": edit.text, "reason": reason.value} for edit, reason in branched.refused]
        again = {"rerun": as_objects(rerun)} if rerun else {}
        say_json({**diff.as_object(comparison), "refused": refused, **again})
        return 0
    for line in lines(rerun) if rerun else ():
        OUT.print(f"rerun    {line}", markup=False)
    for edit, reason in branched.refused:
        OUT.print(f"refused  {edit.text}: {reason.value}", markup=False)
    diff.show(comparison, session, out)
    return 0


async def forked(request: Request, edits: Sequence[Edit], is_shown: bool = True) -> tuple[Branched, Rerun | None]:
    """Write the fork; progress is shown on a terminal, or not. Raises UsageError, LogError, NoSuchMoment."""
    session = request.session
    log = await open_session(session, read_only=True)
    try:
        rerun = await rerun_of(log, request.strategies, edits) if request.strategies.rerun else None
        before = await _batch(log, request.at)
        await check_packs(log, before, edits)
        before = await after_due_work(log, before) if rerun else before
        is_linked = request.is_linked and before > 1
        link = Link(session, head_after(await batch_at(log, before - 1))) if is_linked else None
        fork = await open_session(request.out, create=True, link=link)
        try:
            await _note(log, fork, rerun)
            with progress("fork", (await log.head()).batch, "batches", patience=0.0 if is_shown else inf) as advance:
                shown = (log, fork, before, edits, lambda b: advance(b.number, b.number, b.at))
                branched = await branch(*shown, rerun.again if rerun else None)
            for edit in (*branched.waiting, *branched.idle):
                raise UsageError(f"--set {edit.text!r}: {await why_idle(log, before, branched.state, edit)}")
            return branched, rerun
        finally:
            await fork.close()
    finally:
        await log.close()


async def _note(log: SqliteLog, fork: SqliteLog, rerun: Rerun | None) -> None:
    """Note of the fork what is noted of the session, and who runs again."""
    for name, text in (await log.notes()).items():
        await fork.note(name, text)
    if rerun:
        await note_strategies(fork, rerun.notes)


async def _batch(log: SqliteLog, at: str) -> int:
    """The first batch that the fork does not share: that of a record, or the first after a time."""
    if at.isdecimal() and int(at) < RECORDS_MAX:
        return await batch_of(log, int(at))
    return await batch_when(log, await nanos_in(log, at, "--at")) + 1
