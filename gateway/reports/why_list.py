"""The liquidations of a session as a table."""

from __future__ import annotations

from pathlib import Path

from events import facts as f
from events.units import UNIT
from exchange.projections.explain import Liquidation
from gateway.console import OUT, aligned, time_text
from gateway.reports.why_words import Words, percent

SHOWN = 40
"""So many are listed; programs get them all."""


def show(session: Path, account: str, found: dict[int, Liquidation], words: Words) -> None:
    """Print the table, and how to ask for one."""
    count = "1 liquidation" if len(found) == 1 else f"{len(found):,} liquidations"
    OUT.print(f"{count}{f' of {account}' if account else ''} in {session}, times in UTC", markup=False)
    heads = ["no.", "account", "pool", "fell due", "equity", "MM", "ratio", "by", "outcome"]
    rows = [heads, *(_row(number, one, words) for number, one in list(found.items())[:SHOWN])]
    for line in aligned(rows, right=(0, 4, 5, 6)):
        OUT.print(line, markup=False)
    if len(found) > SHOWN:
        OUT.print(f"{len(found) - SHOWN:,} more; --account NAME or --json lists them", markup=False)
    OUT.print(f"one in full: ringfence why {session} --liquidation {next(iter(found))}", markup=False)


def _row(number: int, one: Liquidation, words: Words) -> list[str]:
    asset, started = words.pool_asset(one.pool), one.started
    figures = ["", "", ""]
    if started is not None:
        ratio = percent(started.maintenance * UNIT // started.equity) if started.equity > 0 else "over 100 %"
        figures = [words.atoms(started.equity, asset), words.atoms(started.maintenance, asset), ratio]
    outcome = one.outcome.value if one.outcome else "under way"
    due_at = time_text(one.due_at).partition(".")[0]
    return [str(number), one.account, one.pool, due_at, *figures, _cause(one), outcome]


def _cause(one: Liquidation) -> str:
    """What made the pool due, in a word."""
    kinds = {type(record.message) for record in one.chain}
    for kind, word in _CAUSES.items():
        if kind in kinds:
            return word
    return "other"


_CAUSES: dict[type, str] = {
    f.Deleveraged: "deleveraging",
    f.FundingPaid: "funding",
    f.FundingDue: "funding",
    f.InterestPaid: "interest",
    f.PositionSettled: "settlement",
    f.Traded: "trade",
    f.MarkPriceMoved: "mark",
    f.IndexPriceMoved: "index",
}
