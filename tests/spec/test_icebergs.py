"""Icebergs: a part of the order stands in the queue, the next one joins at its back. `3+7#1` shows 3 and hides 7."""

from __future__ import annotations

import pytest

from events.facts import Expiry, OrderAccepted
from events.instructions import PriceMatch, SelfTrade
from events.refusals import Reason
from exchange.core.margin.pretrade import reserve_price
from tests.scenario import scenario
from tests.spec.falsifying import told
from tests.spec.icebergs import BEHIND, ICEBERG, OTHER, TAKER, iceberg, queues, takes
from tests.spec.words import (
    BUY,
    FOK,
    GOLD,
    GTC,
    PERCENT,
    SELL,
    Expected,
    account,
    amend,
    amended,
    cancel,
    cancelled,
    expired,
    market,
    pack,
    place,
    position,
    refused,
    rested,
    resting,
    traded,
)


class TestItsParts:
    """One at a time stands in the queue, with the time priority that it has from when it joined."""

    def test_it_stands_in_the_queue_with_what_it_shows(self) -> None:
        queues().book("""
            ask 101: 5#3
            ask 100: 3+7#1 4#2
        """)

    @pytest.mark.parametrize(
        ("lots", "facts", "book"),
        [
            (2, takes((ICEBERG, 2)), "ask 100: 1+7#1 4#2"),
            (3, takes((ICEBERG, 3)), "ask 100: 4#2 3+4#1"),
            (5, takes((ICEBERG, 3), (BEHIND, 2)), "ask 100: 2#2 3+4#1"),
            (7, takes((ICEBERG, 3), (BEHIND, 4)), "ask 100: 3+4#1"),
            (8, takes((ICEBERG, 3), (BEHIND, 4), (ICEBERG, 1)), "ask 100: 2+4#1"),
            (11, takes((ICEBERG, 3), (BEHIND, 4), (ICEBERG, 3), (ICEBERG, 1)), "ask 100: 2+1#1"),
            (13, takes((ICEBERG, 3), (BEHIND, 4), (ICEBERG, 3), (ICEBERG, 3)), "ask 100: 1+0#1"),
            (14, takes((ICEBERG, 3), (BEHIND, 4), (ICEBERG, 3), (ICEBERG, 3), (ICEBERG, 1)), ""),
        ],
    )
    def test_what_a_taker_meets_and_what_it_leaves(self, lots: int, facts: list[Expected], book: str) -> None:
        session = queues().when(market(TAKER, BUY, lots=lots)).then(*facts)
        session.book(f"ask 101: 5#3\n{book}" if book else "ask 101: 5#3")
        told(session)

    def test_a_worse_price_is_met_once_no_part_is_left(self) -> None:
        walk = [
            *takes((ICEBERG, 3), (BEHIND, 4), (ICEBERG, 3), (ICEBERG, 3), (ICEBERG, 1)),
            *takes((OTHER, 1), price=101),
        ]
        queues().when(market(TAKER, BUY, lots=15)).then(*walk).book("ask 101: 4#3")

    def test_two_of_them_take_turns(self) -> None:
        session = scenario().given(iceberg(), iceberg(BEHIND, lots=5, visible=2), iceberg(OTHER, visible=10))
        session.when(market(TAKER, BUY, lots=24)).then(
            *takes((ICEBERG, 3), (BEHIND, 2), (OTHER, 10), (ICEBERG, 3), (BEHIND, 2), (ICEBERG, 3), (BEHIND, 1))
        )
        session.book("ask 100: 1+0#1")
        told(session)

    def test_who_joins_stands_before_the_parts_that_follow(self) -> None:
        session = queues().given(cancel(BEHIND), market(8, BUY, lots=1), resting(BEHIND + 2, SELL, price=100, lots=1))
        session.when(market(TAKER, BUY, lots=4)).then(*takes((ICEBERG, 2), (BEHIND + 2, 1), (ICEBERG, 1)))

    def test_a_buyer_does_likewise(self) -> None:
        session = scenario().given(iceberg(side=BUY), resting(BEHIND, BUY, price=100, lots=4))
        session.when(market(TAKER, SELL, lots=8)).then(*takes((ICEBERG, 3), (BEHIND, 4), (ICEBERG, 1)))
        session.book("bid 100: 2+4#1")

    def test_what_rests_of_one_that_traded_first_shows_a_whole_part(self) -> None:
        session = scenario().given(resting(BEHIND, BUY, price=100, lots=4))
        session.when(place(ICEBERG, SELL, price=100, lots=10, visible=5)).then(
            traded(BEHIND, ICEBERG, price=100, lots=4), rested(ICEBERG, lots=6)
        )
        session.book("ask 100: 5+1#1")

    def test_one_may_show_all_of_itself(self) -> None:
        scenario().given(iceberg(visible=10)).book("ask 100: 10+0#1")

    def test_one_that_is_cancelled_leaves_whole(self) -> None:
        session = queues().given(market(TAKER, BUY, lots=4))
        session.when(cancel(ICEBERG)).then(cancelled(ICEBERG, lots=7)).book("ask 101: 5#3\nask 100: 3#2")

    def test_entries_that_died_before_it_are_passed_by(self) -> None:
        session = scenario().given(resting(1, SELL, price=100, lots=1), iceberg(2), resting(3, SELL, price=100, lots=1))
        session.given(cancel(1), market(TAKER, BUY, lots=3)).book("ask 100: 1#3 3+4#2")

    def test_a_plain_order_says_nothing_of_it(self) -> None:
        (fact,) = [x for x in scenario().run(resting(1, SELL, price=100, lots=5)) if isinstance(x, OrderAccepted)]
        assert fact.visible == 0


class TestWhatIsSeen:
    """People see the part that is shown, margin knows the whole order."""

    def test_depth_shows_the_present_part(self) -> None:
        book = queues().given(market(TAKER, BUY, lots=4)).state.contracts[GOLD].book
        assert book.depth(book.asks, 5) == [(100, 3 + 3), (101, 5)]

    def test_depth_leaves_out_what_traded(self) -> None:
        session = scenario().given(
            iceberg(lots=3), resting(BEHIND, SELL, price=100, lots=4), market(TAKER, BUY, lots=3)
        )
        book = session.state.contracts[GOLD].book
        assert book.depth(book.asks, 5) == [(100, 4)]

    def test_margin_is_held_back_for_the_whole(self) -> None:
        plain, parts = (scenario().given(iceberg(visible=visible)) for visible in (0, 3))
        for session in (plain, parts):
            session.given(market(TAKER, BUY, lots=4))
        assert parts.position("maker").asks == plain.position("maker").asks == 6 * 100 * 10**8
        assert reserve_price(parts.state.contracts[GOLD], 1, 0) == reserve_price(plain.state.contracts[GOLD], 1, 0)

    def test_an_account_needs_margin_for_what_it_hides(self) -> None:
        session = scenario().given(account("ann", 50))
        session.when(iceberg(by="ann")).then(refused(Reason.INSUFFICIENT_MARGIN))


class TestFillOrKill:
    """The whole is there to fill, part after part."""

    @pytest.mark.parametrize(
        ("lots", "facts"),
        [
            (13, takes((ICEBERG, 3), (BEHIND, 4), (ICEBERG, 3), (ICEBERG, 3))),
            (15, [expired(TAKER, 15, Expiry.FILL_OR_KILL)]),
        ],
    )
    def test_parts_that_are_hidden_count(self, lots: int, facts: list[Expected]) -> None:
        queues().when(place(TAKER, BUY, price=100, lots=lots, tif=FOK)).then(*facts)

    @pytest.mark.parametrize(("money", "fills"), [(109, False), (110, True)])
    def test_each_part_pays_a_fee_of_its_own_rounded_up(self, money: int, fills: bool) -> None:
        """10 parts of 100 atoms at 0.1 % cost an atom each, the whole at once would cost one."""
        session = scenario(pack(taker_fee=PERCENT // 10)).given(account("ann", money), iceberg(visible=1))
        parts = [traded(ICEBERG, TAKER, price=100, lots=1, fees=(0, 1))] * 10
        session.when(place(TAKER, BUY, by="ann", price=100, lots=10, tif=FOK)).then(
            *(parts if fills else [expired(TAKER, 10, Expiry.FILL_OR_KILL)])
        )


class TestReduceOnly:
    """What there is to reduce caps the order, part by part."""

    def test_a_part_is_capped_and_what_is_left_expires(self) -> None:
        session = scenario().given(*position(1, BUY, price=100, lots=5, by="taker", against="maker"))
        session.given(account("ann", 10_000), iceberg(3, by="taker", reduce_only=True))
        session.when(market(TAKER, BUY, lots=8, by="ann")).then(
            traded(3, TAKER, price=100, lots=3),
            traded(3, TAKER, price=100, lots=2),
            expired(3, 5, Expiry.NOTHING_TO_REDUCE),
            expired(TAKER, 3),
        )
        told(session)


class TestSelfTrade:
    """Prevention ends the whole order."""

    def test_the_maker_expires_with_what_it_hides(self) -> None:
        session = queues().given(market(8, BUY, lots=1))
        session.when(place(TAKER, BUY, by="maker", price=100, lots=2, self_trade=SelfTrade.EXPIRE_MAKER)).then(
            expired(ICEBERG, 9, Expiry.SELF_TRADE), expired(BEHIND, 4, Expiry.SELF_TRADE), rested(TAKER, 2)
        )


class TestAmending:
    """A smaller size is taken from what is hidden first, and keeps the place."""

    @pytest.mark.parametrize(
        ("lots", "left", "book"),
        [(9, 8, "ask 100: 2+6#1 4#2"), (4, 3, "ask 100: 2+1#1 4#2"), (3, 2, "ask 100: 2+0#1 4#2")],
    )
    def test_less_keeps_its_place_and_what_it_shows(self, lots: int, left: int, book: str) -> None:
        session = queues().given(market(TAKER, BUY, lots=1))
        session.when(amend(ICEBERG, lots=lots)).then(amended(ICEBERG, price=100, lots=lots, left=left, keeps=True))
        session.book(f"ask 101: 5#3\n{book}")
        told(session)

    def test_less_than_is_shown_shows_less(self) -> None:
        session = scenario().given(iceberg(lots=5), market(7, BUY, lots=1), resting(BEHIND, SELL, price=100, lots=4))
        session.given(market(8, BUY, lots=1), amend(ICEBERG, lots=4)).book("ask 100: 1+1#1 4#2")
        session.given(amend(ICEBERG, lots=3)).book("ask 100: 1+0#1 4#2")
        told(session)

    def test_more_goes_to_the_back_and_shows_a_whole_part(self) -> None:
        session = queues().given(market(TAKER, BUY, lots=1))
        session.when(amend(ICEBERG, lots=12)).then(
            amended(ICEBERG, price=100, lots=12, left=11), rested(ICEBERG, lots=11)
        )
        session.book("ask 101: 5#3\nask 100: 4#2 3+8#1")
        told(session)

    @pytest.mark.parametrize(("lots", "reason"), [(2, Reason.VISIBLE_ABOVE_SIZE), (31, Reason.TOO_MANY_PARTS)])
    def test_its_parts_are_held_to_the_rules_again(self, lots: int, reason: Reason) -> None:
        queues().when(amend(ICEBERG, lots=lots)).then(refused(reason))

    def test_a_plain_order_stays_plain(self) -> None:
        queues().given(amend(BEHIND, lots=3)).book("ask 101: 5#3\nask 100: 3+7#1 3#2")


class TestPriceMatch:
    """It takes its price from the book like any limit order."""

    def test_it_shows_a_part_at_the_price_that_it_took(self) -> None:
        session = scenario().given(resting(BEHIND, SELL, price=100, lots=4))
        session.given(place(ICEBERG, SELL, lots=10, visible=3, price_match=PriceMatch.QUEUE, tif=GTC))
        session.book("ask 100: 4#2 3+7#1")
