"""`ringfence fork`: a session with something changed from a moment on, as a session of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from events.log import ExistingLog
from events.store.entries import head_after
from events.store.link import Link
from events.store.sqlite import SqliteLog, open_session
from gateway.commands import diff
from gateway.commands.fork_edits import edit_of
from gateway.commands.fork_idle import why_idle
from gateway.console import OUT, progress, say_json
from gateway.errors import UsageError, about
from gateway.times import nanos_of
from replay.branching import Branched, Edit, branch
from replay.travel import NoSuchMoment, batch_at, batch_of, batch_when

RECORDS_MAX = 10**12
"""A larger number is a time in ns."""


def run(session: Path, at: str, settings: Sequence[str], out: Path, link: bool, as_json: bool) -> int:
    """Write the fork, and say what came of it. Returns 0."""
    edits = [edit_of(text) for text in settings]
    if out.exists():
        raise ExistingLog(f"{out}: exists already; choose another name")
    with about(session):
        try:
            branched = asyncio.run(_branched(session, at, edits, out, link))
        except NoSuchMoment as error:
            raise UsageError(f"{session}: {error}") from error
        except BaseException:
            out.unlink(missing_ok=True)
            raise
    comparison = diff.compared(session, out)
    if as_json:
        refused = [{"set": edit.text, "reason": reason.value} for edit, reason in branched.refused]
        say_json({**diff.as_object(comparison), "refused": refused})
        return 0
    for edit, reason in branched.refused:
        OUT.print(f"refused  {edit.text}: {reason.value}", markup=False)
    diff.show(comparison, session, out)
    return 0


async def _branched(session: Path, at: str, edits: Sequence[Edit], out: Path, is_linked: bool) -> Branched:
    log = await open_session(session, read_only=True)
    try:
        before = await _batch(log, at)
        link = Link(session, head_after(await batch_at(log, before - 1))) if is_linked and before > 1 else None
        fork = await open_session(out, create=True, link=link)
        try:
            with progress("fork", (await log.head()).batch, "batches") as advance:
                branched = await branch(log, fork, before, edits, lambda b: advance(b.number, b.number, b.at))
            for edit in (*branched.waiting, *branched.idle):
                raise UsageError(f"--set {edit.text!r}: {await why_idle(log, before, branched.state, edit)}")
            return branched
        finally:
            await fork.close()
    finally:
        await log.close()


async def _batch(log: SqliteLog, at: str) -> int:
    """The first batch that the fork does not share: that of a record, or the first after a time."""
    if at.isdecimal() and int(at) < RECORDS_MAX:
        return await batch_of(log, int(at))
    return await batch_when(log, nanos_of(at, "--at")) + 1
