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


def noticed(session: Scenario, what: str, change: Change, kind: type | None = None) -> None:
    """With its last batch's messages (of a kind) changed, a message of None left out, the auditor notices this."""
    told(session)
    *before, last = session.batches
    seq, records = last.first_seq - 1, []
    for record in last.records:
        message = record.message if kind and type(record.message) is not kind else change(record.message)
        if message is not None:
            seq += 1
            records.append(Record(seq, min(record.cause, seq - 1), message))
    with pytest.raises(AuditError, match=what):
        audit([*before, Batch(last.number, last.at, records)])


def putting(**fields: Any) -> Change:
    """The message with these fields, where it has them, saying something else."""

    def change(message: Any) -> Any:
        return replace(message, **{name: to for name, to in fields.items() if name in message.__struct_fields__})

    return change


__all__ = ["noticed", "putting", "told"]
