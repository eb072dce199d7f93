"""Records on disk: stable kinds, additive growth, old kinds made new, and one error for all that is no record."""

from __future__ import annotations

import re
from typing import Any, get_args

import msgspec
import pytest

from events import upcast
from events.asking import AnyCommand
from events.codec import CodecError, decode_body, encode_body
from events.commands import AccountId, Command, OrderNumber, PlaceOrder, RequestId, Side, TradersCommand
from events.digest import GENESIS, chain, fingerprint
from events.facts import AnyFact, Fact, Refused
from events.instruments import InstrumentId
from events.record import Batch, Record
from events.refusals import Reason
from events.units import Nanos

COMMANDS: tuple[type[msgspec.Struct], ...] = get_args(AnyCommand)
FACTS: tuple[type[msgspec.Struct], ...] = get_args(AnyFact)
KINDS = COMMANDS + FACTS

BATCH = Batch(
    number=3,
    at=Nanos(17),
    records=[
        Record(
            8,
            0,
            PlaceOrder(
                at=Nanos(17),
                account=AccountId("ann"),
                request=RequestId("r1"),
                number=OrderNumber(1),
                instrument=InstrumentId("BTCUSDT"),
                side=Side.BUY,
                lots="1.5",
                price=None,
            ),
        ),
        Record(9, 8, Refused(reason=Reason.SIZE_OFF_LOT)),
    ],
)
BODY = (
    b'[[8,0,{"kind":"place_order.1","at":17,"account":"ann","request":"r1","number":1,"instrument":"BTCUSDT",'
    b'"side":"buy","lots":"1.5"}],'
    b'[9,8,{"kind":"refused.1","reason":"size_off_lot"}]]'
)


def test_a_body_is_an_array_of_numbered_records_without_what_is_left_at_its_default() -> None:
    assert encode_body(BATCH) == BODY
    assert decode_body(3, BODY) == BATCH


def test_a_batch_is_one_command_and_its_facts() -> None:
    batch = decode_body(3, BODY)
    assert (batch.number, batch.at, batch.first_seq, batch.last_seq) == (3, 17, 8, 9)
    assert batch.command == BATCH.records[0].message
    assert batch.facts == [Refused(reason=Reason.SIZE_OFF_LOT)]


def test_a_default_that_an_older_log_wrote_out_is_read_as_well() -> None:
    older = BODY.replace(b'"lots":"1.5"', b'"lots":"1.5","price":null,"time_in_force":"gtc","reduce_only":false')
    assert older != BODY
    assert decode_body(3, older) == BATCH


def test_a_kind_is_the_name_of_its_class_and_a_number() -> None:
    for kind in KINDS:
        name, _, number = str(kind.__struct_config__.tag).partition(".")
        assert name == re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower()
        assert re.fullmatch(r"[1-9]\d*", number)
        assert kind.__struct_config__.tag_field == "kind"


def test_kinds_are_unique() -> None:
    assert len({kind.__struct_config__.tag for kind in KINDS}) == len(KINDS)


def test_the_unions_hold_every_command_and_every_fact() -> None:
    assert set(COMMANDS) == leaves(Command)
    assert set(FACTS) == leaves(Fact)


def leaves(kind: type) -> set[type]:
    """The classes below this one that have none below them."""
    below: list[type] = kind.__subclasses__()
    return set().union(*map(leaves, below)) if below else {kind}


def test_messages_cannot_be_changed() -> None:
    for kind in KINDS:
        assert kind.__struct_config__.frozen
    with pytest.raises(AttributeError):
        BATCH.command.at = Nanos(18)  # type: ignore[misc]


def test_a_command_of_a_trader_names_account_and_request() -> None:
    for kind in COMMANDS:
        names = kind.__struct_fields__
        assert names[0] == "at"
        assert (names[1:3] == ("account", "request")) == issubclass(kind, TradersCommand)


def test_old_kinds_are_made_new_step_by_step(monkeypatch: pytest.MonkeyPatch) -> None:
    def name_the_reason(message: dict[str, Any]) -> dict[str, Any]:
        return {"kind": "rejected.2", "reason": {4: "size_off_lot"}[message["code"]]}

    def call_it_refused(message: dict[str, Any]) -> dict[str, Any]:
        return message | {"kind": "refused.1"}

    monkeypatch.setitem(upcast.UPCASTERS, "rejected.1", name_the_reason)
    monkeypatch.setitem(upcast.UPCASTERS, "rejected.2", call_it_refused)
    older = BODY.replace(b'{"kind":"refused.1","reason":"size_off_lot"}', b'{"kind":"rejected.1","code":4}')
    assert decode_body(3, older) == BATCH
    with pytest.raises(CodecError, match=r"^batch 3: 5$"):
        decode_body(3, older.replace(b'"code":4', b'"code":5'))


def test_no_kind_of_today_has_an_upcaster() -> None:
    assert {str(kind.__struct_config__.tag) for kind in KINDS} & set(upcast.UPCASTERS) == set()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "Input data was truncated"),
        (b"[]", "does not begin with a command"),
        (b"{}", "Expected `array`, got `object`"),
        (b"\xff", "JSON is malformed: invalid character (byte 0)"),
        (b'[[1,0,{"kind":"soared.1"}]]', "Invalid value 'soared.1' - at `$[0][2].kind`"),
        (b'[[1,0,{"at":1}]]', "Object missing required field `kind` - at `$[0][2]`"),
        (b'[[1,0,{"kind":["proceed.1"]}]]', "Expected `str`, got `list` - at `$[0][2].kind`"),
        (b'[[1,0,{"kind":"proceed.1","at":1}]]', "Object missing required field `limit` - at `$[0][2]`"),
        (b'[[1,0,{"kind":"proceed.1","at":1,"limit":"2"}]]', "Expected `int`, got `str` - at `$[0][2].limit`"),
        (b'[[1,0,{"kind":"refused.1","reason":"because"}]]', "Invalid enum value 'because' - at `$[0][2].reason`"),
        (b'[[1,0,{"kind":"time_advanced.1"}]]', "does not begin with a command"),
        (b'[[1,{"kind":"time_advanced.1"}]]', "Expected `int`, got `object` - at `$[0][1]`"),
        (b'[[1,0,{"kind":"account_opened.1","account":"\xff"}]]', "'utf-8' codec can't decode byte 0xff"),
        (b'[[1,0,{"kind":' * 100_000, "maximum recursion depth exceeded"),
        (BODY + b"]", "JSON is malformed: trailing characters"),
        (BODY[:-1], "Input data was truncated"),
    ],
)
def test_what_is_no_batch_of_records_is_refused_with_the_number_of_the_batch(body: bytes, message: str) -> None:
    with pytest.raises(CodecError) as error:
        decode_body(41, body)
    assert str(error.value).startswith(f"batch 41: {message}")


def test_a_batch_that_was_built_without_a_command_is_a_bug() -> None:
    with pytest.raises(AssertionError):
        _ = Batch(1, Nanos(0), BATCH.records[1:]).command


def test_the_digest_chains_bodies() -> None:
    assert bytes(32) == GENESIS
    first = chain(GENESIS, BODY)
    assert first.hex() == "bbafb838f25608504f753a43cc76a362e1e42b90a64b344e2a316037f0033066"
    assert chain(first, BODY) not in {first, chain(GENESIS, BODY + BODY)}


def test_a_fingerprint_is_the_sha256_of_the_bytes() -> None:
    assert fingerprint(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
