"""Market streams as many hear them: each payload is made once and put into words once, however many listen.

Where many listen they are told part after part, so that whoever sends an order meanwhile has his turn in between.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import Protocol

import msgspec

from gateway.serving.frames import frame


class Hearer(Protocol):
    """Whoever is sent texts."""

    def push(self, text: str, framed: bytes = b"") -> None:
        """Take a text, and the same as a frame; never waits."""
        ...


End = Callable[[], object]
Subscribe = Callable[[str, Callable[[bytes], None]], End]
"""Has a callable hear the payloads of the stream of a name, until what it returns is called. Raises LookupError where
there is no such stream.
"""


PART = 50
"""So many are told in one turn of the event loop."""

PARTS_MAX = 2_000
"""Where so many parts wait, all are told at once."""


class Pump:
    """Tells hearers part after part; to each of them all texts in order."""

    def __init__(self) -> None:
        self._parts: deque[tuple[list[Hearer], str, bytes]] = deque()
        self._is_going = False

    def tell(self, hearers: Iterable[Hearer], text: str) -> None:
        """Tell them all, now where they are few and nothing waits."""
        everybody, framed = list(hearers), frame(text.encode())
        if len(everybody) <= PART and not self._parts:
            _push(everybody, text, framed)
            return
        self._parts.extend((everybody[n : n + PART], text, framed) for n in range(0, len(everybody), PART))
        if len(self._parts) > PARTS_MAX:
            while self._parts:
                _push(*self._parts.popleft())
        elif not self._is_going:
            self._is_going = True
            asyncio.get_running_loop().call_soon(self._turn)

    def _turn(self) -> None:
        if self._parts:
            _push(*self._parts.popleft())
        self._is_going = bool(self._parts)
        if self._is_going:
            asyncio.get_running_loop().call_soon(self._turn)


def _push(hearers: list[Hearer], text: str, framed: bytes) -> None:
    for hearer in hearers:
        hearer.push(text, framed)


class Audience:
    """Who hears a stream: as it is, or wrapped with the stream's name as combined streams are."""

    def __init__(self, name: str, pump: Pump) -> None:
        self._pump = pump
        self._head = f'{{"stream":{msgspec.json.encode(name).decode()},"data":'
        self._raw: dict[Hearer, None] = {}
        self._wrapped: dict[Hearer, None] = {}

    def __bool__(self) -> bool:
        return bool(self._raw or self._wrapped)

    def add(self, hearer: Hearer, wraps: bool) -> None:
        """Have it hear from now on, once."""
        (self._wrapped if wraps else self._raw)[hearer] = None

    def drop(self, hearer: Hearer, wraps: bool) -> None:
        """It hears no more."""
        (self._wrapped if wraps else self._raw).pop(hearer, None)

    def tell(self, payload: bytes) -> None:
        """Send a payload, JSON, to all."""
        text = payload.decode()
        if self._raw:
            self._pump.tell(self._raw, text)
        if self._wrapped:
            self._pump.tell(self._wrapped, f"{self._head}{text}}}")


class Hubs:
    """The streams that somebody hears, each subscribed to once."""

    def __init__(self, subscribe: Subscribe) -> None:
        self._subscribe = subscribe
        self._pump = Pump()
        self._hubs: dict[str, tuple[Audience, End]] = {}

    def join(self, name: str, hearer: Hearer, wraps: bool) -> End:
        """Have it hear the stream of that name until what is returned is called; nothing, where there is none."""
        if name not in self._hubs:
            audience = Audience(name, self._pump)
            try:
                self._hubs[name] = audience, self._subscribe(name, audience.tell)
            except LookupError:
                return _nothing
        self._hubs[name][0].add(hearer, wraps)
        return lambda: self._leave(name, hearer, wraps)

    def _leave(self, name: str, hearer: Hearer, wraps: bool) -> None:
        audience, end = self._hubs[name]
        audience.drop(hearer, wraps)
        if not audience:
            del self._hubs[name]
            end()

    def __len__(self) -> int:
        return len(self._hubs)


def _nothing() -> None:
    """There is nothing to end."""
