"""One command in, one batch out: the loop that lets decisions and changes take turns.

    command -> decide yields a fact -> apply changes the state -> decide goes on -> ... -> the watch is drained -> batch
"""

from __future__ import annotations

from collections.abc import Iterator

from events.commands import INSURANCE, MARKET, Command, Deposit, OpenAccount, OpenSession, Proceed
from events.facts import Fact, Refused
from events.record import Batch, Record
from events.refusals import Reason
from exchange.core.apply import APPLY
from exchange.core.decide import DECIDE
from exchange.core.funding import settle_first
from exchange.core.liquidation.watch import arm_all, drain
from exchange.core.state import OUTCOMES_KEPT, Account, Outcome, State


def step(state: State, command: Command) -> Batch | Outcome:
    """Decide a command and apply what follows. A request that was decided before gets its first outcome, and no batch."""
    request = getattr(command, "request", None)
    account = None
    if request is not None:
        account = state.accounts.get(command.account)  # type: ignore[attr-defined]
        if account is not None and (known := account.outcomes.get(request)) is not None:
            return known
    first = _begin(state, command)
    records = [first]
    seq, refused = first.seq, None
    for fact in _facts(state, command, account, request):
        state.seq = seq = seq + 1
        records.append(Record(seq, state.cause, fact))  # type: ignore[arg-type]
        kind = type(fact)
        APPLY[kind](state, fact)
        if kind is Refused:
            refused = fact.reason  # type: ignore[attr-defined]
    if state.dirty:
        for due in drain(state):
            state.seq = seq = seq + 1
            records.append(Record(seq, state.cause, due))
            APPLY[type(due)](state, due)
    _end(state, command, first.seq, request, refused)
    return Batch(state.batch, state.now, records)


def _begin(state: State, command: Command) -> Record:
    """Number the command, let time reach it, and say what caused it: due work for a Proceed, else the outside."""
    cause = state.due.peekitem(0)[1].seq if type(command) is Proceed and state.due else 0
    state.seq = state.cause = state.seq + 1
    state.batch += 1
    assert command.at >= state.now, "the host lets time go back"
    state.now = command.at
    return Record(state.seq, cause, command)  # type: ignore[arg-type]


def _facts(state: State, command: Command, account: Account | None, request: str | None) -> Iterator[Fact]:
    if refusal := _envelope_refusal(state, command, account, request):
        return iter((Refused(refusal),))
    if account is not None and state.funding_due:
        return _settled_first(state, command, account)
    return DECIDE[type(command)](state, command)


def _settled_first(state: State, command: Command, account: Account) -> Iterator[Fact]:
    yield from settle_first(state, account.name)
    yield from DECIDE[type(command)](state, command)


def _envelope_refusal(state: State, command: Command, account: Account | None, request: str | None) -> Reason | None:
    """The rule about session and sender that the command breaks, or None."""
    if state.pack is None:
        return None if type(command) is OpenSession else Reason.SESSION_NOT_OPEN
    if request is None:
        return None
    if account is None:
        if type(command) is not OpenAccount:
            return Reason.UNKNOWN_ACCOUNT
    elif account.name == MARKET or (account.name == INSURANCE and type(command) is not Deposit):
        return Reason.RESERVED_ACCOUNT_NAME
    return None if request.isascii() and request.isprintable() else Reason.TEXT_NOT_PRINTABLE_ASCII


def _end(state: State, command: Command, seq: int, request: str | None, refused: Reason | None) -> None:
    """Close the batch: remember the outcome for the sender, give back what was only borrowed."""
    if request is not None:
        account = state.accounts.get(command.account)  # type: ignore[attr-defined]
        if account is not None:
            outcomes = account.outcomes
            outcomes[request] = Outcome(seq, refused)  # type: ignore[index]
            if len(outcomes) > OUTCOMES_KEPT:
                outcomes.popitem(last=False)
    if not state.keeps_impact:
        for contract in state.contracts.values():
            contract.book.give_back()


def apply_batch(state: State, batch: Batch) -> None:
    """Apply a recorded batch: what `step` did, without deciding anything."""
    command = batch.command
    state.batch = batch.number
    state.now = batch.at
    refused = None
    for seq, _, fact in batch.records[1:]:
        state.seq = seq
        kind = type(fact)
        APPLY[kind](state, fact)  # type: ignore[index]
        if kind is Refused:
            refused = fact.reason  # type: ignore[union-attr]
    state.seq = batch.last_seq
    _end(state, command, batch.first_seq, getattr(command, "request", None), refused)


def finish_rebuild(state: State) -> None:
    """After the last recorded batch: set the triggers that deciding needs."""
    arm_all(state)
