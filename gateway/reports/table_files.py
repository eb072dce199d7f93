"""Tables as files: CSV, or Parquet where the extra `export` is installed."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

from events.units import SECOND, decimal_text
from exchange.projections.tables import Column
from gateway.errors import UsageError, how_to_install

ROWS_AT_ONCE = 20_000
"""So many rows a row group."""

DIGITS, PLACES = 38, 8
"""Of a decimal in Parquet."""


class TableFile(Protocol):
    """A file that takes rows."""

    def add(self, row: tuple[Any, ...]) -> None:
        """Append a row, a value a column."""
        ...

    def close(self) -> None:
        """Write what is left."""
        ...


class CsvFile:
    """Decimals and times as text, nothing as an empty cell."""

    def __init__(self, path: Path, columns: Mapping[str, Column]) -> None:
        self._file = path.open("x", newline="", encoding="utf-8")
        self._writer = csv.writer(self._file, lineterminator="\n")
        self._writer.writerow(columns)
        self._text = [_TEXTS[column] for column in columns.values()]

    def add(self, row: tuple[Any, ...]) -> None:
        """See `TableFile.add`."""
        cells = zip(self._text, row, strict=True)
        self._writer.writerow(["" if value is None else text(value) for text, value in cells])

    def close(self) -> None:
        """See `TableFile.close`."""
        self._file.close()


class ParquetFile:
    """Decimals as decimal128, times as timestamps in ns, UTC; zstd."""

    def __init__(self, path: Path, columns: Mapping[str, Column]) -> None:
        try:
            import pyarrow  # noqa: PLC0415 - an extra
            import pyarrow.parquet  # noqa: PLC0415
        except ImportError:
            how = how_to_install("export")
            raise UsageError(f"--format parquet needs the extra `export`: {how}; or take csv") from None
        if path.exists():
            raise FileExistsError(17, "exists already", str(path))
        self._arrow = pyarrow
        kinds = {
            Column.TIME: pyarrow.timestamp("ns", "UTC"),
            Column.NUMBER: pyarrow.int64(),
            Column.TEXT: pyarrow.string(),
            Column.DECIMAL: pyarrow.decimal128(DIGITS, PLACES),
        }
        self._columns = columns
        self._schema = pyarrow.schema([(name, kinds[column]) for name, column in columns.items()])
        self._writer = pyarrow.parquet.ParquetWriter(path, self._schema, compression="zstd")
        self._rows: list[tuple[Any, ...]] = []

    def add(self, row: tuple[Any, ...]) -> None:
        """See `TableFile.add`."""
        self._rows.append(row)
        if len(self._rows) == ROWS_AT_ONCE:
            self._flush()

    def close(self) -> None:
        """See `TableFile.close`."""
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        values = zip(*self._rows, strict=True) if self._rows else [[] for _ in self._columns]
        arrays = [
            self._arrow.array(list(map(_decimal, column)) if kind is Column.DECIMAL else list(column), field.type)
            for column, kind, field in zip(values, self._columns.values(), self._schema, strict=True)
        ]
        self._writer.write_table(self._arrow.table(arrays, schema=self._schema))
        self._rows = []


def _decimal(units: int | None) -> Decimal | None:
    return None if units is None else Decimal(units).scaleb(-PLACES)


def _time(at: int) -> str:
    """ISO 8601 to the nanosecond."""
    whole, part = divmod(at, SECOND)
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%dT%H:%M:%S}.{part:09d}Z"


_TEXTS: dict[Column, Any] = {
    Column.TIME: _time,
    Column.NUMBER: str,
    Column.TEXT: str,
    Column.DECIMAL: decimal_text,
}

FORMATS: dict[str, type[CsvFile] | type[ParquetFile]] = {"csv": CsvFile, "parquet": ParquetFile}
"""What a user may ask for."""
