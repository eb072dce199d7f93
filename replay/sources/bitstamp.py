"""Bitstamp's orders one by one: recordings of its streams, trades included, and tables of orders alone."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

from events.instruments import RulePack
from replay.sources.bitstamp_log import LogFile
from replay.sources.bitstamp_orders import Orders
from replay.sources.cells import Cell, Field
from replay.sources.files import LINES_SEEN, Lines
from replay.sources.tables import Layout, Tables, csv_file, fields

START = b"timestamp_millis,timestamp_iso,event_type,order_id,"
"""How the header of a table begins."""

_TABLE = (
    Field("timestamp_millis", Cell.TIME),
    *fields(Cell.WORD, "event_type", "side"),
    Field("order_id", Cell.ID),
    *fields(Cell.EXACT, "price", "amount"),
    Field("order_datetime", Cell.WORD, needed=False, may_lack=True),
)


def open_bitstamp(path: Path, pack: RulePack, strict: bool, symbol: str) -> Tables:
    """The source for a recording or a table. Raises SourceError."""
    (first, *_) = islice(Lines(path), LINES_SEEN)
    if first.startswith(START):
        columns = tuple(name.strip() for name in first.decode("ascii", "replace").split(","))
        layout = Layout("Bitstamp orders", columns, _TABLE, Orders, "timestamp_millis")
        return Tables(path, pack, strict, symbol, layout, csv_file)
    return Tables(path, pack, strict, symbol, Layout("Bitstamp recording", (), (), Orders, "at"), LogFile)
