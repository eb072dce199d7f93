"""What people look at: tables, progress, times and amounts as text. Progress and complaints go to standard error."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from textwrap import wrap
from time import monotonic
from typing import Any

import msgspec
import structlog
from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeElapsedColumn
from rich.text import Text

from events.units import SECOND, decimal_text

WIDTH = None if sys.stdout.isatty() else 120
"""Text that goes into a file or a pipe has a fixed width."""

COLUMNS = 100
"""Reports are no wider than so many letters, where a table of figures does not need more."""

RATIO_SHOWN = 10
"""A margin ratio from so many times the equity on is only said to be so."""

NARROWEST = 24
"""Text is not folded into a column narrower than so many letters."""

OUT = Console(highlight=False, soft_wrap=True, width=WIDTH)
ERR = Console(highlight=False, stderr=True, soft_wrap=True)


def complain(line: str) -> None:
    """One line on standard error, whatever the text brings along."""
    text = "".join(letter if letter.isprintable() else " " for letter in line)
    sys.stderr.write(f"ringfence: {text}\n")


def logs_to_stderr() -> None:
    """What the rooms below log goes where complaints go, a line each; a traceback is for whoever debugs."""
    structlog.configure(
        processors=[_without_traceback, structlog.processors.add_log_level, structlog.processors.LogfmtRenderer()],
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),  # what it is now, not what it was when this ran
    )


def _without_traceback(_logger: Any, _name: str, event: Any) -> Any:
    event.pop("exc_info", None)
    return event


def say_json(value: Any) -> None:
    """One JSON object on a line of standard output."""
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")


def time_text(at: int) -> str:
    """Nanoseconds since the epoch as UTC text, to the millisecond."""
    whole, part = divmod(at, SECOND)
    return f"{datetime.fromtimestamp(whole, UTC):%Y-%m-%d %H:%M:%S}.{part // 1_000_000:03d}"


def folded(line: str, indent: int = 0, width: int = COLUMNS) -> list[str]:
    """A sentence as lines no longer than that; those after the first are indented."""
    return wrap(line, width, subsequent_indent=" " * indent, break_long_words=False, break_on_hyphens=False) or [""]


def say(line: str, indent: int = 0) -> None:
    """Print a sentence, folded."""
    for part in folded(line, indent):
        OUT.print(part, markup=False)


def _broken(rows: Sequence[Sequence[str]], right: Collection[int]) -> list[Sequence[str]]:
    """The rows with the text of the last column, where it is one of text, on as many lines as `COLUMNS` asks for."""
    last = len(rows[0]) - 1
    room = COLUMNS - 1 - sum(max(map(len, column)) + 2 for column in list(zip(*rows, strict=True))[:last])
    if last in right or room < NARROWEST:
        return list(rows)
    broken: list[Sequence[str]] = []
    for row in rows:
        first, *rest = wrap(row[last], room, break_long_words=False, break_on_hyphens=False) or [""]
        broken += [[*row[:last], first], *([*[""] * last, part] for part in rest)]
    return broken


def aligned(rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> list[str]:
    """Rows as lines with their cells below each other, those of the columns named in `right` at the right; the first
    row is the head, with a rule below it. Text in the last column is folded at `COLUMNS`.
    """
    rows = _broken(rows, right)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    told = [
        "  ".join(f"{cell:>{width}}" if n in right else f"{cell:<{width}}" for n, (cell, width) in enumerate(pairs))
        for pairs in (list(zip(row, widths, strict=True)) for row in rows)
    ]
    rule = "─" * max(map(len, told))
    return [f" {line}".rstrip() for line in (told[0], rule, *told[1:])]


def ratio_text(ratio: float | None) -> str:
    """A margin ratio as text; - where there is none, beyond ten times the equity only that it is."""
    if ratio is None:
        return "-"
    return f"{ratio * 100:,.1f} %" if ratio < RATIO_SHOWN else "over 1,000 %"


def money_text(atoms: int, places: int = 2) -> str:
    """An amount as text with thousands separators, rounded half away from zero for reading."""
    step = 10 ** (8 - places)
    rounded = (abs(atoms) + step // 2) // step
    whole, part = divmod(rounded, 10**places)
    sign = "-" if atoms < 0 and rounded else ""
    return f"{sign}{whole:,}.{part:0{places}d}" if places else f"{sign}{whole:,}"


def exact_text(atoms: int) -> str:
    """An amount as text, exactly."""
    return decimal_text(atoms)


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.fields.get("observations", 0) / task.elapsed if task.elapsed else 0
        return Text(f"{speed:>9,.0f} {task.fields.get('unit')}/s")


@contextmanager
def progress(what: str, total: float | None, unit: str = "obs", patience: float = 0.0) -> Iterator[Any]:
    """A progress bar with rate and session time; yields a function of (done, observations, session time).

    It appears once that is called after `patience` seconds.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        TextColumn("{task.percentage:>3.0f}%") if total else TextColumn(""),
        _Rate(),
        TextColumn("{task.fields[at]}"),
        TimeElapsedColumn(),
    )
    bar = Progress(*columns, console=ERR, disable=not ERR.is_terminal)
    task = bar.add_task(what, total=total, at="", observations=0, unit=unit)
    shown_from = monotonic() + patience

    def advance(done: float, observations: int, at: int) -> None:
        if not bar.live.is_started and monotonic() >= shown_from:
            bar.start()
        bar.update(task, completed=done, observations=observations, at=time_text(at) if at else "")

    if not patience:
        bar.start()
    try:
        yield advance
    finally:
        bar.stop()
