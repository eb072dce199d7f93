"""What is in a file of market history, found out by reading all of it: spans, counts, gaps and defects.

Numbers are read in units of 10^-8, so that a file can be looked into under a rule pack that it does not fit; the finest
tick and lot that it needs are found out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from math import gcd
from pathlib import Path

import msgspec
import numpy as np

from events.commands import SessionOptions
from events.instruments import Instrument, InstrumentId, RulePack
from events.observations import Kind, Observations
from exchange.core.book import Book
from exchange.core.matching.market import MarketFeed
from exchange.core.triggers.index import PriceIndex
from replay.sources import Source, format_of, lobster, open_source
from replay.sources.bars import Bars
from replay.sources.report import PROBLEMS_MAX, Report, SourceError

UNNAMED = InstrumentId("?")
"""What a file is about that does not say it."""


def _unwatched(_bytes: int, _rows: int, _at: int) -> None:
    """Nobody looks on."""


@dataclass(slots=True)
class Found:
    """What there is of one instrument; prices and sizes are in units of 10^-8.

    kinds counts rows, orders the messages about single orders, removed the levels that were taken away. tick and lot
    are the largest units that all prices and sizes are whole numbers of (0: there are none). Of bars, whose paths are
    made up, `lot` is that of their volumes. silence is the longest time without a row, ns, which ended at silent_until.
    """

    symbol: str
    feed: MarketFeed
    is_made_up: bool = False
    kinds: Counter[Kind] = field(default_factory=Counter)
    orders: int = 0
    levels: int = 0
    removed: int = 0
    bought: int = 0
    low: int = 0
    high: int = 0
    tick: int = 0
    lot: int = 0
    first_at: int = 0
    last_at: int = 0
    silence: int = 0
    silent_until: int = 0

    def add(self, chunk: Observations) -> None:
        """Take note of a chunk, and let it go through the book."""
        at = np.array([self.last_at or chunk.at[0], *chunk.at])
        waits = np.diff(at)
        longest = int(waits.argmax())
        if waits[longest] > self.silence:
            self.silence, self.silent_until = int(waits[longest]), chunk.at[longest]
        self.first_at, self.last_at = self.first_at or chunk.at[0], chunk.at[-1]
        self.kinds.update(map(Kind, chunk.kind))
        self.feed.advance(chunk, 0, len(chunk) - 1)
        if chunk.print_price:
            self.low = min(self.low or min(chunk.print_price), min(chunk.print_price))
            self.high = max(self.high, max(chunk.print_price))
            self.bought += sum(n for n, side in zip(chunk.print_lots, chunk.print_side, strict=True) if side > 0)
        self.tick = _common(self.tick, chunk.print_price)
        if self.is_made_up:
            return
        self.orders += len(chunk.order_id)
        self.levels += len(chunk.level_lots)
        self.removed += chunk.level_lots.count(0)
        self.tick = _common(self.tick, chunk.level_price, chunk.ticker_bid, chunk.ticker_ask, chunk.order_price)
        sizes = (chunk.print_lots, chunk.level_lots, chunk.ticker_bid_lots, chunk.ticker_ask_lots, chunk.order_lots)
        self.lot = _common(self.lot, *sizes)

    @property
    def is_named(self) -> bool:
        """Whether the file, or the user, says what it is about."""
        return self.symbol != UNNAMED

    @property
    def open_orders(self) -> int:
        """How many single orders are in the book at the end."""
        return sum(len(side.history.orders) for side in (self.feed.book.bids, self.feed.book.asks))


@dataclass(slots=True)
class Probed:
    """What there is in a file. misfits counts what only the book could notice, by kind, as `problems` has it."""

    path: Path
    format: str
    report: Report
    instruments: list[Found]
    misfits: Counter[str]
    problems: list[str]

    @property
    def span(self) -> tuple[int, int]:
        """From when to when the rows are, ns; zeros where there are none."""
        firsts = [found.first_at for found in self.instruments]
        first, last = self.report.span
        return min([*firsts, *([first] if last else [])], default=0), max(
            [found.last_at for found in self.instruments] + [last]
        )

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong with it."""
        return not self.problems


def probe(
    path: Path, pack: RulePack, symbol: str = "", columns: str = "", watch: Callable[[int, int, int], None] = _unwatched
) -> Probed:
    """Read all of a file. Raises SourceError where it cannot be read or is of no known format.

    watch is told how many bytes and rows were read, and the time of the latest row.
    """
    said = [name.strip() for name in symbol.split(",") if name.strip()]
    names = dict.fromkeys([*(str(instrument.id) for instrument in pack.instruments), *said])
    probed = _read(path, pack, list(names), symbol, columns, watch)
    if probed.report.unknown:
        probed = _read(path, pack, [*names, *probed.report.unknown], symbol, columns, watch)
    return probed


def _read(
    path: Path, pack: RulePack, names: list[str], symbol: str, columns: str, watch: Callable[[int, int, int], None]
) -> Probed:
    source = _open(path, pack, names, symbol, columns)
    found: dict[str, Found] = {}
    misfits: Counter[str] = Counter()
    told: list[str] = []
    rows = 0
    bars = source if isinstance(source, Bars) else None
    for chunk in source:
        name = chunk.instrument
        if name not in found:
            options = SessionOptions()
            feed = MarketFeed(Book(options), options, lambda order: order.lots, PriceIndex({}))
            found[name] = Found(name, feed, bars is not None)
        found[name].add(chunk)
        watch(source.position, rows := rows + len(chunk), chunk.at[-1])
        if bars:
            found[name].lot = bars.lots
        for row, what in found[name].feed.defects:
            kind = what.replace(" ", "_")
            misfits[kind] += 1
            if misfits[kind] <= PROBLEMS_MAX:
                told.append(f"{source.locate(row, name)}: {what}; fetch the file again")
    return Probed(path, source.name, source.report, list(found.values()), misfits, source.report.problems + told)


def _open(path: Path, pack: RulePack, names: list[str], symbol: str, columns: str) -> Source:
    try:
        return open_source(path, _finest(pack, names), False, symbol, columns)
    except SourceError:
        if symbol:
            raise
        is_lobster = not columns and format_of(path).open is lobster.Lobster
        said = (lobster.symbol_of(path) if is_lobster else "") or UNNAMED
        return open_source(path, _finest(pack, [said]), False, said, columns)


def _finest(pack: RulePack, names: list[str]) -> RulePack:
    """The pack, with an instrument of each name whose tick and lot are 10^-8."""
    one: Instrument = pack.instruments[0]
    made = tuple(msgspec.structs.replace(one, id=InstrumentId(name), tick=1, lot=1) for name in names)
    return msgspec.structs.replace(pack, instruments=made)


def _common(unit: int, *columns: list[int]) -> int:
    """The largest unit that these and all before are whole numbers of."""
    for column in columns:
        if column:
            unit = gcd(unit, int(np.gcd.reduce(np.array(column))))
    return unit
