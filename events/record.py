"""A record is one line of history; a batch is one command and all that followed from it, stored as one."""

from __future__ import annotations

import msgspec

from events.asking import AnyCommand
from events.commands import Command
from events.facts import AnyFact
from events.units import Nanos

Message = AnyCommand | AnyFact


def kind_of(message: Message) -> str:
    """The stable tag of a message, such as traded.1."""
    return str(message.__struct_config__.tag)


class Record(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """One record: its number from 1 on, the number of the record that caused it (0: the outside), what it says."""

    seq: int
    cause: int
    message: Message


class Batch(msgspec.Struct, gc=False):
    """One command and its facts. records[0] is the command; the rest are facts, in order.

    `at` is the time of the command; `number` counts batches from 1.
    """

    number: int
    at: Nanos
    records: list[Record]

    @property
    def first_seq(self) -> int:
        """The number of the command's record."""
        return self.records[0].seq

    @property
    def last_seq(self) -> int:
        """The number of the last record."""
        return self.records[-1].seq

    @property
    def command(self) -> Command:
        """The command."""
        message = self.records[0].message
        assert isinstance(message, Command)
        return message

    @property
    def facts(self) -> list[AnyFact]:
        """The facts, in order."""
        return [record.message for record in self.records[1:]]  # type: ignore[misc]
