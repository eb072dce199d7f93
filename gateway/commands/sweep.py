"""`ringfence sweep`: the sessions of a plan over processes, those that are there already left out, as one table."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from events.units import decimal_text
from exchange.projections.tables import Column
from gateway.console import ERR, OUT, complain, logs_to_stderr, say_json
from gateway.errors import UsageError, how_to_install
from gateway.memory import collect_seldom
from gateway.reports.sweep_table import BETTER_LOW, assets, best, shown
from gateway.reports.table_files import FORMATS
from replay.arguments import nearest
from replay.sweep import Processes
from replay.sweep.plan import Plan, read_plan
from replay.sweep.sweeping import OnDone, Swept, sweep
from replay.sweep.table import FIGURES, TIMES, columns, rows, times
from replay.sweep.task import Status

PROBLEMS_SHOWN = 5
"""So many kinds of errors are told, the most frequent first; the table has them all."""

STOPPED = 130

RANKED = tuple(name for name, kind in FIGURES.items() if kind in (Column.NUMBER, Column.DECIMAL))


class Request(NamedTuple):
    """What was asked on the command line."""

    plan: Path
    into: Path | None
    workers: int
    retry: bool
    by: str
    best: int
    format: str


def run(request: Request, as_json: bool) -> int:
    """Sweep and report. Returns 0, 1 where a task failed, 130 where it was stopped."""
    _check(request)
    plan = read_plan(request.plan)
    plan = plan._replace(into=request.into) if request.into else plan
    form = request.format or _usual_format()
    workers = request.workers or os.cpu_count() or 1
    started = perf_counter()
    with _progress() as on_done:
        swept = sweep(plan, Processes(workers, prepare), on_done, retry=request.retry)
    table = _write(plan, swept, form)
    if as_json:
        say_json(_as_object(plan, swept, table, request))
    else:
        _say(plan, swept, table, request, perf_counter() - started)
    if swept.left:
        return STOPPED
    return int(any(run.outcome.status is not Status.OK for _, run in swept.runs))


def prepare() -> None:
    """What each process does before its first task."""
    logs_to_stderr()
    collect_seldom()


def _check(request: Request) -> None:
    if request.by not in RANKED:
        raise UsageError(
            f"--by {request.by}: there is no such figure; {nearest(request.by, dict.fromkeys(RANKED), '')}"
        )
    if request.workers < 0:
        raise UsageError(f"--workers {request.workers}: give a number of processes, 0 for one a core")
    if request.format not in ("", *FORMATS):
        raise UsageError(f"--format {request.format}: give parquet or csv")


def _usual_format() -> str:
    if find_spec("pyarrow") is not None:
        return "parquet"
    complain(f"the table is written as CSV: Parquet needs the extra `columns`: {how_to_install('columns')}")
    return "csv"


def _write(plan: Plan, swept: Swept, format: str) -> Path:
    """Write the table, and what the runs took beside it; each takes the place of the one before in one step."""
    names = columns(plan.tasks)
    _put(plan.into / f"times.{format}", format, TIMES, times(swept.runs))
    return _put(plan.into / f"results.{format}", format, names, rows(swept.runs, names))


def _put(path: Path, format: str, names: dict[str, Column], lines: list[tuple[object, ...]]) -> Path:
    unfinished = path.with_name(f"{path.name}.part")
    unfinished.unlink(missing_ok=True)
    file = FORMATS[format](unfinished, names)
    for line in lines:
        file.add(line)
    file.close()
    unfinished.replace(path)
    return path


def _counts(swept: Swept) -> dict[str, int]:
    found = Counter(run.outcome.status.value for _, run in swept.runs)
    return {status.value: found[status.value] for status in Status}


def _as_object(plan: Plan, swept: Swept, table: Path, request: Request) -> dict[str, object]:
    names = columns(plan.tasks)
    lines = rows(best(swept.runs, request.by, request.best), names)
    told = [
        {
            name: decimal_text(cell) if kind is Column.DECIMAL and cell is not None else cell
            for (name, kind), cell in zip(names.items(), line, strict=True)
        }
        for line in lines
    ]
    return {
        "plan": str(plan.path),
        "tasks": len(plan.tasks),
        "ran": swept.ran,
        "left": swept.left,
        **_counts(swept),
        "table": str(table),
        "by": request.by,
        "best": told,
    }


def _say(plan: Plan, swept: Swept, table: Path, request: Request, seconds: float) -> None:
    counts = _counts(swept)
    told = ", ".join(f"{count:,} {status}" for status, count in counts.items() if count) or "none"
    before = len(swept.runs) - swept.ran
    OUT.print(f"sweep    {plan.path}: {len(plan.tasks):,} tasks, {before:,} of them there already", markup=False)
    OUT.print(f"ran      {swept.ran:,} in {seconds:.2f} s; all in all {told}")
    if swept.left:
        OUT.print(f"left     {swept.left:,}: stopped; the same command goes on there")
    found = best(swept.runs, request.by, request.best)
    if found:
        money = ", ".join(assets(found))
        which = "smallest" if request.by in BETTER_LOW else "largest"
        OUT.print(
            f"\n{len(found):,} of {counts['ok']:,}, {which} {request.by} first, amounts in {money}\n", markup=False
        )
        for line in shown(plan, found, request.by):
            OUT.print(line, markup=False)
        OUT.print()
    OUT.print(f"written  {table}", markup=False)
    _say_errors(swept)


def _say_errors(swept: Swept) -> None:
    """Each error once, with how many tasks came to it."""
    errors = Counter(run.outcome.error for _, run in swept.runs if run.outcome.status is not Status.OK)
    for error, count in errors.most_common(PROBLEMS_SHOWN):
        complain(f"{count:,} {'task' if count == 1 else 'tasks'}: {error}")
    if len(errors) > PROBLEMS_SHOWN:
        complain(f"... and {len(errors) - PROBLEMS_SHOWN:,} more; the table has them")


@contextmanager
def _progress() -> Iterator[OnDone]:
    """A bar with how many tasks are done and when the rest may be."""
    parts = (
        TextColumn("sweep"), BarColumn(bar_width=30), MofNCompleteColumn(), TextColumn("tasks"), TimeElapsedColumn(),
        TextColumn("left"), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*parts, console=ERR, disable=not ERR.is_terminal, transient=True) as bar:
        task = bar.add_task("sweep", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
