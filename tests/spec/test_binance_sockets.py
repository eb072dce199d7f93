"""WebSocket connections of the Binance dialect: addresses, subscriptions, limits, slow readers and nonsense."""

from __future__ import annotations

import asyncio
import json
import random

import pytest

from events.commands import Side
from gateway.binance import sockets, sockets_connection
from gateway.binance.sockets_control import STREAMS_MAX
from gateway.binance.sockets_paths import asked
from tests.binance_sockets import Front, front
from tests.loop import in_loop

TRADES = "btcusdt@aggTrade"
DEPTH = "btcusdt@depth"


@pytest.mark.parametrize(
    ("url", "names", "wraps"),
    [
        ("/ws/btcusdt@aggTrade", ["btcusdt@aggTrade"], False),
        ("/market/ws/3", ["3"], False),
        ("/public/ws/0", ["0"], False),
        ("/ws", [], False),
        ("/ws/", [], False),
        ("/private/ws?listenKey=K", ["K"], False),
        ("/ws?listenKey=K", ["K"], False),
        ("/ws/K", ["K"], False),
        ("/stream", [], True),
        ("/private/stream", [], True),
        ("/stream?streams=a@b/c@d", ["a@b", "c@d"], True),
        ("/market/stream?streams=!ticker@arr", ["!ticker@arr"], True),
        ("/stream?streams=K&timeUnit=MICROSECOND", ["K"], True),
        ("/private/stream?listenKey=K&streams=a", ["a", "K"], True),
        ("/stream?streams=a/a//b", ["a", "b"], True),
    ],
)
def test_an_address_names_streams(url: str, names: list[str], wraps: bool) -> None:
    path, _, query = url.partition("?")
    assert asked(path, query.encode()) == (tuple(names), wraps)


@pytest.mark.parametrize("path", ["/", "", "/market", "/wss", "/fapi/v1/ping", "/stream/a", "/market/market/ws"])
def test_other_addresses_name_none(path: str) -> None:
    assert asked(path, b"") is None


@in_loop
async def test_an_address_that_names_nothing_is_refused() -> None:
    at = await front()
    async with at.connect("/nothing") as client:
        assert (client.refused, client.is_open) == (404, False)
    await at.host.close()


@in_loop
async def test_payloads_are_wrapped_on_combined_streams_alone() -> None:
    at = await front()
    async with at.connect(f"/ws/{TRADES}") as raw, at.connect(f"/stream?streams={TRADES}") as combined:
        at.market.says(TRADES, b'{"e":"aggTrade","p":"60000.0"}')
        await raw.settle()
        assert raw.take() == [{"e": "aggTrade", "p": "60000.0"}]
        assert combined.take() == [{"stream": TRADES, "data": {"e": "aggTrade", "p": "60000.0"}}]
    await at.host.close()


@in_loop
async def test_streams_are_subscribed_to_and_left_while_connected() -> None:
    at = await front()
    async with at.connect("/market/ws/7") as client:
        assert await client.ask({"method": "SUBSCRIBE", "params": [TRADES, DEPTH], "id": 1}) == {
            "result": None,
            "id": 1,
        }
        assert await client.ask({"method": "LIST_SUBSCRIPTIONS", "id": "x"}) == {
            "result": ["7", TRADES, DEPTH],
            "id": "x",
        }
        assert at.sockets.figures.streams == 2
        answer = await client.ask({"method": "UNSUBSCRIBE", "params": [TRADES, "nobody@knows"], "id": 2})
        assert answer == {"result": None, "id": 2}
        assert list(at.market.hearers) == [DEPTH]
        at.market.says(DEPTH, b"{}")
        await client.settle()
        assert client.take() == [{}]
    assert at.market.hearers == {}
    assert at.sockets.figures == (0, 0, 0)
    await at.host.close()


@in_loop
async def test_a_stream_is_heard_once_however_often_it_is_asked_for() -> None:
    at = await front()
    async with at.connect(f"/stream?streams={TRADES}") as client:
        await client.say({"method": "SUBSCRIBE", "params": [TRADES, TRADES], "id": 1})
        client.take()
        at.market.says(TRADES, b"1")
        await client.settle()
        assert client.take() == [{"stream": TRADES, "data": 1}]
    await at.host.close()


@in_loop
async def test_a_listen_key_is_a_stream_like_any_other() -> None:
    at = await front()
    ann = await at.host.account("ann")
    key = at.desk.listen_keys.start(ann)
    async with at.connect("/private/stream") as client, at.connect(f"/stream?streams={key}") as named:
        assert await client.ask({"method": "SUBSCRIBE", "params": [key], "id": 1}) == {"result": None, "id": 1}
        await at.order(ann, Side.BUY, 10, 590_000)
        await client.settle()
        (event,) = client.take()
        assert (event["stream"], event["data"]["e"]) == (key, "ORDER_TRADE_UPDATE")
        assert named.take() == [event]
        await client.say({"method": "UNSUBSCRIBE", "params": [key], "id": 2})
        client.take()
        await at.order(ann, Side.BUY, 10, 590_000)
        await client.settle()
        assert client.take() == []
    await at.host.close()


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("{", 3),
        ("", 3),
        ("[" * 100_00, 3),
        ("\x00", 3),
        ("[]", 2),
        ("7", 2),
        ("null", 2),
        ("{}", 2),
        ('{"method":"FLY","id":1}', 2),
        ('{"method":["SUBSCRIBE"],"id":1}', 2),
        ('{"method":"SUBSCRIBE","id":1}', 2),
        ('{"method":"SUBSCRIBE","params":"btcusdt@trade","id":1}', 2),
        ('{"method":"SUBSCRIBE","params":[1],"id":1}', 2),
        ('{"method":"SUBSCRIBE","params":[""],"id":1}', 2),
        ('{"method":"SUBSCRIBE","params":[],"id":{}}', 2),
        ('{"method":"SUBSCRIBE","params":[],"id":true}', 2),
        ('{"method":"SUBSCRIBE","params":[],"id":1.5}', 2),
    ],
)
def test_nonsense_is_answered_and_the_connection_lives(said: str, code: int) -> None:
    @in_loop
    async def run() -> None:
        at = await front()
        async with at.connect("/ws") as client:
            answer = await client.ask(said)
            assert answer["error"]["code"] == code
            assert await client.ask({"method": "LIST_SUBSCRIPTIONS", "id": 9}) == {"result": [], "id": 9}
        await at.host.close()

    run()


@in_loop
async def test_properties_are_taken_and_change_nothing() -> None:
    at = await front()
    async with at.connect("/stream") as client:
        answer = await client.ask({"method": "SET_PROPERTY", "params": ["combined", True], "id": 1})
        assert answer == {"result": None, "id": 1}
        answer = await client.ask({"method": "GET_PROPERTY", "params": ["combined"], "id": 2})
        assert answer == {"result": True, "id": 2}
    await at.host.close()


@in_loop
async def test_so_many_streams_may_be_heard_and_no_more() -> None:
    at = await front()
    names = [f"{n}@x" for n in range(STREAMS_MAX)]
    async with at.connect("/ws") as client:
        assert "result" in await client.ask({"method": "SUBSCRIBE", "params": names, "id": 1})
        answer = await client.ask({"method": "SUBSCRIBE", "params": ["one@more"], "id": 2})
        assert (answer["error"]["msg"], answer["id"]) == ("Invalid request: too many subscriptions", 2)
        answer = await client.ask({"method": "SUBSCRIBE", "params": [*names, "y"], "id": 3})
        assert answer["error"]["msg"] == "Invalid request: too many parameters"
    async with at.connect("/stream?streams=" + "/".join([*names, "y", "z"])) as client:
        assert len((await client.ask({"method": "LIST_SUBSCRIPTIONS", "id": 1}))["result"]) == STREAMS_MAX
    await at.host.close()


@in_loop
async def test_whoever_reads_too_slowly_is_dropped_and_nobody_else_notices() -> None:
    at = await front()
    ann = await at.host.account("ann")
    async with at.connect(f"/ws/{TRADES}") as slow, at.connect(f"/ws/{TRADES}") as quick, at.listen(ann) as user:
        slow.stall()
        for n in range(sockets_connection.WAITING_MAX + 10):
            at.market.says(TRADES, b"%d" % n)
            if n % 100 == 0:
                await quick.settle(3)
        await at.order(ann, Side.BUY, 10, 590_000)
        await quick.settle()
        assert len(quick.take()) == sockets_connection.WAITING_MAX + 10
        assert len(user.take()) == 1
        slow.resume()
        await slow.settle(60)
        assert slow.closed == (1008, "too slow: messages were waiting")
        assert not slow.is_open
        assert at.sockets.figures.connections == 2
    await at.host.close()


@in_loop
async def test_large_messages_count_by_their_size() -> None:
    at = await front()
    async with at.connect(f"/ws/{TRADES}") as slow:
        slow.stall()
        large = json.dumps("x" * 1_000_000).encode()
        for _ in range(10):
            at.market.says(TRADES, large)
        slow.resume()
        await slow.settle(60)
        assert slow.closed is not None
    await at.host.close()


@in_loop
async def test_who_was_dropped_and_takes_no_notice_is_let_go_all_the_same() -> None:
    at = await front()
    sockets_connection_goodbye = sockets_connection.GOODBYE_SECONDS
    sockets_connection.GOODBYE_SECONDS = 0.0
    try:
        async with at.connect(f"/ws/{TRADES}") as slow:
            slow.stall()
            for _ in range(sockets_connection.WAITING_MAX + 2):
                at.market.says(TRADES, b"1")
            await slow.settle(60)
            assert (slow.is_open, slow.closed) == (False, None)
    finally:
        sockets_connection.GOODBYE_SECONDS = sockets_connection_goodbye
    await at.host.close()


@in_loop
async def test_a_message_that_is_too_big_ends_the_connection() -> None:
    at = await front()
    async with at.connect("/ws") as client:
        await client.say("x" * (sockets_connection.MESSAGE_MAX + 1))
        assert client.closed == (1009, "message too big")
    await at.host.close()


@in_loop
async def test_who_says_too_much_at_once_is_closed() -> None:
    at = await front()
    async with at.connect("/ws") as client:
        for n in range(sockets.PACE + 1):
            await client.say({"method": "LIST_SUBSCRIPTIONS", "id": n})
        assert client.closed == (1008, "Too many requests")
        assert len(client.take()) >= sockets.PACE
    await at.host.close()


@in_loop
async def test_connections_are_counted_by_address_and_in_all() -> None:
    at = await front()
    most, of_one = sockets.CONNECTIONS_MAX, sockets.CONNECTIONS_OF_ADDRESS_MAX
    sockets.CONNECTIONS_MAX, sockets.CONNECTIONS_OF_ADDRESS_MAX = 3, 2
    try:
        async with at.connect("/ws") as first, at.connect("/ws") as second, at.connect("/ws") as third:
            assert [client.refused for client in (first, second, third)] == [None, None, 429]
            async with at.connect("/ws", "10.0.0.2") as other, at.connect("/ws", "10.0.0.3") as last:
                assert (other.refused, last.refused) == (None, 429)
        async with at.connect("/ws") as again:
            assert again.is_open
    finally:
        sockets.CONNECTIONS_MAX, sockets.CONNECTIONS_OF_ADDRESS_MAX = most, of_one
    await at.host.close()


def _garbage(dice: random.Random) -> str | bytes:
    """Something that a client might send and should not."""
    letters = '{}[]":,\\0123456789.eE+-truefalsnl SUBSCRIBEidmethodparams\x00\x7fé'
    valid = json.dumps({"method": dice.choice(["SUBSCRIBE", "UNSUBSCRIBE", "X"]), "params": [TRADES], "id": 1})
    kind = dice.randrange(4)
    if kind == 0:
        return dice.randbytes(dice.randrange(200))
    if kind == 1:
        return "".join(dice.choice(letters) for _ in range(dice.randrange(100)))
    place = dice.randrange(len(valid))
    return valid[:place] + dice.choice(letters) + valid[place + dice.randrange(3) :] if kind == 2 else valid


@pytest.mark.parametrize("url", ["/ws", "/stream"])
def test_garbage_never_breaks_a_connection_nor_its_neighbours(url: str) -> None:
    @in_loop
    async def run() -> None:
        at, dice = await front(), random.Random(7)
        pace, sockets.PACE = sockets.PACE, 0
        try:
            async with at.connect(url) as client, at.connect(f"/ws/{TRADES}") as neighbour:
                for _ in range(500):
                    await client.say(_garbage(dice))
                    assert client.is_open
                    assert all("error" in answer or "result" in answer for answer in client.take())
                at.market.says(TRADES, b"1")
                await neighbour.settle()
                assert neighbour.take() == [1]
        finally:
            sockets.PACE = pace
        await at.host.close()

    run()


@in_loop
async def test_a_server_that_stops_ends_its_connections() -> None:
    at: Front = await front()
    client = at.connect(f"/ws/{TRADES}")
    await client.__aenter__()
    task = client.task
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    assert at.sockets.figures == (0, 0, 0)
    await at.host.close()
