"""Cancelling everything: all that an account has open in one instrument, in the order in which it was placed."""

from __future__ import annotations

import pytest

from events.commands import CancelAll, SetLeverage
from events.facts import AllCancelled, OrderCancelled
from events.refusals import Reason
from exchange.core import step as steps
from tests.scenario import Scenario, scenario
from tests.spec.falsifying import Change, noticed, putting, told
from tests.spec.phases import AUCTION, CONTINUOUS, phase
from tests.spec.test_put_off import at, tripping
from tests.spec.waiting import waiting
from tests.spec.words import (
    BUY,
    SELL,
    TIN,
    account,
    all_cancelled,
    amend,
    cancel_all,
    cancelled,
    mark,
    place,
    refused,
    resting,
)

ORDERS = (
    resting(1, BUY, price=90, lots=5, by="taker"),
    resting(2, SELL, price=110, lots=3, by="taker", client="mine"),
    resting(3, BUY, price=91, lots=4, by="maker"),
    resting(4, BUY, price=92, lots=2, by="taker", on=TIN),
)


def test_all_orders_of_the_account_in_the_instrument_are_cancelled_in_the_order_of_their_placement() -> None:
    session = scenario().given(*ORDERS, amend(1, price=89))
    session.when(cancel_all("taker")).then(cancelled(1, 5), cancelled(2, 3), all_cancelled("taker"))
    session.book("bid 91: 4#3").book("bid 92: 2#4", TIN)
    told(session)


def test_conditional_orders_are_cancelled_too() -> None:
    session = scenario().given(ORDERS[0], waiting(5, SELL, at=80, lots=2), place(6, BUY, price=80, lots=1))
    session.when(cancel_all("taker")).then(cancelled(1, 5), cancelled(5, 2), cancelled(6, 1), all_cancelled("taker"))
    told(session)


def test_nothing_open_is_nothing_to_refuse() -> None:
    scenario().when(cancel_all("taker")).then(all_cancelled("taker"))


def test_orders_in_another_instrument_stay_where_nothing_is_open() -> None:
    session = scenario().given(ORDERS[0], ORDERS[3])
    session.when(cancel_all("taker")).then(cancelled(1, 5), all_cancelled("taker"))
    session.when(cancel_all("taker")).then(all_cancelled("taker"))
    session.book("bid 92: 2#4", TIN)
    told(session)


def test_an_instrument_that_there_is_not_is_refused() -> None:
    scenario().when(cancel_all("taker", on="LEAD")).then(refused(Reason.UNKNOWN_INSTRUMENT))


def test_client_ids_are_free_again() -> None:
    session = scenario().given(*ORDERS, cancel_all("taker"))
    session.given(place(9, BUY, price=80, lots=1, client="mine"))


def test_what_a_full_batch_has_no_room_for_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "BATCH_FACTS", 4)
    session = scenario().given(*(resting(n, BUY, price=90, lots=n, by="taker") for n in (1, 2, 3, 4)))
    session.when(cancel_all("taker")).then(cancelled(1, 1), cancelled(2, 2), all_cancelled("taker", left=2))
    session.when(cancel_all("taker")).then(cancelled(3, 3), cancelled(4, 4), all_cancelled("taker"))


def test_a_halt_does_not_keep_anybody_from_leaving() -> None:
    session = scenario(tripping()).given(ORDERS[0], at(10, mark(100)), at(20, mark(89)))
    session.when(cancel_all("taker")).then(cancelled(1, 5), all_cancelled("taker"))


def other_command(asked: CancelAll) -> SetLeverage:
    """What leads to no cancel."""
    return SetLeverage(asked.at, asked.account, asked.request, asked.instrument, 3)


class TestTheAuditor:
    """Nothing else is cancelled, and nothing is left."""

    @pytest.mark.parametrize(
        ("what", "kind", "change"),
        [
            ("orders left open: expected 1, found 0", OrderCancelled, lambda fact: None if fact.number == 2 else fact),
            ("orders left open: expected 0, found 3", AllCancelled, putting(left=3)),
            ("instrument whose orders are cancelled", CancelAll, putting(instrument=TIN)),
            ("OrderCancelled follows from CancelOrder or AmendOrder or CancelAll", CancelAll, other_command),
        ],
    )
    def test_it_notices(self, what: str, kind: type, change: Change) -> None:
        session = scenario().given(*ORDERS, cancel_all("taker"))
        noticed(session, what, change, kind)


class TestWhileAnAuctionUncrosses:
    """Nobody takes back what trades now; who only waits in the instrument may leave."""

    def under_way(self) -> Scenario:
        """The taker's buy of 3 meets three sellers one by one."""
        session = scenario().given(phase(AUCTION), place(1, BUY, price=100, lots=3))
        session.given(*(place(n, SELL, price=100, lots=1, by="maker") for n in (2, 3, 4)))
        return session.given(phase(CONTINUOUS))

    def test_it_is_refused(self) -> None:
        self.under_way().when(cancel_all("taker")).then(refused(Reason.AUCTION_UNCROSSES))

    def test_who_has_no_order_there_is_not_concerned(self) -> None:
        self.under_way().given(account("eve", 100)).when(cancel_all("eve")).then(all_cancelled("eve"))
