"""Edits of a fork: what is otherwise from a moment on, and what came of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from events.commands import AccountId, Command, OrderNumber, RequestId
from events.facts import Refused
from events.instruments import RulePack
from events.log import Head
from events.record import Batch
from events.refusals import Reason
from events.units import Nanos
from exchange.core.state import State
from exchange.sequencer import Sequencer

Make = Callable[[State, Nanos, RequestId], Command]
"""Makes the command of an edit, at that time, under that request."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One thing that is to be otherwise. text is how it was asked for.

    change says what becomes of every recorded command: itself, another one, or None. insert makes a command that is
    decided first of all, as soon as the account is there. order is that of the account which it changes, if it is one.
    """

    text: str
    change: Callable[[State, Command], Command | None] = lambda _, command: command
    insert: Make | None = None
    account: AccountId | None = None
    order: OrderNumber | None = None
    pack: RulePack | None = None


@dataclass(slots=True)
class Branched:
    """A fork: the last head that it shares with its origin; the edits whose own command was refused, and why; those
    whose account never was there; those that found nothing to change; and the state at its end.
    """

    shared: Head
    state: State
    refused: list[tuple[Edit, Reason]] = field(default_factory=list)
    waiting: list[Edit] = field(default_factory=list)
    idle: list[Edit] = field(default_factory=list)


class Editor:
    """Decides the commands of a fork as its edits have them."""

    def __init__(self, sequencer: Sequencer, edits: Sequence[Edit], shared: Head) -> None:
        self.sequencer = sequencer
        self._edits = edits
        inserts, changes = [edit for edit in edits if edit.insert], [edit for edit in edits if not edit.insert]
        self.branched = Branched(shared, sequencer.state, waiting=inserts, idle=changes)

    def decide(self, command: Command) -> None:
        """Decide what edits make of a command."""
        changed: Command | None = command
        idle = self.branched.idle
        for edit in self._edits:
            if changed is not None:
                before, changed = changed, edit.change(self.sequencer.state, changed)
                if edit in idle and changed is not before:
                    idle.remove(edit)
        if changed is not None:
            self.sequencer.decide(changed)

    def insert(self) -> None:
        """Decide what edits have to say, of those accounts that are there."""
        branched = self.branched
        for edit in [edit for edit in branched.waiting if edit.account in self.sequencer.state.accounts]:
            branched.waiting.remove(edit)
            assert edit.insert is not None
            state = self.sequencer.state
            command = edit.insert(state, Nanos(state.now), _request(state, edit.account))
            batch = self.sequencer.decide(command)
            assert isinstance(batch, Batch)
            branched.refused += [(edit, fact.reason) for fact in batch.facts if isinstance(fact, Refused)]


def _request(state: State, account: AccountId | None) -> RequestId:
    """A request that the account did not make before."""
    outcomes = state.accounts[account].outcomes if account else {}
    return next(request for n in range(len(outcomes) + 1) if (request := RequestId(f"fork-{n + 1}")) not in outcomes)
