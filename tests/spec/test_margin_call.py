"""The margin call: whoever comes to the warning ratio is told, once until the pool recovered, and not by a scan."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from events import commands as c
from events import facts as f
from events.instruments import Liquidation, PackError, RulePack
from events.rules import ModeSwitch
from events.units import UNIT, Rate
from exchange.core.margin.brackets import SteppedRate
from exchange.core.margin.warning import WarningLine
from tests.scenario import Scenario, scenario
from tests.spec.contracts import COIN, OUNCE, PAIR, inverse, join, pack_of, price, several_assets
from tests.spec.words import (
    BUY,
    CLOSED,
    CROSS,
    CURED,
    EASY,
    GOLD,
    ISOLATED,
    SELL,
    TIN,
    USD,
    account,
    deposit,
    forced_order,
    liquidation_due,
    liquidation_ended,
    liquidation_started,
    mark,
    mark_at,
    mark_moved,
    mark_moved_at,
    open_account,
    pack,
    place,
    position,
    proceed,
    resting,
    set_mode,
    traded,
)

WARNS = Liquidation(warning=Rate(80 * UNIT // 100))


def warns(rules: RulePack = EASY, recovery: int = 0) -> RulePack:
    """The pack, with a margin call at 80 %, and perhaps a recovery at so many percent."""
    return replace(rules, liquidation=replace(WARNS, recovery=Rate(recovery * UNIT // 100))).check()


def called(name: str, pool: str, *, equity: int, maintenance: int) -> f.MarginCalled:
    return f.MarginCalled(name, pool, equity, maintenance)  # type: ignore[arg-type]


def recovered(name: str, pool: str) -> f.MarginRecovered:
    return f.MarginRecovered(name, pool)  # type: ignore[arg-type]


def session(side: c.Side = BUY, mode: Any = CROSS, recovery: int = 0) -> Scenario:
    """Ann holds 10 at 100 with 100, and MM of 5 %."""
    given = account("ann", 100, mode=mode)
    return scenario(warns(recovery=recovery)).given(given, *position(1, side, price=100, lots=10, by="ann"))


@pytest.mark.parametrize(("mode", "pool"), [(CROSS, USD), (ISOLATED, GOLD)])
class TestOnce:
    """Long 10 at 100 with 100: at 96 equity 60 and MM 48, which is 80 %."""

    def test_at_the_warning_ratio_and_not_again(self, mode: Any, pool: str) -> None:
        told = session(mode=mode)
        told.when(mark_at(960_001)).then(mark_moved_at(960_001))
        told.when(mark(96)).then(mark_moved(96), called("ann", pool, equity=60, maintenance=48))
        told.when(mark(95)).then(mark_moved(95)).waits()

    def test_again_after_a_recovery(self, mode: Any, pool: str) -> None:
        told = session(mode=mode).given(mark(95))
        told.when(mark(96)).then(mark_moved(96))
        told.when(mark_at(960_001)).then(mark_moved_at(960_001), recovered("ann", pool))
        told.when(mark(95)).then(mark_moved(95), called("ann", pool, equity=50, maintenance=48))

    def test_a_mark_that_jumps_to_where_the_pool_is_due_warns_first(self, mode: Any, pool: str) -> None:
        told = session(mode=mode)
        told.when(mark(94)).then(
            mark_moved(94), called("ann", pool, equity=40, maintenance=47), liquidation_due("ann", pool)
        )
        assert told.causes() == ["LiquidationDue", "MarginCalled", "MarkPriceMoved", "SetMarkPrice"]

    def test_a_pool_that_was_warned_falls_due_without_another_word(self, mode: Any, pool: str) -> None:
        told = session(mode=mode).given(mark(96))
        told.when(mark(94)).then(mark_moved(94), liquidation_due("ann", pool))

    def test_what_is_closed_has_recovered(self, mode: Any, pool: str) -> None:
        told = session(mode=mode).given(mark(96), resting(5, BUY, price=96, lots=10))
        told.when(place(6, SELL, price=96, lots=10, by="ann")).then(
            traded(5, 6, price=96, lots=10), recovered("ann", pool)
        )

    def test_what_a_liquidation_closed_has_recovered(self, mode: Any, pool: str) -> None:
        told = session(mode=mode).given(mark(94), resting(5, BUY, price=94, lots=10))
        told.when(proceed()).then(
            liquidation_started("ann", pool, equity=40, maintenance=47),
            forced_order("ann", SELL, lots=10, limit=90, at=94),
            traded(5, "ann", price=94, lots=10, side=SELL),
            liquidation_ended("ann", pool, CLOSED, equity=40),
            recovered("ann", pool),
        )


def test_a_short_is_warned_on_its_way_up_and_recovers_on_its_way_down() -> None:
    # at 103 equity 70 and MM 51.5; at 104 equity 60 and MM 52
    told = session(SELL)
    told.when(mark(103)).then(mark_moved(103))
    told.when(mark(104)).then(mark_moved(104), called("ann", USD, equity=60, maintenance=52))
    told.when(mark(103)).then(mark_moved(103), recovered("ann", USD))


def test_money_ends_a_margin_call() -> None:
    told = session().given(mark(96))
    told.when(deposit("ann", 1)).then(f.Deposited("ann", USD, 1), recovered("ann", USD))  # type: ignore[arg-type]


def test_several_positions_lose_and_gain_together() -> None:
    # 250 and two longs of 10: at 96 and 95 equity 160 and MM 95.5; at 93 and 92 equity 100 and MM 92.5
    told = scenario(warns()).given(account("ann", 250), *position(1, BUY, price=100, lots=10, by="ann"))
    told.given(*position(3, BUY, price=100, lots=10, by="ann", on=TIN), mark(96), mark(95, on=TIN))
    told.when(mark(93), mark(92, on=TIN)).then(
        mark_moved(93), mark_moved(92, on=TIN), called("ann", USD, equity=100, maintenance=93)
    )
    told.when(mark(94), mark(94, on=TIN)).then(mark_moved(94), mark_moved(94, on=TIN), recovered("ann", USD))


def test_a_venue_without_margin_calls_makes_none() -> None:
    told = scenario().given(account("ann", 100), *position(1, BUY, price=100, lots=10, by="ann"))
    told.when(mark(95)).then(mark_moved(95))


@pytest.mark.parametrize(
    ("side", "safe", "warned", "equity", "maintenance"), [(BUY, 97, 96, 58, 53), (SELL, 104, 105, 52, 48)]
)
def test_inverse_positions_are_warned_at_their_worth_in_coin(
    side: c.Side, safe: int, warned: int, equity: int, maintenance: int
) -> None:
    # 10 lots of 10,000 / mark ounces each: 1,030.9 at 97, 1,041.7 at 96; 961.5 at 104, 952.4 at 105
    told = scenario(pack_of(inverse(), liquidation=WARNS)).given(open_account("ann"), deposit("ann", 100, asset=OUNCE))
    told.given(*position(1, side, price=100, lots=10, by="ann", on=COIN))
    told.when(mark(safe, on=COIN)).then(mark_moved(safe, on=COIN))
    told.when(mark(warned, on=COIN)).then(
        mark_moved(warned, on=COIN), called("ann", OUNCE, equity=equity, maintenance=maintenance)
    )
    told.when(mark(safe, on=COIN)).then(mark_moved(safe, on=COIN), recovered("ann", OUNCE))


@pytest.mark.parametrize(("mode", "pool"), [(CROSS, USD), (ISOLATED, GOLD)])
class TestRecovery:
    """Recovered below 60 %, warned at 80 %: with 10 at 100 and 100, a long at 98.1819 and at 96."""

    def test_a_pool_that_hovers_about_the_warning_ratio_is_told_once(self, mode: Any, pool: str) -> None:
        told = session(mode=mode, recovery=60)
        told.when(mark(96)).then(mark_moved(96), called("ann", pool, equity=60, maintenance=48))
        for price_ in (97, 96, 98, 95):
            told.when(mark(price_)).then(mark_moved(price_))
        told.waits()

    def test_it_recovers_below_the_ratio_of_recovery_and_may_be_warned_again(self, mode: Any, pool: str) -> None:
        told = session(mode=mode, recovery=60).given(mark(96))
        told.when(mark_at(981_818)).then(mark_moved_at(981_818))
        told.when(mark_at(981_819)).then(mark_moved_at(981_819), recovered("ann", pool))
        told.when(mark_at(960_001)).then(mark_moved_at(960_001))
        told.when(mark(96)).then(mark_moved(96), called("ann", pool, equity=60, maintenance=48))

    def test_a_short_recovers_on_its_way_down(self, mode: Any, pool: str) -> None:
        told = session(SELL, mode, 60).given(mark(104))
        told.when(mark_at(1_015_385)).then(mark_moved_at(1_015_385))
        told.when(mark_at(1_015_384)).then(mark_moved_at(1_015_384), recovered("ann", pool))

    def test_a_warned_pool_falls_due_from_between_the_ratios_without_another_word(self, mode: Any, pool: str) -> None:
        told = session(mode=mode, recovery=60).given(mark(96), mark(98))
        told.when(mark(94)).then(mark_moved(94), liquidation_due("ann", pool))

    def test_a_mark_that_jumps_past_both_ratios_warns_and_names(self, mode: Any, pool: str) -> None:
        told = session(mode=mode, recovery=60)
        told.when(mark(94)).then(
            mark_moved(94), called("ann", pool, equity=40, maintenance=47), liquidation_due("ann", pool)
        )
        told.when(mark(120), proceed()).then(
            mark_moved(120), liquidation_ended("ann", pool, CURED, equity=300), recovered("ann", pool)
        )

    def test_what_is_closed_has_recovered_from_between_the_ratios_too(self, mode: Any, pool: str) -> None:
        told = session(mode=mode, recovery=60).given(mark(96), mark(98), resting(5, BUY, price=98, lots=10))
        told.when(place(6, SELL, price=98, lots=10, by="ann")).then(
            traded(5, 6, price=98, lots=10), recovered("ann", pool)
        )


def test_money_ends_a_margin_call_that_has_a_recovery_once_it_is_enough() -> None:
    # at 96 MM 48: equity 80 is 60 %
    told = session(recovery=60).given(mark(96))
    told.when(deposit("ann", 20)).then(f.Deposited("ann", USD, 20))  # type: ignore[arg-type]
    told.when(deposit("ann", 1)).then(f.Deposited("ann", USD, 1), recovered("ann", USD))  # type: ignore[arg-type]


def test_several_positions_recover_together() -> None:
    # 250 and two longs of 10: at 93 and 92 equity 100 and MM 92.5; at 96 and 95 equity 160 and MM 95.5, 59.7 %
    told = scenario(warns(recovery=60)).given(account("ann", 250), *position(1, BUY, price=100, lots=10, by="ann"))
    told.given(*position(3, BUY, price=100, lots=10, by="ann", on=TIN), mark(93), mark(92, on=TIN))
    told.when(mark(95), mark(95, on=TIN)).then(mark_moved(95), mark_moved(95, on=TIN))
    told.when(mark(96)).then(mark_moved(96), recovered("ann", USD))
    told.when(mark(94)).then(mark_moved(94))
    told.when(mark(90)).then(mark_moved(90), called("ann", USD, equity=100, maintenance=93))


class TestModes:
    """A margin call is about a pool; a pool that is no more, as the account's modes changed, is forgotten."""

    def test_the_cross_pool_that_takes_a_warned_position_over_is_looked_at_anew(self) -> None:
        rules = replace(warns(), mode_switch=ModeSwitch.WHEN_OPEN)
        told = scenario(rules).given(account("ann", 300, mode=ISOLATED))
        told.given(*position(1, BUY, price=100, lots=10, by="ann"), mark(96))
        told.when(set_mode("ann", CROSS)).then(
            f.MarginMoved("ann", GOLD, -100),  # type: ignore[arg-type]
            f.MarginModeSet("ann", GOLD, CROSS),  # type: ignore[arg-type]
        )
        told.when(mark(74)).then(mark_moved(74), called("ann", USD, equity=40, maintenance=37))

    def test_all_wallets_together_are_warned_and_recover_by_every_price(self) -> None:
        # 500 ounces at 2 count 900; long 20 at 100 with 1,000 USD: equity 1,900 - 20 x the fall
        told = scenario(warns(several_assets())).given(price(2), account("ann", 100), deposit("ann", 50, asset=OUNCE))
        told.given(join("ann"), *position(1, BUY, price=100, lots=10, by="ann"))
        told.when(mark(86)).then(mark_moved(86), called("ann", "multi", equity=50, maintenance=43))
        told.when(price(3)).then(f.IndexPriceMoved(PAIR, 3 * UNIT), recovered("ann", "multi"))  # type: ignore[arg-type]
        told.when(price(2)).then(
            f.IndexPriceMoved(PAIR, 2 * UNIT),
            called("ann", "multi", equity=50, maintenance=43),  # type: ignore[arg-type]
        )
        told.when(deposit("ann", 100)).then(f.Deposited("ann", USD, 100), recovered("ann", "multi"))  # type: ignore[arg-type]
        told.given(mark(76))
        told.when(join("ann", False))
        assert not told.state.accounts["ann"].wallets[USD].warned  # type: ignore[index]

    def test_all_wallets_together_recover_below_a_ratio_of_their_own(self) -> None:
        # at 86 MM 43; an ounce at 2 leaves 50, which is 86 %; 5 USD more 78 %, 23 USD more 59 %
        rules = warns(several_assets(), recovery=60)
        told = scenario(rules).given(price(2), account("ann", 100), deposit("ann", 50, asset=OUNCE))
        told.given(join("ann"), *position(1, BUY, price=100, lots=10, by="ann"), mark(86))
        told.when(deposit("ann", 5)).then(f.Deposited("ann", USD, 5))  # type: ignore[arg-type]
        told.when(mark(87), mark(86)).then(mark_moved(87), mark_moved(86))
        told.when(deposit("ann", 18)).then(f.Deposited("ann", USD, 18), recovered("ann", "multi"))  # type: ignore[arg-type]
        told.when(mark(84)).then(mark_moved(84))
        told.when(mark(83)).then(mark_moved(83), called("ann", "multi", equity=43, maintenance=42))


@pytest.mark.parametrize(
    ("rules", "line"),
    [
        (Liquidation(warning=Rate(UNIT + 1)), "easy: liquidation: warning lies from 0 to 1"),
        (Liquidation(warning=Rate(UNIT // 4)), "warning has to be above the maintenance margin rates of GOLD"),
        (Liquidation(recovery=Rate(1)), "easy: liquidation: recovery lies from 0 to warning"),
        (Liquidation(warning=Rate(UNIT), recovery=Rate(-1)), "easy: liquidation: recovery lies from 0 to warning"),
        (replace(WARNS, recovery=Rate(UNIT // 4)), "recovery has to be above the maintenance margin rates of GOLD"),
    ],
)
def test_a_warning_that_no_pool_could_have_is_refused(rules: Liquidation, line: str) -> None:
    with pytest.raises(PackError, match=line):
        replace(pack(), liquidation=rules).check()


def test_the_line_of_margins_in_steps_lies_above_them_and_by_less_than_its_slack() -> None:
    schedule, ratio = SteppedRate(rate=UNIT // 20, fraction=UNIT * 3 // 5, step=7), UNIT * 4 // 5
    line = WarningLine(schedule, ratio)
    for notional in range(0, 40_000, 13):
        distance = line.maintenance(notional) * ratio - schedule.maintenance(notional) * UNIT
        assert 0 <= distance < (line.slack + 1) * ratio
