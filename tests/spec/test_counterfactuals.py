"""What would have prevented a liquidation: every answer stands on forks, and on the neighbour that does not survive."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from events.codec import encode_body
from events.digest import chain
from events.log import Head, StoredBatch
from events.record import Batch
from events.refusals import Reason
from events.rules import DueAt
from events.store.memory import MemoryLog
from exchange.projections.explain import Explainer
from replay.why import Answer, Counterfactuals, Course, Effort, Story, Storyteller, counterfactuals
from replay.why.branch import Fall
from replay.why.counterfactuals import UNSETTLED, clear_place
from replay.why.search import highest, least
from tests.full_batches import batches_of
from tests.scenario import Scenario, scenario
from tests.spec.contracts import OUNCE, join, price, several_assets
from tests.spec.words import (
    BUY,
    GOLD,
    ISOLATED,
    SELL,
    TIN,
    USD,
    account,
    add_margin,
    cancel,
    deposit,
    funding,
    mark,
    mark_at,
    pack,
    place,
    position,
    proceed,
    resting,
    set_leverage,
    set_mode,
)

ANN = (account("ann", 500, mode=ISOLATED), *position(1, BUY, price=100, lots=10, by="ann"))
"""Long 10 at 100 with 100 of isolated margin and 400 beside it: due at a mark of 94.7, bankrupt at 90."""

CROSS_ANN = (account("ann", 100), *position(1, BUY, price=100, lots=10, by="ann"))
"""The same in cross mode, with nothing else to lose."""


def logged(batches: list[Batch]) -> MemoryLog:
    """The batches of a scenario as a log."""
    head, stored = Head(), []
    for batch in batches:
        body = encode_body(batch)
        digest = chain(head.digest, body)
        stored.append(StoredBatch(batch.number, batch.first_seq, batch.last_seq, batch.at, digest, body))
        head = Head(batch.number, batch.last_seq, digest)
    log = MemoryLog()
    asyncio.run(log.append(stored, Head()))
    return log


def story_of(session: Scenario, number: int = 1) -> Story:
    """The story of a liquidation of the scenario."""
    explainer = Explainer()
    for batch in session.batches:
        explainer.observe(batch)
    assert session.state.pack is not None
    teller = Storyteller([*explainer.liquidations, *explainer.waiting][number - 1], session.state.pack)
    for batch in session.batches:
        teller.observe(batch)
    return teller.end()


def asked(session: Scenario, effort: int = 100_000, number: int = 1) -> Counterfactuals:
    """All answers about a liquidation of the scenario."""
    story = story_of(session, number)
    return asyncio.run(counterfactuals(logged(session.batches), story, Effort(effort)))


def answer(found: Counterfactuals, kind: str, until: str = "", mode: str = "") -> Answer:
    """The one answer of that kind, until that horizon, about that mode."""
    (one,) = [
        a for a in found.answers
        if a.kind == kind and until in ("", a.until) and mode in ("", a.mode)
    ]  # fmt: skip
    return one


def survivals(one: Answer) -> dict[int | str, bool]:
    """Which values the forks tried that it shows, and whether they survived."""
    return {fork.value: fork.course.survives for fork in one.forks}


class TestMargin:
    """Exact to the atom: one less is liquidated."""

    def test_an_isolated_position_needs_just_more_than_its_maintenance_margin(self) -> None:
        # at 93: equity 30, MM 46.5; 17 more leave 0.5
        found = asked(scenario().given(*ANN).when(mark(93), proceed()))
        one = answer(found, "margin", "liquidation")
        assert (found.had, one.value) == (100, 17)
        assert survivals(one) == {17: True, 16: False}

    def test_a_cross_pool_needs_as_much_in_its_wallet(self) -> None:
        found = asked(scenario().given(*CROSS_ANN).when(mark(93), proceed()))
        one = answer(found, "margin", "liquidation")
        assert (found.had, one.value, survivals(one)) == (100, 17, {17: True, 16: False})

    def test_a_whole_number_that_is_just_not_enough(self) -> None:
        # at 94: equity 40, MM 47: with 7 more they are equal, and that is due; under the other rule it is not
        due_at_equal = asked(scenario().given(*ANN).when(mark(94), proceed()))
        assert answer(due_at_equal, "margin", "liquidation").value == 8
        strict = replace(pack(), due_at=DueAt.BELOW_MAINTENANCE)
        due_below = asked(scenario(strict).given(*ANN).when(mark(94), proceed()))
        assert answer(due_below, "margin", "liquidation").value == 7

    def test_until_the_end_of_the_session_takes_what_its_worst_moment_takes(self) -> None:
        # at 60: 100 - 400 + X > 30
        found = asked(scenario().given(*ANN).when(mark(93), proceed(), mark(60), mark(100)))
        near, far = answer(found, "margin", "liquidation"), answer(found, "margin", "session")
        assert (near.value, far.value) == (17, 331)
        assert survivals(far) == {331: True, 330: False}
        assert near.later is not None
        assert near.later.fall is not None
        assert near.later.fall.at > far.forks[1].course.fall.at - 10  # type: ignore[union-attr]

    def test_what_is_enough_now_may_be_enough_for_good(self) -> None:
        one = answer(asked(scenario().given(*ANN).when(mark(93), proceed(), mark(99))), "margin", "liquidation")
        assert one.later is not None
        assert one.later.survives

    def test_ahead_of_a_funding_that_emptied_the_pool(self) -> None:
        found = asked(scenario().given(*ANN).when(funding(6_000_000), proceed(), proceed()))
        one = answer(found, "margin", "liquidation")
        # 60 of funding leave 40, MM 50
        assert (one.value, survivals(one)) == (11, {11: True, 10: False})

    @batches_of(12)
    def test_a_fork_names_whom_a_full_batch_left(self) -> None:
        # an order takes twelve small asks, then nine of ann's lots at 89: 1 + X is left for an MM of 5, and no room
        session = scenario().given(*CROSS_ANN, resting(3, SELL, price=89, lots=9, by="ann", reduce_only=True))
        session.given(*(resting(10 + n, SELL, price=88, lots=1) for n in range(12)))
        session.when(place(30, BUY, price=89, lots=21))
        assert not session.state.due
        one = answer(asked(session.when(proceed(), proceed())), "margin", "liquidation")
        assert (one.value, survivals(one)) == (5, {5: True, 4: False})

    def test_a_pool_of_several_assets_by_a_deposit_in_what_its_position_settles_in(self) -> None:
        session = scenario(several_assets()).given(
            price(100), account("ann", 100), *position(1, BUY, price=100, lots=10, by="ann"), join("ann")
        )
        found = asked(session.when(mark(93), proceed()))
        one = answer(found, "margin", "liquidation")
        assert (found.had, one.value, survivals(one)) == (None, 17, {17: True, 16: False})

    def test_a_position_that_was_not_there_yet_cannot_be_given_any(self) -> None:
        session = scenario().given(account("ann", 500, mode=ISOLATED), mark(100))
        session.given(place(5, SELL, price=100, lots=10, by="maker"))
        session.when(place(6, BUY, price=100, lots=10, by="ann"), mark(93), proceed())
        assert answer(asked(session), "margin", "liquidation").value == 17


class TestLeverage:
    """The highest one; the next one is liquidated."""

    def test_an_isolated_position_stands_by_the_margin_that_a_lower_one_put_aside(self) -> None:
        # at 93, MM 46.5: margin 1,000 / L - 70 has to be more, so L <= 8
        found = asked(scenario().given(*ANN).when(mark(93), proceed()))
        one = answer(found, "leverage", "liquidation")
        assert (one.value, survivals(one)) == (8, {8: True, 9: False})

    def test_until_the_end_of_the_session(self) -> None:
        # at 80, MM 40: 1,000 / L - 200 > 40, so L <= 4
        found = asked(scenario().given(*ANN).when(mark(93), proceed(), mark(80), proceed(), mark(100)))
        near, far = answer(found, "leverage", "liquidation"), answer(found, "leverage", "session")
        assert (near.value, far.value) == (8, 4)
        assert (survivals(far), near.later is not None and near.later.survives) == ({4: True, 5: False}, False)

    def test_the_same_where_nothing_worse_came(self) -> None:
        found = asked(scenario().given(*ANN).when(mark(93), proceed(), mark(99)))
        near, far = answer(found, "leverage", "liquidation"), answer(found, "leverage", "session")
        assert near.value == far.value == 8

    def test_where_none_helps_it_says_so(self) -> None:
        # 900 of isolated margin at most: at 1, nothing is left
        session = scenario().given(
            account("ann", 1_100, mode=ISOLATED), *position(1, BUY, price=100, lots=10, by="ann")
        )
        found = asked(session.when(mark_at(1), proceed(), mark(100)))
        one = answer(found, "leverage", "liquidation")
        assert one.value is None or survivals(one)[one.value]

    def test_under_cross_it_can_only_help_by_orders_that_are_refused(self) -> None:
        found = asked(scenario().given(*CROSS_ANN).when(mark(93), proceed()))
        one = answer(found, "leverage", "liquidation")
        assert one.value == 9
        course = one.forks[0].course
        assert (course.spare, course.refusals) == (None, 1)
        assert course.refused is not None
        assert (course.refused.kind, course.refused.reason) == ("PlaceOrder", Reason.INSUFFICIENT_MARGIN)

    def test_later_changes_of_leverage_stay_below_it(self) -> None:
        session = scenario().given(account("ann", 500, mode=ISOLATED, leverage=2))
        session.given(*position(1, BUY, price=100, lots=1, by="ann"), place(3, SELL, price=100, lots=1, by="ann"))
        session.given(place(4, BUY, price=100, lots=1, by="maker"), set_leverage("ann", 10))
        session.given(*position(5, BUY, price=100, lots=10, by="ann"))
        found = asked(session.when(mark(93), proceed()))
        assert answer(found, "leverage", "liquidation").value == 8


class TestMode:
    """Another mode, chosen while nothing was open."""

    def test_isolated_under_cross(self) -> None:
        # 500 - 70 > 46.5
        found = asked(scenario().given(*ANN).when(mark(93), proceed()))
        one = answer(found, "mode", mode="cross")
        assert (one.value, one.until, one.forks[0].course.survives) == ("cross", "session", True)

    def test_it_may_only_come_later(self) -> None:
        found = asked(scenario().given(*ANN).when(mark(93), proceed(), mark(50), proceed()))
        one = answer(found, "mode", mode="cross")
        assert (one.value, one.until) == ("cross", "liquidation")
        assert one.later is not None
        assert one.later.fall is not None
        assert one.later.fall.pool == USD

    def test_cross_under_isolated_keeps_what_other_positions_would_have_taken(self) -> None:
        session = scenario().given(account("ann", 200), *position(1, BUY, price=100, lots=10, by="ann", on=TIN))
        session.given(*position(3, BUY, price=100, lots=5, by="ann"))
        found = asked(session.when(mark(86, on=TIN), proceed()))
        one = answer(found, "mode", mode="isolated")
        assert (one.value, one.forks[0].course.fall and one.forks[0].course.fall.pool) == (None, TIN)

    def test_all_wallets_together_where_the_pack_allows_it(self) -> None:
        session = scenario(several_assets()).given(price(100), account("ann", 100), deposit("ann", 1, OUNCE))
        session.given(*position(1, BUY, price=100, lots=10, by="ann"))
        found = asked(session.when(mark(93), proceed()))
        assert answer(found, "mode", mode="multi").value == "multi"
        assert answer(found, "mode", mode="isolated").value is None

    def test_a_mode_that_could_not_be_chosen_is_told_with_the_reason(self) -> None:
        ann = (account("ann", 100), deposit("ann", 1, OUNCE), *position(1, BUY, price=100, lots=10, by="ann"))
        found = asked(scenario(several_assets()).given(*ann).when(mark(93), proceed()))
        one = answer(found, "mode", mode="multi")
        assert (one.value, one.forks[0].course.impossible) == (None, Reason.NO_INDEX_PRICE)
        assert one.why == "it cannot be chosen then: no_index_price"

    def test_margin_that_was_added_is_refused_under_cross_and_told(self) -> None:
        session = scenario().given(*ANN, add_margin("ann", 10)).when(mark(93), proceed())
        course = answer(asked(session), "mode", mode="cross").forks[0].course
        assert course.refused is not None
        assert (course.refused.kind, course.refused.reason) == ("AddMargin", Reason.POSITION_NOT_ISOLATED)

    def test_a_mode_that_the_session_set_later_is_not_set(self) -> None:
        session = scenario().given(account("ann", 500), place(1, BUY, price=90, lots=1, by="ann"))
        session.given(cancel(1), set_mode("ann", ISOLATED), *position(2, BUY, price=100, lots=10, by="ann"))
        found = asked(session.when(mark(93), proceed()))
        assert answer(found, "mode", mode="cross").value == "cross"


class TestPlaces:
    """Where forks begin."""

    def test_more_margin_comes_ahead_of_the_command_that_set_it_off(self) -> None:
        session = scenario().given(*ANN).when(mark(93), proceed())
        found = asked(session)
        assert found.near == session.batches[-2].first_seq

    def test_settings_are_changed_while_nothing_was_open(self) -> None:
        session = scenario().given(account("ann", 500, mode=ISOLATED), place(1, BUY, price=90, lots=1, by="ann"))
        session.given(cancel(1), place(2, BUY, price=95, lots=1, by="ann"))
        first = session.batches[-1]
        session.given(*position(3, BUY, price=100, lots=10, by="ann")).when(mark(89), proceed())
        story = story_of(session)
        assert clear_place(story) == first.number
        assert asked(session).far == first.first_seq

    def test_a_pool_that_held_nothing_has_no_such_place(self) -> None:
        session = scenario().given(*ANN).when(mark(93), proceed())
        story = story_of(session)
        story.holdings = []
        assert clear_place(story) is None


class TestLimits:
    """What is not known is said to be so."""

    def test_forks_end_where_the_effort_ends(self) -> None:
        found = asked(scenario().given(*ANN).when(mark(93), proceed(), mark(60), mark(100)), effort=5)
        assert {one.why for one in found.answers if not one.holds} == {UNSETTLED}
        assert found.answers

    def test_what_was_settled_before_the_effort_ended_stays(self) -> None:
        session = scenario().given(*ANN).when(mark(93), proceed(), *(mark(99 + n % 2) for n in range(300)))
        whole = asked(session, effort=10**6)
        first = answer(whole, "margin", "liquidation")
        assert first.later is not None
        for effort in range(50, whole.effort.done, 150):
            found = answer(asked(session, effort=effort), "margin", "liquidation")
            assert (found.value, found.why) in ((17, ""), (None, UNSETTLED))
            assert (survivals(found) == {17: True, 16: False}) == (found.value == 17)

    def test_without_effort_there_are_no_answers(self) -> None:
        assert asked(scenario().given(*ANN).when(mark(93), proceed()), effort=0).answers == []

    def test_a_pool_that_recovered_needs_none(self) -> None:
        session = scenario().given(*CROSS_ANN, mark(94), deposit("ann", 100)).when(proceed())
        assert asked(session).answers == []

    def test_where_the_fork_alone_goes_another_way_nothing_is_claimed(self) -> None:
        # the deposit came before the queue was worked off there; a fork works it off at once, and the other way round
        session = scenario().given(*CROSS_ANN, mark(94), deposit("ann", 100), mark(80)).when(proceed())
        found = asked(session)
        assert all(one.why or one.forks for one in found.answers)


class TestSearches:
    """Both end with neighbours that were tried."""

    @pytest.mark.parametrize("boundary", [1, 2, 17, 1_000, 123_456_789])
    @pytest.mark.parametrize("guess", [1, 17, 5_000, 400_000_000])
    @pytest.mark.parametrize("honest", [True, False])
    def test_the_least_that_is_enough(self, boundary: int, guess: int, honest: bool) -> None:
        tried: dict[int, bool] = {}

        async def attempt(amount: int) -> Course:
            tried[amount] = lives = amount >= boundary
            if lives:
                return Course(spare=amount - boundary if honest else 0)
            return Course(fall=Fall(1, 1, GOLD, amount, boundary if honest else amount + 1))

        assert asyncio.run(least(attempt, guess, 10**9)) == boundary
        assert tried[boundary]
        assert boundary == 1 or not tried[boundary - 1]
        assert len(tried) < 60

    def test_there_may_be_none(self) -> None:
        async def dies(amount: int) -> Course:
            return Course(fall=Fall(1, 1, GOLD, 0, amount))

        async def cannot(_: int) -> Course:
            return Course(impossible=Reason.NO_POSITION)

        assert asyncio.run(least(dies, 5, 1_000)) is None
        assert asyncio.run(least(cannot, 5, 1_000)) is None

    @pytest.mark.parametrize("boundary", range(10))
    def test_the_highest_that_is_not_too_much(self, boundary: int) -> None:
        async def attempt(leverage: int) -> Course:
            return Course() if leverage <= boundary else Course(fall=Fall(1, 1, GOLD, 0, 1))

        assert asyncio.run(highest(attempt, 10)) == boundary
