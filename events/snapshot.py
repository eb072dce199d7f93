"""Snapshots as a log keeps them: sealed by a checksum, and few, however long the log."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from hashlib import sha256
from itertools import pairwise

import msgspec

from events.log import Head, StoredSnapshot

KEPT = 256
"""A log keeps so many snapshots at most, about as far from each other."""


def seal(head: Head, version: int, state: bytes) -> StoredSnapshot:
    """The snapshot of a state, given as the bytes of its version, at a head of the log."""
    data = zlib.compress(state, 1)
    return StoredSnapshot(*head, version, sha256(data).digest(), data)


def unseal(stored: StoredSnapshot) -> bytes:
    """The bytes of the state."""
    assert is_whole(stored), "a log gives out no damaged snapshot"
    return zlib.decompress(stored.data)


def head_of(stored: StoredSnapshot) -> Head:
    """Where the log ended when the state was so."""
    return Head(stored.batch, stored.seq, stored.digest)


def is_whole(stored: StoredSnapshot) -> bool:
    """Whether the bytes are those that were sealed."""
    return sha256(stored.data).digest() == stored.checksum


def to_bytes(stored: StoredSnapshot) -> bytes:
    """A snapshot on its way from one process to another."""
    return msgspec.msgpack.encode(stored)


def from_bytes(data: bytes) -> StoredSnapshot:
    """The snapshot of such bytes."""
    return msgspec.msgpack.decode(data, type=StoredSnapshot)


def surplus(batches: Sequence[int]) -> int | None:
    """Which of the kept snapshots, by their batches in order, goes: of too many, that nearest to its neighbours, but
    never the newest; None while there is room.
    """
    if len(batches) <= KEPT:
        return None
    gaps = [(after - before, at) for (before, _), (at, after) in pairwise(pairwise([0, *batches]))]
    return min(gaps)[1]
