"""The endless market: generated from a seed, just ahead of the session's clock, and known for any time before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from pathlib import Path

from events.commands import MarkSource, SessionOptions
from events.instruments import InstrumentId, RulePack
from events.observations import Observations
from events.units import SECOND, Nanos
from gateway.live.agents import agents
from gateway.live.blocks import BLOCK_MS, CHUNK_MS, MS, Blocks, Style
from gateway.live.candles import Candles, candles, no_candles
from gateway.live.path import Course
from gateway.live.path import Path as Prices
from replay.sources import Report, Source
from replay.traders import Trader

DAY = 86_400 * SECOND
BLOCK = Nanos(BLOCK_MS * MS)

INSTRUMENTS = ("BTCUSDT", "ETHUSDT", "SOLUSDT")
"""Those that are traded, as far as the pack has them; else its first three."""

COURSES = {
    "BTCUSDT": Course(600_000, 265_000), "ETHUSDT": Course(300_000, 330_000), "SOLUSDT": Course(150_000, 400_000),
}  # fmt: skip
"""BTC at 60,000 with about 60 % a year, ETH at 3,000, SOL at 150."""

COMMON = Course(600_000, 330_000)
"""Any other instrument."""

STEPS_MS = (150, 250, 400)
"""How far apart steps are of the first instrument, the second, and all others."""

FUNDING_SECONDS = 8 * 3600


class Generated:
    """One instrument's rows from a time on, for ever; a session that another version generated goes on with them."""

    name = "a generated market"
    names_symbols, goes_on, position = True, False, 0
    may_differ = True

    def __init__(self, blocks: Blocks, since: int) -> None:
        self.path = Path(f"generated {blocks.terms.id}")
        self.report = Report(str(self.path), strict=True)
        self._blocks = blocks
        self._since = since

    def __iter__(self) -> Iterator[Observations]:
        """Chunks from the one on that has rows at that time or, if there is none there, from the first one after it."""
        for number in count(self._since // BLOCK):
            for chunk in self._blocks.chunks(number):
                if chunk.at and chunk.at[-1] >= self._since:
                    yield chunk

    def locate(self, row: int, _instrument: str) -> str:
        """The row of the chunk, which has no line."""
        return f"{self.path}: row {row + 1}"


@dataclass(frozen=True, slots=True)
class Endless:
    """A market of several instruments, the same for the same seed. funding_seconds is the time between two payments;
    of the time before a session no more than so many days are told.
    """

    seed: int = 1
    names: tuple[str, ...] = INSTRUMENTS
    funding_seconds: int = FUNDING_SECONDS
    has_agents: bool = True
    days: int = 90

    def instruments(self, pack: RulePack) -> list[InstrumentId]:
        """See `LiveMarket.instruments`."""
        return list(self._blocks(pack))

    def begins(self, _pack: RulePack, wall: int) -> Nanos:
        """See `LiveMarket.begins`: with the present minute."""
        return Nanos(wall // BLOCK * BLOCK)

    def options(self, _pack: RulePack) -> SessionOptions:
        """See `LiveMarket.options`: it has marks of its own."""
        return SessionOptions(mark_source=MarkSource.DATA)

    def indices(self, pack: RulePack) -> Mapping[InstrumentId, Decimal]:
        """See `LiveMarket.indices`: the dollars that it settles in are worth one, which multi-asset mode needs."""
        settled = {blocks.terms.settle: None for blocks in self._blocks(pack).values()}
        return {pair.id: Decimal(1) for pair in pack.spot if pair.base in settled and pair.quote == pack.valuation}

    def sources(self, pack: RulePack, since: Mapping[InstrumentId, int], start: int) -> Sequence[Source]:
        """See `LiveMarket.sources`: one an instrument."""
        return [Generated(blocks, since.get(name, start)) for name, blocks in self._blocks(pack).items()]

    def history(self, pack: RulePack, instrument: InstrumentId, start: int, end: int) -> Candles:
        """See `LiveMarket.history`: of any time whatever, but not of too much at once."""
        blocks = self._blocks(pack).get(instrument)
        start = max(start, end - self.days * DAY)
        return no_candles() if blocks is None else candles(self.seed, blocks, start, end)

    def traders(self, _pack: RulePack) -> Sequence[Trader]:
        """See `LiveMarket.traders`."""
        return agents(self.seed) if self.has_agents else ()

    def _blocks(self, pack: RulePack) -> dict[InstrumentId, Blocks]:
        found, named = {}, [terms for terms in pack.instruments if terms.id in self.names]
        traded = named or pack.instruments[:3]
        for n, terms in enumerate(traded):
            step = STEPS_MS[min(n, len(STEPS_MS) - 1)]
            style = Style(step, self.funding_seconds * SECOND // MS, n * CHUNK_MS // len(traded))
            path = Prices(self.seed, terms.id, COURSES.get(terms.id, COMMON))
            found[terms.id] = Blocks(self.seed, terms, path, style)
        return found
