"""Databento's MBO schema: order-by-order data as DBN, plain or packed, or as CSV.

DBN is turned into the columns of the CSV by the vendor's own library, a portion at a time, and read as these. Needs the
extra `databento`. Source of the columns: databento.com/docs, "Market by order (MBO)" and "Databento Binary Encoding".
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from events.instruments import RulePack
from replay.sources.cells import Cell, Cells, CsvReader, Field
from replay.sources.files import LINES_SEEN, Lines
from replay.sources.mbo import Orders
from replay.sources.report import Report, SourceError
from replay.sources.tables import Layout, Tables, csv_file, fields

DBN = b"DBN"
"""How DBN begins; a byte for its version and four for the length of the metadata follow."""

COLUMNS = (
    *("ts_recv", "ts_event", "rtype", "publisher_id", "instrument_id", "action", "side", "price", "size"),
    *("channel_id", "order_id", "flags", "ts_in_delta", "sequence", "symbol"),
)
"""What DBN is turned into."""

PIECE = 1 << 18
"""So many bytes of DBN are read at once."""

_ASK = "ask for the schema mbo"
_INSTALL = 'install it with pip install "ringfence[databento]", in a checkout -e ".[databento]"'


def open_databento(path: Path, pack: RulePack, strict: bool, symbol: str) -> Tables:
    """The source for a file of this vendor. Raises SourceError where it is of another schema than MBO."""
    lines = list(islice(Lines(path), LINES_SEEN))
    if lines[0].startswith(DBN):
        return Tables(path, pack, strict, symbol, _layout(COLUMNS, is_pretty=False, is_named=_is_named(path)), DbnFile)
    columns = tuple(name.strip() for name in lines[0].decode("ascii", "replace").split(","))
    if missing := [field.name for field in _fields(is_pretty=False) if field.needed and field.name not in columns]:
        raise SourceError(f"{path}: Databento data without {missing[0]}, not of the schema mbo; {_ASK}")
    cells = dict(zip(columns, lines[1].decode("ascii", "replace").split(","), strict=False)) if len(lines) > 1 else {}
    is_pretty = not cells.get("ts_recv", "0").strip().isdecimal()
    return Tables(path, pack, strict, symbol, _layout(columns, is_pretty, "symbol" in columns), csv_file)


def _layout(columns: tuple[str, ...], is_pretty: bool, is_named: bool) -> Layout:
    symbol = "symbol" if is_named else ""
    read = (*_fields(is_pretty), *fields(Cell.WORD, *([symbol] if symbol else [])))
    make = partial(Orders, is_named=is_named)
    return Layout("Databento MBO", columns, read, make, "ts_recv", symbol)


def _fields(is_pretty: bool) -> tuple[Field, ...]:
    """The columns that are read. Prices and times are numbers, or written out where the CSV was asked for as pretty."""
    time, price = (Cell.DATE, Cell.NANO) if is_pretty else (Cell.ID, Cell.LONG)
    return (
        Field("ts_recv", Cell.DATE if is_pretty else Cell.TIME),
        Field("ts_event", time, needed=not is_pretty),
        Field("price", price, needed=not is_pretty),
        *fields(Cell.WORD, "action", "side"),
        *fields(Cell.WHOLE, "size", "flags"),
        Field("order_id", Cell.ID),
        *fields(Cell.WHOLE, "rtype", "instrument_id"),
    )


def _is_named(path: Path) -> bool:
    """Whether DBN names its symbols: its metadata do, or it is a recording, which does as it goes. Raises SourceError
    where the metadata cannot be read, or name another schema.
    """
    dbn, head = _library(path), b""
    for piece in Lines(path).pieces(PIECE):
        head += piece
        if len(head) >= 8 + int.from_bytes(head[4:8], "little"):
            break
    try:
        metadata = dbn.Metadata.decode(head)
    except BaseException as error:
        if not _is_the_librarys(error, dbn.DBNError):
            raise
        raise SourceError(f"{path}: the metadata of DBN cannot be read ({error}); fetch the file again") from error
    if metadata.schema not in (None, dbn.Schema.MBO):
        raise SourceError(f"{path}: Databento data of the schema {metadata.schema}, not mbo; {_ASK}")
    return metadata.schema is None or bool(metadata.mappings)


def _library(path: Path) -> Any:
    try:
        import databento_dbn
    except ImportError as error:
        raise SourceError(f"{path}: DBN needs the extra `databento`; {_INSTALL}") from error
    return databento_dbn


class DbnFile:
    """DBN as a table. Its lines are its records; a record of another type than MBO is none."""

    def __init__(self, path: Path, layout: Layout, report: Report) -> None:
        self._path = path
        self._file = Lines(path)
        self._reader = CsvReader(layout.columns, layout.fields)
        self._report = report

    @property
    def position(self) -> int:
        """How many bytes of the file were read so far."""
        return self._file.position

    def __iter__(self) -> Iterator[Cells]:
        """The records, in portions of bounded size. Raises SourceError where the file cannot be opened or read."""
        report = self._report
        for text in self._texts():
            first = report.lines + 1
            report.lines += text.count(b"\n")
            yield self._reader.read(text, first, report)
        if self._file.damage:
            what = f"{self._file.damage}; fetch the file again"
            report.defect(report.lines + 1, f"damaged_{self._file.packing}", what)

    def _texts(self) -> Iterator[bytes]:
        """The records as lines of text."""
        dbn, out = _library(self._path), io.BytesIO()
        records: Any = dbn.Transcoder(
            out, dbn.Encoding.CSV, dbn.Compression.NONE, pretty_px=False, pretty_ts=False, map_symbols=True,
            schema=dbn.Schema.MBO,
        )  # fmt: skip
        header = ",".join(COLUMNS).encode() + b"\n"
        for piece in self._file.pieces(PIECE):
            fault = _write(records, piece, dbn.DBNError)
            text = out.getvalue().removeprefix(header)
            header = b"" if out.tell() else header
            out.seek(0)
            out.truncate()
            if text:
                yield text
            if fault:
                self._report.defect(self._report.lines + 1, "damaged_dbn", f"{fault}; fetch the file again")
                return
        if records.buffer() and not self._file.damage:
            what = "the last record is cut off; remove it or fetch the file again"
            self._report.defect(self._report.lines + 1, "truncated_record", what)


def _write(records: Any, piece: bytes, error_type: type[Exception]) -> str:
    """Turn a piece into text; what is wrong with it, if anything is."""
    try:
        records.write(piece)
        records.flush()
    except BaseException as error:
        if not _is_the_librarys(error, error_type):
            raise
        return str(error)
    return ""


def _is_the_librarys(error: BaseException, error_type: type[Exception]) -> bool:
    """Whether the library found a fault; where a record is too short for its type, it panics, which is no Exception."""
    return isinstance(error, error_type) or type(error).__name__ == "PanicException"
