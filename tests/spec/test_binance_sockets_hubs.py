"""Market streams with many hearers: each is told everything in order, and others have their turn in between."""

from __future__ import annotations

import asyncio
from itertools import pairwise

from gateway.binance import sockets_hubs
from gateway.binance.sockets_hubs import Hubs
from gateway.serving.frames import frame
from tests.binance_sockets import Broadcast
from tests.loop import in_loop, turns

TRADES = "btcusdt@aggTrade"


class Ear:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def push(self, text: str, framed: bytes = b"") -> None:
        assert framed == frame(text.encode())
        self.told.append(text)


def _many(count: int) -> tuple[Broadcast, Hubs, list[Ear]]:
    market, ears = Broadcast(), [Ear() for _ in range(count)]
    hubs = Hubs(market.subscribe)
    for n, ear in enumerate(ears):
        hubs.join(TRADES, ear, wraps=n % 2 == 1)
    return market, hubs, ears


@in_loop
async def test_each_of_many_is_told_everything_in_order() -> None:
    market, _, ears = _many(4 * sockets_hubs.PART)
    for n in range(3):
        market.says(TRADES, b"%d" % n)
    await turns(40)
    assert all(ear.told == ["0", "1", "2"] for ear in ears[::2])
    assert all(ear.told == [f'{{"stream":"{TRADES}","data":{n}}}' for n in range(3)] for ear in ears[1::2])


@in_loop
async def test_others_have_their_turn_between_two_parts() -> None:
    market, _, ears = _many(10 * sockets_hubs.PART)
    market.says(TRADES, b"0")
    seen = []
    for _ in range(14):
        seen.append(sum(len(ear.told) for ear in ears))
        await asyncio.sleep(0)
    assert seen[0] == 0
    assert max(later - earlier for earlier, later in pairwise(seen)) == sockets_hubs.PART
    assert seen[-1] == len(ears)


@in_loop
async def test_a_few_are_told_at_once_and_a_new_one_after_those_who_wait() -> None:
    market, hubs, (first, second) = _many(2)
    market.says(TRADES, b"0")
    assert (first.told, len(second.told)) == (["0"], 1)
    hubs.join(TRADES, last := Ear(), wraps=False)
    market.says(TRADES, b"1")
    assert last.told == ["1"]


@in_loop
async def test_what_waits_too_long_is_told_at_once() -> None:
    market, _, ears = _many(4 * sockets_hubs.PART)
    count = sockets_hubs.PARTS_MAX // 4 + 1
    for n in range(count):
        market.says(TRADES, b"%d" % n)
    assert all(len(ear.told) == count for ear in ears[::2])
    await turns()
    assert all(len(ear.told) == count for ear in ears)


@in_loop
async def test_a_stream_that_nobody_hears_is_not_subscribed_to() -> None:
    market, ear = Broadcast(), Ear()
    hubs = Hubs(market.subscribe)
    end = hubs.join(TRADES, ear, wraps=False)
    assert list(market.hearers) == [TRADES]
    end()
    assert (market.hearers, len(hubs)) == ({}, 0)
    hubs.join("nobody@knows", ear, wraps=False)()
    assert len(hubs) == 0
