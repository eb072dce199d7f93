"""The bracket table against the definitions: maintenance margin by fractions, its inverses by their neighbours."""

from __future__ import annotations

from fractions import Fraction
from math import ceil
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from events.instruments import Bracket, load_pack
from events.units import UNIT
from exchange.core.margin.brackets import BracketTable, FlatRate, SteppedRate
from tests.property.rules import brackets

Brackets = tuple[Bracket, ...]

shipped = st.sampled_from([terms.brackets for terms in load_pack("binance-usdm").instruments])
tables = st.one_of(brackets(), shipped)


@st.composite
def near_an_edge(draw: st.DrawFn) -> tuple[Brackets, int]:
    """A table and a notional, grains: anywhere, or within a few grains of a floor."""
    table = draw(tables)
    floor = draw(st.sampled_from(table)).floor * UNIT
    return table, max(0, draw(st.integers(floor - 3, floor + 3) | st.integers(0, 2 * table[-1].floor * UNIT + 10**12)))


def by_definition(table: Brackets, notional: int) -> int:
    """Notional x MMR of its bracket, rounded up, less cum."""
    bracket = [b for b in table if b.floor * UNIT <= notional][-1]
    return ceil(Fraction(notional * bracket.mmr, UNIT)) - bracket.cum * UNIT


@given(near_an_edge())
def test_maintenance_margin_is_notional_times_rate_less_cum(case: tuple[Brackets, int]) -> None:
    table, notional = case
    assert BracketTable(table).maintenance(notional) == by_definition(table, notional)


@given(near_an_edge())
def test_it_is_the_largest_that_any_bracket_would_ask_for(case: tuple[Brackets, int]) -> None:
    """Continuous and convex: no bracket's line is above the one in force, so no edge is a step."""
    table, notional = case
    lines = [ceil(Fraction(notional * b.mmr, UNIT)) - b.cum * UNIT for b in table]
    assert BracketTable(table).maintenance(notional) == max(lines)


@given(near_an_edge())
def test_more_notional_never_needs_less_nor_more_than_what_was_added(case: tuple[Brackets, int]) -> None:
    table, notional = case
    more = BracketTable(table).maintenance(notional + 1) - BracketTable(table).maintenance(notional)
    assert 0 <= more <= 1


@given(near_an_edge(), st.integers(-2, 2))
def test_the_lowest_notional_is_the_first_that_leaves_so_much(case: tuple[Brackets, int], off: int) -> None:
    table = BracketTable(case[0])
    target = case[1] - table.maintenance(case[1]) + off
    lowest = table.lowest_notional(target)
    assert lowest >= 0
    assert lowest - table.maintenance(lowest) >= target
    assert lowest == 0 or lowest - 1 - table.maintenance(lowest - 1) < target


@given(near_an_edge(), st.integers(-2, 2))
def test_the_highest_notional_is_the_last_that_needs_no_more(case: tuple[Brackets, int], off: int) -> None:
    table = BracketTable(case[0])
    target = max(0, case[1] + table.maintenance(case[1]) + off)
    highest = table.highest_notional(target)
    assert highest + table.maintenance(highest) <= target
    assert highest + 1 + table.maintenance(highest + 1) > target


@given(tables, st.integers(1, 200))
def test_the_largest_notional_at_a_leverage_is_the_cap_of_the_last_bracket_that_offers_it(
    table: Brackets, leverage: int
) -> None:
    offering = [b.cap * UNIT for b in table if b.max_leverage >= leverage]
    assert BracketTable(table).max_notional(leverage) == (offering[-1] if offering else 0)


stepped = st.builds(
    SteppedRate, st.integers(1, 99).map(lambda n: n * UNIT // 100), st.integers(1, 100).map(lambda n: n * UNIT // 100),
    st.integers(1, 9),
)  # fmt: skip
flat_rates = st.integers(0, 90).map(lambda n: FlatRate(n * UNIT // 100))


@given(st.one_of(stepped, flat_rates), st.integers(-5, 60))
def test_the_lowest_notional_of_a_rate_is_the_one_from_which_on_so_much_is_left(rate: Any, target: int) -> None:
    leaves = [n - rate.maintenance(n) >= target for n in range(8_000)]
    first = max((n + 1 for n, enough in enumerate(leaves) if not enough), default=0)
    if first < 7_000:
        assert rate.lowest_notional(target) == first


@given(st.one_of(stepped, flat_rates), st.integers(0, 300))
def test_the_highest_notional_of_a_rate_is_the_last_that_needs_no_more(rate: Any, target: int) -> None:
    needs = [n + rate.maintenance(n) <= target for n in range(target + 2)]
    assert rate.highest_notional(target) == needs.index(False) - 1
