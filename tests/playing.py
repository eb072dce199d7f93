"""Replays for tests: a generated market through the player, into a log in memory unless another one is given."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from events.codec import decode_body
from events.commands import AccountId, SessionOptions
from events.facts import AnyFact
from events.instruments import MarginMode, RulePack
from events.log import EventLog, Head, StoredBatch
from events.record import Batch
from events.store.memory import MemoryLog
from exchange.core.state import State
from exchange.sequencer import Sequencer
from replay.player import Player
from replay.sources import open_source
from replay.strategy import Strategy
from replay.synth import generated
from replay.traders import Trader
from tests.captures import PACK, write

AS_RECORDED = SessionOptions()
"""Marks from the data, and the defaults of everything else."""


@cache
def market(seconds: int = 20, seed: int = 3, **options: Any) -> tuple[str, ...]:
    """The lines of a generated market: a crash at 55 % of it unless the options say otherwise."""
    return tuple(generated(seed, seconds=seconds, **options))


def capture(folder: Path, lines: Sequence[str] = (), name: str = "market") -> Path:
    """A capture file of these lines, or of a generated market."""
    return write(folder / name, lines or market())


def trader(
    strategy: Strategy | None = None, name: str = "ann", mode: str = "cross", leverage: int = 10, deposit: int = 10_000
) -> Trader:
    """An account of a replay. Without a strategy it does nothing."""
    return Trader(AccountId(name), MarginMode(mode), leverage, Decimal(deposit), strategy or Strategy())


@dataclass
class Played:
    """A replay that ended: its player, and the log as it was stored."""

    player: Player
    stored: list[StoredBatch]
    head: Head

    @property
    def batches(self) -> list[Batch]:
        return [decode_body(batch.number, batch.body) for batch in self.stored]

    @property
    def state(self) -> State:
        return self.player.state

    def facts(self, *kinds: type) -> list[AnyFact]:
        """The facts of these kinds, in order."""
        return [fact for batch in self.batches for fact in batch.facts if isinstance(fact, kinds)]


def play(*files: Path, traders: Sequence[Trader] = (), log: EventLog | None = None, **how: Any) -> Played:
    """Replay these files. how: strict, pack, options, insurance."""
    return asyncio.run(_play(files, traders, log or MemoryLog(), **how))


async def _play(
    files: Sequence[Path],
    traders: Sequence[Trader],
    log: EventLog,
    *,
    strict: bool = False,
    pack: RulePack = PACK,
    options: SessionOptions = AS_RECORDED,
    insurance: int = 0,
) -> Played:
    sequencer = await Sequencer.open(log)
    try:
        player = Player(sequencer, [open_source(file, pack, strict) for file in files], traders, strict=strict)
        await player.run(pack, options, Decimal(insurance))
    finally:
        await sequencer.close()
    return Played(player, [batch async for batch in log.read()], await log.head())
