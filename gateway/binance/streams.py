"""Market streams: each has its events made and worded once, for all who hear it.

A stream hears of the tape as long as somebody hears it. What comes at its own pace is gathered in between; the paces
are the wall's, which is what a client waits by.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec

from gateway.binance.desk import Desk
from gateway.binance.streams_kinds import Stream
from gateway.binance.streams_names import stream_of
from gateway.serving.tape.seen import Seen

PACE_MS = 50
"""Streams that come at a pace are looked at so often."""

Send = Callable[[bytes], None]
_encode = msgspec.json.Encoder().encode


class _Hub:
    """A stream and who hears it."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream
        self.sends: dict[int, Send] = {}
        self.due = 0


class Streams:
    """The market streams of a desk. `tick` moves on those that come at a pace; where time goes by itself, the running
    loop calls it as long as somebody hears such a one.
    """

    def __init__(self, desk: Desk, *, by_itself: bool = True) -> None:
        self._desk = desk
        self._by_itself = by_itself
        self._hubs: dict[str, _Hub] = {}
        self._of: dict[str, dict[str, _Hub]] = {}
        self._names = 0
        self._elapsed = 0
        self._timer: asyncio.TimerHandle | None = None
        desk.tape.listen(self._hear)

    def subscribe(self, name: str, send: Send) -> Callable[[], None]:
        """Have a callable hear the payloads of a stream from now on. Returns what ends that. Raises LookupError where
        there is no stream of that name.
        """
        hub = self._hubs.get(name)
        if hub is None:
            stream = stream_of(self._desk, name)
            hub = self._hubs[name] = _Hub(stream)
            hub.due = self._elapsed + stream.pace_ms
            self._of.setdefault(stream.symbol, {})[name] = hub
        self._names += 1
        key = self._names
        hub.sends[key] = send
        self._arm()
        return lambda: self._leave(name, key)

    def _leave(self, name: str, key: int) -> None:
        hub = self._hubs.get(name)
        if hub is not None and hub.sends.pop(key, None) is not None and not hub.sends:
            del self._hubs[name]
            del self._of[hub.stream.symbol][name]

    def _hear(self, seen: Seen) -> None:
        """Something happened in public."""
        for symbol in (seen.instrument, ""):
            if hubs := self._of.get(symbol):
                for hub in tuple(hubs.values()):
                    for words in hub.stream.hear(seen):
                        _send(hub, words)

    def tick(self, elapsed_ms: int = PACE_MS) -> None:
        """So much time has passed."""
        self._elapsed += elapsed_ms
        for hub in tuple(self._hubs.values()):
            pace = hub.stream.pace_ms
            if pace and self._elapsed >= hub.due:
                hub.due += pace * (1 + (self._elapsed - hub.due) // pace)
                for words in hub.stream.tick():
                    _send(hub, words)

    def _arm(self) -> None:
        if self._by_itself and self._timer is None and any(hub.stream.pace_ms for hub in self._hubs.values()):
            self._timer = asyncio.get_running_loop().call_later(PACE_MS / 1000, self._ring)

    def _ring(self) -> None:
        self._timer = None
        self.tick()
        self._arm()


def _send(hub: _Hub, words: object) -> None:
    payload = _encode(words)
    for send in tuple(hub.sends.values()):
        send(payload)
