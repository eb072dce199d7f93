"""`ringfence log`: read the records of a session."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec

from events.codec import decode_body
from events.commands import OpenSession
from events.facts import Refused
from events.instruments import Instrument
from events.log import Head, check_chain
from events.record import Message, Record, kind_of
from events.store.sqlite import open_session
from gateway.console import OUT, say_json, time_text
from gateway.errors import about
from gateway.wording import words


def run(session: Path, kind: str, account: str, after: int, as_json: bool) -> int:
    """Print the records that match, one a line."""
    with about(session):
        asyncio.run(_print(session, kind, account, after, as_json))
    return 0


async def _print(session: Path, kind: str, account: str, after: int, as_json: bool) -> None:
    log = await open_session(session, read_only=True)
    instruments: dict[str, Instrument] = {}
    try:
        head = Head()
        async for stored in log.read():
            head = check_chain(head, stored)
            if stored.number > 1 and stored.last_seq <= after:
                continue
            batch = decode_body(stored.number, stored.body)
            if isinstance(batch.command, OpenSession):
                instruments = {terms.id: terms for terms in batch.command.pack.instruments}
            asked_by = getattr(batch.command, "account", None)
            for record in batch.records:
                if record.seq > after and _matches(record.message, kind, account, asked_by):
                    _show(record, stored.at, stored.number, instruments, as_json)
    finally:
        await log.close()


def _matches(message: Message, kind: str, account: str, asked_by: str | None) -> bool:
    """Whether a record is of that kind and names that account; a refusal is about the account that asked."""
    tag = kind_of(message)
    if kind and tag != kind and tag.rpartition(".")[0] != kind:
        return False
    if isinstance(message, Refused):
        return account in ("", asked_by)
    return not account or account in {getattr(message, name, None) for name in ("account", "maker", "taker")}


def _show(record: Record, at: int, batch: int, instruments: dict[str, Instrument], as_json: bool) -> None:
    if as_json:
        fields = msgspec.to_builtins(record.message)
        say_json({"seq": record.seq, "batch": batch, "at": at, "cause": record.cause, **fields})
        return
    cause = f"<-{record.cause}" if record.cause else ""
    text = words(record.message, instruments)
    OUT.print(f"{record.seq:>9} {cause:<10} {time_text(at)}  {kind_of(record.message):<26} {text}", markup=False)
