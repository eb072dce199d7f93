"""Market streams of the Binance dialect: what each says, when, and once for all who hear it."""

from __future__ import annotations

import asyncio
import json
import random
from itertools import pairwise
from typing import Any

import pytest

from events import commands as c
from gateway.binance.streams import Streams
from gateway.serving.tape.quotes import Forced
from gateway.serving.tape.seen import ForcedSeen
from tests.binance import Client, client
from tests.loop import in_loop


class Heard:
    """Streams of a market, whose time a test lets pass, and what was heard of each."""

    def __init__(self, of: Client) -> None:
        self.of = of
        self.streams = Streams(of.desk, by_itself=False)
        self.said: dict[str, list[Any]] = {}

    def hear(self, *names: str) -> list[Any]:
        for name in names:
            said = self.said.setdefault(name, [])
            self.streams.subscribe(name, lambda payload, said=said: said.append(json.loads(payload)))  # type: ignore[misc]
        return self.said[names[0]]

    async def move(self, price: str, seconds: float = 0.1) -> None:
        self.of.host.move(price, seconds)
        await self.of.host.venue.settled()

    def wait(self, ms: int) -> None:
        for _ in range(ms // 50):
            self.streams.tick()


async def heard(*names: str, deposit: str = "10000") -> Heard:
    found = Heard(await client(deposit=deposit))
    if names:
        found.hear(*names)
    return found


@in_loop
async def test_trades_are_told_at_once_and_aggregates_soon_after() -> None:
    at = await heard("btcusdt@trade", "btcusdt@aggTrade")
    await at.of.buy("0.3")
    (trade,) = at.said["btcusdt@trade"]
    assert (trade["e"], trade["p"], trade["q"], trade["m"], trade["X"]) == (
        "trade",
        "60000.1",
        "0.300",
        False,
        "MARKET",
    )
    assert at.said["btcusdt@aggTrade"] == []
    at.wait(100)
    (one,) = at.said["btcusdt@aggTrade"]
    assert (one["a"], one["f"], one["l"], one["q"], one["s"]) == (
        trade["t"],
        trade["t"],
        trade["t"],
        "0.300",
        "BTCUSDT",
    )
    at.wait(100)
    assert len(at.said["btcusdt@aggTrade"]) == 1
    await at.of.host.close()


@in_loop
async def test_best_prices_are_told_as_they_change() -> None:
    at = await heard("btcusdt@bookTicker", "!bookTicker", "ethusdt@bookTicker")
    await at.of.buy("0.2", "60000.0")
    best = at.said["btcusdt@bookTicker"][-1]
    assert (best["b"], best["B"], best["a"], best["A"]) == ("60000.0", "0.200", "60000.1", "50.000")
    assert best["u"] == at.of.desk.tape.depth("BTCUSDT", 1)[0]
    assert at.said["!bookTicker"] == at.said["btcusdt@bookTicker"]
    assert at.said["ethusdt@bookTicker"] == []
    await at.of.host.close()


@in_loop
@pytest.mark.parametrize("pace", ["@0ms", "@100ms", "", "@500ms"])
async def test_a_snapshot_and_the_stream_of_changes_reproduce_the_book(pace: str) -> None:
    at, rng = await heard(deposit="1000000"), random.Random(pace)
    await at.of.buy("0.1", "59990.0")
    said = at.hear(f"btcusdt@depth{pace}")
    checked = 0
    for n in range(40):
        match rng.randrange(4):
            case 0:
                await at.of.buy("0.1", f"{59_990 + rng.randrange(9)}.0")
            case 1:
                await at.of.sell("0.1", f"{60_005 + rng.randrange(9)}.0")
            case 2 if orders := await at.of.get("/v1/openOrders", symbol="BTCUSDT"):
                await at.of.delete("/v1/order", symbol="BTCUSDT", orderId=rng.choice(orders)["orderId"])
            case _:
                await at.move(f"{60_000 + rng.randrange(3)}")
        if n == 13:
            snapshot = await at.of.get("/v1/depth", symbol="BTCUSDT", limit=1000)
        at.wait(rng.choice([0, 50, 150]))
    at.wait(500)
    assert all(b["pu"] == a["u"] == b["U"] for a, b in pairwise(said))
    last = snapshot["lastUpdateId"]
    following = [event for event in said if event["u"] >= last]
    assert following[0]["U"] <= last <= following[0]["u"]
    book = {"b": dict(snapshot["bids"]), "a": dict(snapshot["asks"])}
    for event in following:
        for side in ("b", "a"):
            book[side].update(event[side])
            checked += len(event[side])
    final = await at.of.get("/v1/depth", symbol="BTCUSDT", limit=1000)
    assert {p: q for p, q in book["b"].items() if float(q)} == dict(final["bids"])
    assert {p: q for p, q in book["a"].items() if float(q)} == dict(final["asks"])
    assert checked > 20
    await at.of.host.close()


@in_loop
async def test_the_best_levels_come_whole_whenever_the_book_changed() -> None:
    at = await heard("btcusdt@depth5@100ms", "btcusdt@depth20@0ms")
    for n in range(7):
        await at.of.buy("0.01", f"{59_990 + n}.0")
    assert at.said["btcusdt@depth5@100ms"] == []
    at.wait(100)
    (book,) = at.said["btcusdt@depth5@100ms"]
    assert [price for price, _ in book["b"]] == ["59999.9", "59996.0", "59995.0", "59994.0", "59993.0"]
    assert book["a"] == [["60000.1", "50.000"]]
    at.wait(200)
    assert len(at.said["btcusdt@depth5@100ms"]) == 1
    at_once = at.said["btcusdt@depth20@0ms"]
    assert [len(book["b"]) for book in at_once] == [2, 3, 4, 5, 6, 7, 8]
    assert all(a["u"] == b["pu"] for a, b in pairwise(at_once))
    await at.of.host.close()


@in_loop
async def test_candles_are_told_as_they_run_and_once_more_when_they_are_closed() -> None:
    at = await heard("btcusdt@kline_1m", "btcusdt_perpetual@continuousKline_1m")
    said = at.said["btcusdt@kline_1m"]
    at.wait(250)
    assert [event["k"]["x"] for event in said] == [False]
    at.wait(500)
    assert len(said) == 1
    await at.of.buy("0.3")
    at.wait(250)
    await at.move("60100", 61)
    at.wait(500)
    told = [(event["k"]["c"], event["k"]["v"], event["k"]["x"]) for event in said]
    assert told == [
        ("60000.0", "0.001", False), ("60000.1", "0.301", False), ("60000.1", "0.301", True),
        ("60100.0", "0.001", False),
    ]  # fmt: skip
    candle = said[2]["k"]
    assert candle["T"] == candle["t"] + 59_999
    assert (candle["i"], candle["n"], candle["L"] > candle["f"]) == ("1m", 2, True)
    other = at.said["btcusdt_perpetual@continuousKline_1m"]
    assert [event["k"]["c"] for event in other] == [event["k"]["c"] for event in said]
    assert (other[0]["ps"], other[0]["ct"]) == ("BTCUSDT", "PERPETUAL")
    at.of.host.at += 65 * 10**9
    at.wait(500)
    assert [(event["k"]["c"], event["k"]["x"]) for event in said[4:]] == [("60100.0", True), ("60100.0", False)]
    assert (said[-1]["k"]["f"], said[-1]["k"]["n"]) == (-1, 0)
    await at.of.host.close()


@in_loop
async def test_marks_and_tickers_come_at_their_pace() -> None:
    names = (
        "btcusdt@markPrice", "btcusdt@markPrice@1s", "!markPrice@arr@1s", "btcusdt@ticker", "btcusdt@miniTicker",
        "!ticker@arr", "!miniTicker@arr", "ethusdt@ticker", "ethusdt@markPrice@1s",
    )  # fmt: skip
    at = await heard(*names)
    at.wait(3000)
    assert {name: len(said) for name, said in at.said.items()} == {
        "btcusdt@markPrice": 1, "btcusdt@markPrice@1s": 3, "!markPrice@arr@1s": 3, "btcusdt@ticker": 3,
        "btcusdt@miniTicker": 3, "!ticker@arr": 3, "!miniTicker@arr": 3, "ethusdt@ticker": 0, "ethusdt@markPrice@1s": 0,
    }  # fmt: skip
    mark = at.said["btcusdt@markPrice"][0]
    assert (mark["e"], mark["p"], mark["r"]) == ("markPriceUpdate", "60000.00000000", "0.00000000")
    assert at.said["!markPrice@arr@1s"][-1] == [mark]
    day = at.said["btcusdt@ticker"][0]
    assert (day["e"], day["c"], day["v"], day["n"]) == ("24hrTicker", "60000.0", "0.001", 1)
    assert at.said["!ticker@arr"][0] == [day]
    mini = at.said["btcusdt@miniTicker"][0]
    assert (mini["e"], mini["o"], mini["q"]) == ("24hrMiniTicker", "60000.0", "60.00000000")
    await at.of.host.close()


@in_loop
async def test_a_liquidation_is_seen_by_everybody() -> None:
    at = await heard("btcusdt@forceOrder", "!forceOrder@arr", deposit="5000")
    await at.of.post("/v1/leverage", symbol="BTCUSDT", leverage=100)
    await at.of.buy("5")
    await at.move("58000", 1)
    await at.move("58000", 1)
    at.wait(1000)
    (event,) = at.said["btcusdt@forceOrder"]
    order = event["o"]
    assert (event["e"], order["s"], order["S"], order["o"], order["f"]) == (
        "forceOrder",
        "BTCUSDT",
        "SELL",
        "LIMIT",
        "IOC",
    )
    assert order["X"] in ("FILLED", "PARTIALLY_FILLED", "EXPIRED")
    assert float(order["q"]) >= float(order["z"])
    assert at.said["!forceOrder@arr"] == [event]
    for executed, status, average in ((0, "EXPIRED", "0"), (2, "PARTIALLY_FILLED", "60000.00000000")):
        forced = Forced(event["E"], 1, 5, 600_000, executed, executed * 60 * 10**8, executed)
        at.streams._hear(ForcedSeen(c.InstrumentId("BTCUSDT"), event["E"], forced))
        at.wait(1000)
        order = at.said["btcusdt@forceOrder"][-1]["o"]
        assert (order["S"], order["X"], order["ap"]) == ("BUY", status, average)
    await at.of.host.close()


@in_loop
async def test_a_payload_is_made_once_for_all_who_hear_and_for_nobody_afterwards() -> None:
    at = await heard()
    payloads: list[bytes] = []
    ends = [at.streams.subscribe("btcusdt@trade", payloads.append) for _ in range(3)]
    await at.of.buy("0.1")
    assert len(payloads) == 3
    assert payloads[0] is payloads[1] is payloads[2]
    for end in ends:
        end()
        end()
    await at.of.buy("0.1")
    assert len(payloads) == 3
    await at.of.host.close()


@in_loop
@pytest.mark.parametrize(
    "name",
    [
        "", "3", "btcusdt", "btcusdt@", "btcusdt@nope", "nope@trade", "btcusdt@kline_9m", "btcusdt@depth7", "!nope@arr",
        "btcusdt@depth@1ms", "nope_perpetual@continuousKline_1m", "btcusdt_perpetual@continuousKline_9m",
        "btcusdt_next_quarter@continuousKline_1m", "\x00@trade",
    ],
    ids=range(14),
)  # fmt: skip
async def test_a_name_that_nobody_knows_is_no_stream(name: str) -> None:
    at = await heard()
    with pytest.raises(LookupError):
        at.hear(name)
    await at.of.host.close()


@in_loop
async def test_time_goes_by_itself_as_long_as_somebody_hears() -> None:
    of = await client()
    streams, told = Streams(of.desk), asyncio.Event()
    silent = streams.subscribe("btcusdt@trade", lambda _payload: None)
    end = streams.subscribe("btcusdt@depth5@100ms", lambda _payload: told.set())
    async with asyncio.timeout(10):
        await told.wait()
    end()
    silent()
    await of.host.close()
