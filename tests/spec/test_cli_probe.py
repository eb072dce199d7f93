"""`ringfence sources` and `ringfence probe`: what there is in files, in words and for programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from replay.sources import FORMATS
from tests import archives, candles, captures, databento, lobster
from tests.command_line import ringfence
from tests.playing import market
from tests.tables import LAYOUTS, START, base, derivative, level, option, trade, write
from tests.tampering import recorded


def probed(path: Path, *options: object, status: int = 0) -> dict[str, Any]:
    return dict(json.loads(ringfence("probe", path, *options, "--json", status=status).out))


def only(path: Path, *options: object, status: int = 0) -> dict[str, Any]:
    (symbol,) = probed(path, *options, status=status)["symbols"]
    return dict(symbol)


def test_the_sources_are_listed() -> None:
    out = ringfence("sources").out
    assert all(known.name.split(" (")[0] in out for known in FORMATS)
    listed = json.loads(ringfence("sources", "--json").out)
    assert [known["format"] for known in listed] == [known.name for known in FORMATS]


def test_a_capture_is_told(tmp_path: Path) -> None:
    found = only(captures.write(tmp_path / "market", market()))
    assert (found["symbol"], found["fits"], found["tick"], found["lot"]) == ("BTCUSDT", True, "0.1", "0.001")
    assert (found["snapshots"], found["gaps_in_update_ids"], found["crossed"], found["top_of_book"][1]) == (1, 0, 0, 0)


def test_levels_are_told(tmp_path: Path) -> None:
    path = write(tmp_path / "levels.csv", LAYOUTS["incremental_book_L2"][0], [level(n) for n in range(2_000)])
    found = only(path)
    assert found["levels"] == 2_000
    assert found["removed"] == sum(level(n)[-1] == "0.000" for n in range(2_000))
    out = ringfence("probe", path).out
    assert "format   Tardis incremental_book_L2, " in out
    assert "book     2,000 levels stated, " in out
    assert "defects  none" in out


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("LOBSTER_SampleFile_BRK.B_2012-06-21_5.zip", "BRK.B"),
        ("GOOG_2012-06-21_34200000_57600000_message_5.csv", "GOOG"),
        ("day.zip", "ETHW"),
    ],
)
def test_the_share_of_a_day_of_lobster_is_told_where_the_rule_pack_has_it_not(
    tmp_path: Path, name: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lobster, "MESSAGES", lobster.MESSAGES.replace("BTCUSDT", "ETHW"))
    path = lobster.write(tmp_path / name, lobster.day(15))
    found = only(path)
    assert (found["symbol"], found["fits"]) == (told, False)
    out = " ".join(ringfence("probe", path).out.split())
    assert f"symbol {told} (prices of 0.1, sizes of 1), not in the rule pack binance-usdm:" in out


def test_a_day_of_lobster_that_is_called_after_nothing_needs_a_symbol(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lobster, "MESSAGES", "the_2012-06-21_message_5.csv")
    monkeypatch.setattr(lobster, "BOOKS", "the_2012-06-21_orderbook_5.csv")
    path = lobster.write(tmp_path / "day.zip", lobster.day(15))
    assert "symbol   not said, give it with --symbol" in ringfence("probe", path).out


def test_orders_are_told(tmp_path: Path) -> None:
    rows = [databento.cleared(), databento.record("A", order=1), databento.record("A", "A", 101, order=2, size=3)]
    rows += [databento.record("A", order=3), databento.record("C", order=3)]
    found = only(databento.write(tmp_path / "mbo.dbn", rows))
    assert (found["order_events"], found["orders"], found["open_orders"]) == (5, 5, 2)
    assert (found["best"], found["tick"], found["lot"]) == (["100", "101"], "1", "1")
    out = " ".join(ringfence("probe", tmp_path / "mbo.dbn").out.split())
    assert "book 5 messages about orders; at the end 2 are open, at 1 bids and 1 asks, best 100 and 101" in out


def test_trades_are_told(tmp_path: Path) -> None:
    rows = [[*base(n), n, "sell" if n else "buy", f"100.{n}5", "0.5"] for n in range(3)]
    found = only(write(tmp_path / "trades.csv", LAYOUTS["trades"][0], rows))
    assert (found["volume"], found["bought"], found["low"], found["high"]) == ("1.5", "0.5", "100.05", "100.25")
    assert (found["tick"], found["lot"], found["fits"]) == ("0.05", "0.5", False)
    out = ringfence("probe", tmp_path / "trades.csv").out
    assert "finer than the ticks of 0.1 and lots of 0.001 of the rule pack binance-usdm" in " ".join(out.split())


def test_the_longest_time_without_a_row_is_told(tmp_path: Path) -> None:
    rows = [trade(n) for n in (0, 1, 5_001, 5_002)]
    found = only(write(tmp_path / "trades.csv", LAYOUTS["trades"][0], rows))
    assert (found["longest_silence"], found["silent_until"]) == (5 * 10**9, (START + 5_001_250) * 1_000)


def test_symbols_that_the_rule_pack_does_not_have_are_told_too(tmp_path: Path) -> None:
    rows = [option(1), option(2)]
    rows[0][1] = "BTC-9JUN20-9875-P"
    path = write(tmp_path / "options.csv", LAYOUTS["options_chain"][0], rows)
    assert [found["symbol"] for found in probed(path)["symbols"]] == ["BTC-9JUN20-9875-P", "BTCUSDT"]
    assert "not in the rule pack binance-usdm" in " ".join(ringfence("probe", path).out.split())


def test_more_symbols_than_are_shown_are_counted(tmp_path: Path) -> None:
    rows = [[*trade(n)[:1], f"COIN{n}", *trade(n)[2:]] for n in range(15)]
    path = write(tmp_path / "trades.csv", LAYOUTS["trades"][0], rows)
    assert "... and 3 more symbols; --json has them all" in ringfence("probe", path).out


def test_a_file_that_does_not_say_its_symbol_is_told_all_the_same(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.csv", archives.header("trades"), [archives.trade(n) for n in range(5)])
    assert "symbol   not said, give it with --symbol: 5 trades" in ringfence("probe", path).out
    assert only(path, "--symbol", "XYZ")["symbol"] == "XYZ"


def test_what_makes_no_row_has_a_span_too(tmp_path: Path) -> None:
    path = write(tmp_path / "BTCUSDT-metrics.csv", archives.header("metrics"), [archives.metrics(n) for n in range(60)])
    said = probed(path)
    assert (said["symbols"], said["skipped"]) == ([], {"header": 1, "open_interest": 60})
    assert said["last_at"] - said["first_at"] == 59 * 10**9


def test_made_up_books_of_bars_are_not_counted(tmp_path: Path) -> None:
    found = only(candles.write(tmp_path / "BTCUSDT-1m.csv", candles.generated(20)))
    assert (found["levels"], found["tick"], found["lot"]) == (0, "0.1", "0.001")


def test_bars_whose_volumes_are_finer_than_lots_do_not_fit(tmp_path: Path) -> None:
    rows = [candles.bar(volume="1.25"), candles.bar(candles.START + candles.MINUTE, volume="0.70005")]
    path = candles.write(tmp_path / "BTCUSDT-1m.csv", rows)
    found = only(path)
    assert (found["lot"], found["fits"]) == ("0.00005", False)
    out = ringfence("probe", path).out
    assert "volume 1.95005; prices 98 to 103" in out


def test_defects_are_told_and_make_the_exit_status_1(tmp_path: Path) -> None:
    rows = [trade(n) for n in range(40)]
    for row in rows[5:20]:
        row[6] = "dear"
    path = write(tmp_path / "trades.csv", LAYOUTS["trades"][0], rows)
    said = ringfence("probe", path, status=1)
    assert "defects  15 odd_field\n" in said.out
    assert f"{path}:7: price 'dear' is not a number" in said.out
    assert said.out.endswith("... and 5 more\n")
    assert probed(path, status=1)["defects"] == {"odd_field": 15}


@pytest.mark.parametrize(
    ("damage", "kind"),
    [(captures.gap, "gap_in_update_ids"), (captures.crossed, "crossed_book")],
    ids=["gap", "crossed"],
)
def test_what_only_the_book_can_notice_is_told(tmp_path: Path, damage: Any, kind: str) -> None:
    path = captures.write(tmp_path / "market", damage(market(), after=200))
    said = probed(path, status=1)
    assert said["defects"][kind] >= 1
    assert said["problems"][0].startswith(f"{path}:")


def test_times_that_go_back_and_rates_that_are_rounded_are_told(tmp_path: Path) -> None:
    rows = [derivative(n) for n in (3, 1)]
    rows[0][5] = "0.000000001"
    out = ringfence("probe", write(tmp_path / "ticker.csv", LAYOUTS["derivative_ticker"][0], rows)).out
    assert "time     went back 1 times; those rows take the time of the one before" in out
    assert "rounded  1 marks, indices or rates, to 10^-8" in out


def test_a_file_of_no_known_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("hello\n")
    assert "is of no known format" in ringfence("probe", path, status=2).complaint


def test_a_session_is_told_from_market_history(tmp_path: Path) -> None:
    session = recorded(tmp_path)
    complaint = ringfence("probe", session, status=2).complaint
    assert complaint == f"{session}: is a session, not market history; `ringfence log {session}` reads it"
