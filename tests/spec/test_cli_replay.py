"""`ringfence replay`: what it prints, what it keeps, and what its options change."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from events.instruments import load_pack
from tests import captures
from tests.command_line import ROOT, ringfence
from tests.playing import capture, market
from tests.tampering import ACCOUNTS

WITHOUT_MARKS = [line for line in market() if "markPrice" not in line]


def is_count(value: Any) -> bool:
    return type(value) is int and value >= 0


def is_counts(value: Any) -> bool:
    return type(value) is dict and all(type(key) is str and is_count(count) for key, count in value.items())


KEYS: dict[str, Callable[[Any], bool]] = {
    "trades": is_count,
    "volume": lambda value: type(value) is str and float(value) >= 0,
    "own_fills": is_count,
    "observations": is_count,
    "records": is_count,
    "facts_by_kind": is_counts,
    "liquidations": is_count,
    "head": lambda value: len(bytes.fromhex(value)) == 32,
    "first_at": lambda value: is_count(value) and len(str(value)) == 19,
    "last_at": lambda value: is_count(value) and len(str(value)) == 19,
    "skipped": is_counts,
    "top_of_book": lambda value: len(value) == 2 and all(map(is_count, value)),
    "seconds": lambda value: type(value) is float and value >= 0,
}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return capture(tmp_path)


# The object


def test_the_object_has_every_key_of_the_promise_with_its_type(source: Path) -> None:
    said = ringfence("replay", source, *ACCOUNTS, "--insurance", 1_000, "--json")
    assert said.err == ""
    assert said.out.count("\n") == 1
    assert {key: holds(said.json[key]) for key, holds in KEYS.items()} == dict.fromkeys(KEYS, True)


def test_the_object_agrees_with_itself_and_with_the_file(source: Path) -> None:
    said = ringfence("replay", source, *ACCOUNTS, "--json").json
    trades = [json.loads(line.partition(" ")[2])["data"] for line in market() if '"e":"trade"' in line]
    assert said["trades"] == len(trades)
    assert Decimal(said["volume"]) == sum(Decimal(trade["q"]) for trade in trades)
    assert said["observations"] + sum(said["skipped"].values()) == len(market())
    assert said["top_of_book"][0] > 100
    assert said["top_of_book"][1] == 0
    assert said["facts_by_kind"]["liquidation_started.1"] == said["liquidations"] == 1
    assert said["first_at"] == int(market()[0].split(" ")[0])
    assert said["last_at"] == int(market()[-1].split(" ")[0])


def test_each_account_has_its_figures_as_decimal_strings(source: Path) -> None:
    (figures,) = ringfence("replay", source, *ACCOUNTS, "--json").json["accounts"].values()
    assert set(figures) >= {"fills", "fees", "funding", "pnl", "equity", "liquidations", "refusals"}
    assert float(figures["equity"]) == pytest.approx(10_000 + float(figures["pnl"]))
    assert float(figures["fees"]) > 0
    assert (figures["liquidations"], figures["refusals"]) == (1, 0)


def test_without_accounts_only_the_market_goes_on(source: Path) -> None:
    said = ringfence("replay", source, "--json").json
    assert (said["own_fills"], said["liquidations"], said["accounts"]) == (0, 0, {})


def test_the_text_shows_market_accounts_session_and_head(source: Path, tmp_path: Path) -> None:
    session = tmp_path / "kept.db"
    said = ringfence("replay", source, *ACCOUNTS, "--out", session)
    assert said.err == ""
    starts = [line.split(" ", 1)[0] for line in said.out.splitlines() if line[:1].strip()]
    assert starts == ["market", "skipped", "accounts,", "session", "head", "written"]
    (row,) = [line.split() for line in said.out.splitlines() if line.startswith(" ann ")]
    assert row[:2] == ["ann", "isolated"]
    assert row[-1] == "1"


# The file


def test_what_is_not_kept_leaves_nothing_behind(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    monkeypatch.chdir(tmp_path)
    ringfence("replay", source, *ACCOUNTS)
    assert sorted(file.name for file in tmp_path.rglob("*")) == ["market", "temporary"]


def test_what_is_kept_is_one_file_with_the_head_that_was_told(source: Path, tmp_path: Path) -> None:
    session = tmp_path / "kept.db"
    told = ringfence("replay", source, *ACCOUNTS, "--out", session, "--json").json
    assert sorted(file.name for file in tmp_path.iterdir()) == ["kept.db", "market"]
    assert ringfence("verify", session, "--json").json["head"] == told["head"]


@pytest.mark.parametrize("content", [b"", b"precious", None])
def test_a_file_that_exists_is_never_written_over(source: Path, tmp_path: Path, content: bytes | None) -> None:
    kept = tmp_path / "kept.db"
    if content is None:
        ringfence("replay", source, "--out", kept)
    else:
        kept.write_bytes(content)
    before = kept.read_bytes()
    said = ringfence("replay", source, "--out", kept, status=2)
    assert said.complaint == f"{kept}: exists already; open it, or choose another name"
    assert kept.read_bytes() == before


def test_a_replay_that_does_not_begin_leaves_no_file(tmp_path: Path) -> None:
    unknown = capture(tmp_path, [line.replace("BTCUSDT", "PEPEUSDT") for line in market()])
    ringfence("replay", unknown, "--out", tmp_path / "kept.db", status=2)
    ringfence("replay", capture(tmp_path), "--account", "a:cross:999:1", "--out", tmp_path / "kept.db", status=2)
    assert [file.name for file in tmp_path.iterdir()] == ["market"]


def test_the_head_does_not_depend_on_whether_how_and_where_the_session_is_kept(source: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    elsewhere = capture(tmp_path / "elsewhere", name="another.gz")
    runs = [(source,), (source, "--out", tmp_path / "a.db"), (elsewhere, "--out", tmp_path / "elsewhere" / "b.db")]
    assert len({ringfence("replay", *run, *ACCOUNTS, "--json").json["head"] for run in runs}) == 1


# Options


@pytest.mark.parametrize(
    ("lines", "mark", "recorded"),
    [
        (market(), (), "data"),
        (WITHOUT_MARKS, (), "mid"),
        (market(), ("--mark", "auto"), "data"),
        (market(), ("--mark", "mid"), "mid"),
        (WITHOUT_MARKS, ("--mark", "last"), "last"),
        (WITHOUT_MARKS, ("--mark", "data"), "data"),
    ],
)
def test_where_marks_come_from_is_recorded_in_the_first_fact(
    tmp_path: Path, lines: list[str], mark: tuple[str, ...], recorded: str
) -> None:
    session = tmp_path / "kept.db"
    said = ringfence("replay", capture(tmp_path, lines), *mark, "--out", session, "--json").json
    opened = ringfence("log", session, "--kind", "session_opened", "--json").json
    assert opened["options"].get("mark_source", "data") == recorded
    moved = said["facts_by_kind"].get("mark_price_moved.1", 0)
    assert (moved == 0) is (recorded == "data" and lines is WITHOUT_MARKS)


@pytest.mark.parametrize(
    ("option", "field", "value"),
    [
        ("--queue-model", "queue_model", "ahead"),
        ("--queue-model", "queue_model", "behind"),
        ("--impact", "impact", "none"),
        ("--max-slippage", "max_slippage", "0.02"),
    ],
)
def test_how_history_meets_traders_is_recorded_in_the_first_fact(
    source: Path, tmp_path: Path, option: str, field: str, value: str
) -> None:
    session = tmp_path / "kept.db"
    ringfence("replay", source, option, value, "--out", session)
    opened = ringfence("log", session, "--kind", "session_opened", "--json").json
    assert opened["options"] == {field: 2_000_000 if value == "0.02" else value}
    assert ringfence("verify", session, "--json").json["ok"] is True


def test_a_rule_pack_is_a_name_or_a_file(source: Path, tmp_path: Path) -> None:
    name = "binance-usdm"
    text = json.loads((ROOT / "events" / "packs" / f"{name}.json").read_text())
    text["id"] = "dear"
    for instrument in text["instruments"]:
        instrument["taker_fee"] = "0.002"
    pack = tmp_path / "dear.json"
    pack.write_text(json.dumps(text))
    usual, dear = (ringfence("replay", source, *ACCOUNTS, "--pack", p, "--json").json for p in (name, pack))
    fees = [float(said["accounts"]["ann"]["fees"]) for said in (usual, dear)]
    assert fees[1] == pytest.approx(4 * fees[0], rel=0.01)
    assert load_pack(str(pack)).id == "dear"


def test_every_account_has_a_strategy_of_its_own(source: Path) -> None:
    names = [part for name in ("ann", "bob") for part in ("--account", f"{name}:cross:20:10000")]
    accounts = ringfence("replay", source, *ACCOUNTS[:2], *names, "--json").json["accounts"]
    assert [figures["fills"] > 0 for figures in accounts.values()] == [True, True]
    assert accounts["ann"]["fills"] > 0


def test_the_insurance_fund_begins_with_its_deposit(source: Path, tmp_path: Path) -> None:
    session = tmp_path / "kept.db"
    ringfence("replay", source, "--insurance", "12.5", "--out", session)
    fact = ringfence("log", session, "--kind", "deposited", "--account", "INSURANCE", "--json").json
    assert fact["amount"] == 12.5 * 10**8


def test_an_account_without_a_strategy_looks_on(source: Path) -> None:
    figures = ringfence("replay", source, "--account", "ann:cross:5:1000", "--json").json["accounts"]["ann"]
    assert (figures["fills"], figures["equity"], figures["pnl"]) == (0, "1000", "0")


# Multi-asset mode


def test_an_account_answers_with_all_its_assets_where_their_prices_are_given(source: Path) -> None:
    account = ("--account", "ann:multi:20:10000")
    said = ringfence("replay", source, *account, "--index", "USDTUSD=1", "--strategy", "examples.dip_buyer:DipBuyer")
    (row,) = [line.split() for line in said.out.splitlines() if line.split()[:1] == ["ann"]]
    assert row[1] == "multi"
    complaint = ringfence("replay", source, *account, status=2).complaint
    assert complaint.startswith("account ann: no multi-asset mode (no_index_price); give the index price of its assets")


@pytest.mark.parametrize(
    ("index", "line"),
    [
        ("EURUSD=1", "--index EURUSD=1: binance-usdm has no pair 'EURUSD'; it has USDTUSD, USDCUSD, BUSDUSD"),
        ("USDTUSD=x", "--index USDTUSD=x: price 'x'; give a number from 0 with at most 8 decimals"),
        ("USDTUSD=0", "--index USDTUSD=0: price '0'; give a number above 0"),
    ],
)
def test_an_index_price_that_makes_no_sense_is_told_in_one_line(source: Path, index: str, line: str) -> None:
    assert ringfence("replay", source, "--index", index, status=2).complaint.startswith(line)


def test_rows_that_were_older_than_the_row_before_are_counted(tmp_path: Path) -> None:
    path = capture(tmp_path, captures.back_in_time(list(market()), 500))
    count = ringfence("replay", path, "--json").json["time_went_back"]
    assert count > 0
    assert (
        f"time     went back {count} times; those rows took the time of the one before\n"
        in ringfence("replay", path).out
    )


def test_who_only_met_refusals_is_told_where_to_look(source: Path, tmp_path: Path) -> None:
    poor = ("--strategy", "examples.market_maker:MarketMaker", "--account", "ann:cross:1:1")
    said = ringfence("replay", source, *poor)
    count = said.err.split()[5]
    where = "keep the session with --out, and `ringfence report` says why"
    assert said.err == f"ringfence: ann: nothing traded, and {count} commands were refused; {where}\n"
    kept = ringfence("replay", source, *poor, "--out", tmp_path / "poor.db").err
    assert kept.endswith(f"`ringfence report {tmp_path / 'poor.db'}` says why\n")
    assert "ann, refused: " in ringfence("report", tmp_path / "poor.db").out
