"""The order of things in venue captures, rule by rule, each with a file that is replayed: what an account's orders come
to, and what is told. The rules are those of `docs/replay.md`.

An account bids 2 at 100.0, behind 5 of history's, and later asks 2 at 100.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest

from events.facts import Traded
from events.instruments import InstrumentId
from events.units import SECOND, Nanos
from replay.sources import SourceError, open_source
from replay.strategy import Context, Strategy
from tests.captures import PACK, START, body, diff, mark, ticker, trade, write
from tests.playing import play, trader

BOOK = ([("100.0", "5")], [("100.2", "5")])
BTC = InstrumentId("BTCUSDT")
OPEN = (body(7, *BOOK), mark())
"""A snapshot of id 7 with a mark, at the start; times are ms after it."""


class Resting(Strategy):
    """Bids half a second after the start, and asks a second after it."""

    every = Nanos(SECOND // 2)
    called = 0

    def on_timer(self, context: Context) -> None:
        self.called += 1
        if self.called == 1:
            context.buy("BTCUSDT", "2", "100.0")
        elif self.called == 2:
            context.sell("BTCUSDT", "2", "100.3")


@dataclass
class Outcome:
    """What the account's orders came to, as (ms, price, size), and what was told."""

    fills: list[tuple[int, str, str]]
    volume: Decimal
    skipped: dict[str, int]
    problems: list[str]
    went_back: int


def replayed(path: Path, strict: bool = False) -> Outcome:
    source = open_source(path, PACK)
    list(source)
    done = play(path, traders=[trader(Resting())], strict=strict)
    fills = [
        ((batch.at - START) // 10**6, f"{Decimal(fact.price) / 10}", f"{Decimal(fact.lots) / 1000}")
        for batch in done.batches
        for fact in batch.facts
        if isinstance(fact, Traded)
    ]
    volume = Decimal(done.state.contracts[BTC].feed.volume) / 1000
    told = source.report
    return Outcome(
        fills,
        volume,
        dict(told.skipped) | dict(done.player.defects),
        [*told.problems, *done.player.problems],
        told.time_went_back,
    )


def file(folder: Path, lines: Sequence[str]) -> Path:
    return write(folder / "capture", lines)


def sold(size: str, at_ms: int, transacted: int | None = None, **fields: object) -> str:
    """A trade at 100.0 whose taker sold."""
    when = START // 10**6 + (at_ms if transacted is None else transacted)
    return trade("100.0", size, at_ms, T=when, E=when, **fields)


def shrunk(id: int, bid: str, at_ms: int, **fields: object) -> str:
    """A diff after which history's bid at 100.0 is so large."""
    return diff(id, [("100.0", bid)], [], at_ms, T=START // 10**6 + at_ms, **fields)


class TestLatePrints:
    """A trade that comes after the diff which contains it already."""

    def test_it_uses_up_what_left_unexplained_and_leaves_the_queue_alone(self, tmp_path: Path) -> None:
        # 2 of the 5 ahead left with the diff; the trade of 2 from before it explains that, and the next one walks
        lines = [*OPEN, shrunk(17, "3", 2000), sold("2", 3000, transacted=1900), sold("3.5", 4000)]
        assert replayed(file(tmp_path, lines)).fills == [(4000, "100", "0.5")]

    def test_a_trade_after_the_diff_walks_the_queue(self, tmp_path: Path) -> None:
        lines = [*OPEN, shrunk(17, "3", 2000), sold("2", 3000, transacted=2100), sold("3.5", 4000)]
        assert replayed(file(tmp_path, lines)).fills == [(4000, "100", "2")]


class TestStaleBook:
    """A gap in the ids: nobody trades with history until its book is known again."""

    GAP = shrunk(47, "5", 2000)

    def test_no_fills_until_the_next_snapshot(self, tmp_path: Path) -> None:
        lines = [*OPEN, self.GAP, sold("9", 3000), body(57, *BOOK, at_ms=4000), sold("9", 5000)]
        outcome = replayed(file(tmp_path, lines))
        assert outcome.fills == [(5000, "100", "2")]
        assert outcome.skipped == {"gap_in_update_ids": 1}
        assert outcome.problems == [
            f"{tmp_path / 'capture'}:3: gap in update ids, and no fills until it is whole again; fetch the file again"
        ]

    def test_a_strict_replay_stops_at_it(self, tmp_path: Path) -> None:
        with pytest.raises(SourceError, match="capture:3: gap in update ids"):
            replayed(file(tmp_path, [*OPEN, self.GAP]), strict=True)

    @pytest.mark.parametrize(("wrong", "fills"), [((), [(6000, "100", "2")]), ((3,), [])])
    def test_without_a_snapshot_three_equal_comparisons_in_a_row_make_it_fresh(
        self, tmp_path: Path, wrong: Sequence[int], fills: list[tuple[int, str, str]]
    ) -> None:
        agreed = [
            line
            for n in range(1, 4)
            for line in (
                ticker(10 * n + 7, 100 * n, b="100.0", B="9" if n in wrong else "5", a="100.2", A="5"),
                diff(10 * n + 7, *BOOK, 100 * n),
            )
        ]
        outcome = replayed(file(tmp_path, [diff(7, *BOOK), mark(), *agreed, sold("9", 6000)]))
        assert outcome.fills == fills


class TestWholeDiffs:
    """A diff is applied whole before its prices are looked at."""

    def test_bids_that_rise_above_asks_that_leave_cross_nothing_but_the_accounts_order(self, tmp_path: Path) -> None:
        moved = diff(17, [("100.4", "5")], [("100.2", "0"), ("100.6", "5")], 2000)
        outcome = replayed(file(tmp_path, [*OPEN, moved]))
        assert (outcome.fills, outcome.skipped) == ([(2000, "100.3", "2")], {})

    def test_a_whole_diff_that_crosses_makes_the_book_stale(self, tmp_path: Path) -> None:
        path = file(tmp_path, [*OPEN, diff(17, [("100.4", "5")], [], 2000), sold("9", 3000)])
        outcome = replayed(path)
        assert (outcome.fills, outcome.skipped) == ([], {"crossed_book": 1})
        assert outcome.problems[0].startswith(f"{path}:3: crossed book")
        with pytest.raises(SourceError, match="capture:3: crossed book"):
            replayed(path, strict=True)


class TestBackwardsTime:
    """A row that is older than the one before takes that one's time and is counted."""

    def test_it_is_played_at_that_time(self, tmp_path: Path) -> None:
        lines = [*OPEN, sold("1", 3000), sold("6", 1000, transacted=3100)]
        outcome = replayed(file(tmp_path, lines))
        assert (outcome.fills, outcome.went_back, outcome.problems) == ([(3000, "100", "2")], 1, [])


class TestTradesThatAreNone:
    """A trade whose X is not MARKET: no fill, no volume, counted by reason."""

    def test_an_insurance_fund_fills_nobody(self, tmp_path: Path) -> None:
        outcome = replayed(file(tmp_path, [*OPEN, sold("9", 2000, X="INSURANCE_FUND"), sold("1", 3000)]))
        assert (outcome.fills, outcome.volume, outcome.skipped) == ([], 1, {"trade_insurance_fund": 1})


class TestMalformedRows:
    """What cannot be read is left out, counted and told; strict reading stops there."""

    @pytest.mark.parametrize(
        ("broken", "reason"),
        [
            (sold("9", 2000)[:90] + "\n", "malformed_json"),
            ("no line at all\n", "malformed_line"),
            (sold("9.12345", 2000), "off_lot"),
        ],
        ids=["json", "line", "lot"],
    )
    def test_the_rest_is_played(self, tmp_path: Path, broken: str, reason: str) -> None:
        path = file(tmp_path, [*OPEN, broken, sold("5.5", 3000)])
        outcome = replayed(path)
        assert (outcome.fills, outcome.skipped) == ([(3000, "100", "0.5")], {reason: 1})
        assert outcome.problems[0].startswith(f"{path}:3: ")
        with pytest.raises(SourceError, match="capture:3: "):
            list(open_source(path, PACK, strict=True))
