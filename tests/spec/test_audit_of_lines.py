"""The auditor knows who stands first in line: best price, then first come, from the facts alone."""

from __future__ import annotations

import pytest

from events import facts as f
from events.instructions import SelfTrade
from exchange.audit.lines import Line
from tests.scenario import scenario
from tests.spec.falsifying import noticed, putting, told
from tests.spec.phases import AUCTION, CONTINUOUS, phase
from tests.spec.tape import diff, printed, snapshot, tape
from tests.spec.words import BUY, IOC, SELL, account, amend, cancel, mark, market, place, position, proceed, resting

FIRST = "the first in line trades first"
QUEUE = (resting(1, SELL, price=101, lots=5), resting(2, SELL, price=101, lots=5), resting(3, SELL, price=102, lots=5))
BIDS = (resting(1, BUY, price=99, lots=5), resting(2, BUY, price=99, lots=5), resting(3, BUY, price=98, lots=5))


class TestPriceAndTime:
    """A taker meets the best price first, and at a price the order that came first."""

    def test_a_younger_order_of_the_same_price_is_noticed(self) -> None:
        noticed(scenario().given(*QUEUE, market(4, BUY, lots=5)), FIRST, putting(maker_order=2), f.Traded)
        noticed(scenario().given(*BIDS, market(4, SELL, lots=5)), FIRST, putting(maker_order=2), f.Traded)

    def test_an_order_at_a_worse_price_is_noticed(self) -> None:
        worse = putting(maker_order=3, price=102, value=510)
        noticed(scenario().given(*QUEUE, place(4, BUY, price=102, lots=5)), FIRST, worse, f.Traded)
        worse = putting(maker_order=3, price=98, value=490)
        noticed(scenario().given(*BIDS, place(4, SELL, price=98, lots=5)), FIRST, worse, f.Traded)

    def test_the_line_moves_up_as_orders_leave_it(self) -> None:
        told(scenario().given(*QUEUE, cancel(1), place(4, BUY, price=102, lots=8), market(5, BUY, lots=2)))
        told(scenario().given(*BIDS, cancel(2), cancel(1), resting(4, BUY, price=99, lots=1), market(5, SELL, lots=4)))

    def test_the_same_line_serves_a_taker_that_is_liquidated(self) -> None:
        session = scenario().given(account("ann", 100), *position(1, BUY, price=100, lots=10, by="ann"))
        session.given(resting(3, BUY, price=93, lots=10), resting(4, BUY, price=93, lots=10), mark(94), proceed())
        noticed(session, FIRST, putting(maker_order=4), f.Traded)

    def test_what_self_trade_prevention_takes_away_is_not_passed_over(self) -> None:
        own = place(3, BUY, price=101, lots=2, by="maker", tif=IOC, self_trade=SelfTrade.EXPIRE_MAKER)
        told(
            scenario().given(resting(1, SELL, price=101, lots=5), resting(2, SELL, price=101, lots=5, by="taker"), own)
        )


class TestAmendedOrders:
    """They keep their place where only their size shrinks, else they go to the back."""

    def test_a_smaller_one_keeps_its_place(self) -> None:
        session = scenario().given(*QUEUE, amend(1, lots=3), market(4, BUY, lots=3))
        noticed(session, FIRST, putting(maker_order=2), f.Traded)

    @pytest.mark.parametrize("change", [{"lots": 6}, {"price": 103}])
    def test_another_one_goes_to_the_back(self, change: dict[str, int]) -> None:
        session = scenario().given(*QUEUE, amend(1, **change), market(4, BUY, lots=5))
        noticed(session, FIRST, putting(maker_order=1), f.Traded)

    def test_one_that_comes_back_to_its_price_stands_behind(self) -> None:
        session = scenario().given(*QUEUE, amend(1, price=103), amend(1, price=101), market(4, BUY, lots=5))
        noticed(session, FIRST, putting(maker_order=1), f.Traded)


class TestHistory:
    """MARKET may stand anywhere at a price, but nobody at a better one is passed over, by no print either."""

    OPEN = tape(snapshot({99: 10}, {102: 10}))

    def test_markets_volume_behind_an_order_is_noticed(self) -> None:
        session = scenario().given(self.OPEN, resting(1, SELL, price=101, lots=5), market(2, BUY, lots=5))
        markets = putting(maker="MARKET", maker_order=0, price=102, value=510)
        noticed(session, "MARKET's volume trades where no order stands at a better price", markets, f.Traded)

    def test_markets_volume_at_the_price_of_an_order_may_come_first(self) -> None:
        told(scenario().given(self.OPEN, resting(1, SELL, price=102, lots=5), market(2, BUY, lots=12)))

    def test_a_print_that_passes_an_order_over_is_noticed(self) -> None:
        session = scenario().given(self.OPEN, *QUEUE, tape(diff(), printed(BUY, 101, 5), after=1))
        noticed(session, FIRST, putting(maker_order=2), f.Traded)

    def test_a_print_goes_on_past_what_has_nothing_left_to_reduce(self) -> None:
        long = (account("ann", 10_000), *position(1, BUY, price=100, lots=2, by="ann"))
        reduces = place(3, SELL, price=101, lots=5, by="ann", reduce_only=True)
        other = place(4, SELL, price=101, lots=5, by="maker")
        session = scenario().given(self.OPEN, *long, reduces, other)
        session.given(tape(printed(BUY, 101, 6), after=1))
        assert [fact.maker_order for fact in session.batches[-1].facts if isinstance(fact, f.Traded)] == [3, 4]
        told(session)


class TestAuctions:
    """Orders that joined in an auction stand in line when it is over; its own trades have turns of their own."""

    def test_what_an_auction_leaves_stands_in_its_order(self) -> None:
        session = scenario().given(phase(AUCTION), *QUEUE, place(4, BUY, price=101, lots=7))
        session.given(phase(CONTINUOUS), proceed(), market(5, BUY, lots=3))
        noticed(session, FIRST, putting(maker_order=3, price=102, value=306), f.Traded)


def test_an_order_that_joins_again_stands_at_the_back_of_its_price() -> None:
    line = Line(-1)
    for number in (1, 2, 1):
        line.join(101, ("ann", number))
    assert (line.first(), list(line.before(101, ("ann", 1)))) == (("ann", 2), [("ann", 2)])
    line.leave(101, ("ann", 2))
    line.leave(101, ("ann", 1))
    assert (line.best(), line.first()) == (None, None)
