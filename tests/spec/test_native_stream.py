"""The stream of the native API: what is subscribed to is told, in order, and a slow reader is let go."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.native import stream
from gateway.serving.keys import Scope
from tests.loop import in_loop, turns
from tests.native import Native, Socket, native

BID = {"instrument": "BTCUSDT", "side": "buy", "size": "0.5", "price": "59000"}


async def subscribed(api: Native, *channels: str, scopes: tuple[Scope, ...] = ()) -> Socket:
    socket = Socket(api.app)
    await socket.say(op="login", token=api.token("ann", *scopes))
    assert (await socket.hear())["op"] == "logged_in"
    await socket.say(op="subscribe", channels=list(channels), id=1)
    return socket


@in_loop
async def test_an_account_hears_what_happens_to_it_after_a_snapshot() -> None:
    async with native() as api:
        socket = await subscribed(api, "account")
        snapshot = await socket.hear()
        assert (snapshot["channel"], snapshot["snapshot"], snapshot["data"]["account"]) == ("account", True, "ann")
        assert (await socket.hear())["op"] == "subscribed"
        placed = await api.told("POST", "/orders", BID, 201)
        told = await socket.hear()
        assert told["record"] >= placed["record"]
        assert [fact["kind"] for fact in told["data"]] == ["order_accepted.1", "order_rested.1"]
        await socket.leave()


@in_loop
async def test_a_book_is_followed_by_its_diffs_without_a_gap() -> None:
    async with native() as api:
        socket = await subscribed(api, "depth:BTCUSDT")
        snapshot = await socket.hear()
        book = {side: dict(snapshot["data"][side]) for side in ("bids", "asks")}
        last = snapshot["record"]
        await socket.hear()
        await api.told("POST", "/orders", BID, 201)
        await api.told("POST", "/orders", {**BID, "price": None, "size": "1"}, 201)
        api.host.move("60100")
        await api.host.venue.settled()
        depth = await api.told("GET", "/market/BTCUSDT/depth")
        while last < depth["record"]:
            told = await socket.hear()
            assert told["previous"] == last
            last = told["record"]
            for side in ("bids", "asks"):
                book[side].update(told["data"][side])
        shown = {side: {p: n for p, n in levels.items() if float(n)} for side, levels in book.items()}
        assert shown == {side: dict(depth[side]) for side in ("bids", "asks")}
        await socket.leave()


@in_loop
async def test_trades_are_told_as_they_happen() -> None:
    async with native() as api:
        socket = await subscribed(api, "trades:BTCUSDT")
        await socket.hear()
        await api.told("POST", "/orders", {**BID, "price": None}, 201)
        trade = (await socket.hear())["data"]
        assert (trade["price"], trade["size"], trade["taker"]) == ("60000.1", "0.5", "buy")
        await socket.leave()


@in_loop
async def test_the_log_is_followed_from_any_record_on() -> None:
    async with native() as api:
        socket = await subscribed(api, "log:3")
        await api.told("POST", "/orders", BID, 201)
        head, seen = (await api.told("GET", "/session"))["record"], []
        while not seen or seen[-1] < head:
            if "data" in (told := await socket.hear()):
                seen += [record["seq"] for record in told["data"]]
        assert seen == list(range(4, head + 1))
        await socket.leave()


@in_loop
async def test_what_cannot_be_done_is_told_and_the_stream_goes_on() -> None:
    async with native() as api:
        socket = Socket(api.app)
        cases: list[tuple[dict[str, Any], str]] = [
            ({"op": "subscribe", "channels": ["account"]}, "no_token"),
            ({"op": "subscribe", "channels": ["depth:NIX"]}, "unknown_instrument"),
            ({"op": "subscribe", "channels": ["noise"]}, "unknown_channel"),
            ({"op": "dance"}, "bad_request"),
            ({"op": "login", "token": "rf_x_y"}, "bad_token"),
            ({"what": 1}, "bad_request"),
        ]
        for message, code in cases:
            await socket.say(**message)
            told = await socket.hear()
            assert (told["op"], told["code"]) == ("problem", code)
        await socket.say_text("{")
        assert (await socket.hear())["code"] == "bad_request"
        await socket.say(op="ping", id="x")
        assert await socket.hear() == {"op": "pong", "id": "x"}
        await socket.leave()


@in_loop
async def test_a_key_without_the_scope_does_not_read_the_log() -> None:
    async with native() as api:
        socket = await subscribed(api, "log", scopes=(Scope.READ,))
        assert (await socket.hear())["code"] == "not_allowed"
        await socket.leave()


@in_loop
async def test_a_key_that_is_revoked_is_of_no_use_to_whoever_logged_in_with_it() -> None:
    async with native() as api:
        socket = await subscribed(api, "trades:BTCUSDT", scopes=(Scope.READ,))
        await socket.hear()
        every = api.desk.keys.keys()
        assert api.desk.keys.revoke(next(key.id for key in every if key.scopes == (Scope.READ,)))
        await socket.say(op="subscribe", channels=["account"])
        assert (await socket.hear())["code"] == "no_token"
        await socket.leave()


@in_loop
async def test_who_unsubscribed_hears_nothing_more() -> None:
    async with native() as api:
        socket = await subscribed(api, "trades:BTCUSDT")
        await socket.hear()
        await socket.say(op="unsubscribe", channels=["trades:BTCUSDT"], id=2)
        assert (await socket.hear())["channels"] == []
        await api.told("POST", "/orders", {**BID, "price": None}, 201)
        await socket.say(op="ping")
        assert (await socket.hear())["op"] == "pong"
        await socket.leave()


def test_a_reader_that_is_too_slow_is_let_go_and_nobody_else_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "QUEUE_MAX", 5)

    @in_loop
    async def scenario() -> None:
        async with native() as api:
            slow, quick = await subscribed(api, "trades:BTCUSDT"), await subscribed(api, "trades:BTCUSDT")
            await slow.hear()
            await quick.hear()
            slow.holds.clear()
            for _ in range(10):
                await api.told("POST", "/orders", {**BID, "price": None, "size": "0.01"}, 201)
                assert (await quick.hear())["channel"] == "trades:BTCUSDT"
            await turns()
            slow.holds.set()
            heard = [told := await slow.hear()]
            while not isinstance(told, int):
                heard.append(told := await slow.hear())
            assert told == stream.TOO_SLOW
            assert len(heard) <= 8
            await quick.leave()

    scenario()
