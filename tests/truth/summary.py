"""How many of the published cases are reproduced, by file, and why the others are not."""

from __future__ import annotations

from collections import Counter
from importlib import import_module
from pathlib import Path

from tests.truth.published import CHECKS, FOLDER, LATER, Case, cases_in


def everything() -> list[Case]:
    """Every case of every file. The tests about them are collected on the way."""
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        import_module(f"tests.truth.{path.stem}")
    return [case for path in sorted(FOLDER.glob("*.json")) for case in cases_in(path.stem)]


def reproduced() -> set[str]:
    """The cases whose figures come out."""
    found = set()
    for check, case in CHECKS:
        try:
            check(case)
        except AssertionError:
            continue
        found.add(case.id)
    return found


def reasons(cases: list[Case], done: set[str]) -> Counter[str]:
    """Why cases are not among those done, and how many."""
    missing = [case for case in cases if case.id not in done]
    return Counter(LATER.get(c.id, "disagrees" if c.is_verified else str(c.about["status"])) for c in missing)


def told() -> str:
    """The summary: N of M by file."""
    cases, done = everything(), reproduced()
    lines = []
    for file in dict.fromkeys(case.file for case in cases):
        own = [case for case in cases if case.file == file]
        why = "; ".join(f"{count} {reason}" for reason, count in reasons(own, done).items())
        lines.append(f"{file:<34} {sum(c.id in done for c in own):>4} of {len(own):>4}   {why}".rstrip())
    return "".join(f"{line}\n" for line in lines)
