"""Nothing that was published is passed over in silence."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.command_line import ROOT, python
from tests.truth.published import CALCULATED, CHECKS, LATER, SESSIONS, cases_in
from tests.truth.summary import everything, told


def test_every_case_is_reproduced_or_says_why_not(cases: Path) -> None:
    assert cases.is_dir()
    meant = {case.id for case in everything() if case.is_verified}
    checked = {case.id for _, case in CHECKS}
    assert checked & LATER.keys() == set()
    assert meant - checked - LATER.keys() == set()


def test_every_reproduced_case_goes_through_a_session_or_says_why_not(cases: Path) -> None:
    assert cases.is_dir()
    everything()
    checked, lived = {case.id for _, case in CHECKS}, {case.id for _, case in SESSIONS}
    assert lived - checked == set()
    assert checked - lived - CALCULATED.keys() == set()


def test_the_summary_counts_them_by_file_and_the_page_on_fidelity_has_its_counts(cases: Path) -> None:
    """Of each file with its figures: N of M, and how many in sessions."""
    assert cases.is_dir()
    text = told()
    print(text)  # noqa: T201
    assert "disagrees" not in text
    assert "no reason given" not in text
    for file in ("binance_usdm_liquidation_price", "hyperliquid_liquidation_price"):
        count = len(cases_in(file))
        assert f"{file:<34} {count:>4} of {count:>4}, {count:>4} in sessions\n" in text
    is_the_page_of(text)


def is_the_page_of(text: str) -> None:
    rows = re.findall(r"^(\w+) +(\d+) of +(\d+), +(\d+) in sessions$", text, re.MULTILINE)
    page = (ROOT / "docs" / "fidelity.md").read_text("utf-8")
    _, done, of, lived = rows[-1]
    if f"of {of} cases" not in page:
        pytest.skip("other figures than those that the page was written from")
    assert f"{done} of {of} cases, {lived} of them" in page
    for file, done, of, lived in rows[:-1]:
        row = next(line for line in page.splitlines() if f"`{file}`" in line)
        assert f"{done} of {of}" in row
        assert f"| {lived} |" in row


def test_without_the_figures_it_says_where_they_belong(tmp_path: Path) -> None:
    said = python("-m", "tests.truth", folder=ROOT, RINGFENCE_CASES=str(tmp_path / "none"))
    assert (said.status, said.out) == (2, "")
    assert said.err.count("\n") == 1
    assert "set RINGFENCE_CASES" in said.err
