"""Files that hold several symbols: one pass, merged by time, and some of them picked."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from events.commands import AdvanceMarket, Deposit, SetLeverage
from events.instruments import InstrumentId
from events.units import Nanos
from replay.sources import SourceError, cell_files, columns, open_source
from replay.strategy import Context, Strategy
from replay.synth import generated
from tests import databento
from tests import tables as vendors
from tests.captures import PACK, mark, write
from tests.captures import trade as captured
from tests.command_line import ringfence
from tests.playing import Played, market, play, trader
from tests.tables import LAYOUTS, START, read, trade, unfolded


def trades(folder: Path, *symbols: str, times: Sequence[int] = ()) -> Path:
    """A table of trades, a row of each of these symbols, a millisecond apart or at these."""
    rows = [trade(n) for n in times or range(len(symbols))]
    for row, symbol in zip(rows, symbols, strict=True):
        row[1] = symbol
    return vendors.write(folder / "trades.csv", LAYOUTS["trades"][0], rows)


def advanced(played: Played) -> list[AdvanceMarket]:
    return [batch.command for batch in played.batches if isinstance(batch.command, AdvanceMarket)]


def order_of(played: Played) -> list[str]:
    """The symbols of the rows in the order in which they were applied."""
    return [str(step.instrument) for step in advanced(played) for _ in range(step.first_row, step.last_row + 1)]


def both(folder: Path) -> tuple[list[str], list[str]]:
    """The lines of a bitcoin and of an ether market."""
    ether = tuple(generated(12, seconds=20, symbol="ETHUSDT", price="3000", snapshot=False))
    return sorted(market(snapshot=False)), sorted(ether)


class TestThePlayer:
    def test_one_file_plays_as_a_file_for_each_symbol_does(self, tmp_path: Path) -> None:
        bitcoin, ether = both(tmp_path)
        together = play(write(tmp_path / "both", sorted((*bitcoin, *ether))))
        apart = play(write(tmp_path / "bitcoin", bitcoin), write(tmp_path / "ether", ether))
        assert order_of(together) == order_of(apart)
        for name in ("BTCUSDT", "ETHUSDT"):
            one, other = (played.state.contracts[name].feed for played in (together, apart))
            assert (one.volume, one.prints, one.book.bids.history.stated) == (
                other.volume,
                other.prints,
                other.book.bids.history.stated,
            )

    def test_its_rows_come_in_the_order_of_time_whatever_the_size_of_chunks(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        symbols = [("BTCUSDT", "BTCUSDT", "ETHUSDT")[n * n % 3] for n in range(500)]
        path = trades(tmp_path, *symbols)
        monkeypatch.setattr(columns, "ROWS_MAX", 7)
        monkeypatch.setattr(cell_files, "BLOCK", 2_000)
        played = play(path)
        assert order_of(played) == symbols
        assert all(a.at <= b.at for a, b in pairwise(advanced(played)))

    def test_a_strategy_sees_every_symbol(self, tmp_path: Path) -> None:
        seen: list[tuple[str, ...]] = []

        class Looking(Strategy):
            def on_start(self, context: Context) -> None:
                seen.append(context.instruments)

        play(trades(tmp_path, "ETHUSDT", "BTCUSDT", "ETHUSDT"), traders=[trader(Looking())])
        assert seen == [("ETHUSDT", "BTCUSDT")]

    def test_orders_one_by_one_of_several_instruments_are_played_together(self, tmp_path: Path) -> None:
        names = ("BTCUSDT", "ETHUSDT")
        rows = [databento.cleared(symbol=name) for name in names]
        rows += [databento.record("A", order=n, size=n, n=n, symbol=names[n % 2]) for n in range(1, 8)]
        path = databento.write(tmp_path / "mbo.dbn", rows, symbols=names)
        played = play(path, strict=True)
        assert order_of(played)[2:] == [names[n % 2] for n in range(1, 8)]
        feeds = [played.state.contracts[InstrumentId(name)].feed for name in names]
        assert [list(feed.book.bids.history.orders) for feed in feeds] == [[2, 4, 6], [1, 3, 5, 7]]
        assert not any(feed.book.stale for feed in feeds)

    def test_a_table_of_anybodys_own_may_hold_several(self, tmp_path: Path) -> None:
        rows: list[list[object]] = [[START + n * 1_000, "100.0", "1", name] for n, name in enumerate("abba")]
        rows = [[*row[:-1], {"a": "BTCUSDT", "b": "ETHUSDT"}[str(row[-1])]] for row in rows]
        path = vendors.write(tmp_path / "own.csv", "when,px,qty,what", rows)
        columns_are = ("--columns", "time=when,price=px,size=qty,symbol=what")
        assert ringfence("replay", path, *columns_are, "--json").json["trades"] == 4
        said = ringfence("replay", path, *columns_are, "--symbol", "ETHUSDT", "--json").json
        assert (said["trades"], said["skipped"]) == (2, {"header": 1, "not_picked": 2})

    def test_accounts_are_set_up_for_a_symbol_when_the_file_comes_to_it(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        seen: list[tuple[str, ...]] = []

        class Looking(Strategy):
            bars = Nanos(1_000_000)

            def on_finish(self, context: Context) -> None:
                seen.append(context.instruments)

        monkeypatch.setattr(columns, "ROWS_MAX", 3)
        path = trades(tmp_path, *["BTCUSDT"] * 3, *["ETHUSDT"] * 3)
        played = play(path, traders=[trader(Looking(), leverage=7)], insurance=100)
        commands = [batch.command for batch in played.batches]
        leverages = [command for command in commands if isinstance(command, SetLeverage)]
        assert [(str(one.instrument), one.leverage) for one in leverages] == [("BTCUSDT", 7), ("ETHUSDT", 7)]
        assert commands.index(leverages[1]) > commands.index(advanced(played)[0])
        assert [command.asset for command in commands if isinstance(command, Deposit)] == ["USDT", "USDT"]
        assert seen == [("BTCUSDT", "ETHUSDT")]

    def test_what_the_book_finds_wrong_is_told_with_the_line_of_its_own_symbol(self, tmp_path: Path) -> None:
        snapshot, first, *bitcoin = market()
        lines = [snapshot, first, *both(tmp_path)[1][:5], *bitcoin]
        depth = [n for n, line in enumerate(lines) if "btcusdt@depth" in line]
        del lines[depth[20]]
        path = write(tmp_path / "both", lines)
        problem = next(what for what in play(path).player.problems if "gap" in what)
        assert problem.startswith(f"{path}:{depth[21]}: gap in update ids, and no fills until it is whole again; ")

    def test_a_file_that_comes_twice_is_refused_as_ever(self, tmp_path: Path) -> None:
        path = trades(tmp_path, "BTCUSDT", "ETHUSDT")
        with pytest.raises(SourceError, match="name each file once"):
            play(path, path)

    def test_marks_of_any_symbol_at_its_beginning_make_marks_those_of_the_data(self, tmp_path: Path) -> None:
        lines = [captured(s="ETHUSDT"), mark()]
        said = ringfence("replay", write(tmp_path / "both", lines), "--json").json
        assert said["facts_by_kind"]["mark_price_moved.1"] == 1


class TestTables:
    def test_the_last_message_of_a_symbol_does_not_wait_for_its_next_one(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rows = [vendors.level(n) for n in range(400)]
        for row in rows[30:390]:
            row[1] = "ETHUSDT"
            row[4] = "true"
        path = vendors.write(tmp_path / "levels.csv", LAYOUTS["incremental_book_L2"][0], rows)
        whole = read(path, strict=True)
        monkeypatch.setattr(cell_files, "BLOCK", 1_000)
        pieces = read(path, strict=True)
        assert pieces.report.time_went_back == 0
        assert len(pieces.chunks) > len(whole.chunks)
        assert unfolded(pieces.chunks) == unfolded(whole.chunks)

    def test_a_message_that_goes_on_in_the_next_block_stays_one(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rows = [vendors.level(n) for n in range(60)]
        for row in rows[20:]:
            row[2:4] = rows[20][2:4]
        rows[40][1] = "ETHUSDT"
        rows[40][4] = "true"
        path = vendors.write(tmp_path / "levels.csv", LAYOUTS["incremental_book_L2"][0], rows)
        whole = unfolded(read(path).chunks)
        assert [len(found) for found in whole.values()] == [21, 1]
        for size in range(500, 3_000, 250):
            monkeypatch.setattr(cell_files, "BLOCK", size)
            assert unfolded(read(path).chunks) == whole

    def test_a_row_takes_the_time_of_an_older_one_of_another_symbol(self, tmp_path: Path) -> None:
        reading = read(trades(tmp_path, "BTCUSDT", "ETHUSDT", "BTCUSDT", times=[5, 3, 6]), strict=True)
        assert [(chunk.instrument, chunk.at) for chunk in reading.chunks] == [
            ("BTCUSDT", [(START + 5_250) * 1_000, (START + 6_250) * 1_000]),
            ("ETHUSDT", [(START + 5_250) * 1_000]),
        ]
        assert reading.report.time_went_back == 1

    def test_a_file_that_is_sorted_by_symbol_and_not_by_time_is_told(self, tmp_path: Path) -> None:
        names = ["BTCUSDT"] * 3 + ["ETHUSDT"] * 3
        path = trades(tmp_path, *names, times=[0, 300_000, 600_000] * 2)
        report = read(path).report
        (problem,) = report.problems
        assert problem == (f"{path}:5: ETHUSDT is 10 minutes behind other symbols; sort the file by time, or pick one")
        assert report.skipped["symbol_out_of_order"] == 2
        assert not read(path, strict=True, symbol="ETHUSDT").report.problems
        with pytest.raises(SourceError, match="sort the file by time"):
            read(path, strict=True)

    def test_a_block_in_which_nothing_can_be_read_ends_no_message(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        rows = [vendors.level(n) for n in range(24)]
        for row in rows[10:]:
            row[2:4] = rows[10][2:4]
        path = vendors.write(tmp_path / "levels.csv", LAYOUTS["incremental_book_L2"][0], rows)
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join([*lines[:16], "x" * 600 + "\n", *lines[16:]]))
        whole = unfolded(read(path).chunks)
        monkeypatch.setattr(cell_files, "BLOCK", 300)
        assert unfolded(read(path).chunks) == whole


class TestPicking:
    def test_rows_of_other_symbols_are_left_out_and_counted(self, tmp_path: Path) -> None:
        path = trades(tmp_path, "BTCUSDT", "ETHUSDT", "BTCUSDT", "PEPEUSDT")
        said = ringfence("replay", path, "--symbol", "ETHUSDT", "--json").json
        assert (said["trades"], said["skipped"]) == (1, {"header": 1, "not_picked": 3})
        said = ringfence("replay", path, "--symbol", "ETHUSDT, BTCUSDT", "--json").json
        assert (said["trades"], said["skipped"]) == (3, {"header": 1, "not_picked": 1})

    def test_of_a_capture_too(self, tmp_path: Path) -> None:
        path = write(tmp_path / "capture", [captured(), captured(s="ETHUSDT"), captured()])
        said = ringfence("replay", path, "--symbol", "ETHUSDT", "--json").json
        assert (said["trades"], said["skipped"]) == (1, {"not_picked": 2})

    def test_a_symbol_that_the_rule_pack_does_not_have_is_refused(self, tmp_path: Path) -> None:
        path = trades(tmp_path, "BTCUSDT")
        said = ringfence("replay", path, "--symbol", "BTCUSDT,NONE", status=2).complaint
        assert said.startswith(f"{path}: unknown symbol 'NONE'; the rule pack has BTCUSDT, ")

    def test_a_symbol_that_is_not_there_leaves_nothing_to_replay(self, tmp_path: Path) -> None:
        path = trades(tmp_path, "BTCUSDT")
        said = ringfence("replay", path, "--symbol", "ETHUSDT", status=2).complaint
        assert said.startswith(f"nothing to replay: {path} holds 1 header, 1 not_picked; ")

    def test_a_probe_looks_at_the_picked_ones_only(self, tmp_path: Path) -> None:
        path = trades(tmp_path, "BTCUSDT", "ETHUSDT", "PEPEUSDT")
        found = ringfence("probe", path, "--symbol", "ETHUSDT,PEPEUSDT", "--json").json
        assert [symbol["symbol"] for symbol in found["symbols"]] == ["ETHUSDT", "PEPEUSDT"]
        assert found["skipped"] == {"header": 1, "not_picked": 1}
        assert [chunk.instrument for chunk in open_source(path, PACK, symbol="ETHUSDT")] == ["ETHUSDT"]
