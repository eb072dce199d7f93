"""User data streams: what an account is told of its wallets, positions and settings, and who hears it."""

from __future__ import annotations

from typing import Any

from events import commands as c
from events.commands import Side
from events.instruments import AssetId, Leg, MarginMode
from events.units import UNIT, Atoms, Lots, Nanos, Rate
from tests.binance_sockets import Front, front, told
from tests.loop import in_loop
from tests.serving import BTC

BUY, SELL = Side.BUY, Side.SELL


@in_loop
async def test_a_position_that_closes_is_told_as_zero_with_what_it_realised() -> None:
    at = await front()
    ann = await at.host.account("ann")
    await at.order(ann, BUY, 20)
    async with at.listen(ann) as client:
        await at.order(ann, SELL, 20, reduce_only=True)
        _, account, filled = await told(client)
        (position,) = account["a"]["P"]
        assert (position["pa"], position["ep"], position["up"]) == ("0.000", "0.00000000", "0.00000000")
        assert position["cr"] == filled["o"]["rp"] == "-0.00400000"
        assert filled["o"]["R"] is True
    await at.host.close()


@in_loop
async def test_a_margin_call_tells_the_positions_of_its_pool() -> None:
    at = await front()
    ann = await at.host.account("ann", "400")
    await at.ask(c.SetLeverage, ann, BTC, 20)
    await at.order(ann, BUY, 100)
    async with at.listen(ann) as client:
        await at.move("56290")
        calls = [event for event in await told(client) if event["e"] == "MARGIN_CALL"]
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
        heard = await told(client)
    await at.host.close()
    return heard


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
        (event,) = await told(client)
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
        leverage, isolated, cross = await told(client)
        assert (leverage["e"], leverage["ac"]) == ("ACCOUNT_CONFIG_UPDATE", {"s": "BTCUSDT", "l": 7})
        assert [e["a"]["m"] for e in (isolated, cross)] == ["MARGIN_TYPE_CHANGE"] * 2
        assert [e["a"]["P"][0]["mt"] for e in (isolated, cross)] == ["isolated", "cross"]
        at.host.sequencer.decide(c.SetIndexPrice(Nanos(at.host.at), c.InstrumentId("USDTUSD"), UNIT))  # type: ignore[arg-type]
        await at.ask(c.SetCollateralMode, ann, True)
        (event,) = [event for event in await told(client) if event["e"] == "ACCOUNT_CONFIG_UPDATE"]
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
        heard = [(e["a"]["m"], e["a"]["B"][0]["bc"], e["a"]["B"][0]["wb"]) for e in await told(anns)]
        assert heard == [
            ("DEPOSIT", "5.00000000", "10005.00000000"),
            ("WITHDRAW", "-2.00000000", "10003.00000000"),
            ("ASSET_TRANSFER", "-1.00000000", "10002.00000000"),
        ]
        (event,) = await told(bobs)
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
        heard = await told(client)
        held = [event["a"]["P"][0]["pa"] for event in heard if event["e"] == "ACCOUNT_UPDATE"]
        assert held == ["0.020", "0.040", "0.060"]
    await at.host.close()


@in_loop
async def test_nobody_is_told_of_another_account_nor_anything_once_the_key_is_over() -> None:
    at = await front()
    ann, bob = await at.host.account("ann"), await at.host.account("bob")
    async with at.listen(ann) as anns, at.listen(bob) as bobs:
        await at.order(bob, BUY, 10, 590_000)
        assert await told(anns) == [] != await told(bobs)
        at.wall.ms += 60 * 60 * 1000
        await at.order(bob, BUY, 10, 590_000)
        key = at.desk.listen_keys.start(bob)
        (event,) = await told(bobs)
        assert event["e"] == "listenKeyExpired"
        assert event["listenKey"] != key
        await at.order(bob, BUY, 10, 590_000)
        assert await told(bobs) == []
    await at.host.close()


@in_loop
async def test_whoever_leaves_is_forgotten_and_costs_nothing_any_more() -> None:
    at = await front()
    ann = await at.host.account("ann")
    async with at.listen(ann) as first:
        async with at.listen(ann) as second:
            await at.order(ann, BUY, 10, 590_000)
            assert len(await told(first)) == len(await told(second)) == 1
        await at.order(ann, BUY, 10, 590_000)
        assert len(await told(first)) == 1
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
        heard = await told(client)
        positions = [event["a"]["P"] for event in heard if event["e"] == "ACCOUNT_UPDATE"]
        assert [[(p["ps"], p["pa"]) for p in of] for of in positions] == [[("LONG", "0.020")], [("SHORT", "-0.010")]]
        assert [event["o"]["ps"] for event in heard if "o" in event] == ["LONG", "LONG", "SHORT", "SHORT"]
    await at.host.close()
