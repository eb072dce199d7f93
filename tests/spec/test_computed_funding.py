"""Funding computed from the premium: its average over time, drawn towards the interest rate, within a cap.

Index 100 and mark 101 are a premium of 1 %; a rate of 1 % of 10 lots at 101 is 10.1.
"""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from events import facts as f
from events.commands import FundingSource
from events.refusals import Reason
from events.rules import FundingPrice
from tests.scenario import Scenario, scenario
from tests.spec.contracts import (
    COIN,
    EXPIRY,
    HOUR,
    OUNCE,
    dated,
    index,
    inverse,
    later,
    pack_of,
    settled,
    settlement_due,
)
from tests.spec.tape import marked, tape
from tests.spec.words import (
    BUY,
    GOLD,
    PERCENT,
    TICK,
    account,
    deposit,
    funding,
    funding_paid,
    instrument,
    mark,
    mark_at,
    open_account,
    position,
    proceed,
    refused,
)

INTEREST = PERCENT // 100
"""0.01 % an interval of eight hours."""


def session(rules: dict[str, Any] | None = None, **terms: Any) -> Scenario:
    terms = {"interest": INTEREST} | terms
    return scenario(pack_of(instrument(GOLD, **terms), **rules or {}), funding=FundingSource.PREMIUM)


def at(time: int, command: Any) -> Any:
    """The command, given at that time."""
    return replace(command, at=time)


def due(rate: int, price: int, on: str = GOLD) -> Any:
    """A funding time: the rate, and the price in ticks."""
    return f.FundingDue(on, rate, price * TICK)


class TestRate:
    """Average premium + clamp(interest - average premium, -0.05 %, +0.05 %)."""

    @pytest.mark.parametrize(
        ("mark_units", "rate"),
        [
            # above the interest rate by more than 0.05 %: 0.05 % less than the premium; below: more
            (1_010_000, 950_000),
            (990_000, -950_000),
            # within 0.05 % of it: the interest rate
            (1_000_000, INTEREST),
            (1_000_300, INTEREST),
            (999_700, INTEREST),
            (1_000_600, INTEREST),
            (1_000_700, 20_000),
            (999_500, 0),
        ],
    )
    def test_a_premium_that_lasted(self, mark_units: int, rate: int) -> None:
        told = session().given(mark_at(mark_units), index(100))
        told.when(later(8 * HOUR)).then(f.FundingDue(GOLD, rate, mark_units))

    def test_it_is_weighted_by_the_time_that_it_lasted(self) -> None:
        # from 4:00 1 %, from 6:00 3 %, from 7:30 7 %: (2 + 4.5 + 3.5) / 4 = 2.5 %
        told = session().given(mark(101), at(4 * HOUR, index(100)), at(6 * HOUR, mark(103)))
        told.given(at(7 * HOUR + HOUR // 2, mark(107))).when(later(8 * HOUR)).then(due(2_450_000, 107))

    def test_an_index_that_moves_counts_as_a_mark_does(self) -> None:
        # 1 % for two hours, then 1 of 50: 102 %
        told = session().given(mark(101), at(4 * HOUR, index(100)), at(6 * HOUR, index(50)))
        told.when(later(8 * HOUR)).then(due(51_500_000 - 50_000, 101))

    def test_every_interval_counts_anew(self) -> None:
        told = session().given(mark(101), at(4 * HOUR, index(100)), later(8 * HOUR))
        told.given(at(12 * HOUR, mark(103))).when(later(16 * HOUR)).then(due(1_950_000, 103))

    def test_a_time_that_passed_unseen_is_made_up_for_once(self) -> None:
        told = session().given(mark(101), index(100))
        told.when(later(25 * HOUR)).then(due(950_000, 101)).when(later(32 * HOUR - 1)).then()
        told.when(later(32 * HOUR)).then(due(950_000, 101))

    def test_it_is_that_of_the_time_before_the_command_that_comes_late(self) -> None:
        # the mark of 9:00 is no part of what was due at 8:00
        told = session().given(mark(101), index(100))
        told.when(at(9 * HOUR, mark(150))).then(due(950_000, 101), f.MarkPriceMoved(GOLD, 150 * TICK))

    def test_the_average_is_rounded_down(self) -> None:
        # (97 - 300) / 300 is -67.666... %
        told = session(interest=0).given(mark(97), index(300))
        told.when(later(8 * HOUR)).then(due(-67_666_667 + 50_000, 97))

    @pytest.mark.parametrize(("mark_ticks", "rate"), [(101, 750_000), (99, -750_000), (100, INTEREST)])
    def test_a_cap_holds_both_ways(self, mark_ticks: int, rate: int) -> None:
        told = session(funding_cap=750_000).given(mark(mark_ticks), index(100))
        told.when(later(8 * HOUR)).then(due(rate, mark_ticks))

    def test_where_a_premium_is_paid_off_in_hours_an_interval_pays_its_share(self) -> None:
        # 3 % in 24 hours: 1 % in 8, said as 3 % over 3 so that nothing is rounded; neither interest nor band
        told = session({"premium_hours": 24}).given(mark(103), index(100))
        told.when(later(8 * HOUR)).then(replace(due(3_000_000, 103), over=3))

    def test_where_a_rate_is_stated_for_hours_an_interval_pays_its_share(self) -> None:
        # 0.95 % for 24 hours: a third of it in 8
        told = session({"rate_hours": 24}).given(mark(101), index(100))
        told.when(later(8 * HOUR)).then(replace(due(950_000, 101), over=3))

    @pytest.mark.parametrize(("mark_ticks", "rate"), [(103, 2_250_000), (97, -1_500_000), (100, INTEREST)])
    def test_floor_and_cap_bound_what_an_interval_pays(self, mark_ticks: int, rate: int) -> None:
        bounds = {"funding_cap": 750_000, "funding_floor": -500_000}
        told = session({"rate_hours": 24}, **bounds).given(mark(mark_ticks), index(100))
        told.when(later(8 * HOUR)).then(replace(due(rate, mark_ticks), over=3))

    @pytest.mark.parametrize(("mark_ticks", "rate"), [(103, 2_950_000), (97, -500_000)])
    def test_a_floor_alone_leaves_the_other_way_free(self, mark_ticks: int, rate: int) -> None:
        told = session(funding_floor=-500_000).given(mark(mark_ticks), index(100))
        told.when(later(8 * HOUR)).then(due(rate, mark_ticks))

    def test_nothing_is_paid_before_there_are_prices(self) -> None:
        told = scenario(pack_of(instrument(GOLD)), marks=None, funding=FundingSource.PREMIUM)
        told.when(later(8 * HOUR)).then(due(0, 0)).waits()
        told.given(mark(101)).when(later(16 * HOUR)).then(due(0, 101))
        told.given(at(20 * HOUR, index(100))).when(later(24 * HOUR)).then(due(950_000, 101))


def test_an_index_before_any_mark_is_no_premium_yet() -> None:
    told = scenario(pack_of(instrument(GOLD)), marks=None, funding=FundingSource.PREMIUM).given(index(100))
    told.given(at(4 * HOUR, mark(102))).when(later(8 * HOUR)).then(due(1_950_000, 102))


class TestPayment:
    """As funding that is fed: every position open at that moment pays or receives."""

    def test_longs_pay_shorts(self) -> None:
        # 0.95 % of 1,010 is 9.595
        told = session().given(account("ann", 1000), position(1, BUY, price=100, lots=10, by="ann"))
        told.given(mark(101), index(100)).when(later(8 * HOUR), proceed())
        told.then(due(950_000, 101), funding_paid("maker", 9), funding_paid("ann", -10))

    def test_on_the_index_where_the_venue_does(self) -> None:
        # 0.95 % of 1,000
        told = session({"funding_price": FundingPrice.INDEX})
        told.given(account("ann", 1000), position(1, BUY, price=100, lots=10, by="ann"))
        told.given(mark(101), index(100)).when(later(8 * HOUR), proceed())
        told.then(due(950_000, 100), funding_paid("maker", 9), funding_paid("ann", -10))

    def test_an_inverse_position_on_the_index(self) -> None:
        # 1 % of 10,000 / 80 x 10 = 1,250
        told = scenario(pack_of(inverse(), funding_price=FundingPrice.INDEX))
        told.given(open_account("ann"), deposit("ann", 1000, asset=OUNCE))
        told.given(position(1, BUY, price=100, lots=10, by="ann", on=COIN), index(80, on=COIN))
        told.when(funding(PERCENT, on=COIN), proceed())
        told.then(due(PERCENT, 80, on=COIN), funding_paid("maker", 12, on=COIN), funding_paid("ann", -13, on=COIN))

    def test_fed_funding_on_the_index_needs_it(self) -> None:
        told = scenario(pack_of(instrument(GOLD), funding_price=FundingPrice.INDEX))
        told.when(funding(PERCENT)).then(refused(Reason.NO_INDEX_PRICE))
        told.given(index(90)).when(funding(PERCENT)).then(due(PERCENT, 90))


class TestHistory:
    """Rows state mark and index; the venue's own rates count only where funding is fed."""

    def test_rows_move_mark_and_index(self) -> None:
        told = session()
        told.when(tape(marked(101, rate=PERCENT, next_funding=8, index=100), after=3))
        told.then(f.IndexPriceMoved(GOLD, 100 * TICK), f.MarkPriceMoved(GOLD, 101 * TICK))
        told.when(tape(marked(102, rate=PERCENT, next_funding=16, index=100), after=9))
        told.then(f.MarkPriceMoved(GOLD, 102 * TICK))

    def test_fed_funding_is_paid_on_the_index_of_the_rows(self) -> None:
        told = scenario(pack_of(instrument(GOLD), funding_price=FundingPrice.INDEX))
        told.given(tape(marked(101, rate=PERCENT, next_funding=8, index=100), after=3))
        told.when(tape(marked(102, rate=2 * PERCENT, next_funding=16, index=99), after=9))
        told.then(f.IndexPriceMoved(GOLD, 99 * TICK), due(PERCENT, 99), f.MarkPriceMoved(GOLD, 102 * TICK))

    def test_without_need_the_index_is_not_stated(self) -> None:
        told = scenario().when(tape(marked(101, rate=PERCENT, next_funding=8, index=100), after=3))
        told.then(f.MarkPriceMoved(GOLD, 101 * TICK))


class TestSettlementWindow:
    """Before its expiry the index of a dated contract is averaged over time, where the venue does so."""

    def session(self, window: int = 400) -> Scenario:
        told = scenario(pack_of(dated(settlement_window=window)))
        return told.given(account("ann", 1000), position(1, BUY, price=100, lots=10, by="ann"))

    def test_it_settles_at_the_average(self) -> None:
        # from 600 on: 100 for 100, 104 for 200, 112 for 100
        told = self.session().given(index(90), at(500, index(100)), at(700, index(104)), at(900, index(112)))
        told.when(later(EXPIRY), proceed()).then(
            settlement_due(105), settled("maker", -50, at=105), settled("ann", 50, at=105)
        )

    def test_an_index_that_came_late_counts_from_then_on(self) -> None:
        # 100 from 800 to 900, 110 to 1,000
        told = self.session().given(at(800, index(100)), at(900, index(110)))
        told.when(later(EXPIRY)).then(settlement_due(105))

    def test_an_index_that_never_moves_is_the_average(self) -> None:
        self.session().given(index(103)).when(later(EXPIRY)).then(settlement_due(103))

    def test_without_an_index_the_mark_is_what_counts(self) -> None:
        self.session().given(mark(101)).when(later(EXPIRY)).then(settlement_due(101))

    def test_a_mark_that_moves_changes_nothing(self) -> None:
        told = self.session().given(index(103), at(700, mark(150)), at(800, mark(90)))
        told.when(later(EXPIRY)).then(settlement_due(103))
