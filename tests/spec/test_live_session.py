"""A served session: its market goes on at the wall's time, and a start goes on where the last one ended."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

import pytest

from events import commands as c
from events.instruments import InstrumentId, RulePack
from events.observations import Observations
from events.store.sqlite import open_session
from events.units import SECOND, Atoms, Lots, Nanos, Ticks
from exchange.failures import Stopped
from gateway.live.endless import Endless
from gateway.live.host import LiveSession
from replay.clock import ManualClock
from replay.sources import Source, SourceError
from tests.loop import in_loop

BTC = InstrumentId("BTCUSDT")
NOON = 1_790_000_040 * SECOND
ANN = c.AccountId("ann")


class Wall:
    """The time of day, which goes on with the clock that the player waits by."""

    def __init__(self, at: int = NOON) -> None:
        self.clock = ManualClock()
        self.at = at

    def __call__(self) -> int:
        return self.at + self.clock.now()


async def opened(path: Path, wall: Wall, market: Endless | None = None) -> LiveSession:
    return await LiveSession.open(path, market or Endless(5), wall=wall, clock=wall.clock)


async def reach(session: LiveSession, seconds: float) -> None:
    """Let the market go on to a time."""
    while session.venue.state.now < NOON + int(seconds * SECOND):
        await asyncio.sleep(0)


async def digests(path: Path) -> list[bytes]:
    log = await open_session(path, read_only=True)
    try:
        return [stored.digest async for stored in log.read()]
    finally:
        await log.close()


@in_loop
async def test_session_time_is_shown_as_the_walls(tmp_path: Path) -> None:
    wall = Wall(NOON + 17 * SECOND)
    session = await opened(tmp_path / "a.db", wall)
    assert (session.is_ready, session.is_on_time, session.is_over) == (True, True, False)
    assert abs(session.venue.shown_ms - wall() // 10**6) < 100
    assert session.venue.state.contracts[BTC].mark > 0
    await session.close()
    assert not session.is_ready


@in_loop
async def test_after_a_stop_it_goes_on_where_it_ended_and_is_shown_as_of_now(tmp_path: Path) -> None:
    session = await opened(tmp_path / "a.db", Wall())
    await reach(session, 5)
    await session.close()
    ended = session.venue.state.now
    wall = Wall(NOON + 86_400 * SECOND + 7 * SECOND)
    session = await opened(tmp_path / "a.db", wall)
    assert abs(session.venue.shown_ms - wall() // 10**6) < 100
    assert session.venue.state.now < ended + 61 * SECOND
    assert session.calendar.shown(ended - 1) == ended - 1
    await session.close()


@pytest.mark.parametrize("seconds", [(1, 3.3, 30), (59.9, 60.05, 77)])
@in_loop
async def test_a_stop_within_a_minute_leaves_no_trace_in_the_session(
    tmp_path: Path, seconds: tuple[float, ...]
) -> None:
    for stop in seconds:
        session = await opened(tmp_path / "cut.db", Wall())
        await reach(session, stop)
        await session.close()
    session = await opened(tmp_path / "whole.db", Wall())
    await reach(session, seconds[-1])
    await session.close()
    cut, whole = await digests(tmp_path / "cut.db"), await digests(tmp_path / "whole.db")
    count = min(len(cut), len(whole))
    assert count > 300
    assert cut[:count] == whole[:count]


@in_loop
async def test_open_orders_survive_a_stop(tmp_path: Path) -> None:
    session = await opened(tmp_path / "a.db", Wall())
    venue = session.venue
    await venue.ask(c.OpenAccount(venue.now, ANN, venue.request()))
    await venue.ask(c.Deposit(venue.now, ANN, venue.request(), session.venue.pack.instruments[0].settle, Atoms(10**12)))
    order = c.PlaceOrder(venue.now, ANN, venue.request(), venue.number(ANN), BTC, c.Side.BUY, Lots(10), Ticks(400_000))
    accepted = await venue.ask(order)
    assert accepted.reason is None
    await session.close()

    session = await opened(tmp_path / "a.db", Wall(NOON + 3_600 * SECOND))
    venue = session.venue
    (row,) = session.blotter.open_orders(ANN)
    assert (row.number, row.lots, row.price) == (1, 10, 400_000)
    assert list(venue.state.accounts[ANN].orders) == [1]
    assert (await venue.ask(order)).batch is None
    cancelled = await venue.ask(c.CancelOrder(venue.now, ANN, venue.request(), order.number))
    assert cancelled.reason is None
    assert not session.blotter.open_orders(ANN)
    await session.close()


class Ending(Endless):
    """A market whose rows cannot be read any further after a while."""

    def sources(self, pack: RulePack, since: Mapping[InstrumentId, int], start: int) -> Sequence[Source]:
        (source, *_) = super().sources(pack, since, start)
        return [Cut(source)]  # type: ignore[list-item]


class Cut:
    def __init__(self, source: Source) -> None:
        self.path, self.report, self.name, self.position = source.path, source.report, source.name, 0
        self.names_symbols = self.goes_on = False
        self._source = source

    def __iter__(self) -> Iterator[Observations]:
        yield from islice(self._source, 2)
        raise SourceError("the disk is gone")


@in_loop
async def test_a_market_that_fails_stops_the_session(tmp_path: Path) -> None:
    session = await opened(tmp_path / "a.db", Wall(), Ending(5))
    venue = session.venue
    await session.stopped.wait()
    assert not session.is_ready
    assert "the disk is gone" in str(session.failure)
    await asyncio.sleep(0)
    assert not venue.is_running
    with pytest.raises(Stopped):
        await venue.ask(c.OpenAccount(venue.now, ANN, venue.request()))
    await session.close()


@in_loop
async def test_a_market_that_cannot_begin_leaves_no_session(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="names of nothing"):
        await opened(tmp_path / "a.db", Wall(), Nothing(5))
    assert list(tmp_path.iterdir()) == []


class Nothing(Endless):
    def sources(self, pack: RulePack, since: Mapping[InstrumentId, int], start: int) -> Sequence[Source]:
        raise SourceError("names of nothing")


@in_loop
async def test_who_pauses_or_changes_speed_is_no_longer_on_time_until_he_seeks_the_present(tmp_path: Path) -> None:
    wall = Wall()
    session = await opened(tmp_path / "a.db", wall)
    session.control.pause()
    await session.control.still()
    wall.clock.advance(5 * SECOND)
    assert not session.is_on_time
    session.control.play()
    await reach(session, (session.venue.state.now - NOON) / SECOND + 1)
    assert not session.is_on_time
    await session.control.seek(Nanos(wall() + SECOND))
    while not session.is_on_time:
        await asyncio.sleep(0)
    await session.close()
