"""Reports of sessions that tests tell."""

from __future__ import annotations

from events import facts as f
from events.units import SECOND
from replay.report import AccountReport, Report
from replay.report.fold import SAMPLED
from tests.scenario import Scenario, scenario
from tests.spec.words import (
    BUY,
    PERCENT,
    SELL,
    account,
    funding,
    mark,
    pack,
    place,
    proceed,
    resting,
    set_leverage,
)


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


FEES = {"maker_fee": 1 * PERCENT, "taker_fee": 2 * PERCENT}
DEAR = pack(**FEES)


def story() -> Scenario:
    """Ann buys 50 at 100 and 50 at 102, sees 110 and 90, pays funding, and sells it all at 100, resting.

    Seconds after her deposit: bought at 5, marks at 6 and 7, funding at 8, rests at 11, sold at 12 and 13.
    """
    return scenario(DEAR, clock=SECOND).given(
        set_leverage("maker", 2),
        account("ann", 5_000, leverage=5),
        resting(1, SELL, price=100, lots=50),
        resting(2, SELL, price=102, lots=50),
        resting(3, BUY, price=96, lots=500),
        place(4, BUY, price=102, lots=100, by="ann"),
        mark(110),
        mark(90),
        funding(PERCENT),
        proceed(),
        resting(5, SELL, price=102, lots=10),
        resting(6, SELL, price=100, lots=100, by="ann"),
        place(7, BUY, price=100, lots=40),
        place(8, BUY, price=100, lots=60),
    )


def at(session: Scenario, kind: type[f.Fact], which: int = 0) -> int:
    """When a fact of the kind happened."""
    return [batch.at for batch in session.batches for fact in batch.facts if isinstance(fact, kind)][which]
