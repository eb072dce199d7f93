"""Files of market history as columns of observations.

`open_source` finds out what a file is from what is in it; its name may say which symbol it is about, and tells two
layouts apart that have the same columns.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import NamedTuple, Protocol

from events.instruments import RulePack
from events.observations import Observations
from events.store.soundness import APPLICATION_ID
from replay.sources import archives_text, bars, bars_text, binance, bybit, lobster
from replay.sources.files import INSTALL, LINES_SEEN, Lines
from replay.sources.report import Report, SourceError

__all__ = [
    "FORMATS",
    "LINES_SEEN",
    "Format",
    "Report",
    "Source",
    "SourceError",
    "format_of",
    "is_session",
    "open_source",
]


_BITSTAMP = re.compile(rb"\d{9,19} (order_created|order_changed|order_deleted|order_book|trade) ")


class Source(Protocol):
    """A file of market history."""

    path: Path
    report: Report
    names_symbols: bool
    """Whether its rows say which symbol they are about."""
    goes_on: bool
    """Whether the chunk that follows the one given out last is of the same stretch of the file."""

    def __iter__(self) -> Iterator[Observations]:
        """Chunks of bounded size, each of one instrument, in which time never falls, in the order of the file.

        They come by stretches of the file. A stretch has a chunk of each instrument that has rows there; no row is
        older than those of the stretches before.

        Every iteration reads the file from its start and begins a new `report`, which is complete when it ends.
        Raises SourceError.
        """
        ...

    @property
    def name(self) -> str:
        """What the file is, in a few words."""
        ...

    @property
    def position(self) -> int:
        """How many bytes of the file, as it is stored, were read so far."""
        ...

    def locate(self, row: int, instrument: str) -> str:
        """`file:line` of a row of this instrument's chunk of the present stretch, for what its reader finds wrong."""
        ...


class Format(NamedTuple):
    """A kind of file: its name, how its first lines are known, who reads it, and what of it a replay plays."""

    name: str
    is_format: Callable[[list[bytes]], bool]
    open: Callable[[Path, RulePack, bool, str], Source]
    known_by: str
    holds: str


def _open_capture(path: Path, pack: RulePack, strict: bool, symbol: str) -> Source:
    return binance.BinanceCapture(path, pack, strict, symbol=symbol)


def _open_bybit(path: Path, pack: RulePack, strict: bool, symbol: str) -> Source:
    return binance.BinanceCapture(path, pack, strict, bybit.NAME, bybit.read_line, symbol)


def _open_table(path: Path, pack: RulePack, strict: bool, symbol: str) -> Source:
    try:
        from replay.sources.layouts import open_table
    except ImportError as error:
        raise SourceError(f"{path}: tables need the extra `columns`; {INSTALL}") from error
    return open_table(path, pack, strict, symbol)


def _open_databento(path: Path, pack: RulePack, strict: bool, symbol: str) -> Source:
    try:
        from replay.sources.databento import open_databento
    except ImportError as error:
        raise SourceError(f"{path}: tables need the extra `columns`; {INSTALL}") from error
    return open_databento(path, pack, strict, symbol)


def _open_bitstamp(path: Path, pack: RulePack, strict: bool, symbol: str) -> Source:
    try:
        from replay.sources.bitstamp import open_bitstamp
    except ImportError as error:
        raise SourceError(f"{path}: orders need the extra `columns`; {INSTALL}") from error
    return open_bitstamp(path, pack, strict, symbol)


def _open_mapped(path: Path, pack: RulePack, strict: bool, symbol: str, columns: str) -> Source | None:
    """The source for columns as the user says; None where the file does not have them but says itself what it is."""
    try:
        from replay.sources.mapped import header_of, open_mapped, read_mapping
    except ImportError as error:
        raise SourceError(f"{path}: tables need the extra `columns`; {INSTALL}") from error
    named = read_mapping(columns)
    seen = list(islice(Lines(path), LINES_SEEN))
    if not seen or (_among(seen) and not set(named.values()) <= set(header_of(path))):
        return None
    return open_mapped(path, pack, strict, symbol, named)


def _is_databento(lines: list[bytes]) -> bool:
    return lines[0].startswith(b"DBN") or b",publisher_id,instrument_id," in lines[0]


def _is_bitstamp(lines: list[bytes]) -> bool:
    return lines[0].startswith(b"timestamp_millis,timestamp_iso,event_type,order_id,") or any(
        _BITSTAMP.match(line) for line in lines
    )


def _is_tardis(lines: list[bytes]) -> bool:
    return lines[0].startswith(b"exchange,symbol,timestamp,local_timestamp,")


FORMATS = (
    Format(
        binance.NAME,
        binance.is_capture,
        _open_capture,
        "lines that begin with a time and {",
        "depth, trades, book tickers, marks",
    ),
    Format(
        bybit.NAME,
        bybit.is_books,
        _open_bybit,
        "lines that begin with the topic",
        "books and their changes",
    ),
    Format(
        "Databento MBO (DBN, or CSV with `ts_recv,ts_event,rtype,...`)",
        _is_databento,
        _open_databento,
        "its first bytes, or its header",
        "orders one by one: their book, and trades with the orders that they met",
    ),
    Format(
        "Bitstamp orders (lines of `<ms> <event> <json>`, or CSV with `timestamp_millis,timestamp_iso,event_type,...`)",
        _is_bitstamp,
        _open_bitstamp,
        "lines that begin with a time, a name and {, or its header",
        "orders one by one: their book; in recordings trades with the orders that they met",
    ),
    Format(
        "Tardis CSV (`exchange,symbol,timestamp,local_timestamp,...`)",
        _is_tardis,
        _open_table,
        "its header",
        "levels, books, trades, quotes, marks and funding, options; liquidations are counted",
    ),
    Format(
        "tables of Binance's public archives (aggTrades, trades, bookTicker, fundingRate ...)",
        archives_text.is_archive,
        _open_table,
        "its header, or rows of these columns",
        "trades, book tickers, funding; bookDepth, metrics and liquidations are counted",
    ),
    Format(
        lobster.NAME,
        lobster.is_messages,
        lobster.Lobster,
        "rows of messages, as in `34200.015105074,4,15818974,4,5794000,1`",
        "orders one by one, trades; halts and auctions are counted",
    ),
    Format(
        bars.NAME,
        bars_text.is_bars,
        bars.Bars,
        "rows of 6 or 12 numbers that begin with a time",
        "trades and a book along each bar's path, or marks",
    ),
    Format(
        "trades or bars in columns of your own, CSV or Parquet",
        lambda _lines: False,
        _open_table,
        "--columns time=T,price=P,size=S or time=T,open=O,high=H,low=L,close=C,volume=V",
        "trades (side, id and symbol if there are), bars, or bars of marks without a volume",
    ),
)


def _among(seen: list[bytes]) -> Format | None:
    return next((known for known in FORMATS if seen and known.is_format(seen)), None)


def format_of(path: Path) -> Format:
    """What the file is. Raises SourceError where it cannot be read or is of no known format."""
    lines = Lines(path)
    seen = list(islice(lines, LINES_SEEN))
    if known := _among(seen):
        return known
    if seen and is_session(path):
        raise SourceError(f"{path}: is a session, not market history; `ringfence log {path}` reads it")
    start = ascii((seen or [b""])[0][:40])[1:]
    what = lines.damage or (f"starts with {start}, which is of no known format" if seen else "the file is empty")
    is_table = seen and (seen[0].startswith(b"PAR1") or seen[0].count(b",") > 1)
    own = ", and --columns says what is what in a table of your own" if is_table else ""
    raise SourceError(f"{path}: {what}; `ringfence sources` lists what is read{own}")


def is_session(path: Path) -> bool:
    """Whether it is a SQLite file with the mark of sessions. Source: SQLite, "Database File Format", 1.3."""
    with path.open("rb") as file:
        head = file.read(72)
    return head.startswith(b"SQLite format 3\0") and head[68:] == APPLICATION_ID.to_bytes(4, "big")


def open_source(path: Path | str, pack: RulePack, strict: bool = False, symbol: str = "", columns: str = "") -> Source:
    """The source that reads this file. A strict one raises at the first defect, others report it and go on.

    `symbol` is that of a file which does not say its own, neither in its rows nor by its name; of a file whose rows say
    it, only the rows of this symbol are read, or of these, with commas. `columns` says what is what in a table of no
    known format, as in `time=ts,price=px,size=qty`. Raises SourceError where the file cannot be read, is of no known
    format, or where its symbol cannot be told.
    """
    path = Path(path)
    if columns and (source := _open_mapped(path, pack, strict, symbol, columns)):
        return source
    return format_of(path).open(path, pack, strict, symbol)
