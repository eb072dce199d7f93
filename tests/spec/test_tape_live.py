"""The tape of a served session: a past before its start, and the same candles and trades after a restart."""

from __future__ import annotations

import asyncio
from pathlib import Path

from events.instruments import InstrumentId, load_pack
from events.units import SECOND
from gateway.live.endless import Endless
from gateway.live.host import LiveSession
from gateway.live.past import past_of
from gateway.serving.calendar import Calendar
from gateway.serving.tape.candles import MINUTE
from gateway.serving.tape.instrument import Price
from replay.clock import ManualClock
from tests.loop import in_loop

BTC = InstrumentId("BTCUSDT")
NOON = 1_790_000_040 * SECOND
PACK = load_pack("binance-usdm")


async def opened(path: Path, clock: ManualClock, at: int) -> LiveSession:
    return await LiveSession.open(path, Endless(5, ("BTCUSDT",)), wall=lambda: at + clock.now(), clock=clock)


async def reach(session: LiveSession, seconds: int) -> None:
    while session.venue.state.now < NOON + seconds * SECOND:
        await asyncio.sleep(0)
    await session.venue.settled()


@in_loop
async def test_a_restart_gives_the_same_candles_and_trades_and_the_downtime_is_flat(tmp_path: Path) -> None:
    session = await opened(tmp_path / "s.db", ManualClock(), NOON)
    await reach(session, 3)
    tape, now = session.tape, session.tape.now
    trades, before = tape.trades(BTC, 9999), tape.candles(BTC, "1m", limit=100, now=now)
    marks = tape.candles(BTC, "1m", limit=100, price=Price.MARK, now=now)
    ticker, depth = tape.ticker(BTC, now), tape.depth(BTC, 5)
    assert trades
    assert len(before) == 100
    assert ticker is not None
    assert ticker.day.trades > 1440
    assert depth[1]
    assert depth[2]
    await session.close()
    later = NOON + 600 * SECOND
    again = await opened(tmp_path / "s.db", ManualClock(), later)
    assert again.tape.trades(BTC, 9999)[: len(trades)] == trades
    found = again.tape.candles(BTC, "1m", limit=110, now=later // 10**6)
    assert [candle.start for candle in found] == [found[-1].start - n * MINUTE for n in range(109, -1, -1)]
    known = {candle.start: candle for candle in found}
    assert all(known[candle.start] == candle for candle in before[:-1])
    assert known[before[-1].start].open == before[-1].open
    assert [known[before[-1].start + n * MINUTE].trades for n in range(1, 9)] == [0] * 8
    shown = {candle.start: candle for candle in again.tape.candles(BTC, "1m", limit=110, price=Price.MARK)}
    assert all(shown[candle.start] == candle for candle in marks[:-1])
    assert again.tape.depth(BTC, 5)[0] > depth[0]
    await again.close()


def test_the_past_is_told_in_shown_time_and_of_what_the_market_knows() -> None:
    calendar = Calendar()
    calendar.resume(NOON, NOON + 5 * 60 * SECOND)
    past = past_of(Endless(5, ("BTCUSDT",)), PACK, calendar)
    shown = (NOON + 5 * 60 * SECOND) // 10**6
    minutes = list(past(BTC, shown - 10 * MINUTE, shown))
    assert [candle.start for candle in minutes] == [shown - n * MINUTE for n in range(10, 0, -1)]
    assert minutes == list(past_of(Endless(5, ("BTCUSDT",)), PACK, calendar)(BTC, shown - 10 * MINUTE, shown))
    assert all(candle.low <= candle.close <= candle.high and candle.bought <= candle.lots for candle in minutes)
    assert list(past(InstrumentId("ETHUSDT"), shown - 10 * MINUTE, shown)) == []
