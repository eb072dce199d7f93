"""`ringfence fork --rerun`: the strategies that a session notes, run again from any moment."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.command_line import ringfence
from tests.playing import capture, market
from tests.tampering import rows_of

PARAMS = ("--param", "step=0.2")
DIPPERS = ("--strategy", "examples.dip_buyer:DipBuyer", *PARAMS)
ACCOUNTS = ("--account", "ann:isolated:20:10000", "--account", "ben:cross:10:10000")


@cache
def _recorded(strategy: tuple[str, ...]) -> bytes:
    with TemporaryDirectory() as name:
        path = Path(name) / "session.db"
        ringfence("replay", capture(Path(name), market(40)), *strategy, *ACCOUNTS, "--out", path)
        return path.read_bytes()


@pytest.fixture
def session(tmp_path: Path) -> Path:
    """Two accounts, each traded by a strategy of its own."""
    path = tmp_path / "session.db"
    path.write_bytes(_recorded(DIPPERS))
    return path


@pytest.fixture
def unnoted(session: Path) -> Path:
    """The same, as one of before there were notes."""
    sql(session, "DROP TABLE notes")
    return session


def sql(path: Path, statement: str, *values: object) -> list[Any]:
    with closing(sqlite3.connect(path)) as db, db:
        return db.execute(statement, values).fetchall()


def noted(path: Path) -> dict[str, Any]:
    ((text,),) = sql(path, "SELECT text FROM notes WHERE name = 'strategies'")
    return json.loads(text)  # type: ignore[no-any-return]


def middle(session: Path) -> int:
    """The record of the order in the middle."""
    orders = [row for row in rows_of(session) if row.records[0][2]["kind"] == "place_order.1"]
    return orders[len(orders) // 2].first_seq


def forked(session: Path, *options: object, at: int = 1, out: str = "fork.db") -> dict[str, Any]:
    path = session.with_name(out)
    said = ringfence("fork", session, "--at", at, "--rerun", *options, "--out", path, "--json").json
    assert ringfence("verify", path, "--json").json["ok"]
    assert ringfence("audit", path, "--json").json["ok"]
    return said  # type: ignore[no-any-return]


def lots(path: Path, account: str) -> list[int]:
    commands = [row.records[0][2] for row in rows_of(path)]
    return [one["lots"] for one in commands if one["kind"] == "place_order.1" and one["account"] == account]


def test_a_replay_notes_who_traded_which_account(session: Path) -> None:
    notes = noted(session)
    assert list(notes) == ["ann", "ben"]
    assert len(notes["ann"].pop("source")) == 64
    assert notes["ann"] == {
        "strategy": "examples.dip_buyer:DipBuyer", "params": {"step": "0.2"}, "every": 2_000_000_000
    }  # fmt: skip
    assert sql(session, "SELECT count(*) FROM records WHERE message LIKE '%DipBuyer%'") == [(0,)]


@pytest.mark.parametrize("options", [(), ("--account", "ben"), ("--link",)])
def test_without_an_edit_it_is_the_session(session: Path, options: tuple[str, ...]) -> None:
    said = forked(session, *options, at=middle(session))
    assert said["same"] is True
    assert [one["parted"] for one in said["rerun"]] == [None] * len(said["rerun"])
    assert all(one["asked"] > 0 and not one["changed"] for one in said["rerun"])


def test_whose_edits_are_set_is_run_again_and_trades_otherwise(session: Path) -> None:
    said = forked(session, "--set", "ben:leverage:BTCUSDT=5")
    assert [one["account"] for one in said["rerun"]] == ["ben"]
    fork = session.with_name("fork.db")
    assert lots(fork, "ann") == lots(session, "ann")
    assert lots(fork, "ben") != lots(session, "ben")
    assert noted(fork) == noted(session)


def test_such_a_fork_can_be_run_again_itself(session: Path) -> None:
    forked(session, "--set", "ben:deposit:USDT=5000", "--link", at=middle(session))
    fork = session.with_name("fork.db")
    assert forked(fork, at=middle(fork), out="again.db")["same"] is True


def test_notes_go_where_the_session_goes(session: Path) -> None:
    copies = {name: session.with_name(name) for name in ("backup.db", "fork.db", "linked.db", "whole.db")}
    packed = session.with_name("packed.rfa")
    ringfence("log", "backup", session, copies["backup.db"])
    ringfence("fork", session, "--at", middle(session), "--keep", "--out", copies["fork.db"])
    ringfence("fork", session, "--at", middle(session), "--link", "--out", copies["linked.db"])
    ringfence("log", "pack", copies["linked.db"], packed)
    ringfence("log", "unpack", packed, copies["whole.db"])
    assert [noted(path) for path in copies.values()] == [noted(session)] * 4
    sql(copies["backup.db"], "DELETE FROM batches WHERE batch > 30 AND batch < 40")
    ringfence("log", "repair", copies["backup.db"], "--yes")
    assert noted(copies["backup.db"]) == noted(session)


def test_what_each_did_before_the_fork_is_told_in_a_line(session: Path) -> None:
    def lines(*options: object) -> list[str]:
        out = session.with_name("fork.db")
        out.unlink(missing_ok=True)
        said = ringfence("fork", session, "--at", middle(session), "--rerun", *options, "--out", out).out
        return [line for line in said.splitlines() if line.startswith("rerun")]

    count = sum(row.first_seq < middle(session) for row in rows_of(session) if _asked_by(row.records, "ann"))
    assert lines("--account", "ann") == [
        f"rerun    ann: examples.dip_buyer:DipBuyer asked again for its {count} commands before the fork"
    ]
    first = next(row.first_seq for row in rows_of(session) if _asked_by(row.records, "ann"))
    notes = noted(session)
    notes["ann"] |= {"source": "another", "params": {"step": "0.1"}}
    sql(session, "UPDATE notes SET text = ?", json.dumps(notes))
    assert lines("--account", "ann") == [
        "rerun    ann: examples.dip_buyer:DipBuyer, whose file has changed, asked for other things from record "
        f"{first} on: it is not, or not always, as it was then"
    ]


def _asked_by(records: list[Any], account: str) -> bool:
    command = records[0][2]
    return command.get("account") == account and command["request"].isdecimal()


def test_a_session_without_notes_is_told_its_strategy(unnoted: Path) -> None:
    said = forked(unnoted, *DIPPERS, at=middle(unnoted))
    assert said["same"] is True
    assert [one["account"] for one in said["rerun"]] == ["ann", "ben"]
    assert list(noted(unnoted.with_name("fork.db"))) == ["ann", "ben"]


def test_another_strategy_may_take_over_and_is_noted(session: Path) -> None:
    said = forked(session, "--account", "ben", "--strategy", "examples.quoter:Quoter", at=middle(session))
    assert said["same"] is False
    assert said["rerun"][0]["parted"] is not None
    notes = noted(session.with_name("fork.db"))
    assert [one["strategy"] for one in notes.values()] == ["examples.dip_buyer:DipBuyer", "examples.quoter:Quoter"]


def test_parameters_alone_are_for_the_strategies_that_are_noted_and_leave_their_others(session: Path) -> None:
    said = forked(session, "--account", "ben", "--param", "full=0.2", at=middle(session))
    assert said["same"] is False
    assert [(one["account"], one["params"]) for one in said["rerun"]] == [("ben", {"step": "0.2", "full": "0.2"})]
    notes = noted(session.with_name("fork.db"))
    assert [one["params"] for one in notes.values()] == [{"step": "0.2"}, {"step": "0.2", "full": "0.2"}]


def test_the_same_parameters_once_more_are_the_session(session: Path) -> None:
    assert forked(session, *PARAMS, at=middle(session))["same"] is True


def test_of_who_is_not_run_again_the_strategy_need_not_be_there(session: Path) -> None:
    notes = noted(session)
    notes["ann"]["strategy"] = "gone:Gone"
    sql(session, "UPDATE notes SET text = ?", json.dumps(notes))
    complaint = refused(session, "--rerun")
    assert complaint == "strategy 'gone:Gone': No module named 'gone'; write it as module:Class, importable from here"
    assert forked(session, "--account", "ben", at=middle(session))["same"] is True


def test_a_strategy_that_fails_leaves_no_fork(session: Path) -> None:
    said = refused(session, "--rerun", "--strategy", "tests.strategies:Failing")
    assert said.startswith("Failing.on_timer failed: ValueError at ")


def refused(session: Path, *options: object) -> str:
    out = session.with_name("fork.db")
    said = ringfence("fork", session, "--at", 1, *options, "--out", out, status=2).complaint
    assert not out.exists()
    return said


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ("--keep --rerun", "--keep and --rerun: commands are kept as recorded, or strategies run again; give one"),
        ("--account ann", "--account ann: is for --rerun; add that"),
        ("--strategy a:B", "--strategy a:B: is for --rerun; add that"),
        ("--param step=1", "--param step=1: is for --rerun; add that"),
        (
            "--rerun --param size=1",
            "strategy 'examples.dip_buyer:DipBuyer': no parameter 'size'; give dip, step or full",
        ),
        ("--rerun --account eve", "--account eve: there is no such account; it has ann, ben"),
        ("--rerun --set eve:deposit:USDT=1", "--set 'eve:deposit:USDT=1': no strategy trades 'eve'; it has ann, ben"),
        (
            "--rerun --strategy nowhere:Man",
            "strategy 'nowhere:Man': No module named 'nowhere'; write it as module:Class, importable from here",
        ),
    ],
)
def test_what_makes_no_sense_is_told_in_one_line(session: Path, options: str, complaint: str) -> None:
    assert refused(session, *options.split()) == complaint


def test_a_session_that_does_not_say_who_traded_it_says_so(unnoted: Path) -> None:
    for options in ((), ("--account", "ann"), ("--set", "ann:deposit:USDT=1")):
        assert refused(unnoted, "--rerun", *options) == (
            "--rerun: the session does not say which strategy traded ann; add --strategy module:Class"
        )


def test_a_session_in_which_nobody_trades_says_so(tmp_path: Path) -> None:
    path = tmp_path / "session.db"
    ringfence("replay", capture(tmp_path, market(5)), "--out", path)
    assert refused(path, "--rerun") == "--rerun: nobody trades in the session; there is no strategy to run again"


def test_a_note_that_cannot_be_read_is_told(session: Path) -> None:
    sql(session, "UPDATE notes SET text = '{'")
    assert refused(session, "--rerun").startswith("the note of the session's strategies cannot be read (")
    assert forked(session, *DIPPERS, at=middle(session))["same"] is True
