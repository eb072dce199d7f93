"""What a Binance capture says, line by line: the messages that are used, and why the others are left out.

Source of the fields: the venue's "Websocket Market Streams" and "Order Book" documentation, of USD-M, COIN-M and
spot. Times are milliseconds. Diffs of the spot market state no previous id: it is the one ahead of their first.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, NamedTuple

import msgspec
from msgspec import Meta, Struct

from events.observations import Kind
from events.units import exact_units

Id = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Millis = Annotated[int, Meta(ge=0, le=(2**63 - 1) // 10**6)]

MARK_MAX = 1 << 53
"""Marks and rates beyond this, in units of 10^-8, are refused."""


UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What the decoding of damaged JSON raises."""


class Level(Struct, array_like=True, gc=False, forbid_unknown_fields=True):
    """Price and size. No tuple: by the hundred thousand, these are not for the garbage collector to walk."""

    price: float
    size: float


class Diff(Struct, tag_field="e", tag="depthUpdate", gc=False):
    """What changed in the book: absolute sizes, 0 removes a level."""

    kind: ClassVar[int] = int(Kind.DIFF)
    symbol: str = msgspec.field(name="s")
    event: Millis = msgspec.field(name="E")
    first_id: Id = msgspec.field(name="U")
    last_id: Id = msgspec.field(name="u")
    bids: list[Level] = msgspec.field(name="b")
    asks: list[Level] = msgspec.field(name="a")
    previous_id: Id = msgspec.field(name="pu", default=-1)
    transacted: Millis = msgspec.field(name="T", default=0)


class Trade(Struct, tag_field="e", tag="trade", gc=False):
    """A taker met a maker; or something else, where `source` is not MARKET."""

    kind: ClassVar[int] = int(Kind.PRINT)
    symbol: str = msgspec.field(name="s")
    event: Millis = msgspec.field(name="E")
    price: float = msgspec.field(name="p")
    size: float = msgspec.field(name="q")
    buyer_is_maker: bool = msgspec.field(name="m")
    source: str = msgspec.field(name="X", default="MARKET")
    transacted: Millis = msgspec.field(name="T", default=0)


class Ticker(Struct, tag_field="e", tag="bookTicker", gc=False):
    """The best bid and ask."""

    kind: ClassVar[int] = int(Kind.TICKER)
    symbol: str = msgspec.field(name="s")
    event: Millis = msgspec.field(name="E")
    last_id: Id = msgspec.field(name="u")
    bid: float = msgspec.field(name="b")
    bid_size: float = msgspec.field(name="B")
    ask: float = msgspec.field(name="a")
    ask_size: float = msgspec.field(name="A")
    transacted: Millis = msgspec.field(name="T", default=0)


class Mark(Struct, tag_field="e", tag="markPriceUpdate", gc=False):
    """Mark price, index price, funding rate and next funding time; empty text and 0 mean not stated."""

    kind: ClassVar[int] = int(Kind.MARK)
    transacted: ClassVar[int] = 0
    symbol: str = msgspec.field(name="s")
    event: Millis = msgspec.field(name="E")
    price: str = msgspec.field(name="p")
    index: str = msgspec.field(name="i", default="")
    rate: str = msgspec.field(name="r", default="")
    next_funding: Millis = msgspec.field(name="T", default=0)

    def units(self) -> tuple[int, int, int]:
        """Mark, index and rate in 10^-8; zeros where one of them cannot be used."""
        try:
            mark, index, rate = (exact_units(text or "0") for text in (self.price, self.index, self.rate))
        except ValueError:
            return 0, 0, 0
        usable = 0 < mark < MARK_MAX and 0 <= index < MARK_MAX > abs(rate)
        return (mark, index, rate) if usable else (0, 0, 0)


class Snapshot(Struct, gc=False):
    """A whole book, from the body of a REST depth request."""

    kind: ClassVar[int] = int(Kind.SNAPSHOT)
    previous_id: ClassVar[int] = 0
    symbol: str
    event: int
    transacted: int
    first_id: int
    last_id: int
    bids: list[Level]
    asks: list[Level]


Depth = Diff | Snapshot
Message = Diff | Trade | Ticker | Mark | Snapshot


class _Body(Struct, gc=False, rename="camel"):
    """The envelope of a combined stream, a bare depth body, or a reply to a subscription.

    The first has `data`, the second `lastUpdateId`, the third `id`.
    """

    stream: str = ""
    data: Diff | Trade | Ticker | Mark | None = None
    last_update_id: Id = 0
    bids: list[Level] = []
    asks: list[Level] = []
    event: Millis = msgspec.field(name="E", default=0)
    transacted: Millis = msgspec.field(name="T", default=0)
    symbol: str = ""
    id: Any = None


class _Best(Struct, gc=False):
    """A book ticker of the spot market, which names no event and states no time."""

    symbol: str = msgspec.field(name="s")
    last_id: Id = msgspec.field(name="u")
    bid: float = msgspec.field(name="b")
    bid_size: float = msgspec.field(name="B")
    ask: float = msgspec.field(name="a")
    ask_size: float = msgspec.field(name="A")
    event: msgspec.UnsetType = msgspec.field(name="e", default=msgspec.UNSET)


class _SpotBody(Struct, gc=False):
    """The envelope of that."""

    stream: str
    data: _Best


class Unused(NamedTuple):
    """A line that gives no row. `what` is empty where the venue's rules leave it out: no defect."""

    reason: str
    what: str = ""


_TIME_MAX = 2**63 - 1
_NO_TIME = Unused("malformed_line", "does not start with a capture time and a space; remove the line")
_DECODE = msgspec.json.Decoder(_Body, strict=False).decode
_DECODE_SPOT = msgspec.json.Decoder(_SpotBody, strict=False).decode
_FEEDS = ("aggTrade", "kline", "continuous_kline", "24hrTicker", "24hrMiniTicker", "forceOrder")
_OTHER_STREAMS = frozenset((*_FEEDS, "compositeIndex", "assetIndexUpdate", "contractInfo", "tradingSession"))
_USED_EVENTS = frozenset(("depthUpdate", "trade", "bookTicker", "markPriceUpdate"))


def read_line(line: bytes) -> tuple[int, Message | Unused]:
    """The capture time of a line in ns, and its message, or why it gives no row."""
    stamp, _, json = line.partition(b" ")
    at = _nanos(stamp)
    return at, _message(json, at) if at >= 0 else _NO_TIME


def _nanos(stamp: bytes) -> int:
    """A capture time, in whichever unit its size says; -1 where it is no time."""
    if not stamp.isdigit() or len(stamp) > 19:
        return -1
    time = int(stamp)
    if time < 10**17:
        time *= 10**3 if time >= 10**14 else 10**6 if time >= 10**11 else 10**9
    return time if time <= _TIME_MAX else -1


def _message(json: bytes, at: int) -> Message | Unused:
    try:
        body = _DECODE(json)
    except UNREADABLE as error:
        return _spot_ticker(json, at) or _explain(json, error)
    data = body.data
    if type(data) is Diff:
        name = body.stream.partition("@")[2]
        if name and name != "depth" and not name.startswith("depth@"):
            return Unused(f"stream_{_plain(name)}")
        if data.previous_id < 0:
            data.previous_id = max(data.first_id - 1, 0)
    elif type(data) is Trade:
        if data.source != "MARKET":
            return Unused(f"trade_{_plain(data.source.lower())}")
        if not data.price or not data.size:
            return Unused("trade_zero")
    elif data is None:
        return _snapshot(body, at)
    return data


def _spot_ticker(json: bytes, at: int) -> Ticker | None:
    """A ticker that says no time has that of its capture."""
    try:
        body = _DECODE_SPOT(json)
    except UNREADABLE:
        return None
    best = body.data
    return Ticker(best.symbol, at // 10**6, best.last_id, best.bid, best.bid_size, best.ask, best.ask_size)


def _snapshot(body: _Body, at: int) -> Snapshot | Unused:
    if body.id is not None:
        return Unused("stream_reply")
    if not body.last_update_id:
        return Unused("unknown_message", "neither the envelope of a stream nor a depth body; remove the line")
    last_id = body.last_update_id
    return Snapshot(body.symbol, body.event or at // 10**6, body.transacted, last_id, last_id, body.bids, body.asks)


def _explain(json: bytes, error: Exception) -> Unused:
    """Find out, slowly, why a line could not be read."""
    try:
        body = msgspec.convert(msgspec.json.decode(json), dict[str, Any])
    except UNREADABLE as broken:
        return Unused("malformed_json", f"{broken}; remove the line or fetch the file again")
    data = body.get("data")
    event = str(data.get("e")) if isinstance(data, dict) else str(body.get("stream")).partition("@")[2]
    if event in _OTHER_STREAMS or isinstance(data, list):
        return Unused(f"stream_{_plain(event)}")
    if "data" not in body or event in _USED_EVENTS:
        name = event if data else "depth body"
        return Unused("odd_field", f"{name}: {error}; correct the field or remove the line")
    return Unused("unknown_stream", f"no stream is known whose event is {ascii(event)[:40]}; remove the line")


def _plain(name: str) -> str:
    """A name from a file as part of a reason: short, and without surprises."""
    return re.sub(r"[^A-Za-z0-9_@!.]", "?", name)[:32]
