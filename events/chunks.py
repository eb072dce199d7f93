"""Chunks of observations <-> bytes: named by the hash of the plain columns, kept compressed.

The canonical bytes are the length of the instrument's name and the name, the length of every table, and every column of
`events.observations.TABLES` in order; all numbers are little-endian int64. Where a table of `ORDER_TABLES` has entries,
the lengths of those tables and their columns follow. Their sha256 is the chunk's id.

What is kept is a version byte (2 where columns of `ORDER_TABLES` follow, else 1), the CRC-32 of the rest, and a raw
deflate stream of the same name and lengths and, a column at a time, one byte of how (the number of byte planes, and
whether differences are meant) and the planes, low bytes first. The id does not depend on any of this.
"""

from __future__ import annotations

import struct
import zlib
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray

from events.arrays import column_of, set_column
from events.commands import ChunkId
from events.instruments import InstrumentId
from events.log import DamagedLog, StoredChunk
from events.observations import ORDER_TABLES, SELDOM_LISTED, TABLES, Observations
from events.spanning import spans_of

VERSION, WITH_ORDERS = 1, 2
"""The first byte of a stored chunk, and that of one which tells orders apart."""

BYTES_MAX, LENGTH_MAX = 1 << 28, 1 << 22
"""No chunk unpacks to more bytes, and no table to more entries; those of a source are far smaller."""

Column = NDArray[np.int64]
Parts = list[bytes | Column]
"""The canonical bytes, columns as arrays."""

_FRAME = struct.Struct("<BI")
_NAME = struct.Struct("<q")
_DIFFERENCES = 0x80

_Tables = dict[str, tuple[str, ...]]


def encode_chunk(observations: Observations) -> StoredChunk:
    """The chunk as it is stored. Raises OverflowError where a number does not fit 64 bits."""
    parts = _parts(observations)
    _prepare(observations, parts)
    packer = zlib.compressobj(1, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = [packer.compress(part if isinstance(part, bytes) else _pack(part)) for part in parts]
    body = b"".join([*packed, packer.flush()])
    version = WITH_ORDERS if _has_orders(observations) else VERSION
    return StoredChunk(_id(parts), _FRAME.pack(version, zlib.crc32(body)) + body)


def chunk_id(observations: Observations) -> ChunkId:
    """What names the chunk. Raises OverflowError where a number does not fit 64 bits."""
    return _id(_parts(observations))


def decode_chunk(stored: StoredChunk) -> Observations:
    """The observations of a stored chunk. Raises DamagedLog where the data is not what its id names."""
    try:
        observations, parts = _unpack(*_inflate(stored.data))
    except (ValueError, LookupError, struct.error, zlib.error) as error:
        raise DamagedLog(f"chunk {stored.id}: cannot be read ({error}); restore the session from a copy") from error
    if _id(parts) != stored.id:
        raise DamagedLog(f"chunk {stored.id}: holds other observations than it names; restore the session from a copy")
    _prepare(observations, parts)
    return observations


def _prepare(observations: Observations, parts: Parts) -> None:
    """Keep beside the columns what is known ahead of the rows, unless orders are told apart."""
    if not _has_orders(observations):
        columns = (part for part in parts if not isinstance(part, bytes))
        names = (name for table in TABLES.values() for name in table)
        observations.__dict__["spans"] = spans_of(dict(zip(names, columns, strict=True)))


def _has_orders(observations: Observations) -> bool:
    return any(getattr(observations, table[0]) for table in ORDER_TABLES.values())


def _parts(observations: Observations) -> Parts:
    name = observations.instrument.encode()
    parts: Parts = [_NAME.pack(len(name)) + name, *_tables(observations, TABLES)]
    return [*parts, *_tables(observations, ORDER_TABLES)] if _has_orders(observations) else parts


def _tables(observations: Observations, tables: _Tables) -> Parts:
    lengths = [len(getattr(observations, table[0])) for table in tables.values()]
    columns = [column_of(observations, name) for table in tables.values() for name in table]
    return [struct.pack(f"<{len(lengths)}q", *lengths), *columns]


def _id(parts: Parts) -> ChunkId:
    digest = sha256()
    for part in parts:
        digest.update(part if isinstance(part, bytes) else part.astype("<i8", copy=False).data)
    return ChunkId(digest.hexdigest())


def _inflate(data: bytes) -> tuple[int, bytes]:
    version, checksum = _FRAME.unpack_from(data)
    if version not in (VERSION, WITH_ORDERS):
        raise ValueError(f"version {version}, this program knows {VERSION} and {WITH_ORDERS}")
    if checksum != zlib.crc32(data[_FRAME.size :]):
        raise ValueError("wrong checksum")
    unpacker = zlib.decompressobj(-zlib.MAX_WBITS)
    plain = unpacker.decompress(data[_FRAME.size :], BYTES_MAX)
    if not unpacker.eof:
        raise ValueError("cut short")
    return version, plain


def _unpack(version: int, plain: bytes) -> tuple[Observations, Parts]:
    (size,) = _NAME.unpack_from(plain)
    end = _NAME.size + size
    observations = Observations(InstrumentId(plain[_NAME.size : end].decode()))
    parts: Parts = [plain[:end]]
    for tables in (TABLES, ORDER_TABLES)[:version]:
        end = _unpack_tables(observations, tables, plain, end, parts)
    return observations, parts


def _unpack_tables(observations: Observations, tables: _Tables, plain: bytes, at: int, parts: Parts) -> int:
    end = at + 8 * len(tables)
    lengths = struct.unpack_from(f"<{len(tables)}q", plain, at)
    if max(lengths) > LENGTH_MAX:
        raise ValueError(f"a table of {max(lengths)} entries")
    parts.append(plain[at:end])
    for table, length in zip(tables.values(), lengths, strict=True):
        for name in table:
            column, end = _unpack_column(plain, end, length)
            parts.append(column)
            if name in SELDOM_LISTED:
                set_column(observations, name, column)
            else:
                setattr(observations, name, column.tolist())
    return end


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
