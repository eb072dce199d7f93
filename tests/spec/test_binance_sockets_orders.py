"""User data streams: what an account is told of its orders, in which order, before it is answered."""

from __future__ import annotations

from events import commands as c
from events.commands import Side, TimeInForce
from events.instruments import MarginMode
from events.triggers import PriceSource, TriggerKind
from events.units import UNIT, Lots, Rate, Ticks
from gateway.binance.asking import LEGACY
from gateway.serving.tape.trades import trade_id
from tests.binance_sockets import front, short, story, told
from tests.loop import in_loop
from tests.serving import BTC

BUY, SELL = Side.BUY, Side.SELL
STOP = TriggerKind.STOP


@in_loop
async def test_a_limit_order_is_new_until_it_is_cancelled() -> None:
    at = await front()
    ann = await at.host.account("ann")
    async with at.listen(ann) as client:
        number = await at.order(ann, BUY, 10, 590_000, client=c.ClientId("first"))
        (event,) = await told(client)
        assert event["e"] == "ORDER_TRADE_UPDATE"
        assert event["o"] == {
            "s": "BTCUSDT", "c": "first", "S": "BUY", "o": "LIMIT", "f": "GTC", "q": "0.010", "p": "59000.0",
            "ap": "0.00000000", "sp": "0", "x": "NEW", "X": "NEW", "i": number, "l": "0.000", "z": "0.000", "L": "0",
            "T": event["T"], "t": 0, "b": "0", "a": "0", "m": False, "R": False, "wt": "CONTRACT_PRICE",
            "ot": "LIMIT", "ps": "BOTH", "cp": False, "rp": "0", "pP": False, "si": 0, "ss": 0, "V": "NONE",
            "pm": "NONE", "gtd": 0,
        }  # fmt: skip
        await at.ask(c.CancelOrder, ann, number)
        assert story(await told(client)) == [("order", "CANCELED", "CANCELED", "0.000")]
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
        new, account, filled = await told(client)
        assert story([new, account, filled]) == [
            ("order", "NEW", "NEW", "0.000"), ("account", "ORDER"), ("order", "TRADE", "FILLED", "0.020")
        ]  # fmt: skip
        assert "N" not in new["o"]
        assert "n" not in new["o"]
        fill = filled["o"]
        assert (fill["i"], fill["o"], fill["p"], fill["l"], fill["L"]) == (number, "MARKET", "0", "0.020", "60000.1")
        assert (fill["ap"], fill["N"], fill["n"], fill["m"]) == ("60000.10000000", "USDT", "0.60000100", False)
        assert fill["t"] == trade_id(at.desk.blotter.fills(ann)[-1].id)
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
async def test_both_sides_of_a_trade_are_told_their_own_part() -> None:
    at = await front()
    ann, bob = await at.host.account("ann"), await at.host.account("bob")
    async with at.listen(ann) as anns, at.listen(bob) as bobs:
        await at.order(ann, BUY, 10, 600_000)
        await at.order(bob, SELL, 4)
        await at.order(bob, SELL, 6)
        assert story(await told(anns)) == [
            ("order", "NEW", "NEW", "0.000"),
            ("account", "ORDER"), ("order", "TRADE", "PARTIALLY_FILLED", "0.004"),
            ("account", "ORDER"), ("order", "TRADE", "FILLED", "0.010"),
        ]  # fmt: skip
        heard = await told(bobs)
        assert [event["o"]["z"] for event in heard if event["e"] == "ORDER_TRADE_UPDATE"] == [
            "0.000", "0.004", "0.000", "0.006"
        ]  # fmt: skip
        assert [event["o"]["m"] for event in heard if "o" in event] == [False] * 4
    await at.host.close()


@in_loop
async def test_an_order_that_walks_through_the_book_tells_each_trade_and_the_account_once() -> None:
    at = await front()
    ann, bob = await at.host.account("ann"), await at.host.account("bob")
    await at.order(bob, SELL, 5, 600_000)
    async with at.listen(ann) as client:
        await at.order(ann, BUY, 12, 600_001, time_in_force=TimeInForce.IOC)
        heard = await told(client)
        assert story(heard) == [
            ("order", "NEW", "NEW", "0.000"), ("account", "ORDER"),
            ("order", "TRADE", "PARTIALLY_FILLED", "0.005"), ("order", "TRADE", "FILLED", "0.012"),
        ]  # fmt: skip
        assert [event["o"]["l"] for event in (heard[2], heard[3])] == ["0.005", "0.007"]
        assert heard[1]["a"]["P"][0]["pa"] == "0.012"
    await at.host.close()


@in_loop
async def test_what_an_immediate_order_does_not_get_expires() -> None:
    at = await front()
    ann, bob = await at.host.account("ann"), await at.host.account("bob")
    await at.order(bob, SELL, 5, 600_000)
    async with at.listen(ann) as client:
        await at.order(ann, BUY, 12, 600_000, time_in_force=TimeInForce.IOC)
        assert story(await told(client))[-2:] == [
            ("order", "TRADE", "PARTIALLY_FILLED", "0.005"), ("order", "EXPIRED", "EXPIRED", "0.005")
        ]  # fmt: skip
    await at.host.close()


@in_loop
async def test_of_a_fill_or_kill_order_that_is_killed_nothing_is_told() -> None:
    at = await front()
    ann = await at.host.account("ann")
    async with at.listen(ann) as client:
        await at.order(ann, BUY, 12, 590_000, time_in_force=TimeInForce.FOK)
        assert await told(client) == []
    await at.host.close()


@in_loop
async def test_an_amended_order_is_told_with_what_it_has_executed() -> None:
    at = await front()
    ann, bob = await at.host.account("ann"), await at.host.account("bob")
    number = await at.order(ann, BUY, 10, 600_000)
    await at.order(bob, SELL, 4)
    async with at.listen(ann) as client:
        await at.ask(c.AmendOrder, ann, number, Ticks(599_000), Lots(20))
        (event,) = await told(client)
        assert short(event) == ("order", "AMENDMENT", "PARTIALLY_FILLED", "0.004")
        assert (event["o"]["p"], event["o"]["q"], event["o"]["ap"]) == ("59900.0", "0.020", "60000.00000000")
        await at.ask(c.AmendOrder, ann, number, Ticks(600_001), Lots(20))
        amended, account, traded = await told(client)
        assert short(amended) == ("order", "AMENDMENT", "PARTIALLY_FILLED", "0.004")
        assert amended["o"]["ap"] == "60000.00000000"
        assert short(account) == ("account", "ORDER")
        assert short(traded) == ("order", "TRADE", "FILLED", "0.020")
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
        (event,) = await told(client)
        assert event["e"] == "ALGO_UPDATE"
        assert event["o"] == {
            "caid": "stop", "aid": number, "at": "CONDITIONAL", "o": "STOP_MARKET", "s": "BTCUSDT", "S": "SELL",
            "ps": "BOTH", "f": "GTC", "q": "0.020", "X": "NEW", "ai": "", "ap": "0.00000000", "aq": "0.000",
            "act": "0", "tp": "59500.0", "p": "0", "V": "NONE", "wt": "MARK_PRICE", "pm": "NONE", "cp": False,
            "pP": False, "R": True, "tt": 0, "gtd": 0, "rm": "",
        }  # fmt: skip
        await at.move("59400")
        heard = await told(client)
        assert story(heard) == [
            ("algo", "TRIGGERING"), ("algo", "TRIGGERED"), ("order", "NEW", "NEW", "0.000"), ("account", "ORDER"),
            ("order", "TRADE", "FILLED", "0.020"),
        ]  # fmt: skip
        heard += await client.wait()
        assert story(heard[-1:]) == [("algo", "FINISHED")]
        assert [event["o"]["ai"] for event in heard if event["e"] == "ALGO_UPDATE"] == ["", str(number), str(number)]
        assert (heard[-1]["o"]["ap"], heard[-1]["o"]["aq"]) == ("59399.90000000", "0.020")
        assert (heard[2]["o"]["i"], heard[2]["o"]["o"], heard[2]["o"]["ot"]) == (number, "MARKET", "STOP_MARKET")
    await at.host.close()


@in_loop
async def test_that_a_conditional_order_has_ended_is_told_after_its_fills_and_overtaken_by_no_other() -> None:
    at = await front()
    ann = await at.host.account("ann")
    await at.order(ann, BUY, 20)
    async with at.listen(ann) as client:
        await at.trigger(ann, SELL, STOP, 20, trigger=Ticks(595_000))
        await at.move("59400")
        assert ("order", "TRADE", "FILLED", "0.020") in story(await told(client))
        other = await at.trigger(ann, SELL, STOP, 20, trigger=Ticks(590_000))
        await at.order(ann, BUY, 10, 590_000)
        assert story(await told(client)) == [("order", "NEW", "NEW", "0.000")]
        await at.ask(c.CancelOrder, ann, other)
        heard = await client.wait()
        assert story(heard) == [("algo", "FINISHED"), ("algo", "NEW"), ("algo", "CANCELED")]
    await at.host.close()


@in_loop
async def test_nobody_is_told_late_who_left_meanwhile() -> None:
    at = await front()
    ann, bob = await at.host.account("ann"), await at.host.account("bob")
    async with at.listen(bob) as stays:
        async with at.listen(ann) as leaves:
            for account in (ann, bob):
                await at.trigger(account, SELL, STOP, 20, trigger=Ticks(595_000))
            await at.move("59400")
        await told(stays)
        assert story(await stays.wait()) == [("algo", "FINISHED")]
    assert story(leaves.take())[-1] == ("order", "TRADE", "FILLED", "0.020")
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
        heard = await told(client)
        assert story(heard) == [("algo", "NEW"), ("algo", "CANCELED"), ("algo", "NEW"), ("algo", "EXPIRED")]
        assert heard[-1]["o"]["rm"] == "nothing_to_reduce"
    await at.host.close()


@in_loop
async def test_a_conditional_order_that_is_refused_when_it_fires_was_rejected() -> None:
    at = await front()
    ann = await at.host.account("ann", "1000")
    async with at.listen(ann) as client:
        await at.trigger(ann, SELL, STOP, 900, trigger=Ticks(595_000))
        await at.move("59400")
        heard = await told(client)
        assert story(heard) == [("algo", "NEW"), ("algo", "TRIGGERING"), ("algo", "REJECTED")]
        assert heard[-1]["o"]["rm"] == "insufficient_margin"
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
        heard = await told(client)
        assert story(heard) == [
            ("order", "NEW", "NEW", "0.000"), ("order", "NEW", "NEW", "0.000"),
            ("order", "CANCELED", "CANCELED", "0.000"),
            ("order", "NEW", "NEW", "0.000"), ("account", "ORDER"), ("order", "TRADE", "FILLED", "0.020"),
        ]  # fmt: skip
        assert [event["o"]["o"] for event in heard if "o" in event] == ["STOP_MARKET"] * 3 + ["MARKET"] * 2
        assert {event["o"]["ot"] for event in heard if "o" in event} == {"STOP_MARKET"}
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
        (event,) = await told(client)
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
        heard = await told(client)
        assert story(heard)[:3] == [
            ("order", "NEW", "NEW", "0.000"), ("MARGIN_CALL",), ("order", "EXPIRED", "EXPIRED", "0.000")
        ]  # fmt: skip
        forced = [event["o"] for event in heard if event["e"] == "ORDER_TRADE_UPDATE" and event["o"]["c"][:4] == "auto"]
        assert [order["x"] for order in forced] == ["NEW", "TRADE"]
        assert {(order["o"], order["f"], order["ot"], order["S"]) for order in forced} == {
            ("LIMIT", "IOC", "LIMIT", "SELL")
        }
        assert all(order["c"].startswith("autoclose-") for order in forced)
        assert [event["o"]["X"] for event in heard if "o" in event][1] == "EXPIRED"
        reasons = [event["a"]["m"] for event in heard if event["e"] == "ACCOUNT_UPDATE"]
        assert reasons == ["ORDER", "INSURANCE_CLEAR"]
        last = next(event["a"] for event in heard if event["e"] == "ACCOUNT_UPDATE")
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
        heard = [event["o"] for event in await told(client) if event["e"] == "ORDER_TRADE_UPDATE"]
        assert [(order["x"], order["X"]) for order in heard] == [("NEW", "NEW"), ("CALCULATED", "FILLED")]
    await at.host.close()
