"""The blotter: orders, fills and income as the facts say them, bounded, and the same after it was kept and loaded."""

from __future__ import annotations

from typing import Any

import pytest

from events import commands as c
from events.instruments import Leg, load_pack
from events.triggers import TriggerKind
from events.units import UNIT, Lots, Ticks
from gateway.serving.blotter import Blotter
from gateway.serving.blotter_rows import IncomeKind, OrderRow, Status
from gateway.serving.venue import Venue
from tests.loop import in_loop
from tests.serving import BTC, Served, served

BUY, SELL = c.Side.BUY, c.Side.SELL
PACK = load_pack("binance-usdm")


class Desk:
    """A venue with a blotter and one account."""

    def __init__(self, host: Served, blotter: Blotter, account: c.AccountId) -> None:
        self.host, self.blotter, self.account = host, blotter, account

    @property
    def venue(self) -> Venue:
        return self.host.venue

    async def place(self, side: c.Side, lots: int, price: int | None = None, **how: Any) -> int:
        venue, number = self.venue, self.venue.number(self.account)
        ticks = None if price is None else Ticks(price)
        request = how.pop("request", venue.request())
        await venue.ask(c.PlaceOrder(venue.now, self.account, request, number, BTC, side, Lots(lots), ticks, **how))
        return number

    async def stop(self, side: c.Side, lots: int, trigger: int, **how: Any) -> int:
        venue, number = self.venue, self.venue.number(self.account)
        of = venue.now, self.account, venue.request(), number, BTC, side, TriggerKind.STOP, Lots(lots), Ticks(trigger)
        await venue.ask(c.PlaceTrigger(*of, **how))
        return number

    def row(self, number: int) -> OrderRow:
        row = self.blotter.order(self.account, number)
        assert row is not None
        return row


async def desk(kept_max: int = 10_000, deposit: str = "10000") -> Desk:
    blotter = Blotter(PACK, kept_max)
    host = await served(models=(blotter,))
    return Desk(host, blotter, await host.account("ann", deposit))


@in_loop
async def test_an_order_rests_is_amended_and_cancelled() -> None:
    at = await desk()
    number = await at.place(BUY, 10, 500_000, client=c.ClientId("mine"))
    row = at.row(number)
    assert (row.status, row.executed, row.client, row.price) == (Status.OPEN, 0, "mine", 500_000)
    assert at.blotter.by_client(at.account, "mine", BTC) is row
    assert at.blotter.by_client(at.account, "mine", "ETHUSDT") is None
    assert at.blotter.open_orders(at.account) == [row]
    venue = at.venue
    await venue.ask(
        c.AmendOrder(venue.now, at.account, venue.request(), c.OrderNumber(number), Ticks(510_000), Lots(5))
    )
    assert (row.price, row.lots, row.amendments) == (510_000, 5, 1)
    (amendment,) = at.blotter.amendments(at.account)
    assert (amendment.price_before, amendment.price, amendment.lots_before, amendment.lots) == (500_000, 510_000, 10, 5)
    await venue.ask(c.CancelOrder(venue.now, at.account, venue.request(), c.OrderNumber(number)))
    assert row.status is Status.CANCELLED
    assert at.blotter.open_orders(at.account) == []
    assert at.blotter.orders(at.account, BTC) == [row]
    await at.host.close()


@in_loop
async def test_fills_realise_what_the_position_of_the_core_does() -> None:
    at = await desk()
    await at.place(BUY, 100)
    at.host.move("61000")
    number = await at.place(SELL, 150)
    bought, *sold = at.blotter.fills(at.account)
    assert bought.realized == 0
    closed = sum(fill.realized for fill in sold)
    position = at.venue.state.accounts[at.account].positions[BTC]
    held = at.blotter.held(at.account, BTC)
    assert (held.lots, held.entry_value) == (position.lots, position.entry_value) == (-50, position.entry_value)
    assert closed == sum(fill.value for fill in sold) * 100 // 150 - bought.value
    fees = sum(fill.fee for fill in (bought, *sold))
    wallet = at.venue.state.accounts[at.account].wallets[PACK.instruments[0].settle]
    assert wallet.balance == 10_000 * UNIT + closed - fees
    assert at.row(number).status is Status.FILLED
    assert at.row(number).value == sold[-1].total == sum(fill.value for fill in sold)
    kinds = [entry.kind for entry in at.blotter.income(at.account)]
    assert kinds[0] is IncomeKind.TRANSFER
    assert kinds.count(IncomeKind.REALIZED_PNL) == 1
    assert sum(entry.amount for entry in at.blotter.income(at.account)) == wallet.balance
    await at.host.close()


@in_loop
async def test_a_conditional_order_is_one_row_before_and_after_it_fires() -> None:
    at = await desk()
    await at.place(BUY, 10)
    number = await at.stop(SELL, 10, 590_000, client=c.ClientId("stop"))
    row = at.row(number)
    assert (row.status, row.kind, row.trigger, row.fired_at) == (Status.WAITING, TriggerKind.STOP, 590_000, 0)
    at.host.move("58900")
    await at.venue.settled()
    assert (row.status, row.executed) == (Status.FILLED, 10)
    assert row.fired_at == at.host.at
    assert at.blotter.held(at.account, BTC).lots == 0
    await at.host.close()


@in_loop
async def test_a_liquidation_is_an_order_of_its_own_that_nobody_numbered() -> None:
    at = await desk(deposit="400")
    await at.place(BUY, 100)
    at.host.move("50000")
    await at.venue.settled()
    forced = [row for row in at.blotter.orders(at.account) if row.is_forced]
    assert forced
    assert all(not row.is_live for row in at.blotter.orders(at.account))
    assert at.blotter.held(at.account, BTC).lots == 0 == at.venue.state.accounts[at.account].positions[BTC].lots
    assert sum(row.executed for row in forced) == 100
    assert at.blotter.income(at.account)[-1].kind in (
        IncomeKind.INSURANCE,
        IncomeKind.COMMISSION,
        IncomeKind.REALIZED_PNL,
    )
    await at.host.close()


@in_loop
async def test_of_each_account_the_newest_ended_orders_and_fills_are_kept() -> None:
    at = await desk(kept_max=3)
    resting = await at.place(BUY, 10, 500_000, client=c.ClientId("stays"))
    for n in range(5):
        await at.place(BUY, 2, client=c.ClientId(f"c{n}"))
    assert [row.number for row in at.blotter.orders(at.account)] == [resting, 4, 5, 6]
    assert at.blotter.by_client(at.account, "c0") is None
    assert at.blotter.by_client(at.account, "c4") is not None
    assert len(at.blotter.fills(at.account)) == 3
    assert at.blotter.held(at.account, BTC).lots == 10
    await at.host.close()


@in_loop
async def test_what_was_dumped_loads_as_it_was_and_goes_on() -> None:
    at = await desk()
    await at.place(BUY, 10, 500_000, client=c.ClientId("mine"))
    await at.place(BUY, 10)
    await at.stop(SELL, 10, 590_000)
    again = Blotter(PACK)
    again.load(at.blotter.dump())
    assert again.dump() == at.blotter.dump()
    at.venue._models = (*at.venue._models, again)
    at.host.move("58900")
    await at.venue.settled()
    assert again.dump() == at.blotter.dump()
    assert [row.number for row in again.open_orders(at.account)] == [1]
    await at.host.close()


def test_nothing_is_known_of_an_account_that_never_was() -> None:
    blotter, nobody = Blotter(PACK), c.AccountId("nobody")
    found: list[list[Any]] = [
        blotter.open_orders(nobody), blotter.orders(nobody), blotter.fills(nobody), blotter.income(nobody),
        blotter.moves(nobody), blotter.amendments(nobody),
    ]  # fmt: skip
    assert found == [[], [], [], [], [], []]
    assert blotter.order(nobody, 1) is None
    assert blotter.by_client(nobody, "x") is None
    assert blotter.held(nobody, BTC, Leg.NET).lots == 0


@pytest.mark.parametrize("batched", [False, True])
@in_loop
async def test_an_order_remembers_the_request_that_placed_it(batched: bool) -> None:
    at = await desk()
    venue, number = at.venue, at.venue.number(at.account)
    order = c.PlaceOrder(venue.now, at.account, c.RequestId("r7"), number, BTC, BUY, Lots(10), Ticks(500_000))
    batch = c.SubmitBatch(order.at, at.account, c.RequestId("b"), (order,))
    await venue.ask(batch if batched else order)
    assert at.row(number).request == "r7"
    await at.host.close()
