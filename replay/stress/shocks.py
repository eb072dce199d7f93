"""Mark paths: a shock of a shape and a size, with chance from a seed, or the prices that real candles came through.

A path is a list of points (time after the start, ns; price, mark units), the first of them at 0.

step    all at once, after a tenth of the time
ramp    evenly
v       evenly down in the first half of the time, and back in the second
jumps   a jump-diffusion that is led to the size of the shock: in each step the part of what is still missing that
        falls to it, a normal change, and now and then a jump of a normal size. Source: Merton, "Option pricing when
        underlying stock returns are discontinuous", Journal of Financial Economics 3 (1976)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import islice
from math import isqrt
from pathlib import Path
from typing import NamedTuple

from events.instruments import Instrument, RulePack
from events.observations import Kind
from events.units import SECOND, UNIT
from replay.sources import LINES_SEEN
from replay.sources.bars import Bars
from replay.sources.bars_text import is_bars
from replay.sources.files import Lines
from replay.sources.symbols import instrument_of
from replay.stress.chance import happens, normal, stream

LEAST = UNIT // 1000
"""No shock takes a price below a thousandth of where it was."""


class ShockError(Exception):
    """A shock that cannot be applied; the message says why and what to give."""


class Shape(Enum):
    """The shape of a shock."""

    STEP = "step"
    RAMP = "ramp"
    V = "v"
    JUMPS = "jumps"


class Point(NamedTuple):
    """The price from a time on: ns after the start, and mark units."""

    after: int
    price: int


@dataclass(frozen=True)
class Shock:
    """A shock of this size, a Rate, over this time, ns, in steps of `every` ns.

    volatility is the standard deviation of all normal changes of `jumps` together, jump that of one jump, Rates; count
    is how many jumps are expected.
    """

    size: int
    shape: Shape = Shape.RAMP
    over: int = 600 * SECOND
    every: int = 2 * SECOND
    volatility: int = 3 * UNIT // 100
    jump: int = 2 * UNIT // 100
    count: int = 5

    def points(self, price: int, seed: int) -> list[Point]:
        """The path from a price; its last point is at the end of the time."""
        steps = max(2, self.over // self.every)
        levels = self._jumps(steps, seed) if self.shape is Shape.JUMPS else self._levels(steps)
        return [Point(n * self.every, price * max(LEAST, level) // UNIT) for n, level in enumerate(levels)]

    def _levels(self, steps: int) -> Iterator[int]:
        for n in range(steps + 1):
            if self.shape is Shape.STEP:
                part, of = int(n * 10 >= steps), 1
            elif self.shape is Shape.RAMP:
                part, of = n, steps
            else:
                part, of = min(n, steps - n) * 2, steps
            yield UNIT + self.size * part // of

    def _jumps(self, steps: int, seed: int) -> Iterator[int]:
        random = stream(seed, "shock")
        deviation = self.volatility * UNIT // isqrt(steps * UNIT**2)
        level, end = UNIT, UNIT + self.size
        yield level
        for left in range(steps, 1, -1):
            level += (end - level) // left
            change = normal(random, deviation)
            if happens(random, self.count * UNIT // steps):
                change += normal(random, self.jump)
            level = max(LEAST, level + level * change // UNIT)
            yield level
        yield end


class Way(NamedTuple):
    """The way of a price: where it starts, mark units, when, ns since the epoch, its points, and what was left out."""

    price: int
    at: int
    points: list[Point]
    problems: tuple[str, ...] = ()


def candles(paths: Sequence[Path], pack: RulePack, terms: Instrument, start: int = 0, over: int = 0) -> Way:
    """The way of the price through the candles of these files, one after the other: every price of each bar's path.

    start is when to begin, ns since the epoch, 0 for the first candle; over is for how long, ns, 0 for all. Raises
    ShockError, SourceError.
    """
    found: dict[int, int] = {}
    problems: list[str] = []
    for path in paths:
        source = _source(path, pack, terms)
        for at, price in _prices(source):
            if found and at < next(reversed(found)):
                raise ShockError(f"{path}: begins before the file ahead of it ends; give files in order of time")
            if at >= start and (not over or not found or at < next(iter(found)) + over):
                found[at] = price
        problems += source.report.problems
    if len(found) < 2:
        raise ShockError(f"{paths[0]}: no candles in the time asked for; leave out --from, or name a time in the file")
    first, price = next(iter(found.items()))
    return Way(price, first, [Point(at - first, price) for at, price in found.items()], tuple(problems))


def _source(path: Path, pack: RulePack, terms: Instrument) -> Bars:
    """The file as bars of the instrument, in the finest units: no tick of a pack bounds history."""
    said = instrument_of(path, pack, terms.id)
    if said.id != terms.id:
        raise ShockError(f"{path}: is about {said.id}, and the market is {terms.id}; give --symbol {said.id}")
    lines = list(islice(Lines(path), LINES_SEEN))
    if not is_bars(lines):
        raise ShockError(f"{path}: holds no candles; give rows of open time, open, high, low, close, volume")
    return Bars(path, pack.__replace__(instruments=(terms.__replace__(tick=1, lot=1),)), symbol=terms.id)


def _prices(source: Bars) -> Iterator[tuple[int, int]]:
    """Time and price, mark units, of each point of the file."""
    for chunk in source:
        for kind, at, index in zip(chunk.kind, chunk.at, chunk.index, strict=True):
            if kind == Kind.PRINT:
                yield at, chunk.print_price[index]
            elif kind == Kind.MARK:
                yield at, chunk.mark[index]
