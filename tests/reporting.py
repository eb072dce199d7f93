"""Reports of sessions that tests tell."""

from __future__ import annotations

from replay.report import AccountReport, Report
from replay.report.fold import SAMPLED
from tests.scenario import Scenario


def report_of(session: Scenario, only: str | None = None, sampled: int = SAMPLED) -> Report:
    """The report of a scenario, whose money adds up after every batch."""
    report = Report(only, sampled)  # type: ignore[arg-type]
    report.state.columns = dict(session.state.columns)
    for batch in session.batches:
        report.observe(batch)
        report.check()
    report.end()
    return report


def ann_of(session: Scenario, sampled: int = SAMPLED) -> AccountReport:
    """What is reported of ann."""
    return report_of(session, sampled=sampled).accounts["ann"]  # type: ignore[index]


def nonzero(parts: object) -> dict[str, int]:
    """The parts of an account's money that are there."""
    names = type(parts).__dataclass_fields__  # type: ignore[attr-defined]
    return {name: amount for name in names if (amount := getattr(parts, name))}
