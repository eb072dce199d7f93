"""Each endpoint as clients need it: the fields that `binance-endpoints` names in its sections 1, 2 and 4, by JSON type.

Clients with strict models refuse a field of another type, others miss one that is not there: a table says which kind
each field is of. `i` is a whole number, `n` any number, `b` a boolean, `t` a text, `d` a text that is a decimal number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from events import commands as c
from events.units import MarkUnits, Rate
from gateway.binance.account import ACCOUNT_ROUTES
from gateway.binance.market import MARKET_ROUTES
from gateway.binance.trading import TRADING_ROUTES
from tests.binance import Answer, Client, call, client, order
from tests.loop import in_loop

DECIMAL = re.compile(r"-?\d+(\.\d+)?")
KINDS: dict[str, Any] = {
    "i": lambda value: type(value) is int,
    "n": lambda value: type(value) in (int, float),
    "b": lambda value: type(value) is bool,
    "t": lambda value: type(value) is str,
    "d": lambda value: type(value) is str and DECIMAL.fullmatch(value) is not None,
    "l": lambda value: type(value) is list,
}
BTC = {"symbol": "BTCUSDT"}
PAIR = {"pair": "BTCUSDT"}
PERPETUAL = {**PAIR, "contractType": "PERPETUAL"}
PERIOD = {**BTC, "period": "5m"}
STOP = {
    **BTC, "algoType": "CONDITIONAL", "side": "SELL", "type": "STOP_MARKET", "quantity": "0.1", "triggerPrice": "50000",
}  # fmt: skip
RESTS = {**BTC, "origClientOrderId": "rests"}
AMENDED = {**RESTS, "side": "BUY", "quantity": "0.2", "price": "50001"}


class Endpoint(NamedTuple):
    """What is asked, and the fields of each object at `at` in the answer; "" is the answer itself or, if that is a
    list, its elements.
    """

    method: str
    path: str
    params: dict[str, Any]
    fields: dict[str, str]
    at: str = ""


def get(path: str, at: str = "", /, params: dict[str, Any] | None = None, **fields: str) -> Endpoint:
    """An endpoint that is read."""
    return Endpoint("GET", path, params or {}, fields, at)


DONE = {"i": "code", "t": "msg"}
ORDER = {
    "i": "orderId goodTillDate updateTime",
    "t": "symbol status clientOrderId timeInForce type side positionSide workingType origType priceMatch "
    "selfTradePreventionMode",
    "d": "price avgPrice origQty executedQty cumQty cumQuote stopPrice",
    "b": "reduceOnly closePosition priceProtect",
}
SHOWN = {**ORDER, "i": f"{ORDER['i']} time"}
ALGO = {
    "i": "algoId createTime updateTime triggerTime goodTillDate",
    "t": "clientAlgoId algoType orderType symbol side positionSide timeInForce algoStatus actualOrderId workingType "
    "priceMatch selfTradePreventionMode",
    "d": "quantity actualPrice triggerPrice price",
    "b": "closePosition priceProtect reduceOnly",
}
ASSET = {
    "i": "updateTime",
    "t": "asset",
    "d": "walletBalance unrealizedProfit marginBalance maintMargin initialMargin positionInitialMargin "
    "openOrderInitialMargin crossWalletBalance crossUnPnl availableBalance maxWithdrawAmount",
    "b": "marginAvailable",
}
TOTALS = (
    "totalInitialMargin totalMaintMargin totalWalletBalance totalUnrealizedProfit totalMarginBalance "
    "totalPositionInitialMargin totalOpenOrderInitialMargin totalCrossWalletBalance totalCrossUnPnl availableBalance "
    "maxWithdrawAmount"
)
HELD = {
    "i": "updateTime",
    "t": "symbol positionSide",
    "d": "positionAmt unrealizedProfit isolatedMargin notional isolatedWallet initialMargin maintMargin",
}
RISK = {
    "i": "adl updateTime",
    "t": "symbol positionSide marginAsset",
    "d": "positionAmt entryPrice breakEvenPrice markPrice unRealizedProfit liquidationPrice isolatedMargin notional "
    "isolatedWallet initialMargin maintMargin positionInitialMargin openOrderInitialMargin bidNotional askNotional",
}
OLDER_RISK = {**RISK, "t": f"{RISK['t']} marginType isAutoAddMargin", "d": f"{RISK['d']} leverage maxNotionalValue"}
BALANCE = {
    "i": "updateTime",
    "t": "accountAlias asset",
    "d": "balance crossWalletBalance crossUnPnl availableBalance maxWithdrawAmount",
    "b": "marginAvailable",
}
TRADED = {"i": "id time", "d": "price qty quoteQty", "b": "isBuyerMaker"}
CONFIG = {"i": "leverage", "t": "symbol marginType", "d": "maxNotionalValue", "b": "isAutoAddMargin"}
RATIO = {"i": "timestamp", "t": "symbol", "d": "longShortRatio longAccount shortAccount"}
CANDLE = {"i": "0 6 8", "d": "1 2 3 4 5 7 9 10 11"}
MARK = {"i": "0 6 8", "d": "1 2 3 4"}
MINUTE = {**BTC, "interval": "1m"}

MARKET = [
    get("/fapi/v1/exchangeInfo", t="timezone", i="serverTime", l="rateLimits exchangeFilters symbols"),
    get("/fapi/v1/exchangeInfo", "rateLimits", t="rateLimitType interval", i="intervalNum limit"),
    get(
        "/fapi/v1/exchangeInfo", "symbols",
        t="symbol pair contractType status baseAsset quoteAsset marginAsset underlyingType",
        i="deliveryDate onboardDate pricePrecision quantityPrecision baseAssetPrecision quotePrecision",
        d="maintMarginPercent requiredMarginPercent triggerProtect liquidationFee marketTakeBound",
        l="underlyingSubType orderTypes timeInForce filters",
    ),
    get("/fapi/v1/time", i="serverTime"),
    get("/fapi/v1/ping"),
    get("/fapi/v1/depth", params=BTC, i="lastUpdateId E T", l="bids asks"),
    get("/fapi/v1/depth", "bids", params=BTC, d="0 1"),
    get("/fapi/v1/klines", params=MINUTE, **CANDLE),
    get("/fapi/v1/continuousKlines", params={**PERPETUAL, "interval": "1m"}, **CANDLE),
    get("/fapi/v1/markPriceKlines", params=MINUTE, **MARK),
    get("/fapi/v1/indexPriceKlines", params={**PAIR, "interval": "1m"}, **MARK),
    get("/fapi/v1/premiumIndexKlines", params=MINUTE, **MARK),
    *(
        get(
            "/fapi/v1/ticker/24hr", params=asked, t="symbol", i="openTime closeTime firstId lastId count",
            d="priceChange priceChangePercent weightedAvgPrice lastPrice lastQty openPrice highPrice lowPrice volume "
            "quoteVolume",
        )
        for asked in (BTC, {})
    ),
    *(
        get(path, params=asked, t="symbol", d="price", i="time")
        for path in ("/fapi/v1/ticker/price", "/fapi/v2/ticker/price")
        for asked in (BTC, {})
    ),
    *(
        get("/fapi/v1/ticker/bookTicker", params=asked, t="symbol", d="bidPrice bidQty askPrice askQty", i="time")
        for asked in (BTC, {})
    ),
    *(
        get(
            "/fapi/v1/premiumIndex", params=asked, t="symbol", i="nextFundingTime time",
            d="markPrice indexPrice estimatedSettlePrice lastFundingRate interestRate",
        )
        for asked in (BTC, {})
    ),
    get("/fapi/v1/fundingRate", params=BTC, t="symbol", i="fundingTime", d="fundingRate markPrice"),
    get(
        "/fapi/v1/fundingInfo", t="symbol", i="fundingIntervalHours", b="disclaimer",
        d="adjustedFundingRateCap adjustedFundingRateFloor",
    ),
    get("/fapi/v1/trades", params=BTC, **TRADED),
    get("/fapi/v1/historicalTrades", params=BTC, **TRADED),
    get("/fapi/v1/aggTrades", params=BTC, i="a f l T", d="p q", b="m"),
    get("/fapi/v1/openInterest", params=BTC, t="symbol", d="openInterest", i="time"),
    get("/fapi/v1/constituents", params=BTC, t="symbol", i="time", l="constituents"),
    get(
        "/futures/data/openInterestHist", params=PERIOD, t="symbol", i="timestamp",
        d="sumOpenInterest sumOpenInterestValue",
    ),
    get("/futures/data/takerlongshortRatio", params=PERIOD, i="timestamp", d="buySellRatio buyVol sellVol"),
    get(
        "/futures/data/basis", params={**PERPETUAL, "period": "5m"}, t="pair contractType", i="timestamp",
        d="indexPrice futuresPrice basis basisRate",
    ),
    get("/futures/data/globalLongShortAccountRatio", params=PERIOD, **RATIO),
    get("/futures/data/topLongShortAccountRatio", params=PERIOD, **RATIO),
    get("/futures/data/topLongShortPositionRatio", params=PERIOD, **RATIO),
]  # fmt: skip

ACCOUNT = [
    get("/fapi/v1/leverageBracket", t="symbol", n="notionalCoef", l="brackets"),
    get("/fapi/v1/leverageBracket", params=BTC, t="symbol", n="notionalCoef", l="brackets"),
    get(
        "/fapi/v1/leverageBracket", "brackets", params=BTC, i="bracket initialLeverage",
        n="notionalCap notionalFloor maintMarginRatio cum",
    ),
    get("/fapi/v1/positionSide/dual", b="dualSidePosition"),
    get("/fapi/v1/multiAssetsMargin", b="multiAssetsMargin"),
    get("/fapi/v3/account", d=TOTALS, l="assets positions"),
    get("/fapi/v3/account", "assets", **ASSET),
    get("/fapi/v3/account", "positions", **HELD),
    *(
        endpoint
        for path in ("/fapi/v1/account", "/fapi/v2/account")
        for endpoint in (
            get(
                path, i="feeTier updateTime tradeGroupId", b="canTrade canDeposit canWithdraw multiAssetsMargin",
                d=TOTALS, l="assets positions",
            ),
            get(path, "assets", **ASSET),
            get(
                path, "positions", t="symbol positionSide", b="isolated", i="updateTime",
                d="leverage entryPrice maxNotional positionAmt unrealizedProfit initialMargin maintMargin",
            ),
        )
    ),
    *(get("/fapi/v3/positionRisk", params=asked, **RISK) for asked in (BTC, {})),
    *(get(f"/fapi/{v}/positionRisk", params=asked, **OLDER_RISK) for v in ("v1", "v2") for asked in (BTC, {})),
    *(get(f"/fapi/{version}/balance", **BALANCE) for version in ("v1", "v2", "v3")),
    *(get("/fapi/v1/symbolConfig", params=asked, **CONFIG) for asked in (BTC, {})),
    get("/fapi/v1/accountConfig", i="feeTier updateTime tradeGroupId", b="canTrade dualSidePosition multiAssetsMargin"),
    get(
        "/fapi/v1/userTrades", params=BTC, i="id orderId time", t="symbol side commissionAsset positionSide",
        d="price qty quoteQty realizedPnl commission", b="buyer maker",
    ),
    get("/fapi/v1/income", i="time tranId", t="symbol incomeType asset info tradeId", d="income"),
    get("/fapi/v1/commissionRate", params=BTC, t="symbol", d="makerCommissionRate takerCommissionRate"),
    get(
        "/fapi/v1/positionMargin/history", params=BTC, i="type time", d="amount",
        t="symbol deltaType asset positionSide",
    ),
    get("/fapi/v1/forceOrders", params=BTC, **SHOWN),
    get("/fapi/v1/adlQuantile", params=BTC, t="symbol"),
    get("/fapi/v1/adlQuantile", "adlQuantile", params=BTC, i="LONG SHORT"),
    get("/fapi/v1/orderAmendment", params=BTC, i="amendmentId orderId time", t="symbol pair clientOrderId"),
    get("/fapi/v1/rateLimit/order", t="rateLimitType interval", i="intervalNum limit"),
    get("/fapi/v1/feeBurn", b="feeBurn"),
    get("/fapi/v1/apiTradingStatus", i="updateTime"),
    Endpoint("POST", "/fapi/v1/marginType", {"symbol": "ETHUSDT", "marginType": "ISOLATED"}, DONE),
    Endpoint(
        "POST", "/fapi/v1/leverage", {**BTC, "leverage": 30},
        {"i": "leverage", "t": "symbol", "d": "maxNotionalValue"},
    ),
    Endpoint(
        "POST", "/fapi/v1/positionMargin", {**BTC, "amount": "1", "type": 1},
        {"n": "amount", "i": "code type", "t": "msg"},
    ),
    Endpoint("POST", "/fapi/v1/feeBurn", {"feeBurn": "true"}, DONE),
    *(Endpoint(method, "/fapi/v1/listenKey", {}, {"t": "listenKey"}) for method in ("POST", "PUT")),
    Endpoint("DELETE", "/fapi/v1/listenKey", {}, {}),
]  # fmt: skip

TRADING = [
    Endpoint("POST", "/fapi/v1/order", order("BUY", "0.1"), ORDER),
    Endpoint("POST", "/fapi/v1/order", order("BUY", "0.1", "50000"), ORDER),
    Endpoint("POST", "/fapi/v1/order/test", order("BUY", "0.1"), ORDER),
    *(get(path, params=RESTS, **SHOWN) for path in ("/fapi/v1/order", "/fapi/v1/openOrder")),
    Endpoint("PUT", "/fapi/v1/order", AMENDED, ORDER),
    Endpoint("DELETE", "/fapi/v1/order", RESTS, ORDER),
    Endpoint("DELETE", "/fapi/v1/allOpenOrders", BTC, DONE),
    Endpoint("POST", "/fapi/v1/batchOrders", {"batchOrders": [order("BUY", "0.1")]}, ORDER),
    Endpoint("PUT", "/fapi/v1/batchOrders", {"batchOrders": [AMENDED]}, ORDER),
    Endpoint("DELETE", "/fapi/v1/batchOrders", {**BTC, "origclientorderidlist": ["rests"]}, ORDER),
    *(get("/fapi/v1/openOrders", params=asked, **SHOWN) for asked in (BTC, {})),
    get("/fapi/v1/allOrders", params=BTC, **SHOWN),
    Endpoint(
        "POST", "/fapi/v1/countdownCancelAll", {**BTC, "countdownTime": 60000}, {"t": "symbol", "d": "countdownTime"},
    ),
    Endpoint("POST", "/fapi/v1/algoOrder", STOP, ALGO),
    get("/fapi/v1/algoOrder", params={"clientAlgoId": "waits"}, **ALGO),
    *(get("/fapi/v1/openAlgoOrders", params=asked, **ALGO) for asked in (BTC, {})),
    get("/fapi/v1/allAlgoOrders", params=BTC, **ALGO),
    Endpoint(
        "DELETE", "/fapi/v1/algoOrder", {**BTC, "clientAlgoId": "waits"}, {"i": "algoId", "t": "clientAlgoId code msg"},
    ),
    Endpoint("DELETE", "/fapi/v1/algoOpenOrders", BTC, DONE),
]  # fmt: skip

FRESH = [
    Endpoint("POST", "/fapi/v1/positionSide/dual", {"dualSidePosition": "true"}, DONE),
    Endpoint("POST", "/fapi/v1/multiAssetsMargin", {"multiAssetsMargin": "true"}, DONE),
]
"""They are changed where nothing is open, and in an account that is not isolated."""


async def traded() -> Client:
    """Somebody was liquidated, holds an isolated position, has an order that rests and a stop that waits; funding was
    paid, and time went by.
    """
    at = await client()
    venue = at.host.venue
    await at.post("/v1/marginType", symbol="BTCUSDT", marginType="ISOLATED")
    await at.buy("0.1")
    at.host.move("40000", 61)
    at.host.move("60000", 61)
    await at.buy("0.1")
    await at.post("/v1/positionMargin", symbol="BTCUSDT", amount="100", type=1)
    rests = await at.buy("0.1", "49000", newClientOrderId="rests")
    await at.put("/v1/order", symbol="BTCUSDT", side="BUY", orderId=rests["orderId"], quantity="0.1", price="50000")
    await at.post("/v1/algoOrder", **STOP, clientAlgoId="waits")
    at.host.sequencer.decide(c.SetIndexPrice(venue.now, c.InstrumentId("BTCUSDT"), MarkUnits(60_000 * 10**8)))
    at.host.sequencer.decide(c.ApplyFunding(venue.now, c.InstrumentId("BTCUSDT"), Rate(10_000)))
    at.host.move("60010", 600)
    await call(at.door, "POST", "/fapi/v1/listenKey", headers={"X-MBX-APIKEY": at.key.id})
    await venue.settled()
    return at


async def asked(at: Client, endpoint: Endpoint) -> Answer:
    """The answer: what is below /fapi is signed, which public endpoints do not mind."""
    if endpoint.path.startswith("/fapi"):
        return await at.ask(endpoint.method, endpoint.path.removeprefix("/fapi"), **endpoint.params)
    query = "&".join(f"{name}={value}" for name, value in endpoint.params.items())
    return await call(at.door, endpoint.method, endpoint.path, query.encode())


def objects(answer: Any, at: str) -> list[Any]:
    """What the fields are of."""
    rows = answer if isinstance(answer, list) and not (answer and isinstance(answer[0], str | int)) else [answer]
    if not at:
        return rows
    parts = [row[at] for row in rows]
    return [one for part in parts for one in (part if isinstance(part, list) else [part])]


def wrong(found: Any, fields: dict[str, str]) -> Iterator[str]:
    """Fields that are not there, or of another kind."""
    for kind, names in fields.items():
        for name in names.split():
            try:
                value = found[int(name)] if name.isdecimal() else found[name]
            except (LookupError, TypeError):
                yield f"{name} is not there"
                continue
            if not KINDS[kind](value):
                yield f"{name} is {value!r}, no {kind}"


@pytest.mark.parametrize("part", [MARKET, ACCOUNT, TRADING], ids=("market", "account", "orders"))
@in_loop
async def test_what_is_read_has_the_fields_that_clients_need(part: list[Endpoint]) -> None:
    at, faults = await traded(), list[str]()
    for endpoint in part:
        if endpoint.method == "GET":
            faults += await told(at, endpoint)
    assert faults == []
    await at.host.close()


@pytest.mark.parametrize(
    "endpoint", [one for one in (*ACCOUNT, *TRADING) if one.method != "GET"], ids=lambda one: f"{one.method} {one.path}"
)
@in_loop
async def test_what_is_done_is_answered_with_the_fields_that_clients_need(endpoint: Endpoint) -> None:
    at = await traded()
    assert await told(at, endpoint) == []
    await at.host.close()


@pytest.mark.parametrize("endpoint", FRESH, ids=lambda one: one.path)
@in_loop
async def test_modes_of_an_account_are_changed_where_nothing_is_open(endpoint: Endpoint) -> None:
    at = await client()
    venue = at.host.venue
    at.host.sequencer.decide(c.SetIndexPrice(venue.now, c.InstrumentId("USDTUSD"), MarkUnits(10**8)))
    assert await told(at, endpoint) == []
    await at.host.close()


async def told(at: Client, endpoint: Endpoint) -> list[str]:
    """What is wrong with an answer."""
    answer = await asked(at, endpoint)
    name = f"{endpoint.method} {endpoint.path} {endpoint.at}"
    if answer.status != 200:
        return [f"{name}: {answer.status} {answer.body}"]
    rows = objects(answer.body, endpoint.at)
    if not rows:
        return [f"{name}: nothing to look at"]
    return list(dict.fromkeys(f"{name}: {fault}" for row in rows for fault in wrong(row, endpoint.fields)))


def test_every_endpoint_is_in_the_table() -> None:
    named = {(one.method, one.path) for one in (*MARKET, *ACCOUNT, *TRADING, *FRESH)}
    assert named == {*MARKET_ROUTES, *ACCOUNT_ROUTES, *TRADING_ROUTES}


def test_a_field_that_is_missing_or_of_another_kind_is_noticed() -> None:
    fields = {"i": "a b", "n": "c", "d": "e f", "b": "g", "t": "h", "l": "0 k"}
    found = {"a": True, "b": 1, "c": 1.5, "e": "1e5", "f": "-1.50", "g": 0, "h": ""}
    faults = ["a is True, no i", "e is '1e5', no d", "g is 0, no b", "0 is not there", "k is not there"]
    assert list(wrong(found, fields)) == faults
