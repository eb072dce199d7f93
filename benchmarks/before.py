"""The matching flow by this code and by that of an older commit, in turns: whether what was added costs anything.

The older code is a worktree of the repository, made for the measurement and removed after it; each turn is a process
of its own. Both must be given the same commands, byte for byte.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import msgspec

from benchmarks.figures import Figure

ROOT = Path(__file__).parents[1]
RATE = Path(__file__).with_name("flow_rate.py")

COMPLETE_SET = "d3e217b"
"""The last commit before the complete set of orders."""

OPERATIONS = 200_000
"""A turn is no longer than this."""

TURNS = 5
"""How often each of the two runs; the figures are medians."""


def measure(commit: str, operations: int, seed: int) -> list[Figure]:
    """The two rates and their ratio; nothing where the repository does not have the commit."""
    with older(commit) as tree:
        if tree is None:
            sys.stderr.write(f"the flow of before is not measured: there is no commit {commit} here\n")
            return []
        turns = [(rate(tree, operations, seed), rate(ROOT, operations, seed)) for _ in range(TURNS)]
    for before, after in turns:
        assert before["flow"] == after["flow"], "the two were not given the same commands"
    is_same = turns[0][0]["log"] == turns[0][1]["log"]
    before, after = (median(turn[n]["rate"] for turn in turns) for n in (0, 1))
    what = (
        f"{operations:,} operations of the matching flow, records made, not encoded; median of {TURNS} processes that "
        f"take turns with the other figure's; the two logs are {'the same byte for byte' if is_same else 'different'}"
    )
    return [
        Figure("match_core_before_commands_per_cpu_s", before, "commands/CPU s", f"commit {commit}; {what}"),
        Figure("match_core_after_commands_per_cpu_s", after, "commands/CPU s", f"this code; {what}"),
        Figure("match_core_after_to_before_ratio", after / before, "ratio", "this code / the commit", ">= 0.95"),
    ]


@contextmanager
def older(commit: str) -> Iterator[Path | None]:
    """A worktree of the commit, None where the repository has none or there is no repository."""
    with tempfile.TemporaryDirectory(prefix="ringfence-bench-") as folder:
        tree = Path(folder) / "tree"
        if not _git("worktree", "add", "--detach", str(tree), commit):
            yield None
            return
        try:
            yield tree
        finally:
            _git("worktree", "remove", "--force", str(tree))


def _git(*arguments: str) -> bool:
    try:
        done = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, check=False)
    except FileNotFoundError:
        return False
    return done.returncode == 0


def rate(tree: Path, operations: int, seed: int) -> dict[str, Any]:
    """What the flow comes to in the core of a tree."""
    command = [sys.executable, "-P", str(RATE), str(operations), str(seed)]
    environment = os.environ | {"PYTHONPATH": str(tree)}
    done = subprocess.run(command, cwd=tree, env=environment, stdout=subprocess.PIPE, check=True)
    answer: dict[str, Any] = msgspec.json.decode(done.stdout)
    return answer
