"""History told order by order, made up from a seed, as each vendor writes it: after each event MARKET's book is what
the orders of that market add up to, and its volume what they traded.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, pairwise
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.commands import SessionOptions
from exchange.core.book import Book, BookSide
from exchange.core.matching.market import MarketFeed
from exchange.core.triggers.index import PriceIndex
from replay.sources import open_source
from tests import bitstamp, databento, lobster
from tests.captures import PACK
from tests.databento import LAST, SNAPSHOT, record
from tests.lobster import DELETED, EXECUTED, HIDDEN, NEW, REDUCED, Pair, message
from tests.single_orders import HIDDEN_SIZE, Day
from tests.tables import Row

LOTS = 1_000
"""Of a thousandth, in a share."""

EVENTS = 150
Level = tuple[int, int]
Shown = tuple[list[Level], list[Level]]
seeds = st.integers(0, 2**32)


def shown(day: Day, levels: int = 10**6) -> Shown:
    """So many best levels of bids and asks."""
    return sorted(day.sums(1).items(), reverse=True)[:levels], sorted(day.sums(-1).items())[:levels]


def best(side: BookSide, levels: int) -> list[Level]:
    """History's best levels: price and shares."""
    return [(price, side.history.stated[price] // LOTS) for price in islice(side.prices(stale=False), levels)]


def check(path: Path, expected: dict[int, Shown], levels: int = 10**6, header: int = 0) -> MarketFeed:
    """Hold the book against what it is expected to show after these lines; the feed at the end."""
    options = SessionOptions()
    feed = MarketFeed(Book(options), options, lambda order: order.lots, PriceIndex({}))
    source, seen = open_source(path, PACK, strict=True), 0
    for chunk in source:
        lines = [int(source.locate(row, "BTCUSDT").rpartition(":")[2]) - header for row in range(len(chunk))]
        for row, (line, following) in enumerate(pairwise([*lines, 0])):
            feed.advance(chunk, row, row)
            if line != following and line in expected:
                assert (best(feed.book.bids, levels), best(feed.book.asks, levels)) == expected[line], line
                seen += 1
    feed.book.check()
    assert (feed.defects, source.report.problems) == ([], [])
    assert seen > len(expected) // 2
    return feed


def lobster_day(day: Day, levels: int) -> Iterator[tuple[Pair, Shown, int]]:
    """A line where something changes that the files show, what it shows, and what traded by then."""
    before, volume = shown(day, levels), 0
    for n in range(EVENTS):
        kind, *what = day.happens()
        volume += what[1] if kind in (EXECUTED, HIDDEN) else 0
        after = shown(day, levels)
        if after != before or kind >= HIDDEN:
            at = f"{34_200 + n // 10}.{n % 10}{n * 7919 % 10**8:08d}"
            yield Pair(message(at, kind, *what), lobster.book(*map(dict, after), levels)), after, volume
        before = after


@settings(max_examples=15)
@given(seeds, st.sampled_from([1, 2, 3, 5, 10, 20]))
def test_days_of_lobster_of_any_number_of_levels(seed: int, levels: int) -> None:
    told = list(lobster_day(Day(Random(seed)), levels))
    with TemporaryDirectory() as folder:
        path = lobster.write(Path(folder) / lobster.NAME, [pair for pair, _, _ in told])
        feed = check(path, {line: found for line, (_, found, _) in enumerate(told, 1)}, levels)
    assert feed.volume == told[-1][2] * LOTS


def side_of(side: int) -> str:
    return "B" if side > 0 else "A"


def begun(day: Day) -> list[Row]:
    """A snapshot of the orders that there are."""
    there = [record("A", side_of(s), p / 10, z, n, flags=SNAPSHOT) for n, (s, p, z) in day.orders.items()]
    return [databento.cleared(flags=SNAPSHOT), *there]


def records(day: Day, random: Random, n: int) -> tuple[list[Row], int]:
    """The records of the next event, and what it traded."""
    before = {number: size for number, (_, _, size) in day.orders.items()}
    kind, order, gone, dimes, side = day.happens()
    own, price, left = side_of(side), dimes / 10, before.get(order, 0) - gone
    cancelled = record("C", own, price, gone, order, n=n)
    changed = record("M", own, price, left, order, n=n) if left > 0 and random.random() < 0.5 else cancelled
    taken = [record("T", side_of(-side), price, gone, 0, n=n), record("F", own, price, gone, order, n=n)]
    if kind == NEW:
        return [record("A", own, price, gone, order, n=n)], 0
    if kind in (REDUCED, DELETED):
        return [changed if kind == REDUCED else cancelled], 0
    if kind == EXECUTED:
        return [*taken, changed], gone
    return (taken[:1], HIDDEN_SIZE) if kind == HIDDEN else ([], 0)


@pytest.mark.parametrize("name", ["mbo.csv", "mbo.dbn"])
@settings(max_examples=8)
@given(seed=seeds)
def test_records_of_databento(name: str, seed: int) -> None:
    random, rows, volume = Random(seed), list[Row](), 0
    day, expected = Day(random), dict[int, Shown]()
    for n in range(EVENTS):
        event, traded = (begun(day), 0) if not n else records(day, random, n)
        for row in event[:-1]:
            row[11] &= ~LAST
        if event:
            event[-1][11] |= LAST
        rows, volume = rows + event, volume + traded
        expected[len(rows)] = shown(day)
    with TemporaryDirectory() as folder:
        feed = check(databento.write(Path(folder) / name, rows), expected, header=name.endswith(".csv"))
    assert feed.volume == volume * LOTS


def lines(day: Day, random: Random, n: int) -> tuple[list[str], int]:
    """What a recording of Bitstamp has of the next event, and what it traded: the trade ahead of its maker's change or
    behind it, and maybe its taker around both.
    """
    before = {number: size for number, (_, _, size) in day.orders.items()}
    kind, number, gone, dimes, side = day.happens()
    own, other = ("buy", "sell") if side > 0 else ("sell", "buy")
    price, left, taker = f"{dimes / 10}", before.get(number, 0) - gone, 100_000 + n
    changed = bitstamp.order("changed" if left > 0 else "deleted", number, own, price, str(max(left, 0)), n)
    if kind == NEW:
        return [bitstamp.order("created", number, own, price, str(gone), n)], 0
    if kind == DELETED:
        return [bitstamp.order("deleted", number, own, price, str(gone), n)], 0
    if kind == REDUCED:
        return [changed], 0
    if kind != EXECUTED:
        return [], 0
    told = [changed, bitstamp.trade(other, number, price, str(gone), n, by=taker)]
    random.shuffle(told)
    if random.random() < 0.5:
        told = [bitstamp.order("created", taker, other, price, str(gone), n), *told]
        told.append(bitstamp.order("deleted", taker, other, price, "0", n))
    return told, gone


@settings(max_examples=15)
@given(seeds)
def test_recordings_of_bitstamp(seed: int) -> None:
    random, volume = Random(seed), 0
    day = Day(random)
    books = [[[f"{p / 10}", str(z), str(n)] for n, (s, p, z) in day.orders.items() if s == side] for side in (1, -1)]
    told, expected = [bitstamp.book(*books)], {1: shown(day)}
    for n in range(1, EVENTS):
        more, traded = lines(day, random, n)
        told, volume = told + more, volume + traded
        expected[len(told)] = shown(day)
    with TemporaryDirectory() as folder:
        feed = check(bitstamp.write(Path(folder) / "BTCUSDT.log", told), expected)
    assert feed.volume == volume * LOTS
