"""A door that was closed and opened again answers as before, and goes on."""

from __future__ import annotations

from typing import Any

import pytest

from events.store.memory_views import MemoryViews
from exchange.sequencer import Sequencer
from gateway.binance.desk import Desk
from gateway.binance.door import Door
from gateway.serving.blotter import Blotter
from gateway.serving.calendar import Calendar
from gateway.serving.models import Shelf
from gateway.serving.tape.tape import Tape
from gateway.serving.venue import Venue
from tests.binance import Client, client
from tests.loop import in_loop

ASKED: tuple[tuple[str, dict[str, str]], ...] = (
    ("/v1/openOrders", {}),
    ("/v1/openAlgoOrders", {}),
    ("/v1/allOrders", {"symbol": "BTCUSDT"}),
    ("/v1/allAlgoOrders", {"symbol": "BTCUSDT"}),
    ("/v1/userTrades", {"symbol": "BTCUSDT"}),
    ("/v1/income", {}),
    ("/v1/orderAmendment", {"symbol": "BTCUSDT"}),
    ("/v1/positionMargin/history", {"symbol": "BTCUSDT"}),
    ("/v3/positionRisk", {}),
    ("/v3/account", {}),
    ("/v1/symbolConfig", {"symbol": "BTCUSDT"}),
)


async def answers(c: Client) -> list[Any]:
    return [await c.get(path, **params) for path, params in ASKED]


async def restarted(c: Client, views: MemoryViews) -> Client:
    """The same session, in a new process as it were."""
    log = c.host.sequencer._log
    await c.host.close()
    pack = c.host.venue.pack
    blotter, tape = Blotter(pack), Tape(pack)
    await Shelf(log, views, (blotter,)).open()
    sequencer = await Sequencer.open(log)
    c.host.sequencer = sequencer
    c.host.venue = Venue(sequencer, Calendar(), lambda: c.host.at, (blotter,), start="again")
    desk = Desk(c.host.venue, blotter, tape, c.desk.keys, c.desk.limits, c.desk.wall)
    return Client(c.host, desk, Door(desk), c.account, c.key, c.sign)


@pytest.mark.parametrize("is_kept", [False, True])
@in_loop
async def test_a_restarted_server_gives_the_same_answers_and_goes_on(is_kept: bool) -> None:
    c, views = await client(), MemoryViews()
    await c.post("/v1/marginType", symbol="BTCUSDT", marginType="ISOLATED")
    await c.buy("0.1", newClientOrderId="entry")
    await c.post("/v1/positionMargin", symbol="BTCUSDT", type=1, amount="50")
    if is_kept:
        await Shelf(c.host.sequencer._log, views, (c.desk.blotter,)).save(c.host.venue.durable)
    rests = await c.buy("0.1", "50000", newClientOrderId="rests")
    of = {"symbol": "BTCUSDT", "side": "BUY", "orderId": rests["orderId"]}
    await c.put("/v1/order", **of, quantity="0.2", price="50100")
    await c.post(
        "/v1/order", symbol="BTCUSDT", side="SELL", type="STOP_MARKET", stopPrice="55000", quantity="0.1",
        reduceOnly=True,
    )  # fmt: skip
    await c.post(
        "/v1/algoOrder", algoType="CONDITIONAL", symbol="BTCUSDT", side="SELL", type="TAKE_PROFIT_MARKET",
        triggerPrice="65000", closePosition=True,
    )  # fmt: skip
    before = await answers(c)
    c = await restarted(c, views)
    assert await answers(c) == before
    assert (await c.refused("GET", "/v1/openOrder", symbol="BTCUSDT", orderId=99))[0] == -2013
    again = await c.buy("0.1", "50000")
    assert again["orderId"] == rests["orderId"] + 3
    gone = await c.delete("/v1/order", symbol="BTCUSDT", origClientOrderId="rests")
    assert gone["status"] == "CANCELED"
    await c.host.close()
