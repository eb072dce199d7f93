"""Plans for tests, and executors that do what a machine may."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from pathlib import Path

from replay.sweep import Done, Executor, InProcess, Place, Task
from replay.sweep.plan import Plan, read_plan
from replay.sweep.sweeping import Swept, sweep

PLAN = """
[grid]
strategy = "tests.strategies:Knob"
seed = [1]
mode = ["isolated", "cross"]
leverage = 10

[params]
size = [0.01, "0.5"]

[[market]]
generated = { seconds = 3 }
"""


def planned(folder: Path, text: str = PLAN) -> Plan:
    """A plan, written down and read."""
    path = folder / "plan.toml"
    path.write_text(text, "utf-8")
    return read_plan(path)


class Counting(InProcess):
    """Remembers what it was asked to run, and does it from the last to the first."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def run(self, tasks: Sequence[Task], place: Place) -> Generator[Done, None, None]:
        self.asked += [task.id for task in tasks]
        return super().run(tasks[::-1], place)


class Stopped(InProcess):
    """Its owner presses Ctrl-C after so many tasks."""

    def __init__(self, after: int) -> None:
        self._after = after

    def run(self, tasks: Sequence[Task], place: Place) -> Generator[Done, None, None]:
        yield from super().run(tasks[: self._after], place)
        raise KeyboardInterrupt


def swept(plan: Plan, executor: Executor | None = None, *, retry: bool = False) -> Swept:
    """What a sweep comes to."""
    return sweep(plan, executor or InProcess(), lambda _done, _total: None, retry=retry)
