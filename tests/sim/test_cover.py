"""The gate asks for every refusal, layer and branch of the waterfall, and names what is not reached."""

from __future__ import annotations

from pathlib import Path

import pytest

from events import facts as f
from exchange.core.apply import APPLY
from exchange.core.state import State
from tests.sim import cover
from tests.sim.__main__ import main
from tests.sim.branches import ROOT, measured
from tests.sim.census import ROWS
from tests.sim.cover import Cover, chosen, reached_by, search, unreachable
from tests.sim.scripts import TURNS
from tests.sim.session import run


@pytest.fixture(autouse=True)
def short_sessions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Made-up sessions alone, and short ones."""
    monkeypatch.setattr(cover, "LENGTH", 400)
    monkeypatch.setattr(cover, "SCRIPTS", {})


def test_what_there_is_to_reach_follows_from_the_enums() -> None:
    assert "insufficient_margin" in ROWS["Reason"]
    assert "LiquidationStarted" in ROWS["facts"]
    assert {"fund", "adl", "socialised"} <= {*ROWS["Layer"]} <= {*ROWS["Layer"], *ROWS["layers"]}


def test_branches_are_named_by_their_lines() -> None:
    with measured() as branches:
        run(2, 150)
    assert "watch.drain" in branches.taken
    assert branches.taken < branches.all
    assert "adl.quantile" in branches.all - branches.taken
    functions = {name.partition(":")[0] for name in branches.all}
    assert {name.partition(".")[0] for name in functions} <= {
        path.stem for path in (ROOT / "exchange/core/liquidation").glob("*.py")
    }


def test_what_is_not_reached_is_missing() -> None:
    one, found = reached_by(2, 150), Cover()
    found.add(one)
    assert "facts LossShared" in found.missing
    assert not {*found.missing} & one.goals
    assert not any(unreachable(goal) for goal in found.missing)
    assert {*found.missing} | one.goals >= {*found.goals}
    assert "commands OpenSession" not in found.missing


def test_the_set_that_is_found_reaches_twice_what_can_be_reached_twice() -> None:
    everything, picked = search(range(3), workers=1)
    assert {*picked} <= {0, 1, 2}
    for goal, sessions in everything.sessions.items():
        if not unreachable(goal):
            assert sum(goal in goals for goals in picked.values()) == min(2, sessions), goal


def test_the_recorded_set_names_seeds_and_what_each_is_for() -> None:
    assert chosen()
    assert all(goals for goals in chosen().values())


def test_the_gate_names_what_is_missing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A set of one seed that reaches nearly nothing, and nobody looks further."""
    (tmp_path / "cover.json").write_text('{"3": ["commands OpenSession"]}')
    monkeypatch.setattr(cover, "SET", tmp_path / "cover.json")
    monkeypatch.setattr(cover, "FURTHER", 0)
    assert main(["--gate", "--workers", "1"]) == 1
    out = capsys.readouterr().out
    assert "NOT REACHED: facts LossShared" in out
    assert "NOT REACHED: waterfall." in out
    assert "look for seeds: python -m tests.sim --cover" in out
    assert "unreachable: adl.quantile, a read model" in out
    assert "layers by sessions: book " in out
    assert max(map(len, out.splitlines())) <= 100


def test_what_scripts_alone_reach_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cover, "SCRIPTS", {"loss shared": TURNS["loss shared"]})
    told, made_up = cover.after_scripts(workers=1), reached_by(2, 150)
    assert (told.scripts, told.made_up) == (1, 0)
    assert {*told.told} == {*told.goals} - {*told.missing}
    told.add(made_up)
    assert (told.scripts, told.made_up) == (1, 1)
    assert "facts LossShared" in told.told
    assert not {*told.told} & made_up.goals
    assert {*told.goals} >= {*told.missing} | {*told.told}


def test_the_gate_looks_further_where_the_set_does_not_reach_everything(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "cover.json").write_text('{"3": ["commands OpenSession"]}')
    monkeypatch.setattr(cover, "SET", tmp_path / "cover.json")
    monkeypatch.setattr(cover, "FURTHER", 5)
    assert cover.gate(workers=1).census.sessions == 6


def test_a_set_that_is_found_is_written_down(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(cover, "SET", tmp_path / "cover.json")
    assert main(["--cover", "--seeds", "2", "--workers", "1"]) == 1
    assert "goals reached by 0 scripts and 2 made-up sessions" in capsys.readouterr().out
    assert {*chosen()} <= {0, 1}


def test_a_session_of_the_set_that_fails_is_shown_as_the_shortest_one(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    honest = APPLY[f.Deposited]

    def careless(state: State, fact: f.Deposited) -> None:
        honest(state, fact)
        assert state.seq < 60, "too many deposits"

    monkeypatch.setitem(APPLY, f.Deposited, careless)
    (tmp_path / "cover.json").write_text('{"1": ["commands OpenSession"]}')
    monkeypatch.setattr(cover, "SET", tmp_path / "cover.json")
    assert main(["--gate", "--workers", "1"]) == 1
    out = capsys.readouterr().out
    assert "FAILED: python -m tests.sim 1 --records " in out
    assert "too many deposits" in out
    assert "    world.when(\n" in out
