"""What linked orders are refused for: how they go together first, then what each of them is refused for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from events.instructions import PriceMatch
from events.instruments import Leg
from events.refusals import Reason
from tests.scenario import Scenario, scenario
from tests.spec.linking import attached, bracket, pair, profit
from tests.spec.waiting import LAST, TAKE_PROFIT, waiting
from tests.spec.words import BUY, EASY, FOK, IOC, SELL, TIN, place, refused

LIMIT = place(20, SELL, lots=4, price=110)
STOP = waiting(21, SELL, at=90, lots=4)
GAIN = waiting(20, SELL, TAKE_PROFIT, at=110, lots=4)
ENTRY = place(20, BUY, lots=4, price=99)
PROFIT, LOSS = profit(21, SELL, at=110), attached(22, SELL, at=90)


def but(order: Any, **changes: Any) -> Any:
    """The order with something changed."""
    return replace(order, **changes)


TOGETHER: list[tuple[Reason, Any]] = [
    (Reason.LINKED_UNLIKE_COMMAND, pair(LIMIT, but(STOP, account="maker"))),
    (Reason.LINKED_UNLIKE_COMMAND, pair(LIMIT, but(STOP, at=99), LIMIT)),
    (Reason.LINKED_UNLIKE_COMMAND, bracket(but(ENTRY, request="another", reduce_only=True), PROFIT)),
    (Reason.NOT_A_PAIR, pair(LIMIT)),
    (Reason.NOT_A_PAIR, pair()),
    (Reason.NOT_A_PAIR, pair(LIMIT, STOP, but(STOP, number=22))),
    (Reason.NOT_A_PAIR, pair(LIMIT, GAIN)),
    (Reason.NOT_A_PAIR, pair(STOP, but(STOP, number=22))),
    (Reason.NOT_A_PAIR, pair(LIMIT, but(STOP, side=BUY))),
    (Reason.NOT_A_PAIR, pair(LIMIT, but(STOP, lots=5))),
    (Reason.NOT_A_PAIR, pair(LIMIT, but(STOP, instrument=TIN))),
    (Reason.NOT_A_PAIR, pair(LIMIT, but(STOP, leg=Leg.LONG))),
    (Reason.NOT_A_PAIR, pair(but(LIMIT, price=None), STOP)),
    (Reason.NOT_A_PAIR, pair(but(LIMIT, time_in_force=IOC), STOP)),
    (Reason.NOT_A_PAIR, pair(but(LIMIT, time_in_force=FOK, instrument="LEAD"), but(STOP, instrument="LEAD"))),
    (Reason.NOT_FOR_THE_ENTRY, bracket(ENTRY)),
    (Reason.NOT_FOR_THE_ENTRY, bracket(ENTRY, PROFIT, LOSS, but(LOSS, number=23))),
    (Reason.NOT_FOR_THE_ENTRY, bracket(ENTRY, LOSS, but(LOSS, number=23))),
    (Reason.NOT_FOR_THE_ENTRY, bracket(but(ENTRY, reduce_only=True), PROFIT)),
    (Reason.NOT_FOR_THE_ENTRY, bracket(but(ENTRY, leg=Leg.SHORT), but(PROFIT, leg=Leg.SHORT))),
    (Reason.NOT_FOR_THE_ENTRY, bracket(ENTRY, but(PROFIT, side=BUY))),
    (Reason.NOT_FOR_THE_ENTRY, bracket(ENTRY, but(PROFIT, lots=4))),
    (Reason.NOT_FOR_THE_ENTRY, bracket(ENTRY, but(PROFIT, closes=True))),
    (Reason.NOT_FOR_THE_ENTRY, bracket(ENTRY, but(PROFIT, instrument=TIN))),
    (Reason.NOT_FOR_THE_ENTRY, bracket(ENTRY, but(PROFIT, leg=Leg.LONG))),
    (Reason.NOT_FOR_THE_ENTRY, bracket(ENTRY, place(21, SELL, lots=0, price=110))),
    (Reason.UNKNOWN_INSTRUMENT, pair(but(LIMIT, instrument="LEAD", number=0), but(STOP, instrument="LEAD"))),
    (Reason.ORDER_NUMBER_USED, pair(but(LIMIT, number=21, client="a"), but(STOP, client="a"))),
    (Reason.ORDER_NUMBER_USED, bracket(ENTRY, but(PROFIT, number=19))),
    (Reason.CLIENT_ID_IN_USE, pair(but(LIMIT, client="a", price=0), but(STOP, client="a"))),
]
"""How they have to go together."""

EACH: list[tuple[Reason, Any]] = [
    (Reason.ORDER_NUMBER_USED, pair(but(LIMIT, number=-1), but(STOP, number=0))),
    (Reason.PRICE_OFF_TICK, pair(LIMIT, but(STOP, trigger="90.5"))),
    (Reason.SIZE_NOT_POSITIVE, pair(but(LIMIT, lots=0), but(STOP, lots=0))),
    (Reason.WOULD_TRIGGER_AT_ONCE, pair(but(LIMIT, price=0), but(STOP, trigger=100))),
    (Reason.PRICE_NOT_POSITIVE, pair(but(LIMIT, price=0), STOP)),
    (Reason.NO_LAST_PRICE, pair(GAIN, but(STOP, source=LAST))),
    (Reason.REDUCE_ONLY_WOULD_INCREASE, pair(but(LIMIT, reduce_only=True), STOP)),
    (Reason.PRICE_MATCH_WITH_PRICE, bracket(but(ENTRY, price_match=PriceMatch.QUEUE), PROFIT)),
    (Reason.SIZE_ABOVE_MAXIMUM, bracket(but(ENTRY, lots=10_001), but(PROFIT, trigger=None))),
    (Reason.NO_TRIGGER_PRICE, bracket(ENTRY, but(PROFIT, trigger=None), LOSS)),
    (Reason.CALLBACK_OUT_OF_RANGE, bracket(ENTRY, PROFIT, but(LOSS, callback=1))),
    (Reason.LEG_UNLIKE_POSITION_MODE, bracket(but(ENTRY, leg=Leg.LONG), but(PROFIT, leg=Leg.LONG))),
]
"""What one of them is refused for."""

REFUSED = [*TOGETHER, *EACH]


@pytest.mark.parametrize(("reason", "asked"), REFUSED, ids=[f"{row[0].value}-{n}" for n, row in enumerate(REFUSED)])
def test_all_of_them_are_refused_by_the_first_rule_that_is_broken(reason: Reason, asked: Any) -> None:
    scenario().when(asked).then(refused(reason))


def crowded(most: int) -> Scenario:
    """So many conditional orders are allowed."""
    return scenario(replace(EASY, max_triggers=most))


@pytest.mark.parametrize("asked", [pair(GAIN, STOP), bracket(ENTRY, PROFIT, LOSS)], ids=["pair", "bracket"])
def test_both_conditional_orders_count_against_how_many_there_may_be(asked: Any) -> None:
    crowded(1).when(asked).then(refused(Reason.TOO_MANY_TRIGGERS))
    told: Callable[..., Scenario] = crowded(2).when
    assert told(asked).state.accounts["taker"].positions["GOLD"].open_triggers == 2  # type: ignore[index]
