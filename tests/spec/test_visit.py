"""A session looked at again: whatever way leads to a moment, it is the one that the facts add up to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.commands import AccountId
from events.facts import LiquidationStarted, MarkPriceMoved, Refused, Traded
from events.log import Head, StoredBatch
from events.record import Batch
from events.store.memory import MemoryLog
from events.units import SECOND
from examples.quoter import Quoter
from exchange.core.snapshot import STATE_VERSION, encode
from exchange.core.state import State
from exchange.rebuild import rebuild
from exchange.snapshots import taken
from replay.clock import ManualClock
from replay.control import Control, Over
from replay.moments import NoSuchKind, moments
from replay.spacing import Spacing
from replay.travel import NoSuchMoment
from replay.visit import Visit
from tests.captures import write
from tests.loop import in_loop
from tests.playing import market, play, trader
from tests.strategies import Asker, Gambler

ANN, BEN = AccountId("ann"), AccountId("ben")


class CountingLog(MemoryLog):
    """A log that counts the batches that are read from it."""

    batches_read = 0

    async def read(self, after: int = 0) -> AsyncGenerator[StoredBatch, None]:
        async for stored in super().read(after):
            self.batches_read += 1
            yield stored


@dataclass
class Recorded:
    """A session with a crash in it, its batches, and its state after each of them."""

    log: CountingLog
    batches: list[Batch]
    states: list[bytes]

    def at(self, number: int) -> int:
        """Session time of a batch."""
        return self.batches[number - 1].at

    def last_up_to(self, at: int) -> int:
        return max(batch.number for batch in self.batches if batch.at <= at)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    log = CountingLog()
    path = write(tmp_path_factory.mktemp("market") / "market", market(20))
    traders = [trader(Gambler(), leverage=20), trader(Quoter(), "ben"), trader(Asker(), "cat")]
    played = play(path, traders=traders, log=log)
    return asyncio.run(_recorded(log, played.batches))


async def _recorded(log: CountingLog, batches: list[Batch]) -> Recorded:
    log._snapshots.clear()
    visit, states = Visit(log), [encode(State())]
    while await visit.forward():
        states.append(encode(visit.state))
    assert states[-1] == encode((await rebuild(log)).state)
    return Recorded(log, batches, states)


@settings(max_examples=25)
@given(st.data())
def test_every_moment_is_what_a_rebuild_of_the_log_gives(recorded: Recorded, data: st.DataObject) -> None:
    numbers = data.draw(st.lists(st.integers(0, len(recorded.batches)), min_size=1, max_size=8))
    apart = data.draw(st.sampled_from([50, 1_000, 10_000]))
    kept = data.draw(st.sets(st.integers(1, len(recorded.batches)), max_size=2))

    @in_loop
    async def travel() -> None:
        recorded.log._snapshots.clear()
        for batch in sorted(kept):
            visit = Visit(recorded.log)
            await visit.seek_batch(batch)
            await recorded.log.keep(taken(visit.state, visit.head))
        visit = Visit(recorded.log)
        visit._spacing = Spacing(apart)
        for number in numbers:
            await visit.seek_batch(number)
            assert visit.head.batch == number
            assert encode(visit.state) == recorded.states[number]
        state, head = await rebuild(recorded.log, until=numbers[-1])
        assert (encode(visit.state), visit.head) == (encode(state), head)
        await visit.close()
        recorded.log._snapshots.clear()

    travel()


class TestSeeking:
    """A moment is a time, or a record."""

    @in_loop
    async def test_at_a_time_all_has_happened_up_to_then(self, recorded: Recorded) -> None:
        visit = Visit(recorded.log)
        for number in (40, 20, 41, 40):
            await visit.seek(recorded.at(number))
            assert visit.head.batch == recorded.last_up_to(recorded.at(number))
            assert visit.at == recorded.at(number)
        await visit.seek(recorded.at(len(recorded.batches)) + 3600 * SECOND)
        assert visit.head.batch == len(recorded.batches)
        await visit.close()

    @in_loop
    async def test_a_record_lies_in_the_batch_that_led_there(self, recorded: Recorded) -> None:
        visit = Visit(recorded.log)
        for record in (30, 100, 29, 1):
            await visit.seek_record(record)
            assert visit.batch is not None
            assert visit.batch.first_seq <= record <= visit.batch.last_seq
            assert visit.head.seq == visit.batch.last_seq
        await visit.close()

    @in_loop
    async def test_what_is_not_there_is_told_and_it_stays_where_it_is(self, recorded: Recorded) -> None:
        visit = Visit(recorded.log)
        await visit.seek_batch(9)
        with pytest.raises(NoSuchMoment, match="nothing had happened yet"):
            await visit.seek(5)
        with pytest.raises(NoSuchMoment, match="the session has records 1 to"):
            await visit.seek_record(10**9)
        assert visit.head.batch == 9
        await visit.close()

    @in_loop
    async def test_forward_it_goes_on_from_where_it_is(self, recorded: Recorded) -> None:
        visit = Visit(recorded.log)
        await visit.seek_batch(30)
        recorded.log.batches_read = 0
        await visit.seek_batch(35)
        assert recorded.log.batches_read == 5
        await visit.close()

    @in_loop
    async def test_a_snapshot_of_the_log_that_is_nearer_is_taken_instead(self, recorded: Recorded) -> None:
        log = recorded.log
        for number in (10, 50):
            await log.keep(taken(*await rebuild(log, until=number)))
        visit = Visit(log)
        await visit.seek_batch(5)
        log.batches_read = 0
        await visit.seek_batch(52)
        assert log.batches_read == 2
        assert await log.snapshot(STATE_VERSION, 49) is not None
        log.batches_read = 0
        await visit.seek_batch(12)
        assert log.batches_read == 2
        log._snapshots.clear()
        await visit.close()

    @in_loop
    async def test_who_goes_back_often_starts_near_from_snapshots_of_its_own(
        self, recorded: Recorded, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("replay.visit.LESS_DEAR", 10**9)
        visit = Visit(recorded.log)
        visit._spacing = Spacing(200)
        await visit.seek_batch(len(recorded.batches))
        for number in range(len(recorded.batches) - 1, 40, -1):
            recorded.log.batches_read = 0
            await visit.seek_batch(number)
            assert recorded.log.batches_read <= 25
        await visit.close()

    @in_loop
    async def test_its_own_snapshots_are_bounded(self, recorded: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("replay.visit.KEPT_BYTES", 3 * len(recorded.states[-1]))
        visit = Visit(recorded.log)
        visit._spacing = Spacing(50)
        await visit.seek_batch(len(recorded.batches))
        assert 1 <= len(visit._own) <= 4
        await visit.seek_batch(2)
        assert encode(visit.state) == recorded.states[2]
        await visit.close()

    @in_loop
    async def test_of_many_chunks_a_few_are_held(self, recorded: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("replay.visit.CHUNKS_KEPT", 0)
        visit = Visit(recorded.log)
        await visit.forward()
        assert not visit._chunks
        await visit.close()


class TestStepping:
    """Steps count batches, or those with something of interest in them, forwards and backwards."""

    @pytest.mark.parametrize(
        ("name", "account", "kind"),
        [
            ("fill", None, Traded),
            ("fill", BEN, Traded),
            ("traded", ANN, Traded),
            ("mark", BEN, MarkPriceMoved),
            ("liquidation", ANN, LiquidationStarted),
            ("refusal", AccountId("cat"), Refused),
        ],
    )
    @in_loop
    async def test_forwards_it_meets_each_of_them_and_backwards_the_same(
        self, recorded: Recorded, name: str, account: AccountId | None, kind: type
    ) -> None:
        counts = moments(name, account)
        visit, met = Visit(recorded.log), []
        while await visit.step(1, counts):
            assert visit.batch is not None
            met.append(visit.head.batch)
        assert met == [batch.number for batch in recorded.batches if counts(batch)]
        assert any(isinstance(fact, kind) for number in met for fact in recorded.batches[number - 1].facts)
        back = []
        while await visit.step(-1, counts):
            back.append(visit.head.batch)
        assert back == [number for number in reversed(met) if number < len(recorded.batches)]
        assert visit.head == Head()
        await visit.close()

    def test_an_account_meets_only_what_concerns_it(self, recorded: Recorded) -> None:
        fills = {account: {b.number for b in recorded.batches if moments("fill", account)(b)} for account in (ANN, BEN)}
        assert fills[ANN] != fills[BEN]
        assert fills[ANN] | fills[BEN] <= {b.number for b in recorded.batches if moments("fill")(b)}

    def test_what_is_not_known_is_told(self) -> None:
        with pytest.raises(
            NoSuchKind, match=r"^'fils'; give batch, fill, mark, .*, or the kind of a fact, such as traded"
        ):
            moments("fils")

    @in_loop
    async def test_several_at_once(self, recorded: Recorded) -> None:
        visit = Visit(recorded.log)
        assert await visit.step(12, moments())
        assert await visit.step(-5, moments())
        assert visit.head.batch == 7
        assert not await visit.step(-9, moments())
        assert visit.head.batch == 0
        assert not await visit.step(10**6, moments())
        assert visit.head.batch == len(recorded.batches)
        await visit.close()

    @in_loop
    async def test_backwards_it_looks_through_page_after_page(
        self, recorded: Recorded, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("replay.visit.PAGE", 3)
        counts = moments("session_opened")
        visit = Visit(recorded.log)
        await visit.seek_batch(60)
        assert await visit.step(-1, counts)
        assert visit.head.batch == 1
        await visit.close()


Held = Callable[[Control], Awaitable[None]]


async def played(recorded: Recorded, control: Control, held: Held, begin: int = 1) -> Visit:
    """Play the session from a batch on while somebody holds the controls, until he lets go."""
    visit = Visit(recorded.log)
    await visit.seek_batch(begin)
    playing = asyncio.create_task(visit.play(control))
    await held(control)
    control.stop()
    await playing
    return visit


class TestPlaying:
    """The session as it went, at any speed."""

    @in_loop
    async def test_it_takes_as_long_as_it_took_divided_by_the_speed(self, recorded: Recorded) -> None:
        clock = ManualClock()

        async def held(control: Control) -> None:
            while not control.is_at_end:
                await asyncio.sleep(0)

        visit = await played(recorded, Control(4, clock=clock), held)
        assert visit.head.batch == len(recorded.batches)
        span = recorded.at(len(recorded.batches)) - recorded.at(1)
        assert sum(clock.waited) == pytest.approx(span / 4, abs=1000)

    @in_loop
    async def test_a_length_of_it_then_a_pause(self, recorded: Recorded) -> None:
        async def held(control: Control) -> None:
            for _ in range(3):
                control.play(2 * SECOND)
                await control.still()

        visit = await played(recorded, Control("max", is_playing=False, clock=ManualClock()), held)
        assert visit.head.batch == recorded.last_up_to(recorded.at(1) + 6 * SECOND)

    @in_loop
    async def test_back_and_forth_while_it_plays(self, recorded: Recorded) -> None:
        async def held(control: Control) -> None:
            await control.seek(recorded.at(50))
            await control.seek_record(40)
            await control.seek(recorded.at(30))
            await control.step_back(3)
            assert not control.is_playing
            assert control.now == recorded.at(recorded.last_up_to(recorded.at(30)) - 3)
            with pytest.raises(NoSuchMoment):
                await control.seek(3)
            control.step(2)
            await control.still()

        visit = await played(recorded, Control("0.1"), held)
        assert visit.head.batch == recorded.last_up_to(recorded.at(30)) - 1

    @in_loop
    async def test_a_loop_is_played_until_it_is_let_go_of(self, recorded: Recorded) -> None:
        start, end = recorded.at(20), recorded.at(40)
        seen: list[int] = []

        async def held(control: Control) -> None:
            control.set_loop(start, end)
            control.play(3 * (end - start) + 1)
            await control.still()
            seen.append(control.now)
            assert control.as_object()["loop"] == [start, end]
            control.end_loop()
            control.play()
            while not control.is_at_end:
                await asyncio.sleep(0)

        log = recorded.log
        visit = Visit(log)
        met: list[int] = []
        visit.on_batch = lambda batch: met.append(batch.at)
        await visit.seek(start)
        control = Control("max", is_playing=False, clock=ManualClock())
        playing = asyncio.create_task(visit.play(control))
        met.clear()
        await held(control)
        control.stop()
        await playing
        assert sum(later < earlier for earlier, later in pairwise(met)) >= 2
        assert start <= seen[0] <= end + 1
        assert visit.head.batch == len(recorded.batches)

    @in_loop
    async def test_a_loop_with_nothing_in_it_pauses(self, recorded: Recorded) -> None:
        far = recorded.at(len(recorded.batches)) + SECOND

        async def held(control: Control) -> None:
            control.set_loop(far, far + 1)
            control.play()
            await control.still()
            assert not control.is_playing

        await played(recorded, Control("max", clock=ManualClock()), held)

    def test_a_loop_ends_after_it_begins(self) -> None:
        with pytest.raises(ValueError, match="a loop ends after it begins"):
            Control().set_loop(5, 5)

    @in_loop
    async def test_nothing_can_be_wished_for_once_it_is_over(self, recorded: Recorded) -> None:
        control = Control("max", is_playing=False)

        async def held(control: Control) -> None:
            control.pause()

        await played(recorded, control, held)
        await control.still()
        with pytest.raises(Over):
            await control.seek(1)
