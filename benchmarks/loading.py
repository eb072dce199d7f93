"""A client that asks a served exchange for as much as it can take: signed orders, and many readers of a stream.

It speaks HTTP/1.1 and WebSocket by hand, so that what is measured is the server and not its client.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import os
from collections import deque
from collections.abc import Awaitable, Callable
from hashlib import sha256
from time import perf_counter, time
from typing import NamedTuple

SYMBOL = "BTCUSDT"

HEARING_WITHIN = 30.0
"""Readers have so long, s, to begin to hear."""


class Target(NamedTuple):
    """A server, a key of the Binance dialect, and a price at which a bid rests."""

    host: str
    port: int
    key: str
    secret: str
    price: str = "10000"


class Waits(NamedTuple):
    """How long answers took, s; how many were no success; and how long it all took, s."""

    seconds: list[float]
    failed: int
    wall: float

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.seconds) / self.wall


class Caller:
    """One connection that is kept alive. Each order that it places it cancels with its next request."""

    def __init__(self, target: Target, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._target, self._reader, self._writer = target, reader, writer
        self._open: str | None = None

    @classmethod
    async def connect(cls, target: Target) -> Caller:
        """A new connection."""
        return cls(target, *await asyncio.open_connection(target.host, target.port))

    async def ask(self) -> bool:
        """Place an order, or cancel the one that was placed; whether that was done."""
        if self._open is not None:
            number, self._open = self._open, None
            return (await self._send("DELETE", f"symbol={SYMBOL}&orderId={number}"))[0] == 200
        how = f"symbol={SYMBOL}&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.010&price={self._target.price}"
        status, body = await self._send("POST", how)
        if status == 200:
            self._open = body.partition(b'"orderId":')[2].partition(b",")[0].decode()
        return status == 200

    async def _send(self, method: str, query: str) -> tuple[int, bytes]:
        target = self._target
        query = f"{query}&timestamp={int(time() * 1000)}"
        signature = hmac.new(target.secret.encode(), query.encode(), sha256).hexdigest()
        self._writer.write(
            f"{method} /fapi/v1/order?{query}&signature={signature} HTTP/1.1\r\nHost: {target.host}\r\n"
            f"X-MBX-APIKEY: {target.key}\r\nContent-Length: 0\r\n\r\n".encode()
        )
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
        return int(head[9:12]), await self._reader.readexactly(int(length))

    def close(self) -> None:
        """Hang up."""
        self._writer.close()


async def closed_loop(target: Target, connections: int, seconds: float) -> Waits:
    """Each connection asks again as soon as it was answered."""
    callers = [await Caller.connect(target) for _ in range(connections)]
    waits: list[float] = []
    failed, began = 0, perf_counter()

    async def work(caller: Caller) -> None:
        nonlocal failed
        while (sent := perf_counter()) - began < seconds:
            failed += not await caller.ask()
            waits.append(perf_counter() - sent)

    await asyncio.gather(*map(work, callers))
    wall = perf_counter() - began
    for caller in callers:
        caller.close()
    return Waits(waits, failed, wall)


async def open_loop(target: Target, connections: int, rate: float, seconds: float) -> Waits:
    """So many requests a second, come what may; a wait begins when the request was due."""
    free = deque([await Caller.connect(target) for _ in range(connections)])
    waits: list[float] = []
    failed, began, tasks = 0, perf_counter(), list[asyncio.Task[None]]()

    async def one(due: float) -> None:
        nonlocal failed
        caller = free.popleft() if free else await Caller.connect(target)
        failed += not await caller.ask()
        waits.append(perf_counter() - due)
        free.append(caller)

    for n in range(int(rate * seconds)):
        due = began + n / rate
        await asyncio.sleep(max(0.0, due - perf_counter()))
        tasks.append(asyncio.create_task(one(due)))
    await asyncio.gather(*tasks)
    wall = perf_counter() - began
    for caller in free:
        caller.close()
    return Waits(waits, failed, wall)


class Heard:
    """What all readers together heard: bytes, how many of them hear the stream, and how many were cut off."""

    def __init__(self) -> None:
        self.bytes = 0
        self.hearing = 0
        self.lost = 0


class Reader(asyncio.Protocol):
    """Counts the bytes that a stream sends."""

    def __init__(self, path: str, heard: Heard) -> None:
        self._path, self._heard = path, heard
        self._parts = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the stream."""
        assert isinstance(transport, asyncio.WriteTransport)
        key = base64.b64encode(os.urandom(16)).decode()
        transport.write(
            f"GET {self._path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        """Count it: the first part is the handshake, what comes after it is the stream."""
        self._heard.bytes += len(data)
        self._parts += 1
        self._heard.hearing += self._parts == 2

    def connection_lost(self, _error: Exception | None) -> None:
        """Count that too."""
        self._heard.lost += 1


async def read_along(target: Target, path: str, readers: int, doing: Callable[[], Awaitable[None]]) -> tuple[int, int]:
    """Have so many read a stream while something is done, once all of them hear it: the bytes that they got meanwhile,
    and how many were cut off.
    """
    loop, heard = asyncio.get_running_loop(), Heard()
    transports = [
        (await loop.create_connection(lambda: Reader(path, heard), target.host, target.port))[0] for _ in range(readers)
    ]
    until = perf_counter() + HEARING_WITHIN
    while heard.hearing < readers and perf_counter() < until:
        await asyncio.sleep(0.1)
    before = heard.bytes
    await doing()
    got, lost = heard.bytes - before, heard.lost
    for transport in transports:
        transport.close()
    return got, lost
