"""The core computes the same bytes everywhere: nothing in it may depend on a machine, a moment or a hash.

Sets are for asking, never for walking: their order hangs on the hash seed. The rule sees sets that are written as such,
and names that are assigned or annotated as sets anywhere in the core.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

import pytest

from tests.tidy.tree import Source, source, sources

BANNED_CALLS = {
    *("round", "float", "hash", "id"),
    *("print", "open", "input"),
    *("eval", "exec", "__import__", "vars", "globals"),
}
BANNED_MODULES = {
    *("time", "datetime", "random", "secrets", "uuid"),
    *("asyncio", "threading", "os", "logging", "structlog"),
}
WALKS = {
    *("list", "tuple", "deque", "iter", "enumerate", "zip", "map"),
    *("filter", "reversed", "chain", "fromkeys", "join"),
}
SET_TYPES = {"set", "frozenset", "AbstractSet", "MutableSet"}
SET_METHODS = {"union", "intersection", "difference", "symmetric_difference"}


def offences(file: Source, sets: set[str]) -> list[str]:
    """What the file does that the core must not, where `sets` are the names known to be sets."""
    found = ((node, why) for node in ast.walk(file.tree) for why in impurities(node, sets))
    return [f"{file.path}:{getattr(node, 'lineno', 0)}: {why}" for node, why in found]


def impurities(node: ast.AST, sets: set[str]) -> Iterator[str]:
    match node:
        case ast.BinOp(op=ast.Div()) | ast.AugAssign(op=ast.Div()):
            yield "true division"
        case ast.BinOp(op=ast.Pow(), right=ast.UnaryOp(op=ast.USub())):
            yield "a negative power"
        case ast.Constant(value=float() | complex()):
            yield "a float"
        case ast.Call(func=ast.Name(id=name)) if name in BANNED_CALLS:
            yield f"a call of {name}"
        case ast.Import(names=names) if any(alias.name.split(".")[0] in BANNED_MODULES for alias in names):
            yield "an import of clock, chance or the outside"
        case ast.ImportFrom(module=str() as module) if module.split(".")[0] in BANNED_MODULES:
            yield "an import of clock, chance or the outside"
        case ast.AsyncFunctionDef() | ast.AsyncFor() | ast.AsyncWith() | ast.Await():
            yield "async code"
    yield from (f"a walk over a set: {ast.unparse(walked)}" for walked in walks(node) if is_set(walked, sets))


def walks(node: ast.AST) -> Iterator[ast.expr]:
    """The expressions that this node walks in their own order."""
    match node:
        case ast.For(iter=walked) | ast.comprehension(iter=walked):
            yield walked
        case ast.Starred(value=walked) | ast.YieldFrom(value=walked):
            yield walked
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name), args=arguments) if name in WALKS:
            yield from arguments
        case ast.Call(func=ast.Attribute(value=owner, attr="pop"), args=[]):
            yield owner


def is_set(node: ast.expr, sets: set[str]) -> bool:
    match node:
        case ast.Set() | ast.SetComp():
            return True
        case ast.Call(func=ast.Name(id=name)):
            return name in SET_TYPES
        case ast.Call(func=ast.Attribute(attr=name)):
            return name in SET_METHODS
        case ast.BinOp(left=left, right=right, op=ast.BitOr() | ast.BitAnd() | ast.Sub() | ast.BitXor()):
            return is_set(left, sets) or is_set(right, sets)
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name in sets
    return False


def names_of_sets(files: Iterable[Source]) -> set[str]:
    """The names that are annotated as sets, or assigned one, anywhere in these files."""
    return {name for file in files for node in ast.walk(file.tree) for name in named_sets(node)}


def named_sets(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.AnnAssign(target=ast.Name(id=name) | ast.Attribute(attr=name), annotation=annotation):
            if is_set_type(annotation):
                yield name
        case ast.arg(arg=name, annotation=ast.expr() as annotation):
            if is_set_type(annotation):
                yield name
        case ast.Assign(targets=targets, value=value) if is_set(value, set()):
            for target in targets:
                match target:
                    case ast.Name(id=name) | ast.Attribute(attr=name):
                        yield name


def is_set_type(annotation: ast.expr) -> bool:
    match annotation:
        case ast.Subscript(value=ast.Name(id=name)) | ast.Name(id=name):
            return name in SET_TYPES
    return False


def test_the_core_is_pure() -> None:
    core = sources("exchange/core")
    sets = names_of_sets(core)
    assert [offence for file in core for offence in offences(file, sets)] == []


@pytest.mark.parametrize(
    "text",
    [
        "a = b / c",
        "a /= b",
        "a = 10 ** -8",
        "a = 0.5",
        "a = 1e8",
        "a = round(b)",
        "a = float(b)",
        "a = hash(b)",
        "a = sorted(b, key=lambda x: id(x))",
        "print(a)",
        "a = open(b)",
        "import time",
        "import datetime as d",
        "from random import choice",
        "from asyncio.tasks import gather",
        "import logging",
        "async def f(): pass",
        "for a in {1, 2}: pass",
        "for a in set(b): pass",
        "for a in frozenset(b) | c: pass",
        "a = [b for b in {c for c in d}]",
        "a = {b: 0 for b in x.difference(y)}",
        "a = list({1, 2})",
        "a = [*set(b)]",
        "a = next(iter(set(b)))",
        "a = dict.fromkeys(set(b))",
        "due = set()\nfor a in due: pass",
        "due: set[int] = f()\nfor a in due: pass",
        "class A:\n    due: frozenset[int]\n    def f(self):\n        yield from self.due",
        "def f(due: set[int]): return due.pop()",
    ],
)
def test_an_impurity_is_found(text: str) -> None:
    file = source("exchange.core.state", text)
    assert offences(file, names_of_sets([file]))


@pytest.mark.parametrize(
    "text",
    [
        "a = b // c",
        "a //= b",
        "a = 10 ** 8",
        "if a in {1, 2}: pass",
        "for a in sorted({1, 2}): pass",
        "due = set(b)\na = len(due)\nc = d in due",
        "for a in {1: 2}: pass",
        "orders.pop(1)",
        "a = self.queue.pop()",
        "def f(id: int, round: int) -> int: return id + round",
    ],
)
def test_what_is_pure_is_let_through(text: str) -> None:
    file = source("exchange.core.state", text)
    assert offences(file, names_of_sets([file])) == []
