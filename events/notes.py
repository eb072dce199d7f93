"""What a session says beside its log: texts by name, of no weight for any decision and part of no digest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import msgspec

from events.commands import AccountId
from events.log import EventLog
from events.units import Nanos

STRATEGIES = "strategies"
"""The name of the note of who traded which account."""


class NotedLog(EventLog, Protocol):
    """A log with notes beside it, which go where it goes."""

    async def note(self, name: str, text: str) -> None:
        """Keep a note, durably, in the place of the one of that name."""
        ...

    async def notes(self) -> dict[str, str]:
        """All notes by name, in the order of names."""
        ...


class NotedStrategy(msgspec.Struct, frozen=True, omit_defaults=True):
    """A strategy as `module:Class`, with the parameters that it was given as text; when it is woken, ns; and the sha256
    of the file that its class stands in, empty where there is none.
    """

    strategy: str
    params: dict[str, str] = {}
    every: Nanos = Nanos(0)
    bars: Nanos = Nanos(0)
    source: str = ""


_STRATEGIES = msgspec.json.Decoder(dict[AccountId, NotedStrategy])


async def note_strategies(log: NotedLog, strategies: Mapping[AccountId, NotedStrategy]) -> None:
    """Note who trades which account, if anybody does."""
    if strategies:
        await log.note(STRATEGIES, msgspec.json.encode(strategies).decode())


async def noted_strategies(log: NotedLog) -> dict[AccountId, NotedStrategy]:
    """Who traded which account, in the order in which they were given. Raises LogError, ValueError."""
    text = (await log.notes()).get(STRATEGIES)
    try:
        return _STRATEGIES.decode(text) if text else {}
    except msgspec.DecodeError as error:
        raise ValueError(f"the note of the session's strategies cannot be read ({error})") from error
