"""The codec: what goes in comes out, in the same bytes; what is no record is refused as such."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.codec import CodecError, decode_body, encode_body
from events.commands import Proceed
from events.digest import GENESIS, chain
from events.record import Batch
from events.units import Nanos
from tests.property.messages import COMMANDS, FACTS, batch, batches, structs

JSON = st.recursive(
    st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)


@pytest.mark.parametrize("kind", COMMANDS)
@given(st.data())
def test_every_command_comes_back_as_it_was(kind: type[msgspec.Struct], data: st.DataObject) -> None:
    assert_same_after_storage(batch(1, 1, data.draw(structs(kind))))


@pytest.mark.parametrize("kind", FACTS)
@given(st.data())
def test_every_fact_comes_back_as_it_was(kind: type[msgspec.Struct], data: st.DataObject) -> None:
    assert_same_after_storage(batch(1, 1, Proceed(at=Nanos(0), limit=1), data.draw(structs(kind))))


@given(batches())
def test_every_batch_comes_back_as_it_was(whole: Batch) -> None:
    assert_same_after_storage(whole)
    decoded = decode_body(whole.number, encode_body(whole))
    assert decoded.first_seq == whole.records[0].seq
    assert decoded.last_seq == decoded.first_seq + len(decoded.facts)
    assert [decoded.command, *decoded.facts] == [record.message for record in whole.records]


@given(batches())
def test_bodies_are_printable_ascii(whole: Batch) -> None:
    assert all(32 <= byte < 127 for byte in encode_body(whole))


@given(batches(), st.data())
def test_a_body_that_was_cut_is_refused(whole: Batch, data: st.DataObject) -> None:
    body = encode_body(whole)
    with pytest.raises(CodecError, match=r"^batch 7: "):
        decode_body(7, body[: data.draw(st.integers(0, len(body) - 1))])


@given(st.binary() | JSON.map(msgspec.json.encode))
def test_bytes_that_are_no_records_are_refused(body: bytes) -> None:
    with pytest.raises(CodecError, match=r"^batch 7: "):
        decode_body(7, body)


@given(batches(), st.data())
def test_one_changed_byte_changes_the_digest_and_raises_nothing_but_codec_errors(
    whole: Batch, data: st.DataObject
) -> None:
    body = bytearray(encode_body(whole))
    place = data.draw(st.integers(0, len(body) - 1))
    body[place] ^= data.draw(st.integers(1, 255))
    changed = bytes(body)
    assert chain(GENESIS, changed) != chain(GENESIS, encode_body(whole))
    with suppress(CodecError):
        decode_body(whole.number, changed)


@given(st.lists(st.binary(), min_size=2, max_size=6, unique=True))
def test_the_digest_covers_the_order_of_bodies(bodies: list[bytes]) -> None:
    assert digest(bodies) != digest(bodies[::-1])
    assert digest(bodies) != digest(bodies[:-1])


def digest(bodies: list[bytes]) -> bytes:
    head = GENESIS
    for body in bodies:
        head = chain(head, body)
    return head


def assert_same_after_storage(whole: Batch) -> None:
    body = encode_body(whole)
    decoded: Any = decode_body(whole.number, body)
    assert decoded == whole
    assert encode_body(decoded) == body
