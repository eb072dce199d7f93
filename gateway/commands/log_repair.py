"""`ringfence log repair`: a damaged session cut back to its last good batch."""

from __future__ import annotations

import asyncio
from pathlib import Path

import typer

from events.log import ExistingLog, Head
from events.store.entries import fill
from events.store.salvage import Finding, Salvage
from events.store.sqlite import open_session
from gateway.console import OUT, progress, time_text

LEFT_AS_IT_IS = 1


def run(session: Path, yes: bool) -> int:
    """Say what is wrong, ask, and mend. Returns the exit status."""
    salvage = Salvage(session)
    with progress("read", None, "batches") as advance:
        for stored, _ in salvage:
            advance(stored.number, stored.number, stored.at)
    finding = salvage.finding
    if not finding.defect:
        OUT.print(f"good     all {finding.good.batch:,} batches, {finding.good.seq:,} records: nothing to repair")
        return 0
    damaged = session.with_name(f"{session.name}.damaged")
    _tell(finding)
    if not finding.good.batch:
        OUT.print(f"left     {session} as it is: nothing of it can be saved; restore it from a copy", markup=False)
        return LEFT_AS_IT_IS
    if damaged.exists():
        raise ExistingLog(f"{damaged}: exists already; move it away first, it may be all that is left of something")
    OUT.print(f"keeping  the file as it is as {damaged.name}", markup=False)
    if not yes and not _agreed():
        OUT.print(f"left     {session} as it is", markup=False)
        return LEFT_AS_IT_IS
    head = asyncio.run(_rewrite(session, damaged, salvage))
    OUT.print(f"written  {session}: {head.batch:,} batches, {head.seq:,} records", markup=False)
    OUT.print(f"kept     {damaged}: the file as it was", markup=False)
    OUT.print(f"head     {head.digest.hex()}")
    return 0


def _agreed() -> bool:
    """Ask; nobody there to answer means no."""
    try:
        return typer.confirm("Cut the session back?", default=False)
    except typer.Abort:
        OUT.print()
        return False


def _tell(finding: Finding) -> None:
    good = finding.good
    if good.batch:
        OUT.print(f"good     {good.batch:,} batches, {good.seq:,} records, up to {time_text(finding.at)} UTC")
    else:
        OUT.print("good     nothing")
    OUT.print(f"damaged  after batch {good.batch:,}: {finding.defect}", markup=False)
    beyond = "how many, the file cannot say" if finding.beyond is None else f"{finding.beyond:,}"
    OUT.print(f"lost     batches after it: {beyond}", markup=False)


async def _rewrite(session: Path, damaged: Path, salvage: Salvage) -> Head:
    """Put a new session of what is good in the place of the damaged one, which keeps what stood beside it."""
    mended = session.with_name(f"{session.name}.mended")
    log = await open_session(mended, create=True)
    try:
        head = await fill(log, salvage)
        for name, text in salvage.notes.items():
            await log.note(name, text)
    except BaseException:
        await log.close()
        mended.unlink()
        raise
    await log.close()
    for ending in ("-wal", "-shm"):
        beside = session.with_name(session.name + ending)
        if beside.exists():
            beside.rename(damaged.with_name(damaged.name + ending))
    session.rename(damaged)
    mended.rename(session)
    return head
