"""Projections that keep their place: each batch once, whatever fails, and each projection by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping

import pytest
from structlog.testing import capture_logs

from events import commands as c
from events.log import ClosedLog, DamagedLog, EventLog, Head, UnwritableLog
from events.store.memory import MemoryLog
from events.store.memory_views import MemoryViews
from events.views import KeptView, decode_row
from exchange.projections.candles import MINUTE, Candle, Candles
from exchange.projections.kept import Projector, Rows
from exchange.projections.running import Projections
from exchange.projections.turnover import Turnover, Volume
from exchange.sequencer import Sequencer
from tests.loop import in_loop, turns
from tests.spec.hosting import hosted
from tests.spec.words import BUY, GOLD, SELL


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr("exchange.projections.running.RETRY_SECONDS", 0)
    with capture_logs():
        yield


async def traded(sequencer: Sequencer, number: int, price: int = 100, at: int = 5) -> None:
    """Ann buys a lot of bob."""
    for name, side in (("bob", SELL), ("ann", BUY)):
        await sequencer.submit(c.PlaceOrder(at, name, f"trade {number}", number, GOLD, side, 1, price))


class FailingViews(MemoryViews):
    """Views whose next saves fail, before they are done or after."""

    def __init__(self) -> None:
        super().__init__()
        self.before = self.after = 0
        self.saves = 0

    async def save(self, name: str, expected: Head, place: Head, changes: Mapping[str, bytes | None]) -> None:
        if self.before:
            self.before -= 1
            raise UnwritableLog("the disk is full")
        await super().save(name, expected, place, changes)
        self.saves += 1
        if self.after:
            self.after -= 1
            raise UnwritableLog("the disk failed after it was done")


async def volume(views: MemoryViews, name: str = "ann") -> Volume:
    """What the kept view says that somebody traded."""
    kept = await views.load("turnover")
    assert kept
    return decode_row(kept.rows[f"{name} {GOLD}"], Volume)


@in_loop
async def test_a_projection_folds_what_is_there_and_what_comes() -> None:
    log, views = MemoryLog(), MemoryViews()
    sequencer = await hosted(log)
    projections = Projections(log, views, [Turnover(), Candles()])
    await turns()
    assert await volume(views) == Volume(trades=1, lots=5, value=500)
    await traded(sequencer, 2, price=103)
    await traded(sequencer, 3, price=99, at=6)
    await traded(sequencer, 4, price=101, at=2 * MINUTE)
    await turns()
    assert await volume(views) == await volume(views, "bob") == Volume(trades=4, lots=8, value=803)
    assert projections.rows("candles") == {
        f"{GOLD} 0": Candle(open=100, high=103, low=99, close=99, lots=12),
        f"{GOLD} {2 * MINUTE}": Candle(open=101, high=101, low=101, close=101, lots=1),
    }
    assert projections.place("candles") == projections.place("turnover") == (await log.head()).batch
    await projections.close()
    await sequencer.close()


@pytest.mark.parametrize("when", ["before", "after"])
@in_loop
async def test_a_batch_is_folded_once_though_saving_fails_before_it_is_done_or_after(when: str) -> None:
    log, views = MemoryLog(), FailingViews()
    sequencer = await hosted(log)
    projections = Projections(log, views, [Turnover()])
    await turns()
    setattr(views, when, 2)
    for number in range(2, 7):
        await traded(sequencer, number)
        await turns()
    assert await volume(views) == Volume(trades=6, lots=10, value=1000)
    await projections.close()
    await sequencer.close()


@in_loop
async def test_a_projection_goes_on_where_another_process_left_it() -> None:
    log, views = MemoryLog(), FailingViews()
    sequencer = await hosted(log)
    for number in (2, 3):
        projections = Projections(log, views, [Turnover()])
        await traded(sequencer, number)
        await turns()
        await projections.close()
    assert await volume(views) == Volume(trades=3, lots=7, value=700)
    assert views.saves <= 4
    await sequencer.close()


@in_loop
async def test_two_that_fold_one_view_do_not_fold_a_batch_twice() -> None:
    log, views = MemoryLog(), MemoryViews()
    sequencer = await hosted(log)
    both = [Projections(log, views, [Turnover()]) for _ in range(2)]
    for number in (2, 3, 4):
        await traded(sequencer, number)
        await turns()
    await turns(100)
    assert await volume(views) == Volume(trades=4, lots=8, value=800)
    for projections in both:
        await projections.close()
    await sequencer.close()


class Newer(Turnover):
    """Another way to fold under the same name."""

    version = 2


@pytest.mark.parametrize("kept", ["of another version", "of another log", "of a longer log"])
@in_loop
async def test_a_view_that_is_not_of_this_projection_and_log_is_folded_anew(kept: str) -> None:
    log, views = MemoryLog(), MemoryViews()
    sequencer = await hosted(log)
    head = await log.head()
    wrong = {"ann GOLD": b'{"trades":9,"lots":9,"value":9}', "eve GOLD": b'{"trades":9,"lots":9,"value":9}'}
    places = {
        "of another version": (1, head),
        "of another log": (2, head._replace(digest=bytes(32))),
        "of a longer log": (2, head._replace(batch=head.batch + 9)),
    }
    await views.replace("turnover", KeptView(*places[kept], wrong))
    projections = Projections(log, views, [Newer()])
    await turns()
    assert await volume(views) == Volume(trades=1, lots=5, value=500)
    assert "eve GOLD" not in projections.rows("turnover")
    assert len(projections.rows("turnover")) == 4
    await projections.close()
    await sequencer.close()


@in_loop
async def test_an_empty_log_is_a_place_to_begin() -> None:
    log, views = MemoryLog(), MemoryViews()
    for _ in range(2):
        projections = Projections(log, views, [Turnover()])
        await turns()
        await projections.close()
    sequencer = await hosted(log)
    projections = Projections(log, views, [Turnover()])
    await turns()
    assert await volume(views) == Volume(trades=1, lots=5, value=500)
    await projections.close()
    await sequencer.close()


class SlowTurnover(Turnover):
    """Tells how often it folded a batch."""

    name = "slow"

    def __init__(self) -> None:
        self.folded = 0

    def fold(self, rows: Rows, batch: object) -> None:
        self.folded += 1
        super().fold(rows, batch)


@in_loop
async def test_one_projection_is_rebuilt_while_its_view_stands_and_the_others_go_on() -> None:
    log, views, slow = MemoryLog(), MemoryViews(), SlowTurnover()
    sequencer = await hosted(log)
    projections = Projections(log, views, [Turnover(), slow])
    await turns()
    before, folded = await views.load("slow"), slow.folded
    await projections.rebuild("slow")
    assert await views.load("slow") == before
    await traded(sequencer, 2)
    for name in ("slow", "turnover"):
        await projections.reached(name, (await log.head()).batch)
    assert slow.folded == 2 * folded + 2
    after = await views.load("slow")
    assert after
    assert after.rows == (await views.load("turnover")).rows
    await projections.close()
    await sequencer.close()


@in_loop
async def test_a_long_log_is_saved_in_groups_while_it_is_caught_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exchange.projections.kept.GROUP_BATCHES", 3)
    log, views = MemoryLog(), FailingViews()
    await views.replace("turnover", KeptView(1, Head(), {}))
    sequencer = await hosted(log)
    projector = Projector(log, views, Turnover())
    running = asyncio.create_task(projector.run())
    await turns()
    batches = (await log.head()).batch
    assert projector.place.batch == batches
    assert views.saves == -(-batches // 3)
    await sequencer.close()
    await log.close()
    await running


@in_loop
async def test_a_damaged_log_stops_a_projection_for_good_and_whoever_closes_is_told() -> None:
    log = MemoryLog()
    sequencer = await hosted(log)
    log._batches[3] = log._batches[3]._replace(body=b"[]")
    projections = Projections(log, MemoryViews(), [Turnover()])
    with pytest.raises(DamagedLog, match="batch 4"):
        await projections.reached("turnover", 9)
    with pytest.raises(DamagedLog, match="batch 4"):
        await projections.close()
    await sequencer.close()


@in_loop
async def test_who_waits_for_a_projection_waits_through_its_rebuild_and_no_longer_than_it_lives() -> None:
    log, views = MemoryLog(), MemoryViews()
    sequencer = await hosted(log)
    projections = Projections(log, views, [Turnover(), Candles()])
    await turns()
    last = (await log.head()).batch
    waiting = [asyncio.create_task(projections.reached(name, last + 2)) for name in ("turnover", "candles")]
    await turns()
    await projections.rebuild("turnover")
    await traded(sequencer, 2)
    await asyncio.gather(*waiting)
    late = asyncio.create_task(projections.reached("candles", last + 3))
    await turns()
    await projections.close()
    for too_late in (late, projections.reached("turnover", last + 3)):
        with pytest.raises(ClosedLog, match=r"it was closed, or its log; open them again$"):
            await too_late
    await sequencer.close()


@in_loop
async def test_who_waits_for_a_projection_learns_that_the_log_was_closed() -> None:
    log = MemoryLog()
    projections = Projections(log, MemoryViews(), [Turnover()])
    waiting = asyncio.create_task(projections.reached("turnover", 1))
    await turns()
    await log.close()
    with pytest.raises(ClosedLog, match="or its log"):
        await waiting
    await projections.close()


def test_a_row_that_is_dropped_is_a_change_too() -> None:
    rows = Rows({"a": Volume(1, 1, 1), "b": Volume(2, 2, 2)})
    rows.drop("a")
    rows.put("c", Volume(3, 3, 3))
    assert rows.take_changes() == {"a": None, "c": b'{"trades":3,"lots":3,"value":3}'}
    assert rows.take_changes() == {}
    assert list(rows) == ["b", "c"]


@in_loop
async def test_a_follower_that_is_slow_holds_up_neither_the_writer_nor_others() -> None:
    log: EventLog = MemoryLog()
    sequencer = await hosted(log)
    slow, quick = log.follow(), log.follow()
    assert (await anext(slow)).number == 1
    for number in range(2, 60):
        await traded(sequencer, number)
    last = (await log.head()).batch
    assert [(await anext(quick)).number for _ in range(last)] == [*range(1, last + 1)]
    assert [(await anext(slow)).number for _ in range(last - 1)] == [*range(2, last + 1)]
    await slow.aclose()
    await quick.aclose()
    await sequencer.close()
