"""Messages that are framed once for all who hear them: written at once where a client keeps up, else in their turn."""

from __future__ import annotations

import pytest

from gateway.binance import sockets_connection
from gateway.serving.frames import frame
from tests.binance_sockets import front
from tests.loop import in_loop
from tests.sockets import payload_of

TRADES = "btcusdt@aggTrade"


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 100_000])
def test_a_frame_says_how_long_its_message_is(size: int) -> None:
    payload = b"x" * size
    assert payload_of(frame(payload)) == payload


@in_loop
async def test_whoever_keeps_up_is_written_to_at_once() -> None:
    at = await front()
    async with at.connect(f"/ws/{TRADES}", frames=True) as raw, at.connect(f"/stream?streams={TRADES}") as wrapped:
        at.market.says(TRADES, b'{"p":"1"}')
        assert (raw.take(), raw.framed) == ([{"p": "1"}], 1)
        await wrapped.settle()
        assert (wrapped.take(), wrapped.framed) == ([{"stream": TRADES, "data": {"p": "1"}}], 0)
        assert await raw.ask({"method": "LIST_SUBSCRIPTIONS", "id": 1}) == {"result": [TRADES], "id": 1}
        assert raw.framed == 2
    await at.host.close()


@in_loop
async def test_what_waits_is_sent_before_what_came_later() -> None:
    at = await front()
    async with at.connect(f"/ws/{TRADES}", frames=True) as client:
        client.stall()
        at.market.says(TRADES, b"1")
        await client.settle()
        at.market.says(TRADES, b"2")
        client.resume()
        at.market.says(TRADES, b"3")
        await client.settle()
        assert (client.take(), client.framed) == ([1, 2, 3], 0)
        at.market.says(TRADES, b"4")
        assert (client.take(), client.framed) == ([4], 1)
    await at.host.close()


@in_loop
async def test_a_slow_reader_is_dropped_all_the_same() -> None:
    at = await front()
    async with at.connect(f"/ws/{TRADES}", frames=True) as slow:
        slow.stall()
        for n in range(sockets_connection.WAITING_MAX + 2):
            at.market.says(TRADES, b"%d" % n)
        slow.resume()
        await slow.settle(60)
        assert slow.closed == (1008, "too slow: messages were waiting")
        assert at.sockets.dropped == 1
    await at.host.close()
