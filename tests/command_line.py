"""The `ringfence` command as a user meets it: its exit status, and what it says on either stream."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from typer.testing import CliRunner

from gateway.cli import app

ROOT = Path(__file__).parents[1]


class Said(NamedTuple):
    """How a run ended and what it said."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one object on standard output."""
        return json.loads(self.out)

    @property
    def complaint(self) -> str:
        """The one line that a run without a result leaves behind: nothing else on either stream."""
        assert (self.out, self.err.count("\n")) == ("", 1), self
        assert self.err.startswith("ringfence: ")
        return self.err.removeprefix("ringfence: ").rstrip("\n")


def ringfence(*arguments: object, status: int | None = 0, typed: str = "") -> Said:
    """Run a verb in this process, which finds these lines on standard input.

    An exception that nobody tells the user about fails the test.
    """
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], input=typed)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    said = Said(result.exit_code, result.stdout, result.stderr)
    assert "Traceback" not in said.out + said.err
    assert status in (None, said.status), said
    return said


def ringfence_process(*arguments: object, folder: Path, **variables: str) -> Said:
    """Run a verb in a process of its own, with these variables beside those of this one."""
    return python("-m", "gateway.cli", *arguments, folder=folder, **variables)


def python(*arguments: object, folder: Path, **variables: str) -> Said:
    """Run this interpreter with the project at hand; warnings are errors there too."""
    done = subprocess.run(
        [sys.executable, "-W", "error", *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    return Said(done.returncode, done.stdout, done.stderr)
