"""Who may import whom: the table of docs/architecture.md, read off the imports."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests.tidy.tree import PACKAGES, Source, source, sources

STANDARD = frozenset(sys.stdlib_module_names)
ANYTHING = "*"


class Rule(NamedTuple):
    """What a package or module may import; `unless` takes away from it, `further` counts other libraries allowed."""

    may: tuple[str, ...]
    unless: tuple[str, ...] = ()
    standard: tuple[str, ...] | None = None
    further: int = 0


CORE_STANDARD = (
    *("__future__", "bisect", "collections", "dataclasses", "enum"),
    *("functools", "heapq", "itertools", "math.isqrt", "typing"),
)

RULES = {
    "events": Rule(("events", "msgspec")),
    "events.store": Rule(("events", "msgspec"), further=1),
    "events.chunks": Rule(("events", "msgspec", "numpy")),
    "events.arrays": Rule(("events", "numpy")),
    "events.courses": Rule(("events", "numpy")),
    "events.spanning": Rule(("events", "numpy")),
    "exchange": Rule(("events", "exchange", "structlog")),
    "exchange.core": Rule(
        ("events", "exchange.core", "msgspec", "sortedcontainers"), unless=("events.store",), standard=CORE_STANDARD
    ),
    "exchange.audit": Rule(("events", "exchange.audit")),
    "replay": Rule(("events", "exchange", "replay", "numpy", "structlog")),
    "replay.sources": Rule(("events", "exchange", "replay", "numpy", "structlog"), further=1),
    "replay.sweep": Rule(("events", "exchange", "replay", "numpy", "structlog", "msgspec")),
    "replay.testing": Rule(("events", "exchange", "replay", "numpy", "structlog", "pytest")),
    "gateway": Rule((ANYTHING,), unless=("benchmarks", "docs", "tests")),
    "examples": Rule((ANYTHING,), unless=("gateway", "benchmarks", "docs", "tests")),
    "benchmarks": Rule((ANYTHING,), unless=("tests",)),
    "docs": Rule((ANYTHING,), unless=("tests",)),
    "tests": Rule((ANYTHING,)),
}
"""The longest name that fits a module rules it."""


def offences(file: Source) -> list[str]:
    """The imports of the file that its rule does not allow."""
    rule = RULES[max((name for name in RULES if is_under(file.module, (name,))), key=len)]
    further: set[str] = set()
    found = []
    for line, imported in imports(file):
        if is_allowed(imported, rule):
            continue
        top = imported.partition(".")[0]
        if rule.further and top not in PACKAGES and top not in STANDARD:
            further.add(top)
            if len(further) <= rule.further:
                continue
        found.append(f"{file.path}:{line}: {file.module} may not import {imported}")
    return found


def is_allowed(imported: str, rule: Rule) -> bool:
    if is_under(imported, rule.unless):
        return False
    if imported.partition(".")[0] in STANDARD:
        return rule.standard is None or is_under(imported, rule.standard)
    return ANYTHING in rule.may or is_under(imported, rule.may)


def is_under(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def imports(file: Source) -> Iterator[tuple[int, str]]:
    """Every import of the file, wherever it stands: line and full name."""
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = "." * node.level + (node.module or "")
            yield from ((node.lineno, f"{origin}.{alias.name}") for alias in node.names)


def test_each_module_imports_only_what_its_package_may() -> None:
    assert [offence for file in sources(*PACKAGES) for offence in offences(file)] == []


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("events.units", "import exchange"),
        ("events.units", "import numpy"),
        ("events.codec", "def f():\n    import aiosqlite"),
        ("events.store.sqlite", "import aiosqlite, asyncpg"),
        ("events.store.sqlite", "from exchange.sequencer import Sequencer"),
        ("exchange.core.decide", "from events.store import memory"),
        ("exchange.core.decide", "from events.store.sqlite import SqliteLog"),
        ("exchange.core.decide", "from exchange import sequencer"),
        ("exchange.core.decide", "from exchange.sequencer import Sequencer"),
        ("exchange.core.decide", "import structlog"),
        ("exchange.core.decide", "import math"),
        ("exchange.core.decide", "from math import sqrt"),
        ("exchange.core.decide", "import random"),
        ("exchange.core.decide", "from . import state"),
        ("exchange.core", "import time"),
        ("exchange.audit", "from exchange.core.state import State"),
        ("exchange.sequencer", "import msgspec"),
        ("exchange.sequencer", "import replay"),
        ("replay.player", "import pytest"),
        ("replay.player", "import msgspec"),
        ("replay.sources.binance", "import zstandard, databento"),
        ("replay.player", "import gateway.cli"),
        ("gateway.cli", "import tests.sim"),
    ],
)
def test_an_import_against_the_rule_is_found(module: str, text: str) -> None:
    assert len(offences(source(module, text))) == 1


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("events.chunks", "import numpy as np"),
        ("events.store.sqlite", "import aiosqlite, sqlite3"),
        ("exchange.core.decide", "from collections.abc import Iterator\nimport collections.abc"),
        ("exchange.core.decide", "from math import isqrt"),
        ("exchange.core.decide", "from exchange.core import state\nfrom events import facts"),
        ("exchange.sequencer", "import asyncio, structlog\nfrom exchange.core.state import State"),
        ("replay.sources.databento", "import zstandard\nfrom zstandard import open"),
        ("replay.testing", "import pytest"),
        ("replay.sweep.task", "import msgspec"),
        ("gateway.cli", "import typer, rich.table"),
    ],
)
def test_an_import_within_the_rule_is_let_through(module: str, text: str) -> None:
    assert offences(source(module, text)) == []
