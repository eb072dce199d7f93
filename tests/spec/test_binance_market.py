"""Market data through the Binance door: fields, widths and types that clients read, and the venue's refusals."""

from __future__ import annotations

from typing import Any

import pytest

from events import commands as c
from events.units import Lots, MarkUnits, Rate
from gateway.binance.market import MARKET_ROUTES
from gateway.binance.params import Params
from tests.binance import Client, call, client
from tests.loop import in_loop

SYMBOL = {"symbol": "BTCUSDT"}
MISSING = "Mandatory parameter '{}' was not sent, was empty/null, or malformed."


async def traded() -> Client:
    """A market in which a client bought, and time went by."""
    found = await client()
    await found.buy("0.3")
    await found.sell("0.1")
    found.host.move("60100", 61)
    found.host.move("60050", 61)
    await found.host.venue.settled()
    return found


async def get(of: Client, path: str, **params: Any) -> Any:
    return await of.get(path, **{**SYMBOL, **params})


@in_loop
async def test_exchange_info_says_what_is_traded_in_words_that_old_clients_know() -> None:
    of = await traded()
    info = await of.get("/v1/exchangeInfo")
    assert info["timezone"] == "UTC"
    assert info["serverTime"] == of.desk.wall()
    assert [limit["rateLimitType"] for limit in info["rateLimits"]] == ["REQUEST_WEIGHT", "ORDERS", "ORDERS"]
    assert info["rateLimits"][0] == {
        "rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 2400,
    }  # fmt: skip
    symbols = {symbol["symbol"]: symbol for symbol in info["symbols"]}
    btc = symbols["BTCUSDT"]
    assert btc["timeInForce"] == ["GTC", "IOC", "FOK", "GTX", "GTD"]
    assert {"LIMIT", "MARKET", "STOP", "TRAILING_STOP_MARKET"} <= set(btc["orderTypes"])
    assert (btc["status"], btc["contractType"], btc["marginAsset"]) == ("TRADING", "PERPETUAL", "USDT")
    assert (btc["pricePrecision"], btc["quantityPrecision"], btc["deliveryDate"]) == (1, 3, 4133404800000)
    assert (btc["triggerProtect"], btc["liquidationFee"], btc["marketTakeBound"]) == ("0.0500", "0.012500", "0.05")
    assert symbols["ETHUSDT"]["status"] == "PENDING_TRADING"
    filters = {one.pop("filterType"): one for one in btc["filters"]}
    assert filters == {
        "PRICE_FILTER": {"minPrice": "0.1", "maxPrice": "10000000.0", "tickSize": "0.1"},
        "LOT_SIZE": {"minQty": "0.001", "maxQty": "1000.000", "stepSize": "0.001"},
        "MARKET_LOT_SIZE": {"minQty": "0.001", "maxQty": "120.000", "stepSize": "0.001"},
        "MAX_NUM_ORDERS": {"limit": 200},
        "MAX_NUM_ALGO_ORDERS": {"limit": 10},
        "MIN_NOTIONAL": {"notional": "100"},
        "PERCENT_PRICE": {"multiplierUp": "1.0500", "multiplierDown": "0.9500", "multiplierDecimal": "4"},
    }
    dated = [symbol for symbol in info["symbols"] if symbol["contractType"] != "PERPETUAL"]
    assert {symbol["contractType"] for symbol in dated} <= {"CURRENT_QUARTER", "NEXT_QUARTER"}
    assert all(symbol["deliveryDate"] < 4133404800000 for symbol in dated)
    assert (await of.get("/v1/ping"), await of.get("/v1/time")) == ({}, {"serverTime": of.desk.wall()})
    await of.host.close()


@in_loop
async def test_the_book_and_its_best_prices_are_of_fixed_width() -> None:
    of = await traded()
    book = await get(of, "/v1/depth", limit=5)
    assert book["bids"] == [["60049.9", "50.000"]]
    assert book["asks"] == [["60050.1", "50.000"]]
    assert book["lastUpdateId"] == of.desk.tape.depth("BTCUSDT", 1)[0] <= of.host.venue.durable.seq
    assert book["T"] <= book["E"] == of.host.venue.shown_ms
    best = await get(of, "/v1/ticker/bookTicker")
    assert (best["bidPrice"], best["bidQty"]) == ("60049.9", "50.000")
    assert (best["askPrice"], best["askQty"]) == ("60050.1", "50.000")
    assert await of.get("/v1/ticker/bookTicker") == [best]
    price = await get(of, "/v1/ticker/price")
    assert price["price"] == "60050.0"
    assert await of.get("/v2/ticker/price") == [price]
    quiet = await of.get("/v1/ticker/price", symbol="ETHUSDT")
    assert quiet == {"symbol": "ETHUSDT", "price": "0.00", "time": 0}
    await of.host.close()


@in_loop
async def test_trades_are_historys_prints_and_those_of_traders() -> None:
    of = await traded()
    trades = await get(of, "/v1/trades")
    assert [(t["price"], t["qty"], t["isBuyerMaker"]) for t in trades] == [
        ("60000.0", "0.001", False), ("60000.1", "0.300", False), ("59999.9", "0.100", True),
        ("60100.0", "0.001", False), ("60050.0", "0.001", False),
    ]  # fmt: skip
    assert trades[1]["quoteQty"] == "18000.03000000"
    mine = await get(of, "/v1/userTrades")
    assert [fill["id"] for fill in mine] == [trades[1]["id"], trades[2]["id"]]
    assert await get(of, "/v1/userTrades", fromId=mine[1]["id"]) == mine[1:]
    ids = [t["id"] for t in trades]
    assert ids == sorted(set(ids))
    assert (await get(of, "/v1/trades", limit=2)) == trades[-2:]
    assert await get(of, "/v1/historicalTrades", fromId=ids[1], limit=2) == trades[1:3]
    assert await get(of, "/v1/historicalTrades") == trades
    together = await get(of, "/v1/aggTrades")
    assert [(t["f"], t["l"], t["p"], t["q"], t["m"]) for t in together] == [
        (t["id"], t["id"], t["price"], t["qty"], t["isBuyerMaker"]) for t in trades
    ]
    assert await get(of, "/v1/aggTrades", fromId=ids[3]) == together[3:]
    start = trades[3]["time"]
    assert await get(of, "/v1/aggTrades", startTime=start, endTime=start + 1) == together[3:4]
    assert await get(of, "/v1/aggTrades", endTime=start - 1, limit=2) == together[1:3]
    await of.host.close()


@in_loop
async def test_an_order_that_takes_two_orders_at_a_price_is_one_aggregate_trade() -> None:
    of = await client(deposit="1000000")
    for lots in ("1.000", "2.000"):
        await of.buy(lots, "60000.0")
    bob = await of.host.account("bob", "1000000")
    venue = of.host.venue
    order = c.PlaceOrder(
        venue.now, bob, venue.request(), venue.number(bob), c.InstrumentId("BTCUSDT"), c.Side.SELL, Lots(2500)
    )
    await venue.ask(order)
    first, second = (await get(of, "/v1/trades"))[1:]
    (one,) = (await get(of, "/v1/aggTrades"))[1:]
    assert (one["f"], one["l"], one["q"], one["m"]) == (first["id"], second["id"], "2.500", True)
    assert second["id"] > first["id"]
    await of.host.close()


@in_loop
async def test_candles_run_until_now_and_have_twelve_columns_of_the_right_types() -> None:
    of = await traded()
    rows = await get(of, "/v1/klines", interval="1m")
    assert len(rows) == 3
    start, opened, high, low, close, volume, end, value, count, bought, bought_value, _ = rows[0]
    assert start % 60_000 == 0
    assert end == start + 59_999
    assert (opened, high, low, close) == ("60000.0", "60000.1", "59999.9", "59999.9")
    assert (volume, count, bought) == ("0.401", 3, "0.301")
    assert (value, bought_value) == ("24060.02000000", "18060.03000000")
    assert await get(of, "/v1/klines", interval="1m", limit=1) == rows[-1:]
    assert await get(of, "/v1/klines", interval="1m", startTime=start + 1, limit=1) == rows[1:2]
    (hour,) = await get(of, "/v1/klines", interval="1h")
    assert (hour[1], hour[2], hour[4], hour[8]) == ("60000.0", "60100.0", "60050.0", 5)
    of.host.at += 3 * 60 * 10**9
    longer = await get(of, "/v1/klines", interval="1m")
    assert [row[4] for row in longer[3:]] == ["60050.0"] * 3
    pair = {"pair": "BTCUSDT", "interval": "1m"}
    assert await of.get("/v1/continuousKlines", contractType="PERPETUAL", **pair) == longer
    marks = await get(of, "/v1/markPriceKlines", interval="1m")
    assert [row[4] for row in marks] == ["60000.00000000", "60100.00000000"] + ["60050.00000000"] * 4
    assert marks[0][5:12] == ["0", marks[0][6], "0", 1, "0", "0", "0"]
    assert await of.get("/v1/indexPriceKlines", **pair) == marks
    assert {row[4] for row in await get(of, "/v1/premiumIndexKlines", interval="1m")} == {"0.00000000"}
    await of.host.close()


@in_loop
async def test_the_last_day_in_figures() -> None:
    of = await traded()
    day = await get(of, "/v1/ticker/24hr")
    assert (day["openPrice"], day["lastPrice"], day["highPrice"], day["lowPrice"]) == (
        "60000.0", "60050.0", "60100.0", "59999.9",
    )  # fmt: skip
    assert (day["priceChange"], day["priceChangePercent"], day["count"]) == ("50.0", "0.083", 5)
    assert (day["volume"], day["lastQty"]) == ("0.403", "0.001")
    assert day["closeTime"] - day["openTime"] == 86_400_000
    assert await of.get("/v1/ticker/24hr") == [day]
    assert await of.get("/v1/ticker/24hr", symbol="ETHUSDT") == {}
    await of.host.close()


@in_loop
async def test_marks_funding_and_open_interest() -> None:
    of = await traded()
    venue, btc = of.host.venue, c.InstrumentId("BTCUSDT")
    of.host.sequencer.decide(c.SetIndexPrice(venue.now, btc, MarkUnits(60_000 * 10**8)))
    of.host.sequencer.decide(c.ApplyFunding(venue.now, btc, Rate(10_000)))
    await venue.settled()
    mark = await get(of, "/v1/premiumIndex")
    assert (mark["markPrice"], mark["indexPrice"]) == ("60050.00000000", "60000.00000000")
    assert (mark["interestRate"], mark["lastFundingRate"]) == ("0.00010000", "0.00000000")
    assert await of.get("/v1/premiumIndex") == [mark]
    (paid,) = await get(of, "/v1/fundingRate")
    assert (paid["fundingRate"], paid["markPrice"]) == ("0.00010000", "60050.00000000")
    assert await of.get("/v1/fundingRate", startTime=paid["fundingTime"], limit=1) == [paid]
    assert await of.get("/v1/fundingRate", endTime=paid["fundingTime"] - 1) == []
    bounds = {one["symbol"]: one for one in await of.get("/v1/fundingInfo")}
    assert bounds["BTCUSDT"]["adjustedFundingRateCap"] == "0.00300000"
    assert bounds["BTCUSDT"]["adjustedFundingRateFloor"] == "-0.00300000"
    assert bounds["BTCUSDT"]["fundingIntervalHours"] == 8
    assert (await get(of, "/v1/openInterest"))["openInterest"] == "0.200"
    (premium,) = await get(of, "/v1/premiumIndexKlines", interval="1m", limit=1)
    assert premium[4] == "0.00083333"
    (index,) = await of.get("/v1/indexPriceKlines", pair="BTCUSDT", interval="1m", limit=1)
    assert index[4] == "60000.00000000"
    parts = await get(of, "/v1/constituents")
    assert parts["constituents"][0]["price"] == "60000.00000000"
    await of.host.close()


@in_loop
async def test_figures_of_the_past() -> None:
    of = await traded()
    of.host.move("60020", 600)
    await of.host.venue.settled()

    async def figures(path: str, query: str) -> Any:
        return (await call(of.door, "GET", f"/futures/data/{path}", query.encode())).body

    held = await figures("openInterestHist", "symbol=BTCUSDT&period=5m")
    assert [one["sumOpenInterest"] for one in held] == ["0.00000000", "0.20000000"]
    assert held[1]["sumOpenInterestValue"] == "12004.00000000"
    assert await figures("openInterestHist", f"symbol=BTCUSDT&period=5m&startTime={held[1]['timestamp']}") == held[1:]
    volume = await figures("takerlongshortRatio", "symbol=BTCUSDT&period=5m")
    assert (volume[0]["buyVol"], volume[0]["sellVol"], volume[0]["buySellRatio"]) == ("0.303", "0.100", "3.0300")
    basis = await figures("basis", "pair=BTCUSDT&contractType=PERPETUAL&period=5m")
    assert (basis[-1]["futuresPrice"], basis[-1]["basis"]) == ("60020.00000000", "0.00000000")
    for path in ("globalLongShortAccountRatio", "topLongShortAccountRatio", "topLongShortPositionRatio"):
        (ratio,) = await figures(path, "symbol=BTCUSDT&period=1h")
        assert (ratio["longAccount"], ratio["shortAccount"], ratio["longShortRatio"]) == ("1.0000", "0.0000", "0.0000")
        assert await figures(path, "symbol=ETHUSDT&period=1h") == []
    assert (await figures("basis", "pair=BTCUSDT&contractType=PERPETUAL&period=9m"))["code"] == -1130
    await of.host.close()


@in_loop
async def test_what_is_asked_wrongly_is_refused_in_the_venues_words() -> None:
    of = await client()
    klines = {**SYMBOL, "interval": "1m"}
    refusals: list[tuple[str, dict[str, Any], int, str]] = [
        ("/v1/depth", {}, -1102, MISSING.format("symbol")),
        ("/v1/depth", {"symbol": "NOPE"}, -1121, "Invalid symbol."),
        ("/v1/depth", {**SYMBOL, "limit": 7}, -4021, "'7' is not valid depth limit."),
        ("/v1/klines", SYMBOL, -1102, MISSING.format("interval")),
        ("/v1/klines", {**SYMBOL, "interval": "9m"}, -1120, "Invalid interval."),
        ("/v1/klines", {**klines, "limit": 1501}, -1130, "Data sent for parameter 'limit' is not valid."),
        ("/v1/klines", {**klines, "limit": 0}, -1130, "Data sent for parameter 'limit' is not valid."),
        ("/v1/klines", {**klines, "startTime": -1}, -1130, "Data sent for parameter 'startTime' is not valid."),
        ("/v1/klines", {**klines, "startTime": 2, "endTime": 1}, -1023, "Start time is greater than end time."),
        ("/v1/trades", {**SYMBOL, "limit": 1001}, -1130, "Data sent for parameter 'limit' is not valid."),
        (
            "/v1/aggTrades",
            {**SYMBOL, "startTime": 0, "endTime": 3_600_000},
            -1127,
            "More than 1 hours between startTime and endTime.",
        ),
        ("/v1/ticker/24hr", {"symbol": "NOPE"}, -1121, "Invalid symbol."),
        ("/v1/indexPriceKlines", {"pair": "NOPE", "interval": "1m"}, -4144, "Invalid pair."),
        ("/v1/continuousKlines", {"pair": "NOPE", "contractType": "PERPETUAL"}, -4144, "Invalid pair."),
        (
            "/v1/continuousKlines",
            {"pair": "BTCUSDT", "contractType": "X"},
            -1130,
            "Data sent for parameter 'contractType' is not valid.",
        ),
    ]
    for path, params, code, text in refusals:
        assert await of.refused("GET", path, **params) == (code, text), (path, params)
    await of.host.close()


@pytest.mark.parametrize(
    ("path", "limit", "weight"),
    [
        ("depth", None, 10), ("depth", 50, 2), ("depth", 100, 5), ("depth", 500, 10), ("depth", 1000, 20),
        ("klines", None, 5), ("klines", 99, 1), ("klines", 499, 2), ("klines", 1000, 5), ("klines", 1001, 10),
        ("klines", "x", 5), ("ticker/24hr", None, 40), ("ping", None, 1),
    ],
)  # fmt: skip
def test_what_a_request_weighs(path: str, limit: Any, weight: int) -> None:
    route = MARKET_ROUTES["GET", f"/fapi/v1/{path}"]
    params = Params({} if limit is None else {"limit": str(limit)})
    assert (route.weight if isinstance(route.weight, int) else route.weight(params)) == weight
    if path == "ticker/24hr":
        assert not isinstance(route.weight, int)
        assert route.weight(Params(SYMBOL)) == 1
