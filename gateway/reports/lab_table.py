"""The comparison of the laboratory for a terminal: a column a mode, and the margin ratio over time as bars."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.table import Table

from events.units import UNIT
from gateway.console import OUT, say, time_text
from gateway.reports.lab_figures import GIVEN, Words, pack_name, rate_text, remarks, remarks_on, rows
from replay.lab import AccountLab, Figures, Lab

BARS = "▁▂▃▄▅▆▇█"
COLUMNS = 72
"""How many bars a line has."""


def show(lab: Lab, accounts: list[AccountLab]) -> None:
    """Print a block for each account."""
    span = f"{time_text(lab.started)} to {time_text(lab.ended)} UTC"
    OUT.print(f"session  {span}, rules of {pack_name(lab.pack)}", markup=False)
    for line in (GIVEN, *remarks(lab)):
        say(f"         {line}", 9)
    for account in accounts:
        OUT.print()
        _show(lab, account)


def _show(lab: Lab, account: AccountLab) -> None:
    recorded = " and ".join(mode.value for mode in account.recorded)
    title = f"account {account.name}: {account.fills:,} fills, traded {recorded}"
    table = Table(title=title, title_justify="left", title_style="", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("the same fills under", no_wrap=True)
    for mode in account.figures:
        table.add_column(mode.value, justify="right", no_wrap=True)
    for name, cells in rows(lab, account):
        table.add_row(name, *cells)
    OUT.print(table)
    for line in remarks_on(lab, account):
        OUT.print(line, markup=False)
    start, end = _span(lab, account)
    words = Words(lab)
    full = full_bar(account)
    beyond = " and more" if full == UNIT else ""
    scale = f"{BARS[-1]} is {rate_text(full)}{beyond}"
    OUT.print(f"margin ratio from {words.time(start)} to {words.time(end)}; {scale}", markup=False)
    for mode, figures in account.figures.items():
        OUT.print(f"{mode.value:<9}{bars(figures, start, end, full)}".rstrip(), markup=False)


def _span(lab: Lab, account: AccountLab) -> tuple[int, int]:
    """From when to when the account was measured at all."""
    starts = [points[0].at for figures in account.figures.values() if (points := figures.ratio.points())]
    return min(starts, default=lab.started), lab.ended


def full_bar(account: AccountLab) -> int:
    """The margin ratio of the highest bar: the highest of all modes, 100 % at most."""
    highest = [figures.ratio.highest for figures in account.figures.values()]
    return min(UNIT, max((point.value for point in highest if point), default=0)) or UNIT


def bars(figures: Figures, start: int, end: int, full: int) -> str:
    """The worst margin ratio of each part of the time as a bar; nothing where no position was open."""
    return "".join(_bar(value, full) for value in figures.ratio.columns(COLUMNS, start, end))


def _bar(ratio: int | None, full: int) -> str:
    if not ratio:
        return " "
    return BARS[min(len(BARS) - 1, ratio * (len(BARS) - 1) // full)]
