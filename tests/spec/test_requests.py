"""Requests: an account's command that was decided is answered, never decided again."""

from __future__ import annotations

from msgspec.structs import replace

from events.record import Batch
from events.refusals import Reason
from exchange.core.state import Outcome
from exchange.core.step import step
from tests.scenario import scenario
from tests.spec.words import BUY, account, deposit, deposited, open_account, opened, place, refused


def test_a_repeat_gets_the_first_outcome_and_no_batch() -> None:
    session = scenario().given(account("ann"), deposit("ann", 100, request="money"))
    first = session.batches[-1].first_seq
    session.when(deposit("ann", 100, request="money")).then().holds("ann", wallet=100)
    assert session.outcome is not None
    assert (session.outcome.seq, session.outcome.reason) == (first, None)


def test_it_is_the_request_that_counts_and_not_what_is_asked() -> None:
    (
        scenario()
        .given(account("ann"), deposit("ann", 100, request="money"))
        .when(place(1, BUY, lots=1, by="ann", request="money"))
        .then()
        .book("")
    )


def test_a_refusal_is_remembered_too() -> None:
    session = scenario().given(account("ann"))
    session.when(deposit("ann", 0, request="money")).then(refused(Reason.AMOUNT_NOT_POSITIVE))
    session.when(deposit("ann", 100, request="money")).then().holds("ann", wallet=0)
    assert session.outcome is not None
    assert session.outcome.reason is Reason.AMOUNT_NOT_POSITIVE


def test_the_same_name_in_two_accounts_is_two_requests() -> None:
    (
        scenario()
        .given(account("ann"), account("bob"))
        .when(deposit("ann", 1, request="money"), deposit("bob", 2, request="money"))
        .then(deposited("ann", 1), deposited("bob", 2))
    )


def test_opening_an_account_twice_by_one_request_opens_it_once() -> None:
    once = open_account("ann", "open")
    scenario().when(once, once).then(opened("ann"))


def test_a_command_of_an_unknown_account_is_decided_each_time() -> None:
    (
        scenario()
        .when(deposit("ann", 1, request="money"), open_account("ann", "open"), deposit("ann", 1, request="money"))
        .then(refused(Reason.UNKNOWN_ACCOUNT), opened("ann"), deposited("ann", 1))
    )


def test_the_last_1024_outcomes_of_an_account_are_kept() -> None:
    state = scenario().given(open_account("ann", "1")).state

    def ask(n: int) -> Batch | Outcome:
        return step(state, replace(deposit("ann", 1, request=str(n)), at=state.now))

    for n in range(2, 1025):
        assert isinstance(ask(n), Batch)
    assert isinstance(ask(1), Outcome)
    assert isinstance(ask(1025), Batch)
    assert isinstance(ask(2), Outcome)
    assert isinstance(ask(1), Batch)
