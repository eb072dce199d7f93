"""Tables as files of cells: CSV text in blocks of whole lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from replay.sources.cells import Cells, CsvReader, Field
from replay.sources.files import Lines
from replay.sources.report import Report

BLOCK = 1 << 21
"""So many bytes of text are parsed at once."""


class CellFile(Protocol):
    """A table in the course of being read."""

    @property
    def position(self) -> int:
        """How many bytes of the file were read so far."""
        ...

    def __iter__(self) -> Iterator[Cells]:
        """Its rows, in portions of bounded size. Raises SourceError where it cannot be read at all."""
        ...


class CsvFile:
    """CSV with these columns; a header is no row. What is wrong goes to the report, which is not settled."""

    def __init__(self, path: Path, columns: Sequence[str], fields: Sequence[Field], report: Report) -> None:
        self._lines = Lines(path)
        self._reader = CsvReader(columns, fields)
        self._header = ",".join(columns).encode()
        self._report = report

    @property
    def position(self) -> int:
        """How many bytes of the file were read so far."""
        return self._lines.position

    def __iter__(self) -> Iterator[Cells]:
        """The blocks of the file. Raises SourceError where it cannot be opened or read."""
        report, lines = self._report, self._lines
        for block in lines.blocks(BLOCK):
            first, text = report.lines + 1, block
            report.lines += block.count(b"\n") + (block[-1:] != b"\n")
            if first == 1 and block.split(b"\n", 1)[0].strip() == self._header:
                report.skip("header")
                first, text = 2, block.partition(b"\n")[2]
            yield self._reader.read(text, first, report)
        if lines.damage:
            report.defect(report.lines + 1, f"damaged_{lines.packing}", f"{lines.damage}; fetch the file again")
