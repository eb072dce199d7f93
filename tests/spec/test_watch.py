"""The watch: whoever is due is found when it happens, and nobody else."""

from __future__ import annotations

import pytest

from events.commands import AccountId, Side
from exchange.core.liquidation.watch import check
from tests.scenario import scenario
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
    liquidation_due,
    mark,
    mark_at,
    mark_moved,
    mark_moved_at,
    position,
    set_leverage,
    withdraw,
)


def test_the_first_mark_is_no_danger_to_anybody() -> None:
    scenario(marks=None).when(mark(1)).then(mark_moved(1))


def test_positions_that_each_lose_a_little_are_found_together() -> None:
    # wallet 250, two longs of 10 at 100: at 92 and 90 equity is 250 - 80 - 100 = 70 and maintenance 46 + 45 = 91;
    # at 93 and 94 it was 120 against 93.5
    (
        scenario()
        .given(account("ann", 250), *position(1, BUY, price=100, lots=10, by="ann"))
        .given(*position(3, BUY, price=100, lots=10, by="ann", on=TIN))
        .when(mark(93), mark(94, on=TIN), mark(92), mark(90, on=TIN))
        .then(
            mark_moved(93),
            mark_moved(94, on=TIN),
            mark_moved(92),
            mark_moved(90, on=TIN),
            liquidation_due("ann", USD),
        )
    )


def test_a_reserve_lets_one_position_fall_further_without_a_look_at_the_others() -> None:
    # wallet 250, two longs of 10 at 100, maintenance 50 each: of the buffer of 150 each has 67.5 and 15 are in reserve.
    # At 92 GOLD has lost 80 and 4 of maintenance come back: 8.5 go off the reserve, a quarter of the rest stays
    session = scenario().given(account("ann", 250), *position(1, BUY, price=100, lots=10, by="ann"))
    session.given(*position(3, BUY, price=100, lots=10, by="ann", on=TIN))
    wallet = session.state.accounts[AccountId("ann")].wallets[USD]
    before, tin = wallet.reserve, session.state.accounts[AccountId("ann")].positions[TIN].low
    session.when(mark(92)).then(mark_moved(92))
    assert 0 < wallet.reserve < before // 4
    assert session.state.accounts[AccountId("ann")].positions[TIN].low == tin
    check(session.state)
    # 250 - 170 = 80 against 50 + 41.5
    session.when(mark(83)).then(mark_moved(83), liquidation_due("ann", USD))


def test_a_gain_on_one_side_carries_a_loss_on_the_other() -> None:
    # long GOLD and short TIN: while both go together the pool of 200 stays whole, down to 50 and up to 130
    session = scenario().given(account("ann", 200), *position(1, BUY, price=100, lots=10, by="ann"))
    session.given(*position(3, SELL, price=100, lots=10, by="ann", on=TIN))
    for ticks in (*range(95, 45, -5), *range(55, 135, 5)):
        session.when(mark(ticks, on=TIN), mark(ticks)).then(mark_moved(ticks, on=TIN), mark_moved(ticks))
    # 135 and 128: equity 200 - 70, maintenance 67.5 + 64
    session.when(mark(135, on=TIN), mark(128))
    session.then(mark_moved(135, on=TIN), mark_moved(128), liquidation_due("ann", USD))


def test_a_position_that_turned_is_watched_on_its_other_side() -> None:
    session = scenario().given(account("ann", 100, mode=ISOLATED), *position(1, BUY, price=100, lots=10, by="ann"))
    session.given(*position(3, SELL, price=100, lots=20, by="ann"))
    session.when(mark(80)).then(mark_moved(80))
    session.when(mark(105)).then(mark_moved(105), liquidation_due("ann", GOLD))


def test_a_position_that_was_closed_is_watched_no_more() -> None:
    session = scenario().given(account("ann", 100), *position(1, BUY, price=100, lots=10, by="ann"))
    session.given(*position(3, SELL, price=100, lots=10, by="ann"))
    session.when(mark(50)).then(mark_moved(50))
    session.given(mark(100), *position(5, BUY, price=100, lots=10, by="ann"))
    session.when(mark(94)).then(mark_moved(94), liquidation_due("ann", USD))


def test_money_that_comes_in_moves_the_trigger() -> None:
    session = scenario().given(
        account("ann", 100), *position(1, BUY, price=100, lots=10, by="ann"), deposit("ann", 100)
    )
    session.when(mark(85)).then(mark_moved(85))
    session.when(mark(84)).then(mark_moved(84), liquidation_due("ann", USD))


def test_money_that_goes_out_moves_the_trigger() -> None:
    session = scenario().given(account("ann", 200), *position(1, BUY, price=100, lots=10, by="ann"))
    session.given(withdraw("ann", 100))
    session.when(mark(94)).then(mark_moved(94), liquidation_due("ann", USD))


@pytest.mark.parametrize(
    ("side", "lots", "trigger"),
    [
        # W = 100: 100 + 10 x (m - 100) = 0.5 x m at 94.7368..., 100 - 10 x (m - 100) = 0.5 x m at 104.7619...
        (BUY, 10, {"low": 947_368, "high": -1}),
        (SELL, 10, {"low": -1, "high": 1_047_620}),
        # 200 at 5x, W = 4,000: 10 % less 500. 180 x m = 15,500 at 86.1111...; 220 x m = 24,500 at 111.3636...
        (BUY, 200, {"low": 861_111, "high": -1}),
        (SELL, 200, {"low": -1, "high": 1_113_637}),
    ],
)
def test_the_trigger_of_an_isolated_position_is_the_first_mark_that_is_due(
    side: Side, lots: int, trigger: dict[str, int]
) -> None:
    leverage = 10 if lots == 10 else 5
    session = scenario().given(set_leverage("maker", 5), account("ann", 5000, mode=ISOLATED, leverage=leverage))
    session.given(*position(1, side, price=100, lots=lots, by="ann")).holds("ann", **trigger)


def test_a_position_on_margin_of_its_own_size_is_never_due() -> None:
    session = scenario().given(account("ann", 1000, mode=ISOLATED, leverage=1))
    session.given(*position(1, BUY, price=100, lots=10, by="ann"))
    session.when(mark_at(1)).then(mark_moved_at(1)).waits()


def test_triggers_that_were_moved_do_not_pile_up_and_the_others_are_kept() -> None:
    session = scenario()
    for number, (name, side) in enumerate((("ann", BUY), ("bob", SELL), ("eve", BUY), ("zoe", SELL))):
        session.given(account(name, 300, mode=ISOLATED), *position(2 * number + 1, side, price=100, lots=10, by=name))
    for _ in range(150):
        session.given(add_margin("ann", 1), add_margin("bob", 1))
    contract = session.state.contracts[GOLD]
    assert len(contract.lows) < 100
    assert len(contract.highs) < 100
    session.when(mark(94)).then(mark_moved(94), liquidation_due("eve", GOLD))
    session.when(mark(78)).then(mark_moved(78), liquidation_due("ann", GOLD))
    session.when(mark(105)).then(mark_moved(105), liquidation_due("zoe", GOLD))
    session.when(mark(120)).then(mark_moved(120), liquidation_due("bob", GOLD))
