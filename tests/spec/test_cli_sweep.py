"""`ringfence sweep`: what it prints, its object, its table, its exit status."""

from __future__ import annotations

import csv
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from gateway.commands import sweep as verb
from replay.sweep import InProcess
from tests.candles import generated, write
from tests.command_line import Said, ringfence
from tests.sweeping import PLAN, Stopped

WRONG = PLAN.replace("[params]", '[params]\nwrong = ["", "fail", "bug"]')

needs_parquet = pytest.mark.skipif(find_spec("pyarrow") is None, reason="needs the extra `columns`")


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Everything is run in this process: other tests are about processes."""
    monkeypatch.setattr(verb, "Processes", lambda _workers, _prepare: InProcess())
    monkeypatch.chdir(tmp_path)


def sweep(text: str, *more: Any, status: int = 0) -> Said:
    Path("plan.toml").write_text(text, "utf-8")
    return ringfence("sweep", "plan.toml", *more, status=status)


def table(path: str) -> list[dict[str, str]]:
    with Path(path).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_it_says_what_it_ran_shows_the_best_and_where_the_table_is() -> None:
    lines = sweep(PLAN, "--format", "csv").out.splitlines()
    assert lines[0] == "sweep    plan.toml: 4 tasks, 0 of them there already"
    assert lines[1].startswith("ran      4 in ")
    assert lines[1].endswith("; all in all 4 ok")
    assert lines[3] == "4 of 4, largest pnl first, amounts in USDT"
    head = "task mode param.size PnL fees funding drawdown worst ratio fills liquidations"
    assert " ".join(lines[5].split()) == head
    assert lines[-1] == "written  plan.sweep/results.csv"


def test_the_best_are_those_by_the_figure_asked_for() -> None:
    said = sweep(PLAN, "--format", "csv", "--by", "fees", "--best", 2)
    assert "2 of 4, smallest fees first, amounts in USDT" in said.out
    best = sweep(PLAN, "--format", "csv", "--by", "fees", "--best", 2, "--json").json["best"]
    assert [row["param.size"] for row in best] == ["0.01", "0.01"]
    assert Decimal(best[0]["fees"]) > 0


def test_the_table_has_a_row_a_task_in_the_order_of_the_plan() -> None:
    sweep(PLAN, "--format", "csv")
    rows = table("plan.sweep/results.csv")
    assert [(row["mode"], row["param.size"]) for row in rows] == [
        ("isolated", "0.01"), ("isolated", "0.5"), ("cross", "0.01"), ("cross", "0.5")
    ]  # fmt: skip
    assert {row["status"] for row in rows} == {"ok"}
    assert [row["task"] for row in rows] == [row["task"] for row in table("plan.sweep/times.csv")]
    assert not list(Path("plan.sweep").glob("*.part"))


@needs_parquet
def test_the_table_is_parquet_where_that_can_be_written() -> None:
    import pyarrow.parquet  # noqa: PLC0415 - an extra

    assert sweep(PLAN).out.endswith("written  plan.sweep/results.parquet\n")
    found = pyarrow.parquet.read_table(
        "plan.sweep/results.parquet", columns=["param.size", "equity", "pnl"]
    ).to_pylist()
    assert [row["param.size"] for row in found] == [Decimal("0.01"), Decimal("0.5")] * 2
    assert found[0]["equity"] == 10_000 + found[0]["pnl"]


@needs_parquet
def test_the_table_of_a_sweep_that_was_stopped_and_went_on_is_the_same_to_the_byte(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sweep(PLAN, "--into", "at-once")
    monkeypatch.setattr(verb, "Processes", lambda _workers, _prepare: Stopped(3))
    stopped = sweep(PLAN, status=130)
    assert "left     1: stopped; the same command goes on there" in stopped.out
    monkeypatch.setattr(verb, "Processes", lambda _workers, _prepare: InProcess())
    said = sweep(PLAN)
    assert "4 tasks, 3 of them there already" in said.out
    assert Path("plan.sweep/results.parquet").read_bytes() == Path("at-once/results.parquet").read_bytes()


def test_without_the_extra_it_is_csv_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verb, "find_spec", lambda _name: None)
    said = sweep(PLAN)
    assert said.out.endswith("written  plan.sweep/results.csv\n")
    assert said.err.startswith("ringfence: the table is written as CSV: Parquet needs the extra `columns`: in the")


def test_what_went_wrong_is_told_once_a_kind_and_makes_the_status_1() -> None:
    said = sweep(WRONG, "--format", "csv", status=1)
    assert "all in all 4 ok, 4 failed, 4 crashed" in said.out
    first, second = sorted(said.err.splitlines())
    assert first.startswith("ringfence: 4 tasks: AssertionError at ")
    assert second.startswith("ringfence: 4 tasks: Knob.on_timer failed: ValueError at ")
    rows = table("plan.sweep/results.csv")
    assert [row["pnl"] == "" for row in rows] == [row["status"] != "ok" for row in rows]


def test_of_many_errors_only_the_first_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verb, "PROBLEMS_SHOWN", 1)
    said = sweep(WRONG, "--format", "csv", status=1)
    assert said.err.endswith("ringfence: ... and 1 more; the table has them\n")


def test_it_is_told_as_an_object() -> None:
    told = sweep(WRONG, "--format", "csv", "--best", 1, "--json", status=1).json
    counts = {name: told[name] for name in ("tasks", "ran", "left", "ok", "failed", "crashed")}
    assert counts == {"tasks": 12, "ran": 12, "left": 0, "ok": 4, "failed": 4, "crashed": 4}
    assert (told["table"], told["by"], len(told["best"])) == ("plan.sweep/results.csv", "pnl", 1)


def test_markets_are_called_by_their_files() -> None:
    for bars, name in enumerate(("a.csv", "b.csv"), 3):
        write(Path(name), generated(bars))
    said = sweep('[[market]]\neach = "*.csv"\nsymbol = "BTCUSDT"\n', "--format", "csv")
    assert [line.split()[1] for line in said.out.splitlines()[7:9]] == ["a.csv", "b.csv"]
    assert [row["market"] for row in table("plan.sweep/results.csv")] == ["a.csv", "b.csv"]


def test_what_varies_is_shown_whatever_it_is() -> None:
    text = PLAN.replace("leverage = 10", 'leverage = 10\nqueue_model = ["ahead", "behind"]').replace("[1]", "[1, 2]")
    said = sweep(text, "--format", "csv", "--by", "volume", "--best", 1)
    head, row = (line.split() for line in said.out.splitlines()[5:8:2])
    assert head[:5] == ["task", "seed", "mode", "queue_model", "param.size"]
    assert head[-1] == "volume"
    assert row[3] in ("ahead", "behind")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--by", "profit"), "--by profit: there is no such figure; "),
        (("--by", "max_drwdown"), "--by max_drwdown: there is no such figure; the nearest is 'max_drawdown'"),
        (("--workers", "-1"), "--workers -1: give a number of processes, 0 for one a core"),
        (("--format", "xls"), "--format xls: give parquet or csv"),
    ],
)
def test_a_mistaken_option_is_told(arguments: tuple[str, str], complaint: str) -> None:
    assert sweep(PLAN, *arguments, status=2).complaint.startswith(complaint)


def test_a_plan_that_is_not_there_is_told() -> None:
    assert ringfence("sweep", "none.toml", status=2).complaint.startswith("none.toml: No such file or directory; check")


def test_a_mistaken_plan_is_told() -> None:
    said = sweep(PLAN.replace("leverage", "levrage"), status=2)
    assert said.complaint == "plan.toml: grid.levrage: there is no such key; the nearest is 'leverage'"
