"""How each account fared: folded from the facts, the same from a replay and from its log."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from events.store.memory import MemoryLog
from exchange.projections.results import AccountResult, Results, margin_ratio
from replay.verify import Verifier
from tests.playing import capture, play, trader
from tests.scenario import Scenario, scenario
from tests.spec.words import (
    BUY,
    ISOLATED,
    SELL,
    USD,
    account,
    deposit,
    funding,
    mark,
    pack,
    place,
    position,
    proceed,
    resting,
    set_leverage,
    withdraw,
)
from tests.strategies import Gambler

PERCENT = 1_000_000
DEAR = pack(maker_fee=1 * PERCENT, taker_fee=2 * PERCENT, liquidation_fee=1 * PERCENT)
"""One per cent for makers, two for takers, one for being liquidated."""


def folded(session: Scenario) -> Results:
    results = Results()
    for batch in session.batches:
        results.observe(batch)
    return results


def of(session: Scenario, name: str) -> AccountResult:
    return folded(session).accounts[name]


def test_fills_are_counted_for_both_sides_with_value_and_their_own_fees() -> None:
    session = scenario(DEAR).given(account("ann", 1_000), account("bob", 1_000))
    session.given(resting(1, SELL, price=100, lots=4, by="bob"), place(2, BUY, price=100, lots=3, by="ann"))
    session.given(place(3, BUY, price=100, lots=1, by="ann"))
    ann, bob = of(session, "ann"), of(session, "bob")
    assert (ann.fills, ann.of(USD).volume, ann.of(USD).fees) == (2, 400, 8)
    assert (bob.fills, bob.of(USD).volume, bob.of(USD).fees) == (2, 400, 4)
    assert folded(session).own_fills == 4


def test_deposits_are_those_that_are_still_there() -> None:
    session = scenario().given(account("ann", 500), deposit("ann", 100), withdraw("ann", 50))
    assert of(session, "ann").of(USD).deposits == 550


def test_funding_counts_as_received() -> None:
    session = scenario().given(account("ann", 500), *position(1, BUY, price=100, lots=10, by="ann", against="maker"))
    session.given(funding(PERCENT), proceed())
    assert (of(session, "ann").of(USD).funding, of(session, "maker").of(USD).funding) == (-10, 10)


def test_a_liquidation_and_its_fee_count_for_who_was_liquidated() -> None:
    session = scenario(DEAR).given(account("ann", 500, mode=ISOLATED), *position(1, BUY, price=100, lots=10, by="ann"))
    fees = of(session, "ann").of(USD).fees
    session.given(resting(5, BUY, price=95, lots=10), mark(94), proceed())
    results = folded(session)
    assert results.liquidations == 1
    assert [(name, result.liquidations) for name, result in results.accounts.items()] == [
        ("maker", 0),
        ("taker", 0),
        ("ann", 1),
    ]
    assert results.kinds["liquidation_fee_charged.1"] == 1
    assert of(session, "ann").of(USD).fees == fees + 10


def test_refusals_count_for_who_asked() -> None:
    session = scenario().given(account("ann", 500))
    session.when(place(1, BUY, lots=0, by="ann"), set_leverage("ann", 99), place(2, BUY, lots=0, by="nobody"))
    assert (of(session, "ann").refusals, of(session, "maker").refusals) == (2, 0)


def test_facts_are_counted_by_kind_and_commands_are_not() -> None:
    session = scenario().given(account("ann", 500))
    assert folded(session).kinds == {
        "session_opened.1": 1,
        "account_opened.1": 3,
        "deposited.1": 3,
        "mark_price_moved.1": 2,
    }


def test_the_house_has_no_row_of_its_own() -> None:
    session = scenario().given(deposit("INSURANCE", 1_000))
    assert list(folded(session).accounts) == ["maker", "taker"]


# Ratios


def test_the_margin_ratio_is_that_of_the_worst_pool_with_a_position() -> None:
    session = scenario().given(account("ann", 500, mode=ISOLATED))
    assert margin_ratio(session.state, "ann") is None
    session.given(*position(1, BUY, price=100, lots=10, by="ann"))
    assert margin_ratio(session.state, "ann") == 50 / 100
    session.given(*position(3, BUY, price=100, lots=1, by="ann"), mark(96))
    assert margin_ratio(session.state, "ann") == pytest.approx((96 * 11 * 5 / 100) / (110 - 4 * 11))


def test_a_pool_without_equity_has_an_endless_ratio() -> None:
    session = scenario().given(account("ann", 100), *position(1, BUY, price=100, lots=10, by="ann"), mark(90))
    assert margin_ratio(session.state, "ann") == float("inf")


def test_the_worst_ratio_is_kept_from_samples_and_from_liquidations() -> None:
    session = scenario().given(account("ann", 500, mode=ISOLATED), *position(1, BUY, price=100, lots=10, by="ann"))
    results = folded(session)
    assert results.accounts["ann"].peak_ratio is None
    for ticks in (98, 96, 99):
        session.given(mark(ticks))
        results.sample(session.state)
    assert results.accounts["ann"].peak_ratio == (96 * 10 * 5 / 100) / (100 - 40)
    session.given(mark(94), proceed())
    assert of(session, "ann").peak_ratio == 47 / 40


# Sameness


def test_the_log_gives_the_results_of_the_replay(tmp_path: Path) -> None:
    log = MemoryLog()
    played = play(capture(tmp_path), traders=[trader(Gambler(), leverage=20), trader(None, "bob")], log=log)
    verifier = Verifier(log)
    assert asyncio.run(verifier.run()).ok
    live, stored = played.player.results, verifier.results
    assert live.liquidations == 1
    for results in (live, stored):
        for account_result in results.accounts.values():
            account_result.peak_ratio = None
    assert stored == live
