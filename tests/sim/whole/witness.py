"""What anybody was told or shown, and whether what is on the disk bears it out, at once and for ever after."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from math import inf

from events.codec import decode_body, encode_body
from events.commands import Command, TradersCommand
from events.log import Head, StoredBatch, check_chain
from events.record import Batch
from events.refusals import Reason
from exchange.committer import Acknowledgement
from exchange.core import snapshot
from exchange.core.state import State
from exchange.core.step import step
from tests.sim.hosted import answers, asked
from tests.sim.whole.disk import Disk
from tests.sim.whole.log import NOTHING, decoded, frames
from tests.sim.world import Columns, lend

Name = tuple[str, str]
"""An account and its request."""


class Platter:
    """The batches that would survive a loss of power in this moment, read off the platter itself."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self._forget()

    def _forget(self) -> None:
        self._end, self._seal = 0, NOTHING
        self._batches: list[StoredBatch] = []

    def batches(self) -> list[StoredBatch]:
        """In order."""
        if self._disk.changed_from < self._end:
            self._forget()
        self._disk.changed_from = inf
        for frame in frames(self._disk.platter, self._end, self._seal):
            self._end, self._seal = frame.end, frame.seal
            self._batches += decoded(frame.payload).batches
        return self._batches

    def has(self, batch: int, digest: bytes) -> bool:
        """Whether it holds that batch, and all before it."""
        held = self.batches()
        return batch <= len(held) and (not batch or held[batch - 1].digest == digest)


class Witness:
    """Remembers everything that left the process, for as long as the disk lives."""

    def __init__(self, disk: Disk) -> None:
        self.told: dict[Name, tuple[int, Reason | None]] = {}
        self.shown: dict[int, bytes] = {}
        self.platter = Platter(disk)

    def heard(self, command: TradersCommand, answer: Acknowledgement) -> None:
        """A client was answered."""
        name = command.account, command.request
        outcome = answer.seq, answer.reason
        assert self.told.setdefault(name, outcome) == outcome, f"{name} has two outcomes"
        held = next((one for one in reversed(self.platter.batches()) if one.first_seq == answer.seq), None)
        assert held, f"{name} was acknowledged as record {answer.seq}, which is not on the platter"
        assert outcome[1] == answers(decode_body(held.number, held.body)).get(name, "another request's"), name

    def saw(self, batch: int, digest: bytes, who: str) -> None:
        """Somebody was shown the log up to a batch."""
        assert self.platter.has(batch, digest), f"{who} was shown batch {batch}, which is not on the platter"
        assert self.shown.setdefault(batch, digest) == digest, f"{who} was shown another batch {batch} than others"

    def check(self, stored: Iterable[StoredBatch]) -> list[Batch]:
        """A log as somebody finds it: whole batches, everything that was ever said, nothing twice."""
        head, batches = Head(), []
        for one in stored:
            batch = decode_body(one.number, one.body)
            head = check_chain(head, one, batch)
            batches.append(batch)
            assert self.shown.get(one.number, one.digest) == one.digest, f"batch {one.number} is another than shown"
        assert head.batch >= max(self.shown, default=0), f"batch {max(self.shown)} was shown, and is lost"
        self._check_told(batches)
        assert [name for name, times in Counter(asked(batches)).items() if times > 1] == [], "applied twice"
        return batches

    def _check_told(self, batches: list[Batch]) -> None:
        found = {batch.first_seq: batch for batch in batches}
        for name, (seq, reason) in self.told.items():
            assert seq in found, f"{name} was acknowledged as record {seq}, and is lost"
            assert answers(found[seq]).get(name, "another request's") == reason, f"{name}: the log says otherwise"


def check_model(batches: list[Batch], columns: Columns, state: State) -> None:
    """A core that decides the same commands, and knows no disk and no failure, arrives at the same bytes."""
    model = lend(State(), columns)
    for batch in batches:
        command: Command = batch.command
        decided = step(model, command)
        assert isinstance(decided, Batch), f"batch {batch.number} was decided before"
        assert encode_body(decided) == encode_body(batch), f"batch {batch.number} is decided in another way"
    assert snapshot.digest(model) == snapshot.digest(state), "the model's state is another one"
