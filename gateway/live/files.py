"""A market of files: a historical session that is shown as if it happened now, in any format that a replay reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from events.commands import SessionOptions
from events.instruments import InstrumentId, RulePack
from events.units import Nanos
from gateway.live.candles import Candles, no_candles
from replay.fills import settled
from replay.marking import mark_source
from replay.player import why_nothing
from replay.recorded import Recorded
from replay.sources import Source, SourceError, is_session, open_source
from replay.streams import beginning
from replay.traders import Trader


@dataclass(frozen=True, slots=True)
class Files:
    """Files of market history, or recorded sessions; symbol and columns as `open_source` takes them."""

    paths: tuple[Path, ...]
    symbol: str = ""
    columns: str = ""

    def instruments(self, _pack: RulePack) -> None:
        """See `LiveMarket.instruments`: whoever reads them all knows."""

    def begins(self, pack: RulePack, _wall: int) -> Nanos:
        """See `LiveMarket.begins`: with the first row."""
        sources = self._opened(pack)
        firsts = [chunk.at[0] for source in sources for chunk in beginning(source)]
        if not firsts:
            raise SourceError(why_nothing(sources))
        return Nanos(min(firsts))

    def options(self, pack: RulePack) -> SessionOptions:
        """See `LiveMarket.options`: marks and fills as the beginning of the files has them."""
        sources = self._opened(pack)
        return settled(SessionOptions(mark_source=mark_source(sources)), sources, is_said=False)

    def indices(self, _pack: RulePack) -> Mapping[InstrumentId, Decimal]:
        """See `LiveMarket.indices`: history of contracts says nothing of collateral."""
        return {}

    def sources(self, pack: RulePack, _since: Mapping[InstrumentId, int], _start: int) -> Sequence[Source]:
        """See `LiveMarket.sources`: all of the files, of which what was played is left out."""
        return self._opened(pack)

    def history(self, _pack: RulePack, _instrument: InstrumentId, _start: int, _end: int) -> Candles:
        """See `LiveMarket.history`: nothing is known of before."""
        return no_candles()

    def traders(self, _pack: RulePack) -> Sequence[Trader]:
        """See `LiveMarket.traders`: nobody, so that it is history as it was."""
        return ()

    def _opened(self, pack: RulePack) -> list[Source]:
        return [source for path in self.paths for source in self._open(pack, path)]

    def _open(self, pack: RulePack, path: Path) -> Sequence[Source]:
        if path.is_file() and is_session(path):
            return Recorded(path).sources(pack, path)
        return [open_source(path, pack, False, self.symbol, self.columns)]
