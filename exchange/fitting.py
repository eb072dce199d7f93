"""Which commands can be written down: a record is ASCII, and names only observations that the log will hold."""

from __future__ import annotations

from collections.abc import Container

from events.asking import TEXTS
from events.commands import AdvanceMarket, ChunkId, Command, SubmitBatch


def misfit(command: Command, chunks: Container[ChunkId]) -> str | None:
    """Why the command cannot be recorded, and the remedy; None where it can. `chunks` are those that were lent."""
    for name in TEXTS[type(command)]:
        text = getattr(command, name)
        if type(text) is str and not text.isascii():
            return f"{name} {text!a} is not ASCII; use ASCII"
    for item in command.items if type(command) is SubmitBatch else ():
        if why := misfit(item, chunks):
            return f"{type(item).__name__}: {why}"
    if type(command) is AdvanceMarket and command.chunk not in chunks:
        return f"chunk {command.chunk} is not lent; add it before its rows are applied"
    return None
