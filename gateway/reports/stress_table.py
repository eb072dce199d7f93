"""The report of the cascade laboratory for a terminal."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.table import Table

from events.units import SECOND
from gateway.console import COLUMNS, OUT, folded, money_text, say
from gateway.reports.stress_figures import (
    ROWS,
    WORDS,
    Report,
    contagion,
    distributions,
    headlines,
    market_lines,
    percent,
    stretches,
    totals,
    whole,
)
from gateway.reports.why_words import Words

BEARERS = {
    "fund": "the insurance fund", "adl": "ranked accounts (ADL)", "market": "MARKET, nobody else left",
    "socialised": "all winners", "open": "nobody: the fund had no more",
}  # fmt: skip


def show(report: Report) -> None:
    """Print what happened in words, what was assumed, and the tables."""
    for line in headlines(report):
        say(line)
    OUT.print()
    for name, line in zip(("market", "", ""), market_lines(report), strict=True):
        for n, part in enumerate(folded(line, width=COLUMNS - 9)):
            OUT.print(f"{'' if n else name:<9}{part}", markup=False)
    _print_crowd(report)
    _print_time(report)
    _print_layers(report)
    if len(report.outcomes) > 1:
        _print_contagion(report)
    for outcome in report.outcomes:
        refused = ", ".join(f"{count:,} {reason}" for reason, count in outcome.figures.refused.items())
        line = f"{outcome.modes.value:<9}{outcome.figures.records:,} records, head {outcome.digest}"
        say(line + (f", refused {refused}" if refused else ""), 9)


def _table(title: str, first: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column(first, no_wrap=True)
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    return table


def _print_crowd(report: Report) -> None:
    title = f"crowd    {len(report.members):,} accounts, all of them opened at the start, each drawn from"
    table = _table(title, "", "mean", "drawn")
    table.add_column("distribution", no_wrap=True)
    for name, distribution, mean, drawn in distributions(report):
        table.add_row(name, mean, drawn, distribution)
    OUT.print()
    OUT.print(table)


def _print_time(report: Report) -> None:
    moments, quote = report.main.figures.moments, report.scenario.markets[0].quote
    shown = stretches(moments, ROWS)
    places = Words(report.scenario.pack).mark_places(report.scenario.markets[0].id)
    table = _table(
        f"over time, amounts in {report.asset}", "after", "mark", "liquidations", "book", "fund", "ADL", "beyond mark",
        "fund's equity",
    )  # fmt: skip
    for moment in shown:
        after = (moment.at - moments[0].at) // SECOND
        adl = moment.volume["adl"] + moment.volume["market"]
        closed = [whole(value) for value in (moment.volume["book"], moment.volume["fund"], adl)]
        mark = f"{money_text(moment.mark, places)} {quote}"
        table.add_row(
            f"{after // 3600:02d}:{after // 60 % 60:02d}:{after % 60:02d}", mark,
            f"{moment.liquidations:,}", *closed, percent(moment.impact, places=2), whole(moment.fund),
        )  # fmt: skip
    OUT.print(table)


def _print_layers(report: Report) -> None:
    sums, deficits = totals(report.main), report.main.deficits
    table = _table(f"who took what was closed by force, {report.asset}", "", "closed", "share")
    for taker, value in sums.by.items():
        table.add_row(WORDS[taker], money_text(value, report.places), percent(value, sums.closed))
    OUT.print(table)
    total = sum(deficits.values())
    table = _table(f"who bore the deficit, {report.asset}", "", "deficit", "share")
    for layer, amount in deficits.items():
        table.add_row(BEARERS[layer], money_text(amount, report.places), percent(amount, total))
    table.add_row("all", money_text(total, report.places), percent(total, total))
    OUT.print(table)


def _print_contagion(report: Report) -> None:
    table = _table(
        "the same accounts and the same shock, in other margin modes", "",
        *(outcome.modes.value for outcome in report.outcomes),
    )  # fmt: skip
    for name, cells in contagion(report):
        table.add_row(name, *cells)
    OUT.print(table)
