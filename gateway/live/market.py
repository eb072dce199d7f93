"""What a session needs of its market: where its rows come from, from any time on, and what was before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Protocol

from events.commands import SessionOptions
from events.instruments import InstrumentId, RulePack
from events.units import Nanos
from gateway.live.candles import Candles
from replay.sources import Source
from replay.traders import Trader


class LiveMarket(Protocol):
    """A market that a session can be served with. Times are session time, ns."""

    def instruments(self, pack: RulePack) -> Sequence[InstrumentId] | None:
        """What is traded; None where only its rows say so."""
        ...

    def begins(self, pack: RulePack, wall: int) -> Nanos:
        """When a new session begins, which the wall's time may say. Raises SourceError."""
        ...

    def options(self, pack: RulePack) -> SessionOptions:
        """The options of a new session. Raises SourceError."""
        ...

    def indices(self, pack: RulePack) -> Mapping[InstrumentId, Decimal]:
        """The prices of pairs that value collateral in a new session, as far as the market states any."""
        ...

    def sources(self, pack: RulePack, since: Mapping[InstrumentId, int], start: int) -> Sequence[Source]:
        """Sources that have an instrument's rows from that time on, all rows from the start where none is said; they
        may have rows of before. Raises SourceError.
        """
        ...

    def history(self, pack: RulePack, instrument: InstrumentId, start: int, end: int) -> Candles:
        """Minutes that begin between two times, as far as they are known without the session."""
        ...

    def traders(self, pack: RulePack) -> Sequence[Trader]:
        """Who trades in it beside the clients."""
        ...
