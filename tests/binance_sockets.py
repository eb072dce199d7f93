"""A session with the WebSockets of the Binance dialect in front of it, for tests that call them directly."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from events import commands as c
from events.instruments import load_pack
from events.units import Lots, Ticks
from gateway.binance.desk import Desk, Routes
from gateway.binance.sockets import Sockets
from gateway.serving.blotter import Blotter
from gateway.serving.keys import KeyRing
from gateway.serving.limits import UNLIMITED, Limits
from tests.serving import BTC, Served, served
from tests.sockets import Client


@dataclass
class Wall:
    """A wall clock that a test moves, ms."""

    ms: int = 1_700_000_000_000

    def __call__(self) -> int:
        return self.ms


@dataclass
class Broadcast:
    """Market streams of a test: what `says` is called with is heard by whoever subscribed to the name."""

    names: tuple[str, ...] = ("btcusdt@aggTrade", "btcusdt@depth")
    hearers: dict[str, Callable[[bytes], None]] = field(default_factory=dict)

    def subscribe(self, name: str, hear: Callable[[bytes], None]) -> Callable[[], object]:
        if name not in self.names:
            raise LookupError(name)
        self.hearers[name] = hear
        return lambda: self.hearers.pop(name)

    def says(self, name: str, payload: bytes) -> None:
        self.hearers[name](payload)


@dataclass
class Front:
    """The session, what serves it, and the streams that a test speaks on."""

    host: Served
    desk: Desk
    sockets: Sockets
    market: Broadcast
    wall: Wall

    def connect(self, url: str, address: str = "10.0.0.1", frames: bool = False) -> Client:
        return Client(self.sockets, url, address, frames)

    def listen(self, account: c.AccountId) -> Client:
        """A client on the account's user stream."""
        return self.connect(f"/private/ws?listenKey={self.desk.listen_keys.start(account)}")

    async def ask(self, kind: Any, account: c.AccountId, *args: Any, **more: Any) -> Any:
        """Have a command of that kind decided for an account."""
        venue = self.host.venue
        return await venue.ask(kind(venue.now, account, venue.request(), *args, **more))

    async def order(
        self, account: c.AccountId, side: c.Side, lots: int, price: int | None = None, **more: Any
    ) -> c.OrderNumber:
        """Place an order; price in ticks of 0.1, lots of 0.001."""
        number = self.host.venue.number(account)
        ticks = None if price is None else Ticks(price)
        answer = await self.ask(c.PlaceOrder, account, number, BTC, side, Lots(lots), ticks, **more)
        assert answer.reason is None, answer.reason
        return number

    async def trigger(self, account: c.AccountId, side: c.Side, kind: Any, lots: int, **more: Any) -> c.OrderNumber:
        """Place a conditional order."""
        number = self.host.venue.number(account)
        answer = await self.ask(c.PlaceTrigger, account, number, BTC, side, kind, Lots(lots), **more)
        assert answer.reason is None, answer.reason
        return number

    async def move(self, price: str, seconds: float = 1) -> None:
        """Let the market go to a price, and all that follows from it become durable."""
        self.host.move(price, seconds)
        await self.host.sequencer.flush()


async def front(price: str = "60000", routes: Routes | None = None) -> Front:
    """A session of Binance USD-M with its WebSockets."""
    pack, wall, market = load_pack("binance-usdm"), Wall(), Broadcast()
    blotter = Blotter(pack)
    host = await served(price, models=(blotter,))
    limits = Limits(UNLIMITED, wall)
    desk = Desk(host.venue, blotter, None, KeyRing.open(None), limits, wall)
    return Front(host, desk, Sockets(desk, market.subscribe, routes or {}), market, wall)


def short(event: dict[str, Any]) -> tuple[str, ...]:
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


def story(events: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    """What happened, in a few words each."""
    return [short(event) for event in events]


async def told(client: Client) -> list[dict[str, Any]]:
    """What a client was told since it was last asked."""
    await client.settle()
    return client.take()
