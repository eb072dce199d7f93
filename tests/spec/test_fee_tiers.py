"""Fee tiers: by the volume of the 30 days before today (UTC), makers and takers alike, in the quote asset."""

from __future__ import annotations

from typing import Any

import pytest

from events.instruments import FeeTier
from exchange.core.fees import DAY, tier_of
from tests.scenario import Scenario, scenario
from tests.spec.contracts import COIN, OUNCE, inverse, later, pack_of
from tests.spec.words import (
    BUY,
    CLOSED,
    FOK,
    GOLD,
    PERCENT,
    SELL,
    account,
    deposit,
    forced_order,
    instrument,
    liquidation_ended,
    liquidation_started,
    mark,
    open_account,
    place,
    position,
    proceed,
    resting,
    traded,
)

TIERS = (FeeTier(0, 0, 0), FeeTier(1_000, PERCENT, 2 * PERCENT), FeeTier(5_000, -PERCENT, PERCENT))
"""From 1,000 on 1 % and 2 %, from 5,000 on a rebate of 1 % and a fee of 1 %; below the instrument's own 2 % and 4 %."""

RULES = pack_of(instrument(GOLD, maker_fee=2 * PERCENT, taker_fee=4 * PERCENT), fee_tiers=TIERS)
COINS = pack_of(inverse(maker_fee=2 * PERCENT, taker_fee=4 * PERCENT), fee_tiers=TIERS)


def ann(volume: int = 0) -> list[Any]:
    """Ann, who has bought and sold so much for 100 each."""
    traded = position(1, BUY, price=100, lots=volume // 200, by="ann") if volume else []
    back = position(3, SELL, price=100, lots=volume // 200, by="ann") if volume else []
    return [account("ann", 100_000), *traded, *back]


def session(volume: int = 0, day: int = 1) -> Scenario:
    """What Ann traded on day 0, seen on another day."""
    return scenario(RULES).given(ann(volume), later(day * DAY))


def test_the_fees_of_the_first_tier_are_those_of_the_instrument() -> None:
    told = session().given(resting(11, SELL, price=100, lots=10))
    told.when(place(12, BUY, price=100, lots=10, by="ann")).then(traded(11, 12, price=100, lots=10, fees=(20, 40)))


@pytest.mark.parametrize(
    ("volume", "day", "fee"),
    [
        # nothing of today counts today, and all of it tomorrow
        (1_000, 0, 40),
        (800, 1, 40),
        (1_000, 1, 20),
        (5_000, 1, 10),
        # day 0 is one of the 30 before day 30, and none of those before day 31
        (5_000, 30, 10),
        (5_000, 31, 40),
    ],
)
def test_a_taker_pays_by_what_it_traded(volume: int, day: int, fee: int) -> None:
    told = session(volume, day).given(resting(11, SELL, price=100, lots=10))
    told.when(place(12, BUY, price=100, lots=10, by="ann"))
    maker = told.state.accounts["maker"]
    rate = {0: 20, 1: 10, 2: -10}[tier_of(told.state, maker)]
    told.then(traded(11, 12, price=100, lots=10, fees=(rate, fee)))


@pytest.mark.parametrize(("volume", "fee"), [(800, 20), (1_000, 10), (5_000, -10)])
def test_a_maker_pays_or_receives_by_what_it_traded(volume: int, fee: int) -> None:
    told = session(volume).given(resting(11, SELL, price=100, lots=10, by="ann"), account("eve", 1000))
    told.when(place(12, BUY, price=100, lots=10, by="eve")).then(traded(11, 12, price=100, lots=10, fees=(fee, 40)))


def test_days_add_up() -> None:
    # 600 on day 0 and 400 on day 1 are 1,000 on day 2, and 400 on day 31
    told = session(600).given(position(5, BUY, price=100, lots=4, by="ann"), later(2 * DAY))
    assert tier_of(told.state, told.state.accounts["ann"]) == 1
    told.given(later(31 * DAY))
    assert tier_of(told.state, told.state.accounts["ann"]) == 0
    assert told.state.accounts["ann"].volumes == {0: 600, 1: 400}


def test_days_that_count_no_more_are_forgotten_by_the_next_trade() -> None:
    told = session(600, day=31).given(position(5, BUY, price=100, lots=4, by="ann"))
    assert told.state.accounts["ann"].volumes == {31: 400}


def test_an_order_reserves_the_fee_of_its_tier() -> None:
    # 10 at 100: 100 of margin and 4 % or 2 % of 1,000
    told = session().given(place(5, BUY, price=100, lots=10, by="ann"))
    told.holds("ann", available=100_000 - 100 - 40)
    told = session(1_000)
    wallet = told.position("ann").wallet.balance
    told.given(place(5, BUY, price=100, lots=10, by="ann")).holds("ann", available=wallet - 100 - 20)


def test_a_fill_or_kill_order_is_checked_with_the_fee_of_its_tier() -> None:
    told = session(1_000).given(resting(11, SELL, price=100, lots=10, by="taker"))
    told.when(place(12, BUY, price=100, lots=10, by="ann", tif=FOK)).then(
        traded(11, 12, price=100, lots=10, fees=(20, 20))
    )


def test_an_inverse_contract_counts_by_its_face_in_the_quote_asset() -> None:
    # a lot is 10,000 mark units x 10,000 x 10^-8 = 1 atom of USD, whatever the price
    told = scenario(COINS).given(open_account("ann"), deposit("ann", 100_000, asset=OUNCE))
    told.given(position(1, BUY, price=50, lots=10, by="ann", on=COIN))
    assert told.state.accounts["ann"].volumes == {0: 10 * FACE}
    told.given(position(3, BUY, price=80, lots=10, by="ann", on=COIN))
    assert told.state.accounts["ann"].volumes == {0: 20 * FACE}


FACE = 10_000 * 10_000 // 10**8
"""contract value x lot, atoms of the quote asset."""


def test_a_forced_trade_counts_and_pays_no_fee_all_the_same() -> None:
    # 150 - 40 - 60 = 50, and 47 are needed at 94; at 93 40 of 46.5
    told = scenario(RULES).given(account("bob", 150), position(1, BUY, price=100, lots=10, by="bob"))
    told.given(resting(3, BUY, price=93, lots=10), mark(93)).when(proceed())
    told.then(
        liquidation_started("bob", "USD", equity=40, maintenance=47),
        forced_order("bob", SELL, lots=10, limit=89, at=93),
        traded(3, "bob", price=93, lots=10, fees=(19, 0), side=SELL),
        liquidation_ended("bob", "USD", CLOSED, equity=40),
    )
    assert told.state.accounts["bob"].volumes == {0: 1_000 + 930}
