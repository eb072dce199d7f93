"""Marks that a trader could push: a single print far off, a thin book, a thin index. The pack bounds them all."""

from __future__ import annotations

import pytest
from msgspec.json import encode
from msgspec.structs import replace

from events import commands as c
from events import facts as f
from events.commands import FundingSource, MarkSource
from events.guards import Bound, PriceGuards, PriceKind
from events.instruments import PackError, RulePack
from events.refusals import Reason
from events.units import UNIT, Rate
from exchange.core.marks import within
from tests.scenario import Scenario, opening, scenario, unopened
from tests.spec.contracts import PAIR, join, price, several_assets
from tests.spec.tape import diff, marked, printed, snapshot, tape
from tests.spec.words import (
    BUY,
    EASY,
    GOLD,
    SELL,
    TICK,
    USD,
    account,
    deposit,
    liquidation_due,
    mark,
    mark_moved,
    mark_moved_at,
    position,
    refused,
)

PERCENT = UNIT // 100


def guarded(rules: RulePack = EASY, *, band: int = 0, step: int = 0, index: int = 0) -> RulePack:
    """The pack, with bounds in per cent."""
    return replace(rules, guards=PriceGuards(Rate(band * PERCENT), Rate(step * PERCENT), Rate(index * PERCENT)))


def index_at(ticks: int, on: str = GOLD) -> c.SetIndexPrice:
    """State the index price."""
    return c.SetIndexPrice(c.Nanos(0), on, ticks * TICK)  # type: ignore[arg-type]


def bounded(stated: int, allowed: int, by: Bound, price: PriceKind = PriceKind.MARK, on: str = GOLD) -> f.PriceBounded:
    """A price in ticks went beyond."""
    return f.PriceBounded(on, price, stated * TICK, allowed * TICK, by)  # type: ignore[arg-type]


def index_moved(ticks: int) -> f.IndexPriceMoved:
    """The index price is now this."""
    return f.IndexPriceMoved(GOLD, ticks * TICK)  # type: ignore[arg-type]


VICTIM = (account("ann", 100), *position(1, BUY, price=100, lots=10, by="ann"))
"""Long 10 at 100 with 100: due at 94 ticks, where equity is 40 and MM 47."""


class TestPushing:
    """Each way in which a mark comes to be, pushed as far as it goes: unguarded the victim falls, guarded it stands."""

    @pytest.mark.parametrize("rules", [EASY, guarded(step=1), guarded(band=5)])
    def test_a_single_print_far_off(self, rules: RulePack) -> None:
        session = scenario(rules, mark_source=MarkSource.LAST).given(index_at(100), *VICTIM)
        session.when(tape(printed(SELL, 10, 1, at=1)))
        assert self._falls(session) == (rules is EASY)

    @pytest.mark.parametrize("rules", [EASY, guarded(step=1), guarded(band=5)])
    def test_a_thin_book(self, rules: RulePack) -> None:
        session = scenario(rules, mark_source=MarkSource.MID).given(
            index_at(100), *VICTIM, tape(snapshot({99: 10}, {101: 10}))
        )
        session.when(tape(diff({99: 0, 1: 1}, {101: 0, 2: 1}, at=1), after=1))
        assert self._falls(session) == (rules is EASY)

    @pytest.mark.parametrize("rules", [EASY, guarded(step=1), guarded(band=5)])
    def test_a_mark_row_of_the_data(self, rules: RulePack) -> None:
        session = scenario(rules).given(*VICTIM)
        session.when(tape(marked(10, index=100)))
        assert self._falls(session) == (rules is EASY)

    @pytest.mark.parametrize("rules", [EASY, guarded(step=1), guarded(band=5)])
    def test_a_mark_that_the_host_states(self, rules: RulePack) -> None:
        session = scenario(rules).given(index_at(100), *VICTIM)
        session.when(mark(10))
        assert self._falls(session) == (rules is EASY)

    @pytest.mark.parametrize("bounds", [{"step": 1}, {"index": 3}])
    def test_a_thin_index_takes_the_band_along_but_no_further_than_a_step(self, bounds: dict[str, int]) -> None:
        for rules, falls in ((guarded(band=1), True), (guarded(band=1, **bounds), False)):
            session = scenario(rules).given(index_at(100), *VICTIM)
            session.when(index_at(10), mark(10))
            assert self._falls(session) == falls

    @pytest.mark.parametrize(("index", "falls"), [(0, True), (5, False)])
    def test_a_thin_index_that_collateral_is_valued_at(self, index: int, falls: bool) -> None:
        # 500 ounces count 900 at an index of 2 and 855 at 1.9: positions of 4,000 need 200
        session = scenario(guarded(several_assets(), index=index)).given(
            price(2), account("ann", 0), deposit("ann", 500, asset="OUNCE"), join("ann"),
            *position(1, BUY, price=100, lots=40, by="ann"),
        )  # fmt: skip
        session.when(c.SetIndexPrice(c.Nanos(0), PAIR, UNIT // 10))
        assert self._falls(session, "multi") == falls

    @staticmethod
    def _falls(session: Scenario, pool: str = USD) -> bool:
        return any(key[2:4] == ("ann", pool) for key in session.state.due)


class TestBounds:
    """What lies beyond is taken at the bound, and a fact says so."""

    def test_a_mark_stays_within_the_band_of_the_index(self) -> None:
        session = scenario(guarded(band=5)).given(index_at(100))
        session.when(mark(106)).then(bounded(106, 105, Bound.BAND), mark_moved(105))
        session.when(mark(94)).then(bounded(94, 95, Bound.BAND), mark_moved(95))
        session.when(mark(95)).then(mark_moved(95))

    def test_a_mark_moves_a_step_at_each_update(self) -> None:
        session = scenario(guarded(step=10))
        session.when(mark(200)).then(bounded(200, 110, Bound.STEP), mark_moved(110))
        session.when(mark(200)).then(bounded(200, 121, Bound.STEP), mark_moved(121))
        session.when(mark(120)).then(mark_moved(120))
        session.when(mark(1)).then(bounded(1, 108, Bound.STEP), mark_moved(108))

    def test_the_step_holds_where_the_index_leapt_away(self) -> None:
        session = scenario(guarded(band=5, step=10)).given(index_at(200))
        session.when(mark(100)).then(bounded(100, 110, Bound.STEP), mark_moved(110))

    def test_the_first_mark_has_nothing_to_step_from_and_no_band_without_an_index(self) -> None:
        scenario(guarded(band=5, step=10), marks=None).when(mark(500)).then(mark_moved(500))

    def test_a_bound_is_rounded_towards_what_it_is_measured_from(self) -> None:
        assert within(10, 105, PERCENT) == 104
        assert within(200, 105, PERCENT) == 106
        assert within(200, 50, PERCENT) == 50

    def test_an_index_moves_a_step_at_each_update(self) -> None:
        session = scenario(guarded(index=10)).given(index_at(100))
        session.when(index_at(300)).then(bounded(300, 110, Bound.STEP, PriceKind.INDEX), index_moved(110))

    def test_the_index_of_the_data_bounds_its_marks_row_by_row(self) -> None:
        session = scenario(guarded(band=5, index=10))
        session.when(tape(marked(100, index=100), marked(120, index=120), printed(BUY, 101, 1))).then(
            index_moved(100),
            mark_moved(100),
            bounded(120, 110, Bound.STEP, PriceKind.INDEX),
            index_moved(110),
            f.PriceBounded(GOLD, PriceKind.MARK, 120 * TICK, 1_155_000, Bound.BAND),  # type: ignore[arg-type]
            mark_moved_at(1_155_000),
        )

    def test_an_index_moves_with_rows_that_state_it_and_with_no_others(self) -> None:
        session = scenario(guarded(index=10), funding=FundingSource.PREMIUM, mark_source=MarkSource.LAST)
        session.given(tape(marked(100, index=100), printed(BUY, 100, 1)), tape(marked(100, index=200, at=1)))
        session.when(tape(printed(BUY, 100, 1, at=2))).then(mark_moved(100))

    def test_the_cause_of_who_falls_is_the_mark_that_moved(self) -> None:
        session = scenario(guarded(step=6)).given(*VICTIM)
        session.when(mark(10)).then(bounded(10, 94, Bound.STEP), mark_moved(94), liquidation_due("ann", USD))
        assert session.causes() == ["LiquidationDue", "MarkPriceMoved", "SetMarkPrice"]


def test_a_share_of_all_or_below_nothing_is_no_bound() -> None:
    for share in (-1, 100):
        with pytest.raises(PackError, match="guards: mark_band, mark_step and index_step lie from 0 to below 1"):
            guarded(step=share).check()
        unopened().when(opening(guarded(band=share))).then(refused(Reason.BAD_RULE_PACK))


def test_without_guards_a_pack_has_the_bytes_that_it_had() -> None:
    assert b"guards" not in encode(EASY)
    assert b'"guards":{"mark_step":1000000}' in encode(guarded(step=1))
