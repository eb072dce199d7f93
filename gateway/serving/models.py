"""What read models are: folded from durable batches, kept as a view beside the session, and brought up to its end."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from events.chunks import decode_chunk
from events.codec import decode_body
from events.commands import AdvanceMarket, ChunkId
from events.log import EventLog, Head, StoredBatch
from events.observations import Observations
from events.record import Batch
from events.views import KeptView, Views

WHOLE = "whole"
"""A model is kept in one row, packed."""

NOTHING: Mapping[str, Any] = MappingProxyType({})


class Moment(NamedTuple):
    """A batch, and what folding it takes beside: the rows of history that it applied, and what was seen of the state
    when it was decided (None where the log is read again). more is what others saw, by their names (`Venue.look`).
    """

    batch: Batch
    columns: Observations | None = None
    seen: Any = None
    more: Mapping[str, Any] = NOTHING


class Model(Protocol):
    """A read model. Its name and version stand for one way to fold; whoever changes the way counts the version up."""

    name: str
    version: int

    def fold(self, moment: Moment) -> None:
        """Take a batch into account. Looks at the moment and at nothing else."""
        ...

    def dump(self) -> bytes:
        """All that it holds, which is bounded."""
        ...

    def load(self, data: bytes) -> None:
        """Hold what was dumped."""
        ...


class Shelf:
    """Keeps models beside a session, and catches them up with its log."""

    def __init__(self, log: EventLog, views: Views, models: Sequence[Model]) -> None:
        self._log = log
        self._views = views
        self._models = tuple(models)

    async def open(self, on_batch: Callable[[int], None] = lambda _number: None) -> None:
        """Load what is kept of each model and fold the rest of the log; `on_batch` hears of each batch. Raises
        LogError.
        """
        places = {model.name: await self._load(model) for model in self._models}
        columns: dict[ChunkId, Observations] = {}
        async with aclosing(self._log.read(min(places.values(), default=0))) as batches:
            async for stored in batches:
                moment = await self._moment(stored, columns)
                for model in self._models:
                    if stored.number > places[model.name]:
                        model.fold(moment)
                on_batch(stored.number)

    async def save(self, place: Head) -> None:
        """Keep all models as they are, folded up to there: all are dumped before the first wait, and go on while that
        is packed and stored.
        """
        dumped = [(model, model.dump()) for model in self._models]
        for model, data in dumped:
            packed = await asyncio.to_thread(zlib.compress, data, 1)
            await self._views.replace(model.name, KeptView(model.version, place, {WHOLE: packed}))

    async def _load(self, model: Model) -> int:
        """Take up what is kept, if it is of this model and of this log: the last batch in it."""
        kept = await self._views.load(model.name)
        if kept is None or kept.version != model.version or not await self._has(kept.place):
            return 0
        model.load(zlib.decompress(kept.rows[WHOLE]))
        return kept.place.batch

    async def _has(self, place: Head) -> bool:
        async with aclosing(self._log.read(place.batch - 1)) as batches:
            async for stored in batches:
                return Head(stored.number, stored.last_seq, stored.digest) == place
        return False

    async def _moment(self, stored: StoredBatch, columns: dict[ChunkId, Observations]) -> Moment:
        """A batch of the log with its rows; of chunks the last one of each instrument is at hand."""
        batch = decode_body(stored.number, stored.body)
        command = batch.command
        if not isinstance(command, AdvanceMarket):
            return Moment(batch)
        if command.chunk not in columns:
            for name, old in list(columns.items()):
                if old.instrument == command.instrument:
                    del columns[name]
            columns[command.chunk] = decode_chunk(await self._log.chunk(command.chunk))
        return Moment(batch, columns[command.chunk])
