"""What the auditor notices of conditional orders: it follows every price and every extreme by itself."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from events import facts as f
from events.facts import Expiry
from events.record import Batch, Record
from events.refusals import Reason
from exchange.audit import AuditError, Auditor
from tests.scenario import Scenario, scenario
from tests.spec.falsifying import Change, noticed, putting, told
from tests.spec.tape import printed, tape
from tests.spec.waiting import LAST, TAKE_PROFIT, trailing, waiting
from tests.spec.words import BUY, PERCENT, SELL, account, cancel, mark, pack, place, position, proceed, resting


def without(_message: Any) -> None:
    """The message is left out."""


def of(kind: type[f.Fact], change: Change) -> Change:
    """The change, of this kind of fact only."""
    return lambda message: change(message) if type(message) is kind else message


def waits(*asked: Any) -> Scenario:
    """The mark is at 100, the last price too, and these wait."""
    traded = resting(1, SELL, price=100, lots=1), place(2, BUY, price=100, lots=1)
    return scenario(pack(trigger_protect=5 * PERCENT)).given(*traded, *asked)


STOPS = waiting(20, BUY, at=105), waiting(21, BUY, at=103), trailing(22, SELL, percent=2)


def test_it_has_nothing_to_say_where_all_is_as_it_was() -> None:
    session = told(waits(*STOPS, mark(104), cancel(21), mark(110), proceed(1), mark(107), proceed()))
    told(session.given(waiting(30, SELL, at=90, closes=True), mark(90), proceed()))


def test_an_order_that_was_reached_has_to_be_said() -> None:
    noticed(waits(*STOPS, mark(106)), "reached orders were not said", of(f.TriggersReached, without))


@pytest.mark.parametrize("orders", [1, 3])
def test_all_that_were_reached_are_counted(orders: int) -> None:
    noticed(waits(*STOPS, mark(106)), "orders that were reached", of(f.TriggersReached, putting(orders=orders)))


def test_a_mark_that_reaches_nobody_says_nothing() -> None:
    noticed(waits(*STOPS, mark(106)), "orders that were reached", putting(mark=102 * 10_000))


def test_who_was_met_first_fires_first() -> None:
    session = waits(*STOPS, mark(106), proceed(1))
    noticed(session, "it is its turn", of(f.OrderTriggered, putting(number=20)))


def test_nobody_fires_whose_price_did_not_come() -> None:
    noticed(waits(*STOPS, mark(104), proceed(1)), "it is its turn", of(f.OrderTriggered, putting(number=20)))
    noticed(waits(*STOPS, mark(104), proceed(1)), "it waits", of(f.OrderTriggered, putting(number=29)))


def test_the_extreme_is_the_highest_price_since_it_was_placed() -> None:
    told(waits(trailing(20, SELL, percent=2), mark(110), mark(108)))
    noticed(
        waits(trailing(20, SELL, percent=2), mark(110), mark(107)),
        "orders that were reached",
        putting(mark=108 * 10_000),
    )


def test_it_fires_for_its_size() -> None:
    noticed(waits(*STOPS, mark(104), proceed(1)), "lots of the order", of(f.OrderTriggered, putting(lots=2)))


@pytest.mark.parametrize("fields", [{"lots": 2}, {"number": 9}, {"reduce_only": True}, {"price": 7}])
def test_it_becomes_the_order_that_was_placed(fields: dict[str, Any]) -> None:
    session = waits(waiting(20, BUY, at=104, price=90), mark(104), proceed(1))
    noticed(session, "as placed|as it fired", of(f.OrderAccepted, putting(**fields)))


def test_what_fired_is_accepted_or_refused() -> None:
    session = waits(waiting(20, BUY, at=110, reduce_only=True), mark(110), proceed(1))
    noticed(session, "fired and was not decided", of(f.OrderExpired, without))
    noticed(session, "whether a rule is named", of(f.OrderExpired, putting(reason=None)))
    noticed(session, "whether it was refused", of(f.OrderExpired, putting(why=Expiry.IMMEDIATE, reason=None)))


def test_an_order_that_was_asked_for_or_fired_is_accepted_and_no_other() -> None:
    session = waits(*STOPS, mark(104), proceed(1))
    noticed(session, "it was asked for, or fired", of(f.OrderTriggered, without))


def test_protection_is_where_the_prices_are_apart() -> None:
    torn = waits(waiting(20, BUY, at=106, protects=True), mark(106), proceed())
    noticed(torn, "whether a rule is named", of(f.OrderExpired, putting(reason=Reason.NO_POSITION)))
    noticed(torn, "reason for it to expire", of(f.OrderExpired, putting(why=Expiry.NOTHING_TO_REDUCE)))
    near = waits(waiting(20, BUY, at=104, protects=True), mark(104), proceed())
    expires = f.OrderExpired("taker", 20, 1, Expiry.PRICE_PROTECTION)  # type: ignore[arg-type]
    noticed(near, "reason for it to expire", of(f.OrderTriggered, lambda _: expires))


def test_what_protects_does_not_fire_where_they_are_apart() -> None:
    torn = waits(waiting(20, BUY, at=106, protects=True), mark(106), proceed())
    fires = f.OrderTriggered("taker", 20, 1)  # type: ignore[arg-type]
    noticed(torn, "not protected from this price", of(f.OrderExpired, lambda _: fires))


def test_what_waits_ends_whole_and_for_a_reason() -> None:
    cancelled = waits(waiting(20, BUY, at=106, lots=3), cancel(20))
    noticed(cancelled, "lots that wait", of(f.OrderCancelled, putting(lots=2)))
    liquidated = waits(account("ann", 110), position(30, BUY, price=100, lots=10, by="ann"))
    liquidated.given(waiting(40, SELL, at=50, by="ann"), mark(93), proceed())
    noticed(liquidated, "reason for it to expire", of(f.OrderExpired, putting(why=Expiry.SETTLEMENT)))


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"trigger": 100}, "as asked for"),
        ({"lots": 0}, "as asked for"),
        ({"callback": 5}, "as asked for"),
        ({"source": LAST}, "as asked for"),
        ({"number": 9}, "as asked for"),
    ],
)
def test_what_waits_is_what_was_asked_for(fields: dict[str, Any], what: str) -> None:
    session = waits(waiting(20, BUY, at=106))
    noticed(session, what, of(f.TriggerPlaced, putting(**fields)))


def test_the_limit_of_the_pack_and_one_closing_order_a_direction_are_kept() -> None:
    rules = replace(pack(), max_triggers=2)
    full = scenario(rules).given(waiting(20, BUY, at=106, closes=True), waiting(21, BUY, at=107))
    told(full)
    first, *rest = full.batches
    narrow = replace(rules, max_triggers=1)
    opened = [replace(r, message=_under(r.message, narrow)) for r in first.records]
    with pytest.raises(AuditError, match="may have one more"):
        _audited([Batch(first.number, first.at, opened), *rest])
    twice = scenario().given(waiting(20, BUY, at=106, closes=True), waiting(21, BUY, TAKE_PROFIT, at=90, closes=True))
    told(twice)


def _under(message: Any, rules: Any) -> Any:
    return replace(message, pack=rules) if hasattr(message, "pack") else message


def _audited(batches: list[Batch], **shown: Any) -> None:
    auditor = Auditor(**shown)
    for batch in batches:
        auditor.observe(batch)


def by_history() -> Scenario:
    """A trade of history reaches a stop."""
    prints = tape(*(printed(BUY, price, 1, at=3) for price in (101, 104)))
    return waits(waiting(20, BUY, at=104, source=LAST), waiting(21, BUY, at=120, source=LAST), prints, proceed())


def test_trades_in_history_are_followed_where_they_are_shown() -> None:
    session = by_history()
    _audited(session.batches, columns=session.state.columns)
    *before, last = session.batches
    swapped = Batch(last.number, last.at, [_fires_other(record) for record in last.records])
    with pytest.raises(AuditError, match="it is its turn"):
        _audited([*before, swapped], columns=session.state.columns)


def test_they_are_taken_on_trust_where_they_are_not() -> None:
    told(by_history())


def test_so_is_the_last_price_that_a_protected_order_is_measured_by() -> None:
    """The last trade that the auditor saw was at 100, far from the mark; history went on to 106."""
    prints = tape(printed(BUY, 106, 1, at=3))
    session = waits(prints, waiting(20, BUY, at=106, protects=True), mark(106), proceed())
    assert any(isinstance(fact, f.OrderTriggered) for fact in session.batches[-1].facts)
    _audited(session.batches, columns=session.state.columns)
    told(session)


def _fires_other(record: Record) -> Record:
    message: Any = record.message
    return replace(record, message=replace(message, number=21)) if hasattr(message, "number") else record
