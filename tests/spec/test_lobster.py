"""LOBSTER's days: orders are known by what the file tells of them, and what comes into view by its size only."""

from __future__ import annotations

import zoneinfo
from pathlib import Path

import pytest
from msgspec.structs import replace

from events.instruments import InstrumentId
from events.observations import Action, Observations
from replay.sources import Source, SourceError, open_source
from tests import lobster
from tests.captures import PACK
from tests.lobster import (
    BOOKS,
    CROSS,
    DELETED,
    DIME,
    EXECUTED,
    HALT,
    HIDDEN,
    MESSAGES,
    NAME,
    NEW,
    REDUCED,
    Pair,
    Prices,
    book,
    message,
    write,
)
from tests.playing import play

BIDS = {100: 10, 99: 10, 98: 10, 97: 10, 96: 10}
ASKS = {101: 10, 102: 10, 103: 10, 104: 10, 105: 10}
CLEAR, LEVEL, ADD = Action.CLEAR, Action.LEVEL, Action.ADD


def pair(
    type: int, order: int, size: int, price: int, side: int, bids: Prices, asks: Prices = ASKS, at: str = "34200.5"
) -> Pair:
    return Pair(message(at, type, order, size, price, side), book(bids, asks))


FIRST = pair(NEW, 7, 4, 100, 1, {**BIDS, 100: 14})


def with_levels(book: str, levels: int) -> str:
    """A line of books as a file of so many levels has it."""
    nobody = [9_999_999_999, 0, -9_999_999_999, 0] * levels
    return ",".join(map(str, [*book.strip().split(","), *nobody][: 4 * levels])) + "\n"


def opened(folder: Path, *pairs: Pair, strict: bool = False) -> Source:
    return open_source(write(folder / NAME, pairs), PACK, strict)


def told(source: Source) -> Observations:
    """The only chunk."""
    (chunk,) = source
    return chunk


def events(chunk: Observations, first: int = 1) -> list[list[tuple[Action, int, int, int, int]]]:
    """The messages of each event: action, order, side, price, lots."""
    columns = (chunk.order_action, chunk.order_id, chunk.order_side, chunk.order_price, chunk.order_lots)
    rows = [(Action(row[0]), *row[1:]) for row in zip(*columns, strict=True)]
    return [rows[start:end] for start, end in zip([0, *chunk.orders_end], chunk.orders_end, strict=False)][first:]  # type: ignore[misc]


def lots(shares: int) -> int:
    """In the contract's lots of a thousandth."""
    return shares * 1_000


class TestBooks:
    """How the two files go together."""

    def test_it_begins_anew_with_the_book_before_the_first_message(self, tmp_path: Path) -> None:
        (first,) = events(told(opened(tmp_path, FIRST)), 0)
        assert first[0][0] is CLEAR
        assert first[-1] == (ADD, 7, 1, 100, lots(4))
        assert {(side, price): n for _, _, side, price, n in first[1:-1]} == {
            **{(1, price): lots(10) for price in BIDS},
            **{(-1, price): lots(10) for price in ASKS},
        }

    @pytest.mark.parametrize("type", [REDUCED, DELETED, EXECUTED])
    def test_what_the_first_message_took_was_there_before(self, tmp_path: Path, type: int) -> None:
        taken = told(opened(tmp_path, pair(type, 7, 4, 101, -1, BIDS, {**ASKS, 101: 6})))
        assert (LEVEL, 0, -1, 101, lots(10)) in events(taken, 0)[0]
        gone = told(opened(tmp_path, pair(type, 7, 4, 101, -1, BIDS, {p: n for p, n in ASKS.items() if p > 101})))
        assert (LEVEL, 0, -1, 101, lots(4)) in events(gone, 0)[0]

    def test_each_message_is_an_event_or_a_print(self, tmp_path: Path) -> None:
        source = opened(
            tmp_path,
            FIRST,
            pair(REDUCED, 7, 1, 100, 1, {**BIDS, 100: 13}),
            pair(EXECUTED, 7, 2, 100, 1, {**BIDS, 100: 11}),
            pair(HIDDEN, 0, 5, 100, 1, {**BIDS, 100: 11}, at="34200.123456789"),
            pair(DELETED, 7, 1, 100, 1, BIDS, at="34201"),
        )
        chunk = told(source)
        assert events(chunk) == [[(Action.REDUCE, 7, 1, 100, lots(1))], [(Action.DELETE, 7, 1, 100, lots(1))]]
        prints = zip(chunk.print_price, chunk.print_lots, chunk.print_side, chunk.print_order, strict=True)
        assert list(prints) == [(100, lots(2), -1, 7), (100, lots(5), -1, 0)]
        assert chunk.at[-1] == (1_340_251_200 + 34_201) * 10**9, "midnight in New York is 04:00 UTC in summer"
        assert (source.report.time_went_back, source.report.problems, source.name) == (1, [], "LOBSTER")

    def test_a_level_that_comes_into_view_is_known_by_its_size(self, tmp_path: Path) -> None:
        shown = {price: n for price, n in BIDS.items() if price < 100} | {95: 30}
        source = opened(tmp_path, FIRST, pair(DELETED, 9, 14, 100, 1, shown))
        assert events(told(source)) == [[(LEVEL, 0, 1, 95, lots(30)), (Action.DELETE, 9, 1, 100, lots(14))]]

    def test_so_it_is_when_it_comes_back(self, tmp_path: Path) -> None:
        """What is out of view is taken to be there still, until a line shows that it is not."""
        above = {101: 5, **BIDS, 100: 14}
        hidden = {price: n for price, n in BIDS.items() if price != 96}
        asks = {102: 10, 103: 10, 104: 10, 105: 10, 106: 10}
        first = pair(NEW, 7, 4, 100, 1, {**BIDS, 100: 14}, asks)
        source = opened(
            tmp_path,
            first,
            pair(NEW, 8, 5, 101, 1, above, asks),
            pair(DELETED, 8, 5, 101, 1, {**hidden, 100: 14, 95: 3}, asks),
        )
        assert events(told(source)) == [
            [(ADD, 8, 1, 101, lots(5))],
            [(LEVEL, 0, 1, 95, lots(3)), (LEVEL, 0, 1, 96, 0), (Action.DELETE, 8, 1, 101, lots(5))],
        ]

    def test_levels_that_there_are_none_of_are_left_out(self, tmp_path: Path) -> None:
        (first,) = events(told(opened(tmp_path, pair(NEW, 7, 4, 100, 1, {100: 4}, {}))), 0)
        assert first == [(CLEAR, 0, 0, 0, 0), (LEVEL, 0, 1, 100, 0), (ADD, 7, 1, 100, lots(4))]

    def test_halts_and_auctions_are_counted(self, tmp_path: Path) -> None:
        shown = {**BIDS, 100: 14}
        signs = [Pair(f"3420{n}.5,{HALT},0,0,{sign},-1\n", book(shown, ASKS)) for n, sign in enumerate((-1, 0, 1), 1)]
        source = opened(tmp_path, FIRST, *signs, pair(CROSS, -1, 9, 100, -1, shown, at="34209.5"), strict=True)
        assert len(told(source)) == 1
        counted = {"trading_halted": 1, "quoting_resumed": 1, "trading_resumed": 1, "auction_trade": 1}
        assert source.report.skipped == counted


class TestFiles:
    """Where the two files are."""

    @pytest.mark.parametrize("suffix", ["", ".gz"])
    def test_they_may_stand_side_by_side(self, tmp_path: Path, suffix: str) -> None:
        path = write(tmp_path / f"{MESSAGES}{suffix}", lobster.day(100))
        assert list(open_source(path, PACK)) == list(opened(tmp_path, *lobster.day(100)))

    def test_the_last_line_needs_no_newline(self, tmp_path: Path) -> None:
        pairs = lobster.day(100)
        last = Pair(*(line.removesuffix("\n") for line in pairs[-1]))
        assert list(opened(tmp_path, *pairs[:-1], last, strict=True)) == list(opened(tmp_path, *pairs))

    @pytest.mark.parametrize("levels", [1, 2, 10])
    def test_there_may_be_any_number_of_levels(self, tmp_path: Path, levels: int) -> None:
        pairs = [Pair(message, with_levels(book, levels)) for message, book in lobster.day(200)]
        done = play(write(tmp_path / NAME, pairs), strict=True)
        feed = done.state.contracts[InstrumentId("BTCUSDT")].feed
        cells = pairs[-1].book.split(",")
        assert (feed.book.asks.history.best(), feed.book.bids.history.best()) == (
            int(cells[0]) // DIME,
            int(cells[2]) // DIME,
        )
        assert feed.prints == 80

    def test_a_time_may_be_whole_and_further_columns_are_not_read(self, tmp_path: Path) -> None:
        pairs = lobster.day(100)
        assert pairs[0].message.startswith("34200.000000000,")
        others = [Pair(message.replace(".000000000", "").replace("\n", ",null\n"), book) for message, book in pairs]
        assert list(opened(tmp_path, *others, strict=True)) == list(opened(tmp_path, *pairs))

    def test_messages_without_their_books_are_refused(self, tmp_path: Path) -> None:
        path = write(tmp_path / MESSAGES, lobster.day(9))
        (tmp_path / BOOKS).unlink()
        with pytest.raises(SourceError, match=f"the file of books is not beside it; put {BOOKS} there"):
            open_source(path, PACK)

    @pytest.mark.parametrize(
        ("name", "what"),
        [
            ("BTCUSDT_message_5.csv", "no name says the date; call it as in GOOG_2012-06-21"),
            ("BTCUSDT_2012-06-31_message_5.csv", "2012-06-31 is no date; correct the name"),
        ],
    )
    def test_the_day_is_said_by_the_name(self, tmp_path: Path, name: str, what: str) -> None:
        with pytest.raises(SourceError, match=what):
            open_source(write(tmp_path / name, lobster.day(9)), PACK)

    def test_a_zip_may_be_called_anything(self, tmp_path: Path) -> None:
        path = write(tmp_path / "goog.zip", lobster.day(9))
        assert list(open_source(path, PACK, symbol="BTCUSDT")) == list(opened(tmp_path, *lobster.day(9)))

    def test_without_time_zones_it_says_what_to_install(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        path = write(tmp_path / NAME, lobster.day(9))
        monkeypatch.setattr("replay.sources.lobster.ZONE", "New/Nowhere")
        zoneinfo.ZoneInfo.clear_cache()
        with pytest.raises(SourceError, match="the time zone New/Nowhere is not known here; pip install tzdata"):
            open_source(path, PACK)


class TestDefects:
    """What is wrong with a line is told with its number; what follows is known by size again."""

    @pytest.mark.parametrize(
        ("bad", "reason"),
        [
            (Pair("34201.5,9,8,5,100000,1\n", book(BIDS, ASKS)), "malformed_line"),
            (Pair(message("34201.5", NEW, 8, 5, 100, 1), "100,ten\n"), "malformed_line"),
            (Pair(message("34201.5", NEW, 8, 5, 100, 1), book(BIDS, ASKS, 4)), "malformed_line"),
            (Pair("34201.5,1,8,5,100001,1\n", book(BIDS, ASKS)), "off_tick"),
            (Pair("34201.5,4,8,0,100000,1\n", book(BIDS, ASKS)), "zero_size"),
            (Pair("34201.5,5,0,5,0,1\n", book({**BIDS, 100: 14}, ASKS)), "zero_price"),
        ],
        ids=["message", "book", "width", "tick", "size", "price"],
    )
    def test_a_line_that_cannot_be_used(self, tmp_path: Path, bad: Pair, reason: str) -> None:
        after = pair(NEW, 9, 1, 99, 1, {**BIDS, 100: 14, 99: 11}, at="34202.5")
        source = opened(tmp_path, FIRST, bad, after)
        (following,) = events(told(source))
        assert following[-1] == (ADD, 9, 1, 99, lots(1))
        assert len(following) == (1 if reason == "zero_price" else 11), (
            "levels are stated anew, but after a hidden trade"
        )
        assert source.report.skipped == {reason: 1}
        assert source.report.problems[0].startswith(f"{tmp_path / NAME}:2: ")
        with pytest.raises(SourceError, match=rf"{NAME}:2: "):
            list(opened(tmp_path, FIRST, bad, after, strict=True))

    def test_sizes_that_are_no_whole_lots(self, tmp_path: Path) -> None:
        coarse = replace(PACK, instruments=tuple(replace(one, lot=5 * 10**8) for one in PACK.instruments))
        source = open_source(write(tmp_path / NAME, [FIRST]), coarse)
        assert list(source) == []
        assert source.report.problems[0].endswith(
            "size 4 is not a whole number of lots of 5; take a rule pack that it fits (`ringfence pack fit`)"
        )

    @pytest.mark.parametrize(
        ("bids", "stated"), [({**BIDS, 100: 13}, (100, 13)), ({p: n for p, n in BIDS.items() if p < 100}, (100, 0))]
    )
    def test_a_book_that_its_messages_do_not_lead_to(
        self, tmp_path: Path, bids: Prices, stated: tuple[int, int]
    ) -> None:
        source = opened(tmp_path, FIRST, pair(NEW, 9, 1, 102, -1, bids, {**ASKS, 102: 11}))
        (following,) = events(told(source))
        assert (LEVEL, 0, 1, stated[0], lots(stated[1])) in following
        assert source.report.skipped == {"book_unexplained": 1}

    def test_a_file_that_ends_earlier_than_the_other(self, tmp_path: Path) -> None:
        for cut, which in (("message", "messages"), ("book", "books")):
            pairs = [FIRST, pair(REDUCED, 7, 1, 100, 1, {**BIDS, 100: 13})._replace(**{cut: ""})]
            source = opened(tmp_path, *pairs)
            assert len(told(source)) == 1
            assert source.report.skipped == {"unpaired_line": 1}
            assert f"{which} end earlier than the other file" in source.report.problems[0]

    def test_a_last_line_that_is_cut_off(self, tmp_path: Path) -> None:
        source = opened(tmp_path, FIRST, Pair("34201.5,1,8", book(BIDS, ASKS)))
        assert len(told(source)) == 1
        assert source.report.problems == [
            f"{tmp_path / NAME}:2: the line of the messages is cut off; correct it or fetch the file again"
        ]

    def test_a_damaged_file(self, tmp_path: Path) -> None:
        path = write(tmp_path / f"{MESSAGES}.gz", lobster.day(2_000))
        path.write_bytes(path.read_bytes()[:-100])
        source = open_source(path, PACK)
        assert list(source)
        assert set(source.report.skipped) == {"unpaired_line", "damaged_gzip"}
