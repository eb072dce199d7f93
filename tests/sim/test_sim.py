"""A handful of made-up sessions on every run of the tests; `make sim` runs as many as one likes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sim import scripted
from tests.sim.__main__ import main
from tests.sim.census import Census
from tests.sim.many import code_of, lived
from tests.sim.scripts import SCRIPTS
from tests.sim.session import RECORDS, run

LEAST, MOST = 50, 200
ROOT = Path(__file__).parents[2]


def test_everything_that_can_happen_happens_and_everything_that_must_hold_holds() -> None:
    """The scripts, fifty sessions, and as many more as it takes for what is rare."""
    census = Census()
    for name, script in SCRIPTS.items():
        census.count(*scripted.lived(name, script))
    for seed in range(MOST):
        if seed >= LEAST and not census.missing():
            break
        census.count(*lived(seed, RECORDS))
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
    assert main(["--seeds", "2", "--records", "60", "--workers", "1"]) == 0
    out = capsys.readouterr().out
    assert "OrderAccepted" in out
    assert "not reached: " in out
    assert "layers by sessions: book 0, " in out
    assert "(at zero: book, " in " ".join(out.split())
    assert max(map(len, out.splitlines())) <= 100
    assert " records, 0 failed" in out
    assert "2 sessions by 1 process in " in out


def test_processes_share_the_sessions(capsys: pytest.CaptureFixture[str]) -> None:
    tables = []
    for workers in ("1", "2"):
        assert main(["--seeds", "41", "--records", "40", "--workers", workers]) == 0
        tables.append(capsys.readouterr().out.rpartition("41 sessions by")[0])
    assert tables[0] == tables[1]


def test_a_run_goes_on_where_it_was_interrupted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    into = str(tmp_path / "done.json")
    options = ["--seeds", "45", "--records", "40", "--workers", "1", "--into", into]
    assert main([*options, "--minutes", "0.00001"]) == 3
    assert "0 of 45 sessions" in capsys.readouterr().out
    assert main(options) == 0
    first = capsys.readouterr().out
    assert main(options) == 0
    again = capsys.readouterr().out
    assert "45 sessions by 1 process in " in first
    assert "0 sessions by 1 process in " in again
    assert first.rpartition("45 sessions by")[0] == again.rpartition("0 sessions by")[0]


def test_what_other_code_did_is_done_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    into = tmp_path / "done.json"
    options = ["--seeds", "2", "--records", "40", "--workers", "1", "--into", str(into)]
    assert main(options) == 0
    into.write_bytes(into.read_bytes().replace(code_of().encode(), b"other"))
    assert main(options) == 0
    assert "2 sessions by 1 process in " in capsys.readouterr().out.rpartition("2 sessions, ")[2]
