"""The strategies that come along do what they say, and the exchange has nothing against what they ask for."""

from __future__ import annotations

import io
from decimal import Decimal
from pathlib import Path

import pytest

from events.commands import Side
from events.facts import (
    FundingPaid,
    LiquidationStarted,
    OrderAccepted,
    OrderRested,
    Refused,
    Traded,
    TriggerArmed,
)
from events.instruments import Leg
from events.units import SECOND
from examples.funding_carry import FundingCarry
from examples.grid import Grid
from examples.hedged_pair import HedgedPair
from examples.market_maker import MarketMaker
from examples.momentum import Momentum
from examples.practice import Practice
from replay.loading import StrategyError
from replay.strategy import Context, Strategy
from tests.playing import Played, capture, market, play, trader

BTC = "BTCUSDT"


def played(folder: Path, strategy: Strategy, seconds: int = 120, **how: object) -> Played:
    session = play(capture(folder, market(seconds)), traders=[trader(strategy, **how)])  # type: ignore[arg-type]
    assert not session.facts(Refused)
    return session


def test_a_market_maker_quotes_both_sides_and_never_holds_more_than_it_wants(tmp_path: Path) -> None:
    held: list[Decimal] = []

    class Watched(MarketMaker):
        def on_fill(self, context: Context, _trade: Traded) -> None:
            held.append(context.position(BTC))

    session = played(tmp_path, Watched(most=Decimal("0.3")))
    assert {fact.side for fact in session.facts(OrderAccepted)} == {Side.BUY, Side.SELL}  # type: ignore[union-attr]
    assert all(fact.maker == "ann" for fact in session.facts(Traded))  # type: ignore[union-attr]
    assert len(held) > 5
    assert max(map(abs, held)) <= Decimal("0.3")


def test_momentum_has_a_way_out_of_every_position(tmp_path: Path) -> None:
    session = played(tmp_path, Momentum(lookback=3))
    entries = {fact.taker_order for fact in session.facts(Traded) if fact.leg is Leg.NET and fact.taker_order % 3 == 1}  # type: ignore[union-attr]
    armed = {fact.number for fact in session.facts(TriggerArmed)}  # type: ignore[union-attr]
    assert entries
    assert armed == {guard for entry in entries for guard in (entry + 1, entry + 2)}


def test_a_grid_answers_every_fill_one_step_back(tmp_path: Path) -> None:
    session = played(tmp_path, Grid(size=Decimal("0.01"), rungs=3))
    fills = [fact for fact in session.facts(Traded) if fact.maker == "ann"]  # type: ignore[union-attr]
    rested = [fact for fact in session.facts(OrderRested, OrderAccepted) if isinstance(fact, OrderAccepted)]
    step = rested[2].price - rested[0].price if rested[0].side is rested[2].side else 0  # type: ignore[operator]
    assert step
    asked = {(order.side, order.price) for order in rested}
    assert fills
    for fill in fills:
        answer = (Side.SELL, fill.price + abs(step)) if fill.side is Side.SELL else (Side.BUY, fill.price - abs(step))  # type: ignore[union-attr]
        assert answer in asked


def test_funding_carry_is_paid_and_leaves(tmp_path: Path) -> None:
    session = played(tmp_path, FundingCarry(least=Decimal(0)), seconds=60)
    (paid,) = (fact for fact in session.facts(FundingPaid) if fact.account == "ann")  # type: ignore[union-attr]
    assert paid.amount > 0  # type: ignore[union-attr]
    (position,) = session.state.accounts["ann"].positions.values()  # type: ignore[index]
    assert position.lots == 0


def test_funding_carry_stays_out_where_it_is_not_worth_its_fees(tmp_path: Path) -> None:
    assert not played(tmp_path, FundingCarry(), seconds=60).facts(Traded)


def test_a_hedged_pair_survives_cross_and_loses_a_leg_isolated(tmp_path: Path) -> None:
    files = [
        capture(tmp_path, market(200, symbol=symbol, seed=seed), name)
        for symbol, seed, name in ((BTC, 3, "one"), ("ETHUSDT", 4, "other"))
    ]
    traders = [trader(HedgedPair(), mode, mode, 20, 6_000) for mode in ("cross", "isolated")]
    liquidated = {fact.account for fact in play(*files, traders=traders).facts(LiquidationStarted)}  # type: ignore[union-attr]
    assert liquidated == {"isolated"}


def test_a_pair_of_one_says_what_it_lacks(tmp_path: Path) -> None:
    with pytest.raises(StrategyError, match="a pair needs two instruments; replay two markets"):
        played(tmp_path, HedgedPair(), seconds=10)


LINES = "buy 0.1\nwhat\n\nsell 0.2 70000\ncancel\nclose\nbuy 99999\nwait\nend\nbuy 1\n"


def practised(folder: Path, monkeypatch: pytest.MonkeyPatch, lines: str = LINES) -> Played:
    monkeypatch.setattr("sys.stdin", io.StringIO(lines))
    return play(capture(folder, market(60)), traders=[trader(Practice(seconds=Decimal(5)))])


def test_practice_shows_the_market_and_does_what_is_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    session = practised(tmp_path, monkeypatch)
    told = capsys.readouterr().err
    assert "buy SIZE [PRICE]" in told.splitlines()[0]
    assert "position 0.1  equity 9,99" in told
    assert told.count("  filled 0.1 at ") == 2
    assert told.count("  ? ") == 1
    assert told.index("  order 2 waits in the book") < told.index("  order 2 cancelled")
    assert "  refused: size above maximum" in told
    assert len(session.facts(Traded)) == 2
    assert session.state.now > 50 * SECOND


def test_the_same_lines_give_the_same_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert practised(tmp_path, monkeypatch).head == practised(tmp_path, monkeypatch).head


@pytest.mark.parametrize("lines", ["", "buy\n", "buy x\n", "buy 1 2 3\n", "close\n", "buy nan\n"])
def test_what_cannot_be_done_changes_nothing(lines: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not practised(tmp_path, monkeypatch, lines).facts(OrderAccepted)
