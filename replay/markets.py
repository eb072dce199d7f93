"""Markets for tests of strategies: generated from a seed, told price by price, or read out of a recorded session."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from events.instruments import Instrument, InstrumentId, RulePack
from events.observations import Kind, Observations
from events.units import SECOND, UNIT
from replay.sources import Report, Source, SourceError, open_source
from replay.synth import Scenario, write_session
from replay.wanted import one_of
from replay.whole import whole_or_text

NOON = 1_709_640_000
"""5 March 2024, 12:00 UTC, s: where the time of told prices begins."""


POINT = (Kind.SNAPSHOT, Kind.MARK, Kind.PRINT)
"""The rows of a told price, in order: what trades at it finds the mark there already, and is bound by that one."""


class Market(Protocol):
    """What can be opened as sources of history."""

    def sources(self, pack: RulePack, folder: Path) -> Sequence[Source]:
        """The sources; `folder` is theirs to write to. Raises SourceError."""
        ...


@dataclass(frozen=True)
class Files:
    """Files of market history, of any format that a replay reads."""

    paths: tuple[Path, ...]

    def sources(self, pack: RulePack, _folder: Path) -> Sequence[Source]:
        """A source a file."""
        return [open_source(path, pack) for path in self.paths]


@dataclass(frozen=True)
class Generated:
    """A market from a seed, as `ringfence synth` writes it."""

    options: dict[str, Any]

    def __post_init__(self) -> None:
        """Raise ValueError where there is no such option, or no seed."""
        names = [option.name for option in fields(Scenario)]
        for name in self.options:
            one_of("generated: option", name, names)
        if "seed" not in self.options:
            raise ValueError("generated: no seed is given; give one, as seed=1")

    def sources(self, pack: RulePack, folder: Path) -> Sequence[Source]:
        """The source of what was written to a file."""
        path = folder / f"generated-{len(list(folder.iterdir()))}"
        write_session(path, **self.options)
        return [open_source(path, pack)]


class Point(NamedTuple):
    """A price, and when: seconds from the start."""

    seconds: Decimal
    price: Decimal


@dataclass(frozen=True)
class Prices:
    """A market told price by price: each is the mark and a trade of one lot, and the book offers `depth` one tick
    above, bids it one below.
    """

    instrument: InstrumentId
    points: tuple[Point, ...]
    depth: Decimal

    def __post_init__(self) -> None:
        """Raise ValueError where there is no point, or time goes back."""
        if not self.points:
            raise ValueError(f'prices of {self.instrument}: no point is given; give (seconds, price), as (0, "60000")')
        times = [Decimal(0), *(point.seconds for point in self.points)]
        for before, after in pairwise(times):
            if after < before:
                raise ValueError(
                    f"prices of {self.instrument}: {after} s comes after {before} s; tell of them in order"
                )

    def sources(self, pack: RulePack, _folder: Path) -> Sequence[Source]:
        """One source. Raises SourceError where a price or the depth is none of the instrument's."""
        terms = next((terms for terms in pack.instruments if terms.id == self.instrument), None)
        if terms is None:
            raise SourceError(f"prices of {self.instrument}: {pack.id} has no such instrument; name one that it has")
        return [Told(self._columns(terms))]

    def _columns(self, terms: Instrument) -> Observations:
        lots = self._whole(self.depth, terms.lot, "depth", "lots")
        found = Observations(self.instrument)
        for n, (seconds, price) in enumerate(self.points):
            ticks = self._whole(price, terms.tick, f"price {price}", "ticks")
            at = NOON * SECOND + int(seconds * SECOND)
            found.kind += [int(kind) for kind in POINT]
            found.at += [at] * len(POINT)
            found.transacted += [at] * len(POINT)
            found.index += [n] * len(POINT)
            found.first_id.append(n + 1)
            found.last_id.append(n + 1)
            found.previous_id.append(n)
            found.level_price += [ticks - 1, ticks + 1]
            found.level_lots += [lots, lots]
            found.bids_end.append(2 * n + 1)
            found.asks_end.append(2 * n + 2)
            found.mark.append(int(price * UNIT))
            found.mark_index.append(0)
            found.mark_rate.append(0)
            found.mark_next_funding.append(0)
            found.print_price.append(ticks)
            found.print_lots.append(1)
            found.print_side.append(1 if n == 0 or price >= self.points[n - 1].price else -1)
        found.check()
        return found

    def _whole(self, value: Decimal, unit: int, what: str, units: str) -> int:
        whole = whole_or_text(value, unit)
        if isinstance(whole, str) or whole <= 1:
            least = f"a whole number of {units} of {Decimal(unit) / UNIT}, more than one"
            raise SourceError(f"prices of {self.instrument}: {what} is not {least}; give such a one")
        return whole


class Told:
    """A source that is one chunk of columns, made up in memory."""

    name = "told prices"
    names_symbols, goes_on = True, False

    def __init__(self, columns: Observations) -> None:
        self.path = Path(f"prices of {columns.instrument}")
        self.report = Report(str(self.path), strict=True)
        self.position = 0
        self._columns = columns

    def __iter__(self) -> Iterator[Observations]:
        """The one chunk."""
        yield self._columns

    def locate(self, row: int, _instrument: str) -> str:
        """The price of the row."""
        return f"{self.path}:{row // len(POINT) + 1}"
