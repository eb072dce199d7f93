"""Why somebody was liquidated: the causes up to the command behind them, the steps, and what was left."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from events.commands import AccountId
from events.instruments import Liquidation as Rules
from events.units import Rate
from exchange.projections.explain import Explainer, Liquidation
from tests.scenario import Scenario, scenario
from tests.spec.words import (
    BUY,
    EASY,
    GOLD,
    ISOLATED,
    PERCENT,
    SELL,
    TIN,
    USD,
    account,
    deposit,
    funding,
    mark,
    place,
    position,
    proceed,
    resting,
)

ANN = (account("ann", 500, mode=ISOLATED), *position(1, BUY, price=100, lots=10, by="ann"))
"""Long 10 at 100 with 100 of isolated margin: due at a mark of 94, bankrupt at 90."""

BOB = (account("bob", 100), *position(3, BUY, price=100, lots=10, by="bob"))
"""The same in cross mode, with nothing else to lose."""


def explained(session: Scenario, name: str | None = None) -> list[Liquidation]:
    """What the explainer makes of the whole scenario."""
    explainer = Explainer(AccountId(name) if name else None)
    for batch in session.batches:
        explainer.observe(batch)
    return explainer.liquidations


def kinds(records: list[Any]) -> list[str]:
    return [type(record.message).__name__ for record in records]


def test_the_chain_goes_from_the_command_over_the_mark_to_the_pool_that_fell_due() -> None:
    session = scenario().given(*ANN, mark(94)).when(proceed())
    (liquidation,) = explained(session)
    assert kinds(liquidation.chain) == ["SetMarkPrice", "MarkPriceMoved", "LiquidationDue"]
    command, moved, due = liquidation.chain
    assert (command.cause, moved.cause, due.cause) == (0, command.seq, moved.seq)
    assert (liquidation.account, liquidation.pool) == ("ann", GOLD)
    assert liquidation.marks == {GOLD: 94 * 10_000, TIN: 100 * 10_000}


def test_the_steps_are_those_of_this_liquidation_from_its_start_to_its_end() -> None:
    session = scenario().given(*ANN, resting(5, BUY, price=93, lots=4), place(6, SELL, price=110, lots=2, by="ann"))
    session.when(mark(93), proceed())
    (liquidation,) = explained(session)
    assert kinds(liquidation.steps) == [
        "LiquidationStarted",
        "OrderExpired",
        "LiquidationOrderPlaced",
        "Traded",
        "TakenOver",
        "LiquidationEnded",
    ]
    seqs = [record.seq for record in liquidation.steps]
    assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))
    assert liquidation.steps[0].cause == liquidation.chain[-1].seq


def test_times_are_those_of_falling_due_and_of_the_end() -> None:
    session = scenario(clock=5).given(*ANN, mark(94))
    due_at = session.state.now
    session.when(proceed())
    (liquidation,) = explained(session)
    assert (liquidation.due_at, liquidation.ended_at) == (due_at, due_at + 5)


def test_each_of_several_liquidations_has_its_own_steps_in_the_order_in_which_they_ended() -> None:
    session = scenario().given(*ANN, *BOB, mark(90)).when(proceed())
    first, second = explained(session)
    assert [(one.account, one.pool) for one in (first, second)] == [("ann", GOLD), ("bob", USD)]
    for one in (first, second):
        own = {getattr(record.message, "account", one.account) for record in [*one.chain, *one.steps]}
        assert own == {one.account}
        assert kinds(one.steps)[0] == "LiquidationStarted"
        assert kinds(one.steps)[-1] == "LiquidationEnded"


def test_one_account_alone_is_explained_on_request() -> None:
    session = scenario().given(*ANN, *BOB, mark(90)).when(proceed())
    both = explained(session)
    assert explained(session, "ann") == both[:1]
    assert explained(session, "bob") == both[1:]
    assert explained(session, "maker") == []


def test_two_liquidations_of_one_pool_are_two() -> None:
    session = scenario().given(*ANN, mark(94)).when(proceed())
    session.given(mark(100), *position(7, BUY, price=100, lots=10, by="ann")).when(mark(94), proceed())
    first, second = explained(session)
    assert first.ended_at
    assert first.ended_at < second.due_at


def test_a_pool_that_recovered_in_time_has_its_end_as_its_only_step() -> None:
    session = scenario().given(*BOB, mark(94), deposit("bob", 100)).when(proceed())
    (liquidation,) = explained(session)
    assert kinds(liquidation.chain)[-1] == "LiquidationDue"
    assert kinds(liquidation.steps) == ["LiquidationEnded"]
    assert liquidation.steps[0].message.outcome.value == "cured"  # type: ignore[union-attr]


def test_funding_that_emptied_a_pool_is_named_with_what_called_for_it() -> None:
    session = scenario().given(*ANN).when(funding(6_000_000), proceed(), proceed())
    (liquidation,) = explained(session)
    assert kinds(liquidation.chain) == ["ApplyFunding", "FundingDue", "FundingPaid", "LiquidationDue"]
    for cause, effect in zip(liquidation.chain, liquidation.chain[1:], strict=False):
        assert effect.cause == cause.seq


def test_a_trade_that_emptied_a_pool_is_named_with_the_order_behind_it() -> None:
    session = scenario().given(*ANN, mark(95), resting(5, BUY, price=85, lots=5))
    session.when(place(6, SELL, price=85, lots=5, by="ann"), proceed())
    (liquidation,) = explained(session)
    assert kinds(liquidation.chain) == ["PlaceOrder", "Traded", "LiquidationDue"]


def test_a_pool_that_still_waits_for_its_liquidation_has_not_ended() -> None:
    session = scenario().given(*ANN).when(mark(94))
    assert explained(session) == []


def waiting(session: Scenario) -> list[Liquidation]:
    """Those that the end of the scenario found under way."""
    explainer = Explainer()
    for batch in session.batches:
        explainer.observe(batch)
    return explainer.waiting


def test_one_that_the_end_found_under_way_is_told_apart() -> None:
    (its,) = waiting(scenario().given(*ANN).when(mark(94)))
    assert (its.account, its.steps, its.started, its.ended, its.outcome) == ("ann", [], None, None, None)
    assert waiting(scenario().given(*ANN, mark(94)).when(proceed())) == []


def test_it_says_in_which_batches_it_began_fell_due_and_went_on() -> None:
    session = scenario().given(*ANN).when(funding(6_000_000))
    root = session.batches[-1].number
    session.when(proceed(), proceed())
    (its,) = explained(session)
    assert (its.root_batch, its.due_batch, its.last_batch) == (root, root + 1, root + 2)


def test_marks_are_those_ahead_of_the_batch_and_at_the_moment_of_falling_due() -> None:
    (its,) = explained(scenario().given(*ANN, mark(96)).when(mark(93), proceed()))
    assert (its.marks_before[GOLD], its.marks[GOLD]) == (96 * 10_000, 93 * 10_000)


def test_a_pool_that_another_liquidation_made_due_is_led_back_to_the_command_behind_that() -> None:
    # bob's bids are what ann is sold to: at 93 he is long 100, with 60 left to him
    session = scenario().given(*ANN, account("bob", 100), resting(5, BUY, price=98, lots=10, by="bob"))
    session.when(mark(88), proceed(), proceed())
    ann, bob = explained(session)
    assert (ann.account, bob.account) == ("ann", "bob")
    assert kinds(bob.chain)[:3] == ["SetMarkPrice", "MarkPriceMoved", "LiquidationDue"]
    assert kinds(bob.chain)[-2:] == ["Traded", "LiquidationDue"]
    assert bob.root_batch == ann.root_batch


def test_the_margin_call_that_went_before_belongs_to_it_unless_the_pool_recovered_in_between() -> None:
    rules = replace(EASY, liquidation=Rules(warning=Rate(80 * PERCENT)))
    called = scenario(rules).given(*ANN, mark(96))  # MM 48 of 60
    (its,) = explained(called.when(mark(93), proceed()))
    assert its.call is not None
    assert kinds([its.call]) == ["MarginCalled"]
    assert its.called_at < its.due_at
    recovered = scenario(rules).given(*ANN, mark(96), mark(100)).when(mark(93), proceed())
    (its,) = explained(recovered)
    assert its.called_at == its.due_at
    (its,) = explained(scenario().given(*ANN).when(mark(93), proceed()))
    assert its.call is None
