"""What those hear who listen to the tape: one thing that happened in public."""

from __future__ import annotations

from typing import NamedTuple

from events.instruments import InstrumentId
from gateway.serving.tape.depth import Change, Top
from gateway.serving.tape.quotes import Forced, Funding
from gateway.serving.tape.trades import Trade


class TradeSeen(NamedTuple):
    """A trade."""

    instrument: InstrumentId
    at: int
    trade: Trade


class DepthSeen(NamedTuple):
    """The book changed by a batch."""

    instrument: InstrumentId
    at: int
    change: Change


class TopSeen(NamedTuple):
    """The best prices changed; last is the record that did it."""

    instrument: InstrumentId
    at: int
    top: Top
    last: int


class QuoteSeen(NamedTuple):
    """Mark or index price, or the funding rate to come, changed."""

    instrument: InstrumentId
    at: int


class FundingSeen(NamedTuple):
    """Funding fell due."""

    instrument: InstrumentId
    at: int
    funding: Funding


class ForcedSeen(NamedTuple):
    """A forced order met the book."""

    instrument: InstrumentId
    at: int
    forced: Forced


Seen = TradeSeen | DepthSeen | TopSeen | QuoteSeen | FundingSeen | ForcedSeen
"""`at` is the shown time, ms."""
