"""What an account has at the end of a fork, against that of the session, net of what was paid in."""

from __future__ import annotations

from events.units import UNIT
from tests.scenario import Scenario, scenario
from tests.spec.contracts import join, price, several_assets
from tests.spec.test_counterfactuals import ANN, answer, asked, story_of
from tests.spec.words import BUY, account, deposit, mark, position, proceed, withdraw


class TestWhatIsLeft:
    """Gains are told without what came from outside."""

    @staticmethod
    def net(session: Scenario, kind: str, mode: str = "") -> tuple[int, int, int]:
        """Of the fork that survives until the end: equity, what was paid in beyond the session, gain, atoms."""
        one, left = answer(asked(session), kind, "session", mode), story_of(session).left
        course = one.forks[0].course
        assert (course.survives, course.equity is None, course.more is None) == (True, False, False)
        assert course.equity is not None
        assert course.more is not None
        return course.equity // UNIT, course.more // UNIT, (course.equity - left - course.more) // UNIT

    def test_the_margin_that_was_added_is_no_gain(self) -> None:
        # 500 - 10 x 1 + 17 at the end; the session lost 100 of margin
        session = scenario().given(*ANN).when(mark(93), proceed(), mark(99))
        assert (story_of(session).left // UNIT, self.net(session, "margin")) == (400, (507, 17, 90))

    def test_what_both_were_paid_in_later_is_none_of_the_difference(self) -> None:
        session = scenario().given(*ANN).when(mark(93), proceed(), deposit("ann", 1_000), mark(99))
        assert (story_of(session).left // UNIT, self.net(session, "margin")) == (1_400, (1_507, 17, 90))

    def test_what_only_the_session_could_take_out_is_in_the_fork_still(self) -> None:
        # at 8x 125 of margin are put aside, so that 390 of 500 cannot be withdrawn
        session = scenario().given(*ANN).when(mark(93), withdraw("ann", 390), proceed(), mark(99))
        assert (story_of(session).left // UNIT, self.net(session, "leverage")) == (10, (490, 390, 90))

    def test_all_wallets_are_counted_where_they_answered_together(self) -> None:
        session = scenario(several_assets()).given(
            price(100), account("ann", 100), *position(1, BUY, price=100, lots=10, by="ann"), join("ann")
        )
        session.when(mark(93), proceed(), mark(99))
        assert (story_of(session).left // UNIT, self.net(session, "margin")) == (0, (107, 17, 90))

    def test_a_fork_that_goes_no_further_than_the_liquidation_says_nothing_of_the_end(self) -> None:
        near = answer(asked(scenario().given(*ANN).when(mark(93), proceed(), mark(99))), "margin", "liquidation")
        assert [fork.course.equity for fork in near.forks] == [None, None]
