"""A handful of made-up sessions on every run of the tests; `make sim` runs as many as one likes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sim.__main__ import main
from tests.sim.census import Census
from tests.sim.session import run

SEEDS = range(50)
ROOT = Path(__file__).parents[2]


def test_everything_that_can_happen_happens_and_everything_that_must_hold_holds() -> None:
    census = Census()
    for seed in SEEDS:
        census.add(run(seed))
    assert census.missing() == []


def test_a_seed_means_the_same_session_every_time() -> None:
    assert run(3, records=150).bodies == run(3, records=150).bodies


@pytest.mark.parametrize("hash_seed", ["1", "2"])
def test_a_seed_means_the_same_session_under_every_hash_seed(hash_seed: str) -> None:
    code = "from tests.sim.session import run; import sys; sys.stdout.buffer.write(b'\\n'.join(run(5, 150).bodies))"
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
    told = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, env=environment, cwd=ROOT)
    assert told.stdout == b"\n".join(run(5, 150).bodies)


def test_the_command_says_what_was_reached(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seeds", "2", "--records", "60"]) == 0
    out = capsys.readouterr().out
    assert "OrderAccepted" in out
    assert "2 sessions, 0 failed" in out


def test_a_session_that_fails_is_named_with_the_command_that_repeats_it(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(seed: int, records: int) -> None:
        raise AssertionError("sizes do not add up to 0")

    monkeypatch.setattr("tests.sim.__main__.run", broken)
    monkeypatch.setenv("SEED", "7")
    assert main([]) == 1
    out = capsys.readouterr().out
    assert "sizes do not add up to 0" in out
    assert "FAILED: make sim SEED=7" in out
