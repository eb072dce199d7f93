"""What a session notes of the strategies that trade it, and how they are made again.

A strategy's name is no input of any decision, so it is no part of the log; whether it is the one that traded, running
it again shows.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path

from events.commands import AccountId
from events.notes import NotedStrategy
from replay.loading import make_strategy
from replay.strategy import Strategy
from replay.traders import Trader


def notes_of(traders: Iterable[Trader]) -> dict[AccountId, NotedStrategy]:
    """The strategies of traders that do anything."""
    playing = [trader for trader in traders if type(trader.strategy) is not Strategy]
    return {trader.name: note_of(trader.strategy, trader.params) for trader in playing}


def note_of(strategy: Strategy, params: Mapping[str, str]) -> NotedStrategy:
    """What is noted of a strategy that was made with these parameters."""
    kind = type(strategy)
    name = f"{kind.__module__}:{kind.__qualname__}"
    return NotedStrategy(name, dict(params), strategy.every, strategy.bars, _source_digest(kind.__module__))


def _source_digest(module: str) -> str:
    file = getattr(sys.modules.get(module), "__file__", None)
    return sha256(Path(file).read_bytes()).hexdigest() if file and Path(file).is_file() else ""


def made(noted: NotedStrategy) -> Strategy:
    """Such a strategy, as it was before anything happened. Raises StrategyError."""
    strategy = make_strategy(noted.strategy, noted.params)
    if (strategy.every, strategy.bars) != (noted.every, noted.bars):
        strategy.every, strategy.bars = noted.every, noted.bars
    return strategy
