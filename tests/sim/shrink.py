"""A session that fails, made as short as it gets: fewer moves, simpler rules, smaller numbers, and still failing alike.

Delta debugging: chunks of moves are left out, ever smaller ones, then single moves, then every figure is tried in a
simpler form; whatever still fails in the same way is kept. Source: Zeller and Hildebrandt, "Simplifying and Isolating
Failure-Inducing Input" (2002).
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Iterator, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from events.commands import Command, RequestId, TradersCommand
from exchange.audit import AuditError
from tests.sim.world import Move, World

RUNS = 4000
"""So often a session is run again at most."""

ROOT = Path(__file__).parents[2]


class Failure(NamedTuple):
    """How a session failed: what is the same however short it is, the whole message, and after how many moves."""

    what: str
    message: str
    moves: int


class Shrunk(NamedTuple):
    """The shortest list of moves that was found, how it fails, how many sessions that took, and what a batch holds."""

    moves: list[Move]
    failure: Failure
    runs: int
    batch_facts: int


def failure_of(moves: Sequence[Move], like: World) -> Failure | None:
    """How a session of these moves fails, if it does, with the history and the room in batches of another one."""
    world = World(dict(like.columns), like.batch_facts)
    try:
        world.given(*moves).finish()
    except Exception as error:
        return Failure(_what(error), f"{type(error).__name__}: {error}".rstrip(": "), len(world.moves))
    return None


def _what(error: Exception) -> str:
    """The kind of failure and the line of it, or the auditor's rule; figures left out."""
    if isinstance(error, AuditError):
        return re.sub(r"\d+", "#", f"{type(error).__name__}: {error.what}")
    frames = [f for f in traceback.extract_tb(error.__traceback__) if Path(f.filename).is_relative_to(ROOT)]
    where = Path(frames[-1].filename).relative_to(ROOT).with_suffix("").as_posix().replace("/", ".")
    return f"{type(error).__name__} in {where}.{frames[-1].name}: {frames[-1].line}"


def shrink(world: World, runs: int = RUNS) -> Shrunk:
    """The shortest list of moves that fails as those of the world do; they must fail."""
    moves, found = world.moves, failure_of(world.moves, world)
    assert found is not None, "the session does not fail"
    roomy = World(dict(world.columns))
    if (again := failure_of(moves, roomy)) and again.what == found.what:
        found, world, runs = again, roomy, runs - 1
    shrinking = _Shrinking(moves[: found.moves], found, world, runs)
    while shrinking.left and (shrinking.drop_moves() or shrinking.simplify()):
        pass
    shrinking.rename()
    return Shrunk(shrinking.moves, shrinking.failure, runs - shrinking.left, world.batch_facts)


class _Shrinking:
    """The shortest list so far; `left` runs may follow."""

    def __init__(self, moves: list[Move], failure: Failure, world: World, left: int) -> None:
        self.moves = moves
        self.failure = failure
        self.left = left
        self._world = world

    def _fails(self, moves: list[Move]) -> bool:
        """Whether these moves fail alike; they are the shortest list then."""
        if not self.left:
            return False
        self.left -= 1
        failure = failure_of(moves, self._world)
        if failure is None or failure.what != self.failure.what:
            return False
        self.moves, self.failure = moves[: failure.moves], failure
        return True

    def drop_moves(self) -> bool:
        """Leave out what is not needed, in chunks, the last ones first; whether that made it shorter."""
        before, size = len(self.moves), len(self.moves) // 2
        while size:
            end = len(self.moves)
            while end > 0 and self.left:
                start = max(0, end - size)
                self._fails(self.moves[:start] + self.moves[end:])
                end = min(start, len(self.moves))
            size //= 2
        return len(self.moves) < before

    def simplify(self) -> bool:
        """Try every figure in a simpler form; whether one was of use."""
        before, place = self.left, 0
        simpler = False
        while place < len(self.moves) and self.left:
            move = self.moves[place]
            tried = move if isinstance(move, Enum) else next(filter(self._put(place), self._forms(place, move)), None)
            simpler |= tried is not None and tried is not move
            place += tried is None or tried is move
        return simpler and self.left < before

    def rename(self) -> None:
        """Let time begin at nothing, and requests be counted from 1."""
        asked = dict.fromkeys(move.request for move in self.moves if isinstance(move, TradersCommand))
        names = {request: RequestId(f"r{n}") for n, request in enumerate(asked, 1)}
        began = next((move.at for move in self.moves if not isinstance(move, Enum)), 0)
        self._fails([_renamed(move, names) for move in self.moves])
        self._fails([m if isinstance(m, Enum) else msgspec.structs.replace(m, at=m.at - began) for m in self.moves])

    def _put(self, place: int) -> Callable[[Command], bool]:
        return lambda move: self._fails([*self.moves[:place], move, *self.moves[place + 1 :]])

    def _forms(self, place: int, move: Command) -> Iterator[Command]:
        commands = [m.at for m in self.moves[:place] if not isinstance(m, Enum)]
        if commands and move.at > commands[-1]:
            yield msgspec.structs.replace(move, at=commands[-1])
        yield from _simpler(move, ("at", "request"))


def _renamed(move: Move, names: dict[RequestId, RequestId]) -> Move:
    return msgspec.structs.replace(move, request=names[move.request]) if isinstance(move, TradersCommand) else move


def _simpler(value: Any, fixed: tuple[str, ...] = ()) -> Iterator[Any]:
    """Simpler forms of a value, the simplest first: defaults, fewer parts, smaller and rounder numbers."""
    if isinstance(value, msgspec.Struct):
        yield from _simpler_struct(value, fixed)
    elif isinstance(value, tuple):
        yield from (value[:n] + value[n + 1 :] for n in range(len(value)))
        yield from ((*value[:n], one, *value[n + 1 :]) for n, part in enumerate(value) for one in _simpler(part))
    elif isinstance(value, int) and not isinstance(value, bool):
        size, sign = abs(value), -1 if value < 0 else 1
        rounded = [int(str(size)[:digits].ljust(len(str(size)), "0")) for digits in (1, 2, 3)]
        smaller = (0, 1, 10, 100, 1_000, 10**6, size // 10**6, size // 1_000, size // 10, size // 2)
        yield from (sign * n for n in dict.fromkeys(smaller) if n < size)
        yield from (sign * n for n in dict.fromkeys(rounded) if n < size)


def _simpler_struct(value: msgspec.Struct, fixed: tuple[str, ...]) -> Iterator[Any]:
    for field in msgspec.structs.fields(value):
        own = getattr(value, field.name)
        if field.name in fixed or own == field.default:
            continue
        if field.default is not msgspec.NODEFAULT:
            yield msgspec.structs.replace(value, **{field.name: field.default})
        for one in _simpler(own):
            yield msgspec.structs.replace(value, **{field.name: one})
