"""`ringfence fetch`: what it asks a server of archives for, what it does when that goes wrong, and what it keeps."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from gateway.commands import fetch as verb
from gateway.fetching.layout import archives, periods
from tests.archive_server import Archives, broken_after, other_part, served, status, whole
from tests.candles import generated, text
from tests.command_line import Said, ringfence

FOLDER = "data/futures/um/daily"
KLINES = f"{FOLDER}/klines/BTCUSDT/1m/BTCUSDT-1m-2021-05-19.zip"
MARKS = f"{FOLDER}/markPriceKlines/BTCUSDT/1m/BTCUSDT-1m-2021-05-19.zip"
TRADES = f"{FOLDER}/trades/BTCUSDT/BTCUSDT-trades-2021-05-19.zip"
BODY = bytes(range(256)) * 40


@pytest.fixture
def server() -> Iterator[Archives]:
    with served() as archives:
        yield archives


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    found: list[float] = []
    monkeypatch.setattr(verb, "sleep", found.append)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    return found


def fetch(server: Archives, folder: Path, *more: Any, status: int = 0) -> Said:
    return ringfence(
        "fetch", "binance", "BTCUSDT", "2021-05-19", "--to", folder, "--base-url", server.url, *more, status=status
    )


def trades(server: Archives, folder: Path, *more: Any, status: int = 0) -> Said:
    return fetch(server, folder, "--kind", "trades", *more, status=status)


# What is asked for


def paths(market: str, symbol: str, kinds: str, *times: str) -> list[str]:
    return [one.path for one in archives(market, symbol, kinds.split(), periods(times))]


@pytest.mark.parametrize(
    ("market", "symbol", "kind", "time", "path"),
    [
        ("um", "BTCUSDT", "aggTrades", "2021-05-19", f"{FOLDER}/aggTrades/BTCUSDT/BTCUSDT-aggTrades-2021-05-19.zip"),
        ("um", "btcusdt", "klines", "2021-05-19", KLINES),
        ("um", "BTCUSDT", "markPriceKlines", "2021-05-19", MARKS),
        (
            *("um", "BTCUSDT", "premiumIndexKlines", "2021-05"),
            "data/futures/um/monthly/premiumIndexKlines/BTCUSDT/1m/BTCUSDT-1m-2021-05.zip",
        ),
        (
            *("um", "BTCUSDT", "fundingRate", "2021-05-19"),
            "data/futures/um/monthly/fundingRate/BTCUSDT/BTCUSDT-fundingRate-2021-05.zip",
        ),
        (
            *("cm", "BTCUSD_PERP", "indexPriceKlines", "2021-05-19"),
            "data/futures/cm/daily/indexPriceKlines/BTCUSD/1m/BTCUSD-1m-2021-05-19.zip",
        ),
        ("spot", "BTCUSDT", "trades", "2021-05-19", "data/spot/daily/trades/BTCUSDT/BTCUSDT-trades-2021-05-19.zip"),
    ],
)
def test_a_table_of_a_time_lies_where_the_venue_puts_it(
    market: str, symbol: str, kind: str, time: str, path: str
) -> None:
    assert paths(market, symbol, kind, time) == [path]


def test_a_range_is_every_day_or_month_of_it_once() -> None:
    days = [str(period) for period in periods(["2021-02-27..2021-03-01", "2021-02-28"])]
    assert days == ["2021-02-27", "2021-02-28", "2021-03-01"]
    assert [str(period) for period in periods(["2020-11..2021-01"])] == ["2020-11", "2020-12", "2021-01"]


def test_a_month_of_a_table_that_has_only_days_is_its_days_and_the_other_way_round() -> None:
    days = paths("um", "BTCUSDT", "metrics", "2021-02")
    assert (len(days), days[-1].rpartition("/")[2]) == (28, "BTCUSDT-metrics-2021-02-28.zip")
    assert len(paths("um", "BTCUSDT", "fundingRate", "2021-05-19", "2021-05-20")) == 1


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("kraken", "BTCUSDT", "2021-05-19"), "kraken: give binance; of others there are files to buy or to record"),
        (
            ("binance", "BTCUSDT", "2021-05-32"),
            "2021-05-32: give a day as 2021-05-19, a month as 2021-05, or a range as 2021-05-17..2021-05-20",
        ),
        (
            ("binance", "BTCUSDT", "2021-05-19..2021-05-18"),
            "2021-05-19..2021-05-18: give two days or two months, the first one first, e.g. 2021-05-17..2021-05-20",
        ),
        (
            ("binance", "BTCUSDT", "2021-05..2021-05-18"),
            "2021-05..2021-05-18: give two days or two months, the first one first, e.g. 2021-05-17..2021-05-20",
        ),
        (
            ("binance", "../etc", "2021-05-19"),
            "../etc: give a symbol as the venue writes it: BTCUSDT, or BTCUSD_PERP with --market cm",
        ),
        (("binance", "BTCUSDT", "2021-05-19", "--market", "xm"), "--market xm: give spot, um and cm"),
        (
            ("binance", "BTCUSDT", "2021-05-19", "--market", "spot", "--kind", "metrics"),
            "--kind metrics: of spot there are aggTrades, trades and klines",
        ),
        (
            ("binance", "BTCUSDT", "2021-05-19", "--base-url", "ftp://x"),
            "--base-url ftp://x: give an address that begins with https:// or http://",
        ),
    ],
)
def test_a_mistaken_request_is_told_before_anything_is_asked_for(arguments: tuple[str, ...], complaint: str) -> None:
    assert ringfence("fetch", *arguments, status=2).complaint == complaint


def test_an_interval_that_there_is_not_is_told() -> None:
    said = ringfence("fetch", "binance", "BTCUSDT", "2021-05-19", "--interval", "7m", status=2)
    assert said.complaint.startswith("--interval 7m: give 1s, 1m, 3m, ")


# What comes


def test_what_was_fetched_lies_as_in_the_archives_with_its_checksum_beside_it(server: Archives, tmp_path: Path) -> None:
    server.put(TRADES, BODY)
    said = trades(server, tmp_path)
    assert (tmp_path / TRADES).read_bytes() == BODY
    assert (tmp_path / f"{TRADES}.CHECKSUM").read_bytes() == server.files[f"{TRADES}.CHECKSUM"]
    assert said.out.splitlines()[0] == f"fetched  {tmp_path / TRADES} (0.0 MB, checksum right)"
    assert said.err == ""
    assert not list(tmp_path.rglob("*.part"))


def test_what_is_here_and_right_is_not_fetched_again(server: Archives, tmp_path: Path) -> None:
    server.put(TRADES, BODY)
    trades(server, tmp_path)
    said = trades(server, tmp_path)
    assert server.counts[TRADES] == 1
    assert said.out.splitlines()[0] == f"there    {tmp_path / TRADES} (0.0 MB, checksum right, as before)"


def test_what_is_here_and_wrong_is_fetched_again(server: Archives, tmp_path: Path) -> None:
    server.put(TRADES, BODY)
    trades(server, tmp_path)
    (tmp_path / TRADES).write_bytes(b"damaged")
    trades(server, tmp_path)
    assert (tmp_path / TRADES).read_bytes() == BODY


def test_a_connection_that_breaks_off_in_the_middle_is_gone_on_with_from_there(
    server: Archives, tmp_path: Path, waits: list[float]
) -> None:
    server.put(TRADES, BODY)
    server.fail(TRADES, broken_after(1000), broken_after(3000))
    said = trades(server, tmp_path)
    assert (tmp_path / TRADES).read_bytes() == BODY
    assert server.ranges(TRADES) == ["", "bytes=1000-", "bytes=3000-"]
    assert waits == [1, 1]
    assert said.err.splitlines()[0] == (
        f"ringfence: {server.url}/{TRADES}: the connection broke off; trying again in 1 s"
    )


def test_a_run_goes_on_with_the_part_that_an_earlier_one_left(server: Archives, tmp_path: Path) -> None:
    server.put(TRADES, BODY)
    part = tmp_path / f"{TRADES}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(BODY[:4000])
    trades(server, tmp_path)
    assert server.ranges(TRADES) == ["bytes=4000-"]
    assert (tmp_path / TRADES).read_bytes() == BODY


def test_a_part_that_is_whole_already_only_takes_its_name(server: Archives, tmp_path: Path) -> None:
    server.put(TRADES, BODY)
    part = tmp_path / f"{TRADES}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(BODY)
    trades(server, tmp_path)
    assert (tmp_path / TRADES).read_bytes() == BODY


@pytest.mark.parametrize("left", [b"x" * 4000, b"x" * 20_000], ids=["other bytes", "more bytes"])
def test_a_part_of_something_else_is_begun_anew(server: Archives, tmp_path: Path, left: bytes) -> None:
    server.put(TRADES, BODY)
    part = tmp_path / f"{TRADES}.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(left)
    trades(server, tmp_path)
    assert (tmp_path / TRADES).read_bytes() == BODY
    assert server.ranges(TRADES)[-1] == ""


def test_a_server_that_knows_no_ranges_sends_it_all_again(server: Archives, tmp_path: Path) -> None:
    server.put(TRADES, BODY)
    server.fail(TRADES, broken_after(1000), whole)
    trades(server, tmp_path)
    assert (tmp_path / TRADES).read_bytes() == BODY
    assert server.ranges(TRADES) == ["", "bytes=1000-"]


def test_a_part_that_nobody_asked_for_is_not_taken(server: Archives, tmp_path: Path) -> None:
    server.put(TRADES, BODY)
    server.fail(TRADES, broken_after(1000), other_part)
    said = trades(server, tmp_path)
    assert (tmp_path / TRADES).read_bytes() == BODY
    assert "the server sent another part than the one asked for; trying again" in said.err


def test_a_server_that_is_busy_is_asked_again_after_ever_longer_waits(
    server: Archives, tmp_path: Path, waits: list[float]
) -> None:
    server.put(TRADES, BODY)
    server.fail(TRADES, status(503), status(500), status(429, Retry_After="7"), status(503, Retry_After="900"))
    trades(server, tmp_path)
    assert waits == [1, 2, 7, 60]
    assert (tmp_path / TRADES).read_bytes() == BODY


def test_a_server_that_stays_busy_is_given_up_on(server: Archives, tmp_path: Path, waits: list[float]) -> None:
    server.put(TRADES, BODY)
    server.fail(TRADES, *[status(503)] * 9)
    said = trades(server, tmp_path, status=1)
    assert waits == [1, 2, 4, 8, 16]
    assert said.err.splitlines()[-1] == (
        f"ringfence: BTCUSDT trades 2021-05-19: {server.url}/{TRADES}: the server answers 503, 6 times in a row; "
        "go on later with the same command"
    )


def test_a_file_that_is_not_what_its_checksum_says_is_not_kept(server: Archives, tmp_path: Path) -> None:
    server.put(TRADES, BODY, checksum="ab" * 32)
    said = trades(server, tmp_path, status=1)
    found = sha256(BODY).hexdigest()[:12]
    assert said.complaint == (
        f"BTCUSDT trades 2021-05-19: {server.url}/{TRADES}: has the SHA-256 {found}..., and its "
        "checksum file says abababababab...; it is not kept: fetch it again later"
    )
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_checksum_file_that_is_none_is_told(server: Archives, tmp_path: Path) -> None:
    server.put(TRADES, BODY)
    server.files[f"{TRADES}.CHECKSUM"] = b"<html>"
    said = trades(server, tmp_path, status=1)
    assert said.complaint.endswith(
        ".CHECKSUM: does not begin with a SHA-256; check the address, or fetch it again later"
    )


def test_a_day_that_is_not_there_is_told_and_the_others_are_fetched(server: Archives, tmp_path: Path) -> None:
    server.put(TRADES, BODY)
    said = trades(server, tmp_path, "2031-01-01", status=1)
    assert (tmp_path / TRADES).read_bytes() == BODY
    assert said.err == (
        f"ringfence: BTCUSDT trades 2031-01-01: the archive does not have it ({server.url}/"
        f"{TRADES.replace('2021-05-19', '2031-01-01')}.CHECKSUM); a day is published on the day after, "
        "a month in the month after, and not every table of every time\n"
    )


def test_a_server_that_forbids_it_is_not_asked_again(server: Archives, tmp_path: Path, waits: list[float]) -> None:
    server.put(TRADES, BODY)
    server.fail(TRADES, status(403))
    said = trades(server, tmp_path, status=1)
    assert said.complaint.endswith("the server answers 403; check the address, or open it in a browser")
    assert waits == []


def test_a_server_that_is_not_there_is_told(server: Archives, tmp_path: Path, waits: list[float]) -> None:
    nobody = Archives()
    with served() as gone:
        nobody.url = gone.url
    said = trades(nobody, tmp_path, status=1)
    assert said.err.splitlines()[-1].endswith(
        "nobody answers there; check the address and the network, 6 times in a row; go on later with the same command"
    )
    assert waits == [1, 2, 4, 8, 16]


def test_what_was_fetched_is_told_as_an_object(server: Archives, tmp_path: Path) -> None:
    server.put(TRADES, BODY)
    first, second = trades(server, tmp_path, "2031-01-01", "--json", status=1).json["files"]
    assert (first["status"], first["bytes"], first["path"]) == ("fetched", len(BODY), str(tmp_path / TRADES))
    assert len(first["sha256"]) == 64
    assert (second["status"], second["bytes"], second["period"]) == ("missing", None, "2031-01-01")


def test_a_proxy_is_taken_from_the_system(server: Archives, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server.put(TRADES, BODY)
    monkeypatch.setenv("http_proxy", server.url)
    monkeypatch.delenv("no_proxy", raising=False)
    behind = Archives()
    behind.url = "http://archives.invalid"
    trades(behind, tmp_path)
    assert (tmp_path / TRADES).read_bytes() == BODY


def test_who_stops_it_keeps_what_came(server: Archives, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server.put(TRADES, BODY)
    server.fail(TRADES, broken_after(1000))
    monkeypatch.setattr(verb, "sleep", _interrupted)
    said = trades(server, tmp_path, status=130)
    assert said.err.endswith("stopped by the user; what came is kept, and the same command goes on there\n")
    assert (tmp_path / f"{TRADES}.part").read_bytes() == BODY[:1000]


def _interrupted(_seconds: float) -> None:
    raise KeyboardInterrupt


# And on from there


def zipped(name: str, table: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr(name, table)
    return file.getvalue()


def test_the_commands_that_it_names_next_work(
    server: Archives, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    server.put(KLINES, zipped("BTCUSDT-1m-2021-05-19.csv", text(generated(5))))
    server.put(MARKS, zipped("BTCUSDT-1m-2021-05-19.csv", text(generated(5, marks=True))))
    said = ringfence("fetch", "binance", "BTCUSDT", "2021-05-19", "--base-url", server.url)
    _, _, hint = said.out.partition("\n\nnext     ")
    probe, replay = (command.split() for command in hint.replace("\\\n", " ").strip().splitlines())
    assert probe == ["ringfence", "probe", KLINES, "--pack", "binance-usdm"]
    assert replay == ["ringfence", "replay", KLINES, MARKS, "--pack", "binance-usdm"]
    assert "defects  none" in ringfence(*probe[1:]).out
    assert ringfence(*replay[1:], "--json").json["observations"] > 40


def test_what_no_replay_trades_on_is_only_looked_at(server: Archives, tmp_path: Path) -> None:
    server.put(f"{FOLDER}/metrics/BTCUSDT/BTCUSDT-metrics-2021-05-19.zip", BODY)
    said = fetch(server, tmp_path, "--kind", "metrics")
    assert "next     ringfence probe " in said.out
    assert "ringfence replay" not in said.out


def test_prices_of_spot_may_need_a_pack_of_their_own(server: Archives, tmp_path: Path) -> None:
    server.put(KLINES.replace("futures/um", "spot"), BODY)
    said = fetch(server, tmp_path, "--market", "spot")
    assert said.out.endswith(
        "(of spot they may be finer than a contract's; docs/replay.md shows a pack that they fit)\n"
    )
