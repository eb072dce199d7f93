"""Reduce-only orders that shrink or expire where their position is less than they would close."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from events.commands import MARKET
from events.facts import Expiry, OrderExpired, OrderShrunk
from events.instruments import Leg, Liquidation
from events.refusals import Reason
from events.rules import Layer, ReduceOnly
from exchange.core import snapshot
from tests.full_batches import batches_of
from tests.scenario import Scenario, scenario
from tests.spec.contracts import EXPIRY, dated, hedge, later, pack_of
from tests.spec.falsifying import told
from tests.spec.phases import AUCTION, CONTINUOUS, phase, phase_set, uncrossed
from tests.spec.tape import printed, tape
from tests.spec.tape import snapshot as whole_book
from tests.spec.waiting import waiting
from tests.spec.words import (
    BUY,
    FOK,
    ISOLATED,
    SELL,
    Expected,
    account,
    amend,
    amended,
    cancel,
    expired,
    item_refused,
    mark,
    market,
    pack,
    place,
    position,
    proceed,
    refused,
    rested,
    resting,
    shrunk,
    together,
    traded,
)

SHRINKS = replace(pack(), reduce_only=ReduceOnly.SHRINK)
TOO_MUCH = Expiry.EXCEEDS_POSITION


def gone(number: int, lots: int) -> Expected:
    """The position has nothing left for it."""
    return expired(number, lots, TOO_MUCH)


def long(lots: int = 10, **options: Any) -> Scenario:
    """The taker is long, against the maker."""
    return scenario(SHRINKS, **options).given(*position(1, BUY, price=100, lots=lots, by="taker"))


def sells(number: int, price: int, lots: int, **more: Any) -> Any:
    """A reduce-only order that rests above the market."""
    return resting(number, SELL, price=price, lots=lots, by="taker", reduce_only=True, **more)


def less(number: int, lots: int) -> list[Any]:
    """The taker sells so many lots by a plain order."""
    return [resting(number, BUY, price=90, lots=lots), market(number + 1, SELL, lots=lots)]


class TestWhichAndByHowMuch:
    """The furthest from the market first, at one price the younger."""

    def test_a_position_that_shrinks_below_what_its_orders_would_close_shrinks_the_furthest_first(self) -> None:
        session = long().given(sells(3, 105, 4), sells(4, 103, 4), sells(5, 104, 2))
        session.when(*less(10, 3)).then(rested(10, 3), traded(10, 11, price=90, lots=3), shrunk(3, 3, 1))
        session.when(*less(12, 3)).then(rested(12, 3), traded(12, 13, price=90, lots=3), gone(3, 1), gone(5, 2))
        session.book("ask 103: 4#4")
        told(session)

    def test_a_short_position_has_its_buys_shrink_the_lowest_first(self) -> None:
        session = scenario(SHRINKS).given(*position(1, SELL, price=100, lots=10, by="taker"))
        for number, price in ((3, 97), (4, 95), (5, 96)):
            session.given(resting(number, BUY, price=price, lots=3, by="taker", reduce_only=True))
        session.given(resting(6, SELL, price=101, lots=5))
        session.when(market(7, BUY, lots=5)).then(traded(6, 7, price=101, lots=5), gone(4, 3), shrunk(5, 1, 2))
        told(session)

    def test_at_one_price_the_one_with_the_higher_number_goes_first(self) -> None:
        session = long().given(sells(3, 105, 4), sells(4, 105, 4))
        session.when(*less(10, 7)).then(rested(10, 7), traded(10, 11, price=90, lots=7), gone(4, 4), shrunk(3, 1, 3))

    def test_an_order_that_shrinks_keeps_its_place_and_its_size_is_what_it_has_left(self) -> None:
        session = long(9).given(sells(3, 105, 6), resting(4, SELL, price=105, lots=5), *less(10, 5))
        session.book("ask 105: 4#3 5#4")
        session.when(amend(3, lots=4)).then(refused(Reason.NOTHING_TO_AMEND))
        session.when(amend(3, lots=3)).then(amended(3, price=105, lots=3, keeps=True))
        session.book("ask 105: 3#3 5#4")

    def test_what_it_traded_before_stays_executed(self) -> None:
        session = long().given(sells(3, 105, 6), place(4, BUY, price=105, lots=2, by="maker"))
        session.given(*less(10, 6))
        session.book("ask 105: 2#3")
        session.when(amend(3, lots=4)).then(refused(Reason.NOTHING_TO_AMEND))
        told(session.given(amend(3, lots=3)))

    def test_orders_within_the_position_and_plain_ones_stay_as_they_are(self) -> None:
        session = long().given(sells(3, 105, 4), resting(4, SELL, price=106, lots=9, by="taker"))
        session.when(*less(10, 6)).then(rested(10, 6), traded(10, 11, price=90, lots=6))
        session.book("ask 106: 9#4\nask 105: 4#3")

    def test_by_default_an_order_is_capped_only_when_it_is_met(self) -> None:
        session = scenario().given(*position(1, BUY, price=100, lots=10, by="taker"), sells(3, 105, 10))
        session.when(*less(10, 7)).then(rested(10, 7), traded(10, 11, price=90, lots=7))
        session.book("ask 105: 10#3")
        told(session)

    def test_what_shrank_the_position_is_the_cause(self) -> None:
        session = long().given(sells(3, 105, 10), *less(10, 7))
        assert session.causes(OrderShrunk)[:3] == ["OrderShrunk", "Traded", "PlaceOrder"]
        session.given(*less(12, 3))
        assert session.causes(OrderExpired)[:3] == ["OrderExpired", "Traded", "PlaceOrder"]


class TestWhatShrinksAPosition:
    """Whatever it is, by whoever's order."""

    def test_a_position_that_is_closed_has_no_reduce_only_orders(self) -> None:
        session = long().given(sells(3, 105, 4), sells(4, 104, 4))
        session.when(*less(10, 10)).then(rested(10, 10), traded(10, 11, price=90, lots=10), gone(3, 4), gone(4, 4))

    def test_a_position_that_flips_loses_them_and_may_have_others_of_the_same_batch(self) -> None:
        session = long().given(sells(3, 105, 4), resting(10, BUY, price=90, lots=15))
        session.when(
            together(
                market(11, SELL, lots=15),
                place(12, BUY, price=80, lots=9, reduce_only=True),
                place(13, BUY, price=81, lots=2, reduce_only=True),
                by="taker",
            )
        ).then(
            traded(10, 11, price=90, lots=15),
            rested(12, 9),
            rested(13, 2),
            shrunk(12, 6, 3),
            gone(3, 4),
        )
        told(session)

    def test_its_own_fill_leaves_a_reduce_only_order_as_it_is(self) -> None:
        session = long().given(sells(3, 103, 6), sells(4, 105, 4))
        session.when(place(5, BUY, price=103, lots=5, by="maker")).then(traded(3, 5, price=103, lots=5))
        session.book("ask 105: 4#4\nask 103: 1#3")

    def test_a_plain_order_that_is_filled_before_them_takes_from_the_last_of_them(self) -> None:
        session = long().given(resting(3, SELL, price=102, lots=6, by="taker"), sells(4, 103, 6), sells(5, 105, 4))
        session.when(place(6, BUY, price=103, lots=8, by="maker")).then(
            traded(3, 6, price=102, lots=6), traded(4, 6, price=103, lots=2), gone(5, 4), shrunk(4, 2, 2)
        )
        told(session)

    def test_history_fills_it(self) -> None:
        session = scenario(SHRINKS).given(tape(whole_book({90: 50}, {110: 50})))
        session.given(*position(1, BUY, price=100, lots=10, by="taker"))
        session.given(resting(3, SELL, price=102, lots=6, by="taker"), sells(4, 105, 5))
        session.when(tape(printed(BUY, 103, 20))).then(traded(3, MARKET, price=102, lots=6), shrunk(4, 1, 4))

    def test_a_trade_with_itself_moves_nothing(self) -> None:
        session = long().given(sells(3, 105, 8), place(4, BUY, price=105, lots=3))
        session.book("bid 105: 3#4")

    def test_a_leg_has_orders_of_its_own_and_what_closes_it_always_reduces(self) -> None:
        session = scenario(SHRINKS).given(hedge("taker"))
        session.given(*position(1, BUY, price=100, lots=10, by="taker", leg=Leg.LONG))
        session.given(*position(3, SELL, price=100, lots=10, by="taker", leg=Leg.SHORT))
        session.given(resting(5, SELL, price=105, lots=8, by="taker", leg=Leg.LONG))
        session.given(resting(6, BUY, price=95, lots=10, by="taker", leg=Leg.SHORT), resting(7, BUY, price=99, lots=6))
        session.when(market(8, SELL, lots=6, leg=Leg.LONG)).then(
            traded(7, 8, price=99, lots=6, leg=Leg.LONG), shrunk(5, 4, 4)
        )
        session.book("ask 105: 4#5\nbid 95: 10#6")
        told(session)

    def test_the_winner_whom_a_liquidation_deleverages(self) -> None:
        session = scenario(replace(SHRINKS, liquidation=Liquidation(last_resort=(Layer.ADL,))))
        session.given(account("ann", 100), account("bob", 500))
        session.given(*position(1, BUY, price=100, lots=10, by="ann", against="bob"))
        session.given(resting(3, BUY, price=50, lots=8, by="bob", reduce_only=True), mark(88))
        session.given(proceed())
        assert session.causes(OrderExpired)[:2] == ["OrderExpired", "Deleveraged"]
        session.book("")
        told(session)

    def test_a_liquidation_in_parts_ends_the_orders_of_the_pool_first(self) -> None:
        session = scenario(SHRINKS).given(account("ann", 100, mode=ISOLATED))
        session.given(*position(1, BUY, price=100, lots=10, by="ann"))
        session.given(resting(3, SELL, price=120, lots=10, by="ann", reduce_only=True), mark(91), proceed())
        ended = [fact for batch in session.batches for fact in batch.facts if isinstance(fact, OrderExpired)]
        assert [fact.why for fact in ended] == [Expiry.LIQUIDATION]

    def test_the_settlement_of_its_contract_ends_them_as_it_does_all(self) -> None:
        session = scenario(replace(pack_of(dated()), reduce_only=ReduceOnly.SHRINK))
        on = session.state.pack.instruments[0].id  # type: ignore[union-attr]
        session.given(*position(1, BUY, price=100, lots=10, by="taker", on=on))
        session.given(sells(3, 105, 4, on=on), later(EXPIRY), proceed())
        ended = [fact for batch in session.batches for fact in batch.facts if isinstance(fact, OrderExpired)]
        assert [fact.why for fact in ended] == [Expiry.SETTLEMENT]


class TestNewAndAmendedOrders:
    """An order for more than there is to close is taken, and the last in line shrinks."""

    def test_a_new_order_for_more_than_the_position_rests_with_what_there_is(self) -> None:
        session = long().when(sells(3, 105, 12)).then(rested(3, 12), shrunk(3, 2, 10))
        session.given(*(cancel(3),)).book("")
        told(session)

    def test_a_new_order_that_is_nearer_to_the_market_takes_from_the_others(self) -> None:
        session = long().given(sells(3, 105, 10))
        session.when(sells(4, 103, 4)).then(rested(4, 4), shrunk(3, 4, 6))
        session.when(sells(5, 106, 4)).then(rested(5, 4), gone(5, 4))
        assert session.causes(OrderExpired)[:3] == ["OrderExpired", "OrderRested", "PlaceOrder"]

    def test_an_order_amended_beyond_the_position_is_shrunk_as_it_rests_again(self) -> None:
        session = long().given(sells(3, 105, 5), sells(4, 104, 3))
        session.when(amend(3, lots=20)).then(amended(3, price=105, lots=20), rested(3, 20), shrunk(3, 13, 7))
        session.when(amend(3, price=103)).then(amended(3, price=103, lots=7), rested(3, 7))
        session.when(amend(3, lots=8)).then(amended(3, price=103, lots=8), rested(3, 8), shrunk(4, 1, 2))
        told(session)

    def test_one_that_takes_is_capped_as_ever_and_what_of_it_rests_is_counted(self) -> None:
        session = long().given(resting(3, BUY, price=99, lots=4), sells(4, 105, 6))
        session.when(place(5, SELL, price=99, lots=9, reduce_only=True)).then(
            traded(3, 5, price=99, lots=4), rested(5, 5), shrunk(4, 5, 1)
        )
        session.when(place(6, SELL, price=99, lots=9, tif=FOK, reduce_only=True)).then(
            expired(6, 9, Expiry.FILL_OR_KILL)
        )

    def test_a_conditional_order_is_left_alone_and_is_one_like_any_other_once_it_fires(self) -> None:
        session = long().given(waiting(3, SELL, at=95, lots=9, price=105, reduce_only=True), sells(4, 106, 9))
        session.when(*less(10, 5)).then(rested(10, 5), traded(10, 11, price=90, lots=5), shrunk(4, 4, 5))
        assert session.state.accounts["taker"].triggers[3].placed.lots == 9  # type: ignore[index]
        session.given(mark(95)).when(proceed())
        assert [type(fact).__name__ for fact in session.batches[-1].facts] == [
            "OrderTriggered", "OrderAccepted", "OrderRested", "OrderExpired", "OrderShrunk",
        ]  # fmt: skip
        session.book("ask 105: 5#3")
        told(session)

    def test_a_refused_command_leaves_them_and_an_item_of_a_batch_that_is_refused_does_not_hold_them_up(self) -> None:
        session = long().given(sells(3, 105, 10), resting(10, BUY, price=90, lots=5))
        session.when(together(market(11, SELL, lots=5), cancel(99, by="taker"), by="taker")).then(
            traded(10, 11, price=90, lots=5), item_refused(1, Reason.UNKNOWN_ORDER), shrunk(3, 5, 5)
        )


class TestAuctions:
    """In an auction orders rest, and are no more than the position; its trades shrink them when the batch ends."""

    def test_what_trades_at_the_auction_s_price_shrinks_those_that_stay(self) -> None:
        session = long().given(phase(AUCTION), place(3, SELL, price=99, lots=6))
        session.given(place(4, SELL, price=105, lots=8, reduce_only=True), place(5, BUY, price=101, lots=6, by="maker"))
        session.when(phase(CONTINUOUS), proceed()).then(
            uncrossed(price=100, lots=6),
            traded(3, 5, price=100, lots=6, side=BUY),
            phase_set(CONTINUOUS),
            shrunk(4, 4, 4),
        )
        told(session)

    def test_one_that_trades_in_it_is_shrunk_between_its_batches(self) -> None:
        session = long().given(phase(AUCTION), place(3, SELL, price=99, lots=6), place(4, SELL, price=99, lots=2))
        session.given(
            place(8, SELL, price=100, lots=8, reduce_only=True), place(5, BUY, price=101, lots=20, by="maker")
        )
        session.given(phase(CONTINUOUS))
        session.when(proceed(1)).then(traded(3, 5, price=100, lots=6, side=BUY), shrunk(8, 4, 4))
        session.when(proceed()).then(
            traded(4, 5, price=100, lots=2, side=BUY),
            traded(8, 5, price=100, lots=2, side=BUY),
            expired(8, 2, Expiry.NOTHING_TO_REDUCE),
            phase_set(CONTINUOUS),
        )
        told(session)


class TestFullBatches:
    """What a batch has no room for is due work."""

    def full(self) -> Scenario:
        """Five orders, of which three are too many."""
        session = long().given(*(sells(n, 100 + n, 2) for n in range(3, 8)), resting(10, BUY, price=90, lots=7))
        with batches_of(3):
            return session.when(market(11, SELL, lots=7))

    def test_it_goes_on_with_a_proceed_and_until_then_no_more_trades_than_there_is(self) -> None:
        session = self.full()
        session.then(traded(10, 11, price=90, lots=7), gone(7, 2))
        assert session.state.has_work
        assert snapshot.decode(snapshot.encode(session.state)).has_work
        with batches_of(3):
            session.when(place(12, BUY, price=104, lots=4, by="maker")).then(
                traded(3, 12, price=103, lots=2),
                traded(4, 12, price=104, lots=1),
                expired(4, 1, Expiry.NOTHING_TO_REDUCE),
                rested(12, 1),
            )
            session.when(proceed()).then(gone(6, 2), gone(5, 2))
        assert not session.state.has_work

    def test_a_refusal_does_nothing_about_it(self) -> None:
        session = self.full().when(place(12, BUY, price=0, lots=4, by="maker"))
        session.then(refused(Reason.PRICE_NOT_POSITIVE))
        assert session.state.exceeding
        session.when(proceed()).then(gone(6, 2), gone(5, 2), shrunk(4, 1, 1))

    def test_what_is_cancelled_or_bought_meanwhile_needs_no_work(self) -> None:
        session = self.full()
        with batches_of(1):
            session.given(cancel(6), cancel(5))
            assert session.state.has_work
            session.given(cancel(4))
            assert not session.state.has_work
            session = self.full().given(resting(14, SELL, price=99, lots=9), market(15, BUY, lots=9))
            assert not session.state.exceeding

    def test_many_orders_on_one_position_are_as_many_batches_as_it_takes_each_of_them_bounded(self) -> None:
        session = long(60).given(*(sells(n, 105 + n % 7, 1) for n in range(3, 63)), resting(90, BUY, price=90, lots=58))
        before = len(session.batches)
        with batches_of(20):
            session.given(market(91, SELL, lots=58), *[proceed()] * 2)
            assert not session.state.has_work
            told(session)
        assert [len(batch.records) for batch in session.batches[before:]] == [21, 21, 21]
        session.book("ask 105: 1#7 1#14")
