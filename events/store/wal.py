"""Whether the log of newer pages beside a session lost something in its midst.

SQLite reads its write-ahead log up to the first frame whose checksum fails, as that is where a crash tore it, and takes
what comes before for the whole. A crash tears the last commit only: each is synced before the next is written. Where a
commit stands behind the failing frame, and something more behind that, bytes were damaged that had been safe.

The format is that of https://www.sqlite.org/fileformat2.html#the_write_ahead_log.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from struct import iter_unpack
from typing import BinaryIO, NamedTuple

HEADER, FRAME_HEADER = 32, 24
"""Bytes ahead of the first frame, and ahead of the page in each."""

PAIRS = {0x377F0682: "<II", 0x377F0683: ">II"}
"""By the first four bytes: how the checksums read the file, two words at a time."""

Sums = tuple[int, int]


class Frame(NamedTuple):
    """What stands in the header of a frame, and whether its checksum continues that of the frame before."""

    is_commit: bool
    salts: bytes
    is_whole: bool


def defect_of(wal: Path) -> str:
    """What is wrong with a write-ahead log beyond the end that a crash may tear; empty where nothing is."""
    if not wal.exists() or wal.stat().st_size <= HEADER:
        return ""
    with wal.open("rb") as file:
        header = file.read(HEADER)
        pair = PAIRS.get(int.from_bytes(header[:4], "big"))
        if pair is None or _sums(header[:24], (0, 0), pair) != _stated(header[24:]):
            return "its first bytes are damaged" if any(header) or any(map(any, _pages(file))) else ""
        return _defect(_frames(file, header, pair), header[16:24])


def _defect(frames: Iterator[Frame], salts: bytes) -> str:
    bad, commit = 0, False
    for number, frame in enumerate(frames, 1):
        if not frame.is_whole:
            bad = bad or number
        if bad and frame.salts == salts:
            if commit:
                return f"page {bad} of it is damaged, and commits stand behind it"
            commit = frame.is_commit
    return ""


def _frames(file: BinaryIO, header: bytes, pair: str) -> Iterator[Frame]:
    """The frames, to the first that is cut short; none is whole after one that is not."""
    sums, is_whole = _stated(header[24:]), True
    size = int.from_bytes(header[8:12], "big")
    while len(frame := file.read(FRAME_HEADER + size)) == FRAME_HEADER + size:
        salts = frame[8:16]
        if is_whole:
            sums = _sums(frame[FRAME_HEADER:], _sums(frame[:8], sums, pair), pair)
            is_whole = salts == header[16:24] and sums == _stated(frame[16:24])
        yield Frame(any(frame[4:8]), salts, is_whole)


def _stated(eight: bytes) -> Sums:
    return int.from_bytes(eight[:4], "big"), int.from_bytes(eight[4:], "big")


def _sums(data: bytes, sums: Sums, pair: str) -> Sums:
    """SQLite's checksum of bytes, a multiple of 8, continued."""
    first, second = sums
    for even, odd in iter_unpack(pair, data):
        first = first + even + second & 0xFFFFFFFF
        second = second + odd + first & 0xFFFFFFFF
    return first, second


def _pages(file: BinaryIO) -> Iterator[bytes]:
    while page := file.read(1 << 16):
        yield page
