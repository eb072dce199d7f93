"""`ringfence demo`: a crash, two accounts that live through it or do not, an explanation and a verified file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.command_line import Said, ringfence
from tests.tampering import recorded

SHORT = ("--seconds", 60)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def head_of(said: Said) -> str:
    """The head that the demo printed, after the replay and after the verification."""
    (head,) = set(re.findall(r"^head +([0-9a-f]{64})$", said.out, re.MULTILINE))
    return str(head)


@pytest.mark.slow
def test_the_demo_shows_liquidations_explains_them_and_verifies(folder: Path) -> None:
    said = ringfence("demo")
    assert said.err == ""
    assert [file.name for file in folder.iterdir()] == ["demo.db"]
    session = ringfence("verify", "demo.db", "--json").json
    assert session["ok"] is True
    assert session["head"] == head_of(said)
    assert session["liquidations"] >= 1
    rows = {line.split()[0]: line.split() for line in said.out.splitlines() if re.match(r" (iso|cross) ", line)}
    assert sum(int(row[-1]) for row in rows.values()) == session["liquidations"]
    assert {name: row[1] for name, row in rows.items()} == {"iso": "isolated", "cross": "cross"}
    assert f"\n{session['liquidations']} liquidations in demo.db, times in UTC\n" in said.out
    assert ringfence("why", "demo.db").out in said.out


def test_the_table_has_the_columns_of_the_promise() -> None:
    said = ringfence("demo", *SHORT)
    title, *_ = (line for line in said.out.splitlines() if line.startswith(" account "))
    for column in ("fills", "fees", "funding", "PnL", "margin ratio", "liquidations"):
        assert column in title


def test_a_second_demo_replaces_the_first_one_and_is_the_same(folder: Path) -> None:
    first, second = (head_of(ringfence("demo", *SHORT)) for _ in range(2))
    assert first == second
    assert head_of(ringfence("demo", *SHORT, "--seed", 3)) not in (first, "")
    assert [file.name for file in folder.iterdir()] == ["demo.db"]


def test_it_is_written_where_it_is_told_to(folder: Path) -> None:
    ringfence("demo", *SHORT, "--out", "other.db")
    assert [file.name for file in folder.iterdir()] == ["other.db"]


def test_a_session_is_replaced_and_nothing_else_is(folder: Path) -> None:
    session = recorded(folder)
    ringfence("demo", *SHORT, "--out", session)
    (folder / "notes.txt").write_text("precious")
    (folder / "things").mkdir()
    for name in ("notes.txt", "things"):
        said = ringfence("demo", *SHORT, "--out", name, status=2)
        assert said.complaint == f"--out {name}: is there already and is no session; choose another name"
    assert (folder / "notes.txt").read_text() == "precious"


def test_a_market_that_is_too_short_for_a_crash_is_refused(folder: Path) -> None:
    said = ringfence("demo", "--seconds", 59, status=2)
    assert said.complaint == "--seconds 59: give at least 60, a crash needs room"
    assert list(folder.iterdir()) == []


def test_a_folder_that_does_not_exist_is_told(folder: Path) -> None:
    said = ringfence("demo", *SHORT, "--out", "nowhere/demo.db", status=2)
    assert said.err == "ringfence: nowhere/demo.db: No such file or directory; check the path, and the rights to it\n"
