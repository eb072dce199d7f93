"""Requests over a WebSocket: which endpoint each method stands for, and how a request is signed.

Source: Binance USD-M, "WebSocket API General Info" and the pages of its methods: parameters are signed in alphabetical
order. Clients differ in how they write them for that: as they stand or percent-encoded, booleans as JSON or as Python.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple
from urllib.parse import urlencode

import msgspec

from gateway.binance.errors import BinanceError

Id = int | str | None

ENDPOINTS: dict[str, tuple[str, str]] = {
    "ping": ("GET", "/fapi/v1/ping"),
    "time": ("GET", "/fapi/v1/time"),
    "exchangeInfo": ("GET", "/fapi/v1/exchangeInfo"),
    "depth": ("GET", "/fapi/v1/depth"),
    "ticker.price": ("GET", "/fapi/v1/ticker/price"),
    "ticker.book": ("GET", "/fapi/v1/ticker/bookTicker"),
    "order.place": ("POST", "/fapi/v1/order"),
    "order.modify": ("PUT", "/fapi/v1/order"),
    "order.cancel": ("DELETE", "/fapi/v1/order"),
    "order.status": ("GET", "/fapi/v1/order"),
    "algoOrder.place": ("POST", "/fapi/v1/algoOrder"),
    "algoOrder.cancel": ("DELETE", "/fapi/v1/algoOrder"),
    "account.balance": ("GET", "/fapi/v2/balance"),
    "account.status": ("GET", "/fapi/v2/account"),
    "account.position": ("GET", "/fapi/v2/positionRisk"),
    "v2/account.balance": ("GET", "/fapi/v3/balance"),
    "v2/account.status": ("GET", "/fapi/v3/account"),
    "v2/account.position": ("GET", "/fapi/v3/positionRisk"),
    "userDataStream.start": ("POST", "/fapi/v1/listenKey"),
    "userDataStream.ping": ("PUT", "/fapi/v1/listenKey"),
    "userDataStream.stop": ("DELETE", "/fapi/v1/listenKey"),
}
"""Method -> the REST endpoint that it stands for."""

LOGON, STATUS, LOGOUT = "session.logon", "session.status", "session.logout"


class Asked(NamedTuple):
    """A request: values are texts as they were written, but for booleans and nested ones."""

    id: Id
    method: str
    values: dict[str, Any]


class _Envelope(msgspec.Struct):
    method: str
    id: Id = None
    params: msgspec.Raw = msgspec.Raw(b"{}")


_ENVELOPE = msgspec.json.Decoder(_Envelope)


class BadRequest(BinanceError):
    """What was sent is no request."""

    def __init__(self, about: Id) -> None:
        super().__init__(-1135, "Invalid JSON Request")
        self.about = about


def read(text: str) -> Asked:
    """The request that a text is. Raises BadRequest."""
    about: Id = None
    try:
        envelope = _ENVELOPE.decode(text)
        about = envelope.id
        values = json.loads(bytes(envelope.params), parse_float=str, parse_int=str, parse_constant=str)
    except (ValueError, RecursionError):
        raise BadRequest(about) from None
    if values is None:
        values = {}
    if not isinstance(values, dict):
        raise BadRequest(about)
    return Asked(about, envelope.method, values)


def payloads(values: dict[str, Any]) -> list[bytes]:
    """What a client may have signed."""
    pairs = [(name, value) for name, value in sorted(values.items()) if name != "signature"]
    as_json = [(name, _text(value)) for name, value in pairs]
    found = ["&".join(f"{name}={value}" for name, value in as_json), urlencode(as_json)]
    if any(isinstance(value, bool) for _, value in pairs):
        as_python = [(name, str(value) if isinstance(value, bool) else _text(value)) for name, value in pairs]
        found += ["&".join(f"{name}={value}" for name, value in as_python), urlencode(as_python)]
    return [text.encode("utf-8", "replace") for text in dict.fromkeys(found)]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
