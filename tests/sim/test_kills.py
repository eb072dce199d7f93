"""A writer that is killed in a real process, a few times; `python -m tests.sim.kills` does it two hundred times."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.sim.kills import Client, check, kills


def test_what_was_acknowledged_survives_every_kill_and_happened_once(tmp_path: Path) -> None:
    tally = kills(tmp_path, count=4, seed=7)
    assert tally.kills == 4
    assert tally.acknowledged > 20
    assert tally.batches >= tally.acknowledged


def test_an_acknowledgement_that_the_log_does_not_bear_out_is_found(tmp_path: Path) -> None:
    kills(tmp_path, count=1, seed=1)
    with pytest.raises(AssertionError, match="client 0: request 999999 is lost"):
        asyncio.run(check(tmp_path / "session.db", [Client({999999}, {999999: 1})]))


def test_a_client_asks_again_for_what_it_never_heard_of() -> None:
    assert Client().next() == [0]
    assert Client({0, 1, 2, 3}, {0: 5, 2: 9}).next() == [1, 3, 4]
