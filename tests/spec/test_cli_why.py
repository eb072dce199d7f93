"""`ringfence why`: each liquidation with what made it due, its steps, and what was left."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.command_line import ringfence
from tests.playing import capture, market
from tests.tampering import recorded, rows_of


@pytest.fixture
def session(tmp_path: Path) -> Path:
    return recorded(tmp_path)


def test_the_object_walks_from_the_command_over_the_mark_to_the_end(session: Path) -> None:
    said = ringfence("why", session, "--account", "ann", "--json")
    assert said.err == ""
    (liquidation,) = said.json
    assert set(liquidation) == {"account", "pool", "due_at", "ended_at", "marks", "chain", "steps"}
    assert (liquidation["account"], liquidation["pool"]) == ("ann", "BTCUSDT")
    kinds = [record["kind"] for record in liquidation["chain"]]
    assert kinds == ["advance_market.1", "mark_price_moved.1", "liquidation_due.1"]
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


def test_the_text_tells_each_step_with_its_record_and_its_figures(session: Path) -> None:
    (liquidation,) = ringfence("why", session, "--json").json
    head, due, *steps, _ = ringfence("why", session).out.splitlines()
    assert head == "liquidation 1: account ann, isolated BTCUSDT"
    assert re.fullmatch(r"  due at 2024-03-05 16:00:\d\d\.\d{3} UTC", due)
    numbers = [int(step.split()[0]) for step in steps]
    assert set(numbers) <= {record["seq"] for record in [*liquidation["chain"], *liquidation["steps"]]}
    for words in (
        "the mark of BTCUSDT moved to",
        "equity fell to the maintenance margin",
        "liquidation starts: equity",
        "liquidation ended: everything closed, 0.00 left in the pool",
    ):
        assert sum(words in step for step in steps) == 1, words
    for words in ("forced sell", "the insurance fund took over"):  # once for each step down the brackets
        assert any(words in step for step in steps), words


def test_an_account_that_was_never_liquidated_is_said_to_be_so(tmp_path: Path) -> None:
    session = tmp_path / "calm.db"
    source = capture(tmp_path, market(20, crash=False))
    ringfence("replay", source, "--account", "ann:cross:2:1000", "--out", session)
    assert ringfence("why", session, "--account", "ann").out == f"no liquidation of ann in {session}\n"
    assert ringfence("why", session).out == f"no liquidation in {session}\n"
    assert ringfence("why", session, "--json").json == []


def test_an_account_that_the_session_does_not_have_is_an_error_that_names_those_it_has(session: Path) -> None:
    said = ringfence("why", session, "--account", "eve", status=2)
    assert said.complaint == f"{session}: no account 'eve'; it has ann"
    assert ringfence("why", session, "--account", "eve", "--json", status=2).complaint == said.complaint


def test_a_session_without_accounts_says_that_it_has_none(tmp_path: Path) -> None:
    session = tmp_path / "bare.db"
    ringfence("replay", capture(tmp_path), "--out", session)
    said = ringfence("why", session, "--account", "ann", status=2)
    assert said.complaint == f"{session}: no account 'ann'; it has none"
