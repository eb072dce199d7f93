"""Replays for tests: a generated market through the player, into a log in memory unless another one is given."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
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
from replay.context import Context
from replay.player import Player
from replay.sources import open_source
from replay.strategy import Strategy
from replay.synth import generated
from replay.traders import Trader
from tests import captures
from tests.captures import PACK, write
from tests.strategies import Diary

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


def still_market(folder: Path) -> Path:
    """A book of 100.0 x 1.5 against 100.1 x 2 and a mark of 100.00000001, and nothing happens for ten seconds."""
    lines = [
        captures.body(10, [("100.00", "1.500")], [("100.10", "2.000")], s="BTCUSDT", symbol="BTCUSDT"),
        captures.mark(),
        captures.mark(at_ms=10_000, p="100.5"),
    ]
    return capture(folder, lines)


def asked(
    folder: Path, *deeds: Callable[[Context], object], options: SessionOptions = AS_RECORDED, **account: Any
) -> tuple[Played, list[Any]]:
    """Do one deed at each wake, a second apart; what they gave back."""
    answers: list[Any] = []
    plan = {n: lambda context, deed=deed: answers.append(deed(context)) for n, deed in enumerate(deeds, 1)}
    return play(still_market(folder), traders=[trader(Diary(plan), **account)], options=options), answers
