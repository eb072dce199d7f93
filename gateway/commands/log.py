"""`ringfence log`: read the records of a session."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from events.catalogue import kinds
from events.codec import decode_body
from events.commands import INSURANCE, MARKET, OpenSession, funds_of
from events.facts import AccountOpened, OrderAccepted, Refused, TriggerPlaced
from events.instruments import Instrument
from events.log import Head, check_chain
from events.record import Message, Record, kind_of
from events.store.sqlite import open_session
from gateway.commands.log_schema import is_kind, unknown
from gateway.console import OUT, say_json, time_text
from gateway.errors import UsageError, about
from gateway.naming import there_are
from gateway.wording import words


def run(session: Path, asked: Sequence[str], account: str, after: int, as_json: bool) -> int:
    """Print the records that match, one a line, those of any kind where none is asked for. Returns 0; a kind or account
    that there is not raises UsageError.
    """
    for kind in asked:
        if not any(is_kind(tag, kind) for tag in kinds()):
            raise UsageError(f"--kind: {unknown(kind)}")
    with about(session):
        read = asyncio.run(_print(session, asked or ("",), account, after, as_json))
    if account and account not in read.accounts:
        raise UsageError(f"{session}: no account {account!r}; {there_are(read.accounts, account)}")
    if not (read.shown or as_json):
        OUT.print(f"none     of {read.records:,} records in {session} is so", markup=False)
    return 0


@dataclass(slots=True)
class Read:
    """What was read: how many records, how many of them were shown, the participants that there are, and the
    instruments of orders.
    """

    records: int = 0
    shown: int = 0
    accounts: dict[str, None] = field(default_factory=lambda: {MARKET: None, INSURANCE: None})
    traded: dict[tuple[str, int], str] = field(default_factory=dict)

    def on(self, message: Message) -> str:
        """The instrument of the order that a record is about, as far as it was read."""
        return self.traded.get((getattr(message, "account", ""), getattr(message, "number", 0)), "")

    def note(self, message: Message) -> None:
        """Note the participants and the orders that a record brings about."""
        if isinstance(message, AccountOpened):
            self.accounts[message.account] = None
        elif isinstance(message, OrderAccepted | TriggerPlaced):
            self.traded[message.account, message.number] = message.instrument
        elif isinstance(message, OpenSession):
            self.accounts.update(dict.fromkeys(funds_of(message.pack).values()))


async def _print(session: Path, asked: Sequence[str], account: str, after: int, as_json: bool) -> Read:
    log = await open_session(session, read_only=True)
    instruments: dict[str, Instrument] = {}
    read = Read()
    try:
        head = Head()
        async for stored in log.read():
            head = check_chain(head, stored)
            read.records = head.seq
            if stored.number > 1 and stored.last_seq <= after and not account:
                continue
            batch = decode_body(stored.number, stored.body)
            if isinstance(batch.command, OpenSession):
                instruments = {terms.id: terms for terms in batch.command.pack.instruments}
            asked_by = getattr(batch.command, "account", None)
            for record in batch.records:
                read.note(record.message)
                if record.seq > after and _matches(record.message, asked, account, asked_by):
                    read.shown += 1
                    _show(record, stored.at, stored.number, instruments, as_json, read.on(record.message))
    finally:
        await log.close()
    return read


def _matches(message: Message, asked: Sequence[str], account: str, asked_by: str | None) -> bool:
    """Whether a record is of one of those kinds and names that account; a refusal is about the account that asked."""
    tag = kind_of(message)
    if not any(is_kind(tag, kind) for kind in asked):
        return False
    if isinstance(message, Refused):
        return account in ("", asked_by)
    return not account or account in {getattr(message, name, None) for name in ("account", "maker", "taker")}


def _show(
    record: Record, at: int, batch: int, instruments: dict[str, Instrument], as_json: bool, on: str
) -> None:  # fmt: skip
    """Print a record; on is the instrument of its order."""
    if as_json:
        fields = msgspec.to_builtins(record.message)
        say_json({"seq": record.seq, "batch": batch, "at": at, "cause": record.cause, **fields})
        return
    cause = f"<-{record.cause}" if record.cause else ""
    text = words(record.message, instruments, on)
    OUT.print(f"{record.seq:>9} {cause:<10} {time_text(at)}  {kind_of(record.message):<26} {text}", markup=False)
