"""A day of GOOG as LOBSTER published it: after each message MARKET's book is the published one, and an order that was
placed in a real queue fills exactly when what was ahead of it has traded or left.

What is expected is computed here from the text of the files alone.
"""

from __future__ import annotations

import zipfile
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import islice, pairwise
from pathlib import Path
from typing import NamedTuple

import pytest

from events import commands as c
from events.commands import AccountId, ChunkId, OrderNumber, SessionOptions, Side, TimeInForce
from events.facts import MarketAdvanced, Traded
from events.instruments import InstrumentId
from events.observations import Action, Kind, Observations
from events.record import Batch
from events.units import SECOND, Atoms, Lots, MarkUnits, Nanos, Ticks
from exchange.core.book import Book, BookSide
from exchange.core.matching.market import MarketFeed
from exchange.core.segments import unnamed
from exchange.core.state import RULES_VERSION, State
from exchange.core.step import step
from exchange.core.triggers.index import PriceIndex
from replay.sources import open_source
from tests.sim.world import lend
from tests.truth.vendors import facts_of, pack_of

NAME = "lobster/LOBSTER_SampleFile_GOOG_2012-06-21_5.zip"
HALF_CENT = 500_000
SHARE = 10**8
PACK = pack_of(("GOOG",), HALF_CENT, SHARE)
"""Hidden orders trade at half a cent."""

TICK = 50
"""Half a cent in the file's unit."""

NEW, REDUCED, DELETED, EXECUTED, HIDDEN = range(1, 6)
CHANGES = {NEW: 1, REDUCED: -1, DELETED: -1, EXECUTED: -1}
LEVELS = 5
MIDNIGHT = 1_340_251_200 * SECOND
"""21 June 2012, 04:00 UTC."""

GOOG, OWNER, OWN = InstrumentId("GOOG"), AccountId("ann"), 50


class Line(NamedTuple):
    """A message; its time is ns since the epoch."""

    at: int
    type: int
    order: int
    size: int
    price: int
    side: int


@cache
def published(data: Path) -> tuple[list[Line], list[list[int]]]:
    """The messages, and the book after each of them."""
    with zipfile.ZipFile(data / NAME) as archive:
        names = {part: next(n for n in archive.namelist() if part in n) for part in ("message", "orderbook")}
        said, stated = (archive.read(names[part]).decode().split() for part in ("message", "orderbook"))
    messages = [Line(nanos(time), *map(int, rest)) for time, *rest in (line.split(",") for line in said)]
    return messages, [list(map(int, line.split(","))) for line in stated]


def nanos(time: str) -> int:
    """A time of the file, which is in New York's summer time."""
    seconds, _, part = time.partition(".")
    return MIDNIGHT + int(seconds) * SECOND + int(part.ljust(9, "0"))


@cache
def told(data: Path) -> tuple[list[Observations], list[list[int]]]:
    """The chunks, and the line of each row of theirs."""
    source = open_source(data / NAME, PACK)
    chunks, lines = [], []
    for chunk in source:
        chunks.append(chunk)
        lines.append([int(source.locate(row, "GOOG").rpartition(":")[2]) for row in range(len(chunk))])
    assert (source.report.lines, source.report.skipped, source.report.problems) == (112_673, {}, [])
    return chunks, lines


def best(side: BookSide) -> list[tuple[int, int]]:
    """History's best levels: price and lots."""
    return [(price, side.history.stated[price]) for price in islice(side.prices(stale=False), LEVELS)]


def of_row(row: list[int], side: int) -> list[tuple[int, int]]:
    """The levels of a published row: price in ticks, shares."""
    start = 0 if side < 0 else 2
    levels = zip(row[start::4], row[start + 1 :: 4], strict=True)
    return [(price // TICK, size) for price, size in levels if abs(price) != 9_999_999_999]


def test_after_each_message_market_s_book_is_the_published_row(data: Path) -> None:
    """All lines, though that takes some seconds. At 111,080 of them some of the ten levels has volume of which only the
    size is known, be it from before 09:30 or from outside of the levels that the file has.
    """
    _, rows = published(data)
    options = SessionOptions()
    feed = MarketFeed(Book(options), options, lambda order: order.lots, PriceIndex({}))
    sides = {1: feed.book.bids, -1: feed.book.asks}
    equal = by_size = 0
    for chunk, lines in zip(*told(data), strict=True):
        for row, (line, following) in enumerate(pairwise([*lines, 0])):
            feed.advance(chunk, row, row)
            assert not feed.defects
            if line != following:
                shown = {sign: best(side) for sign, side in sides.items()}
                assert shown == {sign: of_row(rows[line - 1], sign) for sign in sides}, line
                equal += 1
                by_size += any(unnamed(sides[sign].history, price) for sign in sides for price, _ in shown[sign])
    feed.book.check()
    assert (equal, by_size) == (112_673, 111_080)
    assert (feed.crossed, feed.gaps, feed.book.stale) == (0, 0, False)


def test_what_was_published_of_the_file_holds(data: Path) -> None:
    facts, (chunks, lines) = facts_of(data, NAME), told(data)
    actions = Counter(action for chunk in chunks for action in chunk.order_action)
    prints = [
        print_
        for chunk in chunks
        for print_ in zip(chunk.print_price, chunk.print_lots, chunk.print_side, chunk.print_order, strict=True)
    ]
    visible, hidden = ([one for one in prints if bool(one[3]) is shown] for shown in (True, False))
    types = facts["types"]
    assert [actions[action] for action in (Action.ADD, Action.REDUCE, Action.DELETE)] == [
        types["1"], types["2"], types["3"],
    ]  # fmt: skip
    assert (len(visible), len(hidden)) == (types["4"], types["5"])
    assert sum(lots for _, lots, _, _ in visible) == facts["exec_visible_shares"]
    assert sum(lots for _, lots, _, _ in hidden) == facts["exec_hidden_shares"]
    assert sum(lots for _, lots, side, _ in prints if side > 0) == facts["buy_initiated_shares"]
    assert sum(price * TICK * lots for price, lots, _, _ in visible) == facts["visible_notional_1e4"]
    prices = [price * TICK for price, *_ in prints]
    assert (min(prices), max(prices)) == (facts["pmin"], facts["pmax"])
    assert (chunks[0].at[0], chunks[-1].at[-1]) == (nanos(facts["first"]), nanos(facts["last"]))
    assert lines[-1][-1] == facts["rows"]


def test_levels_are_known_by_size_only_where_they_come_into_view(data: Path) -> None:
    """At 31,903 lines after the first a level comes into view, and one that was in view is always what the messages
    make of it. 4,951 messages are about orders from before 09:30.
    """
    messages, rows = published(data)
    seen: dict[int, dict[int, int]] = {}
    came = set()
    for line, (message, row) in enumerate(zip(messages, rows, strict=True), 1):
        now = {side: dict(of_row(row, side)) for side in (1, -1)}
        for side, levels in now.items() if seen else ():
            for price, size in levels.items():
                is_own = (side, price * TICK) == (message.side, message.price)
                change = CHANGES.get(message.type, 0) * message.size if is_own else 0
                if price in seen[side] or change == size:
                    assert size == seen[side].get(price, 0) + change
                else:
                    came.add(line)
        seen = now
    assert len(came) == 31_903
    assert {line for line, _ in by_action(data, Action.LEVEL)} == came | {1}
    joined = {message.order for message in messages if message.type == NEW}
    leaving = [message.order for message in messages if message.type in (REDUCED, DELETED, EXECUTED)]
    assert sum(order not in joined for order in leaving) == facts_of(data, NAME)["refs_to_pre_open_orders"] == 4_951


def by_action(data: Path, action: Action) -> Iterator[tuple[int, int]]:
    """The lines with such a message, and its order."""
    for chunk, lines in zip(*told(data), strict=True):
        for line, kind, i in zip(lines, chunk.kind, chunk.index, strict=True):
            for k in range(chunk.orders_end[i - 1] if i else 0, chunk.orders_end[i]) if kind == Kind.ORDERS else ():
                if chunk.order_action[k] == action:
                    yield line, chunk.order_id[k]


class Waiting:
    """What becomes of an order that is placed behind what a line shows at a price, by the lines that follow."""

    def __init__(self, price: int, side: int, lots: int, ahead: int) -> None:
        self.price, self.side, self.left, self.ahead = price, side, lots, ahead
        self.behind: set[int] = set()
        self.fills: list[tuple[int, int]] = []

    def follow(self, message: Line) -> None:
        """A message: what was ahead trades or leaves, what comes joins behind."""
        beyond = (message.price - self.price) * message.side
        if message.side != self.side:
            if message.type == NEW and beyond >= 0:
                self.fill(message, message.size)
        elif message.type in (EXECUTED, HIDDEN):
            if beyond < 0:
                self.fill(message, message.size)
            elif not beyond:
                self.fill(message, message.size - self.ahead)
                self.ahead -= message.size if message.type == EXECUTED and message.order not in self.behind else 0
        elif not beyond and message.type == NEW:
            self.behind.add(message.order)
        elif not beyond and message.order not in self.behind:
            self.ahead -= message.size

    def fill(self, message: Line, size: int) -> None:
        part = min(self.left, size)
        if part > 0:
            self.left -= part
            self.fills.append((message.at, part))


PLACED = [(400, 1), (1_500, -1), (3_000, 1), (5_200, -1), (8_000, 1), (11_000, -1), (15_600, 1), (21_000, -1)]
"""After which line an order is placed, and on which side: at the best price."""


@pytest.mark.parametrize(("line", "side"), PLACED)
def test_an_order_in_a_real_queue_fills_when_what_was_ahead_has_traded_or_left(
    data: Path, line: int, side: int
) -> None:
    messages, rows = published(data)
    price, ahead = of_row(rows[line - 1], side)[0]
    waiting = Waiting(price * TICK, side, OWN, ahead)
    for at, message in enumerate(messages[line:], line):
        waiting.follow(message)
        assert price in dict(of_row(rows[at], side)) or not waiting.ahead, "the price left the view"
        if not waiting.left:
            break
    assert ahead > 0
    assert waiting.left == 0
    assert placed(data, line, side, price, at + 1) == waiting.fills


def placed(data: Path, line: int, side: int, price: int, until: int) -> list[tuple[int, int]]:
    """The same order in the engine: when it filled, and for how many shares."""
    chunks, lines = told(data)
    state = lend(State(), {ChunkId(f"{n}"): chunk for n, chunk in enumerate(chunks)})
    step(state, c.OpenSession(Nanos(0), RULES_VERSION, PACK, SessionOptions(mark_source=c.MarkSource.MID)))
    step(state, c.SetMarkPrice(Nanos(0), GOOG, MarkUnits(price * HALF_CENT)))
    step(state, c.OpenAccount(Nanos(0), OWNER, c.RequestId("open")))
    step(state, c.Deposit(Nanos(0), OWNER, c.RequestId("pay"), PACK.instruments[0].settle, Atoms(10**15)))
    fills = list(advanced(state, chunks, lines, 0, line))
    order = c.PlaceOrder(
        Nanos(state.now), OWNER, c.RequestId("place"), OrderNumber(1), GOOG, Side.BUY if side > 0 else Side.SELL,
        Lots(OWN), Ticks(price), TimeInForce.POST_ONLY,
    )  # fmt: skip
    assert isinstance(step(state, order), Batch)
    return fills + list(advanced(state, chunks, lines, line, until))


def advanced(
    state: State, chunks: list[Observations], lines: list[list[int]], after: int, until: int
) -> Iterator[tuple[int, int]]:
    """Apply the rows of lines behind one up to another: the fills, with their times."""
    for n, (chunk, of_chunk) in enumerate(zip(chunks, lines, strict=True)):
        first, last = bisect_right(of_chunk, after), bisect_right(of_chunk, until) - 1
        if first <= last:
            batch = step(state, c.AdvanceMarket(Nanos(chunk.at[last]), GOOG, ChunkId(f"{n}"), first, last))
            assert isinstance(batch, Batch)
            at = 0
            for fact in batch.facts:
                if isinstance(fact, MarketAdvanced):
                    at = chunk.at[fact.last_row]
                elif isinstance(fact, Traded):
                    yield at, fact.lots
