"""The session over the native API: what it is, its player, its log from any record on, forks and copies of it."""

from __future__ import annotations

import asyncio
import re
from contextlib import aclosing
from pathlib import Path
from tempfile import TemporaryDirectory

from litestar import get, post
from litestar.background_tasks import BackgroundTask
from litestar.di import NamedDependency
from litestar.params import FromQuery, JSONBody
from litestar.response import File

from events.codec import decode_body
from events.log import LogError
from events.record import Batch, Record
from exchange.core.state import RULES_VERSION
from gateway import version
from gateway.errors import UsageError
from gateway.native.accounts import ADMIN
from gateway.native.desk import Client, Desk, as_object
from gateway.native.messages import Forked, LogPage, LogRecord, NewFork, Seek, Session, Speed
from gateway.native.problems import Asked, refused
from replay.control import Control, NoWayBack, Over
from replay.transport import speed_text
from replay.travel import batch_of, utc

PAGE_MAX = 10_000
"""So many records are read at most in one request."""

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")
"""What a fork may be called: it is a file's name."""


@get("/session")
async def show_session(desk: NamedDependency[Desk]) -> Session:
    """What is served, where its log ends, and whether what is shown as now is the wall's now."""
    return session_of(desk)


def session_of(desk: Desk) -> Session:
    """The session as it is told."""
    venue, control = desk.venue, desk.control
    head, opened = venue.durable, venue.calendar.stretches
    return Session(
        name=desk.name,
        version=version.own(),
        pack=venue.pack.id,
        rules_version=RULES_VERSION,
        opened=venue.calendar.shown(opened[0].since) if opened else 0,
        now=venue.calendar.shown(venue.now),
        record=head.seq,
        batch=head.batch,
        digest=head.digest.hex(),
        playing=control is None or control.is_playing,
        speed="1x" if control is None else speed_text(control.speed),
        on_time=desk.is_on_time(),
        at_end=control is not None and control.is_at_end,
    )


def _control(client: Client) -> Control:
    if client.desk.control is None:
        raise Asked("no_player", "the market of this session is not played", 409)
    return client.desk.control


@post("/session/play", opt=ADMIN, status_code=200)
async def play(client: NamedDependency[Client]) -> Session:
    """Let the market go on."""
    _control(client).play()
    return session_of(client.desk)


@post("/session/pause", opt=ADMIN, status_code=200)
async def pause(client: NamedDependency[Client]) -> Session:
    """Let session time stand still. Orders are still decided, at that time."""
    _control(client).pause()
    return session_of(client.desk)


@post("/session/speed", opt=ADMIN, status_code=200)
async def set_speed(client: NamedDependency[Client], data: JSONBody[Speed]) -> Session:
    """Let session time pass faster or slower than the wall's: what is shown as now parts from it then."""
    with refused():
        _control(client).set_speed(data.speed)
    return session_of(client.desk)


@post("/session/seek", opt=ADMIN, status_code=200)
async def seek(client: NamedDependency[Client], data: JSONBody[Seek]) -> Session:
    """Let the market hurry to a time ahead. Looking back is for forks and for `ringfence play`."""
    try:
        await _control(client).seek(client.desk.venue.calendar.session(data.at))
    except NoWayBack as error:
        why = f"{utc(data.at)} is over, and a served session goes on only; fork it, or look back with `ringfence play`"
        raise Asked("no_way_back", why, 409) from error
    except Over as error:
        raise Asked("no_way_back", str(error), 409) from error
    return session_of(client.desk)


@post("/session/forks", opt=ADMIN, status_code=201)
async def fork(client: NamedDependency[Client], data: JSONBody[NewFork]) -> Forked:
    """Write a fork of the session, beside its file: everything up to a record, then with settings that differ."""
    path = _file(client)
    if not NAME.fullmatch(data.name):
        raise Asked("bad_request", "name: give letters, digits, - and _, 100 at most, the first no - or _")
    head = client.desk.venue.durable.seq
    if not 0 < data.record <= head:
        raise Asked("bad_request", f"record: the session has records 1 to {head}")
    out = path.with_name(f"{data.name}.db")
    try:
        return await asyncio.to_thread(_forked, path, out, data)
    except (UsageError, LogError) as error:
        raise Asked("bad_request", str(error)) from error


def _forked(path: Path, out: Path, data: NewFork) -> Forked:
    """In a thread of its own: the server goes on meanwhile."""
    from gateway.commands import fork as verb  # noqa: PLC0415 - it takes half of the command line with it
    from gateway.commands.fork_edits import edit_of  # noqa: PLC0415

    request = verb.Request(path, str(data.record), data.settings, out)
    if out.exists():
        raise UsageError(f"{out.name}: exists already; choose another name")
    try:
        branched, _ = asyncio.run(verb.forked(request, [edit_of(text) for text in data.settings], is_shown=False))
    except BaseException:
        out.unlink(missing_ok=True)
        raise
    head = branched.shared
    return Forked(file=out.name, record=data.record, batches=head.batch, digest=head.digest.hex())


def _file(client: Client) -> Path:
    if client.desk.path is None:
        raise Asked("no_file", "this session is kept in memory only", 409)
    return client.desk.path


@get("/log", opt=ADMIN)
async def read_log(client: NamedDependency[Client], after: FromQuery[int] = 0, limit: FromQuery[int] = 100) -> LogPage:
    """Durable records after that number, in order, as many as asked for, whole batches at least one."""
    log, found, head = client.desk.log, list[LogRecord](), client.desk.venue.durable.seq
    most = max(1, min(limit, PAGE_MAX))
    if not 0 <= after < head:
        return LogPage(records=found, next=max(0, after), head=head)
    async with aclosing(log.read(await batch_of(log, after + 1) - 1)) as batches:
        async for stored in batches:
            batch = decode_body(stored.number, stored.body)
            found += [told(batch, record) for record in batch.records if record.seq > after]
            if len(found) >= most:
                break
    return LogPage(records=found, next=found[-1].seq, head=head)


def told(batch: Batch, record: Record) -> LogRecord:
    """A record as clients read it."""
    message = {key: value for key, value in as_object(record).items() if key not in ("seq", "cause")}
    return LogRecord(seq=record.seq, batch=batch.number, at=batch.at, cause=record.cause, message=message)


@get("/session/export", opt=ADMIN)
async def export(client: NamedDependency[Client]) -> File:
    """The whole session, packed: `ringfence log unpack` makes a session of it again."""
    path = _file(client)
    folder = TemporaryDirectory()
    packed = Path(folder.name) / f"{path.stem}.rfz"
    await asyncio.to_thread(_packed, path, packed)
    return File(path=packed, filename=packed.name, background=BackgroundTask(folder.cleanup))


def _packed(path: Path, out: Path) -> None:
    from gateway.commands.log_copy import pack_quietly  # noqa: PLC0415 - it takes half of the command line with it

    pack_quietly(path, out)


HANDLERS = [show_session, play, pause, set_speed, seek, fork, read_log, export]
