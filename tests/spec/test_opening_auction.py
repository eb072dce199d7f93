"""The opening auction: a session that begins with one, all by facts of its log."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from events import commands as c
from events import facts as f
from events.commands import MarkSource, SessionOptions, Side
from events.facts import TradingPhaseSet
from events.phases import TradingPhase
from events.refusals import Reason
from events.units import SECOND, Nanos
from exchange.audit import audit
from replay.strategy import Context, Strategy
from tests.command_line import ringfence
from tests.playing import capture, market, play, trader
from tests.scenario import Scenario, opening, scenario, unopened
from tests.spec.falsifying import noticed, putting, told
from tests.spec.phases import AUCTION, CONTINUOUS, phase, phase_set, uncrossed
from tests.spec.test_put_off import later
from tests.spec.words import BUY, EASY, GOLD, SELL, TIN, place, refused, rested, traded
from tests.spec.words import market as market_order

TEN = Nanos(10 * SECOND)
NAMES = [terms.id for terms in EASY.instruments]


def opens(lasts: Nanos = TEN) -> c.OpenSession:
    return opening(options=SessionOptions(opening_auction=lasts))


def begun() -> Scenario:
    """A session of which the first ten seconds are an auction, with two rich accounts and marks of 100."""
    return scenario(opening_auction=TEN)


class TestItsBeginning:
    """Every contract is in the auction once the session is open."""

    def test_every_contract_is_in_an_auction_that_ends_by_itself(self) -> None:
        session = unopened().when(opens())
        (batch,) = session.batches
        phases = [fact for fact in batch.facts if isinstance(fact, TradingPhaseSet)]
        assert phases == [TradingPhaseSet(name, TradingPhase.AUCTION, Nanos(batch.at + TEN)) for name in NAMES]
        told(session)

    def test_without_the_option_trading_is_continuous_from_the_start(self) -> None:
        session = unopened().when(opens(Nanos(0)))
        assert [type(fact) for fact in session.batches[0].facts] == [f.SessionOpened]

    def test_an_auction_of_less_than_no_time_contradicts_itself(self) -> None:
        unopened().when(opens(Nanos(-1))).then(refused(Reason.BAD_SESSION_OPTIONS))

    def test_what_crosses_rests_until_it_ends_and_trades_at_one_price(self) -> None:
        (
            begun()
            .when(place(1, SELL, price=99, lots=4), market_order(2, BUY, lots=1))
            .then(rested(1, 4), refused(Reason.AUCTION_TAKES_LIMITS))
            .when(place(3, BUY, price=102, lots=6))
            .then(rested(3, 6))
            .when(later(10.1))
            .then(
                uncrossed(price=100, lots=4, surplus=2),
                *(phase_set(CONTINUOUS, on=name) for name in NAMES if name != GOLD),
            )
            .when(c.Proceed(Nanos(0), 10))
            .then(traded(1, 3, price=100, lots=4), phase_set(CONTINUOUS))
            .when(market_order(4, SELL, lots=2))
            .then(traded(3, 4, price=102, lots=2))
        )

    def test_the_operator_may_end_it_before(self) -> None:
        begun().when(phase(CONTINUOUS, on=TIN)).then(phase_set(CONTINUOUS, on=TIN))
        begun().given(phase(AUCTION, until=60)).when(later(20)).then(
            *(phase_set(CONTINUOUS, on=name) for name in NAMES if name != GOLD)
        )


class TestTheAuditor:
    """It knows which auctions a session begins with."""

    def test_it_follows_one_to_its_end(self) -> None:
        told(begun().given(place(1, SELL, price=99, lots=4), place(2, BUY, price=102, lots=6), later(11)))

    def test_it_notices_one_that_ends_at_another_time(self) -> None:
        noticed(unopened().given(opens()), "phase and its end", putting(until=Nanos(5 * SECOND)), TradingPhaseSet)

    def test_it_notices_one_that_nobody_wanted(self) -> None:
        options = SessionOptions()
        session = unopened().given(opens())
        noticed(session, "the operator asked for it", putting(options=options))

    def test_it_notices_a_contract_that_is_left_out(self) -> None:
        noticed(unopened().given(opens()), "contracts that no auction opened", lambda _: None, TradingPhaseSet)

    def test_it_notices_that_what_the_operator_asked_for_never_began(self) -> None:
        session = scenario().given(phase(AUCTION))
        noticed(session, "the phase that was asked for begins", lambda _: None, TradingPhaseSet)


class Opener(Strategy):
    """Bids above the first mark that it sees, or offers below it; writes down what the auction would trade."""

    every = Nanos(SECOND)

    def __init__(self, side: Side) -> None:
        self.side = side
        self.placed = False
        self.seen: list[Decimal] = []

    def on_timer(self, context: Context) -> None:
        mark = context.mark("BTCUSDT")
        if mark is not None and not self.placed:
            self.placed = True
            off = 1 if self.side is Side.BUY else -1
            price = round(mark + off * 20, 1)
            (context.buy if self.side is Side.BUY else context.sell)("BTCUSDT", "0.5", price)
        if (found := context.indicative("BTCUSDT")) is not None:
            self.seen.append(found.size)


class TestAReplay:
    """History plays on meanwhile; nobody meets it before the auction is over."""

    def test_accounts_meet_each_other_at_one_price_before_history_meets_them(self, tmp_path: Path) -> None:
        buyer, seller = Opener(Side.BUY), Opener(Side.SELL)
        traders = [trader(buyer, "ann"), trader(seller, "ben")]
        options = SessionOptions(mark_source=MarkSource.DATA, opening_auction=TEN)
        played = play(capture(tmp_path, market(20)), traders=traders, options=options)
        (cross,) = played.facts(f.AuctionUncrossed)
        trades = played.facts(f.Traded)
        assert isinstance(cross, f.AuctionUncrossed)
        assert [(t.price, t.lots, t.maker, t.taker) for t in trades] == [(cross.price, 500, "ben", "ann")]  # type: ignore[union-attr]
        assert buyer.seen
        assert set(buyer.seen) == {Decimal("0.5")}
        audit(played.batches)

    def test_the_command_line_asks_for_it_in_seconds(self, tmp_path: Path) -> None:
        made, out = capture(tmp_path, market(20)), tmp_path / "session.db"
        ringfence("replay", made, "--opening-auction", "10", "--out", out)
        told_of = ringfence("log", out, "--kind", "trading_phase_set").out.splitlines()
        assert "instrument=BTCUSDT phase=auction" in told_of[0]
        assert "phase=continuous" in told_of[-1]
        assert ringfence("verify", out).out
        complaint = ringfence("replay", made, "--opening-auction", "-1", status=2).complaint
        assert complaint == "--opening-auction -1: give seconds, 0 for none"
