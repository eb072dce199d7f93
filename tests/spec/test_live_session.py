"""A served session: its market goes on at the wall's time, and a start goes on where the last one ended."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import islice
from pathlib import Path

import pytest

from events import commands as c
from events.codec import decode_body
from events.instruments import AssetId, InstrumentId, MarginMode, RulePack, load_pack
from events.log import StoredBatch
from events.observations import Observations
from events.store.memory import MemoryLog
from events.store.sqlite import open_session
from events.units import SECOND, UNIT, Atoms, Lots, Nanos, Ticks
from exchange.failures import Stopped
from exchange.sequencer import Sequencer
from gateway.live.agent import Agent, Turn
from gateway.live.agents import agents
from gateway.live.blocks import IDS
from gateway.live.endless import BLOCK, Endless
from gateway.live.host import LiveSession
from replay.clock import ManualClock
from replay.context import Context
from replay.markets import Point, Prices
from replay.player import Player
from replay.sources import Source, SourceError
from replay.traders import Trader
from tests.loop import in_loop, turns

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
    return await LiveSession.open(path, market or Endless(5, has_agents=False, days=0), wall=wall, clock=wall.clock)


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
    session = await opened(tmp_path / "a.db", Wall(), Ending(5, has_agents=False, days=0))
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


@in_loop
async def test_a_session_of_another_generator_goes_on_with_this_one(tmp_path: Path) -> None:
    session = await opened(tmp_path / "a.db", Wall())
    await reach(session, 5)
    await session.close()
    session = await opened(tmp_path / "a.db", Wall(), Endless(6, has_agents=False, days=0))
    await reach(session, 61)
    contract = session.venue.state.contracts[BTC]
    assert not contract.book.stale
    assert contract.feed.last_id // IDS == session.venue.state.now // BLOCK
    await session.close()


@in_loop
async def test_a_session_that_was_cut_off_at_any_batch_goes_on(tmp_path: Path) -> None:
    whole = await opened(tmp_path / "whole.db", Wall())
    await reach(whole, 4)
    await whole.close()
    log = await open_session(tmp_path / "whole.db", read_only=True)
    batches = [stored async for stored in log.read()]
    assert len(batches) > 45
    for count in (1, 2, 3, 4, 5, 17, 45):
        path = tmp_path / f"{count}.db"
        cut = await open_session(path, create=True)
        chunks = [await log.chunk(name) for name in dict.fromkeys(chunks_of(batches[:count]))]
        await cut.append(batches[:count], await cut.head(), chunks)
        await cut.close()
        session = await opened(path, Wall())
        await reach(session, 4)
        await session.close()
        found = await digests(path)
        assert found[: len(batches)] == [stored.digest for stored in batches][: len(found)]
    await log.close()


def chunks_of(batches: list[StoredBatch]) -> list[c.ChunkId]:
    commands = [decode_body(stored.number, stored.body).command for stored in batches]
    return [command.chunk for command in commands if isinstance(command, c.AdvanceMarket)]


@in_loop
async def test_traders_hear_of_others_while_the_market_pauses(tmp_path: Path) -> None:
    session = await opened(tmp_path / "a.db", Wall(), Endless(5, days=0))
    session.control.pause()
    await session.control.still()
    venue = session.venue
    for n in range(50):
        await venue.ask(c.OpenAccount(venue.now, c.AccountId(f"a{n}"), venue.request()))
    await turns()
    assert not session.player._traders._news
    await session.close()


class TestPace:
    """The session's clock beside the wall's."""

    @in_loop
    async def test_who_was_held_up_hurries(self, tmp_path: Path) -> None:
        wall = Wall()
        session = await opened(tmp_path / "a.db", wall)
        wall.at += 5 * SECOND
        assert not session.is_on_time
        assert not session._parts.pace.look(session.venue.state.now)
        while not session.is_on_time:
            await asyncio.sleep(0)
        assert len(session.calendar.stretches) == 1
        await session.close()

    @in_loop
    async def test_who_slept_for_long_leaves_out_what_he_missed(self, tmp_path: Path) -> None:
        wall = Wall()
        session = await opened(tmp_path / "a.db", wall)
        wall.at += 3 * 3600 * SECOND + 7 * SECOND
        at = session.venue.state.now
        assert session._parts.pace.look(at)
        while not session.is_on_time:
            await asyncio.sleep(0)
        assert len(session.calendar.stretches) == 2
        assert session.venue.state.now < at + 120 * SECOND
        assert session.calendar.shown(at - 1) == at - 1
        await session.close()

    @in_loop
    async def test_who_pauses_is_left_behind(self, tmp_path: Path) -> None:
        wall = Wall()
        session = await opened(tmp_path / "a.db", wall)
        pace = session._parts.pace
        session.control.pause()
        assert not pace.look(session.venue.state.now)
        session.control.play()
        wall.at += 5 * SECOND
        assert not pace.look(session.venue.state.now)
        assert not session.is_on_time
        await session.close()


class TestAgents:
    """Those who trade beside the clients."""

    @in_loop
    async def test_they_trade_modestly_and_are_what_they_were_after_a_stop(self, tmp_path: Path) -> None:
        for stop in (20.0, 45.0):
            session = await opened(tmp_path / "cut.db", Wall(), Endless(5, days=0))
            await reach(session, stop)
            await session.close()
        session = await opened(tmp_path / "whole.db", Wall(), Endless(5, days=0))
        await reach(session, 45)
        names = [name for name in session.venue.state.accounts if name.startswith("agent.")]
        assert len(names) == 5
        assert sum(len(session.blotter.fills(name, BTC)) for name in names) > 0
        assert session.venue.state.batch < 45 * 30
        await session.close()
        cut, whole = await digests(tmp_path / "cut.db"), await digests(tmp_path / "whole.db")
        count = min(len(cut), len(whole))
        assert count > 400
        assert cut[:count] == whole[:count]

    @in_loop
    async def test_what_one_does_wrong_harms_nobody(self, tmp_path: Path) -> None:
        class Clumsy:
            def act(self, context: Context, turn: Turn) -> None:
                if turn.number % 2:
                    context.buy(BTC, Decimal(10) ** 40)
                raise LookupError("it stumbles")

        class With(Endless):
            def traders(self, _pack: RulePack) -> Sequence[Trader]:
                agent = Agent("agent.clumsy", 1, Clumsy(), 300, 7)
                return [Trader(c.AccountId("agent.clumsy"), MarginMode.CROSS, 5, Decimal(100), agent)]

        session = await opened(tmp_path / "a.db", Wall(), With(5, days=0))
        await reach(session, 5)
        assert session.is_ready
        await session.close()

    @in_loop
    async def test_a_gambler_is_liquidated_and_pays_in_again(self) -> None:
        """In a market that goes up and down by two hundredths each minute."""
        points = tuple(Point(Decimal(n), Decimal(60_000 + 1_200 * (n // 60 % 2))) for n in range(0, 7_200, 10))
        sources = Prices(BTC, points, Decimal(500)).sources(load_pack("binance-usdm"), Path())
        gambler = next(trader for trader in agents(5) if trader.name == "agent.gambler")
        sequencer = await Sequencer.open(MemoryLog())
        player = Player(sequencer, sources, [gambler])
        await player.run(load_pack("binance-usdm"), c.SessionOptions(), Decimal(1_000_000))
        await sequencer.close()
        result = player.results.accounts[gambler.name]
        assert result.liquidations > 1
        assert result.of(AssetId("USDT")).deposits >= 2_000 * UNIT


@in_loop
async def test_the_index_that_rows_state_is_told_beside_the_mark(tmp_path: Path) -> None:
    session = await opened(tmp_path / "a.db", Wall())
    await reach(session, 5)
    await session.close()
    contract, quotes = session.venue.state.contracts[BTC], session.tape[BTC].quotes
    assert quotes.mark == contract.mark
    assert quotes.index == contract.feed.index != contract.mark
    assert quotes.next_funding == contract.feed.next_funding > session.venue.state.now


@in_loop
async def test_an_account_of_the_generated_market_may_let_all_its_assets_answer_together(tmp_path: Path) -> None:
    session = await opened(tmp_path / "a.db", Wall())
    venue = session.venue
    await venue.ask(c.OpenAccount(venue.now, ANN, venue.request()))
    await venue.ask(c.Deposit(venue.now, ANN, venue.request(), AssetId("USDT"), Atoms(1_000 * UNIT)))
    told = await venue.ask(c.SetCollateralMode(venue.now, ANN, venue.request(), True))
    assert told.reason is None
    assert venue.state.accounts[ANN].multi is not None
    await session.close()
