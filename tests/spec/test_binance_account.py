"""The account through the Binance door: balances, positions, settings, margin, trades, income."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from events import commands as c
from events.instruments import InstrumentId
from events.units import MarkUnits, Rate
from tests.binance import Client, client, order
from tests.loop import in_loop
from tests.serving import BTC


async def isolated(c_: Client) -> None:
    assert await c_.post("/v1/marginType", symbol="BTCUSDT", marginType="ISOLATED") == {"code": 200, "msg": "success"}


@in_loop
async def test_balances_are_those_of_the_wallet_and_the_position() -> None:
    at = await client()
    await at.buy("0.1")
    at.host.move("61000")
    account = await at.get("/v3/account")
    usdt = next(asset for asset in account["assets"] if asset["asset"] == "USDT")
    assert usdt["walletBalance"] == "9996.99999500"
    assert usdt["unrealizedProfit"] == account["totalUnrealizedProfit"] == "99.99000000"
    assert usdt["marginBalance"] == "10096.98999500"
    assert usdt["initialMargin"] == usdt["positionInitialMargin"] == "305.00000000"
    assert Decimal(usdt["availableBalance"]) == Decimal(usdt["marginBalance"]) - Decimal(usdt["initialMargin"])
    assert all(asset["updateTime"] > 0 for asset in account["assets"])
    (position,) = account["positions"]
    assert (position["positionAmt"], position["isolatedMargin"]) == ("0.100", "0.00000000")
    (balance, *_) = await at.get("/v3/balance")
    assert (balance["balance"], balance["availableBalance"]) == (usdt["walletBalance"], usdt["availableBalance"])
    assert await at.get("/v2/balance") == await at.get("/v3/balance")
    older = await at.get("/v2/account")
    assert len(older["positions"]) == len(at.host.venue.pack.instruments)
    assert older["positions"][0]["leverage"] == "20"
    assert older["positions"][0]["isolated"] is False
    assert older["canTrade"] is True
    await at.host.close()


@in_loop
async def test_open_orders_hold_margin_back() -> None:
    at = await client()
    await at.buy("0.1", "50000")
    (position,) = await at.get("/v3/positionRisk")
    assert (position["positionAmt"], position["openOrderInitialMargin"]) == ("0.000", "250.00000000")
    assert position["bidNotional"] == "5000.00000000"
    account = await at.get("/v3/account")
    assert account["totalOpenOrderInitialMargin"] == "250.00000000"
    assert Decimal(account["availableBalance"]) < 9750
    await at.host.close()


@in_loop
async def test_adding_isolated_margin_moves_the_liquidation_price_away() -> None:
    at = await client()
    await isolated(at)
    await at.buy("0.1")
    before = await at.position()
    assert Decimal(before["isolatedMargin"]) > 0
    assert Decimal(before["isolatedWallet"]) == Decimal("300.0005") - Decimal("3.000005")
    added = await at.post("/v1/positionMargin", symbol="BTCUSDT", amount="100", type=1)
    assert added == {"amount": 100.0, "code": 200, "msg": "Successfully modify position margin.", "type": 1}
    after = await at.position()
    assert Decimal(after["isolatedWallet"]) == Decimal(before["isolatedWallet"]) + 100
    assert 0 < Decimal(after["liquidationPrice"]) < Decimal(before["liquidationPrice"])
    await at.post("/v1/positionMargin", symbol="BTCUSDT", amount="40.5", type=2)
    closer = await at.position()
    assert (
        Decimal(after["liquidationPrice"]) < Decimal(closer["liquidationPrice"]) < Decimal(before["liquidationPrice"])
    )
    moves = await at.get("/v1/positionMargin/history", symbol="BTCUSDT")
    assert [(one["type"], one["amount"], one["asset"]) for one in moves] == [
        (1, "100.00000000", "USDT"), (2, "40.50000000", "USDT"),
    ]  # fmt: skip
    assert len(await at.get("/v1/positionMargin/history", symbol="BTCUSDT", type=2)) == 1
    await at.host.close()


@in_loop
async def test_a_position_is_liquidated_at_the_price_that_was_shown_and_the_owner_sees_by_what() -> None:
    at = await client()
    await isolated(at)
    await at.buy("0.1")
    shown = Decimal((await at.position())["liquidationPrice"])
    tick = Decimal("0.1")
    at.host.move(str(shown.quantize(tick) + tick))
    assert await at.position() is not None
    at.host.move(str(shown.quantize(tick) - tick))
    await at.host.venue.settled()
    assert await at.position() is None
    forced = await at.get("/v1/forceOrders")
    assert forced[0]["clientOrderId"].startswith("autoclose-")
    assert forced == await at.get("/v1/forceOrders", symbol="BTCUSDT", autoCloseType="LIQUIDATION")
    assert sum(Decimal(one["executedQty"]) for one in forced) == Decimal("0.1")
    assert await at.get("/v1/order", symbol="BTCUSDT", orderId=forced[0]["orderId"]) == forced[0]
    assert await at.get("/v1/income", incomeType="REALIZED_PNL") != []
    await at.host.close()


@in_loop
async def test_margin_is_moved_only_where_there_is_an_isolated_position_and_enough() -> None:
    at = await client(deposit="1000")
    of: dict[str, Any] = {"symbol": "BTCUSDT", "type": 1}
    assert (await at.refused("POST", "/v1/positionMargin", **of, amount="10"))[0] == -4049
    await isolated(at)
    assert (await at.refused("POST", "/v1/positionMargin", **of, amount="10"))[0] == -4054
    await at.buy("0.1")
    assert (await at.refused("POST", "/v1/positionMargin", **of, amount="0"))[0] == -4055
    assert (await at.refused("POST", "/v1/positionMargin", **of, amount="-1"))[0] == -4055
    assert (await at.refused("POST", "/v1/positionMargin", **of, amount="5000"))[0] == -4050
    assert (await at.refused("POST", "/v1/positionMargin", symbol="BTCUSDT", type=2, amount="250"))[0] == -4051
    assert (await at.refused("POST", "/v1/positionMargin", symbol="BTCUSDT", type=3, amount="1"))[0] == -1130
    assert (await at.refused("POST", "/v1/positionMargin", symbol="BTCUSDT", type=1))[0] == -1102
    await at.host.close()


@in_loop
async def test_margin_modes_change_once_and_only_where_nothing_is_open() -> None:
    at = await client()
    await isolated(at)
    repeated = await at.refused("POST", "/v1/marginType", symbol="BTCUSDT", marginType="ISOLATED")
    assert repeated == (-4046, "No need to change margin type.")
    (config,) = await at.get("/v1/symbolConfig", symbol="BTCUSDT")
    assert (config["marginType"], config["isAutoAddMargin"]) == ("ISOLATED", False)
    rests = await at.buy("0.1", "50000")
    assert (await at.refused("POST", "/v1/marginType", symbol="BTCUSDT", marginType="CROSSED"))[0] == -4047
    await at.delete("/v1/order", symbol="BTCUSDT", orderId=rests["orderId"])
    await at.buy("0.1")
    assert (await at.refused("POST", "/v1/marginType", symbol="BTCUSDT", marginType="CROSSED"))[0] == -4048
    still = await at.refused("POST", "/v1/marginType", symbol="BTCUSDT", marginType="ISOLATED")
    assert still == (-4046, "No need to change margin type.")
    await at.sell("0.1", reduceOnly=True)
    await at.post("/v1/marginType", symbol="BTCUSDT", marginType="CROSSED")
    assert (await at.refused("POST", "/v1/marginType", symbol="BTCUSDT", marginType="SHARED"))[0] == -1130
    await at.host.close()


@in_loop
async def test_leverage_is_set_within_the_brackets() -> None:
    at = await client()
    answer = await at.post("/v1/leverage", symbol="BTCUSDT", leverage=100)
    assert answer == {"leverage": 100, "maxNotionalValue": "600000", "symbol": "BTCUSDT"}
    await at.buy("1")
    assert (await at.position())["initialMargin"] == "600.00000000"
    assert (await at.refused("POST", "/v1/leverage", symbol="BTCUSDT", leverage=126)) == (
        -4028, "Leverage 126 is not valid",
    )  # fmt: skip
    assert (await at.refused("POST", "/v1/leverage", symbol="BTCUSDT", leverage=0))[0] == -4028
    assert (await at.refused("POST", "/v1/leverage", symbol="BTCUSDT", leverage="ten"))[0] == -1102
    assert (await at.refused("POST", "/v1/leverage", symbol="BTCUSDT", leverage=125))[0] == -2027
    assert (await at.refused("POST", "/v1/leverage", symbol="BTCUSDT", leverage=1))[0] == -2028
    await at.sell("1")
    await isolated(at)
    await at.buy("0.1")
    code, _ = await at.refused("POST", "/v1/leverage", symbol="BTCUSDT", leverage=10)
    assert code == -4161
    await at.host.close()


@in_loop
async def test_in_hedge_mode_both_legs_are_there_by_name() -> None:
    at = await client()
    assert await at.get("/v1/positionSide/dual") == {"dualSidePosition": False}
    same = -4059, "No need to change position side."
    assert await at.refused("POST", "/v1/positionSide/dual", dualSidePosition="false") == same
    await at.post("/v1/positionSide/dual", dualSidePosition="true")
    assert await at.get("/v1/positionSide/dual") == {"dualSidePosition": True}
    await at.buy("0.1", positionSide="LONG")
    await at.sell("0.2", positionSide="SHORT")
    found = {one["positionSide"]: one["positionAmt"] for one in await at.get("/v3/positionRisk")}
    assert found == {"LONG": "0.100", "SHORT": "-0.200"}
    assert (await at.refused("POST", "/v1/order", **order("BUY", "0.1")))[0] == -4061
    assert (await at.refused("POST", "/v1/order", **order("SELL", "0.1", reduceOnly=True)))[0] == -1106
    assert (await at.refused("POST", "/v1/positionSide/dual", dualSidePosition="false"))[0] == -4068
    closed = await at.sell("0.1", positionSide="LONG")
    assert closed["status"] == "FILLED"
    assert (await at.refused("POST", "/v1/order", **order("SELL", "0.1", positionSide="LONG")))[0] == -2022
    await at.buy("0.2", positionSide="SHORT")
    await at.buy("0.1", "50000", positionSide="LONG")
    assert (await at.refused("POST", "/v1/positionSide/dual", dualSidePosition="false"))[0] == -4067
    quantiles = await at.get("/v1/adlQuantile")
    assert quantiles == []
    await at.host.close()


@in_loop
async def test_collateral_is_one_asset_or_all() -> None:
    at = await client()
    assert await at.get("/v1/multiAssetsMargin") == {"multiAssetsMargin": False}
    assert (await at.refused("POST", "/v1/multiAssetsMargin", multiAssetsMargin="false"))[0] == -4171
    assert (await at.refused("POST", "/v1/multiAssetsMargin", multiAssetsMargin="true"))[0] == -4169
    venue = at.host.venue
    at.host.sequencer.decide(c.SetIndexPrice(venue.now, InstrumentId("USDTUSD"), MarkUnits(10**8)))
    await at.post("/v1/multiAssetsMargin", multiAssetsMargin="true")
    assert await at.get("/v1/multiAssetsMargin") == {"multiAssetsMargin": True}
    assert (await at.get("/v1/accountConfig"))["multiAssetsMargin"] is True
    code, _ = await at.refused("POST", "/v1/marginType", symbol="BTCUSDT", marginType="ISOLATED")
    assert code == -4168
    await at.buy("0.1")
    assert Decimal((await at.get("/v3/account"))["totalMarginBalance"]) > 9990
    await at.host.close()


@in_loop
async def test_trades_tell_what_they_realised_and_cost() -> None:
    at = await client()
    await at.buy("0.1")
    at.host.move("61000", seconds=10)
    sold = await at.sell("0.1")
    first, second = await at.get("/v1/userTrades", symbol="BTCUSDT")
    assert (first["buyer"], first["maker"], first["realizedPnl"]) == (True, False, "0.00000000")
    assert (second["price"], second["realizedPnl"], second["commission"]) == ("60999.9", "99.98000000", "3.04999500")
    assert await at.get("/v1/userTrades", symbol="BTCUSDT", orderId=sold["orderId"]) == [second]
    assert await at.get("/v1/userTrades", symbol="BTCUSDT", fromId=second["id"]) == [second]
    assert await at.get("/v1/userTrades", symbol="BTCUSDT", startTime=second["time"]) == [second]
    assert await at.get("/v1/userTrades", symbol="BTCUSDT", limit=1) == [second]
    (realised,) = await at.get("/v1/income", incomeType="REALIZED_PNL", symbol="BTCUSDT")
    assert (realised["income"], realised["tradeId"]) == ("99.98000000", str(second["id"]))
    every = await at.get("/v1/income")
    assert len({one["tranId"] for one in every}) == len(every)
    wallet = Decimal((await at.get("/v3/balance"))[0]["balance"])
    assert sum(Decimal(one["income"]) for one in every) == wallet
    await at.host.close()


@in_loop
async def test_funding_is_income_and_moves_the_break_even_price() -> None:
    at = await client()
    await at.buy("0.1")
    before = await at.position()
    at.host.sequencer.decide(c.ApplyFunding(at.host.venue.now, BTC, Rate(10_000)))
    await at.host.venue.settled()
    (paid,) = await at.get("/v1/income", incomeType="FUNDING_FEE")
    assert (paid["income"], paid["symbol"], paid["asset"]) == ("-0.60000000", "BTCUSDT", "USDT")
    assert Decimal((await at.position())["breakEvenPrice"]) == Decimal(before["breakEvenPrice"]) + 6
    await at.host.close()


@in_loop
async def test_rules_and_limits_are_told() -> None:
    at = await client()
    (bracket,) = await at.get("/v1/leverageBracket", symbol="BTCUSDT")
    assert bracket["brackets"][1] == {
        "bracket": 2, "initialLeverage": 100, "notionalCap": 600000, "notionalFloor": 50000,
        "maintMarginRatio": 0.005, "cum": 50.0,
    }  # fmt: skip
    assert len(await at.get("/v1/leverageBracket")) == len(at.host.venue.pack.instruments)
    assert await at.get("/v1/commissionRate", symbol="BTCUSDT") == {
        "symbol": "BTCUSDT", "makerCommissionRate": "0.000200", "takerCommissionRate": "0.000500",
        "rpiCommissionRate": "0.000200",
    }  # fmt: skip
    assert [one["interval"] for one in await at.get("/v1/rateLimit/order")] == ["SECOND", "MINUTE"]
    assert (await at.get("/v1/apiTradingStatus"))["indicators"] == {}
    assert await at.get("/v1/feeBurn") == {"feeBurn": False}
    await at.post("/v1/feeBurn", feeBurn="true")
    assert await at.get("/v1/feeBurn") == {"feeBurn": True}
    await at.host.close()


@pytest.mark.parametrize("version", ["/v1/positionRisk", "/v2/positionRisk"])
@in_loop
async def test_older_versions_show_every_symbol_with_mode_and_leverage(version: str) -> None:
    at = await client()
    await isolated(at)
    found = await at.get(version)
    assert len(found) == len(at.host.venue.pack.instruments)
    (of,) = await at.get(version, symbol="BTCUSDT")
    assert (of["marginType"], of["leverage"], of["isAutoAddMargin"]) == ("isolated", "20", "false")
    assert of["maxNotionalValue"] == "100000000"
    assert (await at.refused("GET", version, symbol="NONE"))[0] == -1121
    await at.host.close()
