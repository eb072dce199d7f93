"""Records <-> bytes. A body is a JSON array of [seq, cause, message]; kinds are the stable tags of the messages."""

from __future__ import annotations

from typing import Any

import msgspec

from events.commands import Command
from events.record import Batch, Record
from events.upcast import upcast_body

_ENCODER = msgspec.json.Encoder()
_RECORDS = msgspec.json.Decoder(list[Record])
_UNTYPED = msgspec.json.Decoder(list[tuple[int, int, dict[str, Any]]])


class CodecError(ValueError):
    """Stored bytes that are not records of a kind known here; the message says which and why."""


def encode_body(batch: Batch) -> bytes:
    """The bytes of a batch's records, as they are stored and digested."""
    return _ENCODER.encode(batch.records)


def record_text(record: Record) -> str:
    """A record as its JSON text."""
    return _ENCODER.encode(record).decode("ascii", "replace")


def decode_body(number: int, body: bytes) -> Batch:
    """The batch of these bytes, kinds of older schemas made new. Raises CodecError."""
    try:
        records = _RECORDS.decode(body)
    except (ValueError, RecursionError):
        records = _decode_older(number, body)
    if not records or not isinstance(command := records[0].message, Command):
        raise CodecError(f"batch {number}: does not begin with a command")
    return Batch(number, command.at, records)


def _decode_older(number: int, body: bytes) -> list[Record]:
    try:
        return msgspec.convert(upcast_body(_UNTYPED.decode(body)), list[Record])
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        raise CodecError(f"batch {number}: {error}") from error
