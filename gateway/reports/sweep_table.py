"""The best runs of a sweep, for people."""

from __future__ import annotations

from collections.abc import Sequence

from events.instruments import load_pack
from events.units import UNIT
from exchange.projections.tables import Column
from gateway.console import aligned, money_text, ratio_text
from gateway.wording import places_of
from replay.sweep.plan import OPTIONS, Plan, option_of
from replay.sweep.table import FIGURES, Runs, label
from replay.sweep.task import Done, Status, Task

BETTER_LOW = ("fees", "max_drawdown", "worst_margin_ratio", "refusals", "liquidations", "defects")
"""Figures of which less is better."""

USUAL = ("pnl", "fees", "funding", "max_drawdown", "worst_margin_ratio", "fills", "liquidations")
"""The figures that are always shown."""

HEADS = {"pnl": "PnL", "max_drawdown": "drawdown", "worst_margin_ratio": "worst ratio"}
"""What is written above a figure, if not its name."""

ID_SHOWN = 8
"""So much of a task's name is enough for reading."""


def best(runs: Runs, by: str, count: int) -> Runs:
    """The best so many of those that came to their end, by a figure; those that are equal in the order of the plan."""
    finished = [(task, run) for task, run in runs if run.outcome.status is Status.OK]
    sign = 1 if by in BETTER_LOW else -1
    return sorted(finished, key=lambda pair: sign * getattr(pair[1].outcome, by))[:count]


def assets(runs: Runs) -> list[str]:
    """What the amounts are in."""
    return list(dict.fromkeys(run.outcome.asset for _, run in runs))


def shown(plan: Plan, runs: Runs, by: str) -> list[str]:
    """The lines of a table: what varies in the plan, and the figures."""
    figures = (*USUAL, *(() if by in USUAL else (by,)))
    is_mixed = len(assets(runs)) > 1
    head = ["task", *plan.varies, *(HEADS.get(name, name) for name in figures), "in"]
    lines = [
        [
            task.id[:ID_SHOWN],
            *(_given(task, name) for name in plan.varies),
            *_figures(plan, task, run, figures),
            run.outcome.asset,
        ]
        for task, run in runs
    ]
    first = 1 + len(plan.varies)
    cells = [line if is_mixed else line[:-1] for line in (head, *lines)]
    return aligned(cells, right=range(first, first + len(figures)))


def _given(task: Task, name: str) -> str:
    """What a task was given of what varies."""
    if name == "market":
        return label(task)
    if name == "seed":
        return str(getattr(task.market, "seed", ""))
    if name.startswith("param."):
        return task.params[name.removeprefix("param.")]
    return str(task.options[option_of(name)] if name in OPTIONS else getattr(task, name))


def _figures(plan: Plan, task: Task, run: Done, names: Sequence[str]) -> list[str]:
    """Figures of a run, amounts to the place that its asset is read at."""
    pack = load_pack(str(plan.path.parent / task.pack) if task.pack.endswith(".json") else task.pack)
    places = places_of(pack, run.outcome.asset)
    cells = []
    for name in names:
        value = getattr(run.outcome, name)
        if name == "worst_margin_ratio":
            cells.append(ratio_text(value / UNIT))
        else:
            cells.append(money_text(value, places) if FIGURES[name] is Column.DECIMAL else f"{value:,}")
    return cells
