"""The report of a session, worked out by hand: how deep the profit fell, what was at risk, what was left of margin."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from events import facts as f
from events.units import SECOND, UNIT
from replay.report import TOGETHER, Decline, fold
from replay.report.drawdown import Drawdown
from tests.reporting import DEAR, ann_of, at, report_of, story
from tests.scenario import Scenario, scenario
from tests.spec.contracts import (
    LONG,
    OUNCE,
    SHORT,
    exchange,
    hedge,
    join,
    later,
    price,
    several_assets,
)
from tests.spec.words import (
    BUY,
    GOLD,
    ISOLATED,
    SELL,
    TIN,
    USD,
    account,
    deposit,
    mark,
    position,
    withdraw,
)


class TestDrawdown:
    """The deepest fall of the profit from its highest, whatever money comes and goes."""

    def test_it_is_measured_from_the_peak_in_money_and_as_a_share_of_what_was_there(self) -> None:
        # profit: -302 when bought, 698 at 110, -1,302 at 90, -1,392 after the funding; 5,000 brought in
        session = story()
        drawdown = ann_of(session).standings[USD].drawdown
        share = -(-2_090 * UNIT // 5_698)
        expected = Decline(2_090 * UNIT, share, at(session, f.MarkPriceMoved, -2), at(session, f.FundingPaid))
        assert drawdown.deepest == drawdown.steepest == expected
        assert drawdown.longest == 7 * SECOND

    def test_money_that_leaves_is_no_loss(self) -> None:
        session = scenario().given(account("ann", 500), deposit("ann", 100), withdraw("ann", 300))
        standing = ann_of(session).standings[USD]
        assert (standing.drawdown.deepest, standing.holdings.equity, standing.brought) == (None, 300 * UNIT, 300 * UNIT)

    def test_a_fall_that_is_made_up_for_says_when(self) -> None:
        session = scenario(clock=SECOND).given(account("ann", 5_000), position(1, BUY, price=100, lots=10, by="ann"))
        session.given(mark(110), mark(105), mark(107), mark(110), mark(108), mark(112))
        standing = ann_of(session).standings[USD]
        first = at(session, f.MarkPriceMoved, 2)
        assert standing.drawdown.deepest == Decline(
            50 * UNIT, -(-50 * UNIT // 5_100), first, first + SECOND, first + 3 * SECOND
        )
        assert (standing.drawdown.longest, standing.drawdown.is_below) == (3 * SECOND, False)

    def test_the_deepest_in_money_need_not_be_the_steepest(self) -> None:
        drawdown = Drawdown()
        for moment, (profit, capital) in enumerate([(0, 10), (-5, 10), (0, 1_000), (-50, 1_000)]):
            drawdown.add(moment, profit, capital)
        assert drawdown.steepest == Decline(5, UNIT // 2, 0, 1, 2)
        assert drawdown.deepest == Decline(50, UNIT // 20, 2, 3)

    def test_a_loss_of_what_was_never_there_has_no_share(self) -> None:
        drawdown = Drawdown()
        drawdown.add(0, 0, 0)
        drawdown.add(1, -5, 0)
        drawdown.end(4)
        assert (drawdown.deepest, drawdown.steepest, drawdown.longest) == (Decline(5, None, 0, 1), None, 4)


class TestRisk:
    """Exposure over time, and what was left before anything was due."""

    def test_exposure_is_averaged_over_time(self) -> None:
        # 1 s of 10,000, 1 s of 11,000, 5 s of 9,000, 1 s of 5,400, within 13 s
        standing = ann_of(story()).standings[USD]
        assert standing.lasted == 13 * SECOND
        assert standing.average(standing.gross_time) == 71_400 * UNIT // 13 == standing.average(standing.net_time)
        assert standing.open_time == 8 * SECOND
        assert standing.gross.highest.value == 11_000 * UNIT  # type: ignore[union-attr]

    def test_leverage_is_notional_over_equity(self) -> None:
        # 9,000 at 90 with 5,000 - 1,302 - 90 left
        highest = ann_of(story()).standings[USD].leverage.highest
        assert highest is not None
        assert highest.value == 9_000 * UNIT // 3_608

    def test_a_short_is_exposed_below_zero(self) -> None:
        session = scenario().given(account("ann", 5_000), position(1, SELL, price=100, lots=10, by="ann"))
        standing = ann_of(session.given(position(3, BUY, price=100, lots=4, by="ann", on=TIN))).standings[USD]
        assert (standing.holdings.gross, standing.holdings.net) == (1_400 * UNIT, -600 * UNIT)

    def test_headroom_is_least_where_equity_is(self) -> None:
        # maintenance margin 5 % of 9,000, initial margin a fifth of it
        session = story()
        standing, paid = ann_of(session).standings[USD], at(session, f.FundingPaid)
        headroom, initial, ratio = standing.headroom.lowest, standing.initial.lowest, standing.ratio.highest
        assert headroom
        assert initial
        assert ratio
        assert (headroom.value, initial.value) == ((3_608 - 450) * UNIT, (3_608 - 1_800) * UNIT)
        assert ratio.value == -(-450 * UNIT // 3_608)
        assert headroom.at == initial.at == ratio.at == paid
        assert standing.ratio.is_paused

    def test_an_isolated_position_has_its_own_headroom(self) -> None:
        # margin 100 and 20 lost at 98; maintenance margin 49
        session = scenario().given(account("ann", 5_000, mode=ISOLATED), position(1, BUY, price=100, lots=10, by="ann"))
        headroom = ann_of(session.given(mark(98))).standings[USD].headroom.lowest
        assert headroom is not None
        assert headroom.value == (80 - 49) * UNIT

    def test_legs_add_up_to_gross_and_cancel_out_net(self) -> None:
        session = scenario(DEAR).given(account("ann", 9_000), hedge("ann"))
        session.given(position(1, BUY, price=100, lots=10, by="ann", leg=LONG))
        session.given(position(3, SELL, price=100, lots=10, by="ann", leg=SHORT))
        session.given(position(5, SELL, price=110, lots=10, by="ann", leg=LONG))
        ann = ann_of(session)
        assert ann.standings[USD].gross.highest.value == 2_000 * UNIT  # type: ignore[union-attr]
        assert (ann.standings[USD].holdings.net, ann.standings[USD].net.last) != (0, None)
        trips = ann.instruments[GOLD].trips
        assert list(trips) == ["GOLD:long", "GOLD:short"]
        assert (trips["GOLD:long"].gains, trips["GOLD:short"].closed) == (100 - 20 - 22, 0)

    def test_marks_are_kept_of_what_was_held(self) -> None:
        marks = report_of(story()).marks
        assert list(marks) == [GOLD]
        assert [point.value // 10_000 for point in marks[GOLD].points()] == [110, 90]


class TestTogether:
    """In multi-asset mode all assets are measured as one, at their index prices."""

    def told(self, *more: Any) -> Scenario:
        session = scenario(several_assets(), clock=SECOND).given(price(2))
        session.given(account("ann", 1_000), deposit("ann", 500, asset=OUNCE), join("ann"))
        return session.given(*more)

    def test_what_is_there_when_it_begins_was_brought_in(self) -> None:
        standing = ann_of(self.told(price(3))).standings[TOGETHER]
        assert (standing.asset, standing.brought, standing.holdings.equity) == (USD, 2_000 * UNIT, 2_500 * UNIT)

    def test_money_from_outside_counts_at_the_index_of_its_moment(self) -> None:
        more = price(3), deposit("ann", 100, asset=OUNCE), withdraw("ann", 50), price(2)
        standing = ann_of(self.told(*more)).standings[TOGETHER]
        assert standing.brought == (2_000 + 300 - 50) * UNIT
        assert standing.holdings.equity == (950 + 1_200) * UNIT
        deepest = standing.drawdown.deepest
        assert deepest is not None
        assert deepest.depth == 600 * UNIT

    def test_an_exchange_changes_nothing_but_its_fee(self) -> None:
        standing = ann_of(self.told(exchange("ann", 100))).standings[TOGETHER]
        assert standing.brought == standing.holdings.equity == 2_000 * UNIT

    def test_its_pool_has_one_headroom(self) -> None:
        # 500 ounces count 900; 10 at 100 need 50; 90 % leaves
        session = self.told(position(1, BUY, price=100, lots=10, by="ann"))
        standings = ann_of(session).standings
        headroom = standings[TOGETHER].headroom.lowest
        assert headroom is not None
        assert headroom.value == (1_900 - 50) * UNIT
        assert standings[USD].headroom.last is None

    def test_it_alone_has_a_leverage(self) -> None:
        # 1,000 of notional on 2,000 from the second second on, on 2,500 in the last one
        session = self.told(position(1, BUY, price=100, lots=10, by="ann"), price(3), later(1))
        standings = ann_of(session).standings
        highest = standings[TOGETHER].leverage.highest
        assert highest is not None
        assert highest.value == UNIT // 2
        assert standings[TOGETHER].mean_leverage == Fraction(1_000 + 1_000, 3 * 2_000 + 2_500)
        assert (standings[USD].leverage.last, standings[USD].mean_leverage) == (None, Fraction(0))

    def test_it_pauses_while_each_wallet_answers_for_itself(self) -> None:
        session = self.told(price(3), join("ann", multi=False), deposit("ann", 70), price(4), join("ann"), price(5))
        standing = ann_of(session).standings[TOGETHER]
        assert standing.holdings.equity == (1_070 + 2_500) * UNIT
        assert standing.holdings.equity - standing.brought == (500 + 500) * UNIT

    def test_an_asset_without_a_price_is_not_valued(self) -> None:
        session = scenario(several_assets()).given(account("ann", 1_000), deposit("ann", 500, asset=OUNCE))
        assert TOGETHER not in ann_of(session.given(price(2))).standings


def test_the_curves_of_many_accounts_share_their_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fold, "ALL_BUCKETS", 12)
    session = scenario(clock=SECOND).given(account("ann", 5_000), position(1, BUY, price=100, lots=10, by="ann"))
    session.given(*(mark(100 + (ticks * 7) % 11) for ticks in range(40)))
    equity = report_of(session).accounts["ann"].standings[USD].equity  # type: ignore[index]
    alone = report_of(session, "ann").accounts["ann"].standings[USD].equity  # type: ignore[index]
    assert len(equity.points()) <= 3 * 4 + 1 < len(alone.points())
    assert (equity.lowest, equity.highest, equity.last) == (alone.lowest, alone.highest, alone.last)
