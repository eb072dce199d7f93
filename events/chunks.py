"""Chunks of observations <-> bytes: named by the hash of the plain columns, kept compressed.

The canonical bytes are the length of the instrument's name and the name, the length of every table, and every column of
`events.observations.TABLES` in order; all numbers are little-endian int64. Their sha256 is the chunk's id.

What is kept is a version byte, the CRC-32 of what follows, and a raw deflate stream of the same head and, a column at a
time, one byte of how (the number of byte planes, and whether differences are meant) and the planes, low bytes first.
The id does not depend on any of this.
"""

from __future__ import annotations

import struct
import zlib
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from events.commands import ChunkId
from events.instruments import InstrumentId
from events.log import DamagedLog, StoredChunk
from events.observations import TABLES, Observations

VERSION = 1
"""The first byte of a stored chunk."""

BYTES_MAX, LENGTH_MAX = 1 << 28, 1 << 22
"""No chunk unpacks to more bytes, and no table to more entries; those of a source are far smaller."""

Column = NDArray[np.int64]

_FRAME = struct.Struct("<BI")
_NAME = struct.Struct("<q")
_LENGTHS = struct.Struct(f"<{len(TABLES)}q")
_DIFFERENCES = 0x80


def encode_chunk(observations: Observations) -> StoredChunk:
    """The chunk as it is stored. Raises OverflowError where a number does not fit 64 bits."""
    columns = [np.array(getattr(observations, name), "<i8") for table in TABLES.values() for name in table]
    head = _head(observations)
    packer = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
    body = b"".join([packer.compress(head), *(packer.compress(_pack(column)) for column in columns), packer.flush()])
    return StoredChunk(_id(head, columns), _FRAME.pack(VERSION, zlib.crc32(body)) + body)


def decode_chunk(stored: StoredChunk) -> Observations:
    """The observations of a stored chunk. Raises DamagedLog where the data is not what its id names."""
    try:
        observations, columns = _unpack(_inflate(stored.data))
    except (ValueError, LookupError, struct.error, zlib.error) as error:
        raise DamagedLog(f"chunk {stored.id}: cannot be read ({error}); restore the session from a copy") from error
    if _id(_head(observations), columns) != stored.id:
        raise DamagedLog(f"chunk {stored.id}: holds other observations than it names; restore the session from a copy")
    return observations


def _head(observations: Observations) -> bytes:
    name = observations.instrument.encode()
    lengths = [len(getattr(observations, table[0])) for table in TABLES.values()]
    return _NAME.pack(len(name)) + name + _LENGTHS.pack(*lengths)


def _id(head: bytes, columns: list[Column]) -> ChunkId:
    digest = sha256(head)
    for column in columns:
        digest.update(column.astype("<i8", copy=False).data)
    return ChunkId(digest.hexdigest())


def _inflate(data: bytes) -> bytes:
    version, checksum = _FRAME.unpack_from(data)
    if version != VERSION:
        raise ValueError(f"version {version}, this program knows {VERSION}")
    if checksum != zlib.crc32(data[_FRAME.size :]):
        raise ValueError("wrong checksum")
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    plain = unpacker.decompress(data[_FRAME.size :], BYTES_MAX)
    if not unpacker.eof:
        raise ValueError("cut short")
    return plain


def _unpack(plain: bytes) -> tuple[Observations, list[Column]]:
    (size,) = _NAME.unpack_from(plain)
    end = _NAME.size + size
    observations = Observations(InstrumentId(plain[_NAME.size : end].decode()))
    lengths = _LENGTHS.unpack_from(plain, end)
    if max(lengths) > LENGTH_MAX:
        raise ValueError(f"a table of {max(lengths)} entries")
    end += _LENGTHS.size
    columns = []
    for table, length in zip(TABLES.values(), lengths, strict=True):
        for name in table:
            column, end = _unpack_column(plain, end, length)
            columns.append(column)
            setattr(observations, name, column.tolist())
    return observations, columns


def _pack(column: Column) -> bytes:
    """Byte planes of the numbers or of their differences, whichever needs fewer."""
    plain, differences = _zigzag(column), _zigzag(np.diff(column, prepend=np.int64(0)))
    planes, planes_of_differences = _planes(plain), _planes(differences)
    if planes_of_differences < planes:
        return bytes([planes_of_differences | _DIFFERENCES]) + _shuffle(differences, planes_of_differences)
    return bytes([planes]) + _shuffle(plain, planes)


def _unpack_column(plain: bytes, at: int, length: int) -> tuple[Column, int]:
    how, at = plain[at], at + 1
    planes = how & ~_DIFFERENCES
    end = at + planes * length
    words = np.zeros((length, 8), np.uint8)
    words[:, :planes] = np.frombuffer(plain[at:end], np.uint8).reshape(planes, length).T
    zigzag = words.reshape(-1).view("<u8")
    column = (zigzag >> 1).astype("<i8") ^ -(zigzag & 1).astype("<i8")
    return (column.cumsum() if how & _DIFFERENCES else column), end


def _zigzag(column: Column) -> NDArray[np.uint64]:
    """0, -1, 1, -2 ... as 0, 1, 2, 3 ...: small numbers of either sign have few bytes."""
    return ((column << 1) ^ (column >> 63)).astype("<u8")


def _planes(numbers: NDArray[np.uint64]) -> int:
    return (int(numbers.max(initial=0)).bit_length() + 7) // 8


def _shuffle(numbers: NDArray[np.uint64], planes: int) -> bytes:
    return numbers.view(np.uint8).reshape(-1, 8)[:, :planes].T.tobytes()
