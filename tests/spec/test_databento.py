"""Databento's MBO schema: what its records make, event by event, and what is wrong with files of it."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import databento_dbn as dbn
import pytest

from events.instruments import InstrumentId
from events.observations import Action, Kind, Observations
from replay.sources import SourceError, cell_files, open_source
from replay.sources.mbo_records import BUY, SELL
from tests import databento
from tests.captures import PACK, Reading
from tests.databento import AGGREGATED, COLUMNS, HEADER, LAST, NO_PRICE, SNAPSHOT, START, TOP, cleared, record, write
from tests.playing import play
from tests.tables import Row, orders_of, read, unfolded
from tests.tables import write as write_table

ADD, CHANGE, CLEAR = Action.ADD, Action.CHANGE, Action.CLEAR


@pytest.fixture(params=["mbo.csv", "mbo.dbn", "mbo.dbn.zst"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / str(request.param)


def events(chunk: Observations) -> list[object]:
    """What the rows say: prints as (price, lots, side, order), orders as their messages, in ticks and lots."""
    said: list[object] = []
    for row, (kind, i) in enumerate(zip(chunk.kind, chunk.index, strict=True)):
        if kind == Kind.PRINT:
            said.append((chunk.print_price[i], chunk.print_lots[i], chunk.print_side[i], chunk.print_order[i]))
        else:
            said.append(orders_of(chunk, row))
    return said


def made(path: Path, *rows: Row) -> list[object]:
    """What these records make, of which none is a defect."""
    return events(read(write(path, rows), strict=True).only)


def told(path: Path, *rows: Row, **metadata: Any) -> Reading:
    return read(write(path, rows, **metadata))


class TestEvents:
    def test_an_order_is_added_modified_and_cancelled(self, path: Path) -> None:
        assert made(
            path,
            record("A", size=5, n=0),
            record("M", price=100.5, size=7, n=1),
            record("C", price=100.5, size=3, n=2),
            record("C", price=100.5, size=4, n=3),
        ) == [
            [(ADD, 1, BUY, 1000, 5000)],
            [(CHANGE, 1, BUY, 1005, 7000)],
            [(CHANGE, 1, BUY, 1005, 4000)],
            [(CHANGE, 1, BUY, 1005, 0)],
        ]

    def test_an_event_is_one_row_at_the_time_of_its_last_record(self, path: Path) -> None:
        reading = told(path, record("A", flags=0, n=1), record("A", order=2, flags=0, n=2), record("A", order=3, n=3))
        assert events(reading.only) == [
            [(ADD, 1, BUY, 1000, 1000), (ADD, 2, BUY, 1000, 1000), (ADD, 3, BUY, 1000, 1000)]
        ]
        assert (reading.only.at, reading.only.transacted) == ([START + 3_000_250], [START + 3_000_000])

    def test_a_snapshot_begins_the_book_anew(self, path: Path) -> None:
        whole = [cleared(flags=SNAPSHOT), record("A", flags=SNAPSHOT | LAST)]
        assert made(path, *whole, record("A", order=2)) == [
            [(CLEAR, 0, 0, 0, 0), (ADD, 1, BUY, 1000, 1000)],
            [(ADD, 2, BUY, 1000, 1000)],
        ]

    def test_a_snapshot_that_does_not_say_so_first_does_too(self, path: Path) -> None:
        orders = [record("A", order=n, flags=SNAPSHOT | (LAST if n == 2 else 0)) for n in (1, 2)]
        again = [record("A", order=n, flags=SNAPSHOT | (LAST if n == 2 else 0)) for n in (1, 2)]
        first = [(CLEAR, 0, 0, 0, 0), (ADD, 1, BUY, 1000, 1000), (ADD, 2, BUY, 1000, 1000)]
        added = [(ADD, 3, BUY, 1000, 1000)]
        assert made(path, *orders, record("A", order=3), *again) == [first, added, first]

    def test_the_book_is_cleared(self, path: Path) -> None:
        both, sells = cleared(), [*cleared()[:6], "A", *cleared()[7:]]
        assert made(path, record("A"), record("A", "A", 101, order=2), sells, record("A", "A", 101, order=2), both) == [
            [(ADD, 1, BUY, 1000, 1000)],
            [(ADD, 2, SELL, 1010, 1000)],
            [(CLEAR, 0, SELL, 0, 0)],
            [(ADD, 2, SELL, 1010, 1000)],
            [(CLEAR, 0, 0, 0, 0)],
        ]

    def test_an_unknown_order_that_is_modified_is_added(self, path: Path) -> None:
        assert made(path, record("M", size=2)) == [[(CHANGE, 1, BUY, 1000, 2000)]]

    def test_a_top_of_book_takes_the_place_of_the_one_before(self, path: Path) -> None:
        gone = record("A", "B", NO_PRICE, 0, 0, TOP | LAST)
        assert made(path, record("A", order=0, flags=TOP | LAST), record("A", "B", 101, 2, 0, TOP | LAST), gone) == [
            [(CLEAR, 0, BUY, 0, 0), (ADD, 0, BUY, 1000, 1000)],
            [(CLEAR, 0, BUY, 0, 0), (ADD, 0, BUY, 1010, 2000)],
            [(CLEAR, 0, BUY, 0, 0)],
        ]

    def test_ids_of_64_bits_are_told_apart(self, path: Path) -> None:
        ids = [
            order for ((_, order, *_),) in made(path, *(record("A", order=n) for n in (2**64 - 1, 2**63, 2**63 - 1)))
        ]
        assert ids == [-1, -(2**63), 2**63 - 1]


class TestTrades:
    SELLS = (record("A", "A", 101, 5, 1), record("A", "A", 101, 5, 2))

    def prints(self, path: Path, *rows: Row) -> list[object]:
        return [said for said in made(path, *self.SELLS, *rows, cleared()) if isinstance(said, tuple)]

    def test_a_trade_is_printed_by_the_orders_that_it_met_ahead_of_what_it_does_to_them(self, path: Path) -> None:
        rows = made(
            path,
            *self.SELLS,
            record("T", "B", 101, 7, 9, 0),
            record("F", "A", 101, 5, 1, 0),
            record("F", "A", 101, 2, 2, 0),
            record("C", "A", 101, 5, 1, 0),
            record("M", "A", 101, 3, 2),
        )
        assert rows[2:] == [
            (1010, 5000, BUY, 1),
            (1010, 2000, BUY, 2),
            [(CHANGE, 2, SELL, 1010, 3000)],
        ]

    def test_what_a_cancel_takes_beyond_the_fill_is_stated(self, path: Path) -> None:
        fill = [record("T", "B", 101, 2, 9, 0), record("F", "A", 101, 2, 1, 0)]
        rows = made(path, *self.SELLS, *fill, record("C", "A", 101, 3, 1), record("C", "A", 101, 2, 1))
        assert rows[2:] == [(1010, 2000, BUY, 1), [(CHANGE, 1, SELL, 1010, 2000)], [(CHANGE, 1, SELL, 1010, 0)]]

    def test_a_fill_that_no_record_takes_out_is_forgotten_with_the_book(self, path: Path) -> None:
        fill = [record("T", "B", 101, 2, 9, 0), record("F", "A", 101, 2, 1)]
        rows = made(path, *self.SELLS, *fill, cleared(), self.SELLS[0], record("C", "A", 101, 5, 1))
        assert rows[-1] == [(CHANGE, 1, SELL, 1010, 0)]

    def test_an_order_that_was_not_there_when_the_event_began_is_not_named(self, path: Path) -> None:
        rows = [record("A", "A", 101, 5, 8, 0), record("T", "B", 101, 5, 9, 0), record("F", "A", 101, 5, 8, 0)]
        assert self.prints(path, *rows, record("C", "A", 101, 5, 8)) == [(1010, 5000, BUY, 0)]

    def test_what_met_no_displayed_order_is_a_print_too(self, path: Path) -> None:
        rows = [record("T", "B", 101, 7, 9, 0), record("F", "A", 101, 5, 1, 0), record("C", "A", 101, 5, 1)]
        assert self.prints(path, *rows) == [(1010, 5000, BUY, 1), (1010, 2000, BUY, 0)]

    def test_fills_without_a_trade_are_prints(self, path: Path) -> None:
        rows = [record("F", "A", 101, 5, 1, 0), record("C", "A", 101, 5, 1)]
        assert self.prints(path, *rows) == [(1010, 5000, BUY, 1)]

    def test_a_trade_without_a_fill_is_a_print(self, path: Path) -> None:
        assert self.prints(path, record("T", "A", 100, 3, 9)) == [(1000, 3000, SELL, 0)]

    def test_where_nobody_was_the_taker_the_side_with_more_fills_tells(self, path: Path) -> None:
        bids = [record("A", "B", 101, 2, 3), record("A", "B", 101, 2, 4)]
        trade = record("T", "N", 101, 5, 0, 0)
        asks = [record("F", "A", 101, 5, 1, 0)]
        fills = [record("F", "B", 101, 2, 3, 0), record("F", "B", 101, 2, 4, 0)]
        assert self.prints(path, *bids, trade, *fills, *asks, record("C", "A", 101, 5, 1)) == [(1010, 5000, BUY, 1)]
        assert self.prints(path, *bids, trade, *fills, record("C", "B", 101, 2, 3)) == [
            (1010, 2000, SELL, 3),
            (1010, 2000, SELL, 4),
            (1010, 1000, SELL, 0),
        ]

    def test_where_that_tells_nothing_the_price_does(self, path: Path) -> None:
        rows = [record("T", "N", price, 1, 0) for price in (101, 102, 102, 101.5)]
        assert [side for _, _, side, _ in self.prints(path, *rows)] == [BUY, BUY, BUY, SELL]

    def test_each_price_of_an_event_has_prints_of_its_own(self, path: Path) -> None:
        rows = [
            record("T", "B", 101, 5, 9, 0),
            record("F", "A", 101, 5, 1, 0),
            record("T", "B", 102, 1, 9, 0),
            record("F", "A", 102, 1, 8, 0),
            record("C", "A", 101, 5, 1),
        ]
        assert self.prints(path, *rows) == [(1010, 5000, BUY, 1), (1020, 1000, BUY, 0)]

    def test_trades_of_nothing_or_at_no_price_are_counted(self, path: Path) -> None:
        reading = told(path, *self.SELLS, record("T", size=0), record("T", price=NO_PRICE), record("N", "N"))
        assert len(reading.only) == 2
        assert (reading.report.skipped["trade_zero"], reading.report.skipped["no_action"]) == (2, 1)
        assert not reading.report.problems


class TestDefects:
    @pytest.mark.parametrize(
        ("row", "reason", "what"),
        [
            (record("C", order=5), "unknown_order", "order 5 is cancelled and was not there"),
            (record("A", order=1), "known_order", "order 1 is added and was there"),
            (record("X"), "odd_field", "action is none of A C M R T F N"),
            (record("A", "X"), "odd_field", "side is none of B A N"),
            (record("A", "N", order=2), "odd_field", "side of an order is N"),
            (record("A", price=NO_PRICE, order=2), "undefined_price", "an order without a price"),
            (record("A", price=100.05, order=2), "off_tick", "price 100.05 is not a whole number of ticks of 0.1"),
            (record("A", price=-1, order=2), "negative_price", "price -1 is negative"),
            (record("A", price=0, order=2), "zero_price", "price is 0"),
            (record("A", size=0, order=2), "zero_size", "size is 0"),
            (record("A", order=2, flags=LAST | AGGREGATED), "aggregated_level", "is a level, not an order"),
        ],
        ids=lambda value: value if isinstance(value, str) and " " not in value else "",
    )
    def test_a_record_that_makes_no_sense_is_told_with_its_line(
        self, path: Path, row: Row, reason: str, what: str
    ) -> None:
        reading = told(path, record("A"), row, record("A", order=3, n=1))
        (problem,) = reading.report.problems
        line = 3 if path.suffix == ".csv" else 2
        assert problem.startswith(f"{path}:{line}: BTCUSDT: {what}")
        assert reading.report.skipped[reason] == 1
        assert events(reading.only)[-1] == [(ADD, 3, BUY, 1000, 1000)]
        with pytest.raises(SourceError, match=r"BTCUSDT: "):
            read(path, strict=True)

    def test_a_gap_that_the_vendor_knows_of_is_told_once(self, path: Path) -> None:
        rows = [record("A", order=n, flags=LAST | (4 if n in (2, 3, 5) else 0)) for n in range(1, 7)]
        reading = told(path, *rows)
        assert len(reading.only) == 6
        assert reading.report.skipped["gap_in_records"] == 2
        assert "records are missing ahead of it, and the book may be wrong" in reading.report.problems[0]

    def test_a_book_that_crosses_is_told_and_stale_until_it_does_not(self, path: Path) -> None:
        rows = [cleared(), record("A"), record("A", "A", 99, order=2, n=1), record("A", "A", 98, order=3, n=2)]
        played = play(write(path, rows))
        line = 4 if path.suffix == ".csv" else 3
        what = "crossed book, and no fills until it is whole again; fetch the file again"
        assert played.player.problems == [f"{path}:{line}: {what}"]
        assert played.state.contracts[InstrumentId("BTCUSDT")].feed.book.stale
        mended = [*rows, record("C", "A", 99, order=2, n=3), record("C", "A", 98, order=3, n=4)]
        assert not play(write(path, mended)).state.contracts[InstrumentId("BTCUSDT")].feed.book.stale

    def test_a_price_finer_than_ours_is_refused(self, path: Path) -> None:
        row = record("A")
        row[7] = 100_000_000_001
        assert "price 100.000000001 is finer than 10^-8" in told(path, row, record("A")).report.problems[0]

    def test_an_event_that_does_not_end_is_used_and_told(self, path: Path) -> None:
        reading = told(path, record("A"), record("A", order=2, flags=0, n=1), record("A", order=3, flags=0, n=2))
        (problem,) = reading.report.problems
        assert "its event does not end, and is used as it is" in problem
        assert events(reading.chunks[-1])[-1] == [(ADD, 2, BUY, 1000, 1000), (ADD, 3, BUY, 1000, 1000)]

    def test_it_is_over_at_the_latest_when_a_second_has_gone_by(self, path: Path) -> None:
        reading = told(path, record("A", flags=0), record("A", order=2, n=1_001))
        assert events(reading.only) == [[(ADD, 1, BUY, 1000, 1000)], [(ADD, 2, BUY, 1000, 1000)]]
        assert reading.report.skipped["unfinished_event"] == 1

    def test_a_row_that_is_older_takes_the_time_of_the_one_before(self, path: Path) -> None:
        reading = told(path, record("A", n=5), record("A", order=2, n=3))
        assert reading.only.at[0] == reading.only.at[1]
        assert reading.report.time_went_back == 1

    def test_a_record_that_is_cut_off_is_told(self, tmp_path: Path) -> None:
        path = write(tmp_path / "mbo.dbn", [record("A"), record("A", order=2)])
        path.write_bytes(path.read_bytes()[:-10])
        report = read(path).report
        assert report.problems == [f"{path}:2: the last record is cut off; remove it or fetch the file again"]

    def test_damage_within_is_told_and_ends_the_file(self, tmp_path: Path) -> None:
        path = write(tmp_path / "mbo.dbn", [record("A"), record("A", order=2)])
        path.write_bytes(path.read_bytes() + bytes(60))
        reading = read(path)
        assert len(reading.only) == 2
        assert reading.report.problems[0].startswith(f"{path}:3: ")
        assert reading.report.defective == {"damaged_dbn": None}

    def test_so_is_a_record_that_is_shorter_than_its_type(self, tmp_path: Path) -> None:
        path = write(tmp_path / "mbo.dbn", [record("A"), record("A", order=2)])
        whole = bytearray(path.read_bytes())
        whole[-56] = 11
        path.write_bytes(whole)
        reading = read(path)
        assert reading.report.defective == {"damaged_dbn": None}
        assert reading.report.problems[-1].endswith("; fetch the file again")

    def test_metadata_that_cannot_be_read_are_refused(self, tmp_path: Path) -> None:
        (tmp_path / "mbo.dbn").write_bytes(b"DBN\x03\xff\0\0\0abc")
        with pytest.raises(SourceError, match="the metadata of DBN cannot be read"):
            open_source(tmp_path / "mbo.dbn", PACK)

    def test_records_of_another_type_are_told_in_csv(self, tmp_path: Path) -> None:
        row = record("T")
        row[2] = 0
        reading = told(tmp_path / "mbo.csv", row, record("A"))
        assert "its rtype is not 160, that of mbo" in reading.report.problems[0]


class TestSchemas:
    def test_another_schema_is_refused_in_one_line(self, tmp_path: Path) -> None:
        path = write(tmp_path / "trades.dbn", [], schema=dbn.Schema.TRADES)
        with pytest.raises(SourceError) as raised:
            open_source(path, PACK)
        assert str(raised.value) == f"{path}: Databento data of the schema trades, not mbo; ask for the schema mbo"

    def test_so_is_its_csv(self, tmp_path: Path) -> None:
        path = tmp_path / "bars.csv"
        path.write_text("ts_event,rtype,publisher_id,instrument_id,open,high,low,close,volume,symbol\n")
        with pytest.raises(SourceError, match="Databento data without ts_recv, not of the schema mbo; ask for the "):
            open_source(path, PACK)

    @pytest.mark.parametrize("version", [1, 2, 3])
    def test_each_version_of_dbn_is_read(self, tmp_path: Path, version: int) -> None:
        reading = told(tmp_path / "mbo.dbn", record("A"), version=version)
        assert events(reading.only) == [[(ADD, 1, BUY, 1000, 1000)]]

    def test_a_recording_says_its_symbols_as_it_goes(self, tmp_path: Path) -> None:
        names = dbn.SymbolMappingMsg(
            publisher_id=1, instrument_id=7, ts_event=START, stype_in=dbn.SType.RAW_SYMBOL, stype_in_symbol="BTCUSDT",
            stype_out=dbn.SType.RAW_SYMBOL, stype_out_symbol="BTCUSDT", start_ts=START, end_ts=START + 10**15,
        )  # fmt: skip
        path = tmp_path / "live.dbn"
        path.write_bytes(
            databento.encoded_metadata(schema=None, symbols=()) + bytes(names) + databento.encoded(record("A"))
        )
        assert read(path, strict=True).only.instrument == "BTCUSDT"

    def test_written_out_prices_and_times_are_read_like_numbers(self, tmp_path: Path) -> None:
        rows = [cleared(), record("A", price=100.5), record("A", "A", NO_PRICE, 0, 0, TOP | LAST)]
        pretty = [list(row) for row in rows]
        for row in pretty:
            row[0], row[1] = "2023-11-14T22:13:20.000000250Z", "2023-11-14T22:13:20.000000000Z"
            row[7] = "" if row[7] == NO_PRICE else "100.500000000"
        plain = read(write(tmp_path / "plain.csv", rows), strict=True)
        assert unfolded(read(write(tmp_path / "pretty.csv", pretty), strict=True).chunks) == unfolded(plain.chunks)

    def test_a_time_of_the_venue_that_is_not_known_is_that_of_capture(self, path: Path) -> None:
        row = record("A")
        row[1] = 2**64 - 1
        chunk = told(path, row).only
        assert chunk.transacted == chunk.at

    def test_without_a_column_of_symbols_the_name_of_the_file_says_it(self, tmp_path: Path) -> None:
        header = HEADER.removesuffix(",symbol")
        rows = [record("A")[:-1], record("A", order=2, symbol="ETHUSDT")[:-1], record("A", order=3)[:-1]]
        path = write_table(tmp_path / "BTCUSDT.mbo.csv", header, rows)
        reading = read(path)
        assert len(reading.only) == 2
        assert "is of an instrument beside 7, and no column says its symbol" in reading.report.problems[0]

    def test_so_it_does_where_the_metadata_name_none(self, tmp_path: Path) -> None:
        path = write(tmp_path / "BTCUSDT.dbn", [record("A"), record("A", order=2, symbol="ETHUSDT")], symbols=())
        reading = read(path)
        assert (reading.only.instrument, len(reading.only)) == ("BTCUSDT", 1)
        assert "is of an instrument beside 7" in reading.report.problems[0]

    def test_a_header_alone_is_no_row(self, tmp_path: Path) -> None:
        reading = read(write(tmp_path / "mbo.csv", []))
        assert (reading.chunks, reading.report.skipped) == ([], {"header": 1})
        assert COLUMNS[5] == "action"

    def test_several_instruments_of_one_file_are_told_apart(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        rows = [record("A", order=n, n=n, symbol=("BTCUSDT", "ETHUSDT")[n % 2]) for n in range(1, 40)]
        rows += [record("A", order=1, flags=0, n=50), record("A", order=50, n=51, symbol="ETHUSDT"), record("C", n=52)]
        write(path, rows, **({} if path.suffix == ".csv" else {"symbols": ("BTCUSDT", "ETHUSDT")}))
        whole = unfolded(read(path).chunks)
        assert {name: len(found) for name, found in whole.items()} == {"ETHUSDT": 21, "BTCUSDT": 20}
        monkeypatch.setattr(cell_files, "BLOCK", 200)
        assert {name: found[:19] for name, found in unfolded(read(path).chunks).items()} == {
            name: found[:19] for name, found in whole.items()
        }

    def test_without_the_library_one_line_says_what_to_install(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path, plain = write(tmp_path / "mbo.dbn", []), builtins.__import__

        def without(name: str, *arguments: Any, **more: Any) -> Any:
            if name == "databento_dbn":
                raise ImportError(name)
            return plain(name, *arguments, **more)

        monkeypatch.setattr(builtins, "__import__", without)
        with pytest.raises(SourceError, match=r'DBN needs the extra `databento`; install it with pip .*databento\]"'):
            open_source(path, PACK)
