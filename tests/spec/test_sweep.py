"""A sweep: the same plan comes to the same rows, whoever runs it, in any order, and however often it is stopped."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import sqlite3
from pathlib import Path

import msgspec
import pytest

from events.store.sqlite import open_session
from events.units import decimal_text
from replay.sweep import Keep, Outcome, Place, Processes, SweepError, Task, run
from replay.sweep.ledger import Ledger
from replay.sweep.sweeping import Swept
from replay.sweep.table import columns, rows
from replay.sweep.task import Files, Generated, HistoryFile, Status
from tests.candles import generated, write
from tests.command_line import ringfence
from tests.sweeping import PLAN, Counting, Stopped, planned, swept

WRONG = PLAN.replace("[params]", '[params]\nwrong = ["", "fail"]')


def outcomes(found: Swept) -> list[Outcome]:
    return [run.outcome for _, run in found.runs]


# Tasks


def test_a_task_goes_through_json_and_stays_the_same(tmp_path: Path) -> None:
    for task in planned(tmp_path).tasks:
        again = msgspec.json.decode(msgspec.json.encode(task), type=Task)
        assert (again, again.id) == (task, task.id)


def test_a_task_is_known_by_what_it_plays_and_not_by_where_that_lies() -> None:
    one, moved, other = (
        Task(market=Files(files=(HistoryFile(path, digest),))) for path, digest in (("a", "1"), ("b", "1"), ("a", "2"))
    )
    assert one.id == moved.id
    assert one.id != other.id


def test_everything_else_that_a_task_is_given_makes_another_of_it() -> None:
    task = Task(market=Generated(seed=1))
    others = {
        "market": Generated(seed=2),
        "strategy": "a:B",
        "code": "1",
        "params": {"size": "1"},
        "rules": "1",
        "mode": "isolated",
        "leverage": 5,
        "deposit": "1",
        "insurance": "1",
        "indices": {"USDTUSD": "1"},
        "options": {"impact": "none"},
    }
    ids = {msgspec.structs.replace(task, **{name: value}).id for name, value in others.items()}
    assert len(ids | {task.id}) == len(others) + 1


# Running


def test_every_combination_is_run_once_and_comes_to_figures(tmp_path: Path) -> None:
    found = swept(planned(tmp_path))
    assert (len(found.runs), found.ran, found.left) == (4, 4, 0)
    assert {outcome.status for outcome in outcomes(found)} == {Status.OK}
    for task, done in found.runs:
        outcome = done.outcome
        assert (outcome.asset, len(outcome.head)) == ("USDT", 64)
        assert outcome.fills in (1, 2)
        assert outcome.equity == 10_000 * 10**8 + outcome.pnl
        assert outcome.max_drawdown >= outcome.fees > 0
        assert outcome.volume > 10**8 * (25_000 if task.params["size"] == "0.5" else 500)


def test_a_row_is_what_a_replay_comes_to(tmp_path: Path) -> None:
    (_, done), *_ = swept(planned(tmp_path)).runs
    ringfence("synth", tmp_path / "market", "--seed", 1, "--seconds", 3)
    told = ringfence(
        *("replay", tmp_path / "market", "--strategy", "tests.strategies:Knob", "--param", "size=0.01"),
        *("--account", "trader:isolated:10:10000", "--json"),
    ).json
    account = told["accounts"]["trader"]
    assert (told["head"], told["records"]) == (done.outcome.head, done.outcome.records)
    assert (account["pnl"], account["fees"]) == (decimal_text(done.outcome.pnl), decimal_text(done.outcome.fees))


def test_what_was_gained_in_other_assets_is_told_too(tmp_path: Path) -> None:
    text = PLAN.replace('"isolated", "cross"', '"multi"').replace("Knob", "Changer").partition("[params]")[0]
    indices = "[index]\nUSDTUSD = 1\nBTCUSD = 50000\n"
    (outcome,) = outcomes(swept(planned(tmp_path, f"{text}{indices}[[market]]\ngenerated = {{ seconds = 3 }}\n")))
    assert (outcome.asset, outcome.others, outcome.refusals) == ("USDT", "BTC=-0.00005", 0)


def test_the_order_of_runs_makes_no_difference(tmp_path: Path) -> None:
    plan = planned(tmp_path)
    forwards, backwards = swept(plan), swept(plan._replace(into=tmp_path / "other"), Counting())
    assert outcomes(forwards) == outcomes(backwards)


def test_processes_come_to_the_same_and_one_that_dies_takes_only_its_own_task_along(tmp_path: Path) -> None:
    one_mode = PLAN.replace('"isolated", ', "")
    alone = outcomes(swept(planned(tmp_path, one_mode)))
    wrong = one_mode.replace("[params]", '[params]\nwrong = ["", "exit"]').replace("0.01, ", "")
    good, bad = outcomes(swept(planned(tmp_path, wrong), Processes(2)))
    assert (good.status, bad.status) == (Status.OK, Status.CRASHED)
    assert bad.error == "the process that ran it died; it may have been short of memory"
    assert (good.head, good.pnl) == (alone[1].head, alone[1].pnl)


def test_processes_are_ended_with_what_they_are_at_where_nobody_wants_it(tmp_path: Path) -> None:
    long, short = (Task(market=Generated(seed=1, options={"seconds": seconds})) for seconds in (1_000_000, 1))
    before = multiprocessing.active_children()
    running = Processes(2).run([short, long], Place(tmp_path, tmp_path, scratch=tmp_path))
    assert next(running).outcome.id == short.id
    running.close()
    assert multiprocessing.active_children() == before


def test_what_is_there_is_not_run_again(tmp_path: Path) -> None:
    plan, again = planned(tmp_path), Counting()
    first = swept(plan)
    second = swept(plan, again)
    assert again.asked == []
    assert (second.runs, second.ran) == (first.runs, 0)


def test_a_larger_plan_runs_only_what_is_new(tmp_path: Path) -> None:
    swept(planned(tmp_path))
    more, counting = planned(tmp_path, PLAN.replace("[1]", "[1, 2]")), Counting()
    found = swept(more, counting)
    assert (found.ran, len(found.runs)) == (4, 8)
    new = [task.id for task in more.tasks if isinstance(task.market, Generated) and task.market.seed == 2]
    assert counting.asked == new


def test_a_sweep_that_was_stopped_goes_on_there_and_comes_to_the_same(tmp_path: Path) -> None:
    plan = planned(tmp_path)
    part = swept(plan, Stopped(3))
    assert (part.ran, part.left, len(part.runs)) == (3, 1, 3)
    rest = swept(plan)
    assert (rest.ran, rest.left) == (1, 0)
    assert outcomes(rest) == outcomes(swept(plan._replace(into=tmp_path / "at once")))


def test_a_strategy_that_was_changed_is_run_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = planned(tmp_path)
    changed = plan._replace(tasks=tuple(msgspec.structs.replace(task, code="0") for task in plan.tasks))
    swept(plan)
    assert swept(changed).ran == 4


# What goes wrong


def test_a_strategy_that_fails_makes_a_row_of_its_own(tmp_path: Path) -> None:
    found = outcomes(swept(planned(tmp_path, WRONG)))
    assert [outcome.status for outcome in found] == [Status.OK, Status.OK, Status.FAILED, Status.FAILED] * 2
    assert found[2].error.startswith("Knob.on_timer failed: ValueError at ")
    assert found[2].error.endswith(": no idea; mend the strategy")
    assert "\n" not in found[2].error


def test_what_failed_is_not_run_again_unless_asked(tmp_path: Path) -> None:
    plan = planned(tmp_path, WRONG)
    swept(plan)
    assert swept(plan).ran == 0
    assert swept(plan, retry=True).ran == 4


def test_a_bug_is_told_and_is_no_result(tmp_path: Path) -> None:
    plan = planned(tmp_path, WRONG.replace("fail", "bug"))
    found = outcomes(swept(plan))
    assert found[2].status is Status.CRASHED
    assert found[2].error.startswith("AssertionError at ")
    assert swept(plan).ran == 4


def test_an_account_that_cannot_be_opened_makes_a_row(tmp_path: Path) -> None:
    found = outcomes(swept(planned(tmp_path, PLAN.replace("leverage = 10", "leverage = [10, 500]"))))
    errors = [outcome.error for outcome in found if outcome.status is Status.FAILED]
    assert errors == ["account trader: BTCUSDT cannot be traded at 500x; give 1 to 125"] * 4


def test_two_sweeps_do_not_write_to_one_folder(tmp_path: Path) -> None:
    plan = planned(tmp_path)
    with Ledger(plan.into), pytest.raises(SweepError, match=r"runs\.db: another sweep writes here; wait for it"):
        swept(plan)


def test_a_folder_of_something_else_is_told(tmp_path: Path) -> None:
    plan = planned(tmp_path)
    plan.into.mkdir()
    (plan.into / "runs.db").write_text("no database, but a text that is long enough to be looked at" * 20)
    with pytest.raises(SweepError, match=r"runs\.db: is not what a sweep wrote \(file is not a database\); wait"):
        swept(plan)


# What is kept


def kept(folder: Path, keep: str, text: str = PLAN) -> tuple[Swept, list[str]]:
    plan = planned(folder, f'keep = "{keep}"\n{text}')
    return swept(plan), sorted(path.name for path in (plan.into / "sessions").glob("*"))


def test_no_session_is_kept_unless_asked(tmp_path: Path) -> None:
    assert kept(tmp_path, "none")[1] == []


def test_all_sessions_are_kept_and_are_those_of_the_rows(tmp_path: Path) -> None:
    found, names = kept(tmp_path, "all")
    assert names == sorted(f"{task.id[:16]}.db" for task, _ in found.runs)
    (task, done), *_ = found.runs
    assert asyncio.run(_head(tmp_path / "plan.sweep" / "sessions" / f"{task.id[:16]}.db")) == done.outcome.head


async def _head(path: Path) -> str:
    log = await open_session(path, read_only=True)
    try:
        return (await log.head()).digest.hex()
    finally:
        await log.close()


def test_sessions_of_the_liquidated_are_kept_if_asked(tmp_path: Path) -> None:
    crash = PLAN.replace("leverage = 10", "leverage = 100").replace('0.01, "0.5"', "0.01, 1.0").replace("= 3", "= 20")
    found, names = kept(tmp_path, "liquidated", crash)
    ruined = [task.id for task, done in found.runs if done.outcome.liquidations]
    assert 0 < len(ruined) < len(found.runs)
    assert names == sorted(f"{task[:16]}.db" for task in ruined)


def test_sessions_that_are_to_be_kept_later_are_run_again(tmp_path: Path) -> None:
    plan = planned(tmp_path)
    swept(plan)
    assert swept(plan._replace(keep=Keep.ALL)).ran == 4
    assert swept(plan._replace(keep=Keep.ALL)).ran == 0


# Markets of files


def test_a_market_of_files_is_played_from_the_folder_of_the_plan(tmp_path: Path) -> None:
    write(tmp_path / "BTCUSDT-1m.csv", generated(30))
    text = '[[market]]\nfiles = ["BTCUSDT-1m.csv"]\n[grid]\nmode = ["cross", "isolated"]\n'
    found = swept(planned(tmp_path, text))
    assert [outcome.status for outcome in outcomes(found)] == [Status.OK] * 2
    assert outcomes(found)[0].last_at > outcomes(found)[0].first_at > 0


def test_a_file_that_cannot_be_read_makes_a_row(tmp_path: Path) -> None:
    (tmp_path / "odd.csv").write_text("what is this\n")
    (outcome,) = outcomes(swept(planned(tmp_path, '[[market]]\nfiles = ["odd.csv"]\n')))
    assert outcome.status is Status.FAILED
    assert outcome.error.startswith("odd.csv: ")


# The table


def test_a_row_says_what_was_given_and_what_it_came_to(tmp_path: Path) -> None:
    plan = planned(tmp_path)
    found = swept(plan)
    names = columns(plan.tasks)
    first = dict(zip(names, rows(found.runs, names)[0], strict=True))
    (_, done), *_ = found.runs
    assert (first["mode"], first["leverage"], first["seed"], first["param.size"]) == ("isolated", 10, 1, 10**6)
    assert (first["market"], first["status"], first["error"]) == ("generated seconds=3", "ok", None)
    assert (first["pnl"], first["head"]) == (done.outcome.pnl, done.outcome.head)


def test_a_parameter_is_text_where_one_of_its_values_is(tmp_path: Path) -> None:
    plan = planned(tmp_path, WRONG)
    names = columns(plan.tasks)
    assert (names["param.size"].value, names["param.wrong"].value) == ("decimal", "text")
    last = dict(zip(names, rows(swept(plan).runs, names)[-1], strict=True))
    assert (last["status"], last["pnl"], last["param.wrong"]) == ("failed", None, "fail")


def test_the_ledger_is_a_table_that_any_tool_reads(tmp_path: Path) -> None:
    plan = planned(tmp_path)
    swept(plan)
    with sqlite3.connect(plan.into / "runs.db") as database:
        found = dict(database.execute("select task, done from runs"))
    database.close()
    assert set(found) == {task.id for task in plan.tasks}
    assert json.loads(found[plan.tasks[0].id])["outcome"]["status"] == "ok"


def test_run_is_all_that_an_engine_has_to_call(tmp_path: Path) -> None:
    task = msgspec.json.decode(b'{"market": {"type": "generated", "seed": 1, "options": {"seconds": 5}}}', type=Task)
    done = run(task, Place(tmp_path, tmp_path / "sessions"))
    assert (done.outcome.id, done.outcome.status) == (task.id, Status.OK)
    assert done.cpu_seconds > 0
