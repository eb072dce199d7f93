"""Margins of dYdX v4: rounded up to a step, and scaled by open interest."""

from __future__ import annotations

import pytest

from events.instruments import Bracket, load_pack
from events.refusals import Reason
from events.rules import DueAt, MarginModel
from exchange.core.margin.brackets import SteppedRate
from exchange.core.margin.rules import MarginRules
from tests.scenario import scenario
from tests.spec.contracts import COIN, OUNCE, inverse, pack_of
from tests.spec.margins import hold, is_due_first_at, margin_of, session
from tests.spec.words import (
    BRACKETS,
    BUY,
    PERCENT,
    SELL,
    USD,
    account,
    deposit,
    liquidation_due,
    mark,
    mark_moved_at,
    open_account,
    place,
    position,
    refused,
    rested,
)

UNIT = 10**8


STEPPED = {"margin_model": MarginModel.STANDARD, "margin_step": 100, "due_at": DueAt.BELOW_MAINTENANCE}
TIER = {"initial_margin": 5 * PERCENT, "maintenance_fraction": 60 * PERCENT,
        "brackets": (Bracket(0, 1_000_000, 20, 3 * PERCENT, 0),)}  # fmt: skip


class TestSteps:
    """Initial margin is rounded up to a step, maintenance a fraction of that, up to a step again. Source: dYdX v4."""

    @pytest.mark.parametrize(
        ("lots", "initial", "maintenance"),
        [
            # 5 %, in hundreds; 60 % of the hundreds
            (1, 100, 100),
            (20, 100, 100),
            (21, 200, 200),
            (60, 300, 200),
            (61, 400, 300),
            (100, 500, 300),
            (101, 600, 400),
        ],
    )
    def test_both_are_whole_steps(self, lots: int, initial: int, maintenance: int) -> None:
        told = session(STEPPED, **TIER).given(account("ann", 5000), hold(BUY, lots=lots))
        assert margin_of(told) == (5000 * UNIT, initial * UNIT, maintenance * UNIT)
        told.holds("ann", available=5000 - initial)

    @pytest.mark.parametrize(
        ("money", "due"),
        [
            # N - 10,000 + 1,000 < 300 above 6,000: N < 9,300
            (1000, 929_999),
            # N - 10,000 + 4,250 < 300 above 6,000, N < 6,050; down from 6,000 only 200 are asked
            (4250, 604_999),
            # N - 10,000 + 4,400: at 6,000 400 of 200; 5,800 is the first below 200
            (4400, 579_999),
        ],
    )
    def test_it_is_due_at_the_first_mark_unit_below(self, money: int, due: int) -> None:
        told = session(STEPPED, **TIER).given(account("ann", money), hold(BUY, lots=100))
        is_due_first_at(told, due, due + 1, USD)

    def test_below_a_step_it_may_be_safe_again(self) -> None:
        told = session(STEPPED, **TIER).given(account("ann", 4250), hold(BUY, lots=100))
        told.when(mark(60)).then(mark_moved_at(600_000)).when(mark(58)).then(
            mark_moved_at(580_000), liquidation_due("ann", USD)
        )

    def test_a_short_is_due_where_a_step_is_added(self) -> None:
        # 1,000 + 2,000 - N < MM: at 2,000 100, above it 200: N > 2,800
        told = session(STEPPED, **TIER).given(account("ann", 1000), hold(SELL, lots=20))
        is_due_first_at(told, 1_400_001, 1_400_000, USD)

    def test_a_short_whose_pool_lasts_up_to_the_step_itself(self) -> None:
        # 150 + 2,000 - N: at 2,000 150 of 100, one unit on 200 are asked
        told = session(STEPPED, **TIER).given(account("ann", 150), hold(SELL, lots=20))
        is_due_first_at(told, 1_000_001, 1_000_000, USD)

    def test_the_venues_own_integers(self) -> None:
        # BTC-USD: 5 % and 60 % in quanta of 10^-6; 3 quanta ask for 1 and 1, 1,000,001 for 50,001 and 30,001
        pack = load_pack("dydx-v4")
        btc = next(terms for terms in pack.instruments if terms.id == "BTC-USD")
        schedule = MarginRules(btc, pack).schedule(1)
        assert isinstance(schedule, SteppedRate)
        quantum = 100 * UNIT
        assert [schedule.maintenance(n * quantum) // quantum for n in (0, 3, 1_000_000, 1_000_001)] == [
            *(0, 1, 30_000, 30_001),
        ]

    def test_without_a_fraction_the_step_rounds_the_rate_itself(self) -> None:
        # 5 % of 1,000 is one step of 100
        told = session(STEPPED, initial_margin=20 * PERCENT, brackets=BRACKETS[:1]).given(account("ann", 1000))
        assert margin_of(told.given(hold(BUY))) == (1000 * UNIT, 200 * UNIT, 100 * UNIT)


@pytest.mark.parametrize("target", [*range(-230, 2500, 7), -100, -99, 0, 1, 1900, 1901, 3800, 3801])
def test_where_a_stepped_margin_uses_up_an_amount(target: int) -> None:
    # in tens of grains, so that all notionals can be tried
    schedule = SteppedRate(5 * PERCENT, 60 * PERCENT, 10)
    left = [notional - schedule.maintenance(notional) for notional in range(4000)]
    needed = [notional + schedule.maintenance(notional) for notional in range(4000)]
    short = [notional for notional in range(4000) if left[notional] < target]
    assert schedule.lowest_notional(target) == (short[-1] + 1 if short else 0)
    if target >= 0:
        assert schedule.highest_notional(target) == max(n for n in range(4000) if needed[n] <= target)


class TestOpenInterest:
    """Initial margin rises with what is open, from 20 % at 1,000 to all of it at 2,000. Source: dYdX v4."""

    RULES = {"margin_model": MarginModel.STANDARD}
    TERMS = {"initial_margin": 20 * PERCENT, "open_interest_lower": 1000, "open_interest_upper": 2000}

    @pytest.mark.parametrize(
        ("others", "initial"),
        [(0, 200), (1, 280), (5, 600), (10, 1000), (90, 1000)],
    )  # fmt: skip
    def test_what_others_hold_counts(self, others: int, initial: int) -> None:
        told = session(self.RULES, **self.TERMS).given(account("ann", 5000), hold(BUY))
        told.given(hold(BUY, lots=others, number=3, by="taker") if others else [])
        assert margin_of(told).initial == initial * UNIT
        told.holds("ann", available=5000 - initial)

    def test_maintenance_does_not_rise_with_it(self) -> None:
        told = session(self.RULES, **self.TERMS).given(account("ann", 5000), hold(BUY), hold(BUY, number=3, by="taker"))
        assert margin_of(told).maintenance == 50 * UNIT

    def test_it_falls_when_positions_are_closed(self) -> None:
        told = session(self.RULES, **self.TERMS).given(account("ann", 5000), hold(BUY), hold(BUY, number=3, by="taker"))
        told.given(hold(SELL, lots=5, number=5, by="taker"))
        assert margin_of(told).initial == 600 * UNIT

    def test_the_next_order_needs_what_is_open_now(self) -> None:
        # 1,500 are open: 60 % of 300
        told = session(self.RULES, **self.TERMS).given(hold(BUY, lots=15, by="taker"), account("ann", 180))
        told.when(place(3, BUY, price=100, lots=4, by="ann")).then(refused(Reason.INSUFFICIENT_MARGIN))
        told.when(place(3, BUY, price=100, lots=3, by="ann")).then(rested(3, 3))

    def test_an_inverse_contract_is_measured_by_its_worth(self) -> None:
        # 10 lots are worth 1,000 at 100 and 1,250 at 80: 20 % + 80 % x 250 / 1,000 of 1,250
        told = scenario(pack_of(inverse(**self.TERMS), **self.RULES)).given(open_account("ann"))
        told.given(deposit("ann", 5000, asset=OUNCE), position(1, BUY, price=100, lots=10, by="ann", on=COIN))
        assert margin_of(told, COIN).initial == 200 * UNIT
        assert margin_of(told.given(mark(80, on=COIN)), COIN).initial == 500 * UNIT
