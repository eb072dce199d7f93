"""User data streams: what an account is told, in which order, and that it is told before its command is answered."""

from __future__ import annotations

from typing import Any

from events import commands as c
from events.commands import Side, TimeInForce
from events.instruments import AssetId, Leg, MarginMode
from events.triggers import PriceSource, TriggerKind
from events.units import UNIT, Atoms, Lots, Nanos, Rate, Ticks
from gateway.binance.asking import LEGACY
from tests.binance_sockets import Front, front
from tests.loop import in_loop
from tests.serving import BTC
from tests.sockets import Client

BUY, SELL = Side.BUY, Side.SELL
STOP = TriggerKind.STOP


def _short(event: dict[str, Any]) -> tuple[str, ...]:
    """An event in a few words: of orders what happened and the status, of accounts the reason."""
    kind, body = event["e"], event.get("o") or event.get("a") or {}
    if kind == "ORDER_TRADE_UPDATE":
        return "order", body["x"], body["X"], body["z"]
    return (
        ("algo", body["X"])
        if kind == "ALGO_UPDATE"
        else ("account", body["m"])
        if kind == "ACCOUNT_UPDATE"
        else (kind,)
    )


def _story(events: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    return [_short(event) for event in events]


async def _told(client: Client) -> list[dict[str, Any]]:
    await client.settle()
    return client.take()


@in_loop
async def test_a_limit_order_is_new_until_it_is_cancelled() -> None:
    at = await front()
    ann = await at.host.account("ann")
    async with at.listen(ann) as client:
        number = await at.order(ann, BUY, 10, 590_000, client=c.ClientId("first"))
        (event,) = await _told(client)
        assert event["e"] == "ORDER_TRADE_UPDATE"
        assert event["o"] == {
            "s": "BTCUSDT", "c": "first", "S": "BUY", "o": "LIMIT", "f": "GTC", "q": "0.010", "p": "59000.0",
            "ap": "0.00000000", "sp": "0", "x": "NEW", "X": "NEW", "i": number, "l": "0.000", "z": "0.000", "L": "0",
            "T": event["T"], "t": 0, "b": "0", "a": "0", "m": False, "R": False, "wt": "CONTRACT_PRICE",
            "ot": "LIMIT", "ps": "BOTH", "cp": False, "rp": "0", "pP": False, "si": 0, "ss": 0, "V": "NONE",
            "pm": "NONE", "gtd": 0,
        }  # fmt: skip
        await at.ask(c.CancelOrder, ann, number)
        assert _story(await _told(client)) == [("order", "CANCELED", "CANCELED", "0.000")]
    await at.host.close()


@in_loop
async def test_an_event_leaves_before_its_command_is_answered() -> None:
    at = await front()
    ann = await at.host.account("ann")
    async with at.listen(ann) as client:
        for count in range(1, 4):
            await at.order(ann, BUY, 10, 590_000)
            assert len(client.heard) == count
    await at.host.close()


@in_loop
async def test_a_market_order_changes_the_account_before_it_is_told_as_filled() -> None:
    at = await front()
    ann = await at.host.account("ann")
    async with at.listen(ann) as client:
        number = await at.order(ann, BUY, 20)
        new, account, filled = await _told(client)
        assert _story([new, account, filled]) == [
            ("order", "NEW", "NEW", "0.000"), ("account", "ORDER"), ("order", "TRADE", "FILLED", "0.020")
        ]  # fmt: skip
        assert "N" not in new["o"]
        assert "n" not in new["o"]
        fill = filled["o"]
        assert (fill["i"], fill["o"], fill["p"], fill["l"], fill["L"]) == (number, "MARKET", "0", "0.020", "60000.1")
        assert (fill["ap"], fill["N"], fill["n"], fill["m"]) == ("60000.10000000", "USDT", "0.60000100", False)
        assert fill["t"] == at.desk.blotter.fills(ann)[-1].id
        assert account["a"] == {
            "m": "ORDER",
            "B": [{"a": "USDT", "wb": "9999.39999900", "cw": "9999.39999900", "bc": "0.00000000"}],
            "P": [
                {
                    "s": "BTCUSDT", "pa": "0.020", "ep": "60000.10000000", "bep": "60030.10005000",
                    "cr": "0.00000000", "up": "-0.00200000", "mt": "cross", "iw": "0.00000000", "ps": "BOTH",
                }
            ],
        }  # fmt: skip
    await at.host.close()


@in_loop
async def test_a_position_that_closes_is_told_as_zero_with_what_it_realised() -> None:
    at = await front()
    ann = await at.host.account("ann")
    await at.order(ann, BUY, 20)
    async with at.listen(ann) as client:
        await at.order(ann, SELL, 20, reduce_only=True)
        _, account, filled = await _told(client)
        (position,) = account["a"]["P"]
        assert (position["pa"], position["ep"], position["up"]) == ("0.000", "0.00000000", "0.00000000")
        assert position["cr"] == filled["o"]["rp"] == "-0.00400000"
        assert filled["o"]["R"] is True
    await at.host.close()


@in_loop
async def test_both_sides_of_a_trade_are_told_their_own_part() -> None:
    at = await front()
    ann, bob = await at.host.account("ann"), await at.host.account("bob")
    async with at.listen(ann) as anns, at.listen(bob) as bobs:
        await at.order(ann, BUY, 10, 600_000)
        await at.order(bob, SELL, 4)
        await at.order(bob, SELL, 6)
        assert _story(await _told(anns)) == [
            ("order", "NEW", "NEW", "0.000"),
            ("account", "ORDER"), ("order", "TRADE", "PARTIALLY_FILLED", "0.004"),
            ("account", "ORDER"), ("order", "TRADE", "FILLED", "0.010"),
        ]  # fmt: skip
        told = await _told(bobs)
        assert [event["o"]["z"] for event in told if event["e"] == "ORDER_TRADE_UPDATE"] == [
            "0.000", "0.004", "0.000", "0.006"
        ]  # fmt: skip
        assert [event["o"]["m"] for event in told if "o" in event] == [False] * 4
    await at.host.close()


@in_loop
async def test_an_order_that_walks_through_the_book_tells_each_trade_and_the_account_once() -> None:
    at = await front()
    ann, bob = await at.host.account("ann"), await at.host.account("bob")
    await at.order(bob, SELL, 5, 600_000)
    async with at.listen(ann) as client:
        await at.order(ann, BUY, 12, 600_001, time_in_force=TimeInForce.IOC)
        told = await _told(client)
        assert _story(told) == [
            ("order", "NEW", "NEW", "0.000"), ("account", "ORDER"),
            ("order", "TRADE", "PARTIALLY_FILLED", "0.005"), ("order", "TRADE", "FILLED", "0.012"),
        ]  # fmt: skip
        assert [event["o"]["l"] for event in (told[2], told[3])] == ["0.005", "0.007"]
        assert told[1]["a"]["P"][0]["pa"] == "0.012"
    await at.host.close()


@in_loop
async def test_what_an_immediate_order_does_not_get_expires() -> None:
    at = await front()
    ann, bob = await at.host.account("ann"), await at.host.account("bob")
    await at.order(bob, SELL, 5, 600_000)
    async with at.listen(ann) as client:
        await at.order(ann, BUY, 12, 600_000, time_in_force=TimeInForce.IOC)
        assert _story(await _told(client))[-2:] == [
            ("order", "TRADE", "PARTIALLY_FILLED", "0.005"), ("order", "EXPIRED", "EXPIRED", "0.005")
        ]  # fmt: skip
    await at.host.close()


@in_loop
async def test_of_a_fill_or_kill_order_that_is_killed_nothing_is_told() -> None:
    at = await front()
    ann = await at.host.account("ann")
    async with at.listen(ann) as client:
        await at.order(ann, BUY, 12, 590_000, time_in_force=TimeInForce.FOK)
        assert await _told(client) == []
    await at.host.close()


@in_loop
async def test_an_amended_order_is_told_with_what_it_has_executed() -> None:
    at = await front()
    ann, bob = await at.host.account("ann"), await at.host.account("bob")
    number = await at.order(ann, BUY, 10, 600_000)
    await at.order(bob, SELL, 4)
    async with at.listen(ann) as client:
        await at.ask(c.AmendOrder, ann, number, Ticks(599_000), Lots(20))
        (event,) = await _told(client)
        assert _short(event) == ("order", "AMENDMENT", "PARTIALLY_FILLED", "0.004")
        assert (event["o"]["p"], event["o"]["q"], event["o"]["ap"]) == ("59900.0", "0.020", "60000.00000000")
        await at.ask(c.AmendOrder, ann, number, Ticks(600_001), Lots(20))
        amended, account, traded = await _told(client)
        assert _short(amended) == ("order", "AMENDMENT", "PARTIALLY_FILLED", "0.004")
        assert amended["o"]["ap"] == "60000.00000000"
        assert _short(account) == ("account", "ORDER")
        assert _short(traded) == ("order", "TRADE", "FILLED", "0.020")
    await at.host.close()


@in_loop
async def test_a_conditional_order_is_told_as_such_until_it_fires_and_as_an_order_from_then_on() -> None:
    at = await front()
    ann = await at.host.account("ann")
    await at.order(ann, BUY, 20)
    async with at.listen(ann) as client:
        number = await at.trigger(
            ann, SELL, STOP, 20, trigger=Ticks(595_000), source=PriceSource.MARK, client=c.ClientId("stop"),
            reduce_only=True,
        )  # fmt: skip
        (event,) = await _told(client)
        assert event["e"] == "ALGO_UPDATE"
        assert event["o"] == {
            "caid": "stop", "aid": number, "at": "CONDITIONAL", "o": "STOP_MARKET", "s": "BTCUSDT", "S": "SELL",
            "ps": "BOTH", "f": "GTC", "q": "0.020", "X": "NEW", "ai": "", "ap": "0.00000000", "aq": "0.000",
            "act": "0", "tp": "59500.0", "p": "0", "V": "NONE", "wt": "MARK_PRICE", "pm": "NONE", "cp": False,
            "pP": False, "R": True, "tt": 0, "gtd": 0, "rm": "",
        }  # fmt: skip
        await at.move("59400")
        told = await _told(client)
        assert _story(told) == [
            ("algo", "TRIGGERING"), ("algo", "TRIGGERED"), ("order", "NEW", "NEW", "0.000"), ("account", "ORDER"),
            ("order", "TRADE", "FILLED", "0.020"), ("algo", "FINISHED"),
        ]  # fmt: skip
        assert [event["o"]["ai"] for event in told if event["e"] == "ALGO_UPDATE"] == ["", str(number), str(number)]
        assert (told[-1]["o"]["ap"], told[-1]["o"]["aq"]) == ("59399.90000000", "0.020")
        assert (told[2]["o"]["i"], told[2]["o"]["o"], told[2]["o"]["ot"]) == (number, "MARKET", "STOP_MARKET")
    await at.host.close()


@in_loop
async def test_a_conditional_order_is_cancelled_or_expires_without_having_been_an_order() -> None:
    at = await front()
    ann = await at.host.account("ann")
    async with at.listen(ann) as client:
        number = await at.trigger(ann, SELL, STOP, 20, trigger=Ticks(595_000))
        await at.ask(c.CancelOrder, ann, number)
        await at.trigger(ann, SELL, STOP, 0, trigger=Ticks(595_000), closes=True)
        await at.move("59400")
        told = await _told(client)
        assert _story(told) == [("algo", "NEW"), ("algo", "CANCELED"), ("algo", "NEW"), ("algo", "EXPIRED")]
        assert told[-1]["o"]["rm"] == "nothing_to_reduce"
    await at.host.close()


@in_loop
async def test_a_conditional_order_that_is_refused_when_it_fires_was_rejected() -> None:
    at = await front()
    ann = await at.host.account("ann", "1000")
    async with at.listen(ann) as client:
        await at.trigger(ann, SELL, STOP, 900, trigger=Ticks(595_000))
        await at.move("59400")
        told = await _told(client)
        assert _story(told) == [("algo", "NEW"), ("algo", "TRIGGERING"), ("algo", "REJECTED")]
        assert told[-1]["o"]["rm"] == "insufficient_margin"
    await at.host.close()


@in_loop
async def test_a_conditional_order_that_was_placed_as_an_ordinary_one_is_told_as_one() -> None:
    at = await front()
    ann = await at.host.account("ann")
    venue = at.host.venue
    async with at.listen(ann) as client:
        for _ in range(2):
            request = c.RequestId(venue.request() + LEGACY)
            number = venue.number(ann)
            placed = c.PlaceTrigger(venue.now, ann, request, number, BTC, SELL, STOP, Lots(20), Ticks(595_000))
            await venue.ask(placed)
        await at.ask(c.CancelOrder, ann, number)
        await at.move("59400")
        told = await _told(client)
        assert _story(told) == [
            ("order", "NEW", "NEW", "0.000"), ("order", "NEW", "NEW", "0.000"),
            ("order", "CANCELED", "CANCELED", "0.000"),
            ("order", "NEW", "NEW", "0.000"), ("account", "ORDER"), ("order", "TRADE", "FILLED", "0.020"),
        ]  # fmt: skip
        assert [event["o"]["o"] for event in told if "o" in event] == ["STOP_MARKET"] * 3 + ["MARKET"] * 2
        assert {event["o"]["ot"] for event in told if "o" in event} == {"STOP_MARKET"}
    await at.host.close()


@in_loop
async def test_a_trailing_stop_says_where_it_begins_and_how_far_it_follows() -> None:
    at = await front()
    ann = await at.host.account("ann")
    venue = at.host.venue
    async with at.listen(ann) as client:
        request, number = c.RequestId(venue.request() + LEGACY), venue.number(ann)
        trails = TriggerKind.TRAILING_STOP
        await venue.ask(
            c.PlaceTrigger(
                venue.now, ann, request, number, BTC, SELL, trails, Lots(20), Ticks(610_000),
                callback=Rate(UNIT * 5 // 1000),
            )
        )  # fmt: skip
        (event,) = await _told(client)
        assert (event["o"]["o"], event["o"]["AP"], event["o"]["cr"]) == ("TRAILING_STOP_MARKET", "61000.0", "0.5")
    await at.host.close()


@in_loop
async def test_a_liquidation_is_told_as_an_order_of_the_venue() -> None:
    at = await front()
    ann = await at.host.account("ann", "1000", MarginMode.ISOLATED)
    await at.ask(c.SetLeverage, ann, BTC, 100)
    await at.order(ann, BUY, 100)
    async with at.listen(ann) as client:
        await at.order(ann, BUY, 10, 590_000)
        await at.move("59500")
        told = await _told(client)
        assert _story(told)[:3] == [
            ("order", "NEW", "NEW", "0.000"), ("MARGIN_CALL",), ("order", "EXPIRED", "EXPIRED", "0.000")
        ]  # fmt: skip
        forced = [event["o"] for event in told if event["e"] == "ORDER_TRADE_UPDATE" and event["o"]["c"][:4] == "auto"]
        assert [order["x"] for order in forced] == ["NEW", "TRADE"]
        assert {(order["o"], order["f"], order["ot"], order["S"]) for order in forced} == {
            ("LIMIT", "IOC", "LIMIT", "SELL")
        }
        assert all(order["c"].startswith("autoclose-") for order in forced)
        assert [event["o"]["X"] for event in told if "o" in event][1] == "EXPIRED"
        reasons = [event["a"]["m"] for event in told if event["e"] == "ACCOUNT_UPDATE"]
        assert reasons == ["ORDER", "INSURANCE_CLEAR"]
        last = next(event["a"] for event in told if event["e"] == "ACCOUNT_UPDATE")
        assert (last["P"][0]["pa"], last["P"][0]["mt"], last["P"][0]["iw"]) == ("0.000", "isolated", "0.00000000")
    await at.host.close()


@in_loop
async def test_what_the_book_does_not_take_of_a_liquidation_is_calculated() -> None:
    at = await front()
    ann = await at.host.account("ann", "1000", MarginMode.ISOLATED)
    await at.ask(c.SetLeverage, ann, BTC, 100)
    await at.order(ann, BUY, 100)
    async with at.listen(ann) as client:
        await at.move("50000")
        told = [event["o"] for event in await _told(client) if event["e"] == "ORDER_TRADE_UPDATE"]
        assert [(order["x"], order["X"]) for order in told] == [("NEW", "NEW"), ("CALCULATED", "FILLED")]
    await at.host.close()


@in_loop
async def test_a_margin_call_tells_the_positions_of_its_pool() -> None:
    at = await front()
    ann = await at.host.account("ann", "400")
    await at.ask(c.SetLeverage, ann, BTC, 20)
    await at.order(ann, BUY, 100)
    async with at.listen(ann) as client:
        await at.move("56290")
        calls = [event for event in await _told(client) if event["e"] == "MARGIN_CALL"]
        (call,) = calls
        (position,) = call["p"]
        assert call["cw"] == "396.99999500"
        assert (position["s"], position["ps"], position["pa"], position["mt"]) == (
            "BTCUSDT",
            "BOTH",
            "0.100",
            "CROSSED",
        )
        assert position["mp"] == "56290.00000000"
        assert float(position["mm"]) > 0 > float(position["up"])
    await at.host.close()


async def _paid(mode: MarginMode) -> list[dict[str, Any]]:
    at = await front()
    ann = await at.host.account("ann", mode=mode)
    await at.order(ann, BUY, 100)
    async with at.listen(ann) as client:
        at.host.sequencer.decide(c.ApplyFunding(Nanos(at.host.at), BTC, Rate(UNIT // 10_000)))
        await at.host.sequencer.flush()
        told = await _told(client)
    await at.host.close()
    return told


@in_loop
async def test_funding_of_a_cross_position_tells_the_balance_alone() -> None:
    (event,) = await _paid(MarginMode.CROSS)
    data = event["a"]
    assert (data["m"], data["S"], data["P"]) == ("FUNDING_FEE", "BTCUSDT", [])
    assert [(b["a"], b["bc"]) for b in data["B"]] == [("USDT", "-0.60000000")]


@in_loop
async def test_funding_of_an_isolated_position_tells_the_position_too() -> None:
    (event,) = await _paid(MarginMode.ISOLATED)
    (position,) = event["a"]["P"]
    assert (position["s"], position["mt"], event["a"]["B"][0]["bc"]) == ("BTCUSDT", "isolated", "-0.60000000")
    assert float(position["iw"]) > 0


@in_loop
async def test_margin_that_moves_changes_the_cross_wallet_and_not_the_whole() -> None:
    at = await front()
    ann = await at.host.account("ann", mode=MarginMode.ISOLATED)
    await at.order(ann, BUY, 100)
    async with at.listen(ann) as client:
        before = at.host.venue.state.accounts[ann].wallets[AssetId("USDT")].balance
        await at.ask(c.AddMargin, ann, BTC, Atoms(100 * UNIT))
        (event,) = await _told(client)
        assert event["a"]["m"] == "MARGIN_TRANSFER"
        (balance,) = event["a"]["B"]
        assert balance["cw"] == f"{(before - 100 * UNIT) / UNIT:.8f}"
        assert balance["wb"] == "9996.99999500"
        assert balance["bc"] == "0.00000000"
        assert event["a"]["P"][0]["iw"] == "397.00049500"
    await at.host.close()


@in_loop
async def test_settings_are_told() -> None:
    at = await front()
    ann = await at.host.account("ann")
    async with at.listen(ann) as client:
        await at.ask(c.SetLeverage, ann, BTC, 7)
        await at.ask(c.SetMarginMode, ann, BTC, MarginMode.ISOLATED)
        await at.ask(c.SetMarginMode, ann, BTC, MarginMode.CROSS)
        leverage, isolated, cross = await _told(client)
        assert (leverage["e"], leverage["ac"]) == ("ACCOUNT_CONFIG_UPDATE", {"s": "BTCUSDT", "l": 7})
        assert [e["a"]["m"] for e in (isolated, cross)] == ["MARGIN_TYPE_CHANGE"] * 2
        assert [e["a"]["P"][0]["mt"] for e in (isolated, cross)] == ["isolated", "cross"]
        at.host.sequencer.decide(c.SetIndexPrice(Nanos(at.host.at), c.InstrumentId("USDTUSD"), UNIT))  # type: ignore[arg-type]
        await at.ask(c.SetCollateralMode, ann, True)
        (event,) = [event for event in await _told(client) if event["e"] == "ACCOUNT_CONFIG_UPDATE"]
        assert event["ai"] == {"j": True}
    await at.host.close()


@in_loop
async def test_money_that_comes_and_goes_is_told_with_its_reason() -> None:
    at = await front()
    ann, bob = await at.host.account("ann"), await at.host.account("bob")
    usdt = AssetId("USDT")
    async with at.listen(ann) as anns, at.listen(bob) as bobs:
        await at.ask(c.Deposit, ann, usdt, Atoms(5 * UNIT))
        await at.ask(c.Withdraw, ann, usdt, Atoms(2 * UNIT))
        await at.ask(c.Transfer, ann, usdt, Atoms(UNIT), bob)
        told = [(e["a"]["m"], e["a"]["B"][0]["bc"], e["a"]["B"][0]["wb"]) for e in await _told(anns)]
        assert told == [
            ("DEPOSIT", "5.00000000", "10005.00000000"),
            ("WITHDRAW", "-2.00000000", "10003.00000000"),
            ("ASSET_TRANSFER", "-1.00000000", "10002.00000000"),
        ]
        (event,) = await _told(bobs)
        assert (event["a"]["m"], event["a"]["B"][0]["bc"]) == ("ASSET_TRANSFER", "1.00000000")
    await at.host.close()


@in_loop
async def test_figures_are_those_of_the_moment_and_not_of_later_ones() -> None:
    at = await front()
    ann = await at.host.account("ann")
    venue = at.host.venue
    async with at.listen(ann) as client:
        orders = [
            c.PlaceOrder(venue.now, ann, venue.request(), venue.number(ann), BTC, BUY, Lots(20)) for _ in range(3)
        ]
        answers = [at.host.sequencer.submit_soon(order) for order in orders]
        for answer in answers:
            await answer
        told = await _told(client)
        held = [event["a"]["P"][0]["pa"] for event in told if event["e"] == "ACCOUNT_UPDATE"]
        assert held == ["0.020", "0.040", "0.060"]
    await at.host.close()


@in_loop
async def test_nobody_is_told_of_another_account_nor_anything_once_the_key_is_over() -> None:
    at = await front()
    ann, bob = await at.host.account("ann"), await at.host.account("bob")
    async with at.listen(ann) as anns, at.listen(bob) as bobs:
        await at.order(bob, BUY, 10, 590_000)
        assert await _told(anns) == [] != await _told(bobs)
        at.wall.ms += 60 * 60 * 1000
        await at.order(bob, BUY, 10, 590_000)
        key = at.desk.listen_keys.start(bob)
        (event,) = await _told(bobs)
        assert event["e"] == "listenKeyExpired"
        assert event["listenKey"] != key
        await at.order(bob, BUY, 10, 590_000)
        assert await _told(bobs) == []
    await at.host.close()


@in_loop
async def test_whoever_leaves_is_forgotten_and_costs_nothing_any_more() -> None:
    at = await front()
    ann = await at.host.account("ann")
    async with at.listen(ann) as first:
        async with at.listen(ann) as second:
            await at.order(ann, BUY, 10, 590_000)
            assert len(await _told(first)) == len(await _told(second)) == 1
        await at.order(ann, BUY, 10, 590_000)
        assert len(await _told(first)) == 1
    assert at.sockets.figures == (0, 0, 0)
    await at.host.close()


async def _hedged() -> tuple[Front, c.AccountId]:
    at = await front()
    ann = await at.host.account("ann")
    await at.ask(c.SetPositionMode, ann, True)
    return at, ann


@in_loop
async def test_in_hedge_mode_each_leg_is_a_position() -> None:
    at, ann = await _hedged()
    async with at.listen(ann) as client:
        await at.order(ann, BUY, 20, leg=Leg.LONG)
        await at.order(ann, SELL, 10, leg=Leg.SHORT)
        told = await _told(client)
        positions = [event["a"]["P"] for event in told if event["e"] == "ACCOUNT_UPDATE"]
        assert [[(p["ps"], p["pa"]) for p in of] for of in positions] == [[("LONG", "0.020")], [("SHORT", "-0.010")]]
        assert [event["o"]["ps"] for event in told if "o" in event] == ["LONG", "LONG", "SHORT", "SHORT"]
    await at.host.close()
