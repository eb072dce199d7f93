"""A session under test: every command goes in here, and everything that must hold is looked at on the way.

Four views of one session go side by side: the live state, which decides and crashes at times; a shadow, to which the
facts are applied one record at a time, the invariants checked after each; the stored bytes; and the auditor.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from enum import Enum
from typing import Any

from events import facts as f
from events.codec import decode_body, encode_body
from events.commands import ChunkId, Command, Proceed, SubmitBatch, TradersCommand
from events.facts import AnyFact, Refused
from events.instruments import Leg
from events.observations import Observations
from events.record import Batch
from events.units import UNIT
from exchange.audit import Auditor
from exchange.core import invariants, snapshot
from exchange.core.apply import APPLY
from exchange.core.liquidation import watch
from exchange.core.margin.model import cross_equity, requirement
from exchange.core.state import MULTI, Account, Outcome, Pool, State
from exchange.core.step import apply_batch, finish_rebuild, step
from exchange.projections.deficits import Deficits
from exchange.projections.lives import Lives
from tests.full_batches import USUAL, batches_of


class Happening(Enum):
    """What befalls a session beside its commands."""

    SAVE = "save"
    """A snapshot is taken."""
    CRASH = "crash"
    """The live state is lost, and built again from the log."""
    RESTORE = "restore"
    """The same, from the newest snapshot and the rest of the log."""


Columns = dict[ChunkId, Observations]
"""History, by chunk."""

Move = Command | Happening
"""What a session is made of."""


class World:
    """A session and its witnesses.

    `moves` is what was done, in order; `bodies` is the log, and `batches` what it says; `saved` the newest snapshot and
    the batches it covers; `sights` what was seen beside the facts: (group, name). A batch holds `batch_facts` facts.
    """

    def __init__(self, columns: Columns | None = None, batch_facts: int = USUAL) -> None:
        self.batch_facts = batch_facts
        self.moves: list[Move] = []
        self.batches: list[Batch] = []
        self.sights: Counter[tuple[str, str]] = Counter()
        self.columns = {} if columns is None else columns
        self.state = lend(State(), self.columns)
        self.shadow = lend(State(), self.columns)
        self.auditor = Auditor(self.columns)
        self.deficits = Deficits()
        self.lives = Lives()
        self.bodies: list[bytes] = []
        self.saved = snapshot.encode(self.state), 0
        self.replies: dict[tuple[str, str], Outcome] = {}

    def play(self, move: Move) -> Batch | Outcome | None:
        """Do one thing, and compare all views of what followed."""
        self.moves.append(move)
        with batches_of(self.batch_facts):
            match move:
                case Happening.SAVE:
                    self.save()
                case Happening.CRASH | Happening.RESTORE:
                    self.crash(from_snapshot=move is Happening.RESTORE)
                case _:
                    return self.submit(move)
        return None

    def given(self, *moves: Move) -> World:
        """Bring about a situation."""
        for move in moves:
            self.play(move)
        return self

    when = given
    """What is looked at: as `given`, in a specification's words."""

    def submit(self, command: Command) -> Batch | Outcome:
        """Decide a command, and compare all views of what followed."""
        if isinstance(command, TradersCommand) and (command.account, command.request) in self.replies:
            return self._repeat(command)
        closed = {pool.id for account in self.state.accounts.values() for pool in pools(account) if pool.due}
        decided = step(self.state, command)
        assert isinstance(decided, Batch)
        due_work = f.Exchanged, f.OrderAccepted
        own = [fact for fact in decided.facts if not (isinstance(command, Proceed) and isinstance(fact, due_work))]
        assert not [fact for fact in own if touched(self.state, fact) & closed], "a pool in the queue is closed"
        check_accounts(self.state)
        self.bodies.append(encode_body(decided))
        batch = decode_body(decided.number, self.bodies[-1])
        assert batch == decided
        self.batches.append(batch)
        self.auditor.observe(batch)
        self.deficits.observe(batch)
        check_records(self.shadow, batch)
        assert not self.state.dirty
        watch.check(self.state)
        assert snapshot.encode(self.shadow) == snapshot.encode(self.state), "rebuilt and live state differ"
        check_deficits(self.deficits, self.auditor, self.state)
        if batch.number % 5 == 0:
            invariants.check(self.state)
            compare(self.auditor, self.state)
        if isinstance(command, TradersCommand) and command.account in self.state.accounts:
            self.replies[command.account, command.request] = Outcome(batch.first_seq, refusal(batch))
            self._note_items(batch)
        self.sights.update(beside(self.state, batch))
        self.sights.update(("life", step.name) for step in self.lives.follow(batch))
        return batch

    def _note_items(self, batch: Batch) -> None:
        """The items of a batch that were decided now will be answered alike."""
        command = batch.command
        if not isinstance(command, SubmitBatch) or refusal(batch):
            return
        repeated = {fact.item for fact in batch.facts if isinstance(fact, f.ItemRepeated)}
        reasons = {fact.item: fact.reason for fact in batch.facts if isinstance(fact, f.ItemRefused)}
        for number, item in enumerate(command.items):
            assert (number in repeated) == ((item.account, item.request) in self.replies)
            self.replies.setdefault((item.account, item.request), Outcome(batch.first_seq, reasons.get(number)))

    def _repeat(self, command: TradersCommand) -> Outcome:
        before = snapshot.encode(self.state)
        reply = step(self.state, command)
        assert reply == self.replies[command.account, command.request], "another outcome than the first time"
        assert snapshot.encode(self.state) == before, "a repeated request changed something"
        assert isinstance(reply, Outcome)
        return reply

    def save(self) -> None:
        """Take a snapshot; what it leaves out can be derived."""
        data = snapshot.encode(self.state)
        assert snapshot.encode(lend(snapshot.decode(data), self.columns)) == data, "a snapshot does not survive itself"
        self.saved = data, len(self.bodies)

    def crash(self, from_snapshot: bool) -> None:
        """Lose the live state, and build it again from the log, or from the newest snapshot and the rest of the log."""
        data, covered = self.saved if from_snapshot else (b"", 0)
        self.state = rebuild(self.bodies, self.columns, data, covered)

    def finish(self) -> None:
        """Decide the whole session once more, from its commands and nothing else."""
        with batches_of(self.batch_facts):
            again = decided_again(self.bodies, self.columns)
        assert snapshot.encode(again) == snapshot.encode(self.state)
        invariants.check_end_of_batch(self.state)
        compare(self.auditor, self.state)


def beside(state: State, batch: Batch) -> Iterator[tuple[str, str]]:
    """What is to be seen beside the facts of a batch: liquidations that leave the fund without means."""
    ended = [fact for fact in batch.facts if isinstance(fact, f.LiquidationEnded)]
    wallets = [w for name in state.house()[1:] for w in state.accounts[name].wallets.values()] if ended else []
    if any(cross_equity(wallet) < 0 for wallet in wallets):
        yield "layers", "open"


def check_deficits(deficits: Deficits, auditor: Auditor, state: State) -> None:
    """Every deficit is somebody's, in all as much as the auditor found; and the fund has what its account has."""
    deficits.check()
    assert +deficits.total == +auditor.report.deficits
    for name in state.house()[1:] if state.pack else ():
        for asset, wallet in state.accounts[name].wallets.items():
            assert deficits.fund_equity(asset, name) == cross_equity(wallet) // UNIT


def check_accounts(state: State) -> None:
    """What an account may be at the end of a batch: in multi-asset mode nothing of it is isolated."""
    for account in state.accounts.values():
        held = [p for p in account.positions.values() if p.is_isolated and (p.lots or p.open_orders)]
        assert not (account.multi and held), f"{account.name} holds isolated positions in multi-asset mode"


def decided_again(bodies: list[bytes], columns: Columns) -> State:
    """The state that the commands of a log lead to, by the same facts."""
    state = lend(State(), columns)
    for number, body in enumerate(bodies, 1):
        batch = step(state, decode_body(number, body).command)
        assert isinstance(batch, Batch)
        assert encode_body(batch) == body, f"batch {number} is decided in another way the second time"
    return state


def lend(state: State, columns: Columns) -> State:
    """The state, with the chunks that it may be asked to apply."""
    state.columns = columns
    return state


def rebuild(bodies: list[bytes], columns: Columns, data: bytes = b"", covered: int = 0) -> State:
    """The state of a log, or of the part of it that a snapshot does not cover."""
    state = lend(snapshot.decode(data) if data else State(), columns)
    for number, body in enumerate(bodies[covered:], covered + 1):
        apply_batch(state, decode_body(number, body))
    finish_rebuild(state)
    return state


def check_records(state: State, batch: Batch) -> None:
    """Apply a batch record by record; after each the invariants hold, and a refusal changed nothing."""
    state.batch, state.now = batch.number, batch.at
    refused = None
    for record in batch.records[1:]:
        assert 0 < record.cause < record.seq, "a fact without an earlier cause"
        if isinstance(record.message, Refused):
            refused, before, outcomes = record, snapshot.encode(state, outcomes=False), outcomes_of(state)
        state.seq = record.seq
        APPLY[type(record.message)](state, record.message)
        invariants.check(state)
    outcomes_said = (Refused, f.ItemRefused, f.ItemRepeated)
    closing = [record for record in batch.records if isinstance(record.message, (Command, *outcomes_said))]
    apply_batch(state, Batch(batch.number, batch.at, closing))
    state.seq = batch.last_seq
    if refused is batch.records[-1]:
        assert snapshot.encode(state, outcomes=False) == before, "a refusal changed something"
        check_outcomes(state, batch.command, outcomes)


def outcomes_of(state: State) -> dict[str, dict[str, Outcome]]:
    """Every account's table of outcomes."""
    return {account.name: dict(account.outcomes) for account in state.accounts.values()}


def check_outcomes(state: State, command: Any, before: dict[str, dict[str, Outcome]]) -> None:
    """A refusal is remembered in the table of its own account, and nowhere else."""
    after = outcomes_of(state)
    if isinstance(command, TradersCommand) and command.account in before:
        before[command.account][command.request] = after[command.account][command.request]
    assert after == before, "a refusal is remembered where it does not belong"


def touched(state: State, fact: AnyFact) -> set[tuple[str, str]]:
    """The pools that have to be their owner's own for this to happen: (account, pool)."""
    match fact:
        case f.Withdrawn() | f.Transferred():
            return {(fact.account, fact.asset)}
        case f.Exchanged():
            return {(fact.account, fact.asset), (fact.account, fact.into)}
        case f.MarginMoved(account=account, instrument=instrument, amount=amount):
            return {
                (account, named(instrument, fact.leg)) if amount < 0 else (account, state.contracts[instrument].settle)
            }
        case f.OrderAccepted():
            settle = state.contracts[fact.instrument].settle
            return {(fact.account, named(fact.instrument, fact.leg)), (fact.account, settle)}
        case f.LeverageSet() | f.MarginModeSet():
            names = [named(fact.instrument, leg) for leg in Leg]
            return {(fact.account, name) for name in (*names, state.contracts[fact.instrument].settle)}
        case f.PositionModeSet() | f.CollateralModeSet():
            return {pool.id for pool in pools(state.accounts[fact.account])}
    return set()


def named(instrument: str, leg: Leg) -> str:
    """The name of a position."""
    return instrument if leg is Leg.NET else f"{instrument}:{leg.value}"


def refusal(batch: Batch) -> Refused | None:
    """The rule that the batch's command broke."""
    return next((record.message.reason for record in batch.records if isinstance(record.message, Refused)), None)


def pools(account: Account) -> Iterator[Pool]:
    """Every pool of an account."""
    yield from account.wallets.values()
    if account.multi:
        yield account.multi
    yield from (position for position in account.positions.values() if position.is_isolated)


def compare(auditor: Auditor, state: State) -> None:
    """Assert that the auditor arrived at the same wallets, positions and margins."""
    for account in state.accounts.values():
        for pool in pools(account):
            name = pool.id[1]
            margin = auditor.margin(account.name, name)
            assert tuple(amount * UNIT for amount in margin) == requirement(pool), (account.name, name)
            together = account.multi is not None and name in account.wallets
            assert (pool.due is not None) == ((account.name, MULTI if together else name) in auditor.queue)
        for asset, wallet in account.wallets.items():
            assert auditor.wallets[account.name][asset] == wallet.balance
        for name, position in account.positions.items():
            own = auditor.positions[account.name][name]
            assert (own.lots, own.entry) == (position.lots, position.entry_value)
            assert auditor.wallets[account.name][name] == position.isolated
            assert {n: order.lots for n, order in own.orders.items()} == {
                n: order.lots for n, order in account.orders.items() if order.holder is position
            }


if __name__ == "__main__":
    from tests.sim.whole.many import main

    sys.exit(main(sys.argv[1:]))
