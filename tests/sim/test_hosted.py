"""Sessions through the sequencer and a log that fails: what was acknowledged survives, and a fault is noticed."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from exchange.committer import Committer
from exchange.core.state import State
from tests.sim.hosted import HOSTING, host_again
from tests.sim.session import run
from tests.sim.world import World, outcomes_of

SEEDS = range(6)


@pytest.fixture(scope="module")
def worlds() -> list[World]:
    return [run(seed, 250) for seed in SEEDS]


def test_what_was_acknowledged_survives_every_fault(worlds: list[World]) -> None:
    events: Counter[tuple[str, str]] = Counter()
    for seed in SEEDS:
        events += host_again(worlds[seed], seed)
    assert {name for _, name in events} == {*HOSTING}


def test_a_seed_means_the_same_faults_every_time(worlds: list[World]) -> None:
    assert host_again(worlds[0], 0) == host_again(worlds[0], 0)


def test_an_answer_before_the_disk_has_it_is_noticed(worlds: list[World], monkeypatch: pytest.MonkeyPatch) -> None:
    def early(_committer: Committer, answer: Any, acknowledgement: Any) -> None:
        answer.set_result(acknowledgement)

    monkeypatch.setattr(Committer, "answer_when_durable", early)
    assert faults(worlds)


def test_an_outcome_that_is_forgotten_is_noticed(worlds: list[World], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever sends a request again after a failure has it decided twice."""

    def forgetting(*_: Any) -> None:
        pass

    monkeypatch.setattr("exchange.core.step._remember", forgetting)
    assert faults(worlds)


def test_a_state_that_is_not_that_of_the_log_is_noticed(worlds: list[World], monkeypatch: pytest.MonkeyPatch) -> None:
    rebuild = __import__("exchange.rebuild", fromlist=["rebuild"]).rebuild

    async def careless(*args: Any) -> Any:
        rebuilt = await rebuild(*args)
        change(rebuilt.state)
        return rebuilt

    def change(state: State) -> None:
        for account in state.accounts.values():
            account.last_number += 1

    monkeypatch.setattr("exchange.sequencer.rebuild", careless)
    assert faults(worlds)


def faults(worlds: list[World]) -> list[str]:
    """What went wrong in the sessions, if anything did."""
    found = []
    for seed in SEEDS:
        try:
            host_again(worlds[seed], seed)
        except Exception as error:
            found.append(repr(error))
    return found


def test_outcomes_are_kept_by_account(worlds: list[World]) -> None:
    assert all(outcomes_of(world.state)["ANA"] for world in worlds)


def test_no_file_is_left_behind(worlds: list[World], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for seed in SEEDS:
        host_again(worlds[seed], seed)
    assert list(tmp_path.iterdir()) == []
