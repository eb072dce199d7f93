"""Liquidations that wait: for the next mark where the last one is too old, for the end of a halt where marks leapt."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from events import commands as c
from events import facts as f
from events.commands import INSURANCE
from events.guards import Breaker, Hold, PriceGuards
from events.instruments import Liquidation, PackError, RulePack, read_pack
from events.refusals import Reason
from events.rules import Layer
from events.units import SECOND, UNIT, Nanos, Rate
from exchange.core.swing import Swing
from tests.scenario import Scenario, scenario
from tests.spec.contracts import dated, pack_of
from tests.spec.test_pack_rules import PACK
from tests.spec.words import (
    BUY,
    CLOSED,
    CURED,
    EASY,
    GOLD,
    ISOLATED,
    SELL,
    TICK,
    TIN,
    USD,
    account,
    cancel,
    deposit,
    forced_order,
    funding,
    funding_due,
    funding_paid,
    instrument,
    liquidation_due,
    liquidation_ended,
    liquidation_started,
    mark,
    mark_moved,
    place,
    position,
    proceed,
    refused,
    resting,
    taken_over,
    withdraw,
)

STALE, HALTED = Hold.STALE_MARK, Hold.HALTED
MINUTE = 60 * SECOND
PERCENT = UNIT // 100


def at(seconds: float, asked: c.Command) -> c.Command:
    """The command, so many seconds after the beginning."""
    return replace(asked, at=Nanos(int(seconds * SECOND)))


def later(seconds: float) -> c.Command:
    """Time passes until then."""
    return c.AdvanceTime(Nanos(int(seconds * SECOND)))


def put_off(name: str, pool: str, why: Hold, on: str = GOLD) -> f.LiquidationPutOff:
    return f.LiquidationPutOff(name, pool, on, why)  # type: ignore[arg-type]


ANN = (account("ann", 100), *position(1, BUY, price=100, lots=10, by="ann"))
"""Long 10 at 100 with 100, cross: due at 94."""


def aging(rules: RulePack = EASY, seconds: int = 10) -> RulePack:
    """Nobody is liquidated by a mark older than that."""
    return replace(rules, guards=PriceGuards(mark_age_max=Nanos(seconds * SECOND)))


class TestStaleMark:
    """No liquidation on a mark older than the pack allows."""

    def stale(self, *more: Any) -> Scenario:
        """A funding payment of 54 leaves ann 46 of 50, twenty seconds after the last mark."""
        rate = 54 * UNIT // 1_000
        session = scenario(aging()).given(ANN, *more)
        session.when(at(20, funding(rate))).then(funding_due(rate, at=100))
        session.when(proceed(2)).then(
            funding_paid("maker", 54), funding_paid("ann", -54), liquidation_due("ann", USD)
        ).waits(("ann", USD))
        return session

    def test_a_pool_that_is_due_is_put_off_once_and_stays_closed(self) -> None:
        session = self.stale(resting(5, SELL, price=120, lots=1, by="ann", reduce_only=True))
        session.when(proceed()).then(put_off("ann", USD, STALE)).waits()
        session.when(proceed(), later(30)).then(refused(Reason.NOTHING_DUE))
        session.when(withdraw("ann", 1)).then(refused(Reason.LIQUIDATION_IN_PROGRESS))
        session.when(place(6, BUY, lots=1, price=50, by="ann")).then(refused(Reason.LIQUIDATION_IN_PROGRESS))
        session.given(cancel(5))

    def test_the_next_mark_has_it_liquidated_where_it_still_is_due(self) -> None:
        session = self.stale().given(proceed())
        session.when(at(40, mark(99))).then(mark_moved(99)).waits(("ann", USD))
        session.when(proceed()).then(
            liquidation_started("ann", USD, equity=36, maintenance=50),
            forced_order("ann", SELL, lots=10, limit=96, at=99, bankruptcy=954_000),
            taken_over("ann", SELL, lots=10, value=954, bankruptcy=954_000),
            liquidation_ended("ann", USD, CLOSED, equity=0),
        )

    def test_the_next_mark_lets_it_go_where_it_is_not(self) -> None:
        session = self.stale().given(proceed())
        session.when(at(40, mark(101)), proceed()).then(
            mark_moved(101), liquidation_ended("ann", USD, CURED, equity=56)
        )

    def test_who_paid_in_meanwhile_is_let_go_at_the_next_mark(self) -> None:
        session = self.stale().given(proceed(), deposit("ann", 50)).waits()
        session.when(at(40, mark(100)), proceed()).then(
            mark_moved(100), liquidation_ended("ann", USD, CURED, equity=96)
        )

    def test_where_work_is_so_late_that_the_next_mark_is_old_too_it_waits_again(self) -> None:
        session = self.stale().given(proceed(), at(40, mark(99)))
        session.when(at(51, proceed())).then(put_off("ann", USD, STALE)).waits()

    def test_a_mark_as_old_as_allowed_is_young_enough(self) -> None:
        session = scenario(aging()).given(ANN, at(20, mark(94)))
        facts = session.run(at(30, proceed()))
        assert isinstance(facts[0], f.LiquidationStarted)

    def test_an_isolated_position_waits_for_its_own_mark_and_a_cross_pool_for_all_of_its_marks(self) -> None:
        session = scenario(aging()).given(account("ann", 200), account("bob", 500, mode=ISOLATED))
        session.given(*position(1, BUY, price=100, lots=10, by="ann"), *position(3, BUY, price=100, lots=10, by="bob"))
        session.given(*position(5, BUY, price=100, lots=10, by="ann", on=TIN))
        session.when(at(20, mark(80))).then(mark_moved(80), liquidation_due("ann", USD), liquidation_due("bob", GOLD))
        session.when(proceed()).then(
            put_off("ann", USD, STALE, on=TIN),
            liquidation_started("bob", GOLD, equity=-100, maintenance=40),
            forced_order("bob", SELL, lots=10, limit=90, at=80),
            taken_over("bob", SELL, lots=10, value=900),
            liquidation_ended("bob", GOLD, CLOSED, equity=0),
        )
        session.when(at(21, mark(99))).waits()
        session.when(at(22, mark(100, on=TIN))).waits(("ann", USD))

    def test_funding_and_settlement_go_by_the_last_mark_there_is(self) -> None:
        rules = aging(pack_of(dated(GOLD, expiry=60 * SECOND), instrument(TIN)))
        session = scenario(rules).given(account("ann", 150), *position(1, BUY, price=100, lots=10, by="ann"))
        session.given(*position(3, BUY, price=100, lots=1, by="ann", on=TIN), at(5, mark(97)))
        session.when(at(20, funding(UNIT, on=TIN))).then(funding_due(UNIT, at=100, on=TIN))
        session.given(proceed(), proceed())
        assert list(session.state.put_off) == [GOLD]
        session.when(later(60)).then(f.SettlementDue(GOLD, 97 * TICK)).waits(("ann", USD), (GOLD, ""))  # type: ignore[arg-type]
        session.given(proceed())
        session.holds("ann", lots=0).waits()

    def test_without_a_position_no_mark_is_waited_for(self) -> None:
        session = scenario(aging()).given(ANN, resting(9, SELL, price=85, lots=10, by="ann", reduce_only=True))
        session.given(later(30), place(10, BUY, price=85, lots=10))
        facts = session.run(proceed())
        assert [type(fact) for fact in facts] == [f.LiquidationStarted, f.DeficitCovered, f.LiquidationEnded]


def tripping(jump: int = 10, window: int = 60, halt: int = 120, rules: RulePack = EASY) -> RulePack:
    """A breaker: per cent, seconds, seconds."""
    breaker = Breaker(Rate(jump * PERCENT), Nanos(window * SECOND), Nanos(halt * SECOND))
    return replace(rules, guards=PriceGuards(breaker=breaker))


def tripped(ticks: int, reference: int, until: float) -> f.BreakerTripped:
    return f.BreakerTripped(GOLD, ticks * TICK, reference * TICK, int(until * SECOND))  # type: ignore[arg-type]


RESET = f.BreakerReset(GOLD)


class TestBreaker:
    """A mark that leaps halts trading and liquidations of its instrument for a while."""

    def test_a_leap_within_the_window_trips_it_whichever_way(self) -> None:
        for ticks in (89, 111):
            session = scenario(tripping()).given(at(10, mark(100)))
            session.when(at(20, mark(ticks))).then(mark_moved(ticks), tripped(ticks, 100, 140))

    def test_a_leap_is_more_than_the_share_of_any_mark_that_stood_in_the_window(self) -> None:
        session = scenario(tripping()).given(at(10, mark(100)), at(20, mark(105)))
        session.when(at(30, mark(95))).then(mark_moved(95))
        session.when(at(40, mark(94))).then(mark_moved(94), tripped(94, 105, 160))

    def test_a_mark_stands_until_the_next_one_and_counts_for_the_window_after_that(self) -> None:
        for seconds, trips in ((80, True), (81, False)):
            session = scenario(tripping()).given(at(1, mark(100)), at(20, mark(95)))
            session.when(at(seconds, mark(89)))
            session.then(mark_moved(89), *([tripped(89, 100, seconds + 120)] if trips else []))

    def test_until_its_reset_nothing_trades_and_nobody_is_liquidated(self) -> None:
        session = scenario(tripping()).given(ANN, resting(5, BUY, price=80, lots=20, by="maker"), at(20, mark(89)))
        session.when(proceed()).then(put_off("ann", USD, HALTED)).waits()
        session.when(place(7, SELL, lots=1, by="taker", price=100)).then(refused(Reason.TRADING_HALTED))
        session.when(place(7, SELL, lots=1, by="maker", price=100, reduce_only=True)).then(
            refused(Reason.TRADING_HALTED)
        )
        session.given(place(8, SELL, lots=1, by="taker", price=100, on=TIN), cancel(5))
        session.when(at(30, mark(60)), at(40, mark(95))).then(mark_moved(60), mark_moved(95)).waits()

    def test_at_the_reset_who_was_put_off_is_found_again_and_nobody_is_lost(self) -> None:
        session = scenario(tripping()).given(ANN, account("bob", 110), *position(3, BUY, price=100, lots=10, by="bob"))
        session.given(at(20, mark(89)))
        session.when(proceed()).then(put_off("ann", USD, HALTED), put_off("bob", USD, HALTED))
        session.given(deposit("bob", 1_000))
        session.when(later(140)).then(RESET).waits(("ann", USD), ("bob", USD))
        session.when(proceed()).then(
            liquidation_started("ann", USD, equity=-10, maintenance=45),
            forced_order("ann", SELL, lots=10, limit=90, at=89),
            taken_over("ann", SELL, lots=10, value=900),
            liquidation_ended("ann", USD, CLOSED, equity=0),
            liquidation_ended("bob", USD, CURED, equity=1_000),
        )
        session.given(place(7, SELL, lots=1, by="taker", price=100))

    def test_the_reset_comes_before_whatever_command_brings_its_time(self) -> None:
        session = scenario(tripping()).given(at(20, mark(89)))
        session.when(at(140, place(7, SELL, lots=1, by="taker", price=100))).then(RESET, f.OrderRested("", 7, 1))  # type: ignore[arg-type]

    def test_the_window_begins_anew_with_the_mark_at_the_reset(self) -> None:
        session = scenario(tripping(window=3_600)).given(at(20, mark(89)), at(30, mark(50)), later(140))
        session.when(at(150, mark(46))).then(mark_moved(46))
        session.when(at(160, mark(56))).then(mark_moved(56), tripped(56, 50, 280))

    def test_a_pool_put_off_for_an_old_mark_is_put_off_again_where_the_next_one_trips_the_breaker(self) -> None:
        rules = tripping()
        rules = replace(rules, guards=replace(rules.guards, mark_age_max=Nanos(10 * SECOND)))
        rate = 54 * UNIT // 1_000
        session = scenario(rules).given(ANN, at(20, funding(rate)))
        session.given(proceed()).when(proceed()).then(put_off("ann", USD, STALE))
        session.when(at(30, mark(80))).then(mark_moved(80), tripped(80, 100, 150))
        session.when(proceed()).then(put_off("ann", USD, HALTED))

    def test_the_fund_offers_nothing_during_a_halt_and_again_after_it(self) -> None:
        rules = replace(tripping(), liquidation=Liquidation(last_resort=(Layer.FUND,)))
        session = scenario(rules).given(ANN, deposit(INSURANCE, 100), at(20, mark(94)), proceed(), at(30, mark(95)))
        session.waits((GOLD, ""))
        session.when(at(40, mark(84))).then(mark_moved(84), tripped(84, 100, 160)).waits()
        session.when(at(50, mark(85))).then(mark_moved(85)).waits()
        session.when(later(160)).then(RESET).waits((GOLD, ""))

    def test_an_expiry_during_a_halt_settles_who_waits(self) -> None:
        session = scenario(tripping(rules=pack_of(dated(GOLD, expiry=60 * SECOND)))).given(ANN)
        session.given(at(20, mark(89)), proceed())
        session.when(later(60)).then(f.SettlementDue(GOLD, 89 * TICK)).waits(("ann", USD), (GOLD, ""))  # type: ignore[arg-type]
        session.given(proceed())
        session.when(later(140)).then(RESET).waits()


def test_both_ends_of_a_swing_are_those_of_the_marks_in_its_window() -> None:
    swing, marks = Swing(5), [7, 3, 9, 9, 2, 8, 8, 1, 6, 4, 5, 5, 10, 2]
    for now, one in enumerate(marks):
        swing.add(now, one)
        swing.check()
        stood = marks[max(0, now - 5) : now + 1]
        assert (swing.highs[0][1], swing.lows[0][1]) == (max(stood), min(stood))
    swing.clear()
    assert not swing.leapt(1, 0)


@pytest.mark.parametrize(
    ("guards", "defect"),
    [
        (PriceGuards(mark_age_max=Nanos(-1)), "mark_age_max must not be below 0"),
        (PriceGuards(breaker=Breaker(Rate(UNIT), Nanos(1), Nanos(1))), "a breaker needs a jump between 0 and 1"),
        (PriceGuards(breaker=Breaker(Rate(1), Nanos(0), Nanos(1))), "a breaker needs a jump between 0 and 1"),
        (PriceGuards(breaker=Breaker(Rate(1), Nanos(1), Nanos(0))), "a breaker needs a jump between 0 and 1"),
        (PriceGuards(breaker=Breaker(halt=Nanos(1))), "a breaker needs a jump between 0 and 1"),
    ],
)
def test_guards_that_contradict_themselves_are_no_guards(guards: PriceGuards, defect: str) -> None:
    with pytest.raises(PackError, match=f"easy: guards: {defect}"):
        replace(EASY, guards=guards).check()


def test_a_pack_states_its_guards_in_seconds_and_shares() -> None:
    text = json.dumps(
        PACK
        | {
            "guards": {
                "mark_band": "0.05", "mark_step": "0.01", "index_step": "0.02", "mark_age_max_seconds": 30,
                "breaker": {"jump": "0.1", "window_seconds": 3600, "halt_seconds": 120},
            },
            "withdrawal_gate_seconds": 50,
        }
    ).encode()  # fmt: skip
    rules = read_pack(text, "test")
    breaker = Breaker(Rate(10 * PERCENT), Nanos(60 * MINUTE), Nanos(2 * MINUTE))
    assert rules.guards == PriceGuards(Rate(5 * PERCENT), Rate(PERCENT), Rate(2 * PERCENT), Nanos(30 * SECOND), breaker)
    assert rules.withdrawal_gate == 50 * SECOND
