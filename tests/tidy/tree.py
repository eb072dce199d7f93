"""The source files that the rules are applied to."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PACKAGES = ("events", "exchange", "replay", "gateway", "examples", "benchmarks", "docs", "tests")


class Source(NamedTuple):
    """A Python file: its path from the root, its dotted name, its text."""

    path: str
    module: str
    text: str

    @property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.path)


def source(module: str, text: str) -> Source:
    """A file that is not on disk, to feed to a rule."""
    return Source(module.replace(".", "/") + ".py", module, text)


@cache
def sources(*folders: str) -> tuple[Source, ...]:
    """Every Python file under these folders."""
    return tuple(_read(path) for folder in folders for path in sorted((ROOT / folder).rglob("*.py")))


def _read(path: Path) -> Source:
    inside = path.relative_to(ROOT)
    module = ".".join(inside.with_suffix("").parts).removesuffix(".__init__")
    return Source(inside.as_posix(), module, path.read_text("utf-8"))


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function and method."""
    return (node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))
