"""Sources as the player reads them: a stretch of a file at a time, which has a chunk of each instrument."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from events.commands import ChunkId
from events.instruments import InstrumentId
from events.observations import Observations
from events.units import Nanos
from replay.sources import Source

NONE = ChunkId("")


class Feed:
    """One source: the streams of its instruments, in the order in which the file comes to them."""

    def __init__(
        self,
        source: Source,
        order: int,
        chunks: Iterator[Observations] | None = None,
        close: Callable[[], None] = lambda: None,
    ) -> None:
        self.source = source
        self.close = close
        self.streams: dict[InstrumentId, Stream] = {}
        self._order = order
        self._chunks = iter(source) if chunks is None else chunks

    def read(self) -> list[Stream]:
        """The streams that have rows in the next stretch of the file, at their first; none where the file ends.

        Every row of the stretch before has to be played: those of this one are no older.
        """
        found: list[Stream] = []
        for stream in self.streams.values():
            stream.id = NONE
        while (not found or self.source.goes_on) and (chunk := next(self._chunks, None)) is not None:
            name = chunk.instrument
            stream = self.streams.setdefault(name, Stream(self, name, (self._order, len(self.streams))))
            stream.chunk, stream.row = chunk, 0
            found.append(stream)
        return found

    @property
    def is_played(self) -> bool:
        """Whether every row of the stretch at hand was applied."""
        return all(stream.row == len(stream.chunk) for stream in self.streams.values())


class Stream:
    """One instrument of a source: the chunk at hand, and the row that comes next; `order` says who is first at equal
    times.
    """

    def __init__(self, feed: Feed, instrument: InstrumentId, order: tuple[int, int]) -> None:
        self.feed = feed
        self.order = order
        self.chunk = Observations(instrument)
        self.id = NONE
        self.row = 0

    @property
    def next_at(self) -> Nanos:
        """The time of the next row."""
        return Nanos(self.chunk.at[self.row])


def beginning(source: Source) -> list[Observations]:
    """The chunks of the first stretch of a file."""
    return [stream.chunk for stream in Feed(source, 0).read()]
