"""User data streams: what the venue does to an account by itself, and what is rare."""

from __future__ import annotations

from collections import Counter
from typing import Any

from events import commands as c
from events import facts as f
from events.commands import MARKET, AccountId, Side
from events.instruments import AssetId, InstrumentId, Leg, MarginMode
from events.record import Batch, Record
from events.triggers import TriggerKind
from events.units import SECOND, UNIT, Atoms, Lots, MarkUnits, Nanos, Ticks
from gateway.binance.asking import LEGACY
from gateway.binance.sockets_look import holdings
from gateway.binance.sockets_tale import Tale
from gateway.binance.sockets_telling import tell
from gateway.serving.models import Moment
from tests.binance_sockets import Front, front, short, story, told
from tests.loop import in_loop
from tests.serving import BTC

BUY, SELL = Side.BUY, Side.SELL
USDT = AssetId("USDT")
DATED = InstrumentId("BTCUSDT_241227")


def _orders(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [event["o"] for event in events if event["e"] == "ORDER_TRADE_UPDATE"]


@in_loop
async def test_whoever_is_deleveraged_is_told_so_and_whoever_was_liquidated_too() -> None:
    at = await front()
    ann, bob = await at.host.account("ann", "1000", MarginMode.ISOLATED), await at.host.account("bob")
    await at.ask(c.SetLeverage, ann, BTC, 100)
    await at.order(bob, SELL, 100)
    await at.order(ann, BUY, 100)
    async with at.listen(ann) as anns, at.listen(bob) as bobs:
        await at.move("50000")
        liquidated, deleveraged = _orders(await told(anns)), await told(bobs)
        assert [(order["x"], order["S"]) for order in liquidated] == [("NEW", "SELL"), ("CALCULATED", "SELL")]
        assert story(deleveraged) == [
            ("account", "ORDER"), ("order", "NEW", "NEW", "0.000"), ("order", "CALCULATED", "FILLED", "0.100")
        ]  # fmt: skip
        orders = _orders(deleveraged)
        assert {(order["c"], order["S"], order["q"]) for order in orders} == {("adl_autoclose", "BUY", "0.100")}
        assert orders[0]["i"] == orders[1]["i"]
        assert float(orders[1]["rp"]) > 0
        assert deleveraged[0]["a"]["P"][0]["pa"] == "0.000"
    await at.host.close()


@in_loop
async def test_legs_that_close_each_other_are_told_one_by_one() -> None:
    at = await front()
    ann = await at.host.account("ann", "1000")
    await at.ask(c.SetPositionMode, ann, True)
    await at.order(ann, BUY, 200, leg=Leg.LONG)
    await at.order(ann, SELL, 100, leg=Leg.SHORT)
    async with at.listen(ann) as client:
        await at.move("50500")
        orders = _orders(await told(client))
        closes = [order for order in orders if order["x"] == "CALCULATED"][:2]
        assert [(order["ps"], order["S"], order["X"]) for order in closes] == [
            ("LONG", "SELL", "FILLED"), ("SHORT", "BUY", "FILLED")
        ]  # fmt: skip
    await at.host.close()


@in_loop
async def test_assets_that_are_exchanged_are_both_told() -> None:
    at = await front()
    ann = await at.host.account("ann")
    for pair in ("USDTUSD", "USDCUSD"):
        at.host.sequencer.decide(c.SetIndexPrice(Nanos(at.host.at), InstrumentId(pair), MarkUnits(UNIT)))
    async with at.listen(ann) as client:
        await at.ask(c.ExchangeAsset, ann, USDT, Atoms(10 * UNIT), AssetId("USDC"))
        (event,) = await told(client)
        assert event["a"]["m"] == "AUTO_EXCHANGE"
        assert {b["a"]: b["bc"] for b in event["a"]["B"]} == {"USDT": "-10.00000000", "USDC": "10.00000000"}
    await at.host.close()


@in_loop
async def test_a_contract_that_settles_leaves_a_position_of_zero() -> None:
    at = await front()
    ann = await at.host.account("ann")
    venue, sequencer = at.host.venue, at.host.sequencer
    at.host.move("60000", instrument=DATED)
    await sequencer.flush()
    order = c.PlaceOrder(venue.now, ann, venue.request(), venue.number(ann), DATED, BUY, Lots(10))
    assert (await venue.ask(order)).reason is None
    async with at.listen(ann) as client:
        terms = next(terms for terms in venue.pack.instruments if terms.id == DATED)
        at.host.at = terms.expiry + SECOND
        sequencer.decide(c.SetIndexPrice(Nanos(terms.expiry - SECOND), DATED, MarkUnits(61_000 * UNIT)))
        sequencer.decide(c.AdvanceTime(Nanos(at.host.at)))
        await sequencer.flush()
        events = [event["a"] for event in await told(client) if event["e"] == "ACCOUNT_UPDATE"]
        assert [(p["s"], p["pa"]) for p in events[-1]["P"]] == [(DATED, "0.000")]
    await at.host.close()


def _tale(at: Front, account: AccountId, *facts: Any) -> list[dict[str, Any]]:
    """What an account is told of facts that the rules of this venue bring about seldom or never."""
    command = c.AdvanceTime(Nanos(at.host.at))
    records = [Record(n, 0, message) for n, message in enumerate((command, *facts), 10**6)]
    moment = Moment(Batch(10**6, command.at, records))
    venue, desk = at.host.venue, at.desk
    terms = {terms.id: terms for terms in venue.pack.instruments}
    seen = {account: holdings(venue.state.accounts[account])}
    tale = Tale(
        terms, desk.texts, desk.blotter, (account,), venue.calendar.shown_ms, moment, seen, {account: Counter()}
    )  # fmt: skip
    tell(tale, moment.batch)
    return tale.events().get(account, [])


@in_loop
async def test_interest_is_an_adjustment_and_a_shared_loss_one_of_the_position() -> None:
    at = await front()
    ann = await at.host.account("ann")
    await at.order(ann, BUY, 100)
    interest, shared = _tale(at, ann, f.InterestPaid(ann, USDT, Atoms(UNIT))) + _tale(
        at, ann, f.LossShared(ann, BTC, Atoms(UNIT))
    )
    assert (short(interest), interest["a"]["B"][0]["bc"]) == (("account", "ADJUSTMENT"), "-1.00000000")
    assert (short(shared), shared["a"]["P"][0]["pa"], shared["a"]["B"]) == (("account", "ADJUSTMENT"), "0.100", [])
    await at.host.close()


@in_loop
async def test_a_deficit_that_the_fund_covers_is_told_with_its_asset() -> None:
    at = await front()
    ann = await at.host.account("ann")
    (event,) = _tale(at, ann, f.DeficitCovered(ann, BTC, Atoms(UNIT)), f.LiquidationFeeCharged(ann, USDT, Atoms(UNIT)))
    assert (short(event), event["a"]["B"][0]["bc"]) == (("account", "INSURANCE_CLEAR"), "0.00000000")
    await at.host.close()


@in_loop
async def test_of_others_nothing_is_told_whatever_happens_to_them() -> None:
    at = await front()
    ann, bob = await at.host.account("ann"), await at.host.account("bob")
    one, atom, mark, number = Lots(1), Atoms(1), MarkUnits(1), c.OrderNumber(1)
    facts = (
        f.FundingPaid(bob, BTC, atom), f.MarginMoved(bob, BTC, atom), f.LeverageSet(bob, BTC, 3),
        f.CollateralModeSet(bob, True), f.MarginCalled(bob, USDT, atom, atom), f.Deposited(bob, USDT, atom),
        f.MarginModeSet(bob, BTC, MarginMode.ISOLATED), f.LossShared(bob, BTC, atom),
        f.PositionSettled(bob, BTC, mark, atom, atom), f.OrderCancelled(bob, number, one),
        f.OrderExpired(bob, number, one, f.Expiry.IMMEDIATE), f.OrderTriggered(bob, number, one),
        f.OrderAmended(bob, number, Ticks(1), one, one), f.TriggerArmed(bob, number, one),
        f.TakenOver(bob, BTC, SELL, one, atom, mark), f.LegsNetted(bob, BTC, one, atom),
        f.Deleveraged(bob, BTC, SELL, one, atom, mark, MARKET),
    )  # fmt: skip
    assert _tale(at, ann, *facts) == []
    await at.host.close()


@in_loop
async def test_a_conditional_order_that_is_amended_is_told_with_what_it_waits_for() -> None:
    at = await front()
    ann = await at.host.account("ann")
    venue = at.host.venue
    async with at.listen(ann) as client:
        number = await at.trigger(ann, SELL, TriggerKind.STOP, 20, trigger=Ticks(595_000))
        await at.ask(c.AmendOrder, ann, number, trigger=Ticks(590_000))
        _, event = await told(client)
        assert (event["o"]["X"], event["o"]["tp"]) == ("NEW", "59000.0")
        request, number = c.RequestId(venue.request() + LEGACY), venue.number(ann)
        await venue.ask(
            c.PlaceTrigger(venue.now, ann, request, number, BTC, SELL, TriggerKind.STOP, Lots(20), Ticks(595_000))
        )
        await at.ask(c.AmendOrder, ann, number, trigger=Ticks(590_000))
        assert [event[1] for event in story(await told(client))] == ["NEW", "AMENDMENT"]
    await at.host.close()


@in_loop
async def test_an_order_that_would_meet_its_own_account_expires_in_match() -> None:
    at = await front()
    ann = await at.host.account("ann")
    await at.order(ann, SELL, 10, 600_000)
    async with at.listen(ann) as client:
        await at.order(ann, BUY, 10, 600_000, self_trade=c.SelfTrade.EXPIRE_TAKER)
        assert story(await told(client)) == [
            ("order", "NEW", "NEW", "0.000"), ("order", "EXPIRED", "EXPIRED_IN_MATCH", "0.000")
        ]  # fmt: skip
    await at.host.close()


@in_loop
async def test_a_trade_with_oneself_is_told_from_both_sides() -> None:
    at = await front()
    ann = await at.host.account("ann")
    await at.order(ann, SELL, 10, 600_000)
    async with at.listen(ann) as client:
        await at.order(ann, BUY, 10, 600_000)
        events = await told(client)
        assert [(o["S"], o["m"]) for o in _orders(events) if o["x"] == "TRADE"] == [("SELL", True), ("BUY", False)]
    await at.host.close()
