"""One suite for every exchange: the naive one shows what is meant, the core has to say the same to every command."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from events import commands as c
from events.commands import Side
from events.facts import Expiry
from events.phases import TradingPhase
from events.refusals import Reason
from tests.contract import __main__ as runner
from tests.contract import exchanges
from tests.contract.exchanges import MAX_ORDERS, Core, Exchanges, by_chance, naive_exchange
from tests.contract.naive_exchange import NaiveExchange
from tests.spec.phases import phase
from tests.spec.words import BUY, FOK, GTC, IOC, POST_ONLY, SELL, TICK, cancel, place


class Asked:
    """An exchange that is asked in the words of a specification, and what it said last."""

    def __init__(self, exchange: NaiveExchange | Core) -> None:
        self.exchange = exchange
        self.asked = 0

    def __call__(self, command: Any) -> list[tuple[Any, ...]]:
        self.asked += 1
        requests = {"request": f"r{self.asked}"} if isinstance(command, c.TradersCommand) else {}
        return self.exchange.ask(replace(command, at=1, **requests))


@pytest.fixture(params=["naive", "core"])
def ask(request: pytest.FixtureRequest) -> Asked:
    return Asked(naive_exchange() if request.param == "naive" else Core())


def limit(number: int, side: Side, price: int, lots: int, by: str = "ann", tif: c.TimeInForce = GTC) -> c.PlaceOrder:
    return place(number, side, lots=lots, price=price, by=by, tif=tif)


class TestEveryExchange:
    """What any exchange says."""

    def test_an_order_that_meets_nobody_rests(self, ask: Asked) -> None:
        assert ask(limit(1, BUY, 99, 5)) == [("accepted", "ann", 1), ("rested", "ann", 1, 5)]

    def test_a_taker_meets_the_best_price_first_then_the_older_order_and_rests_with_what_is_left(
        self, ask: Asked
    ) -> None:
        for number, price in ((1, 102), (2, 101), (3, 101)):
            ask(limit(number, SELL, price, 5))
        assert ask(limit(1, BUY, 101, 12, by="ben")) == [
            ("accepted", "ben", 1),
            ("traded", 101, 5, "ann", 2, "ben", 1),
            ("traded", 101, 5, "ann", 3, "ben", 1),
            ("rested", "ben", 1, 2),
        ]

    def test_immediate_or_cancel_does_not_rest_and_fill_or_kill_is_all_or_nothing(self, ask: Asked) -> None:
        ask(limit(1, SELL, 101, 5))
        assert ask(limit(1, BUY, 101, 6, by="ben", tif=FOK))[1:] == [("expired", "ben", 1, 6, Expiry.FILL_OR_KILL)]
        assert ask(limit(2, BUY, 101, 6, by="ben", tif=IOC))[1:] == [
            ("traded", 101, 5, "ann", 1, "ben", 2),
            ("expired", "ben", 2, 1, Expiry.IMMEDIATE),
        ]

    def test_an_order_that_would_take_is_no_post_only_order(self, ask: Asked) -> None:
        ask(limit(1, SELL, 101, 5))
        assert ask(limit(1, BUY, 101, 5, by="ben", tif=POST_ONLY)) == [("refused", Reason.POST_ONLY_WOULD_TAKE)]

    def test_a_reduce_only_order_closes_what_there_is_and_no_more(self, ask: Asked) -> None:
        ask(limit(1, SELL, 101, 5))
        ask(limit(1, BUY, 101, 5, by="ben"))
        ask(limit(2, BUY, 100, 9))
        assert ask(place(2, SELL, lots=9, by="ben", tif=IOC, reduce_only=True))[1:] == [
            ("traded", 100, 5, "ann", 2, "ben", 2),
            ("expired", "ben", 2, 4, Expiry.NOTHING_TO_REDUCE),
        ]
        refused = ask(place(3, SELL, lots=1, price=100, by="ben", reduce_only=True))
        assert refused == [("refused", Reason.REDUCE_ONLY_WOULD_INCREASE)]

    def test_a_cancelled_order_is_gone(self, ask: Asked) -> None:
        ask(limit(1, SELL, 101, 5))
        assert ask(cancel(1, by="ann")) == [("cancelled", "ann", 1, 5)]
        assert ask(cancel(1, by="ann")) == [("refused", Reason.UNKNOWN_ORDER)]

    def test_an_account_has_so_many_open_orders_and_no_more(self, ask: Asked) -> None:
        for number in range(MAX_ORDERS):
            ask(limit(1 + number, SELL, 101, 5))
        assert ask(limit(1 + MAX_ORDERS, SELL, 101, 5)) == [("refused", Reason.TOO_MANY_OPEN_ORDERS)]

    @pytest.mark.parametrize(
        ("now", "why"),
        [(TradingPhase.HALTED, Reason.TRADING_HALTED), (TradingPhase.CANCEL_ONLY, Reason.CANCEL_ONLY)],
    )
    def test_where_trading_is_stopped_nothing_is_taken_but_cancels(
        self, ask: Asked, now: TradingPhase, why: Reason
    ) -> None:
        ask(limit(1, SELL, 101, 5))
        assert ask(phase(now)) == [("phase", now, 0)]
        assert ask(limit(1, BUY, 101, 5, by="ben")) == [("refused", why)]
        assert ask(c.AmendOrder(1, "ann", "", 1, 102)) == [("refused", why)]  # type: ignore[arg-type]
        assert ask(cancel(1, by="ann")) == [("cancelled", "ann", 1, 5)]

    def test_an_auction_trades_most_lots_then_with_least_surplus_then_near_the_reference_then_low(
        self, ask: Asked
    ) -> None:
        ask(phase(TradingPhase.AUCTION))
        assert ask(limit(1, SELL, 99, 5)) == [("accepted", "ann", 1), ("rested", "ann", 1, 5)]
        assert ask(place(1, BUY, lots=5, by="ben", tif=IOC)) == [("refused", Reason.AUCTION_TAKES_LIMITS)]
        ask(limit(1, BUY, 103, 4, by="ben"))
        ask(limit(1, BUY, 102, 2, by="cat"))
        assert ask(phase(TradingPhase.CONTINUOUS)) == [
            ("uncrossed", 100, 5, 1, 100 * TICK),
            ("traded", 100, 4, "ann", 1, "ben", 1),
            ("traded", 100, 1, "ann", 1, "cat", 1),
            ("phase", TradingPhase.CONTINUOUS, 0),
        ]


@pytest.mark.parametrize("seed", range(6))
def test_the_core_says_what_the_naive_exchange_says(seed: int) -> None:
    by_chance(seed, commands=2_000, every=20)


def test_commands_by_chance_bring_about_everything_that_is_said() -> None:
    both = by_chance(1, commands=4_000, every=1_000)
    said = {saying[0] for batch in both.core.batches for fact in batch.facts if (saying := exchanges.saying(fact))}
    assert said == {
        "expired", *(words[0] for words in exchanges.WORDS.values()),
    }  # fmt: skip


def test_a_difference_is_told_with_the_seed_that_does_it_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(runner, "RUN", 200)
    take = NaiveExchange.take
    monkeypatch.setattr(NaiveExchange, "take", lambda self, order, _price: take(self, order, 100 + 50 * order.sign))
    assert runner.main(["--operations", "200", "--only", "exchanges", "--first", "4"]) == 1
    told = capsys.readouterr().out
    assert "the naive one says" in told
    assert "FAILED: python -m tests.contract --only exchanges --seed 4" in told
    assert runner.main(["--only", "exchanges", "--seed", "4"]) == 1
    monkeypatch.setattr(NaiveExchange, "take", take)
    assert runner.main(["--operations", "300", "--first", "4"]) == 0
    assert "books: 400 operations, seeds 4 to 5, 0 failed" in capsys.readouterr().out


def test_both_are_compared_by_what_they_hold_too() -> None:
    both = Exchanges()
    both.ask(replace(limit(1, SELL, 101, 5), request="r1", at=1))  # type: ignore[arg-type]
    both.naive.orders[0].lots = 4
    with pytest.raises(AssertionError):
        both.agree()
