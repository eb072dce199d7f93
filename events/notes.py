"""What a session says beside its log: texts by name, of no weight for any decision and part of no digest."""

from __future__ import annotations

from typing import Protocol

from events.log import EventLog


class NotedLog(EventLog, Protocol):
    """A log with notes beside it, which go where it goes."""

    async def note(self, name: str, text: str) -> None:
        """Keep a note, durably, in the place of the one of that name."""
        ...

    async def notes(self) -> dict[str, str]:
        """All notes by name, in the order of names."""
        ...
