"""How many of the published cases are reproduced, by file, and why the others are not; how many also by a session."""

from __future__ import annotations

from collections import Counter
from importlib import import_module
from pathlib import Path

from tests.truth.published import CALCULATED, CHECKS, FOLDER, LATER, SESSIONS, Case, Check, cases_in


def everything() -> list[Case]:
    """Every case of every file. The tests about them are collected on the way."""
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        import_module(f"tests.truth.{path.stem}")
    return [case for path in sorted(FOLDER.glob("*.json")) for case in cases_in(path.stem)]


def passing(checks: list[tuple[Check, Case]]) -> set[str]:
    """The cases whose figures come out in all tests that are about them."""
    failed = set()
    for check, case in checks:
        try:
            check(case)
        except AssertionError:
            failed.add(case.id)
    return {case.id for _, case in checks} - failed


def reasons(cases: list[Case], done: set[str]) -> Counter[str]:
    """Why cases are not among those done, and how many."""
    missing = [case for case in cases if case.id not in done]
    return Counter(LATER.get(c.id, "disagrees" if c.is_verified else str(c.about["status"])) for c in missing)


def told() -> str:
    """The summary: N of M by file, and how many of them went through a session of the core as well."""
    cases, done = everything(), passing(CHECKS)
    lived = passing(SESSIONS) - CALCULATED.keys()
    lines = []
    for file in dict.fromkeys(case.file for case in cases):
        own = [case for case in cases if case.file == file]
        reproduced = {case.id for case in own} & done
        why = [f"{count} {reason}" for reason, count in reasons(own, done).items()]
        alone = Counter(CALCULATED.get(name, "disagrees in a session") for name in sorted(reproduced - lived))
        why += [f"{count} by the calculator alone: {reason}" for reason, count in alone.items()]
        counts = f"{len(reproduced):>4} of {len(own):>4}, {len(reproduced & lived):>4} in sessions"
        lines.append(f"{file:<34} {counts}   {'; '.join(why)}".rstrip())
    return "".join(f"{line}\n" for line in lines)
