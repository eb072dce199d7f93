"""The branches of the waterfall that sessions take, by name: function, line, and the line that follows it.

Measured by coverage.py (its JSON report). Names are made of the text of the lines: they outlast changes elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from coverage import Coverage

ROOT = Path(__file__).parents[2]
MEASURED = ROOT / "exchange/core/liquidation"
FILES = [str(path) for path in sorted(MEASURED.glob("*.py"))]
"""All of them, also those that a session never enters."""


class Branches:
    """What was taken of the branches that there are; a function counts as one that is taken when it is entered."""

    def __init__(self) -> None:
        self.all: set[str] = set()
        self.taken: set[str] = set()


@contextmanager
def measured() -> Iterator[Branches]:
    """Measure what is done inside; the answer is there at the end."""
    branches = Branches()
    coverage = Coverage(data_file=None, branch=True, config_file=False, include=FILES)
    coverage.start()
    try:
        yield branches
    finally:
        coverage.stop()
    with TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        coverage.json_report(FILES, outfile=str(report))
        files = json.loads(report.read_bytes())["files"]
    for name, file in files.items():
        _read(branches, Path(name), file["functions"])


def _read(branches: Branches, file: Path, functions: dict[str, Any]) -> None:
    for function, found in functions.items():
        where = f"{file.stem}.{function}"
        if not function:
            continue
        taken = {_named(file, where, *branch) for branch in found["executed_branches"]}
        branches.all |= {where, *taken, *(_named(file, where, *branch) for branch in found["missing_branches"])}
        branches.taken |= taken | ({where} if found["executed_lines"] else set())


def _named(file: Path, where: str, start: int, end: int) -> str:
    return f"{where}: {_line(file, start)} -> {_line(file, end) if end > 0 else 'end'}"


@cache
def _lines(file: Path) -> list[str]:
    """The lines of a file; those that are there several times in a function are numbered."""
    seen: dict[str, int] = {}
    lines = []
    for line in (MEASURED / file.name).read_text().splitlines():
        text = line.strip()
        if text.startswith("def "):
            seen.clear()
        seen[text] = number = seen.get(text, 0) + 1
        lines.append(text if number == 1 else f"{text} ({number})")
    return lines


def _line(file: Path, number: int) -> str:
    return _lines(file)[number - 1]
