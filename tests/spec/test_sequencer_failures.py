"""The sequencer when deciding or storing fails: nothing acknowledged is lost, nothing lost is acknowledged."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, MutableMapping
from typing import Any

import pytest
from structlog.testing import capture_logs

from events import commands as c
from events.chunks import encode_chunk
from events.digest import chain
from events.log import DamagedLog, NewerLog, StoredBatch, UnwritableLog
from events.record import Batch
from events.store.memory import MemoryLog
from events.units import Nanos
from exchange.core.state import Outcome, State
from exchange.core.step import step
from exchange.failures import NotAcknowledged, Stopped
from exchange.sequencer import Sequencer
from tests.loop import in_loop, turns
from tests.spec.hosting import (
    HeldLog,
    commands,
    deposit,
    history,
    hosted,
    is_what_the_log_says,
    marks,
    one_fact_a_batch,
)
from tests.spec.words import GOLD, USD

LOST = "what was asked may be lost: send it again, with the same request"
FULL = "session.db: the disk is full; make room and try again"


@pytest.fixture(autouse=True)
def logged() -> Iterator[list[MutableMapping[str, Any]]]:
    """What the host logs."""
    with capture_logs() as entries:
        yield entries


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes the core stumble, half way, over the deposit of this request."""

    def set_fault(request: str) -> None:
        def stumble(state: State, command: c.Command) -> Batch | Outcome:
            if isinstance(command, c.Deposit) and command.request == request:
                state.seq += 1
                state.accounts.clear()
                raise LookupError("books do not balance")
            return step(state, command)

        monkeypatch.setattr("exchange.sequencer.step", stumble)

    return set_fault


async def not_acknowledged(*answers: asyncio.Future[object]) -> set[str]:
    """That all of them failed; what they say."""
    results = await asyncio.gather(*answers, return_exceptions=True)
    assert all(isinstance(result, NotAcknowledged) for result in results)
    assert len({id(result) for result in results}) == len(results)
    return {str(result) for result in results}


@in_loop
async def test_what_could_not_be_stored_fails_and_the_session_goes_on_from_its_log() -> None:
    log = HeldLog()
    sequencer = await hosted(log, group=2)
    kept = await sequencer.submit(deposit("kept"))
    log.hold()
    answers = [sequencer.submit_soon(deposit(f"lost {n}")) for n in range(5)]
    gone = sequencer.submit_soon(deposit("gone"))
    await turns()
    gone.cancel()
    log.fail(UnwritableLog(FULL))
    assert await not_acknowledged(*answers) == {f"the log could not be written ({FULL}); {LOST}"}
    log.heal()
    assert (await sequencer.submit(deposit("kept"))).seq == kept.seq
    assert await is_what_the_log_says(sequencer.state, log)
    again = await sequencer.submit(deposit("lost 0"))
    assert again.seq == kept.seq + len(kept.batch.records)
    assert sequencer.durable == await log.head()
    assert await is_what_the_log_says(sequencer.state, log)
    await sequencer.close()


@in_loop
async def test_commands_that_come_during_the_rebuild_wait_for_it() -> None:
    log = HeldLog()
    sequencer = await hosted(log)
    log.hold()
    lost = sequencer.submit_soon(deposit("lost"))
    await turns()
    log.fail(UnwritableLog(FULL))
    await not_acknowledged(lost)
    early = sequencer.submit_soon(deposit("early"))
    with pytest.raises(NotAcknowledged):
        sequencer.decide(deposit("too early"))
    flush, ready = asyncio.create_task(sequencer.flush()), asyncio.create_task(sequencer.ready())
    await turns()
    assert not any(waiting.done() for waiting in (early, flush, ready))
    log.heal()
    await asyncio.gather(flush, ready)
    assert early.done()
    assert (await early).batch == (await history(log))[-1]
    await sequencer.close()


@in_loop
async def test_a_writer_that_another_one_overtook_is_refused_and_takes_over_what_that_one_wrote() -> None:
    log = MemoryLog()
    first = await hosted(log)
    second = await Sequencer.open(log)
    theirs = await first.submit(deposit("theirs"))
    with pytest.raises(
        NotAcknowledged, match=r"the log could not be written \(the log ends at batch 16, not at batch 15"
    ):
        await second.submit(deposit("mine"))
    assert (await second.submit(deposit("theirs"))).seq == theirs.seq
    assert (await second.submit(deposit("mine"))).seq == theirs.seq + len(theirs.batch.records)
    assert await is_what_the_log_says(second.state, log)
    await second.close()
    with pytest.raises(NotAcknowledged):
        await first.submit(deposit("late"))
    await first.close()


@in_loop
async def test_what_could_not_be_decided_fails_and_the_session_goes_on_from_its_log(
    faulty: Callable[[str], None],
) -> None:
    faulty("bad")
    log = HeldLog()
    sequencer = await hosted(log)
    log.hold()
    stored = sequencer.submit_soon(deposit("stored"))
    await turns()
    answers = [sequencer.submit_soon(deposit(name)) for name in ("before", "bad", "bad")]
    after = sequencer.submit_soon(deposit("after"))
    log.let_go()
    what = f"Deposit could not be decided (LookupError('books do not balance')); {LOST}"
    assert (await stored).reason is None
    assert await not_acknowledged(*answers[:2]) == {what}
    assert await not_acknowledged(answers[2]) == {what}
    assert (await after).reason is None
    assert [command.request for command in (await commands(log))[-2:]] == ["stored", "after"]
    assert await is_what_the_log_says(sequencer.state, log)
    await sequencer.close()


@in_loop
async def test_a_command_that_fails_in_its_turn_leaves_the_rest_of_the_inbox_for_later(
    faulty: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    faulty("bad")
    one_fact_a_batch(monkeypatch)
    log = HeldLog()
    sequencer = await hosted(log, linger=9999)
    log.hold()
    funding = sequencer.submit_soon(c.ApplyFunding(5, GOLD, 10_000))
    bad, after = (sequencer.submit_soon(deposit(name)) for name in ("bad", "after"))
    await turns()
    log.let_go()
    assert (await funding).reason is None
    await not_acknowledged(bad)
    assert (await after).reason is None
    names = [type(command).__name__ for command in await commands(log, 15)]
    assert names[:4] == ["ApplyFunding", "Proceed", "Proceed", "Deposit"]
    assert await is_what_the_log_says(sequencer.state, log)
    await sequencer.close()


@in_loop
async def test_the_player_learns_what_could_not_be_decided_and_what_was_lost(faulty: Callable[[str], None]) -> None:
    faulty("bad")
    log = MemoryLog()
    sequencer = await hosted(log)
    chunk = marks(GOLD, 101)
    stored = encode_chunk(chunk)
    sequencer.add_chunk(stored, chunk)
    head = sequencer.durable
    sequencer.decide(deposit("lost"))
    with pytest.raises(NotAcknowledged, match="books do not balance") as refused:
        sequencer.decide(deposit("bad"))
    assert isinstance(refused.value.__cause__, LookupError)
    with pytest.raises(NotAcknowledged, match="books do not balance"):
        await sequencer.ready()
    await sequencer.ready()
    assert sequencer.durable == head
    assert await is_what_the_log_says(sequencer.state, log)
    sequencer.decide(c.AdvanceMarket(10, GOLD, stored.id, 0, 0))
    await sequencer.flush()
    assert await log.chunk(stored.id) == stored
    await sequencer.close()


@in_loop
async def test_due_work_that_fails_is_told_to_the_player(monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(state: State, command: c.Command) -> Batch | Outcome:
        if isinstance(command, c.Proceed):
            raise LookupError("due work is broken")
        return step(state, command)

    sequencer = await hosted(MemoryLog())
    monkeypatch.setattr("exchange.sequencer.step", stumble)
    with pytest.raises(NotAcknowledged, match=r"Proceed could not be decided .*due work is broken"):
        sequencer.decide(c.ApplyFunding(5, GOLD, 10_000))
    await sequencer.ready()
    await sequencer.close()


@in_loop
async def test_a_flush_fails_where_something_was_lost() -> None:
    log = HeldLog()
    sequencer = await hosted(log)
    log.hold()
    sequencer.decide(deposit("lost"))
    flush = asyncio.create_task(sequencer.flush())
    await turns()
    log.fail(UnwritableLog(FULL))
    await not_acknowledged(flush)
    log.heal()
    await sequencer.flush()
    sequencer.decide(deposit("found"))
    await sequencer.flush()
    assert await is_what_the_log_says(sequencer.state, log)
    await sequencer.close()


@in_loop
async def test_closing_tells_of_what_was_lost_and_is_closed_nevertheless() -> None:
    log = HeldLog()
    sequencer = await hosted(log)
    log.fail(UnwritableLog(FULL))
    sequencer.decide(deposit("lost"))
    closing = asyncio.create_task(sequencer.close())
    await turns()
    assert not closing.done()
    log.heal()
    await not_acknowledged(closing)
    with pytest.raises(Stopped, match="closed"):
        sequencer.decide(deposit("more"))


@in_loop
async def test_closing_waits_for_commands_that_wait_behind_due_work_while_all_else_is_durable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one_fact_a_batch(monkeypatch)
    log = MemoryLog()
    sequencer = await hosted(log, linger=0)
    asked = [c.ApplyFunding(5, GOLD, 10_000), *(deposit(f"behind it {n}") for n in range(5))]
    answers = [sequencer.submit_soon(command) for command in asked]
    closing = asyncio.create_task(sequencer.close())
    await turns(200)
    assert closing.done()
    assert [(await answer).reason for answer in answers] == [None] * 6
    assert asked[-1] in await commands(log)


@in_loop
async def test_a_log_that_cannot_be_read_again_stops_the_sequencer(monkeypatch: pytest.MonkeyPatch) -> None:
    log = HeldLog()
    sequencer = await hosted(log, limit=3)
    log.hold()
    lost = [sequencer.submit_soon(deposit(f"lost {n}")) for n in range(3)]
    full = asyncio.create_task(sequencer.submit(deposit("full")))
    await turns()
    log.fail(UnwritableLog(FULL))
    await not_acknowledged(*lost)
    log._batches[0] = log._batches[0]._replace(body=b"[]")
    waiting = sequencer.submit_soon(deposit("waiting"))
    ready = asyncio.create_task(sequencer.ready())
    await turns()
    log.heal()
    for asked in (waiting, ready, full):
        with pytest.raises(
            Stopped, match=r"could not be rebuilt from its log \(batch 1: the digest is not that of its"
        ):
            await asked
    with pytest.raises(Stopped, match="mend it and open it again"):
        sequencer.decide(deposit("more"))
    await sequencer.close()


@in_loop
async def test_a_log_that_is_damaged_or_newer_is_not_opened() -> None:
    log = MemoryLog()
    body = b'[[1,0,{"kind":"open_session.9","at":1}]]'
    one = StoredBatch(1, 1, 1, Nanos(1), chain(bytes(32), body), body)
    await log.append([one], await log.head())
    with pytest.raises(
        NewerLog, match=r"batch 1: .*open_session\.9.*; read it with the version of Ringfence that wrote it$"
    ):
        await Sequencer.open(log)
    log._batches[0] = one._replace(body=body.replace(b"open", b"OPEN"))
    with pytest.raises(DamagedLog, match="batch 1: the digest is not that of its body"):
        await Sequencer.open(log)


def buggy(monkeypatch: pytest.MonkeyPatch, kind: type[c.Command]) -> None:
    """The core meets something that cannot be, at every command of a kind."""

    def stumble(state: State, command: c.Command) -> Batch | Outcome:
        if isinstance(command, kind):
            raise AssertionError("books do not balance")
        return step(state, command)

    monkeypatch.setattr("exchange.sequencer.step", stumble)


async def stopped_by_a_bug(sequencer: Sequencer, *answers: asyncio.Future[object]) -> None:
    """That nobody is left waiting, nothing is taken any more, and who closes is given the assertion."""
    for asked in (*answers, sequencer.flush(), sequencer.ready(), sequencer.submit(deposit("more"))):
        with pytest.raises(Stopped, match=r"met a bug \(AssertionError\('books do not") as stopped:
            await asked
        assert isinstance(stopped.value.__cause__, AssertionError)
    with pytest.raises(AssertionError, match="books do not balance"):
        await sequencer.close()


@in_loop
async def test_a_bug_stops_the_sequencer_and_is_the_error_of_who_met_it(monkeypatch: pytest.MonkeyPatch) -> None:
    log = HeldLog()
    sequencer = await hosted(log)
    log.hold()
    storing = sequencer.submit_soon(deposit("storing"))
    await turns()
    decided = sequencer.submit_soon(deposit("decided"))
    buggy(monkeypatch, c.Withdraw)
    with pytest.raises(AssertionError, match="books do not balance"):
        sequencer.submit_soon(c.Withdraw(5, "ann", "bad", USD, 1))
    log.let_go()
    assert (await storing).reason is None
    await stopped_by_a_bug(sequencer, decided)
    assert [command.request for command in (await commands(log))[-1:]] == ["storing"]


@in_loop
async def test_a_bug_in_due_work_stops_the_sequencer_and_leaves_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    reported: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: reported.append(context))
    sequencer = await hosted(MemoryLog())
    buggy(monkeypatch, c.Proceed)
    funding = sequencer.submit_soon(c.ApplyFunding(5, GOLD, 10_000))
    waiting = sequencer.submit_soon(deposit("waiting"))
    await turns()
    assert [type(context["exception"]) for context in reported] == [AssertionError]
    assert (await funding).reason is None
    await stopped_by_a_bug(sequencer, waiting)


@in_loop
async def test_a_bug_that_a_player_meets_is_not_a_lost_command(monkeypatch: pytest.MonkeyPatch) -> None:
    sequencer = await hosted(MemoryLog())
    buggy(monkeypatch, c.Deposit)
    with pytest.raises(AssertionError, match="books do not balance"):
        sequencer.decide(deposit("bad"))
    await stopped_by_a_bug(sequencer)


@in_loop
async def test_a_bug_of_the_log_stops_the_sequencer(monkeypatch: pytest.MonkeyPatch) -> None:
    log = HeldLog()
    sequencer = await hosted(log)
    log.fail(AssertionError("books do not balance"))
    answer = sequencer.submit_soon(deposit("stored?"))
    await turns()
    await stopped_by_a_bug(sequencer, answer)


@in_loop
async def test_a_bug_of_the_rebuild_stops_the_sequencer(monkeypatch: pytest.MonkeyPatch) -> None:
    async def impossible(*_: object) -> None:
        raise AssertionError("books do not balance")

    log = HeldLog()
    sequencer = await hosted(log)
    monkeypatch.setattr("exchange.sequencer.rebuild", impossible)
    log.fail(UnwritableLog(FULL))
    answer = sequencer.submit_soon(deposit("lost"))
    await not_acknowledged(answer)
    waiting = asyncio.create_task(sequencer.submit(deposit("waiting")))
    await turns()
    await stopped_by_a_bug(sequencer, waiting)
