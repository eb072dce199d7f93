"""The command as a process: results on standard output, everything else on standard error, and a status that counts."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command_line import ROOT, Said, ringfence_process
from tests.playing import capture, market
from tests.tampering import ACCOUNTS, Row, forged, recorded


def run(*arguments: object, folder: Path, **variables: str) -> Said:
    said = ringfence_process(*arguments, folder=folder, **variables)
    assert "Traceback" not in said.out + said.err
    return said


def test_a_result_is_all_that_standard_output_gets(tmp_path: Path) -> None:
    capture(tmp_path, [market()[0], "nonsense\n", *market()[1:]])
    said = run("replay", "market", *ACCOUNTS, "--json", folder=tmp_path)
    assert said.status == 0
    assert said.json["skipped"]["malformed_line"] == 1
    assert said.err == "ringfence: market:2: does not start with a capture time and a space; remove the line\n"


def test_on_a_terminal_progress_with_rate_and_session_time_goes_to_standard_error(tmp_path: Path) -> None:
    capture(tmp_path)
    here, there = pty.openpty()
    command = [sys.executable, "-m", "gateway.cli", "replay", "market", "--json"]
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "120"}
    with subprocess.Popen(command, cwd=tmp_path, env=variables, stdout=subprocess.PIPE, stderr=there) as process:
        os.close(there)
        shown = b""
        while part := _read(here):
            shown += part
        out, _ = process.communicate()
    os.close(here)
    assert json.loads(out)["trades"] > 0
    assert b"replay" in shown
    assert b"obs/s" in shown
    assert b"2024-03-05 16:" in shown


def _read(terminal: int) -> bytes:
    """What the terminal was given; nothing once the other side has closed it."""
    try:
        return os.read(terminal, 1 << 16)
    except OSError:
        return b""


def test_the_status_of_a_verification_says_how_it_ended(tmp_path: Path) -> None:
    def wrong(rows: list[Row]) -> None:
        row = next(row for row in rows if "traded.1" in row.body)
        row.body = row.body.replace('"value":', '"value":1')

    def of_other_rules(rows: list[Row]) -> None:
        rows[0].body = rows[0].body.replace('"rules_version":1', '"rules_version":9')

    session = recorded(tmp_path)
    assert run("verify", session, folder=tmp_path).status == 0
    assert run("verify", forged(session, wrong), folder=tmp_path).status == 1
    assert run("verify", "nowhere.db", folder=tmp_path).status == 2
    assert run("verify", forged(session, of_other_rules), folder=tmp_path).status == 3


@pytest.mark.parametrize("arguments", [("log",), ("log", "--json"), ("why",), ("verify", "--json")])
def test_a_reader_who_has_seen_enough_ends_the_command_quietly(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    there, here = os.pipe()
    os.close(there)
    verb, *form = arguments
    command = [sys.executable, "-m", "gateway.cli", verb, str(recorded(tmp_path)), *form]
    variables = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=variables, stdout=here, stderr=subprocess.PIPE, check=False)
    os.close(here)
    assert done.stderr == b""
    assert done.returncode != 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_under_standard_output_is_told_in_one_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "gateway.cli", "log", str(recorded(tmp_path))]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            command,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr.splitlines()[0] == (
        "ringfence: No space left on device; check the path, the rights to it and the room on the disk"
    )


def test_ctrl_c_ends_a_replay_in_one_line_and_keeps_what_was_stored(tmp_path: Path) -> None:
    capture(tmp_path)
    arguments = ("--strategy", "tests.strategies:Interrupted", "--account", "ann:cross:5:1000", "--out", "kept.db")
    said = run("replay", "market", *arguments, folder=tmp_path)
    assert said.status == 130
    what = "stopped by the user; a session that was being written holds everything up to its last commit"
    assert (said.out, said.err) == ("", f"ringfence: {what}\n")
    assert run("verify", "kept.db", "--json", folder=tmp_path).json["ok"] is True


def test_a_full_disk_under_the_session_is_told_and_what_was_stored_can_be_verified(tmp_path: Path) -> None:
    capture(tmp_path, market(60))
    arguments = ("--strategy", "tests.strategies:DiskFull", "--account", "ann:cross:5:1000", "--out", "kept.db")
    said = run("replay", "market", *arguments, folder=tmp_path)
    assert said.status == 2
    assert said.out == ""
    assert said.err.splitlines()[-1].startswith("ringfence: the log could not be written (kept.db")
    assert run("verify", "kept.db", "--json", folder=tmp_path).json["ok"] is True


def test_one_head_under_any_order_of_hashes(tmp_path: Path) -> None:
    capture(tmp_path)
    heads = [
        run("replay", "market", *ACCOUNTS, "--json", folder=tmp_path, PYTHONHASHSEED=seed).json["head"]
        for seed in ("0", "1", "random")
    ]
    assert len(set(heads)) == 1
