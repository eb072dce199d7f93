"""Conditional orders that are amended while they wait: what may change, how old they are then, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from events import commands as c
from events import facts as f
from events.commands import OrderNumber
from events.facts import OrderTriggered
from events.instructions import PriceMatch
from events.refusals import Reason
from events.units import UNIT
from tests.scenario import Scenario, scenario
from tests.spec.contracts import dated, pack_of
from tests.spec.falsifying import noticed, putting, told
from tests.spec.test_put_off import at, tripping
from tests.spec.waiting import (
    LAST,
    TAKE_PROFIT,
    amend_waiting,
    amended_waiting,
    reached,
    trailing,
    triggered,
    waiting,
)
from tests.spec.words import (
    BUY,
    EASY,
    PERCENT,
    SELL,
    account,
    amend,
    cancel,
    cancelled,
    item_refused,
    mark,
    mark_moved,
    pack,
    place,
    position,
    proceed,
    refused,
    rested,
    resting,
    together,
    traded,
)


def fired(told_so_far: Scenario) -> list[int]:
    """The orders that fire when the queue is worked off, in order."""
    return [fact.number for fact in told_so_far.run(proceed()) if isinstance(fact, OrderTriggered)]


class TestWhatChanges:
    """It waits for another price, for another size, to be another order."""

    def test_another_trigger_price(self) -> None:
        session = scenario().given(waiting(20, BUY, at=110), waiting(21, SELL, TAKE_PROFIT, at=120))
        session.when(amend_waiting(20, at=105)).then(amended_waiting(20, at=105))
        session.when(amend_waiting(21, at=110)).then(amended_waiting(21, at=110))
        session.when(mark(105)).then(mark_moved(105), reached())
        told(session.when(mark(110)).then(mark_moved(110), reached()))

    def test_the_old_one_counts_no_more(self) -> None:
        session = scenario().given(waiting(20, BUY, at=110), amend_waiting(20, at=130), mark(129)).waits()
        told(session.given(mark(130)).waits(("GOLD", "")))

    def test_a_size_and_a_limit_price(self) -> None:
        session = scenario().given(waiting(20, BUY, at=110, lots=3, price=105))
        session.when(amend_waiting(20, at=110, lots=5)).then(amended_waiting(20, at=110, lots=5, price=105, keeps=True))
        session.when(amend_waiting(20, at=111, lots=2, price=90)).then(amended_waiting(20, at=111, lots=2, price=90))
        told(session.given(mark(111)).when(proceed()).then(triggered(20, 2), rested(20, 2)))

    def test_by_its_client_id(self) -> None:
        session = scenario().given(waiting(20, BUY, at=110, client="mine"))
        session.when(amend_waiting(0, at=111, client="mine")).then(amended_waiting(20, at=111))
        told(session.when(cancel(0, by="taker", client="mine")).then(cancelled(20, 1)))

    def test_by_last_prices_too(self) -> None:
        session = scenario().given(resting(1, SELL, price=100, lots=1), place(2, BUY, price=100, lots=1))
        session.given(waiting(20, BUY, at=110, source=LAST), amend_waiting(20, at=101))
        session.when(resting(3, SELL, price=101, lots=1), place(24, BUY, price=101, lots=1)).then(
            rested(3, 1), traded(3, 24, price=101, lots=1), reached()
        )
        told(session)

    def test_the_trigger_price_of_one_that_closes(self) -> None:
        session = scenario().given(
            position(1, BUY, price=100, lots=2, by="taker"), waiting(20, SELL, at=90, closes=True)
        )
        session.when(amend_waiting(20, at=95)).then(amended_waiting(20, at=95, lots=0))
        session.when(waiting(21, SELL, at=80, closes=True)).then(refused(Reason.CLOSING_TRIGGER_EXISTS))
        told(session)

    def test_in_a_batch_each_item_by_itself(self) -> None:
        session = scenario().given(waiting(20, BUY, at=110))
        items = waiting(21, BUY, at=120), amend_waiting(20, at=111), amend_waiting(21, at=99), amend_waiting(21, at=105)
        numbered = [replace(item, request=f"r{n}") for n, item in enumerate(items)]
        facts = session.run(together(*numbered))
        assert [type(fact) for fact in facts] == [f.TriggerPlaced, f.TriggerAmended, f.ItemRefused, f.TriggerAmended]
        assert facts[2] == item_refused(2, Reason.WOULD_TRIGGER_AT_ONCE)
        told(session)


class TestTrailingStops:
    """They keep the extreme of their price."""

    def test_another_activation_price(self) -> None:
        session = scenario(marks=1000).given(trailing(20, SELL, at=1050))
        session.when(amend_waiting(20, at=1100)).then(amended_waiting(20, at=1100, percent=1))
        session.given(mark(1051), mark(1000)).waits()
        told(session.given(mark(1100), mark(1089)).waits(("GOLD", "")))

    def test_another_callback(self) -> None:
        session = scenario(marks=1000).given(trailing(20, SELL, percent=1), mark(1100))
        session.when(amend_waiting(20, percent=5)).then(amended_waiting(20, percent=5))
        session.given(mark(1046)).waits()
        told(session.given(mark(1045)).waits(("GOLD", "")))

    def test_a_callback_that_the_price_turned_back_by_already_is_refused(self) -> None:
        session = scenario(marks=1000).given(trailing(20, BUY, percent=5), mark(900), mark(910))
        session.when(amend_waiting(20, percent=1)).then(refused(Reason.WOULD_TRIGGER_AT_ONCE))
        session.when(amend_waiting(20, percent=2)).then(amended_waiting(20, percent=2))
        told(session.given(mark(917)).waits().given(mark(918)).waits(("GOLD", "")))

    def test_another_size_beside_the_callback_that_it_has(self) -> None:
        session = scenario(marks=1000).given(trailing(20, SELL, percent=1), trailing(21, SELL, percent=1))
        session.when(amend_waiting(20, percent=1, lots=7)).then(amended_waiting(20, percent=1, lots=7, keeps=True))
        session.given(mark(990))
        assert fired(session) == [20, 21]
        told(session)

    def test_one_of_a_group_leaves_the_others_as_they_are(self) -> None:
        session = scenario(marks=1000).given(*(trailing(number, SELL, percent=number - 18) for number in (20, 21, 22)))
        session.given(amend_waiting(20, percent=5), amend_waiting(22, percent=1), mark(990))
        assert fired(session) == [22]
        session.given(mark(970))
        assert fired(session) == [21]
        told(session.given(mark(951)).waits().given(mark(950)).waits(("GOLD", "")))


class TestAge:
    """Of those that a price meets at once the older fires first."""

    def test_what_waits_for_another_price_is_as_young_as_its_amendment(self) -> None:
        session = scenario().given(waiting(20, BUY, at=110), waiting(21, BUY, at=105), amend_waiting(20, at=105))
        session.given(mark(105))
        assert fired(session) == [21, 20]
        told(session)

    def test_another_size_or_limit_price_makes_it_no_younger(self) -> None:
        session = scenario().given(waiting(20, BUY, at=105, price=90), waiting(21, BUY, at=105))
        session.given(amend_waiting(20, at=105, lots=9), amend_waiting(20, at=105, price=91), mark(105))
        assert fired(session) == [20, 21]
        told(session)

    def test_it_is_listed_where_it_was(self) -> None:
        session = scenario().given(waiting(20, BUY, at=110), waiting(21, BUY, at=111), amend_waiting(20, at=120))
        assert list(session.state.accounts["taker"].triggers) == [20, 21]  # type: ignore[index]


def two() -> Scenario:
    """A stop to buy, one that closes, one that trails, and an order in the book."""
    session = scenario(replace(EASY, max_amendments=1)).given(position(1, BUY, price=100, lots=2, by="taker"))
    session.given(waiting(20, BUY, at=110, lots=3, price=105), waiting(21, SELL, at=90, closes=True))
    return session.given(trailing(22, BUY, percent=1), resting(23, BUY, price=80, lots=1, by="taker"))


def amended_once() -> Scenario:
    """It was amended as often as it may be."""
    return two().given(amend_waiting(20, at=111))


def reached_already() -> Scenario:
    """Its price has come, and it has not fired."""
    return two().given(mark(110))


def halted() -> Scenario:
    """Trading is halted while it waits."""
    return scenario(tripping()).given(at(10, mark(100)), at(11, waiting(20, BUY, at=110)), at(20, mark(89)))


def underwater() -> Scenario:
    """The pool of its account is due."""
    session = scenario().given(account("ann", 110), position(1, BUY, price=100, lots=10, by="ann"))
    return session.given(waiting(30, BUY, at=200, by="ann"), mark(93))


REFUSED: list[tuple[Reason, Callable[[], Scenario], Any]] = [
    (Reason.UNKNOWN_ORDER, two, amend_waiting(99, at=0)),
    (Reason.UNKNOWN_ORDER, two, amend_waiting(0, at=0, client="none")),
    (Reason.UNKNOWN_ORDER, two, amend(20, lots=2, by="taker")),
    (Reason.PRICE_NOT_POSITIVE, two, amend_waiting(20, at=0, price="0.5", lots="0.5")),
    (Reason.PRICE_NOT_POSITIVE, two, amend_waiting(21, at=90, price=-1)),
    (Reason.PRICE_OFF_TICK, two, amend_waiting(20, at="0.5", lots=0)),
    (Reason.SIZE_NOT_POSITIVE, two, amend_waiting(20, at=100, percent=1, lots=0)),
    (Reason.SIZE_OFF_LOT, two, amend_waiting(21, at=90, percent=1, lots="0.5")),
    (Reason.SIZE_ABOVE_MAXIMUM, two, amend_waiting(20, at=100, percent=1, lots=10_001)),
    (Reason.CALLBACK_OUT_OF_RANGE, two, amend_waiting(20, at=110, percent=1)),
    (Reason.CALLBACK_OUT_OF_RANGE, two, amend_waiting(22, at=110, percent=0.01)),
    (Reason.CALLBACK_OUT_OF_RANGE, two, amend_waiting(22, percent=11)),
    (Reason.NOT_AMENDABLE, two, amend_waiting(21, at=90, lots=2)),
    (Reason.NOT_AMENDABLE, two, amend_waiting(21, at=90, price=80)),
    (Reason.NOT_AMENDABLE, two, amend_waiting(22, percent=1, price=80)),
    (Reason.NOT_AMENDABLE, two, amend_waiting(22, at=90)),
    (Reason.NOT_AMENDABLE, two, amend_waiting(23, at=90)),
    (Reason.NOT_AMENDABLE, two, amend_waiting(23, percent=1)),
    (Reason.NOT_AMENDABLE, reached_already, amend_waiting(20, at=110)),
    (Reason.NOTHING_TO_AMEND, amended_once, amend_waiting(20, at=111)),
    (Reason.NOTHING_TO_AMEND, two, amend_waiting(22, percent=1)),
    (Reason.TOO_MANY_AMENDMENTS, amended_once, amend_waiting(20, at=100)),
    (Reason.LIQUIDATION_IN_PROGRESS, underwater, amend_waiting(30, at=10, by="ann")),
    (Reason.TRADING_HALTED, halted, amend_waiting(20, at=10)),
    (Reason.WOULD_TRIGGER_AT_ONCE, two, amend_waiting(20, at=100)),
    (Reason.WOULD_TRIGGER_AT_ONCE, two, amend_waiting(21, at=100)),
]
"""Each breaks its rule, and those below it in the list that it can."""


@pytest.mark.parametrize(
    ("reason", "situation", "asked"), REFUSED, ids=[f"{row[0].value}-{n}" for n, row in enumerate(REFUSED)]
)
def test_it_is_refused_by_the_first_rule_that_it_breaks(
    reason: Reason, situation: Callable[[], Scenario], asked: Any
) -> None:
    told(situation().when(asked).then(refused(reason)))


def test_one_that_was_refused_waits_as_before() -> None:
    session = two().given(mark(105))
    session.when(amend_waiting(20, at=105)).then(refused(Reason.WOULD_TRIGGER_AT_ONCE))
    told(session.when(mark(110)).then(mark_moved(110), reached()))


def test_one_that_matches_a_price_has_none_to_amend() -> None:
    session = scenario().given(waiting(20, BUY, at=110, price_match=PriceMatch.QUEUE))
    session.when(amend_waiting(20, at=110, price=90)).then(refused(Reason.PRICE_MATCH_WITH_PRICE))
    told(session.when(amend_waiting(20, at=111, lots=4)).then(amended_waiting(20, at=111, lots=4)))


def test_one_that_settles_first_is_unknown() -> None:
    terms = dated()
    session = scenario(pack_of(terms)).given(waiting(20, BUY, at=110), c.AdvanceTime(terms.expiry))
    facts = session.run(replace(amend_waiting(20, at=111), at=terms.expiry))
    assert facts[-1] == refused(Reason.UNKNOWN_ORDER)


def test_amendments_are_not_counted_on_once_it_fired() -> None:
    session = amended_once().given(cancel(22), mark(111))
    session.when(proceed()).then(triggered(20, 3), rested(20, 3))
    told(session.when(amend(20, lots=2, by="taker")).then(
        f.OrderAmended("", OrderNumber(20), 105, 2, 2, True)  # type: ignore[arg-type]
    ))  # fmt: skip


CHANGED: list[tuple[str, dict[str, Any]]] = [
    ("order that the command names", {"number": 21}),
    ("lots as asked for", {"lots": 4}),
    ("trigger as asked for", {"trigger": 109}),
    ("price as asked for", {"price": 106}),
    ("callback as asked for", {"callback": UNIT // 100}),
    ("whether it keeps its priority", {"keeps_priority": True}),
]


@pytest.mark.parametrize(("what", "fields"), CHANGED)
def test_the_auditor_knows_what_was_asked_for(what: str, fields: dict[str, Any]) -> None:
    noticed(two().given(amend_waiting(20, at=111)), what, putting(**fields), f.TriggerAmended)


def instead(session: Scenario, what: str, asked: Any, **fields: Any) -> None:
    """The auditor would notice this fact after that command, where another command was recorded."""
    said = f.TriggerAmended(**({"account": "taker", "number": 20, "lots": 1, "trigger": 110, "price": None} | fields))

    def change(message: Any) -> Any:
        return asked if isinstance(message, c.CancelOrder) else said

    noticed(session, what, change)


def test_the_auditor_knows_what_may_be_amended() -> None:
    one = lambda: scenario(pack(), marks=1000).given(waiting(20, BUY, at=1100))  # noqa: E731
    ask = amend_waiting
    instead(one().given(cancel(20)), "it changes", ask(20, at=1100), trigger=1100, keeps_priority=True)
    instead(one().given(cancel(20)), "has not come yet", ask(20, at=1000), trigger=1000)
    instead(one().given(cancel(20)), "has a size", ask(20, at=1101, lots=0), trigger=1101, lots=0)
    instead(one().given(cancel(20)), "limit price stays one", ask(20, at=1101, price=5), trigger=1101, price=5)
    callback = {"trigger": 1101, "callback": PERCENT}
    instead(one().given(cancel(20)), "has a callback", ask(20, at=1101, percent=1), **callback)
    instead(one().given(mark(1100), cancel(20)), "no price has reached it", ask(20, at=1200), trigger=1200)
    trails = lambda: scenario(pack(), marks=1000).given(trailing(20, SELL, percent=1), mark(1100))  # noqa: E731
    moved = {"trigger": 1200, "callback": PERCENT}
    instead(trails().given(cancel(20)), "what trails is activated", ask(20, at=1200), **moved)
    turned = {"trigger": None, "callback": UNIT // 1000}
    instead(trails().given(mark(1095), cancel(20)), "has not come yet", ask(20, percent=0.1), **turned)
    once = scenario(replace(EASY, max_amendments=0)).given(waiting(20, BUY, at=110), cancel(20))
    instead(once, "amended once more", ask(20, at=111), trigger=111)
    closes = scenario().given(waiting(20, SELL, at=90, closes=True), cancel(20))
    instead(closes, "has a size, or closes", ask(20, at=91, lots=5), trigger=91, lots=5)
