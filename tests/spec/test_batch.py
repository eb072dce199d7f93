"""Batches: items are decided one after the other, each for itself, and have outcomes under requests of their own."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from events.commands import CancelOrder, SubmitBatch
from events.facts import ItemRefused, ItemRepeated, OrderAccepted
from events.refusals import Reason
from exchange.core.batches import OUTCOMES_KEPT
from exchange.core.state import Outcome
from exchange.core.step import step
from tests.scenario import Scenario, scenario
from tests.spec.falsifying import noticed, putting, told
from tests.spec.words import (
    BUY,
    EASY,
    SELL,
    amend,
    amended,
    cancel,
    cancelled,
    item_refused,
    item_repeated,
    place,
    refused,
    rested,
    resting,
    together,
    traded,
)

BID = place(1, BUY, price=90, lots=5)
OFFER = place(2, SELL, price=110, lots=3)


def outcomes(session: Scenario, name: str = "taker") -> dict[str, Outcome]:
    """What is kept of an account's requests."""
    return dict(session.state.accounts[name].outcomes)  # type: ignore[index, arg-type]


class TestItems:
    """What each of them leads to is what it would lead to by itself."""

    def test_they_are_decided_one_after_the_other(self) -> None:
        session = scenario().given(resting(9, SELL, price=101, lots=2))
        session.when(together(BID, amend(1, price=101), place(3, SELL, price=101, lots=1, by="taker"), cancel(1)))
        session.then(
            rested(1, lots=5),
            amended(1, price=101, lots=5), traded(9, 1, price=101, lots=2), rested(1, lots=3),
            traded(1, 3, price=101, lots=1),
            cancelled(1, 2),
        )  # fmt: skip
        told(session)

    def test_one_that_is_refused_leaves_the_others_as_they_are(self) -> None:
        session = scenario().when(together(BID, cancel(7), place(3, BUY, price=0, lots=1), OFFER))
        session.then(
            rested(1, lots=5),
            item_refused(1, Reason.UNKNOWN_ORDER),
            item_refused(2, Reason.PRICE_NOT_POSITIVE),
            rested(2, lots=3),
        )
        told(session)

    def test_an_item_sees_what_those_before_it_did(self) -> None:
        session = scenario().when(together(replace(BID, client="a"), replace(OFFER, client="a")))
        session.then(rested(1, lots=5), item_refused(1, Reason.CLIENT_ID_IN_USE))

    def test_a_request_that_is_no_printable_ascii_is_refused(self) -> None:
        session = scenario().when(together(BID, replace(OFFER, request="caf\u00e9")))
        session.then(rested(1, lots=5), item_refused(1, Reason.TEXT_NOT_PRINTABLE_ASCII))
        told(session)


class TestRetries:
    """A client that heard no answer sends it again, all of it or a part: nothing happens twice."""

    FIRST = replace(together(replace(BID, request="bid"), replace(OFFER, number=1, request="offer")), request="b1")
    SECOND = Reason.ORDER_NUMBER_USED

    def placed(self) -> Scenario:
        """The first item was accepted, the second refused."""
        return scenario().when(self.FIRST).then(rested(1, lots=5), item_refused(1, self.SECOND))

    def test_every_item_has_its_outcome_under_its_own_request(self) -> None:
        session = self.placed()
        seq = session.batches[-1].first_seq
        kept = outcomes(session)
        assert (kept["bid"], kept["offer"]) == (Outcome(seq, None), Outcome(seq, self.SECOND))
        assert kept["b1"] == Outcome(seq, None)

    def test_the_whole_batch_again_changes_nothing(self) -> None:
        session = self.placed()
        first, before = session.batches[-1].first_seq, len(session.batches)
        session.when(self.FIRST)
        assert (session.outcome, len(session.batches)) == (Outcome(first, None), before)

    @pytest.mark.parametrize(("item", "reason"), [(0, None), (1, SECOND)])
    def test_an_item_by_itself_has_its_first_outcome(self, item: int, reason: Reason | None) -> None:
        session = self.placed()
        first = session.batches[-1].first_seq
        session.when(replace(session.batches[-1].command.items[item], at=session.state.now))  # type: ignore[attr-defined]
        assert session.outcome == Outcome(first, reason)

    def test_in_another_batch_it_has_it_too_and_does_nothing(self) -> None:
        session = self.placed()
        first = session.batches[-1].first_seq
        again = replace(self.FIRST, request="b2", items=(*self.FIRST.items, place(5, BUY, price=80, lots=1)))
        session.when(again).then(item_repeated(0, first), item_repeated(1, first, self.SECOND), rested(5, lots=1))
        kept = outcomes(session)
        assert (kept["bid"].seq, kept["b2, item 2"].seq) == (first, session.batches[-1].first_seq)
        told(session)

    def test_what_was_asked_by_itself_is_known_in_a_batch(self) -> None:
        session = scenario().given(replace(BID, request="bid"))
        first = session.batches[-1].first_seq
        session.when(together(replace(BID, request="bid"))).then(item_repeated(0, first))

    def test_a_batch_that_was_refused_decided_none_of_its_items(self) -> None:
        items = (replace(BID, request="bid"), replace(OFFER, account="maker", request="offer"))
        session = scenario().when(together(*items)).then(refused(Reason.ITEM_UNLIKE_BATCH))
        assert not {"bid", "offer"} & set(outcomes(session))
        session.when(together(items[0])).then(rested(1, lots=5))

    def test_outcomes_of_items_count_among_those_that_are_kept(self) -> None:
        state = scenario().given(together(replace(BID, request="bid"))).state
        for n in range(OUTCOMES_KEPT - 1):
            step(state, CancelOrder(state.now, "taker", f"n{n}", 99))  # type: ignore[arg-type]
        kept = list(state.accounts["taker"].outcomes)  # type: ignore[index]
        assert (len(kept), kept[0]) == (OUTCOMES_KEPT, "bid")
        step(state, SubmitBatch(state.now, "taker", "b9", (CancelOrder(state.now, "taker", "c9", 99),)))  # type: ignore[arg-type]
        assert list(state.accounts["taker"].outcomes)[-2:] == ["b9", "c9"]  # type: ignore[index]
        assert len(state.accounts["taker"].outcomes) == OUTCOMES_KEPT  # type: ignore[index]


FIVE = tuple(place(n, BUY, price=90, lots=1) for n in range(1, 6))
CANCELS = tuple(cancel(n, by="taker") for n in range(1, 12))

REFUSALS: list[tuple[Reason, SubmitBatch]] = [
    (Reason.UNKNOWN_ACCOUNT, together(by="nobody")),
    (Reason.BATCH_IS_EMPTY, together()),
    (Reason.BATCH_TOO_LARGE, together(*FIVE, replace(OFFER, number=6, account="maker"))),
    (Reason.BATCH_TOO_LARGE, together(*FIVE, cancel(1))),
    (Reason.BATCH_TOO_LARGE, together(*CANCELS)),
    (
        Reason.ITEM_UNLIKE_BATCH,
        together(replace(BID, request="r"), replace(OFFER, account="maker", request="r")),
    ),
    (Reason.ITEM_UNLIKE_BATCH, together(replace(BID, at=1))),
    (Reason.REQUEST_TWICE_IN_BATCH, together(replace(BID, request="r"), replace(OFFER, request="r"))),
    (Reason.REQUEST_TWICE_IN_BATCH, together(replace(BID, request="r"), request="r")),
]
"""Why a batch is refused, by precedence."""


class TestTheBatchAsAWhole:
    """What it may be, by precedence."""

    @pytest.mark.parametrize(
        ("reason", "asked"),
        REFUSALS,
    )
    def test_it_is_refused_by_the_first_rule_that_it_breaks(self, reason: Reason, asked: SubmitBatch) -> None:
        scenario().when(asked).then(refused(reason))

    def test_as_many_as_the_venue_allows(self) -> None:
        scenario().when(together(*FIVE)).then(*(rested(n, lots=1) for n in range(1, 6)))

    def test_cancels_alone_may_be_more(self) -> None:
        session = scenario().given(together(*FIVE))
        missing = (item_refused(n, Reason.UNKNOWN_ORDER) for n in range(5, 10))
        session.when(together(*CANCELS[:10])).then(*(cancelled(n, 1) for n in range(1, 6)), *missing)

    def test_a_venue_may_allow_less(self) -> None:
        rules = replace(EASY, max_batch=1, max_batch_cancels=2)
        session = scenario(rules).given(together(BID)).when(together(OFFER, cancel(1)))
        session.then(refused(Reason.BATCH_TOO_LARGE)).when(together(cancel(1), cancel(7, by="taker")))
        session.then(cancelled(1, 5), item_refused(1, Reason.UNKNOWN_ORDER))


class TestTheAuditor:
    """Items are told in their order, each with one outcome."""

    def session(self) -> Scenario:
        """Two items: one is accepted, one refused."""
        return scenario().given(together(BID, cancel(7)))

    @pytest.mark.parametrize(
        ("what", "kind", "change"),
        [
            ("item of the batch: expected 1, found 0", ItemRefused, putting(item=0)),
            ("items without an outcome", ItemRefused, lambda _: None),
            ("price as asked for", OrderAccepted, putting(price=91)),
        ],
    )
    def test_it_notices(self, what: str, kind: type, change: Any) -> None:
        noticed(self.session(), what, change, kind)

    def test_it_notices_a_repeat_of_what_was_never_decided(self) -> None:
        session = scenario().given(replace(BID, request="bid"))
        session.when(together(replace(BID, request="bid")))
        noticed(session, "decided before this batch", putting(first=10**6), ItemRepeated)
        noticed(session, "item of the batch", putting(item=4), ItemRepeated)
