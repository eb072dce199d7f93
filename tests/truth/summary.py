"""How many of the published cases are reproduced, by file, and why the others are not; how many also by a session."""

from __future__ import annotations

from collections import Counter
from importlib import import_module
from pathlib import Path

from tests.truth.published import CALCULATED, CHECKS, FOLDER, LATER, SESSIONS, WHY_NOT, Case, Check, cases_in


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


def reason(case: Case) -> str:
    """Why a case is not among those reproduced."""
    if case.is_verified:
        return LATER.get(case.id, "disagrees")
    said = WHY_NOT.get(case.id) or case.about.get("why") or case.about.get("note", "no reason given")
    return f"the source contradicts itself ({case.about['status']}): {said}"


def reasons(cases: list[Case], done: set[str]) -> Counter[str]:
    """Why cases are not among those done, and how many."""
    return Counter(reason(case) for case in cases if case.id not in done)


def row(file: str, own: list[Case], done: set[str], lived: set[str]) -> list[str]:
    """What there is to say of a file: N of M, how many in sessions, and a line for each reason why not."""
    reproduced = {case.id for case in own} & done
    lines = [f"{file:<34} {len(reproduced):>4} of {len(own):>4}, {len(reproduced & lived):>4} in sessions"]
    lines += [f"{'':<34} {count:>4} not: {why}" for why, count in reasons(own, done).items()]
    alone = Counter(CALCULATED.get(name, "disagrees in a session") for name in sorted(reproduced - lived))
    return lines + [f"{'':<34} {count:>4} by the calculator alone: {why}" for why, count in alone.items()]


def told() -> str:
    """The summary: N of M by file and in all, how many of them through a session as well, and why the others not."""
    cases, done = everything(), passing(CHECKS)
    lived = passing(SESSIONS) - CALCULATED.keys()
    files = list(dict.fromkeys(case.file for case in cases))
    lines = [line for file in files for line in row(file, [c for c in cases if c.file == file], done, lived)]
    every = {case.id for case in cases}
    lines.append(f"{'all':<34} {len(every & done):>4} of {len(every):>4}, {len(every & done & lived):>4} in sessions")
    return "".join(f"{line}\n" for line in lines)
