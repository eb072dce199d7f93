"""Which market a session is served with: the one that it was begun with, which its file remembers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from events.notes import NotedLog
from events.store.sqlite import open_session
from gateway.errors import UsageError
from gateway.live.endless import Endless
from gateway.live.files import Files
from gateway.live.market import LiveMarket

NOTE = "market"
"""The session's note that holds its market."""

SEED = 1


class Chosen(msgspec.Struct, frozen=True):
    """A market as it is noted: a seed, or files."""

    seed: int = SEED
    files: tuple[str, ...] = ()


async def chosen(session: Path, files: Sequence[Path], seed: int | None) -> Chosen:
    """The market of a session that is there, or the one that is asked for. Raises UsageError, LogError."""
    asked = Chosen(SEED if seed is None else seed, tuple(str(path.resolve()) for path in files))
    if not session.exists():
        return asked
    log = await open_session(session, read_only=True)
    try:
        noted = (await log.notes()).get(NOTE)
    finally:
        await log.close()
    if noted is None:
        return asked
    kept = msgspec.json.decode(noted, type=Chosen)
    if files and asked.files != kept.files:
        raise UsageError(f"--market: {session} was begun with {_told(kept)}; leave it out, or name another --session")
    if seed is not None and seed != kept.seed:
        raise UsageError(
            f"--seed {seed}: {session} was begun with {_told(kept)}; leave it out, or name another --session"
        )
    return kept


async def remember(log: NotedLog, market: Chosen) -> None:
    """Note the market of a session."""
    await log.note(NOTE, msgspec.json.encode(market).decode())


def market_of(chosen: Chosen) -> LiveMarket:
    """What plays it."""
    return Files(tuple(map(Path, chosen.files))) if chosen.files else Endless(chosen.seed)


def _told(kept: Chosen) -> str:
    return " and ".join(kept.files) if kept.files else f"seed {kept.seed}"
