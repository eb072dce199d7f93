"""`ringfence log`: read the records of a session."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec

from events.codec import decode_body
from events.log import Head, check_chain
from events.record import Record
from events.store.sqlite import open_session
from gateway.console import OUT, say_json, time_text


def run(session: Path, kind: str, account: str, after: int, as_json: bool) -> int:
    """Print the records that match, one a line."""
    asyncio.run(_print(session, kind, account, after, as_json))
    return 0


async def _print(session: Path, kind: str, account: str, after: int, as_json: bool) -> None:
    log = await open_session(session, read_only=True)
    try:
        head = Head()
        async for stored in log.read():
            head = check_chain(head, stored)
            if stored.last_seq <= after:
                continue
            for record in decode_body(stored.number, stored.body).records:
                message = msgspec.to_builtins(record.message)
                if record.seq > after and _matches(message, kind, account):
                    _show(record, stored.at, stored.number, message, as_json)
    finally:
        await log.close()


def _matches(message: dict[str, Any], kind: str, account: str) -> bool:
    if kind and message["kind"] not in (kind, message["kind"] if message["kind"].startswith(f"{kind}.") else None):
        return False
    return not account or account in (message.get("account"), message.get("maker"), message.get("taker"))


def _show(record: Record, at: int, batch: int, message: dict[str, Any], as_json: bool) -> None:
    if as_json:
        say_json({"seq": record.seq, "batch": batch, "at": at, "cause": record.cause, **message})
        return
    kind = message.pop("kind")
    message.pop("at", None)
    cause = f"<-{record.cause}" if record.cause else ""
    text = " ".join(f"{name}={_value(value)}" for name, value in message.items() if value is not None)
    OUT.print(f"{record.seq:>9} {cause:<10} {time_text(at)}  {kind:<26} {text}", markup=False)


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return value.get("id", "...") if "instruments" in value else str(msgspec.json.encode(value).decode())
    return str(value)
