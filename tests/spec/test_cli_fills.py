"""`ringfence replay` of trades and bars without a book, and with latency: what is chosen, recorded and said."""

from __future__ import annotations

from pathlib import Path

import pytest

from events.commands import SessionOptions, TradeFills
from events.facts import Traded
from events.observations import Kind
from events.units import SECOND, Nanos
from replay.sources import open_source
from replay.strategy import Context, Strategy
from replay.trial import Trial, account, happened, never
from tests.archives import ROWS, START
from tests.candles import bar, write
from tests.captures import PACK
from tests.command_line import Said, ringfence
from tests.playing import capture

ANN = ("--account", "ann:cross:10:10000", "--strategy", "tests.spec.test_cli_fills:Patient")


class Patient(Strategy):
    """After a second it bids below the market at two prices."""

    every = Nanos(SECOND)

    def on_timer(self, context: Context) -> None:
        if not context.open_orders() and context.position("BTCUSDT") == 0:
            context.buy("BTCUSDT", "0.1", "10000.0")
            context.buy("BTCUSDT", "0.1", "9999.0")


def trades(folder: Path, *prices: str) -> Path:
    """Trades of 0.05, a second apart."""
    rows = [f"{n},{price},0.05,500,{START + 1000 * n},true" for n, price in enumerate(prices, 1)]
    path = folder / "BTCUSDT-trades.csv"
    path.write_text("\n".join([",".join(ROWS["trades"][0]), *rows, ""]))
    return path


@pytest.fixture
def falling(tmp_path: Path) -> Path:
    return trades(tmp_path, "10001.0", "10001.0", "10000.0", "9999.5", "9999.0", "10002.0")


def played(*arguments: object) -> Said:
    return ringfence("replay", *arguments, *ANN)


class TestTrades:
    """A file that has trades and no book."""

    @pytest.mark.parametrize(("fills", "expected"), [("auto", 2), ("through", 2), ("touch", 3), ("book", 0)])
    def test_orders_fill_as_was_said(self, falling: Path, fills: str, expected: int) -> None:
        # through 10000.0 go two trades of 0.05, which fill 0.1; at it or through it two as well, and at 9999.0 one
        said = played(falling, "--trade-fills", fills, "--json").json
        assert (said["own_fills"], said["without_book"]) == (expected, ["BTCUSDT"])

    @pytest.mark.parametrize(
        ("fills", "what"),
        [
            ("through", "trades through an order's price filled it, takers met the last trade's size"),
            ("touch", "trades at an order's price filled it, takers met the last trade's size"),
            ("book", "nothing could trade with history; see --trade-fills"),
        ],
    )
    def test_it_is_said_that_there_was_no_book(self, falling: Path, fills: str, what: str) -> None:
        assert f"{what}\n" in played(falling, "--trade-fills", fills).out

    def test_a_market_with_a_book_says_nothing_of_it(self, tmp_path: Path) -> None:
        said = ringfence("replay", capture(tmp_path), "--json").json
        assert said["without_book"] == []
        assert "book  " not in ringfence("replay", capture(tmp_path)).out

    def test_what_is_none_of_the_choices_is_refused(self, falling: Path) -> None:
        said = ringfence("replay", falling, "--trade-fills", "never", status=2)
        assert said.complaint == "--trade-fills never: give auto, book, through or touch"

    def test_where_another_file_has_the_book_that_counts(self, tmp_path: Path, falling: Path) -> None:
        said = ringfence("replay", falling, capture(tmp_path), "--out", tmp_path / "session.db", "--json").json
        assert said["without_book"] == []


class TestBars:
    """Bars, around which a book is made up unless trades are to fill orders."""

    PATH = tuple(bar(START + 60_000 * n, "10001.0", "10003.0", "10000.0", "10001.0") for n in range(3))

    def test_by_default_the_made_up_book_fills_what_the_price_touches(self, tmp_path: Path) -> None:
        assert played(write(tmp_path / "BTCUSDT-1m.csv", self.PATH), "--json").json["own_fills"] > 0

    @pytest.mark.parametrize(("fills", "is_filled"), [("through", False), ("touch", True)])
    def test_without_it_trades_along_the_path_do(self, tmp_path: Path, fills: str, is_filled: bool) -> None:
        said = ringfence(
            "replay", write(tmp_path / "BTCUSDT-1m.csv", self.PATH), *ANN, "--trade-fills", fills, "--json"
        )
        assert (said.json["own_fills"] > 0) is is_filled
        assert said.json["without_book"] == ["BTCUSDT"]

    def test_the_prints_are_the_same(self, tmp_path: Path) -> None:
        path = write(tmp_path / "BTCUSDT-1m.csv", self.PATH)
        with_books, without = (open_source(path, PACK) for _ in range(2))
        without.makes_books = False  # type: ignore[attr-defined]
        (whole,), (bare,) = list(with_books), list(without)
        bare.check()
        assert set(bare.kind) == {Kind.PRINT}
        assert (bare.print_price, bare.print_lots, bare.print_side) == (
            whole.print_price,
            whole.print_lots,
            whole.print_side,
        )
        assert {without.locate(row, "BTCUSDT")[-2:] for row in range(len(bare))} == {":1", ":2", ":3"}


class TestLatency:
    """How late orders and news are."""

    def test_it_is_recorded_and_said(self, tmp_path: Path) -> None:
        out = tmp_path / "session.db"
        ways = ("--latency", "5ms", "--feed-latency", "250us", "--latency-jitter", "1ms", "--latency-seed", 7)
        assert (
            "latency  orders 5ms and up to 1ms more (seed 7), news 250us\n"
            in played(capture(tmp_path), *ways, "--out", out).out
        )
        options = ringfence("log", out, "--kind", "session_opened.1", "--json").json["options"]
        assert options["latency"] == {"entry": 5_000_000, "feed": 250_000, "jitter": 1_000_000, "seed": 7}
        assert "decided  again" in ringfence("verify", out).out

    def test_what_the_rows_took_can_be_taken(self, tmp_path: Path) -> None:
        said = played(capture(tmp_path), "--latency", "data", "--feed-latency", "data").out
        assert "latency  orders as long as the rows of the data, news as long as the rows of the data\n" in said

    def test_without_it_nothing_is_said(self, tmp_path: Path) -> None:
        assert "latency" not in played(capture(tmp_path)).out

    @pytest.mark.parametrize("option", ["--latency", "--feed-latency", "--latency-jitter"])
    def test_what_is_no_time_is_refused(self, tmp_path: Path, option: str) -> None:
        said = ringfence("replay", capture(tmp_path), option, "5", status=2)
        assert said.complaint == f"{option} 5: give a time up to ten minutes with its unit, as 5ms, 250us or 0.1s"


class TestQueueWeights:
    """A queue model of one's own."""

    def test_it_is_recorded(self, tmp_path: Path) -> None:
        out = tmp_path / "session.db"
        played(capture(tmp_path), "--queue-model", "1,1,4", "--out", out)
        options = ringfence("log", out, "--kind", "session_opened.1", "--json").json["options"]
        assert options["queue_weights"] == [1, 1, 4]

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("1,x", "give whole numbers, front of the queue first, as 3,2,1"),
            ("0,0", "queue_weights are up to 64 numbers from 0 to 1000000, one of them above 0"),
            ("middle", "give behind, ahead or proportional"),
        ],
    )
    def test_what_is_none_is_refused(self, tmp_path: Path, text: str, told: str) -> None:
        said = ringfence("replay", capture(tmp_path), "--queue-model", text, status=2)
        assert said.complaint == f"--queue-model {text}: {told}"

    @pytest.mark.parametrize("given", [(3, 2, 1), [3, 2, 1], "3,2,1"])
    def test_tests_state_it_as_numbers_or_text(self, falling: Path, given: object) -> None:
        trial = Trial().given(falling, queue_weights=given)
        assert trial.state.options.queue_weights == (3, 2, 1)

    @pytest.mark.parametrize("given", [3, "a,b", (1.5,), (None,)])
    def test_anything_else_is_refused(self, falling: Path, given: object) -> None:
        with pytest.raises(ValueError, match=r"queue_weights .*give whole numbers"):
            Trial().given(falling, queue_weights=given)


class TestInTests:
    """The fixture of pytest takes the same options."""

    def test_a_market_of_trades_fills_by_them_unless_something_else_is_said(self, falling: Path) -> None:
        def told(**options: str) -> Trial:
            return Trial().given(falling, account("ann", strategy=Patient), mark_source="mid", **options)

        told().then(happened(Traded, account="ann", price="10000.0", times=2))
        told(trade_fills="touch").then(happened(Traded, account="ann", times=3))
        told(trade_fills="book").then(never(Traded))

    def test_bars_are_as_ever_unless_trades_are_to_fill(self, tmp_path: Path) -> None:
        path = write(tmp_path / "BTCUSDT-1m.csv", TestBars.PATH)
        trial = Trial().given(path, account("ann", strategy=Patient), mark_source="mid")
        assert trial.state.options == SessionOptions(trial.state.options.mark_source)
        Trial().given(path, account("ann", strategy=Patient), mark_source="mid", trade_fills=TradeFills.THROUGH).then(
            never(Traded, account="ann")
        )
