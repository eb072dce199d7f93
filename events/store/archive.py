"""A session as an archive: one xz file that holds the batches in order, each chunk of observations before the first
batch that refers to it, and at its end the head. Notes, where there are any, come first.

The file is a line that names the format, and an xz stream of frames: four bytes of length, little-endian, and that many
bytes of msgpack, an array of the frame's kind and values. Reading checks the digest chain, and that the end is there.
"""

from __future__ import annotations

import lzma
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from events.chunks import decode_chunk
from events.commands import ChunkId
from events.log import DamagedLog, EventLog, Head, MissingLog, NewerLog, StoredBatch, StoredChunk, check_chain
from events.notes import NotedLog
from events.store.entries import Entry, checked, chunk_needed, head_after

FORMAT = b"ringfence archive 1\n"

NOTED_FORMAT = b"ringfence archive 2\n"
"""One with notes, which programs that know none refuse."""

_ANY_FORMAT = b"ringfence archive "

PRESET = 2
"""How hard xz tries: beyond this, bodies shrink little more."""

FRAME_MAX = 1 << 28
"""No frame is longer."""


def is_archive(path: Path) -> bool:
    """Whether the file begins as an archive does, of this version or another."""
    with path.open("rb") as file:
        return file.read(len(_ANY_FORMAT)) == _ANY_FORMAT


async def entries(log: EventLog) -> AsyncIterator[Entry]:
    """Everything in a log, all checked. Raises LogError."""
    head, seen = Head(), set[ChunkId]()
    async for stored in log.read():
        batch = checked(head, stored)
        head = head_after(stored)
        chunk = None
        if needed := chunk_needed(batch, seen):
            chunk = await log.chunk(needed)
            decode_chunk(chunk)
        yield stored, chunk


async def write(log: NotedLog, path: Path, on_batch: Callable[[int], None]) -> Head:
    """Write a log as a new archive; its head. Raises LogError, OSError (FileExistsError)."""
    head, notes = Head(), await log.notes()
    with path.open("xb") as file:
        file.write(NOTED_FORMAT if notes else FORMAT)
        with lzma.open(file, "wb", preset=PRESET) as packed:
            for name, text in notes.items():
                _put(packed, "note", name, text)
            async for stored, chunk in entries(log):
                head = head_after(stored)
                if chunk:
                    _put(packed, "chunk", *chunk)
                _put(packed, "batch", *stored)
                on_batch(stored.number)
            _put(packed, "end", *head)
    return head


def read(path: Path, notes: dict[str, str] | None = None) -> Iterator[Entry]:
    """What an archive holds, its chain checked; its notes are added to `notes`. Raises MissingLog, DamagedLog,
    NewerLog.
    """
    if not path.is_file():
        raise MissingLog(f"{path}: there is no such archive; check the name")
    if not is_archive(path):
        raise DamagedLog(f"{path}: not an archive of a session; choose another file")
    head, chunk = Head(), None
    with path.open("rb") as file:
        if file.readline(len(FORMAT)) not in (FORMAT, NOTED_FORMAT):
            raise NewerLog(f"{path}: an archive of a form that this program does not know; use a newer Ringfence")
        try:
            with lzma.open(file, "rb") as packed:
                while (frame := _next(packed))[0] != "end":
                    if frame[0] == "note":
                        _keep_note(frame, notes)
                        continue
                    if frame[0] == "chunk":
                        chunk = msgspec.convert(frame[1:], StoredChunk)
                        continue
                    stored = msgspec.convert(frame[1:], StoredBatch)
                    head = check_chain(head, stored)
                    yield stored, chunk
                    chunk = None
                end = msgspec.convert(frame[1:], Head)
                if packed.read(1):
                    raise ValueError("something comes after the end")
        except (lzma.LZMAError, EOFError, ValueError, LookupError) as error:
            raise DamagedLog(f"{path}: damaged after batch {head.batch} ({error}); fetch it again") from error
    if end != head:
        raise DamagedLog(f"{path}: ends at batch {head.batch}, not {end.batch} as it says; fetch it again")


def _keep_note(frame: list[Any], notes: dict[str, str] | None) -> None:
    name, text = msgspec.convert(frame[1:], tuple[str, str])
    if notes is not None:
        notes[name] = text


def _put(packed: Any, *frame: Any) -> None:
    data = msgspec.msgpack.encode(frame)
    packed.write(len(data).to_bytes(4, "little") + data)


def _next(packed: BinaryIO | lzma.LZMAFile) -> list[Any]:
    length = int.from_bytes(_exactly(packed, 4), "little")
    if length > FRAME_MAX:
        raise ValueError(f"a frame of {length} bytes")
    return msgspec.msgpack.decode(_exactly(packed, length), type=list[Any])


def _exactly(packed: BinaryIO | lzma.LZMAFile, length: int) -> bytes:
    data = packed.read(length)
    if len(data) < length:
        raise EOFError("the end is missing")
    return data
