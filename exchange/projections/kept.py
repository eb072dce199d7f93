"""Projections that keep their place: each batch of the log is folded into their rows once, whatever fails between.

A projector loads a view, follows the log from the view's place on, and saves changed rows and the new place in one
transaction. After a failure or a crash it begins again at what was saved last. A view that is not there, is of another
version, or stands where the log does not, is folded anew from the beginning, and takes the old one's place when done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import aclosing
from typing import Any, Protocol

from events.log import EventLog, Head, StoredBatch
from events.record import Batch
from events.store.entries import checked, head_after
from events.views import KeptView, Row, Views, decode_row, encode_row

GROUP_BATCHES = 1000
"""Whoever catches up saves after so many batches; whoever has caught up, after each."""


class Rows(Mapping[str, Any]):
    """The rows of a projection by key, and which of them changed since they were saved."""

    def __init__(self, held: dict[str, Row]) -> None:
        self._held = held
        self._changed: dict[str, None] = {}

    def __getitem__(self, key: str) -> Any:
        return self._held[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)

    def put(self, key: str, row: Row) -> None:
        """There is such a row from now on."""
        self._held[key] = row
        self._changed[key] = None

    def drop(self, key: str) -> None:
        """There is no such row any more."""
        del self._held[key]
        self._changed[key] = None

    def take_changes(self) -> dict[str, bytes | None]:
        """What changed since this was asked last: the row's bytes, None where it is gone."""
        changed, self._changed = self._changed, {}
        return {key: encode_row(self._held[key]) if key in self._held else None for key in changed}


class Projection(Protocol):
    """Folds batches into rows. A name and its version stand for one way to fold: whoever changes the way counts up."""

    name: str
    version: int
    row: type[Row]

    def fold(self, rows: Rows, batch: Batch) -> None:
        """Take a batch into account. Looks at the rows and the batch, and at nothing else."""
        ...


class Projector:
    """Keeps the view of one projection up with a log. `place` is how far it was saved, `rows` what it says; `on_place`
    is called when it stands at another place.
    """

    def __init__(
        self, log: EventLog, views: Views, projection: Projection, on_place: Callable[[], None] = lambda: None
    ) -> None:
        self.rows = Rows({})
        self.place = Head()
        self._log = log
        self._views = views
        self._projection = projection
        self._on_place = on_place
        self._folded = Head()

    async def run(self, anew: bool = False) -> None:
        """Follow the log until it is closed, from the beginning if `anew`. Raises LogError; then run it again."""
        if anew or not await self._load():
            await self._rebuild()
        known = self.place.batch
        async with aclosing(self._log.follow(self.place.batch)) as batches:
            async for stored in batches:
                self._fold(stored)
                if stored.number >= known:
                    known = (await self._log.head()).batch
                if stored.number >= known or stored.number - self.place.batch >= GROUP_BATCHES:
                    await self._save()

    async def _load(self) -> bool:
        """Take up what is kept, if it is of this projection and of this log."""
        projection = self._projection
        kept = await self._views.load(projection.name)
        if kept is None or kept.version != projection.version or not await self._has(kept.place):
            return False
        self.rows = Rows({key: decode_row(row, projection.row) for key, row in kept.rows.items()})
        self._folded = kept.place
        self._stands()
        return True

    async def _has(self, place: Head) -> bool:
        """Whether the log went through that place."""
        if not place.batch:
            return True
        async with aclosing(self._log.read(place.batch - 1)) as batches:
            async for stored in batches:
                return head_after(stored) == place
        return False

    async def _rebuild(self) -> None:
        """Fold the log from the beginning; until that is done the view says what it said."""
        self.rows, self._folded = Rows({}), Head()
        async with aclosing(self._log.read()) as batches:
            async for stored in batches:
                self._fold(stored)
        rows = {key: row for key, row in self.rows.take_changes().items() if row is not None}
        view = KeptView(self._projection.version, self._folded, rows)
        await self._views.replace(self._projection.name, view)
        self._stands()

    def _fold(self, stored: StoredBatch) -> None:
        batch = checked(self._folded, stored)
        self._projection.fold(self.rows, batch)
        self._folded = head_after(stored)

    async def _save(self) -> None:
        await self._views.save(self._projection.name, self.place, self._folded, self.rows.take_changes())
        self._stands()

    def _stands(self) -> None:
        self.place = self._folded
        self._on_place()
