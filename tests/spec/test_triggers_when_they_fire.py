"""What is asked of a conditional order when it fires: each rule by precedence, of every kind of conditional order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from events.facts import Expiry
from events.instructions import PriceMatch
from events.instruments import Bracket
from events.refusals import Reason
from events.units import Atoms, Rate
from tests.scenario import Scenario, scenario
from tests.spec.falsifying import told
from tests.spec.waiting import LAST, TAKE_PROFIT, refused_when_triggered, trailing, triggered, waiting
from tests.spec.words import (
    BUY,
    PERCENT,
    POST_ONLY,
    SELL,
    account,
    expired,
    mark,
    market,
    pack,
    place,
    position,
    proceed,
    resting,
    set_leverage,
    traded,
)

TIERS = (
    Bracket(Atoms(0), Atoms(2_000), 20, Rate(4 * PERCENT), Atoms(0)),
    Bracket(Atoms(2_000), Atoms(10**12), 5, Rate(5 * PERCENT), Atoms(20)),
)
"""Above a notional of 2,000 at most five times leverage."""

RULES = pack(
    max_orders=1, price_up=Rate(120 * PERCENT), price_down=Rate(80 * PERCENT), min_notional=Atoms(150), brackets=TIERS
)


def poor() -> Scenario:
    """ann owns 200, at ten times leverage, and the book is far from the mark."""
    session = scenario(RULES).given(account("ann", 200), set_leverage("maker", 5), set_leverage("taker", 5))
    return session.given(resting(1, SELL, price=115, lots=50), resting(2, BUY, price=90, lots=50, by="taker"))


def busy() -> Scenario:
    """She has as many open orders as she may have."""
    return poor().given(resting(3, BUY, price=85, lots=2, by="ann"))


RULED: list[tuple[Reason, Callable[[], Scenario], Any]] = [
    (Reason.NO_PRICE_TO_MATCH, busy, waiting(20, BUY, at=105, price_match=PriceMatch.OPPONENT_5)),
    (Reason.PRICE_ABOVE_BAND, busy, waiting(20, BUY, at=105, price=127, lots=1, tif=POST_ONLY)),
    (Reason.PRICE_BELOW_BAND, busy, waiting(20, SELL, TAKE_PROFIT, at=105, price=83, lots=1, tif=POST_ONLY)),
    (Reason.NOTIONAL_BELOW_MINIMUM, busy, waiting(20, BUY, at=105, price=120, lots=1, tif=POST_ONLY)),
    (Reason.NOTIONAL_BELOW_MINIMUM, busy, waiting(20, BUY, at=105, lots=1)),
    (Reason.TOO_MANY_OPEN_ORDERS, busy, waiting(20, BUY, at=105, price=120, lots=40, tif=POST_ONLY)),
    (Reason.TOO_MANY_OPEN_ORDERS, busy, trailing(20, BUY, percent=5, lots=40, reduce_only=True)),
    (Reason.REDUCE_ONLY_WOULD_INCREASE, poor, waiting(20, BUY, at=105, price=120, tif=POST_ONLY, reduce_only=True)),
    (Reason.REDUCE_ONLY_WOULD_INCREASE, poor, trailing(20, BUY, percent=5, reduce_only=True)),
    (Reason.POST_ONLY_WOULD_TAKE, poor, waiting(20, BUY, at=105, price=120, lots=40, tif=POST_ONLY)),
    (Reason.POSITION_LIMIT_AT_LEVERAGE, poor, waiting(20, BUY, at=105, price=110, lots=40)),
    (Reason.POSITION_LIMIT_AT_LEVERAGE, poor, waiting(20, BUY, at=105, lots=40)),
    (Reason.POSITION_LIMIT_AT_LEVERAGE, poor, trailing(20, BUY, percent=5, lots=40)),
    (Reason.INSUFFICIENT_MARGIN, lambda: poor().given(set_leverage("ann", 5)), waiting(20, BUY, at=105, lots=12)),
    (Reason.INSUFFICIENT_MARGIN, poor, waiting(20, SELL, TAKE_PROFIT, at=105, price=104, lots=19)),
]
"""Each breaks its rule when it fires, and those below it in the list that it can."""


@pytest.mark.parametrize(
    ("reason", "situation", "asked"), RULED, ids=[f"{row[0].value}-{n}" for n, row in enumerate(RULED)]
)
def test_the_first_rule_that_speaks_against_it_is_named(
    reason: Reason, situation: Callable[[], Scenario], asked: Any
) -> None:
    session = situation().given(replace(asked, account="ann"), mark(105))
    session.when(proceed()).then(triggered(20, asked.lots), refused_when_triggered(20, reason, asked.lots))
    told(session).holds("ann", open_triggers=0)


def test_what_was_within_the_rules_when_it_was_placed_is_looked_at_anew() -> None:
    session = poor().given(waiting(20, BUY, at=105, price=120, lots=16, by="ann"))
    session.given(place(21, BUY, price=115, lots=5, by="ann"), mark(105))
    told(
        session.when(proceed()).then(
            triggered(20, 16), refused_when_triggered(20, Reason.POSITION_LIMIT_AT_LEVERAGE, 16)
        )
    )


def test_the_largest_market_order_is_no_limit_of_what_closes_a_position() -> None:
    session = scenario(pack(market_max_lots=5)).given(position(1, BUY, price=100, lots=9, by="taker"))
    session.given(resting(3, BUY, price=90, lots=20), waiting(20, SELL, at=95, closes=True), mark(95))
    told(session.when(proceed()).then(triggered(20, 9), traded(3, 20, price=90, lots=9)))


class TestPriceProtection:
    """It is asked for before anything else, of limit orders too."""

    RULES = pack(trigger_protect=5 * PERCENT, max_orders=1)

    def torn(self, *asked: Any) -> Scenario:
        """The last price is 100."""
        session = scenario(self.RULES).given(resting(1, SELL, price=100, lots=1), market(2, BUY, lots=1))
        return session.given(*asked)

    @pytest.mark.parametrize("more", [{"price": 101}, {"price_match": PriceMatch.OPPONENT_20}, {"reduce_only": True}])
    def test_it_comes_before_every_rule(self, more: dict[str, Any]) -> None:
        session = self.torn(waiting(20, BUY, at=106, protects=True, **more), mark(106))
        told(session.when(proceed()).then(expired(20, 1, Expiry.PRICE_PROTECTION)))

    def test_it_comes_before_what_there_is_to_close(self) -> None:
        session = self.torn(waiting(20, SELL, at=94, protects=True, closes=True), mark(94))
        told(session.when(proceed()).then(expired(20, 0, Expiry.PRICE_PROTECTION)))

    def test_by_the_last_price_the_mark_is_what_it_is_compared_with(self) -> None:
        session = self.torn(waiting(20, BUY, at=106, protects=True, source=LAST, price=90))
        session.given(resting(3, SELL, price=106, lots=1), market(24, BUY, lots=1))
        told(session.when(proceed()).then(expired(20, 1, Expiry.PRICE_PROTECTION)))

    def test_where_no_last_price_is_known_there_is_nothing_to_compare(self) -> None:
        session = scenario(self.RULES).given(waiting(20, BUY, at=110, protects=True), mark(110))
        told(session.when(proceed()).then(triggered(20), expired(20, 1)))
