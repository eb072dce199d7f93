"""Tests of strategies in given / when / then form, and the pytest plugin that brings them."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

import replay
from events.commands import MarkSource
from events.facts import LiquidationStarted, MarkPriceMoved, OrderAccepted, Refused, Traded
from events.instruments import load_pack
from events.log import LogError
from examples.dip_buyer import DipBuyer
from replay.context import Context
from replay.quotes import Quote
from replay.sources import SourceError
from replay.traders import SetupError
from replay.trial import Disappointment, Trial, account, at, ends, generated, happened, never, prices, recorded
from tests import tables
from tests.command_line import ringfence
from tests.tables import LAYOUTS

pytest_plugins = ["pytester"]

FALL = prices("BTCUSDT", (0, "60000"), (10, "56000"))


def buy(context: Context) -> None:
    context.buy("BTCUSDT", "0.3")


def fallen() -> Trial:
    """An isolated long of 0.3 BTC at 20x, and a mark that falls by 6.7 %."""
    return Trial().given(FALL, account("ann", "isolated", deposit=1_000)).when(at(1, "ann", buy))


def fault(trial: Trial, *expected: object) -> str:
    with pytest.raises(Disappointment) as told:
        trial.then(*expected)  # type: ignore[arg-type]
    return str(told.value)


# What is expected


def test_what_holds_passes() -> None:
    fallen().given(account("bob")).then(
        happened(Traded, taker="ann", price="60000.1", lots="0.3"),
        happened(Traded, price=Decimal("60000.1"), side="buy"),
        happened(Traded, price=600_001, lots=300),
        happened(MarkPriceMoved, mark="56000", times=1),
        happened(LiquidationStarted, account="ann", times=1),
        never(Refused),
        never(LiquidationStarted, account="bob"),
        ends("ann", liquidations=1, fills=1, refusals=0, funding=0, position={"BTCUSDT": 0}, fees="9.000015"),
    )


def test_a_fact_that_is_missing_is_told_with_those_of_its_kind() -> None:
    told = fault(fallen().given(account("bob")), happened(Traded, taker="bob")).splitlines()
    assert told[1:3] == ["traded.1 taker=bob: one at least expected, 0 found", "of that kind there were 1:"]
    assert "traded.1 instrument=BTCUSDT side=buy price=60000.1 lots=0.3" in told[3]


def test_a_fact_that_should_not_be_is_told_with_its_causes_the_first_one_first() -> None:
    told = fault(fallen(), never(LiquidationStarted)).splitlines()
    assert told[1:3] == ["liquidation_started.1: 0 expected, 1 found", "the last of them, and what led to it:"]
    kinds = [line.split()[1] for line in told[3:]]
    assert (kinds[0], kinds[-1]) == ("advance_market.1", "liquidation_started.1")
    assert "mark_price_moved.1" in kinds


def test_figures_that_are_others_are_told_with_both() -> None:
    told = fault(fallen(), ends("ann", fills=2, position={"BTCUSDT": "0.3"}, liquidations=1)).splitlines()
    assert told == ["", "ann ends with fills 1, expected 2", "ann ends with position in BTCUSDT 0, expected 0.3"]


def test_every_disappointment_is_told_at_once() -> None:
    told = fault(fallen(), never(Traded), ends("ann", refusals=1), happened(Refused))
    assert [part in told for part in ("traded.1: 0 expected", "refusals 0", "refused.1: one at least")] == [True] * 3


# What is given


def test_told_prices_are_marks_with_a_book_a_tick_around_them() -> None:
    seen: list[object] = []
    trial = Trial().given(prices("BTCUSDT", (0, "60000"), (2, "59000")), account("ann"))
    look = at(1, "ann", lambda context: seen.append((context.mark("BTCUSDT"), context.quote("BTCUSDT"))))
    trial.when(look).then(happened(MarkPriceMoved, mark="59000", times=1))
    assert seen == [(60_000, Quote(Decimal("59999.9"), Decimal("60000.1")))]


def test_a_market_of_told_prices_trades_at_the_best_prices_up_to_its_depth() -> None:
    trial = Trial().given(
        prices("BTCUSDT", (0, "100"), (9, "110"), (10, "110"), depth="2"), account("ann", deposit=1_000)
    )
    trial.when(
        at("0.5", "ann", lambda context: context.buy("BTCUSDT", "3")),
        at("9.5", "ann", lambda context: context.sell("BTCUSDT", "1")),
    )
    trial.then(
        happened(Traded, price="100.1", lots="2", times=1),
        happened(Traded, price="109.9", lots="1", times=1),
        ends("ann", position={"BTCUSDT": 1}),
    )


def test_deeds_happen_in_the_order_of_their_times_and_beside_a_strategy() -> None:
    trial = Trial().given(generated(seed=2, seconds=30), account("ann", strategy=DipBuyer()), account("bob", "multi"))
    trial.given(indices=dict.fromkeys(("USDTUSD", "USDCUSD", "BUSDUSD"), 1))
    numbers: list[int] = []
    trial.when(at(5, "bob", lambda context: numbers.append(2)), at("2.5", "bob", lambda context: numbers.append(1)))
    assert len(trial.facts(OrderAccepted, account="ann")) > 0
    assert numbers == [1, 2]


def test_a_refusal_is_a_fact_of_whose_command_it_was() -> None:
    trial = Trial().given(FALL, account("ann"), account("bob"))
    trial.when(at(1, "ann", lambda context: context.cancel(7)), at(2, "bob", lambda context: context.cancel(8)))
    assert [len(trial.facts(Refused, account=name)) for name in ("", "ann", "bob", "cat")] == [2, 1, 1, 0]


def test_no_deposit_is_finer_than_an_atom() -> None:
    with pytest.raises(SetupError, match=r"^a deposit of 1E-9: money has 8 decimals at most$"):
        Trial().given(FALL, account("ann", deposit=1e-9)).then()


def test_a_deed_after_the_end_of_history_is_an_error_of_the_test() -> None:
    with pytest.raises(ValueError, match=r"^history ends before a deed of ann; tell of a price after it$"):
        Trial().given(FALL, account("ann")).when(at(11, "ann", buy)).then()


def test_a_recorded_session_gives_its_market_and_not_what_its_traders_did(tmp_path: Path) -> None:
    ringfence("demo", "--seconds", 60, "--out", tmp_path / "demo.db")
    one = Trial().given(recorded(tmp_path / "demo.db"), account("ann", strategy=DipBuyer))
    other = Trial().given(generated(seed=2, seconds=60), account("ann", strategy=DipBuyer))
    assert one.head == other.head
    assert {trade.taker for trade in one.facts(Traded)} <= {"ann", "MARKET"}  # type: ignore[union-attr]


def test_a_market_without_marks_is_marked_at_the_mid_unless_it_is_said(tmp_path: Path) -> None:
    file = tables.write(tmp_path / "t.csv", LAYOUTS["trades"][0], [tables.trade(n) for n in range(4_000)])
    buying = at(1, "ann", lambda context: context.buy("BTCUSDT", "0.1"))
    session = Trial().given(file, account("ann")).when(buying)
    session.then(happened(Traded, taker="ann", times=1), never(Refused))
    Trial().given(file, account("ann"), mark_source="data").when(buying).then(never(Traded))


def test_a_session_without_market_data_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty.db"
    ringfence("synth", tmp_path / "market", "--seconds", 5)
    ringfence("replay", tmp_path / "market", "--out", path)
    Trial().given(recorded(path)).then()
    with pytest.raises(LogError, match=r"nothing\.db"):
        Trial().given(recorded(tmp_path / "nothing.db")).then()


def test_the_rules_the_fund_and_the_options_of_the_session_are_given() -> None:
    trial = Trial().given(
        prices("BTCUSDT", (0, "60000")), pack="bybit-linear", insurance=500, mark_source=MarkSource.MID
    )
    assert trial.state.pack == load_pack("bybit-linear")
    assert trial.state.options.mark_source is MarkSource.MID  # type: ignore[union-attr]
    assert len(trial.facts()) == len([fact for batch in trial.batches for fact in batch.facts])


@pytest.mark.parametrize(
    ("trial", "says"),
    [
        (Trial().given(account("ann")), "no market is given; give prices, a generated market, or a file"),
        (Trial().given(FALL).when(at(1, "bob", buy)), "at: no account bob is given"),
    ],
    ids=["no market", "no account"],
)
def test_what_is_not_given_is_said(trial: Trial, says: str) -> None:
    with pytest.raises(ValueError, match=f"^{says}$"):
        trial.then()


def test_a_session_that_was_played_cannot_be_changed() -> None:
    trial = fallen().then()
    with pytest.raises(ValueError, match="played already"):
        trial.when(at(2, "ann", buy))
    with pytest.raises(ValueError, match="played already"):
        trial.given(FALL)


@pytest.mark.parametrize(
    ("market", "says"),
    [
        (prices("PEPEUSDT", (0, "1")), "prices of PEPEUSDT: binance-usdm has no such instrument"),
        (prices("BTCUSDT", (0, "1"), depth="0.0001"), "depth is not a whole number of lots of 0.001"),
        (prices("BTCUSDT", (0, "0.1")), "price 0.1 is not a whole number of ticks of 0.1, more than one"),
    ],
    ids=["instrument", "depth", "price"],
)
def test_prices_that_the_instrument_does_not_have_are_refused(market: object, says: str) -> None:
    with pytest.raises(SourceError, match=says):
        Trial().given(market).then()  # type: ignore[arg-type]


# Golden sessions


def test_a_golden_session_is_made_on_demand_and_is_a_session_file(tmp_path: Path) -> None:
    def trial(*, update: bool = False) -> Trial:
        return Trial(tmp_path / "golden", "fall", update=update).given(FALL, account("ann"))

    with pytest.raises(Disappointment, match=r"fall\.db: there is no golden session; make it of this one"):
        trial().golden()
    trial(update=True).golden()
    trial().golden()
    assert ringfence("verify", tmp_path / "golden" / "fall.db", "--json").json["head"] == trial().head
    assert [file.name for file in (tmp_path / "golden").iterdir()] == ["fall.db"]


def test_a_session_that_differs_is_told_by_its_first_record_with_causes_and_what_came_of_it(tmp_path: Path) -> None:
    def trial(size: str, *, update: bool = False) -> Trial:
        given = Trial(tmp_path, update=update).given(FALL, account("ann", "isolated", deposit=1_000))
        return given.when(at(1, "ann", lambda context: context.buy("BTCUSDT", size)))

    trial("0.3", update=True).golden("other")
    with pytest.raises(Disappointment) as told:
        trial("0.2").golden("other")
    first, golden, now, ours, gained, last = str(told.value).strip().splitlines()
    assert first.startswith(f"{tmp_path / 'other.db'}: record ")
    assert first.endswith("is another one; golden, with what led to it:")
    assert ("lots=0.3" in golden, now, "lots=0.2" in ours) == (True, "now, with what led to it:", True)
    assert gained.startswith("  ann: +")
    assert last == "where that is right: --golden-update"


def test_a_session_that_ends_earlier_is_told_by_where_it_ends(tmp_path: Path) -> None:
    Trial(tmp_path, update=True).given(FALL, account("ann")).golden()
    longer = prices("BTCUSDT", (0, "60000"), (10, "56000"), (11, "56000"))
    with pytest.raises(Disappointment):
        Trial(tmp_path).given(longer, account("ann")).golden()


# The plugin


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A user's own suite of one test."""
    monkeypatch.setenv("PYTHONPATH", str(Path(replay.__file__).parents[1]))
    pytester.makepyfile(
        test_mine="""
        from events.facts import LiquidationStarted
        from replay.trial import account, at, ends, happened, prices

        def test_the_long_is_liquidated(session):
            (session
                .given(prices("BTCUSDT", (0, "60000"), (10, "56000")), account("ann", deposit=1_000))
                .when(at(1, "ann", lambda context: context.buy("BTCUSDT", "0.3")))
                .then(happened(LiquidationStarted, account="ann"), ends("ann", fills=1))
                .golden())
        """
    )
    return pytester


ARGUMENTS = ("-p", "replay.testing", "-p", "no:randomly", "-p", "no:cacheprovider", "-q")


def test_the_fixture_keeps_golden_sessions_beside_the_test(suite: pytest.Pytester) -> None:
    suite.runpytest_subprocess(*ARGUMENTS).stdout.fnmatch_lines(["*there is no golden session; make it*"])
    suite.runpytest_subprocess(*ARGUMENTS, "--golden-update").assert_outcomes(passed=1)
    golden = suite.path / "golden" / "test_mine-test_the_long_is_liquidated.db"
    assert golden.exists()
    suite.runpytest_subprocess(*ARGUMENTS, "-n", "2").assert_outcomes(passed=1)


def test_a_failure_is_short_and_says_where(suite: pytest.Pytester) -> None:
    path = suite.path / "test_mine.py"
    path.write_text(path.read_text("utf-8").replace("fills=1", "fills=2"), "utf-8")
    said = suite.runpytest_subprocess(*ARGUMENTS).stdout
    said.fnmatch_lines(["E*ann ends with fills 1, expected 2"])
    assert len(said.lines) < 25
