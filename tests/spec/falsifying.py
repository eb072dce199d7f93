"""Sessions as the auditor reads them: told as they were, and with something in them changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from events.record import Batch, Record
from exchange.audit import AuditError, audit
from tests.scenario import Scenario

Change = Callable[[Any], Any]


def told(session: Scenario) -> Scenario:
    """The auditor has nothing to say against the session."""
    audit(session.batches)
    return session


def noticed(
    session: Scenario, what: str, change: Change, kind: type | None = None, *, everywhere: bool = False
) -> None:
    """With the messages of its last batch changed, or everywhere, and those of None left out, the auditor notices.

    Where a kind is named, only messages of it are changed.
    """
    told(session)
    before, changed = ([], session.batches) if everywhere else (session.batches[:-1], session.batches[-1:])
    with pytest.raises(AuditError, match=what):
        audit([*before, *(_changed(batch, change, kind) for batch in changed)])


def _changed(batch: Batch, change: Change, kind: type | None) -> Batch:
    said = [(record.cause, record.message) for record in batch.records]
    messages = [(cause, one if kind and type(one) is not kind else change(one)) for cause, one in said]
    kept = [(cause, message) for cause, message in messages if message is not None]
    records = [Record(seq, min(cause, seq - 1), message) for seq, (cause, message) in enumerate(kept, batch.first_seq)]
    return Batch(batch.number, batch.at, records)


def putting(**fields: Any) -> Change:
    """The message with these fields, where it has them, saying something else."""

    def change(message: Any) -> Any:
        return replace(message, **{name: to for name, to in fields.items() if name in message.__struct_fields__})

    return change


__all__ = ["noticed", "putting", "told"]
