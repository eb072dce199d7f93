"""Records <-> bytes. A body is a JSON array of [seq, cause, message]; kinds are the stable tags of the messages."""

from __future__ import annotations

import msgspec

from events.record import Batch, Record
from events.upcast import upcast_body
from events.units import Nanos

_ENCODER = msgspec.json.Encoder()
_RECORDS = msgspec.json.Decoder(list[Record])


class CodecError(ValueError):
    """Stored bytes that are not records of a kind known here; the message says which and why."""


def encode_body(batch: Batch) -> bytes:
    """The bytes of a batch's records, as they are stored and digested."""
    return _ENCODER.encode(batch.records)


def decode_body(number: int, body: bytes) -> Batch:
    """The batch of these bytes, kinds of older schemas made new. Raises CodecError."""
    try:
        records = _RECORDS.decode(body)
    except msgspec.DecodeError:
        records = _decode_older(number, body)
    if not records:
        raise CodecError(f"batch {number}: no records")
    return Batch(number, Nanos(getattr(records[0].message, "at", -1)), records)


def _decode_older(number: int, body: bytes) -> list[Record]:
    try:
        return msgspec.convert(upcast_body(msgspec.json.decode(body)), list[Record])
    except (msgspec.DecodeError, ValueError, TypeError, KeyError, IndexError) as error:
        raise CodecError(f"batch {number}: {error}") from error
