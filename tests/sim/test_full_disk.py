"""A running session on a disk that fills up; `python -m tests.sim.full_disk` says what happens."""

from __future__ import annotations

import subprocess
import sys

from tests.sim.full_disk import FULL, MEGABYTES, ROOT, on_a_limit


def test_a_session_refuses_while_the_disk_is_full_answers_reads_and_goes_on_once_there_is_room() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.sim.full_disk"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    said = done.stdout.splitlines()[-1]
    assert said.startswith((f"tmpfs of {MEGABYTES} MiB: ", "SQLite's max_page_count, as nothing can be mounted here: "))
    assert f"3 refused ({FULL}), all read meanwhile, 5 more once there was room" in said


def test_it_does_so_where_sqlite_is_told_to_stop() -> None:
    assert "3 refused" in on_a_limit()
