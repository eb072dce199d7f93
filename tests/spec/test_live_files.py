"""A served session whose market is files: history as if it happened now, gone on with after a stop, open at its end."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from events import commands as c
from events.instruments import AssetId, InstrumentId, load_pack
from events.units import SECOND, UNIT, Atoms, Lots, Nanos, Ticks
from gateway.live.files import Files
from gateway.live.host import LiveSession
from replay.sources import SourceError
from tests.loop import in_loop
from tests.playing import capture, market
from tests.spec.test_live_session import ANN, BTC, Wall, digests

PACK = load_pack("binance-usdm")
NOW = 1_790_000_000 * SECOND


def _files(folder: Path, *seeds: int, **options: object) -> Files:
    paths = [capture(folder, market(15, seed, **options), f"market-{seed}-{len(options)}") for seed in seeds]  # type: ignore[arg-type]
    return Files(tuple(paths))


async def _opened(path: Path, files: Files, at: int = NOW) -> LiveSession:
    wall = Wall(at)
    return await LiveSession.open(path, files, wall=wall, clock=wall.clock)


async def _over(session: LiveSession) -> None:
    while not session.is_over:
        await asyncio.sleep(0)


@in_loop
async def test_history_is_shown_as_now_and_keeps_the_boundaries_of_minutes(tmp_path: Path) -> None:
    files = _files(tmp_path, 3)
    begins = files.begins(PACK, NOW)
    session = await _opened(tmp_path / "a.db", files)
    shift = session.calendar.shown(begins) - begins
    assert shift % (60 * SECOND) == 0
    assert NOW - 60 * SECOND < begins + shift <= NOW
    await session.close()


@pytest.mark.parametrize("stop", [3, 9, 14])
@in_loop
async def test_after_a_stop_it_goes_on_in_the_same_files(tmp_path: Path, stop: int) -> None:
    files = _files(tmp_path, 3)
    begins = files.begins(PACK, NOW)
    for name, stops in (("cut", (stop, 99)), ("whole", (99,))):
        for seconds in stops:
            session = await _opened(tmp_path / f"{name}.db", files, begins)
            while not session.is_over and session.venue.state.now < begins + seconds * SECOND:
                await asyncio.sleep(0)
            await session.close()
    cut, whole = await digests(tmp_path / "cut.db"), await digests(tmp_path / "whole.db")
    assert len(whole) > 100
    assert cut == whole


@in_loop
async def test_several_files_go_on_together(tmp_path: Path) -> None:
    files = _files(tmp_path, 3)
    other = _files(tmp_path, 4, symbol="ETHUSDT")
    both = Files(files.paths + other.paths)
    begins = both.begins(PACK, NOW)
    for name, stops in (("cut", (4, 9, 99)), ("whole", (99,))):
        for seconds in stops:
            session = await _opened(tmp_path / f"{name}.db", both, begins)
            while not session.is_over and session.venue.state.now < begins + seconds * SECOND:
                await asyncio.sleep(0)
            await session.close()
    assert await digests(tmp_path / "cut.db") == await digests(tmp_path / "whole.db")


@in_loop
async def test_a_file_of_several_symbols_goes_on(tmp_path: Path) -> None:
    lines = sorted((*market(6, 3), *market(6, 4, symbol="ETHUSDT")), key=lambda line: int(line.split()[0]))
    both = Files((capture(tmp_path, lines, "both"),))
    begins = both.begins(PACK, NOW)
    for name, stops in (("cut", (1.5, 3.1, 99)), ("whole", (99,))):
        for seconds in stops:
            session = await _opened(tmp_path / f"{name}.db", both, begins)
            while not session.is_over and session.venue.state.now < begins + int(seconds * SECOND):
                await asyncio.sleep(0)
            await session.close()
    played = [name for name, contract in session.venue.state.contracts.items() if contract.feed.observations]
    assert played == ["BTCUSDT", "ETHUSDT"]
    assert await digests(tmp_path / "cut.db") == await digests(tmp_path / "whole.db")


@in_loop
async def test_other_files_than_those_it_began_with_are_refused(tmp_path: Path) -> None:
    files = _files(tmp_path, 3)
    begins = files.begins(PACK, NOW)
    session = await _opened(tmp_path / "a.db", files, begins)
    while session.venue.state.now < begins + 8 * SECOND:
        await asyncio.sleep(0)
    await session.close()
    with pytest.raises(SourceError, match="was made of other history; give the files that it began with"):
        await _opened(tmp_path / "a.db", _files(tmp_path, 8), begins)
    session = await _opened(tmp_path / "a.db", files, begins)
    await session.close()


@in_loop
async def test_at_its_end_trading_stays_open_with_the_last_book(tmp_path: Path) -> None:
    session = await _opened(tmp_path / "a.db", _files(tmp_path, 3))
    await _over(session)
    venue = session.venue
    assert session.is_ready
    await venue.ask(c.OpenAccount(venue.now, ANN, venue.request()))
    await venue.ask(c.Deposit(venue.now, ANN, venue.request(), AssetId("USDT"), Atoms(10_000 * UNIT)))
    bought = c.PlaceOrder(venue.now, ANN, venue.request(), venue.number(ANN), BTC, c.Side.BUY, Lots(5), None)
    assert (await venue.ask(bought)).reason is None
    assert [fill.lots for fill in session.blotter.fills(ANN, BTC)] == [5]
    until = Nanos(venue.now + 700 * SECOND)
    rests = c.PlaceOrder(
        venue.now, ANN, venue.request(), venue.number(ANN), BTC, c.Side.BUY, Lots(5), Ticks(500_000),
        c.TimeInForce.GTD, good_till=until,
    )  # fmt: skip
    assert (await venue.ask(rests)).reason is None
    while session.blotter.open_orders(ANN):
        await asyncio.sleep(0)
    assert venue.state.now >= until
    await session.close()

    session = await _opened(tmp_path / "a.db", _files(tmp_path, 3))
    await _over(session)
    assert session.venue.state.accounts[ANN].positions[InstrumentId("BTCUSDT")].lots == 5
    await session.close()


@in_loop
async def test_a_file_with_nothing_to_play_is_refused_and_leaves_no_session(tmp_path: Path) -> None:
    path = capture(tmp_path, ["1709640000000000000 {}\n"], "empty")
    with pytest.raises(SourceError):
        await _opened(tmp_path / "a.db", Files((path,)))
    assert [path.name for path in tmp_path.iterdir()] == ["empty"]


def test_a_file_that_the_rules_do_not_fit_is_refused_with_what_would_fit(tmp_path: Path) -> None:
    path = tmp_path / "BTCUSDT-1m.csv"
    path.write_text("1621209600000,46426.83,46427.9,46400.1,46410.2,1.5,1621209659999,69615.0,9,0.7,32487.1,0\n")
    with pytest.raises(SourceError, match=r"46426.83 is not a whole number of ticks of 0.1; .*`ringfence pack fit`"):
        Files((path,)).begins(PACK, NOW)


@in_loop
async def test_a_recorded_session_is_a_market_too(tmp_path: Path) -> None:
    first = await _opened(tmp_path / "a.db", _files(tmp_path, 3))
    await _over(first)
    await first.close()
    for _ in range(2):
        again = await _opened(tmp_path / "b.db", Files((tmp_path / "a.db",)))
        await _over(again)
        feeds = [session.venue.state.contracts[BTC].feed for session in (first, again)]
        assert feeds[0].observations == feeds[1].observations > 0
        assert feeds[0].volume == feeds[1].volume
        await again.close()
