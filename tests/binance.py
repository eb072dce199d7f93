"""A client for tests of the Binance door: it signs, and speaks ASGI with the door itself, without a network."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any
from urllib.parse import quote, urlencode

from events.commands import AccountId
from events.instruments import load_pack
from gateway.binance.desk import Desk
from gateway.binance.door import Door
from gateway.binance.market import MARKET_ROUTES
from gateway.serving.blotter import Blotter
from gateway.serving.keys import Key, KeyRing, Scope
from gateway.serving.limits import UNLIMITED, Limits, Rules
from gateway.serving.tape.tape import Tape
from tests.serving import Served, served

WALL_MS = 1_700_000_000_000

Sign = Callable[[bytes], str]


@dataclass
class Answer:
    """What the door answered."""

    status: int
    headers: dict[str, str]
    body: Any


async def call(
    door: Door, method: str, path: str, query: bytes = b"", body: bytes = b"", headers: dict[str, str] | None = None,
    raw_headers: list[tuple[bytes, bytes]] | None = None,
) -> Answer:  # fmt: skip
    """One request, as the server hands it over."""
    sent: list[Any] = []
    given = raw_headers or [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
    if body:
        given.append((b"content-length", str(len(body)).encode()))
    scope = {
        "type": "http", "method": method, "path": path, "query_string": query, "headers": given,
        "client": ("127.0.0.1", 1),
    }  # fmt: skip

    async def receive() -> Any:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await door(scope, receive, send)
    head, tail = sent
    named = {name.decode(): value.decode() for name, value in head["headers"]}
    return Answer(head["status"], named, json.loads(tail["body"]))


@dataclass
class Client:
    """A client with a key. `wall` may be moved."""

    host: Served
    desk: Desk
    door: Door
    account: AccountId
    key: Key
    sign: Sign

    async def ask(self, method: str, path: str, *, in_body: bool = False, **params: Any) -> Answer:
        """A signed request, all in the query or all in the body."""
        pairs = [(name, _text(value)) for name, value in params.items() if value is not None]
        text = urlencode([*pairs, ("timestamp", str(self.desk.wall()))])
        text += f"&signature={quote(self.sign(text.encode()), safe='')}"
        query, body = ("", text) if in_body else (text, "")
        headers = {"X-MBX-APIKEY": self.key.id}
        return await call(self.door, method, f"/fapi{path}", query.encode(), body.encode(), headers)

    async def get(self, path: str, **params: Any) -> Any:
        """What is there. Fails where there is an error."""
        return await self._fine("GET", path, params)

    async def post(self, path: str, **params: Any) -> Any:
        """What came of it. Fails where there is an error."""
        return await self._fine("POST", path, params)

    async def put(self, path: str, **params: Any) -> Any:
        """What came of it. Fails where there is an error."""
        return await self._fine("PUT", path, params)

    async def delete(self, path: str, **params: Any) -> Any:
        """What came of it. Fails where there is an error."""
        return await self._fine("DELETE", path, params)

    async def _fine(self, method: str, path: str, params: Any) -> Any:
        answer = await self.ask(method, path, **params)
        assert answer.status == 200, answer
        return answer.body

    async def refused(self, method: str, path: str, **params: Any) -> tuple[int, str]:
        """The code and the text of a refusal."""
        answer = await self.ask(method, path, **params)
        assert 400 <= answer.status < 500, answer
        return answer.body["code"], answer.body["msg"]

    async def buy(self, quantity: str = "0.1", price: str | None = None, **how: Any) -> Any:
        """An order in BTCUSDT, with its result."""
        return await self.order("BUY", quantity, price, **how)

    async def sell(self, quantity: str = "0.1", price: str | None = None, **how: Any) -> Any:
        """An order in BTCUSDT, with its result."""
        return await self.order("SELL", quantity, price, **how)

    async def order(self, side: str, quantity: str, price: str | None, **how: Any) -> Any:
        """An order in BTCUSDT, with its result."""
        return await self.post("/v1/order", **order(side, quantity, price, **how))

    async def position(self, symbol: str = "BTCUSDT") -> Any:
        """The position, None where there is none."""
        found = await self.get("/v3/positionRisk", symbol=symbol)
        return found[0] if found else None


def order(side: str, quantity: str | None, price: str | None = None, **how: Any) -> dict[str, Any]:
    """The parameters of an order in BTCUSDT."""
    kind = {"type": "MARKET"} if price is None else {"type": "LIMIT", "timeInForce": "GTC", "price": price}
    return {"symbol": "BTCUSDT", "side": side, "quantity": quantity, "newOrderRespType": "RESULT", **kind, **how}


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value)


def hmac_signer(secret: str) -> Sign:
    """Signs as the owner of a secret does."""
    return lambda payload: hmac.digest(secret.encode(), payload, "sha256").hex()


async def client(
    price: str = "60000", deposit: str = "10000", scopes: tuple[Scope, ...] = (Scope.READ, Scope.TRADE),
    rules: Rules = UNLIMITED, pack: str = "binance-usdm", **desk: Any,
) -> Client:  # fmt: skip
    """A client of a market at a price, with money; between any two looks at the clock a nanosecond passes."""
    rule_pack = load_pack(pack)
    blotter, tape = Blotter(rule_pack), Tape(rule_pack)
    host = await served(price, models=(blotter, tape), look=tape.look, pack=pack)
    ticks = count()
    host.venue._clock = lambda: host.at + next(ticks)
    account = await host.account("ann", deposit)
    keys = KeyRing.open(None)
    key, secret = keys.create(account, scopes)
    made = Desk(host.venue, blotter, tape, keys, Limits(rules, lambda: WALL_MS), lambda: WALL_MS, **desk)
    return Client(host, made, Door(made, MARKET_ROUTES), account, key, hmac_signer(secret))
