"""What a conditional order is refused for, by precedence: each breaks its rule, and every one below it in the list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from events import commands as c
from events.instruments import Leg
from events.refusals import Reason
from tests.scenario import Scenario, scenario
from tests.spec.contracts import dated, hedge, pack_of
from tests.spec.test_put_off import at, tripping
from tests.spec.waiting import LAST, TAKE_PROFIT, trailing, waiting, waits
from tests.spec.words import BUY, EASY, POST_ONLY, SELL, account, cancel, mark, position, refused

ALL: dict[str, Any] = {
    "price": "1.5", "lots": 0, "tif": POST_ONLY, "callback": 1, "closes": True, "reduce_only": True, "leg": Leg.LONG,
    "source": LAST,
}  # fmt: skip
"""What is wrong with an order that breaks every rule about its form that can be broken together."""


def plain(**more: Any) -> Any:
    """A sound stop, but for these."""
    return waiting(20, BUY, **({"at": 110} | more))


FORM: list[tuple[Reason, Any]] = [
    (Reason.UNKNOWN_INSTRUMENT, waiting(0, BUY, at=0, on="LEAD", **ALL)),
    (Reason.ORDER_NUMBER_USED, waiting(0, BUY, at=0, client="not one", **ALL)),
    (Reason.CLIENT_ID_MALFORMED, waiting(20, BUY, at=0, client="not one", **ALL)),
    (Reason.PRICE_NOT_POSITIVE, waiting(20, BUY, at=0, **ALL)),
    (Reason.PRICE_NOT_POSITIVE, waiting(20, BUY, at="1.5", **(ALL | {"price": -1}))),
    (Reason.PRICE_OFF_TICK, waiting(20, BUY, at=100, **ALL)),
    (Reason.PRICE_OFF_TICK, waiting(20, BUY, at="1.5", **(ALL | {"price": 5}))),
    (Reason.SIZE_NOT_POSITIVE, plain(lots=0, tif=POST_ONLY, callback=1)),
    (Reason.SIZE_NOT_POSITIVE, plain(lots=-1, tif=POST_ONLY, callback=1)),
    (Reason.SIZE_OFF_LOT, plain(lots="0.5", tif=POST_ONLY, callback=1, closes=True)),
    (Reason.SIZE_ABOVE_MAXIMUM, plain(lots=10_001, tif=POST_ONLY, callback=1)),
    (Reason.MARKET_ORDER_CANNOT_REST, plain(at=None, tif=POST_ONLY, callback=1)),
    (Reason.NO_TRIGGER_PRICE, plain(at=None, callback=1)),
    (Reason.CALLBACK_OUT_OF_RANGE, plain(callback=1, leg=Leg.LONG)),
    (Reason.CALLBACK_OUT_OF_RANGE, trailing(20, BUY, percent=0, price=5)),
    (Reason.CALLBACK_OUT_OF_RANGE, trailing(20, BUY, percent=0.09, price=5)),
    (Reason.CALLBACK_OUT_OF_RANGE, trailing(20, BUY, percent=10.1, price=5)),
    (Reason.NOT_FOR_TRAILING_STOPS, trailing(20, BUY, percent=0.1, price=5, leg=Leg.LONG)),
    (Reason.NOT_FOR_TRAILING_STOPS, trailing(20, BUY, percent=10, closes=True, reduce_only=True)),
    (Reason.NOT_FOR_TRAILING_STOPS, trailing(20, BUY, protects=True, leg=Leg.LONG)),
    (Reason.CLOSES_WHOLE_POSITION, plain(closes=True, lots=2, leg=Leg.LONG)),
    (Reason.CLOSES_WHOLE_POSITION, plain(closes=True, reduce_only=True, leg=Leg.SHORT)),
    (Reason.CLOSES_WHOLE_POSITION, plain(closes=True, price=5, leg=Leg.SHORT)),
    (Reason.CLOSES_WHOLE_POSITION, plain(closes=True, leg=Leg.LONG)),
    (Reason.LEG_UNLIKE_POSITION_MODE, plain(leg=Leg.LONG, source=LAST)),
    (Reason.NO_LAST_PRICE, plain(at=90, source=LAST)),
    (Reason.WOULD_TRIGGER_AT_ONCE, plain(at=100)),
    (Reason.WOULD_TRIGGER_AT_ONCE, waiting(20, SELL, at=100)),
    (Reason.WOULD_TRIGGER_AT_ONCE, waiting(20, BUY, TAKE_PROFIT, at=100)),
    (Reason.WOULD_TRIGGER_AT_ONCE, waiting(20, SELL, TAKE_PROFIT, at=100)),
    (Reason.WOULD_TRIGGER_AT_ONCE, trailing(20, SELL, at=100)),
    (Reason.WOULD_TRIGGER_AT_ONCE, trailing(20, BUY, at=100)),
]


@pytest.mark.parametrize(("reason", "asked"), FORM, ids=[f"{row[0].value}-{n}" for n, row in enumerate(FORM)])
def test_it_is_refused_by_the_first_rule_that_it_breaks(reason: Reason, asked: Any) -> None:
    scenario().when(asked).then(refused(reason))


def halted() -> Scenario:
    """Trading in GOLD is halted."""
    return scenario(tripping()).given(at(10, mark(100)), at(20, mark(89)))


def crowded() -> Scenario:
    """The account has two conditional orders already, one of which closes its position, and no more are allowed."""
    return scenario(replace(EASY, max_triggers=2)).given(plain(at=120, closes=True), waiting(21, SELL, at=80))


def closing() -> Scenario:
    """A buy closes the position already where the mark rises."""
    return scenario().given(plain(at=120, closes=True))


STANDING: list[tuple[Reason, Callable[[], Scenario], Any]] = [
    (Reason.CLIENT_ID_IN_USE, lambda: scenario().given(plain(client="a")), replace(plain(at=0, client="a"), number=21)),
    (Reason.TRADING_HALTED, halted, plain(at=1)),
    (Reason.NO_MARK_PRICE, lambda: scenario(marks=None), plain(source=LAST)),
    (Reason.TOO_MANY_TRIGGERS, crowded, replace(plain(at=50, closes=True), number=22)),
    (Reason.CLOSING_TRIGGER_EXISTS, closing, replace(plain(at=50, closes=True), number=22)),
]


@pytest.mark.parametrize(
    ("reason", "situation", "asked"), STANDING, ids=[f"{row[0].value}-{n}" for n, row in enumerate(STANDING)]
)
def test_what_stands_against_it_is_said_by_precedence(
    reason: Reason, situation: Callable[[], Scenario], asked: Any
) -> None:
    situation().when(asked).then(refused(reason))


def test_a_size_below_the_smallest_is_refused() -> None:
    (terms, *_) = EASY.instruments
    told = scenario(replace(EASY, instruments=(replace(terms, min_lots=5),)))
    told.when(plain(lots=4)).then(refused(Reason.SIZE_BELOW_MINIMUM))


def test_another_account_another_instrument_and_another_direction_have_limits_of_their_own() -> None:
    told = crowded().when(waiting(22, BUY, at=110, by="maker")).then(waits(22, BUY, at=110, by="maker"))
    told.when(waiting(23, BUY, at=110, on="TIN")).then(waits(23, BUY, at=110, on="TIN"))
    closing().when(waiting(22, BUY, TAKE_PROFIT, at=90, closes=True), waiting(23, SELL, at=90, closes=True)).then(
        waits(22, BUY, TAKE_PROFIT, at=90, closes=True, reduce_only=True),
        waits(23, SELL, at=90, closes=True, reduce_only=True),
    )


def test_one_that_is_gone_makes_room() -> None:
    told = crowded().given(cancel(20, by="taker"))
    told.when(waiting(22, BUY, at=120, closes=True)).then(waits(22, BUY, at=120, closes=True, reduce_only=True))


def test_a_leg_says_whether_it_reduces() -> None:
    told = scenario().given(hedge("taker"))
    told.when(waiting(20, SELL, at=90, leg=Leg.LONG)).then(waits(20, SELL, at=90, leg=Leg.LONG, reduce_only=True))
    told.when(waiting(21, SELL, at=90, leg=Leg.SHORT)).then(waits(21, SELL, at=90, leg=Leg.SHORT))
    told.when(waiting(22, SELL, at=90, leg=Leg.SHORT, closes=True)).then(refused(Reason.CLOSES_WHOLE_POSITION))


def test_an_account_whose_pool_is_due_places_none() -> None:
    told = scenario().given(account("ann", 110), position(1, BUY, price=100, lots=10, by="ann"), mark(93))
    told.when(waiting(30, BUY, at=1, by="ann", source=LAST)).then(refused(Reason.LIQUIDATION_IN_PROGRESS))


def test_a_contract_that_expired_takes_none() -> None:
    told = scenario(pack_of(dated()))
    told.given(c.AdvanceTime(dated().expiry)).when(plain(at=1)).then(refused(Reason.INSTRUMENT_EXPIRED))


def test_every_reason_of_a_conditional_order_is_reached_above() -> None:
    own = {Reason.NO_TRIGGER_PRICE, Reason.CALLBACK_OUT_OF_RANGE, Reason.NOT_FOR_TRAILING_STOPS}
    own |= {Reason.CLOSES_WHOLE_POSITION, Reason.NO_LAST_PRICE, Reason.TOO_MANY_TRIGGERS}
    own |= {Reason.CLOSING_TRIGGER_EXISTS, Reason.WOULD_TRIGGER_AT_ONCE}
    assert own <= REACHED


REACHED = {reason for reason, _ in FORM} | {row[0] for row in STANDING}
"""The reasons that this table reaches."""
