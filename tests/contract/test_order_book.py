"""One suite for every book: the naive one shows what is meant, the fast one has to agree after every operation."""

from __future__ import annotations

from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.commands import MARKET, Impact, QueueModel
from exchange.core.history import History
from tests.contract.books import ASK, BID, BY_ORDER, KINDS, AnyBook, FastBook, Pair, by_chance
from tests.contract.naive_book import NaiveBook


@pytest.fixture(params=[NaiveBook, FastBook])
def book(request: pytest.FixtureRequest) -> AnyBook:
    return request.param()  # type: ignore[no-any-return]


class TestEveryBook:
    """What any book does."""

    def test_an_empty_one_has_nothing_to_meet(self, book: AnyBook) -> None:
        assert book.take(ASK, 5) == []
        assert book.depth(BID) == []

    def test_orders_are_met_by_price_and_then_by_arrival(self, book: AnyBook) -> None:
        for number, price in ((1, 102), (2, 101), (3, 102), (4, 101)):
            book.rest(number, ASK, price, 5)
        assert book.take(ASK, 17) == [(101, 2, 5), (101, 4, 5), (102, 1, 5), (102, 3, 2)]
        assert list(book.walk(ASK)) == [(102, 3, 3)]

    def test_a_limit_is_not_passed(self, book: AnyBook) -> None:
        book.rest(1, BID, 99, 5)
        book.rest(2, BID, 98, 5)
        assert book.take(BID, 9, limit=99) == [(99, 1, 5)]
        assert book.take(BID, 9, limit=99) == []

    def test_a_cancelled_order_is_gone(self, book: AnyBook) -> None:
        book.rest(1, BID, 99, 5)
        book.rest(2, BID, 99, 5)
        book.cancel(1)
        assert list(book.walk(BID)) == [(99, 2, 5)]

    def test_an_order_stands_behind_the_volume_that_was_there_and_before_what_joins(self, book: AnyBook) -> None:
        book.state(BID, 99, 10)
        book.rest(1, BID, 99, 5)
        book.state(BID, 99, 14)
        assert list(book.walk(BID)) == [(99, None, 10), (99, 1, 5), (99, None, 4)]

    def test_what_was_taken_stays_taken_until_the_level_is_stated_again(self, book: AnyBook) -> None:
        book.state(ASK, 101, 10)
        assert book.take(ASK, 4) == [(101, None, 4)]
        assert book.depth(ASK) == [(101, 6)]
        book.state(ASK, 101, 10)
        assert book.depth(ASK) == [(101, 10)]

    def test_a_price_that_was_taken_back_is_not_met_and_one_stated_anew_once(self, book: AnyBook) -> None:
        for price, lots in ((101, 4), (102, 5), (103, 6), (104, 7), (103, 0), (102, 0), (102, 8)):
            book.state(ASK, price, lots)
        book.rest(1, ASK, 102, 2)
        assert list(book.walk(ASK)) == [(101, None, 4), (102, None, 8), (102, 1, 2), (104, None, 7)]
        assert list(book.walk(ASK, 102)) == [(101, None, 4), (102, None, 8), (102, 1, 2)]

    def test_a_stale_one_hides_the_volume_of_history(self, book: AnyBook) -> None:
        book.state(ASK, 101, 10)
        book.rest(1, ASK, 101, 5)
        book.stale = True
        assert list(book.walk(ASK)) == [(101, 1, 5)]
        assert book.depth(ASK) == [(101, 5)]

    def test_a_print_fills_better_orders_first_and_then_walks_its_own_price(self, book: AnyBook) -> None:
        book.state(BID, 99, 10)
        book.rest(1, BID, 99, 5)
        book.rest(2, BID, 100, 2)
        assert book.printed(BID, 99, 14) == [(2, 2), (1, 2)]
        assert list(book.walk(BID)) == [(99, 1, 3)]


OPERATIONS = st.tuples(
    st.sampled_from(KINDS), st.sampled_from((BID, ASK)), st.integers(95, 105), st.integers(1, 9)
)  # fmt: skip


WITH_ORDERS = st.tuples(
    st.sampled_from(BY_ORDER), st.sampled_from((BID, ASK)), st.integers(95, 105), st.integers(1, 9)
)  # fmt: skip


@given(
    st.lists(OPERATIONS, max_size=60) | st.lists(WITH_ORDERS, max_size=60),
    st.sampled_from(QueueModel),
    st.sampled_from(Impact),
)
def test_the_fast_book_does_what_the_naive_one_does(
    operations: list[tuple[str, int, int, int]], model: QueueModel, impact: Impact
) -> None:
    pair = Pair(model, impact)
    for operation in operations:
        pair.do(operation)
        pair.agree()


@pytest.mark.parametrize("seed", range(10))
def test_the_fast_book_goes_on_doing_so(seed: int) -> None:
    by_chance(seed, operations=2_500, every=1)


@pytest.mark.parametrize("seed", range(6))
def test_so_it_does_where_history_tells_its_orders_apart(seed: int) -> None:
    by_chance(seed, operations=1_500, every=1, kinds=BY_ORDER)


def test_a_level_that_many_orders_left_is_cleaned_up() -> None:
    pair = Pair(QueueModel.PROPORTIONAL, Impact.CONSUME)
    for lots in range(1, 201):
        pair.both("state", BID, 99, lots)
        pair.both("rest", lots, BID, 99, 1)
    for number in range(1, 200):
        pair.both("cancel", number)
    pair.agree()
    assert len(pair.fast.side(BID).levels[99].queue) <= 2 * 201
    pair.both("state", BID, 99, 3)
    pair.agree()
    assert [entry.account for entry in pair.fast.side(BID).levels[99].queue].count(MARKET) <= 200


def test_prices_that_come_and_go_do_not_pile_up() -> None:
    pair = Pair(QueueModel.PROPORTIONAL, Impact.CONSUME)
    for price in range(1, 301):
        pair.both("state", BID, price, 1)
        pair.both("state", BID, price - 3, 0)
    pair.agree()
    assert len(pair.fast.side(BID).history.heap) < 100


class Asked(dict[int, int]):
    """What history states, and how often somebody asked whether it states a price."""

    times = 0

    def __contains__(self, price: object) -> bool:
        self.times += 1
        return super().__contains__(price)


@pytest.mark.parametrize(("sign", "best"), [(ASK, [1, 2, 3]), (BID, [1000, 999, 998])])
def test_no_more_prices_of_history_are_put_in_order_than_are_asked_for(sign: int, best: list[int]) -> None:
    history, stated = History(sign), Asked.fromkeys((n * 7919 % 1000 + 1 for n in range(1000)), 5)
    history.state_all(stated)
    heap = list(history.heap)
    assert list(islice(history.prices(), 3)) == best
    assert stated.times == 3
    assert history.heap == heap


def test_the_next_part_of_an_iceberg_goes_to_the_back_past_no_dead_orders() -> None:
    book = FastBook()
    for number in range(1, 41):
        book.rest(number, ASK, 101, 1)
    book.rest(41, ASK, 101, 5, visible=2)
    book.rest(42, ASK, 101, 1)
    for number, lots in [*((number, 1) for number in range(1, 41)), (41, 2)]:
        book.fill(number, lots)
    assert [entry.number for entry in book.side(ASK).levels[101].queue] == [42, 41]
    assert list(book.walk(ASK)) == [(101, 42, 1), (101, 41, 2), (101, 41, 1)]
