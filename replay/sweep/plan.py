"""A plan: a TOML file that says of which values a sweep is made, and the tasks of every combination of them."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from hashlib import sha256
from itertools import product
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from events.instruments import PackError, load_pack
from replay.arguments import ArgumentError, arguments
from replay.loading import StrategyError, load_strategy
from replay.sweep.options import NAMES, stated
from replay.sweep.plan_markets import Market, markets_of
from replay.sweep.plan_values import Where, amount, axis, one_of, scalar, text, whole
from replay.sweep.play import Keep
from replay.sweep.task import Generated, Scalar, SweepError, Task
from replay.synth import Scenario

USUAL_PACK = "binance-usdm"

SHOWN = 8
"""So many instruments of a pack are named."""

TASKS_MAX = 1_000_000
"""No plan makes more tasks."""

SECTIONS = ("keep", "into", "grid", "params", "market", "index")

MARK = "mark"
"""The session's option `mark_source`, as the command line calls it."""

OPTIONS = (MARK, *(name for name in NAMES if name != "mark_source"))
"""Options of a session that a single value can state."""


class Plan(NamedTuple):
    """The tasks in order, the names of what differs between them, and what to keep where."""

    path: Path
    tasks: tuple[Task, ...]
    varies: tuple[str, ...]
    keep: Keep
    into: Path


def read_plan(path: Path) -> Plan:
    """Read a plan and everything that it names. Raises SweepError, OSError."""
    where = Where(path)
    try:
        table = tomllib.loads(path.read_bytes().decode("utf-8"), parse_float=Decimal)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SweepError(f"{path}: is no TOML: {error}; mend it") from None
    where.known(table, SECTIONS)
    keep = Keep(one_of(where / "keep", table.get("keep", "none"), [one.value for one in Keep]))
    into = table.get("into", f"{path.stem}.sweep")
    if not isinstance(into, str) or not into:
        raise (where / "into").wrong(into, "give the name of a folder")
    grid = _Grid(where, table)
    return Plan(path, grid.tasks(), grid.varies, keep, path.parent / into)


class _Grid:
    """The values of each key, each checked once."""

    def __init__(self, where: Where, table: Mapping[str, Any]) -> None:
        grid = where.table(table, "grid")
        (where / "grid").known(grid, (*CHECKS, *OPTIONS))
        self._where = where
        self._axes = {name: self._checked(name, value) for name, value in grid.items()}
        seeds = [seed for seed in self._axes.pop("seed", []) if isinstance(seed, int)]
        self._markets = markets_of(where, table.get("market"), seeds)
        params = where.table(table, "params")
        self._params = {name: [text(one) for one in axis(where / "params" / name, params[name])] for name in params}
        index = where.table(table, "index")
        self._indices = {name: amount(where / "index" / name, scalar(where / "index", index[name])) for name in index}
        self._packs = {str(name): self._pack(str(name)) for name in self._axes.get("pack", [USUAL_PACK])}
        self._codes = {str(name): self._code(str(name)) for name in self._axes.get("strategy", [""])}

    @property
    def varies(self) -> tuple[str, ...]:
        """The keys that have several values."""
        seeds = {market.seed for market in self._markets if isinstance(market, Generated)}
        others = {msgspec.json.encode(_unsown(market)) for market in self._markets}
        found = ["market"] if len(others) > 1 else []
        found += ["seed"] if len(seeds) > 1 else []
        found += [name for name, values in self._axes.items() if len(values) > 1]
        return (*found, *(f"param.{name}" for name, values in self._params.items() if len(values) > 1))

    def tasks(self) -> tuple[Task, ...]:
        """Every combination, each task once. Raises SweepError."""
        sizes = [len(values) for values in self._axes.values()] + [len(values) for values in self._params.values()]
        count = prod(sizes, start=len(self._markets))
        if count > TASKS_MAX:
            raise SweepError(f"{self._where}: makes {count:,} tasks, and {TASKS_MAX:,} are the most; give fewer values")
        tasks = {task.id: task for market in self._markets for task in self._combined(market)}
        return tuple(tasks.values())

    def _combined(self, market: Market) -> Iterator[Task]:
        for values in product(*self._axes.values(), *self._params.values()):
            state = dict(zip(self._axes, values, strict=False))
            params = dict(zip(self._params, map(str, values[len(self._axes) :]), strict=True))
            options = {option_of(name): text(state.pop(name)) for name in OPTIONS if name in state}
            task = Task(
                market=market,
                code=self._codes[str(state.get("strategy", ""))],
                rules=self._packs[str(state.get("pack", USUAL_PACK))],
                params=params,
                indices=self._indices,
                options=options,
            )
            yield msgspec.structs.replace(task, **state)

    def _checked(self, name: str, value: Any) -> list[Scalar]:
        """The values of a key of the grid. Raises SweepError."""
        where = self._where / "grid" / name
        check = CHECKS.get(name, _checked_option)
        return [check(where, one) for one in axis(where, value)]

    def _pack(self, name: str) -> str:
        """The SHA-256 of a rule pack; it has to have the instruments of generated markets. Raises SweepError."""
        where = self._where / "grid" / "pack"
        try:
            pack = load_pack(str(self._where.path.parent / name) if name.endswith(".json") else name)
        except PackError as error:
            raise SweepError(f"{where}: {error}") from None
        instruments = [terms.id for terms in pack.instruments]
        for market in self._markets:
            symbol = market.options.get("symbol", Scenario.symbol) if isinstance(market, Generated) else None
            if symbol is not None and symbol not in instruments:
                given = ", ".join(instruments[:SHOWN])
                raise SweepError(f"{where}: {pack.id} has no {symbol}; generate one of its own, as symbol: {given}")
        return sha256(msgspec.json.encode(pack)).hexdigest()

    def _code(self, name: str) -> str:
        """The SHA-256 of the file that a strategy is in, which has to take the parameters. Raises SweepError."""
        if not name:
            if self._params:
                raise SweepError(f"{self._where / 'params'}: parameters of what? give grid.strategy, as module:Class")
            return ""
        try:
            make = load_strategy(name)
        except StrategyError as error:
            raise SweepError(f"{self._where / 'grid' / 'strategy'}: {error}") from None
        given = {param: values[0] for param, values in self._params.items()}
        for param, values in self._params.items():
            for value in values:
                self._fits(make, name, {**given, param: value}, param)
        self._fits(make, name, given, "")
        file = getattr(sys.modules[make.__module__], "__file__", None)
        return sha256(Path(file).read_bytes()).hexdigest() if file else ""

    def _fits(self, make: Callable[..., object], name: str, given: Mapping[str, str], param: str) -> None:
        try:
            arguments(make, given)
        except ArgumentError as error:
            where = self._where / "params" / param if param else self._where / "params"
            raise SweepError(f"{where}: strategy {name}: {error}") from None


def option_of(name: str) -> str:
    """The option of a session that a key of the grid is."""
    return "mark_source" if name == MARK else name


def _unsown(market: Market) -> Market:
    """A market whatever its seed."""
    return msgspec.structs.replace(market, seed=0) if isinstance(market, Generated) else market


def _checked_option(where: Where, value: Scalar) -> Scalar:
    """An option of the session. Raises SweepError."""
    name = str(where).rpartition(".")[2]
    try:
        stated({option_of(name): text(value)})
    except ValueError as error:
        raise where.wrong(value, str(error)) from None
    return value


def _name(where: Where, value: Scalar) -> str:
    if not isinstance(value, str) or not value:
        raise where.wrong(value, "give a name")
    return value


CHECKS: dict[str, Callable[[Where, Scalar], Scalar]] = {
    "strategy": _name,
    "pack": _name,
    "mode": lambda where, value: one_of(where, value, ("isolated", "cross", "multi")),
    "leverage": lambda where, value: whole(where, value, 1),
    "deposit": amount,
    "insurance": amount,
    "seed": lambda where, value: whole(where, value, 0),
}
"""What a grid may state beside the options of a session, and what each value has to be."""
