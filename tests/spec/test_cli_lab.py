"""`ringfence lab`: one history under several margin modes, as a table, as an object, and as a page."""

from __future__ import annotations

import json
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from events.units import decimal_text
from gateway.reports import page as pages
from tests.command_line import ringfence
from tests.playing import capture, market
from tests.tampering import recorded
from tests.tidy.tree import ROOT

needs_charts = pytest.mark.skipif(find_spec("plotly") is None, reason="needs the extra `report`")


@pytest.fixture
def session(tmp_path: Path) -> Path:
    return recorded(tmp_path)


@pytest.fixture
def without_charts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "is_possible", lambda: False)


def test_the_object_holds_the_figures_of_each_mode(session: Path) -> None:
    said = ringfence("lab", session, "--json", "--modes", "isolated,cross,recorded")
    assert said.err == ""
    assert said.json["session"] == str(session)
    (account,) = said.json["accounts"]
    assert (account["account"], account["recorded"]) == ("ann", ["isolated"])
    assert list(account["modes"]) == ["isolated", "cross", "recorded"]
    for figures in account["modes"].values():
        assert set(figures) == {
            "max_margin_ratio", "min_headroom", "first_liquidation", "liquidations", "peak_capital", "peak_notional",
            "capital_efficiency", "orders_refused", "final_equity", "without_price_of", "margin_ratio",
        }  # fmt: skip
        assert set(figures["peak_capital"]["USDT"]) == {"value", "at", "record"}
    assert account["modes"]["isolated"] == account["modes"]["recorded"]


def test_the_mode_that_it_ran_in_gives_the_liquidation_that_there_was(session: Path) -> None:
    (liquidation,) = ringfence("why", session, "--json").json
    (account,) = ringfence("lab", session, "--json").json["accounts"]
    first = account["modes"]["isolated"]["first_liquidation"]
    mark = next(record for record in liquidation["chain"] if record["kind"] == "mark_price_moved.1")
    assert (first["at"], first["pool"], first["record"]) == (liquidation["due_at"], "BTCUSDT", mark["seq"])
    started = next(step for step in liquidation["steps"] if step["kind"] == "liquidation_started.1")
    figures = [decimal_text(started["equity"]), decimal_text(started["maintenance"])]
    assert [first["equity"], first["maintenance"]] == figures
    assert account["modes"]["isolated"]["liquidations"] == [first]


@pytest.mark.usefixtures("without_charts")
def test_the_table_has_a_column_a_mode_and_a_unit_on_every_amount(session: Path) -> None:
    said = ringfence("lab", session)
    lines = said.out.splitlines()
    assert "account ann: " in said.out
    assert any(line.split() == ["the", "same", "fills", "under", "isolated", "cross", "multi"] for line in lines)
    for name in ("smallest headroom", "peak capital used", "peak notional", "final equity"):
        (row,) = [line for line in lines if line.strip().startswith(name)]
        assert len(re.findall(r"-?[\d,]+\.\d\d USDT", row)) == 3, row
    assert sum(line.startswith(("isolated ", "cross ", "multi ")) for line in lines) >= 3
    assert "multi values USDT one to one while the session states no index price" in lines
    assert said.err == f"ringfence: {pages.MISSING}\n"


@needs_charts
def test_the_page_needs_nothing_beside_it(session: Path) -> None:
    said = ringfence("lab", session)
    page = session.with_name("session.db.lab.html")
    assert said.out.splitlines()[-1].startswith(f"report   {page} (")
    content = page.read_text("utf-8")
    assert content.count("Plotly.newPlot(") >= 1
    own = re.sub(r"<script>.*?</script>", "", content, count=1, flags=re.DOTALL)
    assert not re.search(r'(src|href)="?(https?:)?//', own)
    for words in ("<h2>Account ann</h2>", "margin ratio, %", "headroom, USDT", "equity, USDT", "would be due, record "):
        assert words in own, words


@needs_charts
def test_the_page_goes_where_it_is_asked_to(session: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    assert ringfence("lab", session, "--html", page, "--json").json["accounts"]
    assert page.stat().st_size > 1_000_000
    assert not session.with_name("session.db.lab.html").exists()


def test_an_object_comes_without_a_page_unless_it_is_asked_for(session: Path) -> None:
    ringfence("lab", session, "--json")
    assert not session.with_name("session.db.lab.html").exists()


@pytest.mark.usefixtures("without_charts")
def test_a_page_that_was_asked_for_names_what_to_install(session: Path, tmp_path: Path) -> None:
    said = ringfence("lab", session, "--html", tmp_path / "page.html", status=2)
    assert said.complaint == f"--html {tmp_path / 'page.html'}: {pages.MISSING}"


COMPLAINTS: list[tuple[list[Any], str]] = [
    (["--modes", "isolated,portfolio"], "'portfolio' is no mode; give some of isolated, cross, multi and recorded"),
    (["--modes", "isolated,"], "'' is no mode; give some of isolated, cross, multi and recorded"),
    (["--account", "eve"], "no account 'eve'; it has ann"),
    (["--account", "MARKET"], "MARKET has no margin mode; name an account that trades"),
]


@pytest.mark.parametrize(("arguments", "complaint"), COMPLAINTS)
def test_what_makes_no_sense_is_told_in_one_line(session: Path, arguments: list[Any], complaint: str) -> None:
    assert ringfence("lab", session, *arguments, status=2).complaint.endswith(f": {complaint}")


def test_a_session_that_is_not_there(tmp_path: Path) -> None:
    said = ringfence("lab", tmp_path / "none.db", status=2)
    assert said.complaint == f"{tmp_path / 'none.db'}: there is no such session; check the name, or create it"


def test_the_fund_of_an_instrument_has_no_margin_mode_either(tmp_path: Path) -> None:
    rules = json.loads((ROOT / "events/packs/binance-usdm.json").read_text())
    rules.setdefault("liquidation", {})["funds"] = "per_instrument"
    pack, session = tmp_path / "funds.json", tmp_path / "funds.db"
    pack.write_text(json.dumps(rules))
    source = capture(tmp_path, market(20))
    ringfence("replay", source, "--pack", pack, "--account", "ann:cross:2:1000", "--out", session)
    said = ringfence("lab", session, "--account", "INSURANCE:BTCUSDT", status=2)
    assert said.complaint == f"{session}: INSURANCE:BTCUSDT has no margin mode; name an account that trades"


def test_a_session_without_trades(tmp_path: Path) -> None:
    session = tmp_path / "calm.db"
    ringfence("replay", capture(tmp_path, market(20)), "--account", "ann:cross:2:1000", "--out", session)
    said = ringfence("lab", session, status=2)
    assert said.complaint == f"{session}: no account traded, so there is nothing to compare"
    said = ringfence("lab", session, "--account", "ann", status=2)
    assert said.complaint == f"{session}: account ann made no trade"


def test_a_file_that_is_no_session(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    path.write_text("nothing of the kind")
    assert ringfence("lab", path, status=2).complaint.startswith(str(path))
