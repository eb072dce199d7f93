"""`ringfence why`: the liquidations of a session, and one of them with its causes, its steps and what was left."""

from __future__ import annotations

import re
from decimal import Decimal
from html.parser import HTMLParser
from importlib.util import find_spec
from json import JSONDecoder
from pathlib import Path
from typing import Any

import pytest

from events.units import decimal_text
from gateway.console import money_text
from gateway.reports import page as pages
from gateway.reports.why_words import grouped
from tests.command_line import ringfence
from tests.playing import capture, market
from tests.tampering import ACCOUNTS, recorded, rows_of


@pytest.fixture
def session(tmp_path: Path) -> Path:
    return recorded(tmp_path)


def test_the_object_walks_from_the_command_over_the_mark_to_the_end(session: Path) -> None:
    said = ringfence("why", session, "--account", "ann", "--json")
    assert said.err == ""
    (liquidation,) = said.json
    assert set(liquidation) == {
        "number", "account", "pool", "due_at", "ended_at", "outcome", "marks", "chain", "steps",
    }  # fmt: skip
    assert (liquidation["account"], liquidation["pool"]) == ("ann", "BTCUSDT")
    kinds = [record["kind"] for record in liquidation["chain"]]
    assert kinds == ["advance_market.1", "mark_price_moved.1", "margin_called.1", "liquidation_due.1"]
    for cause, record in zip(liquidation["chain"], liquidation["chain"][1:], strict=False):
        assert record["cause"] == cause["seq"]
    steps = liquidation["steps"]
    assert [steps[0]["kind"], steps[1]["kind"], steps[-1]["kind"]] == [
        "liquidation_started.1",
        "liquidation_order_placed.1",
        "liquidation_ended.1",
    ]
    assert liquidation["due_at"] <= liquidation["ended_at"]
    assert liquidation["marks"]["BTCUSDT"] == liquidation["chain"][1]["mark"] == steps[1]["mark"]


def test_every_record_that_it_shows_is_one_of_the_session(session: Path) -> None:
    stored = {seq: {"seq": seq, "cause": cause, **m} for row in rows_of(session) for seq, cause, m in row.records}
    (liquidation,) = ringfence("why", session, "--json").json
    shown = [*liquidation["chain"], *liquidation["steps"]]
    assert [stored[record["seq"]] for record in shown] == shown


def test_without_a_number_the_liquidations_are_listed(session: Path) -> None:
    head, heads, _, row, hint = ringfence("why", session, "--account", "ann").out.splitlines()
    assert head == f"1 liquidation of ann in {session}, times in UTC"
    assert heads.split()[3:] == ["fell", "due", "equity", "MM", "ratio", "by", "outcome"]
    (listed,) = ringfence("why", session, "--json").json
    assert (listed["number"], listed["outcome"]) == (1, "closed")
    started = listed["steps"][0]
    figures = [money_text(started[name]) for name in ("equity", "maintenance")]
    assert re.fullmatch(rf" +1  ann +BTCUSDT  2024-03-05 16:00:[\d.]+ +{figures[0]} USDT +{figures[1]} USDT .*", row)
    assert hint == f"one in full: ringfence why {session} --liquidation 1"


def test_one_in_full_tells_causes_holdings_steps_and_who_paid(session: Path) -> None:
    out = ringfence("why", session, "--liquidation", 1).out
    for heading in (
        "what led to it", "what the pool held", "what was done; equity", "who took it", "where the equity went",
        "mark of BTCUSDT", "margin ratio; at 100 % the pool is due", "fell due",
    ):  # fmt: skip
        assert sum(line.strip().startswith(heading) or heading in line for line in out.splitlines()) >= 1, heading
    for words in (
        "the mark of BTCUSDT moved to", "the pool fell due: equity", "liquidation started with equity",
        "order to sell", "liquidation ended: everything is closed", "it was due from a mark of",
    ):  # fmt: skip
        assert out.count(words) == 1 or words == "order to sell", words
    for held in (
        "position +BTCUSDT long", r"size +[\d.]+ BTC", r"mark +[\d,.]+ USDT", "leverage +20x", r"MMR +[\d.]+ %",
        r"cum +[\d.,]+ USDT",
    ):  # fmt: skip
        assert re.search(rf"^ {held}$", out, re.MULTILINE), held
    assert max(map(len, out.splitlines())) <= 100


def test_columns_of_numbers_end_below_each_other(session: Path) -> None:
    lines = ringfence("why", session, "--liquidation", 1).out.splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("what was done"))
    rows = lines[start + 3 : lines.index("", start)]
    figures = r" +\d+(?: \+\d+)? +[\d,.-]+ USDT +[\d,.]+ USDT +(?:[\d,.]+ %|over [\d,]+ %|-)"
    ends = {re.match(figures, row).end() for row in rows if row[:20].strip()}  # type: ignore[union-attr]
    assert len(ends) == 1, rows


def test_one_as_an_object_has_the_same_figures_as_the_log(session: Path) -> None:
    (listed,) = ringfence("why", session, "--json").json
    one = ringfence("why", session, "--account", "ann", "--liquidation", 1, "--json").json
    assert set(one) >= {
        "session", "number", "account", "pool", "mode", "asset", "rules", "due", "ended", "causes", "holdings",
        "steps", "taken", "equity_went", "timeline", "counterfactuals",
    }  # fmt: skip
    assert [step["record"] for step in one["steps"]] == [step["seq"] for step in listed["steps"]]
    assert [cause["record"] for cause in one["causes"]] == [record["seq"] for record in listed["chain"]]
    started = listed["steps"][0]
    assert one["due"]["equity"] == decimal_text(started["equity"])
    assert one["due"]["maintenance"] == decimal_text(started["maintenance"])
    assert one["steps"][0]["before"] == {k: one["due"][k] for k in ("equity", "maintenance", "margin_ratio")}
    for before, after in zip(one["steps"], one["steps"][1:], strict=False):
        assert before["after"] == after["before"]
    (holding,) = one["holdings"]
    sizes = [Decimal(share["size"]) for share in one["taken"]]
    assert sum(sizes) == Decimal(holding["size"])
    went = one["equity_went"]
    assert Decimal(went["from"]) + sum(Decimal(part["amount"]) for part in went["parts"]) == Decimal(went["to"])


def test_the_timeline_of_the_object_rises_beyond_one_when_the_pool_falls_due(session: Path) -> None:
    one = ringfence("why", session, "--liquidation", 1, "--json").json
    line = one["timeline"]
    assert line["started_at"] < one["due"]["at"] < line["ended_at"]
    assert [at for at, ratio in line["margin_ratio"] if Decimal(ratio) >= 1] == [one["due"]["at"]]
    assert [one["due"]["at"], one["due"]["marks"]["BTCUSDT"]] in line["marks"]["BTCUSDT"]


def test_what_would_have_prevented_it_is_shown_with_the_forks_that_say_so(session: Path) -> None:
    found = ringfence("why", session, "--liquidation", 1, "--json").json["counterfactuals"]
    assert found["forks"] > 5
    by_kind = {(one["kind"], one["mode"], one["until"]): one for one in found["answers"]}
    margin = by_kind["margin", None, "liquidation"]
    enough, less = margin["forks"]
    assert (enough["survives"], less["survives"], less["liquidated"]["pool"]) == (True, False, "BTCUSDT")
    assert Decimal(enough["value"]) - Decimal(less["value"]) == Decimal("0.00000001")
    assert Decimal(margin["total"]) == Decimal(found["margin_had"]) + Decimal(margin["value"])
    leverage = by_kind["leverage", None, "liquidation"]
    assert [fork["value"] for fork in leverage["forks"]] == [leverage["value"], leverage["value"] + 1]
    assert {mode for kind, mode, _ in by_kind if kind == "mode"} == {"cross", "multi"}
    printed = ringfence("why", session, "--liquidation", 1).out
    out = " ".join(printed.split())
    assert f"if margin >= {grouped(margin['total'])} USDT: {grouped(margin['value'])} USDT more than there was" in out
    assert "with 0.00000001 USDT less: liquidated at" in out
    assert f"if leverage <= {leverage['value']}, from ahead of record {found['settings_from_record']} on" in out
    took = f"{found['forks']} forks, effort {found['effort']:,} of 5,000,000 allowed"
    assert printed.splitlines()[-1] == f" {took}"


def test_without_effort_nothing_is_decided_again(session: Path) -> None:
    said = ringfence("why", session, "--liquidation", 1, "--effort", 0)
    assert "what would have prevented it" not in said.out
    found = ringfence("why", session, "--liquidation", 1, "--effort", 0, "--json").json["counterfactuals"]
    assert (found["forks"], found["answers"]) == (0, [])
    little = ringfence("why", session, "--liquidation", 1, "--effort", 3, "--json").json["counterfactuals"]
    assert {one["why_not"] for one in little["answers"]} == {"not settled with the effort allowed"}


def test_an_effort_below_zero_is_told_in_one_line(session: Path) -> None:
    said = ringfence("why", session, "--liquidation", 1, "--effort", -1, status=2)
    assert said.complaint == "--effort -1: give 0 for no forks, or more"


@pytest.mark.parametrize("number", [0, 2, -1])
def test_a_number_that_is_not_there_is_told_in_one_line(session: Path, number: int) -> None:
    said = ringfence("why", session, "--account", "ann", "--liquidation", number, status=2)
    has = f"{session} has only number 1 of ann; without --liquidation they are listed"
    assert said.complaint == f"--liquidation {number}: {has}"


def test_a_number_names_the_same_liquidation_whoever_asks(tmp_path: Path) -> None:
    session, two = tmp_path / "two.db", [word.replace("ann", "ben") for word in ACCOUNTS[2:]]
    ringfence("replay", capture(tmp_path), *ACCOUNTS, *two, "--insurance", 100_000, "--out", session)
    every = ringfence("why", session, "--json").json
    assert [one["number"] for one in every] == list(range(1, len(every) + 1))
    for name in ("ann", "ben"):
        own = [one for one in every if one["account"] == name]
        assert ringfence("why", session, "--account", name, "--json").json == own
        listed = ringfence("why", session, "--account", name).out.splitlines()
        assert listed[3].split()[:2] == [str(own[0]["number"]), name]
        assert listed[-1] == f"one in full: ringfence why {session} --liquidation {own[0]['number']}"
        asked = ("why", session, "--liquidation", own[0]["number"], "--effort", 0, "--json")
        one = ringfence(*asked, "--account", name).json
        assert (one, one["account"]) == (ringfence(*asked).json, name)
    last = every[-1]
    other = "ben" if last["account"] == "ann" else "ann"
    number = last["number"]
    said = ringfence("why", session, "--account", other, "--liquidation", number, status=2)
    assert said.complaint.startswith(f"--liquidation {number}: that is one of {last['account']}; {session} has ")


def test_an_account_that_was_never_liquidated_is_said_to_be_so(tmp_path: Path) -> None:
    session = tmp_path / "calm.db"
    source = capture(tmp_path, market(20, crash=False))
    ringfence("replay", source, "--account", "ann:cross:2:1000", "--out", session)
    assert ringfence("why", session, "--account", "ann").out == f"no liquidation of ann in {session}\n"
    assert ringfence("why", session).out == f"no liquidation in {session}\n"
    assert ringfence("why", session, "--json").json == []
    said = ringfence("why", session, "--liquidation", 1, status=2)
    assert said.complaint == f"--liquidation 1: {session} has no liquidation"


def test_an_account_that_the_session_does_not_have_is_an_error_that_names_those_it_has(session: Path) -> None:
    said = ringfence("why", session, "--account", "eve", status=2)
    assert said.complaint == f"{session}: no account 'eve'; it has ann"
    assert ringfence("why", session, "--account", "eve", "--json", status=2).complaint == said.complaint


def test_a_session_without_accounts_says_that_it_has_none(tmp_path: Path) -> None:
    session = tmp_path / "bare.db"
    ringfence("replay", capture(tmp_path), "--out", session)
    said = ringfence("why", session, "--account", "ann", status=2)
    assert said.complaint == f"{session}: no account 'ann'; it has none"


needs_charts = pytest.mark.skipif(find_spec("plotly") is None, reason="needs the extra `report`")


def series_of(page: str, figure: str) -> dict[str, dict[str, Any]]:
    """The series that a figure of the page is given, by name."""
    data, _ = JSONDecoder().raw_decode(page, re.search(rf'Plotly.newPlot\(\s*"{figure}",\s*', page).end())  # type: ignore[union-attr]
    return {one.get("name", one["type"]): one for one in data}


class Balance(HTMLParser):
    """Whether every element that is opened is closed, in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@needs_charts
def test_the_page_needs_nothing_beside_it_and_says_what_the_text_says(session: Path, tmp_path: Path) -> None:
    page = tmp_path / "why.html"
    said = ringfence("why", session, "--liquidation", 1, "--html", page)
    assert said.out.splitlines()[-1].startswith(f"report   {page} (")
    text = page.read_text("utf-8")
    assert Balance(text).open == []
    own = re.sub(r"<script>.*?</script>", "", text, count=1, flags=re.DOTALL)
    assert not re.search(r'(src|href)="?(https?:)?//', own)
    for words in (
        "<h1>liquidation 1 of ann: isolated BTCUSDT</h1>", "<h2>what led to it</h2>", "<h2>what the pool held</h2>",
        "<h2>who took it</h2>", "<h2>where the equity went</h2>", "survives this liquidation if margin &gt;= ",
    ):  # fmt: skip
        assert words in own, words


@needs_charts
def test_the_charts_of_the_page_are_given_the_series_of_the_object(session: Path, tmp_path: Path) -> None:
    page = tmp_path / "why.html"
    one = ringfence("why", session, "--liquidation", 1, "--effort", 0, "--json", "--html", page).json
    text = page.read_text("utf-8")
    drawn, line = series_of(text, "timeline"), one["timeline"]
    for name, points, scale, cap in (
        ("mark of BTCUSDT", line["marks"]["BTCUSDT"], 1, 10**9),
        ("margin ratio", line["margin_ratio"], 100, 200),
        ("equity", line["equity"], 1, 10**9),
        ("maintenance margin", line["maintenance"], 1, 10**9),
    ):
        values = [value for value in drawn[name]["y"] if value is not None]
        wanted = [min(cap, float(value) * scale) for _, value in points]
        assert values[: len(wanted)] == pytest.approx(wanted, abs=1e-7), name
        assert len(values) - len(wanted) in (0, 1), "at most the end of the session is added"
    marked = [name for name in drawn if "record" in name]
    assert marked
    assert f"fell due, record {one['due']['record']}" in "; ".join(marked)
    steps = series_of(text, "steps")
    assert steps["equity"]["x"][0] == f"record {one['steps'][0]['record']}"
    assert steps["equity"]["y"][-1] == pytest.approx(float(one["steps"][-1]["after"]["equity"]), abs=1e-7)
    waterfall = series_of(text, "equity")["waterfall"]
    went = one["equity_went"]
    assert waterfall["y"][1:-1] == [part["what"] for part in went["parts"]]
    assert waterfall["x"][:-1] == pytest.approx([float(went["from"]), *(float(p["amount"]) for p in went["parts"])])


def test_a_page_of_no_liquidation_in_particular_is_refused(session: Path, tmp_path: Path) -> None:
    page = tmp_path / "why.html"
    said = ringfence("why", session, "--html", page, status=2)
    assert said.complaint.startswith(f"--html {page}: ")
    assert not page.exists()


def test_a_page_that_was_asked_for_names_what_to_install(
    session: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "is_possible", lambda: False)
    said = ringfence("why", session, "--liquidation", 1, "--html", tmp_path / "why.html", status=2)
    assert said.complaint == f"--html {tmp_path / 'why.html'}: {pages.MISSING}"
