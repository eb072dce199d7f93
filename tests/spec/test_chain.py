"""The chain of batches: what does not follow, or says other things than its columns, is named by its number."""

from __future__ import annotations

import pytest

from events.codec import decode_body
from events.digest import chain
from events.log import DamagedLog, Head, StoredBatch, check_chain
from events.units import Nanos
from tests.stored import head_of, stored

BEFORE = head_of(stored(Head(), records=2))
GOOD = stored(BEFORE, records=3)


def with_body(body: bytes) -> StoredBatch:
    """The batch with other bytes and a digest that fits them."""
    return GOOD._replace(body=body, digest=chain(BEFORE.digest, body))


DEEP = b"[" * 100_000

DEFECTS = [
    (GOOD._replace(number=3), "batch 3: it comes after batch 1"),
    (GOOD._replace(digest=bytes(32)), "batch 2: the digest is not that of its body and of what came before"),
    (GOOD._replace(body=GOOD.body + b" "), "batch 2: the digest is not that of its body and of what came before"),
    (GOOD._replace(first_seq=4), "batch 2: it begins with record 4, after record 2"),
    (GOOD._replace(last_seq=6), "batch 2: the columns say records 3 to 6, the body says 3 to 5"),
    (GOOD._replace(at=Nanos(21)), "batch 2: the column says at 21, the command 20"),
    (with_body(b"[]"), "batch 2: the body is not a list of records"),
    (with_body(b"{"), "batch 2: the body is not a list of records"),
    (with_body(b"[[1,2]]"), "batch 2: the body is not a list of records"),
    (with_body(b'[[3,0,{"at":\xff}]]'), "batch 2: the body is not a list of records"),
    (with_body(b'[[3,0,{"x":' + DEEP), "batch 2: the body is not a list of records"),
    (with_body(b'[[4,0,{"at":20}],[5,4,{}]]'), "batch 2: the columns say records 3 to 5, the body says 4 to 5"),
    (with_body(b'[[3,0,{"at":20}],[5,4,{}]]'), "batch 2: the columns say records 3 to 5, the body says 3 to 5"),
    (with_body(b"[[3,0,{}],[4,3,{}],[5,4,{}]]"), "batch 2: the column says at 20, the command -1"),
]


def test_a_batch_that_follows_gives_the_next_head() -> None:
    assert check_chain(BEFORE, GOOD) == head_of(GOOD)


@pytest.mark.parametrize(("batch", "message"), DEFECTS)
def test_a_defect_is_named_with_the_batch(batch: StoredBatch, message: str) -> None:
    with pytest.raises(DamagedLog) as refused:
        check_chain(BEFORE, batch)
    assert str(refused.value) == f"{message}; restore the session from a copy"


def test_a_batch_that_is_decoded_already_is_checked_against_its_columns() -> None:
    plain = stored(BEFORE)
    decoded = decode_body(plain.number, plain.body)
    assert check_chain(BEFORE, plain, decoded) == head_of(plain)
    with pytest.raises(DamagedLog, match="the columns say records 3 to 4, the body says 3 to 3"):
        check_chain(BEFORE, plain._replace(last_seq=4), decoded)
    with pytest.raises(DamagedLog, match="the column says at 5, the command 20"):
        check_chain(BEFORE, plain._replace(at=Nanos(5)), decoded)
