"""`ringfence report`: how the accounts of a session fared, as tables, as an object, and as a page."""

from __future__ import annotations

import re
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from events.units import SECOND
from gateway.reports import page as pages
from gateway.reports.report_rows import Told
from gateway.reports.report_trades import returns
from gateway.reports.why_words import Words
from replay.report.samples import FEWEST
from tests.command_line import ringfence
from tests.reporting import report_of
from tests.scenario import scenario
from tests.spec.words import BUY, EASY, account, mark, position
from tests.tampering import recorded, rows_of

needs_charts = pytest.mark.skipif(find_spec("plotly") is None, reason="needs the extra `report`")


@pytest.fixture
def session(tmp_path: Path) -> Path:
    return recorded(tmp_path)


def account_of(session: Path, *options: Any) -> dict[str, Any]:
    """The only account of the object."""
    (account,) = ringfence("report", session, "--json", *options).json["accounts"]
    assert isinstance(account, dict)
    return account


def test_the_money_in_the_object_adds_up_exactly(session: Path) -> None:
    money = account_of(session)["money"]["USDT"]
    number = {name: Decimal(text) for name, text in money.items() if isinstance(text, str)}
    assert number["brought_in"] == 10_000
    fees = ("maker_fees", "taker_fees", "forced_fees", "settlement_fees", "exchange_fees")
    assert number["fees"] == sum(number[name] for name in fees) > 0
    gained = ("realised", "liquidated", "deleveraged", "funding", "covered")
    lost = ("fees", "interest", "liquidation_fees", "shared")
    assert number["earned"] == sum(number[name] for name in gained) - sum(number[name] for name in lost)
    assert number["equity"] == number["brought_in"] + number["earned"] + number["unrealised"]
    assert money["by_instrument"]["BTCUSDT"]["liquidated"] == money["liquidated"]


def test_the_object_agrees_with_the_replay_and_with_why(session: Path) -> None:
    account = account_of(session)
    (known,) = ringfence("why", session, "--json").json
    (told,) = account["liquidations"]
    assert (told["number"], told["due_at"], told["outcome"]) == (1, known["due_at"], known["outcome"])
    started = next(step for step in known["steps"] if step["kind"] == "liquidation_started.1")
    assert Decimal(told["equity"]) == Decimal(started["equity"]) / 10**8
    standing = account["standing"]["USDT"]
    assert standing["equity"] == account["money"]["USDT"]["equity"]
    (lab,) = ringfence("lab", session, "--json", "--modes", "recorded").json["accounts"]
    assert standing["margin"]["margin_ratio_highest"]["value"] == lab["modes"]["recorded"]["max_margin_ratio"]["value"]
    headroom = Decimal(standing["margin"]["headroom_lowest"]["value"])
    assert abs(headroom - Decimal(lab["modes"]["recorded"]["min_headroom"]["USDT"]["value"])) < Decimal("1e-8")


def test_every_figure_of_the_object_is_text_or_a_count(session: Path) -> None:
    def leaves(value: Any) -> list[Any]:
        if isinstance(value, dict):
            return [leaf for one in value.values() for leaf in leaves(one)]
        return [leaf for one in value for leaf in leaves(one)] if isinstance(value, list) else [value]

    said = ringfence("report", session, "--json").json
    assert {type(leaf) for leaf in leaves(said)} <= {str, int, bool, type(None)}
    assert set(said) == {"session", "rules", "started_at", "ended_at", "records", "options", "units", "accounts"}
    assert set(said["accounts"][0]) == {
        "account", "money", "standing", "instruments", "orders", "fills", "liquidations",
    }  # fmt: skip


def test_fills_are_told_by_role_with_ticks_and_basis_points(session: Path) -> None:
    gold = account_of(session)["instruments"]["BTCUSDT"]
    assert (gold["price_unit"], gold["size_unit"], gold["settle"]) == ("USDT", "BTC", "USDT")
    taker = gold["fills"]["taker"]
    assert taker["fills"] > 0
    assert set(taker["at_acceptance"]["mid"]) == {"fills", "slip_bp", "slip_ticks"}
    assert Decimal(taker["at_acceptance"]["mid"]["slip_bp"]) > 0
    assert Decimal(taker["at_fill"]["best"]["slip_ticks"]) == 0
    assert set(taker["after"]) == {"1_seconds", "10_seconds", "60_seconds"}
    assert Decimal(gold["maker_share_percent"]) == 0


def test_the_tables_fit_and_say_how_to_ask_further(session: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(session.parent)
    lines = ringfence("report", session.name).out.splitlines()
    assert max(map(len, lines)) <= 100, max(lines, key=len)
    for heading in (
        "money: where the equity at the end comes from", "drawdown of the profit", "exposure: notional at the mark",
        "margin at its worst, while a position was open", "fills", "fills against the quote, basis points (bp)",
        "orders", "round trips", "liquidations",
    ):  # fmt: skip
        assert heading in lines
    assert lines[-1] == " one in full: ringfence why session.db --liquidation 1"


def test_one_account_is_told_with_every_part(session: Path) -> None:
    said = ringfence("report", session, "--account", "ann")
    assert "ann: every part, USDT" in said.out
    rows = [line.split() for line in said.out.splitlines()]
    assert ["deposited", "10,000.00", "0.00"] in rows
    (equity,) = [row[-1] for row in rows if row[:2] == ["ann", "USDT"] and "10,000.00" in row]
    assert [row[1] for row in rows if row[:1] == ["sum"]] == [equity]


@pytest.mark.parametrize(("per_year", "words"), [(1, "not annualised"), (31_536_000, "annualised")])
def test_returns_are_told_once_there_are_enough_of_them(per_year: int, words: str) -> None:
    session = scenario(clock=SECOND).given(account("ann", 5_000), position(1, BUY, price=100, lots=10, by="ann"))
    session.given(*(mark(100 + (ticks * 7) % 11) for ticks in range(40)))
    report = report_of(session, "ann", sampled=1)
    told = Told("session.db", report, list(report.accounts.values()), {}, Words(EASY), per_year)
    (block,) = returns(told)
    assert block.heading == f"returns, sampled every 1 s of session time, {words}"
    assert [row[:2] for row in block.rows] == [["account", "asset"], ["ann", "USD"]]
    told.accounts[0].standings["USD"].samples.count = FEWEST - 1
    assert not list(returns(told))


@needs_charts
def test_the_page_needs_nothing_beside_it_and_reads_in_the_dark(session: Path, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    said = ringfence("report", session, "--html", path)
    assert said.out.splitlines()[-1].startswith(f"report   {path} (")
    content = path.read_text("utf-8")
    own = re.sub(r"<script>.*?</script>", "", content, count=1, flags=re.DOTALL)
    assert not re.search(r'(src|href)="?(https?:)?//', own)
    assert own.count("<caption>") == own.count("<table>") == own.count("</table>") > 5
    assert own.count('<th scope="row">') > own.count("<tr><td")
    assert "@media (prefers-color-scheme: dark)" in own
    for words in (
        "<h2>Account ann</h2>", "equity, USDT", "profit and drawdown, USDT", "exposure, USDT", "margin headroom, USDT",
        "fees and funding so far, USDT", "fills of BTCUSDT, USDT", "slippage of BTCUSDT, basis points (size)",
        "queue time of BTCUSDT, seconds (orders)",
    ):  # fmt: skip
        assert words in own, words


@needs_charts
def test_an_object_and_a_page_may_be_asked_for_at_once(session: Path, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    assert ringfence("report", session, "--html", path, "--json").json["accounts"]
    assert path.stat().st_size > 1_000_000


def test_a_page_that_was_asked_for_names_what_to_install(
    session: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "is_possible", lambda: False)
    said = ringfence("report", session, "--html", tmp_path / "page.html", status=2)
    assert said.complaint == f"--html {tmp_path / 'page.html'}: {pages.MISSING}"


def test_a_linked_fork_is_reported_like_the_same_fork_copied(session: Path) -> None:
    at = rows_of(session)[len(rows_of(session)) // 2].first_seq
    found = []
    for name, link in (("copy.db", ()), ("linked.db", ("--link",))):
        path = session.with_name(name)
        ringfence("fork", session, "--at", at, "--set", "ann:deposit:USDT=500", "--out", path, *link)
        found.append(account_of(path))
    assert found[0] == found[1]
    assert found[0]["money"]["USDT"]["deposited"] == "10500"


COMPLAINTS: list[tuple[list[Any], str]] = [
    (["--account", "eve"], "no account 'eve'; it has ann"),
    (["--account", "MARKET"], "MARKET is no trader's account; name one that was opened"),
    (["--every", "0"], "--every 0: give seconds, from 1"),
]


@pytest.mark.parametrize(("arguments", "complaint"), COMPLAINTS)
def test_what_makes_no_sense_is_told_in_one_line(session: Path, arguments: list[Any], complaint: str) -> None:
    assert ringfence("report", session, *arguments, status=2).complaint.endswith(complaint)


def test_a_session_that_is_not_there(tmp_path: Path) -> None:
    assert "nothing.db" in ringfence("report", tmp_path / "nothing.db", status=2).complaint
