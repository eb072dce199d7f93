"""Where a crash can fall, and where it fell: the places at which the real code waits."""

from __future__ import annotations

import ast
import asyncio
import gc
import inspect
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parents[3]

MODULES = (
    *("exchange/sequencer.py", "exchange/committer.py", "exchange/rebuild.py", "exchange/snapshots.py"),
    *("events/store/follow.py", "exchange/projections/kept.py", "exchange/projections/running.py"),
)
"""What is run as it is. A store and those who ask are made up."""


ELSEWHERE = ("make", "_of_file")
"""Functions of a process of its own, which makes snapshots of a file: here they are made in the same one."""


class Wait(NamedTuple):
    """A place where code waits: its module, its function, and the line as it stands."""

    module: str
    function: str
    line: str

    def __str__(self) -> str:
        return f"{self.module} {self.function}: {self.line}"


class _Place(NamedTuple):
    first: int
    last: int
    wait: Wait


@cache
def places(module: str) -> tuple[_Place, ...]:
    """Every await of a module, and every turn of its async loops."""
    text = (ROOT / module).read_text("utf-8")
    lines = text.split("\n")
    found: dict[int, _Place] = {}
    for function in ast.walk(ast.parse(text)):
        if isinstance(function, ast.AsyncFunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.Await | ast.AsyncFor):
                    last = node.iter.end_lineno if isinstance(node, ast.AsyncFor) else node.end_lineno
                    wait = Wait(module, function.name, lines[node.lineno - 1].strip())
                    found[node.lineno] = _Place(node.lineno, last or node.lineno, wait)
    return tuple(found.values())


@cache
def all_waits() -> tuple[Wait, ...]:
    """Where a crash can fall."""
    found = (place.wait for module in MODULES for place in places(module))
    return tuple(wait for wait in found if wait.function not in ELSEWHERE)


def where(tasks: Iterable[asyncio.Task[Any]]) -> Iterator[Wait]:
    """Where tasks that are not done stand, from the outermost await to the innermost."""
    for task in tasks:
        if not task.done():
            for file, line in _frames(task.get_coro()):
                yield from _at(file, line)


def _at(file: str, line: int) -> Iterator[Wait]:
    for module in MODULES:
        if file.endswith(module):
            yield from (place.wait for place in places(module) if place.first <= line <= place.last)


def _frames(waiting: Any) -> Iterator[tuple[str, int]]:
    while waiting is not None:
        frame, inner = None, None
        if inspect.iscoroutine(waiting):
            frame, inner = waiting.cr_frame, waiting.cr_await
        elif inspect.isasyncgen(waiting):
            frame, inner = waiting.ag_frame, waiting.ag_await
        else:
            inner = next((one for one in gc.get_referents(waiting) if inspect.isasyncgen(one)), None)
        if frame is not None:
            yield frame.f_code.co_filename, frame.f_lineno
        waiting = inner
