"""Whatever a table holds, every line of it is read or told, and what is read is exact."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import example, given
from hypothesis import strategies as st

from replay.sources.cells import Cell, CsvReader, Field
from replay.sources.report import Report

ODD = (
    *("", "1", "-1", "+1", ".5", "5.", "1e5", "1E-3", "nan", "None", "inf", "1_000", " 2", "9" * 19, "1e99", "1" * 39),
    *("2023-01-01 00:00:00", "2023-02-31 00:00:00", "2023-01-01T00:00:00.5Z", "true", '"1"', 'a"b', '"1,2"', "\0"),
    *("0." + "1" * 19, "1700000000000", "1.000000000000000000000", "--1", "\u0661", "1 2"),
)
cells = st.one_of(st.sampled_from(ODD), st.text(max_size=6).filter(lambda text: "\n" not in text and "\r" not in text))
rows = st.lists(st.lists(cells, min_size=1, max_size=4), min_size=1, max_size=6)
fields = st.tuples(*(st.builds(Field, st.just(name), st.sampled_from(Cell), st.booleans()) for name in "abc"))


@given(rows, fields)
@example([["1", '"a', "x"], ["2", "b", 'y"']], tuple(Field(name, Cell.WORD) for name in "abc"))
def test_every_line_is_read_or_told(rows: list[list[str]], fields: tuple[Field, ...]) -> None:
    text = "".join(",".join(row) + "\n" for row in rows)
    report = Report("table", strict=False)
    found = CsvReader(["a", "b", "c"], fields).read(text.encode("utf-8", "replace"), 1, report)
    report.settle()
    assert len(found.lines) + report.skipped.total() == len(rows)
    assert len(set(found.lines.tolist())) == len(found.lines)


@given(st.lists(st.decimals("-9000000000", "9000000000", places=8, allow_nan=False), min_size=1, max_size=20))
def test_decimals_are_read_exactly(numbers: list[Decimal]) -> None:
    report = Report("table", strict=True)
    text = "".join(f"{number:f}\n" for number in numbers)
    found = CsvReader(["a"], [Field("a", Cell.EXACT)]).read(text.encode(), 1, report)
    assert found.numbers["a"].tolist() == [int(number.scaleb(8)) for number in numbers]
