"""What projections keep: rows, and the place in the log up to which they are folded, changed together or not at all.

Rows can be made again from the log at any time, so a store of views may be lost, and never has a say in what happened.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol, TypeVar

import msgspec

from events.log import Head, StaleHead


class Row(msgspec.Struct, frozen=True):
    """What a projection says under a key; its fields are those of the subclass."""


R = TypeVar("R", bound=Row)


class KeptView(NamedTuple):
    """A view as it is kept: the version of the projection that folded it, how far, and its rows by key."""

    version: int
    place: Head
    rows: dict[str, bytes]


class Views(Protocol):
    """A store of views, each by the name of its projection."""

    async def load(self, name: str) -> KeptView | None:
        """The view of that name; None where there is none."""
        ...

    async def save(self, name: str, expected: Head, place: Head, changes: Mapping[str, bytes | None]) -> None:
        """Change rows (None: away with it) and move the view to its next place, both or neither.

        Raises StaleHead where the view does not stand at `expected`: somebody else folds it too.
        """
        ...

    async def replace(self, name: str, view: KeptView) -> None:
        """Put a whole view in the place of the one of that name, all or nothing."""
        ...

    async def close(self) -> None:
        """Release what the store holds; nothing that was saved is lost."""
        ...


def encode_row(row: Row) -> bytes:
    """The bytes of a row, JSON."""
    return msgspec.json.encode(row)


def decode_row(data: bytes, kind: type[R]) -> R:
    """The row of such bytes."""
    return msgspec.json.decode(data, type=kind)


def check_place(name: str, place: Head | None, expected: Head) -> None:
    """Raise StaleHead where a view is not where its writer believes."""
    if place != expected:
        batch = place.batch if place else "none"
        raise StaleHead(
            f"view {name}: stands at batch {batch}, not at batch {expected.batch} as its writer believes; load it again"
        )
