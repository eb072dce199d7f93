"""A sweep as one table: a row a task, in the order of the plan; what differs from run to run, times, stands apart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import PurePath
from typing import Any

from events.units import UNIT
from exchange.projections.tables import Column
from replay.sweep.task import Done, Files, Status, Task

_N, _X, _D, _T = Column.NUMBER, Column.TEXT, Column.DECIMAL, Column.TIME

GIVEN = {
    "task": _X, "status": _X, "error": _X, "market": _X, "seed": _N, "strategy": _X, "pack": _X, "mode": _X,
    "leverage": _N, "deposit": _D, "insurance": _D, "options": _X,
}  # fmt: skip
"""What a task was given, but for its parameters, which have a column each: `param.NAME`."""

FIGURES = {
    "asset": _X, "pnl": _D, "fees": _D, "funding": _D, "equity": _D, "volume": _D, "max_drawdown": _D,
    "worst_margin_ratio": _D, "fills": _N, "refusals": _N, "liquidations": _N, "others": _X, "defects": _N,
    "records": _N, "first_at": _T, "last_at": _T, "head": _X,
}  # fmt: skip
"""What it came to; empty where it did not come to its end."""

TIMES = {"task": _X, "seconds": _D, "cpu_seconds": _D}
"""What it took."""

Row = tuple[Any, ...]
Runs = Sequence[tuple[Task, Done]]


def columns(tasks: Iterable[Task]) -> dict[str, Column]:
    """The columns of the table; a parameter is a number where all its values are."""
    values: dict[str, list[str]] = {}
    for task in tasks:
        for name, text in task.params.items():
            values.setdefault(name, []).append(text)
    params = {f"param.{name}": _kind(texts) for name, texts in values.items()}
    return {**GIVEN, **params, **FIGURES}


def rows(runs: Runs, names: Mapping[str, Column]) -> list[Row]:
    """The rows. Decimals are in 10^-8."""
    return [tuple(_cell(task, run, name, kind) for name, kind in names.items()) for task, run in runs]


def times(runs: Runs) -> list[Row]:
    """What each run took, s."""
    return [(task.id, int(run.seconds * UNIT), int(run.cpu_seconds * UNIT)) for task, run in runs]


def label(task: Task) -> str:
    """A market as people call it."""
    market = task.market
    if isinstance(market, Files):
        return "+".join(PurePath(file.path).name for file in market.files)
    return " ".join(["generated", *(f"{name}={value}" for name, value in market.options.items())])


def _cell(task: Task, run: Done, name: str, kind: Column) -> Any:
    if name in FIGURES:
        return getattr(run.outcome, name) if run.outcome.status is Status.OK else None
    if name.startswith("param."):
        text = task.params.get(name.removeprefix("param."))
        return text if text is None or kind is _X else int(text) if kind is _N else _units(text)
    return _GIVEN[name](task, run)


_GIVEN: dict[str, Any] = {
    "task": lambda task, _: task.id,
    "status": lambda _, run: run.outcome.status.value,
    "error": lambda _, run: run.outcome.error or None,
    "market": lambda task, _: label(task),
    "seed": lambda task, _: getattr(task.market, "seed", None),
    "strategy": lambda task, _: task.strategy or None,
    "pack": lambda task, _: task.pack,
    "mode": lambda task, _: task.mode,
    "leverage": lambda task, _: task.leverage,
    "deposit": lambda task, _: _units(task.deposit),
    "insurance": lambda task, _: _units(task.insurance),
    "options": lambda task, _: " ".join(f"{name}={value}" for name, value in task.options.items()) or None,
}


def _kind(texts: Iterable[str]) -> Column:
    kinds = {_kind_of(text) for text in texts}
    return _X if _X in kinds else _D if _D in kinds else _N


def _kind_of(text: str) -> Column:
    """A whole number, a number of at most 8 places and a size that a table holds, or text."""
    try:
        number = Decimal(text)
        if number.is_finite() and abs(number) < UNIT and number * UNIT == int(number * UNIT):
            return _N if text.lstrip("-").isdecimal() else _D
    except InvalidOperation:
        pass
    return _X


def _units(text: str) -> int:
    return int(Decimal(text) * UNIT)
