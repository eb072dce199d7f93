"""Bitstamp's orders one by one: what its events make of the book, what a trade explains, and what is wrong."""

from __future__ import annotations

import gzip
import json
import lzma
from pathlib import Path

import pytest

from events.instruments import InstrumentId
from events.observations import Action, Kind, Observations
from replay.sources import SourceError, bitstamp_orders, open_source
from replay.sources.standing import BUY, SELL
from tests.bitstamp import HEADER, START, book, line, order, trade, write, write_rows
from tests.captures import PACK, Reading
from tests.playing import play
from tests.tables import Row, orders_of, read, unfolded
from tests.tables import write as write_table

ADD, CHANGE, REDUCE, DELETE, CLEAR = Action.ADD, Action.CHANGE, Action.REDUCE, Action.DELETE, Action.CLEAR
ANEW = (CLEAR, 0, 0, 0, 0)


def events(chunk: Observations) -> list[object]:
    """What the rows say: prints as (price, lots, side, order), orders as their messages, in ticks and lots."""
    said: list[object] = []
    for row, (kind, i) in enumerate(zip(chunk.kind, chunk.index, strict=True)):
        if kind == Kind.PRINT:
            said.append((chunk.print_price[i], chunk.print_lots[i], chunk.print_side[i], chunk.print_order[i]))
        else:
            said.append(orders_of(chunk, row))
    return said


def told(folder: Path, *lines: str) -> Reading:
    return read(write(folder / "BTCUSDT.log", lines))


def made(folder: Path, *lines: str) -> list[object]:
    """What these lines make behind a first one, an empty book; none of them is a defect."""
    reading = read(write(folder / "BTCUSDT.log", [book([], []), *lines]), strict=True)
    opening, *rest = events(reading.only)
    assert opening == [ANEW, ANEW]
    return rest


def test_an_order_comes_changes_and_goes(tmp_path: Path) -> None:
    assert made(
        tmp_path, order("created", amount="2"), order("changed", amount="1.5", n=1), order("deleted", amount="1.5", n=2)
    ) == [[(ADD, 1, BUY, 1000, 2000)], [(CHANGE, 1, BUY, 1000, 1500)], [(DELETE, 1, BUY, 1000, 0)]]


def test_a_change_to_nothing_is_its_end(tmp_path: Path) -> None:
    rows = made(tmp_path, order("created"), order("changed", amount="0", n=1))
    assert rows[-1] == [(DELETE, 1, BUY, 1000, 0)]


def test_the_times_are_the_recorders_and_the_venues(tmp_path: Path) -> None:
    chunk = told(tmp_path, order("created", microtimestamp=str(START * 1000 + 7), n=5)).only
    assert (chunk.at, chunk.transacted) == ([(START + 5) * 10**6], [(START * 1000 + 7) * 1000])
    bare = {"id": 1, "order_type": 0, "price": "100", "amount": "1"}
    chunk = told(tmp_path, line("order_created", bare, 5)).only
    assert chunk.at == chunk.transacted == [(START + 5) * 10**6]


def test_numbers_are_exact_as_text_or_as_numbers(tmp_path: Path) -> None:
    bare = {"id": "1", "order_type": "0", "price": 28136.7, "amount": 0.123}
    assert events(told(tmp_path, line("order_created", bare)).only)[-1] == [ANEW, (ADD, 1, BUY, 281367, 123)]


def test_the_message_may_be_in_the_venues_envelope(tmp_path: Path) -> None:
    plain = order("created", n=1)
    stamp, event, data = plain.split(" ", 2)
    packed = json.dumps({"event": event, "channel": "live_orders_btcusd", "data": json.loads(data)})
    assert made(tmp_path, f"{stamp} {event} {packed}\n") == made(tmp_path, plain)


class TestBooks:
    def test_a_file_without_a_book_begins_with_none(self, tmp_path: Path) -> None:
        assert events(told(tmp_path, order("created")).only) == [[ANEW, (ADD, 1, BUY, 1000, 1000)]]

    def test_a_book_may_say_its_orders(self, tmp_path: Path) -> None:
        lines = [book([["100.0", "1", "5"]], [["101.0", "2", "6"]]), order("deleted", 5, n=1)]
        assert events(read(write(tmp_path / "BTCUSDT.log", lines), strict=True).only) == [
            [ANEW, ANEW, (ADD, 5, BUY, 1000, 1000), (ADD, 6, SELL, 1010, 2000)],
            [(DELETE, 5, BUY, 1000, 0)],
        ]

    def test_orders_in_a_book_of_levels_are_known_from_what_happens_to_them(self, tmp_path: Path) -> None:
        lines = [
            book([["100.0", "9"], ["100.0", "1"], ["99.0", "0"]], []),
            order("changed", 5, amount="4", n=1),
            order("deleted", 6, amount="2", n=2),
            trade("sell", 7, amount="3", n=3),
            trade("sell", 8, amount="3", n=4),
            order("deleted", 9, amount="2", n=5),
        ]
        reading = read(write(tmp_path / "BTCUSDT.log", lines))
        assert events(reading.only)[1:] == [
            [(REDUCE, 5, BUY, 1000, 4000), (ADD, 5, BUY, 1000, 4000)],
            [(REDUCE, 6, BUY, 1000, 2000)],
            (1000, 3000, SELL, 7),
            (1000, 3000, SELL, 0),
            [(REDUCE, 9, BUY, 1000, 1000)],
        ]
        assert not reading.report.problems

    def test_what_was_before_the_book_is_left_out(self, tmp_path: Path) -> None:
        reading = told(tmp_path, book([], [], n=5), order("created", n=4))
        assert reading.report.skipped == {"before_snapshot": 1}
        assert reading.report.time_went_back == 0

    def test_a_later_book_counts_where_it_says_its_orders(self, tmp_path: Path) -> None:
        again = [book([["100.0", "1"]], [], n=1), book([["100.0", "1", "5"]], [], n=2)]
        reading = told(tmp_path, book([], []), *again)
        assert reading.report.skipped == {"order_book_again": 1}
        assert events(reading.only)[1:] == [[ANEW, (ADD, 5, BUY, 1000, 1000)]]


class TestTakers:
    SELL = order("created", 1, "sell", "101.0", "2")

    def test_an_order_that_trades_at_once_is_none_of_the_books_until_it_has(self, tmp_path: Path) -> None:
        rows = made(
            tmp_path,
            self.SELL,
            order("created", 2, "buy", "102.0", "3", n=1),
            trade("buy", 1, "101.0", "2", n=2, by=2),
            order("deleted", 1, "sell", "101.0", "0", n=3),
            order("changed", 2, "buy", "102.0", "1", n=4),
        )
        assert rows == [
            [(ADD, 1, SELL, 1010, 2000)],
            (1010, 2000, BUY, 1),
            [(ADD, 2, BUY, 1020, 3000)],
            [(CHANGE, 2, BUY, 1020, 1000)],
        ]

    def test_what_is_left_of_it_may_be_told_before_its_maker_leaves(self, tmp_path: Path) -> None:
        rows = made(
            tmp_path,
            self.SELL,
            order("created", 2, "buy", "102.0", "3", n=1),
            order("changed", 2, "buy", "102.0", "1", n=2),
            order("deleted", 1, "sell", "101.0", "0", n=3),
        )
        assert rows[1:] == [[(DELETE, 1, SELL, 1010, 0), (ADD, 2, BUY, 1020, 1000)]]

    def test_it_may_be_gone_without_ever_being_in_it(self, tmp_path: Path) -> None:
        lines = [order("created", 2, "buy", "102.0", n=1), order("deleted", 2, "buy", "102.0", "0", n=2)]
        assert made(tmp_path, self.SELL, *lines) == [[(ADD, 1, SELL, 1010, 2000)]]

    def test_a_market_order_never_is(self, tmp_path: Path) -> None:
        lines = [order("created", 2, "buy", "0", n=1), order("created", 3, "sell", "110.0", n=1_002)]
        assert made(tmp_path, self.SELL, *lines)[1:] == [[(ADD, 3, SELL, 1100, 1000)]]

    def test_where_it_found_nobody_for_a_second_it_is_part_of_the_book(self, tmp_path: Path) -> None:
        lines = [order("created", 2, "buy", "102.0", n=1), order("created", 3, "sell", "110.0", n=1_002)]
        assert made(tmp_path, self.SELL, *lines)[1:] == [[(ADD, 3, SELL, 1100, 1000), (ADD, 2, BUY, 1020, 1000)]]


class TestTrades:
    MAKER = order("created", 1, "sell", "101.0", "2")

    def test_a_trade_ahead_of_the_change_takes_from_its_maker(self, tmp_path: Path) -> None:
        part = [trade("buy", 1, "101.0", "0.5", n=1), order("changed", 1, "sell", "101.0", "1.5", n=2)]
        whole = [trade("buy", 1, "101.0", "1.5", n=3), order("deleted", 1, "sell", "101.0", "0", n=4)]
        assert made(tmp_path, self.MAKER, *part, *whole)[1:] == [(1010, 500, BUY, 1), (1010, 1500, BUY, 1)]

    def test_a_trade_behind_the_change_takes_nothing_again(self, tmp_path: Path) -> None:
        lines = [
            order("changed", 1, "sell", "101.0", "1", n=1),
            trade("buy", 1, "101.0", "0.4", n=2),
            trade("buy", 1, "101.0", "0.6", n=3),
            order("deleted", 1, "sell", "101.0", "0", n=4),
            trade("buy", 1, "101.0", "1", n=5),
        ]
        assert made(tmp_path, self.MAKER, *lines)[1:] == [
            [(CHANGE, 1, SELL, 1010, 1000)],
            (1010, 400, BUY, 0),
            (1010, 600, BUY, 0),
            [(DELETE, 1, SELL, 1010, 0)],
            (1010, 1000, BUY, 0),
        ]

    def test_a_trade_of_an_order_that_nobody_knows_met_no_displayed_one(self, tmp_path: Path) -> None:
        assert made(tmp_path, trade("sell", 5, n=1)) == [(1000, 1000, SELL, 0)]
        assert made(tmp_path, self.MAKER, trade("sell", 1, n=1))[1:] == [(1000, 1000, SELL, 0)]

    def test_a_trade_of_nothing_is_none(self, tmp_path: Path) -> None:
        reading = told(tmp_path, order("created"), trade("buy", 1, amount="0"))
        assert reading.report.skipped == {"trade_zero": 1}

    def test_old_changes_of_which_no_trade_tells_are_forgotten(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(bitstamp_orders, "REMEMBERED", 1)
        lines = [order("created", number, amount="2") for number in (1, 2)]
        lines += [order("changed", number, n=1) for number in (1, 2)]
        assert made(tmp_path, *lines, trade("sell", 1, n=2))[-1] == (1000, 1000, SELL, 1)


class TestDefects:
    def test_an_order_that_leaves_and_was_not_there_is_told(self, tmp_path: Path) -> None:
        reading = told(tmp_path, order("created"), order("deleted", 5, n=1))
        path = tmp_path / "BTCUSDT.log"
        what = "order 5 is deleted and was not there; fetch the file again"
        assert reading.report.problems == [f"{path}:2: BTCUSDT: {what}"]
        assert reading.report.defective == {"unknown_order": None}
        with pytest.raises(SourceError, match="order 5 is deleted"):
            read(path, strict=True)

    def test_one_that_changes_and_was_not_there_is_told_and_added(self, tmp_path: Path) -> None:
        reading = told(tmp_path, order("created"), order("changed", 5, n=1))
        assert "order 5 is changed and was not there" in reading.report.problems[0]
        assert events(reading.only)[-1] == [(ADD, 5, BUY, 1000, 1000)]

    def test_one_from_before_the_file_is_no_defect(self, tmp_path: Path) -> None:
        old = str(START // 1000 - 60)
        lines = [order("changed", 5, datetime=old, n=1), order("deleted", 6, datetime=old, n=2)]
        assert made(tmp_path, *lines) == [[(ADD, 5, BUY, 1000, 1000)]]
        assert told(tmp_path, *lines).report.skipped == {"order_from_before": 2}

    def test_one_that_left_before_it_came_never_was(self, tmp_path: Path) -> None:
        reading = told(tmp_path, order("deleted"), order("created", n=1), order("created", n=2))
        assert events(reading.only) == [[ANEW], [(ADD, 1, BUY, 1000, 1000)]]
        assert reading.report.skipped == {"unknown_order": 1, "order_left_before": 1}

    def test_one_that_comes_twice_is_told_and_used(self, tmp_path: Path) -> None:
        reading = told(tmp_path, order("created"), order("created", amount="2", n=1))
        assert "order 1 is created and was there" in reading.report.problems[0]
        assert events(reading.only)[-1] == [(CHANGE, 1, BUY, 1000, 2000)]

    @pytest.mark.parametrize(
        ("text", "reason", "what"),
        [
            ("nonsense\n", "malformed_line", "is not `<time> <event> <json>`"),
            ("9999999999999999999 trade {}\n", "malformed_line", "is not `<time> <event> <json>`"),
            (f"{START} order_created {{\n", "malformed_json", "Input data was truncated"),
            (f'{START} order_created {{"id": 5}}\n', "odd_field", "order_created: Object missing required field"),
            (order("created", 5, order_type=3), "odd_field", "order_created: Expected `int` <= 1"),
            (order("created", 5, price_str="1e400"), "odd_field", "is no number from 0 with at most 8 decimals"),
            (order("created", 5, amount="0.000000001"), "odd_field", "is no number from 0 with at most 8 decimals"),
            (order("created", 5, amount="-1"), "odd_field", "-1 is no number from 0"),
            (order("created", 5, amount_str="Infinity"), "odd_field", "is no number from 0"),
            (order("created", 5, price="100.05"), "off_tick", "BTCUSDT: price 100.05 is not a whole number of ticks"),
            (order("created", 5, amount="0.0001"), "off_lot", "BTCUSDT: size 0.0001 is not a whole number of lots"),
            (book([["100"]], []), "odd_field", "order_book: a level has 1 numbers"),
        ],
        ids=lambda value: value if isinstance(value, str) and " " not in value else "",
    )
    def test_a_line_that_makes_no_sense_is_told_with_its_number(
        self, tmp_path: Path, text: str, reason: str, what: str
    ) -> None:
        reading = told(tmp_path, order("created"), text, order("deleted", n=1))
        (problem,) = reading.report.problems
        assert problem.startswith(f"{tmp_path / 'BTCUSDT.log'}:2: ")
        assert what in problem
        assert reading.report.skipped == {reason: 1}
        assert len(reading.only) == 2

    def test_events_that_a_replay_does_not_use_are_counted(self, tmp_path: Path) -> None:
        reading = told(tmp_path, order("created"), line("bts:heartbeat", {}), order("created", 2, amount="0"))
        assert reading.report.skipped == {"stream_bts:heartbeat": 1, "order_of_nothing": 1}
        assert not reading.report.problems

    def test_a_book_that_crosses_is_told(self, tmp_path: Path) -> None:
        late = order("created", 3, "sell", "110.0", n=1_002)
        lines = [order("created", 1, "sell", "101.0"), order("created", 2, "buy", "102.0", n=1), late]
        path = write(tmp_path / "BTCUSDT.log", lines)
        what = "crossed book, and no fills until it is whole again; fetch the file again"
        assert play(path).player.problems == [f"{path}:3: {what}"]

    def test_a_line_that_is_cut_off_is_told(self, tmp_path: Path) -> None:
        reading = told(tmp_path, order("created"), order("deleted", n=1)[:-20])
        assert "the last line is cut off" in reading.report.problems[0]

    def test_a_row_that_is_older_takes_the_time_of_the_one_before(self, tmp_path: Path) -> None:
        reading = told(tmp_path, order("created", n=5), order("deleted", n=3))
        assert reading.only.at == [(START + 5) * 10**6] * 2
        assert reading.report.time_went_back == 1


class TestFiles:
    LINES = tuple(order("created", n + 1, price=f"{100 - n % 50}.0", n=n) for n in range(5_000))

    def test_xz_is_read_as_it_is_plain(self, tmp_path: Path) -> None:
        plain = read(write(tmp_path / "BTCUSDT.log", self.LINES))
        assert read(write(tmp_path / "BTCUSDT.xz", self.LINES)).chunks == plain.chunks

    def test_so_are_several_streams_in_one_file(self, tmp_path: Path) -> None:
        halves = ["".join(self.LINES[:9]).encode(), "".join(self.LINES[9:]).encode()]
        path = tmp_path / "BTCUSDT.xz"
        path.write_bytes(b"".join(map(lzma.compress, halves)) + bytes(8))
        assert read(path, strict=True).chunks == read(write(tmp_path / "BTCUSDT.log", self.LINES)).chunks

    def test_xz_that_is_cut_gives_what_was_whole_and_says_so(self, tmp_path: Path) -> None:
        path = write(tmp_path / "BTCUSDT.xz", self.LINES)
        path.write_bytes(path.read_bytes()[:-30])
        report = read(path).report
        assert report.problems[-1].endswith(": the xz stream ends early; fetch the file again")
        assert report.defective == {"damaged_xz": None}

    def test_damage_within_xz_is_told(self, tmp_path: Path) -> None:
        path = write(tmp_path / "BTCUSDT.xz", self.LINES)
        whole = bytearray(path.read_bytes())
        whole[len(whole) // 2] ^= 0xFF
        path.write_bytes(whole)
        assert "the xz stream is damaged" in read(path).report.problems[-1]

    def test_a_table_says_what_a_recording_does(self, tmp_path: Path) -> None:
        events_of = [("created", 1, "100.0", "2"), ("changed", 1, "100.0", "1"), ("deleted", 1, "100.0", "1")]
        rows: list[Row] = [
            [START + n, "iso", f"order_{event}", *more, "buy", START // 1000]
            for n, (event, *more) in enumerate(events_of)
        ]
        table = read(write_rows(tmp_path / "BTCUSDT.csv", rows), strict=True)
        lines = [order(event, one, "buy", price, size, n) for n, (event, one, price, size) in enumerate(events_of)]
        assert unfolded(table.chunks) == unfolded(told(tmp_path, *lines).chunks)

    @pytest.mark.parametrize("buy", ["buy", "bid", "BUY", "0"])
    @pytest.mark.parametrize("event", ["created", "order_created", "CREATED"])
    def test_its_words_may_differ(self, tmp_path: Path, buy: str, event: str) -> None:
        rows: list[Row] = [[START, "iso", event, 1, "100.0", "2", buy, ""]]
        path = write_rows(tmp_path / "BTCUSDT.csv", rows)
        assert events(read(path, strict=True).only) == [[ANEW, (ADD, 1, BUY, 1000, 2000)]]

    @pytest.mark.parametrize(
        "made", [START // 1000 - 60, "2023-11-14 22:12:00", "2023-11-14T22:12:00+00:00"], ids=["s", "plain", "zone"]
    )
    def test_when_an_order_was_made_tells_that_it_is_from_before(self, tmp_path: Path, made: object) -> None:
        rows: list[Row] = [[START, "iso", "created", 1, "100.0", "2", "buy", "soon"]]
        rows.append([START, "iso", "changed", 2, "100.0", "2", "buy", made])
        report = read(write_rows(tmp_path / "BTCUSDT.csv", rows), strict=True).report
        assert report.skipped == {"header": 1, "order_from_before": 1}

    @pytest.mark.parametrize("made", ["9" * 19, "9999-12-31T23:59:59", "-5"])
    def test_a_time_that_none_was_made_at_tells_nothing(self, tmp_path: Path, made: str) -> None:
        rows: list[Row] = [[START, "iso", "created", 1, "100.0", "2", "buy", ""]]
        rows.append([START, "iso", "changed", 2, "100.0", "2", "buy", made])
        assert read(write_rows(tmp_path / "BTCUSDT.csv", rows)).report.defective == {"unknown_order": None}

    def test_it_need_not_say_when_orders_were_made(self, tmp_path: Path) -> None:
        rows: list[Row] = [[START, "iso", "created", 1, "100.0", "2", "buy"]]
        path = write_table(tmp_path / "BTCUSDT.csv", HEADER.removesuffix(",order_datetime"), rows)
        assert events(read(path, strict=True).only) == [[ANEW, (ADD, 1, BUY, 1000, 2000)]]

    @pytest.mark.parametrize(
        ("place", "word", "what"),
        [(2, "vanished", "event_type is none of order_created"), (6, "up", "side is neither buy nor sell")],
    )
    def test_other_words_are_told(self, tmp_path: Path, place: int, word: str, what: str) -> None:
        rows: list[Row] = [[START, "iso", "created", n, "100.0", "2", "buy", ""] for n in (1, 2)]
        rows[1][place] = word
        assert what in read(write_rows(tmp_path / "BTCUSDT.csv", rows)).report.problems[0]

    def test_a_table_may_be_packed(self, tmp_path: Path) -> None:
        rows: list[Row] = [[START, "iso", "created", 1, "100.0", "2", "buy", ""]]
        path = write_table(tmp_path / "BTCUSDT.csv.gz", HEADER, rows)
        assert gzip.decompress(path.read_bytes()).startswith(b"timestamp_millis")
        assert open_source(path, PACK).name == "Bitstamp orders"


def test_the_book_in_the_engine_is_what_the_events_make(tmp_path: Path) -> None:
    path = write(
        tmp_path / "BTCUSDT.log",
        [
            book([["100.0", "1", "11"], ["99.0", "3", "12"]], [["101.0", "2", "13"]]),
            order("created", 14, "buy", "101.0", "3", n=1),
            trade("buy", 13, "101.0", "2", n=2, by=14),
            order("deleted", 13, "sell", "101.0", "0", n=3),
            order("changed", 14, "buy", "101.0", "1", n=4),
            order("deleted", 12, "buy", "99.0", "3", n=5),
            order("created", 15, "sell", "102.0", "1", n=6),
        ],
    )
    played = play(path, strict=True)
    feed = played.state.contracts[InstrumentId("BTCUSDT")].feed
    assert (feed.book.bids.history.stated, feed.book.asks.history.stated) == ({1000: 1000, 1010: 1000}, {1020: 1000})
    assert (feed.volume, feed.prints, feed.book.stale, feed.crossed) == (2000, 1, False, 0)
    assert not played.player.problems
