"""Binance captures with defects: each is skipped, counted and told in one line; a strict reading stops at it."""

from __future__ import annotations

from pathlib import Path

import pytest

from replay.sources import SourceError
from replay.sources.report import PROBLEMS_MAX
from tests.captures import (
    PACK,
    START,
    body,
    diff,
    mark,
    read,
    read_lines,
    stamped,
    stream,
    ticker,
    trade,
    write,
)

GOOD = trade()
SYMBOLS = ", ".join(instrument.id for instrument in PACK.instruments)
AGAIN = "remove the line or fetch the file again"
FIT = "correct it, or take a rule pack that it fits (`ringfence pack fit`)"
DEFECTS = {
    "half a line": (trade()[:60] + "\n", "malformed_json", f"Input data was truncated; {AGAIN}"),
    "no JSON": (
        f"{START} hello\n",
        "malformed_json",
        f"JSON is malformed: invalid character (byte 0); {AGAIN}",
    ),
    "too deep": (
        f"{START} {'[' * 100_000}\n",
        "malformed_json",
        f"maximum recursion depth exceeded while deserializing an object; {AGAIN}",
    ),
    "no object": (f"{START} [1]\n", "malformed_json", f"Expected `object`, got `array`; {AGAIN}"),
    "an empty line": ("\n", "malformed_line", "does not start with a capture time and a space; remove the line"),
    "no time": (
        "x" + trade(),
        "malformed_line",
        "does not start with a capture time and a space; remove the line",
    ),
    "a time beyond 64 bits": (
        "9" + trade(),
        "malformed_line",
        "does not start with a capture time and a space; remove the line",
    ),
    "a time far beyond our days": (
        trade().replace(str(START), "9999999999999999999"),
        "malformed_line",
        "does not start with a capture time and a space; remove the line",
    ),
    "a missing field": (
        trade().replace('"p"', '"x"'),
        "odd_field",
        "trade: Object missing required field `p` - at `$.data`; correct the field or remove the line",
    ),
    "an odd field": (
        trade(m="maybe"),
        "odd_field",
        "trade: Expected `bool`, got `str` - at `$.data.m`; correct the field or remove the line",
    ),
    "an odd price": (
        trade("1e99999"),
        "odd_field",
        "trade: Number out of range - at `$.data.p`; correct the field or remove the line",
    ),
    "an odd level": (
        diff(20, [("100.0", "x")]),
        "odd_field",
        "depthUpdate: Expected `float`, got `str` - at `$.data.b[0][1]`; correct the field or remove the line",
    ),
    "a negative id": (
        diff(20, U=-1),
        "odd_field",
        "depthUpdate: Expected `int` >= 0 - at `$.data.U`; correct the field or remove the line",
    ),
    "a time of transaction beyond 64 bits": (
        trade(T=10**16),
        "odd_field",
        "trade: Expected `int` <= 9223372036854 - at `$.data.T`; correct the field or remove the line",
    ),
    "an odd depth body": (
        body(-5),
        "odd_field",
        "depth body: Expected `int` >= 0 - at `$.lastUpdateId`; correct the field or remove the line",
    ),
    "an unknown stream": (
        stamped(stream("btcusdt@novel", {"e": "novel", "s": "BTCUSDT"})),
        "unknown_stream",
        "no stream is known whose event is 'novel'; remove the line",
    ),
    "a stream of an odd name": (
        stamped(stream("btcusdt@odd", {"e": ["\n" * 99], "s": "BTCUSDT"})),
        "unknown_stream",
        f"no stream is known whose event is {ascii(str([chr(10) * 99]))[:40]}; remove the line",
    ),
    "a stream without data": (
        stamped({"stream": "btcusdt@odd", "data": 5}),
        "unknown_stream",
        "no stream is known whose event is 'odd'; remove the line",
    ),
    "another object": (
        stamped({"hello": "world"}),
        "unknown_message",
        "neither the envelope of a stream nor a depth body; remove the line",
    ),
    "an unknown symbol": (
        trade(s="\nUSDT"),
        "unknown_symbol",
        f"unknown symbol '\\nUSDT'; the rule pack has {SYMBOLS}: take one that has it",
    ),
    "a price off the tick": (
        trade("100.15"),
        "off_tick",
        f"BTCUSDT: price 100.15 is not a whole number of ticks of 0.1; {FIT}",
    ),
    "a size off the lot": (
        trade(size="0.0005"),
        "off_lot",
        f"BTCUSDT: size 0.0005 is not a whole number of lots of 0.001; {FIT}",
    ),
    "a negative price": (trade("-100.1"), "negative_price", f"BTCUSDT: price -100.1 is negative; {FIT}"),
    "a negative size": (trade(size="-1"), "negative_size", f"BTCUSDT: size -1.0 is negative; {FIT}"),
    "a price that is no number": (
        trade("nan"),
        "off_tick",
        f"BTCUSDT: price nan is not a whole number of ticks of 0.1; {FIT}",
    ),
    "an infinite price": (trade("inf"), "large_price", f"BTCUSDT: price inf is too large; {FIT}"),
    "a price without end": (trade("1e300"), "large_price", f"BTCUSDT: price 1e+300 is too large; {FIT}"),
    "a level off the tick": (
        diff(20, [("100.0", "1")], [("100.1", "1"), ("100.123", "1")]),
        "off_tick",
        f"BTCUSDT: price 100.123 is not a whole number of ticks of 0.1; {FIT}",
    ),
    "a level off the lot": (
        diff(20, [("100.0", "0.0001")], [("100.1", "1")]),
        "off_lot",
        f"BTCUSDT: size 0.0001 is not a whole number of lots of 0.001; {FIT}",
    ),
    "a negative level": (diff(20, [("-1", "1")]), "negative_price", f"BTCUSDT: price -1.0 is negative; {FIT}"),
    "a level at no price": (diff(20, [("0", "1")]), "zero_price", f"BTCUSDT: price is 0; {FIT}"),
    "a snapshot off the tick": (
        body(20, [("100.05", "1")]),
        "off_tick",
        f"BTCUSDT: price 100.05 is not a whole number of ticks of 0.1; {FIT}",
    ),
    "a ticker off the lot": (
        ticker(A="0.00001"),
        "off_lot",
        f"BTCUSDT: size 1e-05 is not a whole number of lots of 0.001; {FIT}",
    ),
    "a mark of nothing": (
        mark(p=""),
        "odd_mark",
        "BTCUSDT: mark '', index '99.5', rate '-0.0001': not usable; correct it or remove the line",
    ),
    "a mark of zero": (
        mark(p="0.00000000"),
        "odd_mark",
        "BTCUSDT: mark '0.00000000', index '99.5', rate '-0.0001': not usable; correct it or remove the line",
    ),
    "a mark too fine": (
        mark(p="100.000000001"),
        "odd_mark",
        "BTCUSDT: mark '100.000000001', index '99.5', rate '-0.0001': not usable; correct it or remove the line",
    ),
    "an index that is no number": (
        mark(i="x\n"),
        "odd_mark",
        "BTCUSDT: mark '100.00000001', index 'x\\n', rate '-0.0001': not usable; correct it or remove the line",
    ),
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_defect_is_skipped_counted_and_told(tmp_path: Path, defect: str) -> None:
    line, reason, what = DEFECTS[defect]
    path = write(tmp_path / "capture", [GOOD, line, GOOD])
    reading = read(path)
    assert reading.report.problems == [f"{path}:2: {what}"]
    assert reading.report.skipped == {reason: 1}
    assert (len(reading.only), reading.report.lines) == (2, 3)


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_strict_reading_stops_at_it_with_the_same_line(tmp_path: Path, defect: str) -> None:
    line, _, what = DEFECTS[defect]
    path = write(tmp_path / "capture", [GOOD, line, GOOD])
    with pytest.raises(SourceError) as raised:
        read(path, strict=True)
    assert str(raised.value) == f"{path}:2: {what}"


def test_a_body_for_one_of_several_symbols_is_refused(tmp_path: Path) -> None:
    reading = read_lines(tmp_path, GOOD, ticker(s="ETHUSDT"), body(20))
    what = "the depth body names no symbol and the file has not just one; put each symbol in its own file"
    assert reading.report.problems == [f"{tmp_path / 'capture'}:3: {what}"]
    assert reading.report.skipped == {"snapshot_without_symbol": 1}


def test_a_strict_reading_names_the_first_defect_of_the_file_whatever_it_is(tmp_path: Path) -> None:
    path = write(tmp_path / "capture", [GOOD, trade("0.05"), "oops\n"])
    with pytest.raises(SourceError, match=f"{path}:2: BTCUSDT: price 0.05"):
        read(path, strict=True)


def test_defects_are_told_in_order_of_lines(tmp_path: Path) -> None:
    reading = read_lines(tmp_path, GOOD, trade("0.05"), "oops\n", trade(size="-1"))
    assert [problem.split(":")[1] for problem in reading.report.problems] == ["2", "3", "4"]


def test_not_every_line_of_a_wrong_file_is_told_but_all_are_counted(tmp_path: Path) -> None:
    reading = read_lines(tmp_path, GOOD, *(["oops\n"] * 10_000), trade("0.05"))
    assert len(reading.report.problems) == PROBLEMS_MAX + 1
    assert reading.report.skipped == {"malformed_line": 10_000, "off_tick": 1}
