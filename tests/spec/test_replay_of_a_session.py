"""A recorded session as a source of market history."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from events.chunks import encode_chunk
from events.commands import AdvanceMarket, MarkSource, OpenSession, SessionOptions
from events.instruments import InstrumentId
from events.observations import Observations
from events.store.sqlite import open_session
from events.units import SECOND, Nanos
from exchange.core.state import RULES_VERSION
from exchange.sequencer import Sequencer
from replay.recorded import FETCHED, Recorded
from replay.sources import SourceError
from tests.captures import PACK
from tests.command_line import ringfence
from tests.playing import capture
from tests.spec.tape import printed, tape
from tests.spec.words import BUY

NAME = InstrumentId("BTCUSDT")


def session(path: Path, steps: list[tuple[Observations, int, int]]) -> Path:
    """A session that applies rows of these chunks, one step after the other."""

    async def write() -> None:
        log = await open_session(path, create=True)
        sequencer = await Sequencer.open(log)
        sequencer.decide(OpenSession(Nanos(1), RULES_VERSION, PACK, SessionOptions(mark_source=MarkSource.LAST)))
        for chunk, first, last in steps:
            stored = encode_chunk(chunk)
            sequencer.add_chunk(stored, chunk)
            sequencer.decide(AdvanceMarket(Nanos(chunk.at[last]), NAME, stored.id, first, last))
        await sequencer.flush()
        await sequencer.close()
        await log.close()

    asyncio.run(write())
    return path


def trades(*seconds: int, lots: int = 1) -> Observations:
    return tape(*(printed(BUY, 600_000 + second, lots, at=second) for second in seconds), on=NAME)


def test_the_market_of_a_session_is_replayed_as_its_own_files_were(tmp_path: Path) -> None:
    market, first, again = capture(tmp_path), tmp_path / "first.db", tmp_path / "again.db"
    ann = ("--account", "ann:cross:20:10000", "--strategy", "examples.dip_buyer:DipBuyer")
    ringfence("replay", market, "--out", first, *ann)
    alone = ringfence("replay", market, "--json").json
    assert ringfence("replay", first, "--out", again, "--json").json["head"] == alone["head"]
    said = ringfence("replay", first, "--json", *ann).json
    assert said["head"] == ringfence("replay", market, "--json", *ann).json["head"]


def test_chunks_are_fetched_some_at_a_time_and_counted_by_their_size(tmp_path: Path) -> None:
    chunks = [trades(10 * n, 10 * n + 5) for n in range(1, FETCHED + 3)]
    path = session(tmp_path / "many.db", [(chunk, 0, 1) for chunk in chunks])
    (source,) = Recorded(path).sources(PACK, tmp_path)
    assert list(source) == list(source) == chunks
    assert source.position == sum(len(encode_chunk(chunk).data) for chunk in chunks)
    assert source.report.span == (10 * SECOND, (10 * len(chunks) + 5) * SECOND)
    assert source.locate(1, NAME) == f"{path}:BTCUSDT row 2"


def test_chunks_that_were_played_side_by_side_are_so_again(tmp_path: Path) -> None:
    early, late, next_one = trades(1, 4), trades(2, 5, lots=2), trades(6, 7)
    steps = [(early, 0, 0), (late, 0, 0), (early, 1, 1), (late, 1, 1), (next_one, 0, 1)]
    path = session(tmp_path / "two.db", steps)
    assert [list(source) for source in Recorded(path).sources(PACK, tmp_path)] == [[early, next_one], [late]]
    said = ringfence("replay", path, "--mark", "last", "--json").json
    assert said["observations"] == 6


def test_a_session_without_market_data_is_no_source(tmp_path: Path) -> None:
    path = session(tmp_path / "bare.db", [])
    with pytest.raises(SourceError, match=r"holds no market data; give a session that a replay made"):
        Recorded(path).sources(PACK, tmp_path)
    assert ringfence("replay", path, status=2).complaint.endswith("give a session that a replay made")
