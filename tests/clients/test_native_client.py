"""The project's own client against a real server: it does what it says, and a request that is cut off is done once."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import urllib3

from gateway.client import Client, Refused
from gateway.native.messages import Amendment, MarginChange, NewOrder, Setting
from tests.clients.running import Running

BID = NewOrder(instrument="BTCUSDT", side="buy", size="0.05", price="50000")


def client(server: Running) -> Client:
    return Client(server.http, server.admin)


def test_an_order_goes_through_its_life(server: Running) -> None:
    async def scenario() -> None:
        async with client(server) as ringfence:
            placed = await ringfence.place(BID)
            assert [order["number"] for order in await ringfence.orders()] == [placed.number]
            amended = await ringfence.amend(placed.number, Amendment(price="49000"))
            assert amended.order
            assert amended.order["price"] == "49000"
            await ringfence.cancel(placed.number)
            assert (await ringfence.order(placed.number))["status"] == "cancelled"
            with pytest.raises(Refused, match="unknown order") as refused:
                await ringfence.cancel(placed.number)
            assert (refused.value.status, refused.value.code) == (422, "unknown_order")

    asyncio.run(scenario())


def test_a_position_is_opened_margined_and_closed(server: Running) -> None:
    async def scenario() -> None:
        async with client(server) as ringfence:
            await ringfence.settings(Setting(instrument="BTCUSDT", leverage=10, mode="isolated"))
            order = NewOrder(instrument="BTCUSDT", side="buy", size="0.1")
            preview = await ringfence.preview(order)
            await ringfence.place(order)
            (before,) = (await ringfence.account()).positions
            assert before.liquidation_price == preview.after.liquidation_price
            await ringfence.move_margin(MarginChange(instrument="BTCUSDT", amount="100"))
            (after,) = (await ringfence.account()).positions
            assert float(after.liquidation_price or 0) < float(before.liquidation_price or 0)
            await ringfence.place(NewOrder(instrument="BTCUSDT", side="sell", size="0.1", reduce_only=True))
            assert (await ringfence.account()).positions == []
            assert [fill["side"] for fill in (await ringfence.fills())[-2:]] == ["buy", "sell"]
            assert {entry["kind"] for entry in await ringfence.income()} >= {"commission", "realized_pnl"}
            await ringfence.settings(Setting(instrument="BTCUSDT", mode="cross"))

    asyncio.run(scenario())


def test_the_stream_tells_of_an_order_before_its_answer_is_read(server: Running) -> None:
    async def scenario() -> None:
        async with client(server) as ringfence:
            stream = ringfence.stream("account")
            snapshot = await anext(stream)
            assert snapshot["data"]["account"] == server.ann.account
            placed = await ringfence.place(BID)
            told = await asyncio.wait_for(anext(stream), 5)
            assert told["record"] >= placed.record
            assert told["data"][0]["kind"] == "order_accepted.1"
            await ringfence.cancel(placed.number)
            await stream.aclose()  # type: ignore[attr-defined]

    asyncio.run(scenario())


def test_the_log_is_read_to_its_end(server: Running) -> None:
    async def scenario() -> None:
        async with client(server) as ringfence:
            head, after, seen = (await ringfence.session()).record, 0, 0
            while after < head:
                page = await ringfence.log(after)
                seen, after = seen + len(page.records), page.next
            assert seen == after

    asyncio.run(scenario())


def test_over_tls_the_server_is_verified_by_its_own_authority(server: Running) -> None:
    async def scenario(verify: Any) -> str:
        async with Client(server.https.replace("demo-fapi@", ""), server.admin, verify=verify) as ringfence:
            return (await ringfence.account()).account

    assert asyncio.run(scenario(str(server.authority))) == server.ann.account
    with pytest.raises(urllib3.exceptions.HTTPError):
        asyncio.run(scenario(True))


def test_a_request_whose_answer_was_lost_is_done_once(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection breaks after the server has decided: the client asks again, under the same key."""

    async def scenario() -> None:
        async with client(server) as ringfence:
            request, answers = ringfence._pool.request, []

            def breaks(*args: Any, **how: Any) -> Any:
                answers.append(request(*args, **how))
                if len(answers) == 1:
                    raise urllib3.exceptions.ProtocolError("the connection broke")
                return answers[-1]

            monkeypatch.setattr(ringfence._pool, "request", breaks)
            placed = await ringfence.place(BID)
            monkeypatch.undo()
            assert (len(answers), placed.repeated) == (2, True)
            (order,) = await ringfence.orders()
            await ringfence.cancel(order["number"])

    asyncio.run(scenario())


def test_a_server_that_is_not_there_is_told_so(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with Client("http://127.0.0.1:9", "x", timeout=1.0) as ringfence:
            await ringfence.account()

    with pytest.raises(urllib3.exceptions.HTTPError):
        asyncio.run(scenario())
