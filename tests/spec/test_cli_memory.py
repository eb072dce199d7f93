"""Memory does not grow with the length of a source."""

from __future__ import annotations

from pathlib import Path

import pytest

from replay.synth import write_session
from tests.command_line import python
from tests.tampering import ACCOUNTS

MEASURED = """
import resource, sys
from gateway.cli import app
try:
    app(sys.argv[1:])
except SystemExit as ended:
    assert not ended.code, ended.code
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def peak(folder: Path, *arguments: object) -> int:
    """The greatest memory of a process that replays with these arguments."""
    said = python("-c", MEASURED, "replay", *arguments, "--json", folder=folder)
    assert (said.status, said.err) == (0, "")
    return int(said.out.splitlines()[-1])


@pytest.mark.slow
def test_a_source_ten_times_as_long_needs_no_more_memory(tmp_path: Path) -> None:
    for name, seconds in (("short", 90), ("long", 900)):
        write_session(tmp_path / name, seed=7, seconds=seconds)
    for accounts in ((), ACCOUNTS):
        short, long = (peak(tmp_path, name, *accounts) for name in ("short", "long"))
        assert long <= 1.1 * short, f"{short:,} and then {long:,} KiB"
