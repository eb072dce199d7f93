"""The figures that venues and protocols published, one case at a time, and which test is about which of them.

They are read from RINGFENCE_CASES exactly as they are written, never as floats. Where the folder is missing the tests
that are about them are skipped, under CI they fail.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
FOLDER = (ROOT / os.environ.get("RINGFENCE_CASES", "../shared/cases")).resolve()

Check = Callable[["Case"], None]

CHECKS: list[tuple[Check, Case]] = []
"""Each case with the test that is about it, filled in as the tests are collected."""

SESSIONS: list[tuple[Check, Case]] = []
"""Each case that a session of the core lives through, with the test that does so."""

CONTRADICTED: list[tuple[Check, Case]] = []
"""Each case whose source contradicts itself, with the test that shows where its own formula leads."""

WHY_NOT: dict[str, str] = {}
"""Such a case -> how the source contradicts itself."""

LATER: dict[str, str] = {}
"""Case -> why nothing here is about it yet."""

CALCULATED: dict[str, str] = {}
"""Case -> why no session lives through it, or not through all of it."""


class Case(NamedTuple):
    """A published case: its file, what goes in, what has to come out, and how near."""

    file: str
    id: str
    inputs: dict[str, Any]
    expected: dict[str, Any]
    about: dict[str, Any]

    @property
    def is_verified(self) -> bool:
        """Whether the figures follow from the formula that the case states."""
        return bool(self.about["status"] == "verified")

    def number(self, name: str) -> Fraction:
        """An input, exactly."""
        return Fraction(self.inputs[name])

    def whole(self, name: str, default: int = 0) -> int:
        """An input that is a whole number."""
        number = Fraction(self.inputs.get(name, default))
        assert number.denominator == 1
        return number.numerator

    def has(self, name: str, figure: Fraction | int | None, tolerance: str = "") -> None:
        """Assert that a figure is the one published, within the tolerance that the case states."""
        assert figure is not None, f"{self.id}: no {name}, published is {self.expected[name]}"
        agrees(f"{self.id}: {name}", figure, self.expected[name], self._tolerance(name, tolerance))

    def _tolerance(self, name: str, stated: str) -> Fraction | None:
        for key in (stated, "tolerance", "tolerance_abs"):
            if key and key in self.about:
                return Fraction(self.about[key])
        if "tolerance_rel" in self.about:
            return Fraction(self.about["tolerance_rel"]) * abs(Fraction(self.expected[name]))
        return None


def agrees(what: str, figure: Fraction | int, published: Any, tolerance: Fraction | None = None) -> None:
    """Assert that a figure is the published one: as near as stated, else equal at the decimal places printed."""
    off = abs(Fraction(figure) - Fraction(published))
    if tolerance is None:
        places = -int(published.as_tuple().exponent) if isinstance(published, Decimal) else 0
        tolerance = Fraction(1, 2 * 10**places) if places > 1 else Fraction(0)
    assert off <= tolerance, f"{what} is {float(figure)}, published is {published}"


@cache
def cases_in(file: str) -> tuple[Case, ...]:
    """The cases of a file, by its name without .json."""
    text = (FOLDER / f"{file}.json").read_text("utf-8")
    cases = json.loads(text, parse_float=Decimal)["cases"]
    return tuple(Case(file, case["id"], case["inputs"], case["expected"], case) for case in cases)


def about(file: str, *, only: Callable[[Case], bool] = lambda _: True) -> Callable[[Check], Check]:
    """Run the test with each verified case of a file, or those of them that are meant."""
    return _with_cases(file, lambda case: case.is_verified and only(case), CHECKS)


def driven(file: str, *, only: Callable[[Case], bool] = lambda _: True) -> Callable[[Check], Check]:
    """As `about`, for a test that takes the case through commands and facts of a session."""
    return _with_cases(file, lambda case: case.is_verified and only(case), SESSIONS)


def contradicted(file: str, why: str, *, only: Callable[[Case], bool] = lambda _: True) -> Callable[[Check], Check]:
    """As `about`, for cases whose printed figure is not what the source's own formula comes to: `why` says how."""

    def is_meant(case: Case) -> bool:
        return not case.is_verified and only(case)

    if FOLDER.is_dir():
        WHY_NOT.update({case.id: why for case in cases_in(file) if is_meant(case)})
    return _with_cases(file, is_meant, CONTRADICTED)


def _with_cases(file: str, only: Callable[[Case], bool], checks: list[tuple[Check, Case]]) -> Callable[[Check], Check]:
    def parametrized(check: Check) -> Check:
        if not FOLDER.is_dir():
            assert not os.environ.get("CI"), f"no folder {FOLDER}: set RINGFENCE_CASES"
            missing = pytest.mark.skip(reason="no folder of published figures: set RINGFENCE_CASES")
            return _run_with(check, [pytest.param(None, id="none", marks=missing)])
        meant = [case for case in cases_in(file) if only(case)]
        checks.extend((check, case) for case in meant)
        return _run_with(check, [pytest.param(case, id=case.id) for case in meant])

    return parametrized


def _run_with(check: Check, cases: list[Any]) -> Check:
    marked: Check = pytest.mark.parametrize("case", cases)(check)
    return marked


def topic(*names: str) -> Callable[[Case], bool]:
    """Whether a case is about one of these topics."""
    return lambda case: case.about["topic"] in names


def later(file: str, reason: str, *, only: Callable[[Case], bool] = lambda _: True) -> None:
    """Say why no test is about some verified cases of a file."""
    _say(LATER, file, reason, only)


def calculated(file: str, reason: str, *, only: Callable[[Case], bool] = lambda _: True) -> None:
    """Say why some verified cases of a file are the calculator's alone."""
    _say(CALCULATED, file, reason, only)


def _say(reasons: dict[str, str], file: str, reason: str, only: Callable[[Case], bool]) -> None:
    if FOLDER.is_dir():
        reasons.update({case.id: reason for case in cases_in(file) if case.is_verified and only(case)})
