"""Which strategies traded a session, as its file says beside the log: how they are made again.

A strategy's name is no input of any decision, so it is no part of the log; whether it is the one that traded, running
it again shows.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path

import msgspec

from events.commands import AccountId
from events.notes import NotedLog
from events.units import Nanos
from replay.loading import StrategyError, make_strategy
from replay.strategy import Strategy
from replay.traders import Trader

NOTE = "strategies"


class NotedStrategy(msgspec.Struct, frozen=True, omit_defaults=True):
    """A strategy as `module:Class`, with the parameters that it was given as text; when it is woken, ns; and the sha256
    of the file that its class stands in, empty where there is none.
    """

    strategy: str
    params: dict[str, str] = {}
    every: Nanos = Nanos(0)
    bars: Nanos = Nanos(0)
    source: str = ""

    def make(self) -> Strategy:
        """Such a strategy, as it was before anything happened. Raises StrategyError."""
        made = make_strategy(self.strategy, self.params)
        if (made.every, made.bars) != (self.every, self.bars):
            made.every, made.bars = self.every, self.bars
        return made


_NOTES = msgspec.json.Decoder(dict[AccountId, NotedStrategy])


def note_of(strategy: Strategy, params: Mapping[str, str]) -> NotedStrategy:
    """What is noted of a strategy that was made with these parameters."""
    kind = type(strategy)
    name = f"{kind.__module__}:{kind.__qualname__}"
    return NotedStrategy(name, dict(params), strategy.every, strategy.bars, _source_digest(kind.__module__))


def _source_digest(module: str) -> str:
    file = getattr(sys.modules.get(module), "__file__", None)
    return sha256(Path(file).read_bytes()).hexdigest() if file and Path(file).is_file() else ""


async def note_strategies(log: NotedLog, strategies: Mapping[AccountId, NotedStrategy]) -> None:
    """Note who trades which account, if anybody does."""
    if strategies:
        await log.note(NOTE, msgspec.json.encode(strategies).decode())


def notes_of(traders: Iterable[Trader]) -> dict[AccountId, NotedStrategy]:
    """The strategies of traders that do anything."""
    playing = [trader for trader in traders if type(trader.strategy) is not Strategy]
    return {trader.name: note_of(trader.strategy, trader.params) for trader in playing}


async def noted_strategies(log: NotedLog) -> dict[AccountId, NotedStrategy]:
    """Who traded which account, in the order in which they were given. Raises LogError, StrategyError."""
    text = (await log.notes()).get(NOTE)
    try:
        return _NOTES.decode(text) if text else {}
    except msgspec.DecodeError as error:
        raise StrategyError(f"the note of the session's strategies cannot be read ({error}); name one") from error
