"""Databento's MBO files in the shared data: the facts that their README states hold."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from events.instruments import InstrumentId, RulePack
from events.observations import Action, Kind, Observations
from replay.sources import Source, open_source
from tests.captures import PACK
from tests.playing import play
from tests.tables import orders_of

ES = "orderbooks_mbo_2024-05-08T00-00-00_2024-05-08T00-00-02.dbn.zst"
CHRISTMAS = "esh4-glbx-mdp3-20231224.mbo.dbn.zst"
CSV = "esm4_mbo_20240508.csv.gz"
QUARTER = 25_000_000


def futures(*symbols: str) -> RulePack:
    """A pack with instruments of the futures' tick and lot."""
    one = PACK.instruments[0]
    made = (msgspec.structs.replace(one, id=InstrumentId(name), tick=QUARTER, lot=10**8) for name in symbols)
    return msgspec.structs.replace(PACK, instruments=tuple(made))


def opened(data: Path, name: str) -> Source:
    return open_source(data / "databento_mbo" / name, futures("ESM4", "ESH4"), strict=True)


class Book(NamedTuple):
    """What is open: orders, levels a side, best prices."""

    orders: int
    bids: int
    asks: int
    bid: float
    ask: float


def book_of(chunks: Iterable[Observations]) -> Book:
    """The book after all events, kept by a few lines of its own."""
    found: dict[int, tuple[int, int, int]] = {}
    for chunk in chunks:
        for row, (kind, i) in enumerate(zip(chunk.kind, chunk.index, strict=True)):
            if kind == Kind.PRINT:
                side, price, lots = found[chunk.print_order[i]]
                found[chunk.print_order[i]] = (side, price, lots - chunk.print_lots[i])
            for action, order, side, price, lots in orders_of(chunk, row) if kind == Kind.ORDERS else ():
                if action is Action.CLEAR:
                    found = {}
                else:
                    found[order] = (side, price, lots)
    left = [(side, price) for side, price, lots in found.values() if lots]
    bids, asks = ({price for side, price in left if side == which} for which in (1, -1))
    return Book(len(left), len(bids), len(asks), max(bids) / 4, min(asks) / 4)


@pytest.mark.parametrize(
    ("name", "records", "book"),
    [
        (ES, 13_796, Book(13_598, 976, 571, 5214.0, 5214.25)),
        (CSV, 13_797, Book(13_598, 976, 571, 5214.0, 5214.25)),
        (CHRISTMAS, 8_725, Book(8_725, 892, 559, 4799.0, 4799.5)),
    ],
)
def test_the_book_at_the_end_is_as_stated(data: Path, name: str, records: int, book: Book) -> None:
    source = opened(data, name)
    assert book_of(source) == book
    assert source.report.lines == records


@pytest.mark.parametrize(
    ("name", "symbol", "book", "volume"),
    [
        (ES, "ESM4", Book(13_598, 976, 571, 5214.0, 5214.25), 6),
        (CHRISTMAS, "ESH4", Book(8_725, 892, 559, 4799.0, 4799.5), 0),
    ],
)
def test_so_it_is_in_the_engine(data: Path, name: str, symbol: str, book: Book, volume: int) -> None:
    played = play(data / "databento_mbo" / name, pack=futures("ESM4", "ESH4"), strict=True)
    feed = played.state.contracts[InstrumentId(symbol)].feed
    bids, asks = feed.book.bids.history, feed.book.asks.history
    orders = len(bids.orders) + len(asks.orders)
    best = [(price or 0) / 4 for price in (bids.best(), asks.best())]
    assert (orders, len(bids.stated), len(asks.stated), *best) == book
    assert (feed.volume, feed.book.stale, feed.crossed) == (volume, False, 0)


def test_the_trades_are_as_stated(data: Path) -> None:
    chunks = list(opened(data, ES))
    assert [price / 4 for chunk in chunks for price in chunk.print_price] == [5214.25] * 5
    assert [lots for chunk in chunks for lots in chunk.print_lots] == [1, 1, 1, 1, 2]
    assert all(chunk.print_order for chunk in chunks), "every one met an order"


def test_the_events_are_as_stated(data: Path) -> None:
    """185 of them; two did nothing to an order but what their prints did."""
    assert sum(chunk.kind.count(Kind.ORDERS) for chunk in opened(data, ES)) == 185 - 2
    assert sum(chunk.kind.count(Kind.ORDERS) for chunk in opened(data, CHRISTMAS)) == 1


def test_the_csv_gives_the_rows_of_the_dbn(data: Path) -> None:
    assert list(opened(data, CSV)) == list(opened(data, ES))
