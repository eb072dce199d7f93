"""What a served session is put together from, in the order in which the parts can be had."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from events.codec import decode_body
from events.commands import OpenSession
from events.instruments import InstrumentId, RulePack, load_pack
from events.store.sqlite import SqliteLog, open_session
from events.store.sqlite_views import open_views
from events.units import SECOND, Nanos
from exchange.sequencer import Sequencer
from exchange.snapshots import in_a_process
from gateway.live.market import LiveMarket
from gateway.live.pace import Pace
from gateway.live.past import past_of
from gateway.serving.blotter import Blotter
from gateway.serving.calendar import NOTE, Calendar
from gateway.serving.models import Model, Shelf
from gateway.serving.tape.tape import Tape
from gateway.serving.venue import Venue
from replay.control import Control
from replay.player import Player
from replay.resuming import Played, played

GRAIN = Nanos(SECOND // 10)
"""A live book moves so often at least, in session time, where nothing touches a trader."""

VIEWS = ".views"
"""Read models are kept beside the session, under its name and this."""


@dataclass(frozen=True, slots=True)
class Parts:
    """A session that is about to be served. ends are those of its history, none of a new one."""

    pack: RulePack
    market: LiveMarket
    ends: Mapping[InstrumentId, Played]
    is_new: bool
    log: SqliteLog
    calendar: Calendar
    control: Control
    sequencer: Sequencer
    player: Player
    venue: Venue
    blotter: Blotter
    tape: Tape
    shelf: Shelf
    pace: Pace


async def parts_of(
    path: Path, market: LiveMarket, pack: str, control: Control, wall: Callable[[], int],
    on_progress: Callable[[int], None], closing: AsyncExitStack,
) -> Parts:  # fmt: skip
    """Open a session's file, or a new one, and have its read models up to its end; `closing` is to close it all.

    Raises LogError, SourceError.
    """
    beside = path.with_name(path.name + VIEWS)
    is_there = path.exists()
    log = await open_session(path, create=not is_there)
    if not is_there:
        closing.push_async_callback(_forget_nothing, path, beside)
    closing.push_async_callback(log.close)
    views = await open_views(beside)
    closing.push_async_callback(views.close)
    opened = await _opened(log)
    rules = opened.pack if opened else load_pack(pack)
    calendar = Calendar.read((await log.notes()).get(NOTE, "[]"))
    blotter, tape = Blotter(rules), Tape(rules, calendar, past_of(market, rules, calendar))
    models: tuple[Model, ...] = (blotter, tape)
    shelf = Shelf(log, views, models)
    await shelf.open(on_progress)
    head = await log.head()
    ends = await played(log.read, head.batch, market.instruments(rules)) if opened else {}
    start = opened.at if opened else market.begins(rules, wall())
    sources = market.sources(rules, {name: end.at for name, end in ends.items()}, start)
    sequencer = await Sequencer.open(log, snapshots=in_a_process(path))
    # No wait from here until the venue hears of batches: work that is due is decided at the next one.
    player = Player(sequencer, sources, market.traders(rules), control=control, grain=GRAIN, is_live=True)
    venue = Venue(sequencer, calendar, lambda: control.now, models, tape.look, start=f"{head.batch}.")
    closing.push_async_callback(sequencer.close)
    pace = Pace(control, calendar, wall)
    pace.begin(sequencer.state.now if opened else start)
    await log.note(NOTE, calendar.text())
    return Parts(
        rules,
        market,
        ends,
        opened is None,
        log,
        calendar,
        control,
        sequencer,
        player,
        venue,
        blotter,
        tape,
        shelf,
        pace,
    )


async def _forget_nothing(path: Path, beside: Path) -> None:
    """A new session in which nothing ever happened leaves no file."""
    log = await open_session(path, read_only=True)
    head = await log.head()
    await log.close()
    if not head.batch:
        path.unlink()
        beside.unlink(missing_ok=True)


async def _opened(log: SqliteLog) -> OpenSession | None:
    """How the session in a log was opened, None where it was not yet."""
    async for stored in log.read():
        command = decode_body(stored.number, stored.body).command
        return command if isinstance(command, OpenSession) else None
    return None
