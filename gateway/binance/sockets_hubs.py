"""Market streams as many hear them: each payload is made once and put into words once, however many listen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import msgspec


class Hearer(Protocol):
    """Whoever is sent texts."""

    def push(self, text: str) -> None:
        """Take a text; never waits."""
        ...


End = Callable[[], object]
Subscribe = Callable[[str, Callable[[bytes], None]], End]
"""Has a callable hear the payloads of the stream of a name, until what it returns is called. Raises LookupError where
there is no such stream.
"""


class Audience:
    """Who hears a stream: as it is, or wrapped with the stream's name as combined streams are."""

    def __init__(self, name: str) -> None:
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
        for hearer in self._raw:
            hearer.push(text)
        if self._wrapped:
            text = f"{self._head}{text}}}"
            for hearer in self._wrapped:
                hearer.push(text)


class Hubs:
    """The streams that somebody hears, each subscribed to once."""

    def __init__(self, subscribe: Subscribe) -> None:
        self._subscribe = subscribe
        self._hubs: dict[str, tuple[Audience, End]] = {}

    def join(self, name: str, hearer: Hearer, wraps: bool) -> End:
        """Have it hear the stream of that name until what is returned is called; nothing, where there is none."""
        if name not in self._hubs:
            audience = Audience(name)
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
