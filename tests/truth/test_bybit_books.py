"""A real order book of Bybit: what was published of it holds of the columns and after a replay."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path

from events.instruments import load_pack
from events.observations import Kind
from tests.simple_book import SimpleBook
from tests.truth.vendors import Told, facts_of

NAME = "bybit/xrpusdt-ob500.data.zip"
PACK = load_pack("binance-usdm")
"""Of the same contract: the sizes of this file are whole numbers of its lots."""


def test_the_book_is_whole(data: Path) -> None:
    facts, told = facts_of(data, NAME), Told(data / NAME, PACK)
    assert told.report.lines == facts["lines"]
    assert Counter(told.column("kind")) == {
        Kind.SNAPSHOT: facts["types"]["snapshot"],
        Kind.DIFF: facts["types"]["delta"],
    }
    at = told.column("at")
    assert (at[0], at[-1]) == (facts["first_ts"] * 10**6, facts["last_ts"] * 10**6)
    ids = told.column("last_id")
    assert sum(after != before + 1 for before, after in pairwise(ids)) == facts["u_chain_breaks"] == 0


def test_the_engine_has_the_same_book_and_finds_nothing_wrong(data: Path) -> None:
    told = Told(data / NAME, PACK)
    (contract,) = (found for found in told.played().state.contracts.values() if found.feed.observations)
    feed = contract.feed
    assert (feed.gaps, feed.crossed, feed.book.stale) == (0, facts_of(data, NAME)["crossed_after_apply"], False)
    plain = SimpleBook().follow(told.chunks)
    assert (dict(feed.book.bids.history.stated), dict(feed.book.asks.history.stated)) == (plain.bids, plain.asks)
