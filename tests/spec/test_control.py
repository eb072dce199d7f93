"""A replay under way in somebody's hands: when things happen is theirs to say, what happens is not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from events.codec import decode_body
from events.commands import AccountId, PlaceOrder
from events.facts import MarkPriceMoved, Traded
from events.log import Head
from events.record import Batch
from events.store.memory import MemoryLog
from events.units import SECOND
from examples.quoter import Quoter
from exchange.core.snapshot import encode
from exchange.rebuild import rebuild
from exchange.sequencer import Sequencer
from replay.clock import ManualClock, WallClock
from replay.control import Control, NoWayBack
from replay.moments import moments
from replay.player import Player
from replay.sources import open_source
from replay.traders import Trader
from tests.captures import PACK
from tests.loop import in_loop, turns
from tests.playing import AS_RECORDED, capture, market, play, trader
from tests.strategies import Gambler


def traders() -> list[Trader]:
    return [trader(Gambler()), trader(Quoter(), "ben")]


Held = Callable[[Control, Player], Awaitable[None]]


class Under:
    """A replay under control, in memory, with a clock of its own."""

    def __init__(self, folder: Path, **how: object) -> None:
        self.clock = ManualClock()
        self.control = Control(clock=self.clock, **how)  # type: ignore[arg-type]
        self.log = MemoryLog()
        self.folder = folder

    async def run(self, held: Held | None = None) -> Head:
        """Play it all, while somebody holds the controls; the head of the log."""
        sequencer = await Sequencer.open(self.log)
        sources = [open_source(capture(self.folder, market(20)), PACK)]
        self.player = Player(sequencer, sources, traders(), control=self.control)
        playing = asyncio.create_task(self.player.run(PACK, AS_RECORDED))
        if held:
            await held(self.control, self.player)
        await playing
        await sequencer.close()
        return await self.log.head()


@pytest.fixture(scope="module")
def head(tmp_path_factory: pytest.TempPathFactory) -> Head:
    """What the log comes to without anybody at the controls."""
    return play(capture(tmp_path_factory.mktemp("market"), market(20)), traders=traders()).head


@pytest.mark.parametrize("speed", ["0.1", "1", "7/3", "1000", "max"])
@in_loop
async def test_no_speed_changes_a_byte(tmp_path: Path, head: Head, speed: str) -> None:
    assert await Under(tmp_path, speed=speed).run() == head


@in_loop
async def test_no_pause_step_hurry_or_change_of_speed_changes_a_byte(tmp_path: Path, head: Head) -> None:
    async def held(control: Control, player: Player) -> None:
        for n in range(10):
            control.step(n // 2, moments("mark") if n % 3 else moments())
            await control.still()
            control.set_speed(["1", "100", "max"][n % 3])
            control.toggle()
            control.toggle()
            if n == 9:
                await control.seek(player.state.now + 2 * SECOND)
        control.play(3 * SECOND)
        await control.still()
        control.play()

    assert await Under(tmp_path, is_playing=False).run(held) == head


@pytest.mark.parametrize(("speed", "times"), [("1", 1.0), ("10", 0.1), ("0.5", 2.0)])
@in_loop
async def test_a_replay_takes_as_long_as_its_market_divided_by_the_speed(
    tmp_path: Path, speed: str, times: float
) -> None:
    under = Under(tmp_path, speed=speed)
    await under.run()
    span = under.player.progress.at - under.player.first_at
    assert sum(under.clock.waited) == pytest.approx(span * times, rel=0.06)


@in_loop
async def test_nothing_is_shown_before_its_time(tmp_path: Path) -> None:
    under = Under(tmp_path)
    early: list[int] = []

    async def held(control: Control, player: Player) -> None:
        note = player._sequencer.on_batch
        assert note

        def look(batch: Batch) -> None:
            if player.progress.at:
                early.append(batch.at - player.first_at - under.clock.now())
            note(batch)

        player._sequencer.on_batch = look

    await under.run(held)
    assert len(early) > 20
    assert max(early) <= SECOND, "the first of all happens at once, whenever in its second it is"


@in_loop
async def test_a_step_goes_on_to_what_was_asked_for_and_pauses_there(tmp_path: Path) -> None:
    seen: list[Batch | None] = []

    async def held(control: Control, player: Player) -> None:
        control.step(1, moments("fill", AccountId("ann")))
        await control.still()
        seen.append(control.last)
        control.step(2, moments("mark"))
        await control.still()
        seen.append(control.last)
        assert not control.is_playing
        control.set_speed("max")
        control.play()

    await Under(tmp_path, is_playing=False).run(held)
    fill, mark = seen
    assert fill
    assert mark
    assert any(isinstance(fact, Traded) for fact in fill.facts)
    assert any(isinstance(fact, MarkPriceMoved) for fact in mark.facts)


@in_loop
async def test_it_goes_on_to_a_time_and_never_back(tmp_path: Path) -> None:
    async def held(control: Control, player: Player) -> None:
        control.step()
        await control.still()
        await control.seek(player.first_at + 12 * SECOND)
        await control.still()
        assert 11 * SECOND < player.state.now - player.first_at <= 12 * SECOND
        assert control.now == player.first_at + 12 * SECOND
        with pytest.raises(NoWayBack, match=r"2024-.*Z is over; the key r, or `ringfence play`, looks back"):
            await control.seek(player.first_at + 5 * SECOND)
        with pytest.raises(NoWayBack, match="looks back at what was"):
            await control.step_back()
        control.stop()

    await Under(tmp_path, is_playing=False).run(held)


@in_loop
async def test_who_stops_it_keeps_a_whole_session_up_to_there(tmp_path: Path, head: Head) -> None:
    async def held(control: Control, player: Player) -> None:
        control.step(5)
        await control.still()
        control.stop()

    under = Under(tmp_path, is_playing=False)
    short = await under.run(held)
    assert 0 < short.batch < head.batch
    assert await under.log.head() == short
    assert encode((await rebuild(under.log)).state) == encode(under.player.state)


@in_loop
async def test_orders_are_placed_by_hand_while_it_pauses(tmp_path: Path) -> None:
    async def held(control: Control, player: Player) -> None:
        control.step(3, moments("mark"))
        await control.still()
        bought = await control.wish(lambda who: who.context("ann").buy("BTCUSDT", "0.01"))
        assert bought
        control.set_speed("max")
        control.play()

    under = Under(tmp_path, is_playing=False)
    await under.run(held)
    batches = [decode_body(stored.number, stored.body) async for stored in under.log.read()]
    orders = [batch.command for batch in batches if isinstance(batch.command, PlaceOrder)]
    assert ("ann", 10) in [(order.account, order.lots) for order in orders]


class TestWallClock:
    """The machine's own clock."""

    @in_loop
    async def test_it_goes_on(self) -> None:
        clock = WallClock()
        before = clock.now()
        await clock.wait(1, asyncio.Event())
        assert clock.now() > before

    @pytest.mark.parametrize("ns", [None, 3600 * SECOND])
    @in_loop
    async def test_a_wait_ends_as_soon_as_something_is_asked(self, ns: int | None) -> None:
        stirred = asyncio.Event()
        waiting = asyncio.create_task(WallClock().wait(ns, stirred))
        await turns()
        assert not waiting.done()
        stirred.set()
        await waiting
