"""The laboratory: one history under several margin modes, with figures computed by hand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import assume, given, settings
from msgspec.structs import replace

from events import commands as c
from events import facts as f
from events.instruments import Leg, MarginMode
from events.record import Batch
from events.units import SECOND, UNIT
from replay.lab import BEYOND, Lab, LabError, Mode, Series
from replay.lab.figures import Figures
from replay.lab.series import BUCKETS
from tests.property.sessions import NAMES, Script, X, Y, scripts
from tests.scenario import Scenario, scenario
from tests.spec.contracts import COIN, OUNCE, hedge, inverse, join, pack_of, price, several_assets
from tests.spec.words import (
    BUY,
    GOLD,
    ISOLATED,
    SELL,
    TIN,
    USD,
    account,
    add_margin,
    deposit,
    funding,
    instrument,
    mark,
    open_account,
    place,
    position,
    proceed,
    resting,
    withdraw,
)

ALL = tuple(Mode)


def folded(batches: Iterable[Batch], *modes: Mode, **how: Any) -> Lab:
    lab = Lab(modes or ALL, **how)
    for batch in batches:
        lab.observe(batch)
    lab.end()
    return lab


def under(session: Scenario, mode: Mode, name: str = "ann") -> Figures:
    return folded(session.batches, mode).accounts[name].figures[mode]  # type: ignore[index]


def atoms(point: Any) -> int:
    """The value of a point that is a whole number of atoms."""
    assert point.value % UNIT == 0
    return int(point.value // UNIT)


def falling() -> Scenario:
    """Ann has 1,000, is long 10 GOLD at 100 with 10x, and the mark falls to 95 and 94, a second each."""
    return scenario(clock=SECOND).given(
        account("ann", 1_000), *position(1, BUY, price=100, lots=10, by="ann"), mark(95), mark(94)
    )


def test_an_isolated_position_has_its_own_wallet_to_lose() -> None:
    # wallet 1,000 / 10 = 100; at 95 equity 50, maintenance 5 % of 950; at 94 equity 40, maintenance 47
    figures = under(falling(), Mode.ISOLATED)
    usd = figures.assets[USD]
    assert [point.value for point in figures.ratio.points()][-2:] == [95_000_000, 47 * UNIT // 40]
    assert atoms(usd.headroom.lowest) == 40 - 47
    assert (atoms(usd.capital.highest), atoms(usd.notional.highest)) == (100, 1_000)
    assert (atoms(usd.equity.last), figures.refused) == (940, 0)
    # (1,000 + 950) s of notional over (100 + 100) s of capital
    assert usd.efficiency == 1_950 * UNIT // 200


def test_a_cross_position_has_all_of_the_wallet_to_lose() -> None:
    figures = under(falling(), Mode.CROSS)
    usd = figures.assets[USD]
    assert figures.first is None
    assert figures.ratio.highest is not None
    assert figures.ratio.highest.value == 5_000_000  # 50 of 1,000 at the start; 47 of 940 is the same
    assert atoms(usd.headroom.lowest) == 940 - 47
    assert (atoms(usd.capital.highest), atoms(usd.equity.last)) == (100, 940)
    assert usd.efficiency == 1_950 * UNIT // 195


def test_the_first_moment_of_a_liquidation_names_record_pool_and_mark() -> None:
    session = falling()
    moment = under(session, Mode.ISOLATED).first
    assert moment is not None
    fell = session.batches[-1]
    assert (moment.at, moment.record) == (fell.at, fell.last_seq)
    assert (moment.pool, moment.marks) == (GOLD, {GOLD: 94 * 10_000})
    assert (moment.equity, moment.maintenance, moment.spared) == (40 * UNIT, 47 * UNIT, 900 * UNIT)


def test_open_orders_tie_up_capital_under_every_mode() -> None:
    session = scenario().given(account("ann", 1_000), resting(1, BUY, price=90, lots=10, by="ann"))
    for mode in ALL:
        assert atoms(under(session, mode).assets[USD].capital.highest) == 90


def test_an_order_that_only_a_cross_pool_carries_is_counted_and_no_liquidation() -> None:
    # 100 of margin for GOLD is all that ann has; the profit of 200 at 120 carries TIN only under cross
    session = scenario().given(
        account("ann", 100),
        *position(1, BUY, price=100, lots=10, by="ann"),
        mark(120),
        *position(3, BUY, price=100, lots=10, by="ann", on=TIN),
    )
    isolated, cross = under(session, Mode.ISOLATED), under(session, Mode.CROSS)
    assert (isolated.refused, cross.refused) == (1, 0)
    assert (isolated.first, cross.first) == (None, None)
    assert atoms(isolated.assets[USD].capital.highest) == 200
    assert atoms(isolated.assets[USD].equity.last) == atoms(cross.assets[USD].equity.last) == 300


def test_a_market_order_is_counted_by_its_fills() -> None:
    session = scenario().given(
        account("ann", 100),
        *position(1, BUY, price=100, lots=10, by="ann"),
        mark(120),
        resting(3, SELL, price=100, lots=5, on=TIN),
        resting(4, SELL, price=101, lots=5, on=TIN),
        place(5, BUY, lots=10, by="ann", on=TIN, tif=c.TimeInForce.IOC),
    )
    assert under(session, Mode.ISOLATED).refused == 1


def test_added_margin_is_a_matter_of_isolated_wallets_only() -> None:
    session = scenario().given(
        account("ann", 1_000, mode=ISOLATED),
        *position(1, BUY, price=100, lots=10, by="ann"),
        add_margin("ann", 60),
        mark(94),
    )
    isolated, cross = under(session, Mode.ISOLATED).assets[USD], under(session, Mode.CROSS).assets[USD]
    assert (atoms(isolated.headroom.last), atoms(cross.headroom.last)) == (100 - 47, 940 - 47)
    assert (atoms(isolated.capital.last), atoms(cross.capital.last)) == (160, 94)


def test_funding_is_paid_by_whatever_carries_the_position() -> None:
    # 1 % of 1,000
    session = scenario().given(
        account("ann", 1_000), *position(1, BUY, price=100, lots=10, by="ann"), funding(UNIT // 100), proceed()
    )
    for mode, left in ((Mode.ISOLATED, 90), (Mode.CROSS, 990)):
        assert atoms(under(session, mode).assets[USD].headroom.last) == left - 50


def test_a_liquidation_of_history_goes_on_in_the_shadow_of_another_mode() -> None:
    # isolated: due at 94, nobody bids, the fund takes over 10 at 90; 900 are left whatever the mode
    session = scenario().given(deposit(c.INSURANCE, 1_000), account("ann", 1_000, mode=ISOLATED))
    session.given(*position(1, BUY, price=100, lots=10, by="ann"), mark(94), proceed())
    assert any(isinstance(fact, f.TakenOver) for batch in session.batches for fact in batch.facts)
    lab = folded(session.batches)
    for mode, figures in lab.accounts["ann"].figures.items():  # type: ignore[index]
        assert atoms(figures.assets[USD].equity.last) == 900, mode
        assert figures.ratio.last is not None
        assert figures.ratio.last.value == 0
        assert (figures.first is None) is (mode in (Mode.CROSS, Mode.MULTI))


def test_the_other_way_round_isolated_wallets_end_with_the_liquidation() -> None:
    # cross: 150 at 10x, due at 89 where equity is 40 and maintenance 44.5
    session = scenario().given(deposit(c.INSURANCE, 1_000), account("ann", 150))
    session.given(*position(1, BUY, price=100, lots=10, by="ann"), mark(89), proceed())
    isolated = folded(session.batches, Mode.ISOLATED)
    figures = isolated.accounts["ann"].figures[Mode.ISOLATED]  # type: ignore[index]
    assert [moment.pool for moment in figures.would_be.values()] == [GOLD]
    assert (atoms(figures.assets[USD].equity.last), atoms(figures.assets[USD].capital.last)) == (0, 0)


def test_what_the_fund_covers_counts_under_every_mode() -> None:
    # a maker's sale at 80 loses 200 of 150; the fund covers 50
    session = scenario().given(deposit(c.INSURANCE, 1_000), account("ann", 150))
    session.given(
        *position(1, BUY, price=100, lots=10, by="ann"),
        resting(3, SELL, price=80, lots=10, by="ann", reduce_only=True),
        place(4, BUY, price=80, lots=10),
        proceed(),
    )
    assert any(isinstance(fact, f.DeficitCovered) for batch in session.batches for fact in batch.facts)
    for mode in ALL:
        assert atoms(under(session, mode).assets[USD].equity.last) == 0, mode


def test_money_in_and_out_counts_under_every_mode() -> None:
    session = scenario().given(
        account("ann", 1_000), *position(1, BUY, price=100, lots=1, by="ann"), deposit("ann", 50), withdraw("ann", 7)
    )
    for mode in ALL:
        assert atoms(under(session, mode).assets[USD].equity.last) == 1_043


def test_the_legs_of_a_hedge_have_a_wallet_each_when_isolated() -> None:
    session = scenario().given(account("ann", 1_000), hedge("ann"))
    for number, side, leg in ((1, BUY, Leg.LONG), (3, SELL, Leg.SHORT)):
        other = SELL if side is BUY else BUY
        session.given(resting(number, other, price=100, lots=10))
        session.given(replace(place(number + 1, side, price=100, lots=10, by="ann"), leg=leg))
    session.given(mark(94))
    isolated, cross = under(session, Mode.ISOLATED), under(session, Mode.CROSS)
    assert list(isolated.would_be) == [f"{GOLD}:long"]
    assert atoms(isolated.assets[USD].capital.last) == 200
    assert cross.first is None
    assert atoms(cross.assets[USD].headroom.lowest) == 1_000 - 100  # at 100; 47 + 47 later


def test_inverse_contracts_are_measured_in_their_coin() -> None:
    # 10 lots of 10,000 / 100 atoms; at 80 a long lost 10 x (100 - 125) = 250
    session = scenario(pack_of(inverse())).given(open_account("ann"), deposit("ann", 1_000, OUNCE))
    session.given(*position(1, BUY, price=100, lots=10, by="ann", on=COIN), mark(80, on=COIN))
    figures = under(session, Mode.CROSS)
    assert set(figures.assets) == {OUNCE}
    assert atoms(figures.assets[OUNCE].equity.last) == 750
    assert atoms(figures.assets[OUNCE].notional.last) == 1_250


def test_under_multi_all_assets_answer_at_their_price_less_the_haircut() -> None:
    # 110 + 100 x 2 x 0.9 - 80 = 210, maintenance 46
    session = scenario(several_assets()).given(price(2), open_account("ann"), deposit("ann", 110))
    session.given(deposit("ann", 100, OUNCE), *position(1, BUY, price=100, lots=10, by="ann"), mark(92))
    multi, cross = under(session, Mode.MULTI), under(session, Mode.CROSS)
    assert set(multi.assets) == {USD}
    assert atoms(multi.assets[USD].headroom.last) == 210 - 46
    assert atoms(multi.assets[USD].equity.last) == 210
    assert atoms(multi.assets[USD].capital.last) == 92
    assert atoms(cross.assets[USD].headroom.last) == 30 - 46
    assert multi.first is None
    assert cross.first is not None
    assert cross.first.pool == USD


def test_under_multi_a_price_that_falls_makes_a_pool_due() -> None:
    session = scenario(several_assets()).given(
        price(2), open_account("ann"), deposit("ann", 110), deposit("ann", 100, OUNCE), join("ann"),
        *position(1, BUY, price=100, lots=10, by="ann"), mark(90),
    )  # fmt: skip
    session.given(replace(price(1), index=UNIT // 10))  # 110 + 9 - 100 = 19 of 45
    due = next(f for batch in session.batches for f in batch.records if type(f.message).__name__ == "LiquidationDue")
    for mode in (Mode.MULTI, Mode.RECORDED):
        moment = under(session, mode).first
        assert moment is not None, mode
        assert (moment.pool, moment.record) == ("multi", due.cause)
        assert (moment.equity, moment.maintenance, moment.spared) == (19 * UNIT, 45 * UNIT, 0)


def test_one_asset_without_a_price_is_valued_one_to_one() -> None:
    session = scenario(several_assets()).given(open_account("ann"), deposit("ann", 1_000, OUNCE))
    session.given(*position(1, BUY, price=100, lots=10, by="ann", on=COIN), mark(80, on=COIN))
    multi = under(session, Mode.MULTI)
    assert (multi.unpriced, multi.has_holes) == (OUNCE, False)
    assert atoms(multi.assets[OUNCE].equity.last) == 750


def test_several_assets_are_not_measured_before_their_prices_are_known() -> None:
    session = scenario(several_assets()).given(open_account("ann"), deposit("ann", 110), deposit("ann", 100, OUNCE))
    session.given(*position(1, BUY, price=100, lots=10, by="ann"), mark(92))
    multi = under(session, Mode.MULTI)
    assert (multi.unpriced, multi.has_holes) == (OUNCE, True)
    assert (multi.first, multi.assets[USD].headroom.last) == (None, None)


def test_a_mode_that_the_pack_does_not_know_is_refused_or_left_out() -> None:
    session = scenario(pack_of(instrument(GOLD), inverse()))
    with pytest.raises(LabError, match="mode multi: rule pack easy settles in OUNCE and USD and has no collateral"):
        folded(session.batches, Mode.CROSS, Mode.MULTI)
    lab = folded(session.batches, Mode.CROSS, Mode.MULTI, lenient=True)
    assert list(lab.left_out) == [Mode.MULTI]
    assert list(lab.accounts["maker"].figures) == [Mode.CROSS]  # type: ignore[index]


def test_modes_that_come_to_the_same_are_folded_once() -> None:
    lab = folded(falling().batches, Mode.CROSS, Mode.MULTI)
    assert lab.shared == {Mode.MULTI: Mode.CROSS}
    figures = lab.accounts["ann"].figures  # type: ignore[index]
    assert figures[Mode.MULTI] is figures[Mode.CROSS]


def test_the_busiest_account_comes_first_and_one_may_be_picked() -> None:
    session = falling().given(account("bob", 1_000), *position(3, BUY, price=94, lots=1, by="bob"))
    assert [account.name for account in folded(session.batches).traded] == ["maker", "ann", "bob"]
    picked = folded(session.batches, only=c.AccountId("bob"))
    assert [account.name for account in picked.traded] == ["bob"]
    assert picked.accounts["ann"].figures[Mode.CROSS].ratio.last is None  # type: ignore[index]


def due_moments(batches: list[Batch]) -> dict[tuple[str, str], tuple[int, int]]:
    """When each pool of a session was first due, and by which record."""
    found: dict[tuple[str, str], tuple[int, int]] = {}
    for batch in batches:
        for record in batch.records:
            if isinstance(record.message, f.LiquidationDue):
                found.setdefault((record.message.account, record.message.pool), (batch.at, record.cause))
    return found


def check_against_history(script: Script, mode: Mode) -> None:
    batches = script.decide()
    lab = folded(batches, mode)
    figures = {name: account.figures[mode] for name, account in lab.accounts.items()}
    moments = {(n, pool): (m.at, m.record) for n, its in figures.items() for pool, m in its.would_be.items()}
    assert moments == due_moments(batches)
    assert {name: its.refused for name, its in figures.items() if its.refused} == {}


def only(script: Script, mode: MarginMode) -> Script:
    """The session with every position in one mode."""
    modes = (c.SetMarginMode, c.SetCollateralMode)
    opening, rest = ([one for one in part if not isinstance(one, modes)] for part in script)
    if mode is MarginMode.ISOLATED:
        opening += [c.SetMarginMode(0, name, f"set {on}", on, mode) for name in NAMES for on in (X, Y)]
    return Script(opening, rest)


@settings(max_examples=40)
@given(scripts())
def test_the_mode_that_a_session_ran_in_gives_its_own_due_moments(script: Script) -> None:
    check_against_history(script, Mode.RECORDED)
    check_against_history(only(script, MarginMode.ISOLATED), Mode.ISOLATED)
    check_against_history(only(script, MarginMode.CROSS), Mode.CROSS)


@settings(max_examples=40)
@given(scripts())
def test_modes_part_money_differently_and_never_change_what_there_is(script: Script) -> None:
    assume(script.opening[0].pack.id == "small")  # of one asset without haircuts, whose equity is the same in all modes
    lab = folded(script.decide())
    for account_lab in lab.accounts.values():
        last = [figures.assets["USD"].equity.last for figures in account_lab.figures.values()]
        assert len({point.value for point in last if point}) == 1


# Series.


def test_a_series_keeps_every_spike_in_bounded_memory() -> None:
    series = Series()
    for n in range(20_000):
        series.add(n * 10**9, 7 if n == 12_345 else -3 if n == 17 else n % 2, n)
    assert len(series.points()) <= 3 * BUCKETS + 1
    assert series.highest == (12_345 * 10**9, 7, 12_345)
    assert series.lowest == (17 * 10**9, -3, 17)
    assert series.points() == sorted(series.points())
    assert [series.points()[0].record, series.points()[-1].record] == [0, 19_999]


def test_the_first_of_equal_extremes_is_named() -> None:
    series = Series()
    for n, value in enumerate((1, 5, 1, 5)):
        series.add(n * 10**9, value, n)
    assert series.highest is not None
    assert series.lowest is not None
    assert (series.highest.record, series.lowest.record) == (1, 0)


def test_columns_hold_a_value_until_the_next_one_and_the_moment_of_the_change_belongs_to_both() -> None:
    series = Series()
    for second, value in ((0, 4), (1, 9), (5, 2)):
        series.add(second * 10**9, value, second)
    assert series.columns(8, 0, 8 * 10**9 - 1) == [4, 9, 9, 9, 9, 9, 2, 2]
    assert Series().columns(3, 0, 10) == [None, None, None]
    assert series.columns(2, 0, 2 * 10**9 - 1) == series.columns(8, 0, 8 * 10**9 - 1)[:2], (
        "what comes later is left out"
    )


def test_a_pause_is_kept_once_until_there_is_a_value_again() -> None:
    series = Series()
    series.pause(1)
    assert series.pauses() == []
    series.add(2 * 10**9, 1, 1)
    series.pause(3 * 10**9)
    series.pause(4 * 10**9)
    series.add(5 * 10**9, 1, 2)
    assert series.pauses() == [3 * 10**9]


def test_no_equity_left_is_beyond_every_ratio() -> None:
    session = falling().given(mark(80))
    highest = under(session, Mode.ISOLATED).ratio.highest
    assert highest is not None
    assert highest.value == BEYOND
