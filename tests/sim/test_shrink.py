"""A session that fails is shown as the shortest list of commands that fails alike."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest

from events import facts as f
from exchange.audit import pools
from exchange.core.apply import APPLY
from exchange.core.state import State
from tests.full_batches import USUAL
from tests.sim.__main__ import main
from tests.sim.paste import specification
from tests.sim.session import run
from tests.sim.shrink import Failure, Shrunk, failure_of, shrink
from tests.sim.world import Happening, World

RUNS = 4000


def failing(how: str = "", seeds: int = 40) -> tuple[int, World]:
    """The first session under plain rules that fails with these words, as far as it came."""
    for seed in range(1, 4 * seeds, 4):
        world = World()
        try:
            run(seed, world=world)
        except Exception as error:
            if how in str(error):
                return seed, world
    pytest.fail("no session fails")


def pasted(seed: int, shrunk: Shrunk, world: World) -> Callable[[], None]:
    """The specification that is shown, run as a test would run it."""
    names: dict[str, Any] = {}
    exec(specification(seed, shrunk, world.columns), names)
    test: Callable[[], None] = names[f"test_made_up_session_{seed}"]
    return test


@pytest.fixture
def _receives_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule of `apply` broken: whoever receives funding gets an atom more."""
    honest = APPLY[f.FundingPaid]

    def generous(state: State, fact: f.FundingPaid) -> None:
        honest(state, fact)
        if fact.amount < 0:
            state.accounts[fact.account].wallets[state.contracts[fact.instrument].settle].balance += 1

    monkeypatch.setitem(APPLY, f.FundingPaid, generous)


@pytest.mark.usefixtures("_receives_too_much")
def test_a_rule_that_makes_money_out_of_nothing_is_shown_by_a_few_commands() -> None:
    seed, world = failing("does not add up")
    shrunk = shrink(world, RUNS)
    assert "does not add up" in shrunk.failure.message
    assert len(shrunk.moves) <= 14 < len(world.moves)
    with pytest.raises(AssertionError, match="does not add up"):
        pasted(seed, shrunk, world)()


def test_an_auditor_that_counts_otherwise_is_shown_by_a_few_commands(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = pools.position_margin

    def strict(books: Any, p: Any) -> Any:
        margin = honest(books, p)
        return margin._replace(maintenance=margin.maintenance + Fraction(1)) if p.lots < 0 and p.is_isolated else margin

    monkeypatch.setattr(pools, "position_margin", strict)
    seed, world = failing()
    shrunk = shrink(world, RUNS)
    assert len(shrunk.moves) <= 14 < len(world.moves)
    with pytest.raises(AssertionError):
        pasted(seed, shrunk, world)()


@pytest.mark.usefixtures("_receives_too_much")
def test_the_command_names_the_seed_and_shows_the_shortest_session(capsys: pytest.CaptureFixture[str]) -> None:
    seed, _ = failing("does not add up")
    assert main(["--seed", str(seed), "--workers", "1"]) == 1
    out = capsys.readouterr().out
    assert f"FAILED: make sim SEED={seed}" in out
    assert "does not add up" in out
    assert "world.when(" in out
    assert "1 sessions, 0 records, 1 failed" in out


def test_a_session_that_does_not_fail_is_not_shrunk() -> None:
    world = run(3, 60)
    assert failure_of(world.moves, world) is None
    with pytest.raises(AssertionError, match="does not fail"):
        shrink(world)


def test_a_session_of_moves_is_the_session_of_its_seed() -> None:
    """What is left out changes nothing else, for no move depends on dice: they are in the moves."""
    world = run(0, 300)
    again = World(dict(world.columns), world.batch_facts).given(*world.moves)
    again.finish()
    assert again.bodies == world.bodies
    assert set(Happening) & {move for move in world.moves if isinstance(move, Happening)}


def test_history_is_pasted_with_the_commands_that_need_it(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = APPLY[f.MarketAdvanced]

    def stumbling(state: State, fact: f.MarketAdvanced) -> None:
        honest(state, fact)
        assert fact.last_row < 3, "too many rows"

    monkeypatch.setitem(APPLY, f.MarketAdvanced, stumbling)
    seed, world = failing()
    shrunk = shrink(world, RUNS)
    assert "Observations(" in specification(seed, shrunk, world.columns)
    with pytest.raises(AssertionError, match="too many rows"):
        pasted(seed, shrunk, world)()


def test_a_session_that_fails_where_batches_are_full_is_shown_with_what_they_hold() -> None:
    shrunk = Shrunk([Happening.SAVE], Failure("what", "why", 1), 1, 12)
    assert "world = World(batch_facts=12)\n" in specification(3, shrunk, {})
    assert "world = World()\n" in specification(3, shrunk._replace(batch_facts=USUAL), {})
