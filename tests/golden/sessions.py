"""Recorded sessions that are kept for ever: stored bodies, the observations they refer to, and what they add up to.

`sessions/NAME.jsonl` holds one stored body a line, `sessions/NAME.chunks.jsonl` the chunks by name, `heads.json` for
each session its digest, how many records it has, and the version of the rules that decided it.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec

from events.chunks import decode_chunk
from events.codec import decode_body, encode_body
from events.commands import AdvanceMarket, ChunkId, Command
from events.digest import GENESIS, chain
from events.observations import Observations
from events.record import Batch
from events.store.sqlite import open_session
from exchange.core.state import RULES_VERSION, State
from exchange.core.step import apply_batch, finish_rebuild, step

FOLDER = Path(__file__).parent / "sessions"
HEADS = FOLDER / "heads.json"


class Golden(msgspec.Struct, frozen=True):
    """What a session adds up to: the digest of its last batch in hex."""

    head: str
    rules_version: int
    records: int


class Session(msgspec.Struct, frozen=True):
    """A session as it was recorded."""

    bodies: list[bytes]
    chunks: dict[ChunkId, Observations]

    @property
    def batches(self) -> list[Batch]:
        return [decode_body(number, body) for number, body in enumerate(self.bodies, 1)]


def heads() -> dict[str, Golden]:
    """The golden sessions by name."""
    return msgspec.json.decode(HEADS.read_bytes(), type=dict[str, Golden]) if HEADS.exists() else {}


def load(name: str) -> Session:
    """The session of that name."""
    chunks: dict[ChunkId, Observations] = {}
    for line in (FOLDER / f"{name}.chunks.jsonl").read_bytes().splitlines():
        chunk, columns = msgspec.json.decode(line, type=tuple[ChunkId, Observations])
        chunks[chunk] = columns
    return Session((FOLDER / f"{name}.jsonl").read_bytes().splitlines(), chunks)


def rebuilt(session: Session) -> State:
    """The state of the recorded facts."""
    state = State()
    state.columns = session.chunks
    for batch in session.batches:
        apply_batch(state, batch)
    finish_rebuild(state)
    return state


def decided(session: Session, commands: list[Command]) -> tuple[State, list[bytes]]:
    """The state and the bodies that these commands lead to."""
    state = State()
    state.columns = session.chunks
    bodies = []
    for command in commands:
        batch = step(state, command)
        assert isinstance(batch, Batch)
        bodies.append(encode_body(batch))
    return state, bodies


def sum_up(session: Session) -> Golden:
    """What the session adds up to, by this code."""
    head = GENESIS
    for body in session.bodies:
        head = chain(head, body)
    return Golden(head.hex(), RULES_VERSION, rebuilt(session).seq)


def add(name: str, session: Session) -> None:
    """Keep a session under a new name; what is there is never touched."""
    known = heads()
    assert name not in known, f"{name} is golden already; golden sessions are only ever added"
    FOLDER.mkdir(exist_ok=True)
    chunks = [msgspec.json.encode(item) for item in session.chunks.items()]
    (FOLDER / f"{name}.jsonl").write_bytes(b"".join(body + b"\n" for body in session.bodies))
    (FOLDER / f"{name}.chunks.jsonl").write_bytes(b"".join(line + b"\n" for line in chunks))
    known[name] = sum_up(session)
    HEADS.write_bytes(msgspec.json.format(msgspec.json.encode(known), indent=1) + b"\n")


def read(path: Path) -> Session:
    """A session file as a golden session would hold it."""
    return asyncio.run(_read(path))


async def _read(path: Path) -> Session:
    log = await open_session(path, read_only=True)
    try:
        bodies, chunks = [], {}
        async for stored in log.read():
            bodies.append(stored.body)
            command = decode_body(stored.number, stored.body).command
            if isinstance(command, AdvanceMarket) and command.chunk not in chunks:
                chunks[command.chunk] = decode_chunk(await log.chunk(command.chunk))
        return Session(bodies, chunks)
    finally:
        await log.close()
