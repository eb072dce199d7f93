"""The venue: what a client hears, when, and that it never outruns the log."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from events import commands as c
from events.store.memory import MemoryLog
from events.store.memory_views import MemoryViews
from events.units import Lots, Ticks
from gateway.serving.models import Moment, Shelf
from gateway.serving.venue import Overloaded, Venue
from tests.loop import in_loop
from tests.serving import BTC, served


class Seen:
    """A read model that remembers which batches it folded, and of which rows."""

    name, version = "seen", 1

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.rows = 0

    def fold(self, moment: Moment) -> None:
        self.batches.append(moment.batch.number)
        self.rows += 0 if moment.columns is None else len(moment.columns)

    def dump(self) -> bytes:
        return ",".join(map(str, (self.rows, *self.batches))).encode()

    def load(self, data: bytes) -> None:
        self.rows, *self.batches = map(int, data.split(b","))


def _order(venue: Venue, account: c.AccountId) -> c.PlaceOrder:
    return c.PlaceOrder(
        venue.now, account, venue.request(), venue.number(account), BTC, c.Side.BUY, Lots(100), Ticks(500_000)
    )


@in_loop
async def test_models_and_listeners_know_of_a_batch_before_its_sender_is_answered() -> None:
    seen = Seen()
    host = await served(models=(seen,))
    heard: list[int] = []
    host.venue.listen(lambda moment: heard.append(moment.batch.number))
    account = await host.account("ann")
    acknowledged = await host.venue.ask(_order(host.venue, account))
    assert acknowledged.batch is not None
    assert seen.batches[-1] == heard[-1] == acknowledged.batch.number
    assert seen.batches == list(range(2, acknowledged.batch.number + 1))
    await host.close()


@in_loop
async def test_a_listener_that_ended_hears_nothing_more() -> None:
    host = await served()
    heard: list[Moment] = []
    end = host.venue.listen(heard.append)
    await host.account("ann")
    end()
    count = len(heard)
    await host.account("bob")
    assert len(heard) == count > 0
    await host.close()


@in_loop
async def test_orders_asked_for_together_have_numbers_of_their_own() -> None:
    host = await served()
    account = await host.account("ann")
    orders = [_order(host.venue, account) for _ in range(5)]
    answers = await asyncio.gather(*map(host.venue.ask, orders))
    assert [order.number for order in orders] == [1, 2, 3, 4, 5]
    assert all(answer.reason is None for answer in answers)
    await host.close()


@in_loop
async def test_whoever_asks_too_much_at_once_is_told_so_and_nothing_is_decided() -> None:
    host = await served()
    account = await host.account("ann")
    venue = Venue(host.sequencer, host.venue.calendar, lambda: host.at, start="b", most=2)
    asked = [asyncio.ensure_future(venue.ask(_order(venue, account))) for _ in range(2)]
    await asyncio.sleep(0)
    with pytest.raises(Overloaded, match="ask again later"):
        await venue.ask(_order(venue, account))
    await asyncio.gather(*asked)
    await venue.ask(_order(venue, account))
    await host.close()


@in_loop
async def test_what_is_settled_is_durable() -> None:
    host = await served()
    host.move("60100")
    seq = host.venue.state.seq
    assert host.venue.durable.seq < seq
    await host.venue.settled()
    assert host.venue.durable.seq >= seq
    await host.close()


@in_loop
async def test_models_that_were_kept_are_caught_up_with_the_log_and_others_folded_from_its_beginning() -> None:
    log, views, first = MemoryLog(), MemoryViews(), Seen()
    host = await served(models=(first,), log=log)
    await host.account("ann")
    await Shelf(log, views, (first,)).save(host.venue.durable)
    kept = list(first.batches)
    host.move("60100")
    await host.venue.settled()
    again, fresh = Seen(), _Other()
    heard: list[Any] = []
    await Shelf(log, views, (again, fresh)).open(heard.append)
    assert again.batches == first.batches != kept
    assert again.rows == first.rows > 0
    assert fresh.batches == [1, *first.batches]
    assert heard == fresh.batches
    await host.close()


@in_loop
async def test_a_model_kept_of_another_session_is_folded_anew() -> None:
    views, seen = MemoryViews(), Seen()
    host = await served(models=(seen,))
    await host.account("ann")
    await Shelf(MemoryLog(), views, (seen,)).save(host.venue.durable)
    other = MemoryLog()
    another = await served("50000", log=other)
    await another.account("bob")
    again = Seen()
    await Shelf(other, views, (again,)).open()
    assert again.batches == list(range(1, another.venue.durable.batch + 1))
    await host.close()
    await another.close()


class _Other(Seen):
    name = "other"
