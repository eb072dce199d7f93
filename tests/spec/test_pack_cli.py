"""`ringfence pack`: what is listed, shown and checked, and packs made of a venue's own files."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from events.instruments import InversePerp, LinearFuture, load_pack, pack_names
from events.units import SECOND, UNIT
from gateway.console import folded
from tests import candles, tables
from tests.command_line import ringfence
from tests.tables import LAYOUTS

FILTERS = [
    {"filterType": "PRICE_FILTER", "minPrice": "556.72", "tickSize": "0.10"},
    {"filterType": "LOT_SIZE", "stepSize": "0.001", "minQty": "0.001", "maxQty": "1000"},
    {"filterType": "MAX_NUM_ORDERS", "limit": 150},
    {"filterType": "MIN_NOTIONAL", "notional": "5.0"},
]
BTC: dict[str, Any] = {
    "symbol": "BTCUSDT",
    "contractType": "PERPETUAL",
    "baseAsset": "BTC",
    "quoteAsset": "USDT",
    "marginAsset": "USDT",
    "liquidationFee": "0.012000",
    "filters": FILTERS,
}
DATED = BTC | {"symbol": "BTCUSDT_210924", "contractType": "CURRENT_QUARTER", "deliveryDate": 1632470400000}
ETH = BTC | {
    "symbol": "ETHUSDT",
    "baseAsset": "ETH",
    "filters": [*FILTERS[:2], {"filterType": "MAX_NUM_ORDERS", "limit": 90}],
}
COIN = BTC | {"symbol": "BTCUSD_PERP", "quoteAsset": "USD", "marginAsset": "BTC", "contractSize": 100}
COIN |= {"filters": [FILTERS[0], {"filterType": "LOT_SIZE", "stepSize": "1", "minQty": "1", "maxQty": "1000000"}]}

ROWS = [
    {"bracket": 1, "initialLeverage": 125, "notionalFloor": 0.0, "notionalCap": 50000.0, "maintMarginRatio": 0.004},
    {"bracket": 2, "initialLeverage": 100, "notionalFloor": 50000, "notionalCap": 600000, "maintMarginRatio": 0.005},
]
ROWS = [row | {"cum": cum} for row, cum in zip(ROWS, (0.0, 50), strict=True)]
COIN_ROWS = [
    {"bracket": 1, "initialLeverage": 125, "qtylFloor": 0, "qtyCap": 5, "maintMarginRatio": 0.004, "cum": 0.0},
    {"bracket": 2, "initialLeverage": 100, "qtylFloor": 5, "qtyCap": 10, "maintMarginRatio": 0.005, "cum": 0.005},
]


class TestFitting:
    """A pack as fine as the files that are to be replayed under it."""

    def test_ticks_and_lots_become_those_that_all_files_need(self, tmp_path: Path) -> None:
        coarse = tables.write(tmp_path / "a.csv", LAYOUTS["trades"][0], [tables.trade(n) for n in range(5)])
        rows = [[*tables.base(n), n, "buy", f"100.{n}5", "0.5"] for n in range(3)]
        fine = tables.write(tmp_path / "b.csv", LAYOUTS["trades"][0], rows)
        said = ringfence("pack", "fit", coarse, fine, "--out", tmp_path / "fine.json").out
        assert said.startswith("BTCUSDT  ticks of 0.05 in the place of 0.1\nwritten  ")
        made, own = load_pack(str(tmp_path / "fine.json")), load_pack("binance-usdm")
        assert made.id == "binance-usdm-fit"
        assert made.source == f"{own.source}; ticks and lots as fine as a.csv, b.csv"
        assert made.instruments[0] == own.instruments[0].__replace__(tick=UNIT // 20)
        assert made.instruments[1:] == own.instruments[1:]
        assert not ringfence("replay", fine, "--pack", tmp_path / "fine.json").err
        assert ringfence("probe", fine, "--pack", tmp_path / "fine.json", "--json").json["symbols"][0]["fits"]

    def test_what_fits_stays_as_it_is(self, tmp_path: Path) -> None:
        path = tables.write(tmp_path / "a.csv", LAYOUTS["trades"][0], [tables.trade(n) for n in range(5)])
        assert "BTCUSDT  fits as it is" in ringfence("pack", "fit", path, "--out", tmp_path / "same.json").out

    def test_what_cannot_be_fitted_is_told(self, tmp_path: Path) -> None:
        def complaint(rows: list[list[Any]], *options: object) -> str:
            path = tables.write(tmp_path / "t.csv", LAYOUTS["trades"][0], rows)
            said = ringfence("pack", "fit", path, "--out", tmp_path / "fine.json", *options, status=2)
            return said.complaint

        assert complaint([]).endswith("t.csv: no prices or sizes in it; `ringfence probe` says what there is")
        other = [[*tables.base(0)[:1], "PEPE", *tables.base(0)[2:], 1, "buy", "1", "1"]]
        assert complaint(other).startswith("binance-usdm has no PEPE; take a pack that has it, or write one")
        finest = [[*tables.base(n), n, "buy", "100.00000001", "0.00000001"] for n in range(2)]
        assert "no session can hold numbers as fine as those of t.csv" in complaint(finest)
        assert not (tmp_path / "fine.json").exists()
        (tmp_path / "fine.json").touch()
        assert complaint([tables.trade(1)]).endswith("there is such a file already; give another name")

    def test_a_file_that_names_no_symbol_needs_one(self, tmp_path: Path) -> None:
        path = candles.write(tmp_path / "bars.csv", candles.generated(3))
        said = ringfence("pack", "fit", path, "--out", tmp_path / "fine.json", status=2).complaint
        assert said == f"{path}: does not say its symbol; give it with --symbol"
        ringfence("pack", "fit", path, "--symbol", "BTCUSDT", "--out", tmp_path / "fine.json")


@pytest.mark.parametrize("name", pack_names())
def test_the_file_of_a_pack_is_printed_as_pack_takes_it(tmp_path: Path, name: str) -> None:
    copy = tmp_path / "copy.json"
    copy.write_text(ringfence("pack", "show", name, "--file").out)
    assert load_pack(str(copy)) == load_pack(name)
    assert ringfence("pack", "show", copy, "--file").out == copy.read_text()


def test_the_file_of_a_pack_is_printed_whole_or_not_at_all(tmp_path: Path) -> None:
    complaint = ringfence("pack", "show", "okx", "--file", "--symbol", "X", status=2).complaint
    assert complaint == "--file and --symbol X: the file has all instruments; give one of them"
    (tmp_path / "bad.json").write_text("{}")
    assert not ringfence("pack", "show", tmp_path / "bad.json", "--file", status=2).out


class Files:
    """A venue's two files, and the pack that is made of them."""

    def __init__(self, folder: Path) -> None:
        self.info, self.brackets, self.out = folder / "info.json", folder / "brackets.json", folder / "mine.json"
        self.write([BTC], [("BTCUSDT", ROWS)])

    def write(self, symbols: Any, table: Any, **more: Any) -> None:
        self.info.write_text(json.dumps({"serverTime": 1626858243909, "symbols": symbols, **more}))
        self.brackets.write_text(json.dumps([{"symbol": symbol, "brackets": rows} for symbol, rows in table]))

    @property
    def words(self) -> tuple[str, ...]:
        return "pack", "import", "--exchange-info", str(self.info), "--brackets", str(self.brackets)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def test_the_list_has_every_pack_with_its_date() -> None:
    lines = ringfence("pack", "list").out.splitlines()
    assert [line.split()[0] for line in lines] == pack_names()
    listed = ringfence("pack", "list", "--json").json
    assert [pack["id"] for pack in listed] == pack_names()
    assert all(pack["version"] and pack["source"] and pack["symbols"] for pack in listed)


@pytest.mark.parametrize("name", pack_names())
def test_every_pack_is_shown_and_holds_together(name: str) -> None:
    pack = load_pack(name)
    text = ringfence("pack", "show", name).out
    assert text.startswith("\n".join([f"{name}, version {pack.version}", *folded(pack.source), ""]))
    assert all(f"\n{terms.id}\n" in text for terms in pack.instruments)
    shown = ringfence("pack", "show", name, "--json").json
    assert [len(terms["brackets"]) for terms in shown["instruments"]] == [len(t.brackets) for t in pack.instruments]
    checked = ringfence("pack", "check", name, "--json").json
    assert (checked["ok"], checked["opens_sessions"]) == (True, not pack.beyond_sessions())


def test_one_instrument_is_shown_with_its_brackets() -> None:
    text = ringfence("pack", "show", "binance-coinm", "--symbol", "BTCUSD_PERP").out
    assert "  contract value               100\n" in text
    assert "               200              400        4x      0.125           11.605\n" in text
    shown = ringfence("pack", "show", "dydx-v4", "--symbol", "LINK-USD", "--json").json
    assert [terms["id"] for terms in shown["instruments"]] == ["LINK-USD"]
    assert shown["instruments"][0]["open_interest_upper"] == "50000000"
    assert (shown["margin_step"], shown["due_at"]) == ("0.000001", "below_maintenance")


def test_a_check_says_what_sessions_do_not_know() -> None:
    assert ringfence("pack", "check", "binance-usdm").out.count("\n") == 1
    assert ringfence("pack", "check", "synthetix-v3").out == (
        "synthetix-v3: 3 instruments, 3 brackets: all hold together\n"
        "for the calculator; sessions do not know yet: skew_scale, max_funding_velocity\n"
    )


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("show", "mtgox"), "no rule pack 'mtgox': take one of binance-coinm"),
        (("show", "gate", "--symbol", "X"), "gate has no 'X'; it has BTC_USDT"),
        (("check", "none.json"), "none.json: No such file or directory"),
    ],
)
def test_a_mistake_is_one_line(words: tuple[str, ...], line: str) -> None:
    assert ringfence("pack", *words, status=2).complaint.startswith(line)


def test_a_check_of_a_file_says_where_it_contradicts_itself(tmp_path: Path, files: Files) -> None:
    ringfence(*files.words, "--out", files.out)
    pack = json.loads(files.out.read_text())
    pack["instruments"][0]["brackets"][1]["cum"] = "51"
    wrong = tmp_path / "wrong.json"
    wrong.write_text(json.dumps(pack))
    complaint = ringfence("pack", "check", wrong, status=2).complaint
    assert complaint == f"{wrong}: BTCUSDT: bracket 2: cum 51 should be 50"


def test_a_pack_is_made_of_the_venues_own_files(files: Files) -> None:
    files.write([BTC, ETH], [("BTCUSDT", ROWS), ("ETHUSDT", ROWS)])
    said = ringfence(*files.words, "--out", files.out, "--name", "mine", "--maker", "-0.0001", "--taker", "0.0004")
    assert (said.out, said.err) == ("", "")
    pack = load_pack(str(files.out))
    assert (pack.id, pack.version, pack.max_orders) == ("mine", "2021-07-21", 90)
    assert pack.source == "info.json and brackets.json; fees as given to the import"
    btc, eth = pack.instruments
    assert (btc.tick, btc.lot, btc.min_notional, eth.min_notional) == (UNIT // 10, UNIT // 1000, 5 * UNIT, 0)
    assert (btc.maker_fee, btc.taker_fee, btc.liquidation_fee) == (-10_000, 40_000, 1_200_000)
    assert [(b.floor, b.mmr, b.cum) for b in btc.brackets] == [(0, 400_000, 0), (50_000 * UNIT, 500_000, 50 * UNIT)]
    assert pack.beyond_sessions() == []


def test_bounds_of_prices_and_of_market_orders_are_imported(files: Files) -> None:
    band = {"filterType": "PERCENT_PRICE", "multiplierUp": "1.0500", "multiplierDown": "0.9500"}
    market = {"filterType": "MARKET_LOT_SIZE", "maxQty": "120", "minQty": "0.001"}
    bounded = BTC | {"marketTakeBound": "0.05", "filters": [*FILTERS, band, market]}
    larger = ETH | {"filters": [*FILTERS, market | {"maxQty": "5000"}]}
    files.write([bounded, larger], [("BTCUSDT", ROWS), ("ETHUSDT", ROWS)])
    ringfence(*files.words, "--out", files.out)
    btc, eth = load_pack(str(files.out)).instruments
    assert (btc.price_up, btc.price_down, btc.market_take_bound) == (UNIT * 105 // 100, UNIT * 95 // 100, UNIT // 20)
    assert (btc.market_max_lots, btc.size_text(btc.market_max_lots)) == (120_000, "120")
    assert (eth.price_up, eth.market_take_bound, eth.size_text(eth.market_max_lots)) == (0, 0, "1000")


def test_without_a_file_to_write_the_pack_is_printed(files: Files) -> None:
    printed = ringfence(*files.words).json
    assert [terms["id"] for terms in printed["instruments"]] == ["BTCUSDT"]
    assert printed["instruments"][0]["brackets"][0] == {
        "floor": "0",
        "cap": "50000",
        "max_leverage": 125,
        "mmr": "0.004",
        "cum": "0",
    }


def test_files_in_gzip_are_read_as_well(files: Files, tmp_path: Path) -> None:
    plain = ringfence(*files.words).json
    for path in (files.info, files.brackets):
        path.write_bytes(gzip.compress(path.read_bytes()))
    assert ringfence(*files.words).json == plain


def test_coin_margined_symbols_are_inverse(files: Files) -> None:
    files.write([COIN], [("BTCUSD_PERP", COIN_ROWS)])
    ringfence(*files.words, "--out", files.out)
    (perp,) = load_pack(str(files.out)).instruments
    assert isinstance(perp, InversePerp)
    assert (perp.contract_value, perp.settle, perp.brackets[1].cum) == (100 * UNIT, "BTC", UNIT // 200)


def test_what_no_pack_can_hold_is_left_out_and_counted(files: Files) -> None:
    strange = BTC | {"symbol": "STRANGE", "filters": []}
    table = [("BTCUSDT", ROWS), ("BTCUSDT_210924", ROWS), ("STRANGE", ROWS), ("GAP", ROWS[1:])]
    unknown = DATED | {"contractType": "CURRENT_MONTH"}
    undated = {**DATED, "deliveryDate": "soon"}
    endless = {**DATED, "deliveryDate": 10**18}
    files.write([BTC, unknown, undated, endless, ETH, strange, BTC | {"symbol": "GAP"}], table)
    said = ringfence(*files.words, "--out", files.out)
    assert said.err.startswith("ringfence: 1 of 7 symbols imported; left out: ")
    for reason in (
        "1 neither perpetual nor quarterly",
        "1 without a deliveryDate",
        "1 with a deliveryDate that is no date",
        "1 without brackets",
        "1 without a number as tickSize",
        "1 refused (GAP: bracket 1: ",
    ):
        assert reason in said.err
    assert len(load_pack(str(files.out)).instruments) == 1


def test_a_quarterly_contract_is_imported_with_its_expiry(files: Files) -> None:
    files.write([DATED], [("BTCUSDT_210924", ROWS)])
    assert ringfence(*files.words, "--out", files.out).err == ""
    (future,) = load_pack(str(files.out)).instruments
    assert isinstance(future, LinearFuture)
    assert future.expiry == 1_632_470_400 * SECOND  # 24 September 2021, 08:00 UTC
    assert future.settlement_window == 3600 * SECOND


def test_only_the_symbols_asked_for(files: Files) -> None:
    files.write([BTC, DATED, ETH], [("BTCUSDT", ROWS), ("ETHUSDT", ROWS)])
    printed = ringfence(*files.words, "--symbol", "ETHUSDT").json
    assert [terms["id"] for terms in printed["instruments"]] == ["ETHUSDT"]
    assert ringfence(*files.words, "--symbol", "XRP", status=2).complaint == f"{files.info}: has no XRP"


def test_brackets_of_one_symbol_stand_alone(files: Files) -> None:
    files.brackets.write_text(json.dumps({"symbol": "BTCUSDT", "notionalCoef": 1.5, "brackets": ROWS}))
    assert len(ringfence(*files.words).json["instruments"]) == 1


@pytest.mark.parametrize(
    ("info", "brackets", "line"),
    [
        ("{", "[]", "info.json: is neither JSON nor JSON in gzip"),
        ("[]", "[]", "info.json: is no exchangeInfo, it has no list of symbols"),
        ('{"symbols": [1]}', "[]", "info.json: is no exchangeInfo, it has no list of symbols"),
        ('{"symbols": []}', "[1]", "brackets.json: is no leverageBracket, it has no list of symbols with brackets"),
        ('{"symbols": []}', "1", "brackets.json: is no leverageBracket, it has no list of symbols with brackets"),
        ('{"symbols": []}', "[]", "info.json: none of its symbols can be imported: it has none"),
        (
            '{"symbols": [{}]}',
            "[]",
            "info.json: none of its symbols can be imported: 1 neither perpetual nor quarterly",
        ),
    ],
)
def test_a_file_that_is_none_is_named(files: Files, info: str, brackets: str, line: str) -> None:
    files.info.write_text(info)
    files.brackets.write_text(brackets)
    complaint = ringfence(*files.words, status=2).complaint
    assert complaint.startswith(str(files.info.parent / line))


@pytest.mark.parametrize("rows", [1, [1], [{}], [ROWS[0] | {"cum": "x"}], [ROWS[0] | {"initialLeverage": None}], []])
def test_brackets_that_are_none_leave_the_symbol_out(files: Files, rows: Any) -> None:
    files.write([BTC], [("BTCUSDT", rows)])
    assert "none of its symbols can be imported: 1 " in ringfence(*files.words, status=2).complaint


def test_a_broken_archive_is_told_in_one_line(files: Files) -> None:
    files.info.write_bytes(gzip.compress(files.info.read_bytes())[:-9])
    assert "is neither JSON nor JSON in gzip" in ringfence(*files.words, status=2).complaint


def test_a_file_without_a_time_gives_a_pack_without_a_date(files: Files) -> None:
    files.info.write_text(json.dumps({"symbols": [BTC]}))
    assert ringfence(*files.words).json["version"] == "undated"


def test_a_fee_that_is_no_number_is_refused(files: Files) -> None:
    assert "--taker 'x': is no rate" in ringfence(*files.words, "--taker", "x", status=2).complaint
