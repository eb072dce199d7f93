"""`ringfence stress`: what it prints, its object, its page, the session that it keeps, and what it says to mistakes."""

from __future__ import annotations

import re
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from gateway.reports import page
from gateway.reports.stress_figures import duration, stretches, whole, worst
from replay.stress.figures import Moment
from replay.stress.shocks import Point
from tests.candles import generated, write
from tests.command_line import Said, ringfence

needs_charts = pytest.mark.skipif(find_spec("plotly") is None, reason="needs the extra `report`")

SMALL = ("--accounts", 60, "--every", "20s", "--after", "40s", "--seed", 3)


def stress(*arguments: Any, status: int = 0) -> Said:
    return ringfence("stress", *SMALL, *arguments, status=status)


def sentences(said: Said) -> str:
    """What stands ahead of the tables, on one line."""
    return " ".join(said.out.partition("\n\n")[0].split())


def test_the_first_lines_say_in_words_what_happened_and_the_rest_is_aligned() -> None:
    said = stress()
    rest = said.out.splitlines()
    assert max(len(line.rstrip()) for line in rest) <= 100
    first, second, third = re.findall(r"[^.]+(?:\.\d[^.]*)*\.", sentences(said))[:3]
    assert re.fullmatch(
        r"A fall of 30\.0 % in BTCUSDT within 10 min liquidated \d+ of 60 accounts and closed [\d,.]+ USDT by force, "
        r"[\d.]+ % of the open interest\.",
        first,
    )
    assert second.startswith(" Of that the book took ")
    assert third.startswith(" The insurance fund began with ")
    assert said.err == ""
    for words in ("within 1 % on either side", "half-life of 30 s", "rules of binance-usdm", "Pareto, exponent 1.5"):
        assert words in said.out, words
    heads = [line for line in rest if re.match(r"(mixed|isolated|cross) +[\d,]+ records, head [0-9a-f]{64}$", line)]
    assert len(heads) == 3
    (row,) = [line for line in rest if line.strip().startswith("lost more than their positions' margin")]
    mixed, isolated, cross = row.split()[-3:]
    assert (isolated, int(mixed) > 0, int(cross) > int(mixed)) == ("0", True, True)
    tables = [line for line in rest if "─" in line]
    assert len(tables) == 5


def test_alone_only_the_crowd_as_drawn_is_run() -> None:
    said = stress("--alone")
    assert "in other margin modes" not in said.out
    assert len(re.findall(r"head [0-9a-f]{64}", said.out)) == 1
    assert list(stress("--alone", "--json").json["runs"]) == ["mixed"]


def test_the_object_holds_what_the_text_says() -> None:
    found, text = stress("--json").json, stress().out
    assert list(found["runs"]) == ["mixed", "isolated", "cross"]
    run = found["runs"]["mixed"]
    assert f"liquidated {run['liquidated']} of 60 accounts" in text
    assert run["digest"] in text
    closed = sum(map(Decimal, run["closed"].values()))
    assert f"closed {closed:,.2f} USDT" in text
    assert sum(Decimal(part["closed"]["book"]) for part in run["over_time"]) == Decimal(run["closed"]["book"])
    assert run["over_time"][-1]["fund"] == run["fund"]["end"]
    assert sum(part["liquidations"] for part in run["over_time"]) == run["liquidations"]
    assert f"with a deficit of {sum(map(Decimal, run['deficit'].values())):,.2f} USDT" in text
    assert found["crowd"]["accounts"] == 60
    assert [row["what"] for row in found["distributions"]] == ["side", "size", "leverage", "mode", "spare"]
    assert run["refused"] == {}


def test_the_same_seed_gives_the_same_text_and_another_one_does_not() -> None:
    assert stress().out == stress().out
    assert stress().out != stress("--seed", 4).out


def test_a_kept_session_is_one_like_any_other(tmp_path: Path) -> None:
    session = tmp_path / "crash.db"
    run = stress("--session", session, "--alone", "--json").json["runs"]["mixed"]
    assert ringfence("verify", session, "--json").json["head"] == run["digest"]
    assert ringfence("audit", session).status == 0
    assert len(ringfence("why", session, "--json").json) == run["liquidations"]
    assert not session.with_name("crash.db.stress.html").exists()
    assert stress("--session", session, "--alone", status=2).complaint.startswith(str(session))


@needs_charts
def test_the_page_holds_the_series_and_needs_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    said = stress("--html", path)
    assert said.out.splitlines()[-1].startswith(f"report   {path} (")
    content = path.read_text("utf-8")
    own = re.sub(r"<script>.*?</script>", "", content, count=1, flags=re.DOTALL)
    assert not re.search(r'(src|href)="?(https?:)?//', own)
    assert own.count("Plotly.newPlot(") == 4
    run = stress("--json").json["runs"]["mixed"]
    for words in ("mark of BTCUSDT", "closed by force so far, USDT", "deficit by layer, USDT", run["digest"]):
        assert words in own, words
    for taker in ("the book", "the insurance fund", "auto-deleveraging"):
        assert f'"name":"{taker}"' in own
    lowest = min(Decimal(part["mark"]) for part in run["over_time"])
    assert re.search(rf"\b{lowest}(\.0)?\b", own)


@needs_charts
def test_beside_a_session_the_page_comes_unasked(tmp_path: Path) -> None:
    said = stress("--alone", "--session", tmp_path / "crash.db")
    assert f"written  {tmp_path / 'crash.db'}" in said.out
    assert (tmp_path / "crash.db.stress.html").stat().st_size > 1_000_000


def test_without_the_library_a_line_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "is_possible", lambda: False)
    asked = tmp_path / "page.html"
    assert stress("--html", asked, status=2).complaint == f"--html {asked}: {page.MISSING}"
    said = stress("--alone", "--session", tmp_path / "crash.db")
    assert said.err == f"ringfence: {page.MISSING}\n"
    assert "written" in said.out


def test_a_second_instrument_shows_the_contagion() -> None:
    said = stress("--second", "ETHUSDT", "--second-share", "60%")
    (row,) = [line for line in said.out.splitlines() if "closed in ETHUSDT, which was not shocked, USDT" in line]
    mixed, isolated, cross = (Decimal(cell.replace(",", "")) for cell in row.split()[-3:])
    assert isolated == 0 < mixed < cross
    assert re.search(r"second +60\.0 %.*a position in ETHUSDT too", said.out)


def test_real_candles_are_a_shock(tmp_path: Path) -> None:
    files = [write(tmp_path / f"BTCUSDT-{n}.csv", generated(12)[n * 6 : n * 6 + 6]) for n in range(2)]
    asked = [part for file in files for part in ("--shock", file)]
    said = stress(*asked, "--alone", "--leverage", "100:1")
    assert re.match(r"A (fall|rise) of [\d.]+ % in BTCUSDT within 12 min liquidated \d+ of 60", said.out)
    assert "BTCUSDT from 1,001.5 USDT at 2023-11-14 22:14:00.000 UTC" in said.out
    gap = write(tmp_path / "BTCUSDT-gap.csv", [row for n, row in enumerate(generated(12)) if n != 5])
    assert "no bars from" in stress("--shock", gap, "--alone").err
    said = stress("--shock", gap, "--from", "2030-01-01T00:00", status=2)
    assert said.complaint.endswith("no candles in the time asked for; leave out --from, or name a time in the file")


def test_a_calm_market_liquidates_nobody() -> None:
    said = stress("--shock", "-0.1%", "--leverage", "2:1", "--alone")
    assert sentences(said).startswith(
        "A fall of 0.1 % in BTCUSDT within 10 min liquidated 0 of 60 accounts and closed 0.00 USDT by force, 0.0 % of "
        "the open interest."
    )
    assert "beyond the mark." not in said.out


def test_coins_and_rises_are_told_as_such() -> None:
    said = stress("--pack", "binance-coinm", "--shock", "50%", "--alone")
    assert re.match(r"A rise of 50\.0 % in BTCUSD_PERP .* closed [\d.]+ BTC by force", sentences(said))


COMPLAINTS: list[tuple[list[str], str]] = [
    (["--pack", "synthetix-v3"], "sessions do not know its skew_scale and max_funding_velocity; take another pack"),
    (["--symbol", "XYZUSDT"], "no perpetual of rule pack binance-usdm; it has BTCUSDT, ETHUSDT"),
    (["--second", "BTCUSDT"], "give another instrument that settles in USDT"),
    (["--accounts", "0"], "give 1 to 10,000,000"),
    (["--shock", "-100%"], "give per cent from -99% to 1000%, e.g. 30%"),
    (["--shock", "much%"], "give per cent from -99% to 1000%, e.g. 30%"),
    (["--shock", "-5%", "--shock", "-6%"], "--shock -5%: give one shock in per cent, or files of candles"),
    (["--shock", "none.csv"], "none.csv: No such file or directory; name a file that can be read"),
    (["--shock", "30"], "--shock 30: give per cent, e.g. -30% for a fall, or files of candles"),
    (["--shock", "-0.5"], "--shock -0.5: give per cent, e.g. -0.5% for a fall, or files of candles"),
    (["--from", "2021-05-19"], "--from goes with files of candles; leave it out, or change the other"),
    (["--shock", "none.csv", "--shape", "v"], "--shape goes with a shock in per cent"),
    (["--shock", "none.csv", "--price", "5"], "--price goes with a shock in per cent"),
    (["--second-share", "10%"], "--second-share goes with --second"),
    (["--shape", "w"], "give step, ramp, v or jumps"),
    (["--over", "10"], "give a time of at least 40000ms with its unit, ms, s, m, h or d, e.g. 10m"),
    (["--every", "0s"], "give a time of at least 1ms with its unit, ms, s, m, h or d, e.g. 10m"),
    (["--after", "soon"], "give a time with its unit, ms, s, m, h or d, e.g. 10m"),
    (["--shock", "none.csv", "--from", "noon"], "give a time (UTC) such as 2021-05-19T12:00"),
    (["--price", "1"], "give at least 1000 ticks of 0.1"),
    (["--price", "-1"], "give a number from 0 on, with at most 8 decimals"),
    (["--depth", "0"], "give an amount, or a share of the open interest, above 0"),
    (["--feedback", "101%"], "give per cent from 0% to 100%, e.g. 30%"),
    (["--fund", "-1%"], "give per cent from 0% on, e.g. 30%"),
    (["--fund", "some"], "give a number from 0 on, with at most 8 decimals"),
    (["--longs", "0.6"], "give per cent from 0% to 100%, e.g. 30%"),
    (["--leverage", "5"], "give LEVERAGE:WEIGHT, with commas, e.g. 5:30,20:50,100:20"),
    (["--leverage", "5:0"], "some weight has to be above 0"),
    (["--size", "1:2"], "give SMALLEST:LARGEST:TAIL, e.g. 1000:1000000:1.5"),
    (["--size", "2:1:1.5"], "needs 0 < SMALLEST < LARGEST and a tail exponent from 0.1 to 10"),
]


@pytest.mark.parametrize(("arguments", "complaint"), COMPLAINTS, ids=lambda part: " ".join(part) if part else "")
def test_what_makes_no_sense_is_told_in_one_line(arguments: list[str], complaint: str) -> None:
    assert complaint in stress(*arguments, status=2).complaint


def test_a_pack_that_is_not_there(tmp_path: Path) -> None:
    said = stress("--pack", tmp_path / "none.json", status=2)
    assert said.complaint == f"{tmp_path / 'none.json'}: No such file or directory"


@pytest.mark.parametrize(
    ("ns", "words"),
    [(0, "0.000 s"), (10**9, "1 s"), (90 * 10**9, "90 s"), (600 * 10**9, "10 min"), (9_000 * 10**9, "2.5 h"),
     (3 * 86_400 * 10**9, "3 d"), (5 * 10**8, "0.500 s")],
)  # fmt: skip
def test_times_are_told_in_the_unit_that_fits(ns: int, words: str) -> None:
    assert duration(ns) == words


def test_amounts_without_decimals_are_rounded() -> None:
    assert [whole(n * 10**7) for n in (4, 5, -5, 12_345_678)] == ["0", "1", "-1", "1,234,568"]


def test_stretches_lose_nothing() -> None:
    moments = [Moment(at, price=at, mark=at, liquidations=1, impact=at, fund=-at) for at in range(100)]
    for moment in moments:
        moment.volume["book"] = 2
    merged = stretches(moments, 7)
    assert len(merged) == 7
    assert sum(moment.liquidations for moment in merged) == 100
    assert sum(moment.volume["book"] for moment in merged) == 200
    assert (merged[-1].mark, merged[-1].fund, max(moment.impact for moment in merged)) == (99, -99, 99)


def test_the_worst_of_a_path_is_its_greatest_fall_or_rise() -> None:
    assert worst([Point(0, 100), Point(1, 120), Point(2, 60)]) == ("fall", 50_000_000)
    assert worst([Point(0, 100), Point(1, 90), Point(2, 180)]) == ("rise", 100_000_000)
