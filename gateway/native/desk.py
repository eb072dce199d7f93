"""What all handlers of the native API share, who asks them, and how a request becomes a decided command."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from events.codec import record_text
from events.commands import AccountId, RequestId, TradersCommand
from events.log import EventLog
from events.record import Batch, Record
from exchange.committer import Acknowledgement
from gateway.native.messages import Outcome
from gateway.native.problems import Asked, refused
from gateway.serving.blotter import Blotter
from gateway.serving.keys import Key, KeyRing
from gateway.serving.venue import Venue
from replay.context import Context
from replay.control import Control

OWN = "n-"
"""Requests with a key of the client's own begin with this, so that nobody else's are meant."""


@dataclass
class Desk:
    """A session that is served: the venue, its read models, its keys, and its player where the market is played."""

    venue: Venue
    keys: KeyRing
    log: EventLog
    blotter: Blotter
    tape: Any = None
    name: str = "session"
    path: Path | None = None
    control: Control | None = None
    is_on_time: Callable[[], bool] = lambda: True


@dataclass
class Client:
    """Whoever asks, once: a key, and for which account. asked counts the commands that the request led to."""

    desk: Desk
    key: Key
    account: AccountId
    idempotency: str = ""
    asked: int = 0

    def made(self, make: Callable[[Context], Any]) -> TradersCommand:
        """The command that a strategy of the account would send so. Raises Asked where the texts make none."""
        venue = self.desk.venue
        sent: list[Any] = []
        context = Context(lambda: venue.state, self.account, sent.append)
        with refused():
            make(context)
        command: TradersCommand = sent[-1]
        return command.__replace__(at=venue.now, request=self.request())

    def numbered(self, make: Callable[[Context], Any]) -> TradersCommand:
        """As `made`, of a command that places an order."""
        command = self.made(make)
        return command.__replace__(number=self.desk.venue.number(self.account))

    async def ask(self, command: TradersCommand) -> Outcome:
        """Have it decided. Raises Problem where it was refused."""
        return told(await self.desk.venue.ask(command), command)

    def request(self) -> RequestId:
        """The id of the next command: made of the client's own key where it gave one, so that each command of a request
        which is sent again is known again. Raises Asked.
        """
        if not self.idempotency:
            return self.desk.venue.request()
        self.asked += 1
        text = f"{OWN}{self.idempotency}" if self.asked == 1 else f"{OWN}{self.idempotency}.{self.asked}"
        if not (text.isascii() and text.isprintable() and len(text) <= 128):
            raise Asked("bad_idempotency_key", "Idempotency-Key: give up to 120 printable ASCII characters")
        return RequestId(text)


def told(acknowledgement: Acknowledgement, command: TradersCommand) -> Outcome:
    """What came of a command. Raises Asked where it was refused."""
    if (reason := acknowledgement.reason) is not None:
        message = f"the exchange refused it: {reason.value.replace('_', ' ')}"
        raise Asked(reason.value, message, 422, acknowledgement.seq)
    batch = acknowledgement.batch
    number = int(getattr(command, "number", 0))
    facts = [] if batch is None else facts_of(batch, command.account)
    return Outcome(record=acknowledgement.seq, number=number, repeated=batch is None, facts=facts)


def facts_of(batch: Batch, account: AccountId) -> list[dict[str, Any]]:
    """The facts of a batch that concern an account, as the log has them."""
    return [as_object(record) for record in batch.records[1:] if concerns(record.message, account)]


def concerns(message: Any, account: AccountId) -> bool:
    """Whether a record says something of the account."""
    return any(getattr(message, name, None) == account for name in ("account", "maker", "taker", "against", "to"))


def as_object(record: Record) -> dict[str, Any]:
    """A record in plain types: seq, cause, and its message with its kind."""
    seq, cause, message = msgspec.json.decode(record_text(record))
    return {"seq": seq, "cause": cause, **message}
