"""One command in, one batch out: the loop that lets decisions and changes take turns.

command -> decide yields a fact -> apply changes the state -> decide goes on -> ... -> the watch is drained -> batch
"""

from __future__ import annotations

from collections.abc import Iterator

from events.commands import MARKET, Command, Deposit, OpenAccount, OpenSession, Proceed, RequestId, TradersCommand
from events.facts import Fact, LiquidationDue, Refused
from events.record import Batch, Record
from events.refusals import Reason
from exchange.core.apply import APPLY
from exchange.core.decide import DECIDE
from exchange.core.funding import settle_first
from exchange.core.liquidation.watch import arm_all, drain
from exchange.core.state import OUTCOMES_KEPT, Account, Outcome, State


def step(state: State, command: Command) -> Batch | Outcome:
    """Decide a command and apply what follows. A request that was decided before gets its first outcome, and no
    batch.
    """
    account, request = None, None
    if isinstance(command, TradersCommand):
        request = command.request
        account = state.accounts.get(command.account)
        if account is not None and (known := account.outcomes.get(request)) is not None:
            return known
    facts = _begin(state, command, account, request)
    seq = first = state.seq
    records = [Record(seq, state.cause, command)]  # type: ignore[arg-type]
    state.cause = seq
    refused = None
    for fact in facts:
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
            APPLY[LiquidationDue](state, due)
    if request is not None:
        _remember(account or state.accounts.get(command.account), request, first, refused)  # type: ignore[attr-defined]
    if not state.keeps_impact:
        _give_back(state)
    return Batch(state.batch, state.now, records)


def _begin(state: State, command: Command, account: Account | None, request: RequestId | None) -> Iterator[Fact]:
    """Number the command, let time reach it, say what caused it (due work for a Proceed, else the outside), decide
    it.
    """
    state.seq += 1
    state.batch += 1
    assert command.at >= state.now, "the host lets time go back"
    state.now = command.at
    kind = type(command)
    state.cause = state.due.peekitem(0)[1].seq if kind is Proceed and state.due else 0
    if refusal := _envelope_refusal(state, kind, account, request):
        return iter((Refused(refusal),))
    if account is not None and state.funding_due:
        return _settled_first(state, command, account)
    return DECIDE[kind](state, command)


def _settled_first(state: State, command: Command, account: Account) -> Iterator[Fact]:
    yield from settle_first(state, account.name)
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


def _remember(account: Account | None, request: RequestId, seq: int, refused: Reason | None) -> None:
    """Keep the outcome for the sender, if there is such an account by now."""
    if account is not None:
        outcomes = account.outcomes
        outcomes[request] = Outcome(seq, refused)
        if len(outcomes) > OUTCOMES_KEPT:
            outcomes.popitem(last=False)


def _give_back(state: State) -> None:
    """A session without impact: MARKET's lots that this batch took are there again."""
    for contract in state.contracts.values():
        contract.book.give_back()


def apply_batch(state: State, batch: Batch) -> None:
    """Apply a recorded batch: what `step` did, without deciding anything."""
    command = batch.command
    state.batch = batch.number
    state.now = batch.at
    refused = None
    records = iter(batch.records)
    next(records)
    for record in records:
        fact = record.message
        state.seq = record.seq
        kind = type(fact)
        APPLY[kind](state, fact)  # type: ignore[index]
        if kind is Refused:
            refused = fact.reason  # type: ignore[union-attr]
    state.seq = batch.last_seq
    if isinstance(command, TradersCommand):
        _remember(state.accounts.get(command.account), command.request, batch.first_seq, refused)
    if not state.keeps_impact:
        _give_back(state)


def finish_rebuild(state: State) -> None:
    """After the last recorded batch: set the triggers that deciding needs."""
    arm_all(state)
