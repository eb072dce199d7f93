"""Chunks of observations as bytes: nothing is lost, any damage is noticed, and the id means the columns alone."""

from __future__ import annotations

import struct
import zlib
from hashlib import sha256

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.chunks import LENGTH_MAX, VERSION, WITH_ORDERS, decode_chunk, encode_chunk
from events.commands import ChunkId
from events.instruments import InstrumentId
from events.log import DamagedLog, StoredChunk
from events.observations import ORDER_TABLES, TABLES, Observations

INT64 = st.integers(-(2**63), 2**63 - 1)
SMALL = st.integers(-300, 300)


@st.composite
def observations(draw: st.DrawFn) -> Observations:
    """Any columns whose tables are not ragged, sensible or not."""
    chunk = Observations(InstrumentId(draw(st.text(max_size=12))))
    tables = (TABLES | ORDER_TABLES) if draw(st.booleans()) else TABLES
    for table in tables.values():
        length = draw(st.integers(0, 12))
        for name in table:
            setattr(
                chunk, name, draw(st.lists(draw(st.sampled_from([INT64, SMALL])), min_size=length, max_size=length))
            )
    return chunk


def canonical(chunk: Observations) -> bytes:
    """The canonical bytes, as the docstring of `events.chunks` has them."""
    name = chunk.instrument.encode()
    orders = listed(chunk, ORDER_TABLES)
    return struct.pack("<q", len(name)) + name + listed(chunk, TABLES) + (orders if any(orders) else b"")


def listed(chunk: Observations, tables: dict[str, tuple[str, ...]]) -> bytes:
    lengths = [len(getattr(chunk, table[0])) for table in tables.values()]
    numbers = [number for table in tables.values() for column in table for number in getattr(chunk, column)]
    return struct.pack(f"<{len(lengths) + len(numbers)}q", *lengths, *numbers)


def framed(plain: bytes, level: int = 9, version: int = VERSION) -> bytes:
    """Plain bytes as they are stored, by another compressor."""
    packer = zlib.compressobj(level, zlib.DEFLATED, -zlib.MAX_WBITS)
    return checked(packer.compress(plain) + packer.flush(), version)


def checked(packed: bytes, version: int = VERSION) -> bytes:
    return struct.pack("<BI", version, zlib.crc32(packed)) + packed


def inflated(stored: StoredChunk) -> bytes:
    return zlib.decompress(stored.data[5:], -zlib.MAX_WBITS)


@given(observations())
def test_what_is_encoded_is_decoded(chunk: Observations) -> None:
    assert decode_chunk(encode_chunk(chunk)) == chunk


@given(observations())
def test_the_id_is_the_hash_of_the_canonical_bytes(chunk: Observations) -> None:
    assert encode_chunk(chunk).id == sha256(canonical(chunk)).hexdigest()


@given(observations(), st.integers(0, 9))
def test_the_id_does_not_depend_on_the_compression(chunk: Observations, level: int) -> None:
    stored = encode_chunk(chunk)
    assert decode_chunk(StoredChunk(stored.id, framed(inflated(stored), level, stored.data[0]))) == chunk


@given(observations(), st.data())
def test_any_changed_byte_is_noticed(chunk: Observations, data: st.DataObject) -> None:
    stored = encode_chunk(chunk)
    at = data.draw(st.integers(0, len(stored.data) - 1))
    damaged = bytearray(stored.data)
    damaged[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(DamagedLog, match=stored.id):
        decode_chunk(StoredChunk(stored.id, bytes(damaged)))


@given(observations(), st.data())
def test_a_chunk_that_is_cut_short_is_noticed(chunk: Observations, data: st.DataObject) -> None:
    stored = encode_chunk(chunk)
    with pytest.raises(DamagedLog):
        decode_chunk(StoredChunk(stored.id, stored.data[: data.draw(st.integers(0, len(stored.data) - 1))]))


def test_a_chunk_that_does_not_tell_orders_apart_is_kept_as_it_always_was() -> None:
    plain = Observations(InstrumentId("BTCUSDT"), print_price=[7], print_lots=[2], print_side=[1])
    stored = encode_chunk(plain)
    assert (stored.id[:16], stored.data[0]) == ("a9b20821819b75d7", VERSION)
    assert encode_chunk(msgspec.structs.replace(plain, print_order=[5])).data[0] == WITH_ORDERS


@given(st.binary(max_size=200))
def test_bytes_that_are_no_chunk_are_refused_even_with_a_good_checksum(plain: bytes) -> None:
    with pytest.raises(DamagedLog):
        decode_chunk(StoredChunk(ChunkId("0" * 64), framed(plain)))


def test_a_chunk_under_the_name_of_another_is_refused() -> None:
    name = encode_chunk(Observations(InstrumentId("BTCUSDT"))).id
    other = encode_chunk(Observations(InstrumentId("ETHUSDT")))
    with pytest.raises(DamagedLog, match=f"^chunk {name}: holds other observations than it names; restore"):
        decode_chunk(StoredChunk(name, other.data))


PLAIN = inflated(encode_chunk(Observations(InstrumentId("BTCUSDT"))))
LONG = struct.pack("<q7s6q", 7, b"BTCUSDT", LENGTH_MAX + 1, 0, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (framed(PLAIN, version=WITH_ORDERS + 1), f"version {WITH_ORDERS + 1}, this program knows 1 and 2"),
        (b"\1\0\0\0\0" + framed(PLAIN)[5:], "wrong checksum"),
        (checked(framed(PLAIN)[5:-1]), "cut short"),
        (framed(LONG), f"a table of {LENGTH_MAX + 1} entries"),
        (b"", "unpack_from requires a buffer"),
    ],
)
def test_the_message_says_what_is_wrong_in_one_line(data: bytes, why: str) -> None:
    with pytest.raises(DamagedLog) as raised:
        decode_chunk(StoredChunk(ChunkId("c" * 64), data))
    message = str(raised.value)
    assert message.startswith(f"chunk {'c' * 64}: cannot be read ({why}")
    assert message.endswith("; restore the session from a copy")
    assert "\n" not in message


def test_a_number_beyond_64_bits_is_an_error_of_the_caller() -> None:
    chunk = Observations(InstrumentId("BTCUSDT"), mark=[2**63], mark_index=[0], mark_rate=[0], mark_next_funding=[0])
    with pytest.raises(OverflowError):
        encode_chunk(chunk)
