"""Where the data has a book and an index and no mark: marks come from the book, and funding from both."""

from __future__ import annotations

from pathlib import Path

import pytest

from events.commands import FundingSource, MarkSource, SessionOptions
from events.facts import FundingDue, IndexPriceMoved, MarkPriceMoved
from replay.marking import mark_source
from replay.sources import open_source
from tests.captures import PACK
from tests.playing import Played, play
from tests.tables import LAYOUTS, base, write

HOUR = 3_600_000
"""Rows of the tables are a millisecond apart."""


def files(folder: Path) -> tuple[Path, Path]:
    """A book around 10,010 that stays, and an index of 10,000 without marks, for a good eight hours."""
    book = [[*base(0), "true", side, price, "5"] for side, price in (("bid", "10009.5"), ("ask", "10010.5"))]
    book += [[*base(n * HOUR), "false", "bid", "9000", n] for n in range(1, 10)]
    tickers = [[*base(n * HOUR), "", "", "", "", "", "10000", ""] for n in range(10)]
    return (
        write(folder / "levels.csv", LAYOUTS["incremental_book_L2"][0], book),
        write(folder / "tickers.csv", LAYOUTS["derivative_ticker"][0], tickers),
    )


def played(folder: Path, source: MarkSource) -> Played:
    return play(*files(folder), options=SessionOptions(mark_source=source, funding=FundingSource.PREMIUM), strict=True)


def test_the_mark_is_the_middle_of_the_book_unless_another_source_is_said(tmp_path: Path) -> None:
    assert mark_source([open_source(path, PACK) for path in files(tmp_path)]) is MarkSource.MID


def test_marks_come_from_the_book_and_the_index_from_the_rows(tmp_path: Path) -> None:
    found = played(tmp_path, MarkSource.MID)
    assert {fact.mark for fact in found.facts(MarkPriceMoved)} == {10_010 * 10**8}  # type: ignore[union-attr]
    assert [fact.index for fact in found.facts(IndexPriceMoved)] == [10_000 * 10**8]  # type: ignore[union-attr]


def test_the_rate_is_that_of_their_premium_by_the_rule_of_the_pack(tmp_path: Path) -> None:
    # a premium of 0.1 % draws the interest of 0.01 % up by all of the dampening: 0.1 % - 0.05 %
    rates = [fact.rate for fact in played(tmp_path, MarkSource.MID).facts(FundingDue) if fact.mark]  # type: ignore[union-attr]
    assert rates
    assert set(rates) == {50_000}


@pytest.mark.parametrize("source", [MarkSource.DATA, MarkSource.LAST])
def test_without_a_mark_or_a_trade_there_is_neither(tmp_path: Path, source: MarkSource) -> None:
    found = played(tmp_path, source)
    assert found.facts(MarkPriceMoved) == []
    assert [fact for fact in found.facts(FundingDue) if fact.mark] == []  # type: ignore[union-attr]
