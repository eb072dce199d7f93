"""One command in, one batch out: the loop that lets decisions and changes take turns.

command -> decide yields a fact -> apply changes the state -> decide goes on -> ... -> the watch is drained -> batch
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from events.commands import (
    MARKET,
    Command,
    Deposit,
    OpenAccount,
    OpenSession,
    Proceed,
    RequestId,
    SubmitBatch,
    TradersCommand,
)
from events.facts import Fact, Refused
from events.record import Batch, Message, Record
from events.refusals import Reason
from exchange.core.apply import APPLY
from exchange.core.batches import keep, keep_items
from exchange.core.countdowns import end_first
from exchange.core.decide import DECIDE
from exchange.core.gate import closes
from exchange.core.links import settle_links
from exchange.core.liquidation.auction import forget_cured
from exchange.core.liquidation.watch import arm_all, drain, name_first
from exchange.core.matching.good_till import AT_ONCE, expire_good_till
from exchange.core.matching.shrinking import shrink
from exchange.core.owed import settle_first
from exchange.core.state import BATCH_FACTS, Account, Outcome, State
from exchange.core.timers import fire
from exchange.core.triggers.closed import end_with_positions
from exchange.core.triggers.fire import triggers_reached

LEAST_FACTS = 3
"""No batch has room for fewer facts, whatever a Proceed says."""


def step(state: State, command: Command) -> Batch | Outcome:
    """Decide a command and apply what follows. What was decided before gets its first outcome, and no batch."""
    kind = type(command)
    account, request = None, None
    if isinstance(command, TradersCommand):
        request = command.request
        account = state.accounts.get(command.account)
        if account is not None and (known := account.outcomes.get(request)) is not None:
            return known
    assert command.at >= state.now, "the host lets time go back"
    state.now = command.at
    state.batch += 1
    state.seq = seq = first = state.seq + 1
    state.full = first + (BATCH_FACTS if kind is not Proceed else _room(command))
    cause = state.due.peekitem(0)[1].seq if kind is Proceed and state.due else 0
    state.cause = seq
    records = [Record(seq, cause, command)]  # type: ignore[arg-type]
    refusal = None
    if account is None or account.is_reserved or not (request.isascii() and request.isprintable()):  # type: ignore[union-attr]
        refusal = _envelope_refusal(state, kind, account, request)
    if refusal is not None:
        facts: Iterable[Fact] = (Refused(refusal),)
    elif state.next_timer <= state.now or state.pending:
        facts = _after_timers(state, command, account)
    elif account is not None and (state.owed or state.left or state.run_out):
        facts = _settled_first(state, command, account)
    else:
        facts = DECIDE[kind](state, command)
    for fact in facts:
        state.seq = seq = seq + 1
        records.append(Record(seq, state.cause, fact))  # type: ignore[arg-type]
        APPLY[type(fact)](state, fact)
    if request is not None and (sender := account or state.accounts.get(command.account)) is not None:  # type: ignore[attr-defined]
        _remember(sender, command, records, fact)  # type: ignore[arg-type]
    gated = type(records[-1].message) is not Refused and state.pack.withdrawal_gate  # type: ignore[union-attr]
    if gated and (closed := closes(state)) is not None:
        state.cause = seq
        state.seq = seq = seq + 1
        records.append(Record(seq, state.cause, closed))
        APPLY[type(closed)](state, closed)
    if state.dirty or state.left or state.reached or state.exceeding or state.orphans or state.pending:
        speaks = state.reached or state.exceeding or state.orphans or state.pending
        for fact in _said_last(state, records[-1]) if speaks else drain(state, state.full - seq):
            state.seq = seq = seq + 1
            records.append(Record(seq, state.cause, fact))  # type: ignore[arg-type]
            APPLY[type(fact)](state, fact)
    if state.stepped:
        forget_cured(state)
    if not state.keeps_impact:
        _give_back(state)
    return Batch(state.batch, state.now, records)


def _said_last(state: State, last: Record) -> Iterator[Fact]:
    """What is said when a batch ends: which linked orders are armed or end; unless the command was refused, which
    reduce-only orders shrink and what ended with its position; whose triggers were reached, then who is due or warned.
    """
    yield from settle_links(state, max(0, state.full - 2 - state.seq))
    if type(last.message) is not Refused:
        yield from shrink(state)
        yield from end_with_positions(state, state.full - state.seq)
        yield from settle_links(state, max(0, state.full - 2 - state.seq))
    yield from triggers_reached(state)
    yield from drain(state, state.full - state.seq)


def _room(proceed: Command) -> int:
    """How many facts its batch has room for: LEAST_FACTS at least, so that due work goes on."""
    assert isinstance(proceed, Proceed)
    return min(BATCH_FACTS, max(LEAST_FACTS, proceed.room)) if proceed.room else BATCH_FACTS


def _after_timers(state: State, command: Command, account: Account | None) -> Iterator[Fact]:
    cause = state.cause
    yield from fire(state)
    state.cause = cause
    if type(command) is not Proceed:
        yield from expire_good_till(state, AT_ONCE)
        yield from settle_links(state)
    yield from _settled_first(state, command, account) if account is not None else DECIDE[type(command)](state, command)


def _settled_first(state: State, command: Command, account: Account) -> Iterator[Fact]:
    cause = state.cause
    yield from name_first(state, account.name)
    state.cause = cause
    yield from settle_first(state, account.name)
    yield from end_first(state, account)
    yield from DECIDE[type(command)](state, command)


def _envelope_refusal(
    state: State, kind: type[Command], account: Account | None, request: RequestId | None
) -> Reason | None:
    """The rule about session and sender that the command breaks, or None."""
    if state.pack is None:
        return None if kind is OpenSession else Reason.SESSION_NOT_OPEN
    if request is None:
        return None
    if account is None:
        if kind is not OpenAccount:
            return Reason.UNKNOWN_ACCOUNT
    elif account.is_reserved and (account.name == MARKET or kind is not Deposit):
        return Reason.RESERVED_ACCOUNT_NAME
    return None if request.isascii() and request.isprintable() else Reason.TEXT_NOT_PRINTABLE_ASCII


def _remember(account: Account, command: TradersCommand, records: list[Record], last: Fact | Message) -> None:
    """Keep the outcome for the sender: a refusal is a decision's last fact."""
    keep(account, command.request, Outcome(records[0].seq, last.reason if type(last) is Refused else None))
    if type(command) is SubmitBatch:
        keep_items(account, command, records)


def _give_back(state: State) -> None:
    """A session without impact: MARKET's lots that this batch took are there again."""
    for contract in state.contracts.values():
        contract.book.give_back()


def apply_batch(state: State, batch: Batch) -> None:
    """Apply a recorded batch: what `step` did, without deciding anything."""
    records = batch.records
    command = records[0].message
    state.batch = batch.number
    state.full = records[0].seq + (BATCH_FACTS if type(command) is not Proceed else _room(command))
    state.now = batch.at
    refused = None
    for record in records:
        fact = record.message
        if fact is not command:
            kind = type(fact)
            state.seq = record.seq
            APPLY[kind](state, fact)  # type: ignore[index]
            if kind is Refused:
                refused = fact
    if isinstance(command, TradersCommand) and (sender := state.accounts.get(command.account)) is not None:
        _remember(sender, command, records, refused or command)
    state.seq = records[-1].seq
    if state.stepped:
        forget_cured(state)
    if not state.keeps_impact:
        _give_back(state)


def finish_rebuild(state: State) -> None:
    """After the last recorded batch: set the triggers that deciding needs."""
    arm_all(state)
