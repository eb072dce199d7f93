"""Plays one task: `run(task, place)` is all that an engine has to call."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Any, NamedTuple

import msgspec

from events.commands import AccountId, SessionOptions
from events.instruments import InstrumentId, MarginMode, PackError, RulePack, load_pack
from events.log import EventLog
from events.notes import note_strategies
from events.store.sqlite import open_session
from events.units import UNIT, decimal_text
from exchange.sequencer import Sequencer
from replay.loading import StrategyError, make_strategy
from replay.noted import notes_of
from replay.player import Player
from replay.sources import Source, open_source
from replay.sources.report import SourceError
from replay.stress.headonly import HeadOnly
from replay.sweep.curve import Curve
from replay.sweep.options import options_for
from replay.sweep.task import RATIO_MOST, Done, Files, Generated, Outcome, Status, Task
from replay.synth import write_session
from replay.traders import SetupError, Trader

TRADER = AccountId("trader")
"""The one account of a task."""


class Keep(Enum):
    """Which sessions are kept."""

    NONE = "none"
    ALL = "all"
    LIQUIDATED = "liquidated"


class Place(NamedTuple):
    """Where a task finds its files, and where the sessions go that are kept, if any. What is in `scratch` may be of use
    to the next task; without it nothing is left behind.
    """

    folder: Path
    sessions: Path
    keep: Keep = Keep.NONE
    scratch: Path | None = None

    def session(self, task: Task) -> Path:
        """The file of the task's session."""
        return self.sessions / f"{task.id[:16]}.db"


def run(task: Task, place: Place) -> Done:
    """Play it. A strategy, source or account that will not do makes an outcome of its own; a bug is raised."""
    wall, cpu = perf_counter(), process_time()
    try:
        outcome = _played(task, place)
    except (StrategyError, SourceError, SetupError, PackError) as error:
        told = " ".join(str(error).replace(f"{place.folder}/", "").split())
        outcome = Outcome(id=task.id, status=Status.FAILED, error=told)
    return Done(outcome=outcome, seconds=perf_counter() - wall, cpu_seconds=process_time() - cpu)


def _played(task: Task, place: Place) -> Outcome:
    with TemporaryDirectory(prefix="ringfence-", dir=place.scratch) as scratch:
        pack = load_pack(_rules(task, place))
        sources = _sources(task, place, pack, Path(scratch))
        options = options_for(task.options, sources)
        if place.keep is Keep.NONE:
            return asyncio.run(_play(task, pack, sources, options, None))
        with _session(place.session(task)) as session:
            outcome = asyncio.run(_play(task, pack, sources, options, session.path))
            session.is_wanted = place.keep is Keep.ALL or bool(outcome.liquidations)
        return outcome


@dataclass(slots=True)
class _Session:
    """Where a session is written until it is finished, and whether it is kept."""

    path: Path
    is_wanted: bool = False


@contextmanager
def _session(path: Path) -> Iterator[_Session]:
    """A session file that takes its name at the end, or is gone then, with whatever its store has beside it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    session = _Session(path.with_suffix(".part"))
    _remove(session.path)
    try:
        yield session
        if session.is_wanted:
            session.path.replace(path)
    finally:
        _remove(session.path)


def _remove(unfinished: Path) -> None:
    for left in unfinished.parent.glob(f"{unfinished.name}*"):
        left.unlink()


def _sources(task: Task, place: Place, pack: RulePack, scratch: Path) -> list[Source]:
    market = task.market
    if isinstance(market, Files):
        paths = [place.folder / file.path for file in market.files]
        return [open_source(path, pack, market.strict, market.symbol, market.columns) for path in paths]
    return [open_source(_generated(market, task, place, place.scratch or scratch), pack)]


def _generated(market: Generated, task: Task, place: Place, scratch: Path) -> Path:
    """A generated market: the one before, if it is that, else in its place. Tasks of the same one follow one another,
    and making it takes longer than playing it.
    """
    name = sha256(msgspec.json.encode((market, task.rules))).hexdigest()[:16]
    path = scratch / f"{os.getpid()}-{name}"
    if path.exists():
        return path
    for other in scratch.glob(f"{os.getpid()}-*"):
        other.unlink()
    options: dict[str, Any] = dict(market.options)
    try:
        write_session(path.with_suffix(".part"), seed=market.seed, pack=_rules(task, place), **options)
    except ValueError as error:
        raise SourceError(f"generated market: {error}; see ringfence synth --help") from error
    return path.with_suffix(".part").rename(path)


def _rules(task: Task, place: Place) -> str:
    """The rule pack: a name, or where its file is."""
    return str(place.folder / task.pack) if task.pack.endswith(".json") else task.pack


async def _play(
    task: Task, pack: RulePack, sources: Sequence[Source], options: SessionOptions, path: Path | None
) -> Outcome:
    trader = _trader(task)
    log = await _log(path, trader)
    try:
        sequencer = await Sequencer.open(log)
        player = Player(sequencer, sources, [trader], strict=_is_strict(task))
        curve = Curve(player, sequencer, TRADER)
        try:
            indices = {InstrumentId(pair): Decimal(price) for pair, price in task.indices.items()}
            await player.run(pack, options, Decimal(task.insurance), indices)
        finally:
            await sequencer.close()
        outcome = _outcome(task, player, sources, curve, sequencer.durable.digest.hex())
    finally:
        await log.close()
    return outcome


async def _log(path: Path | None, trader: Trader) -> EventLog:
    """A session file that says what traded in it, or nothing but a digest."""
    if path is None:
        return HeadOnly()
    log = await open_session(path, create=True)
    await note_strategies(log, notes_of([trader]))
    return log


def _is_strict(task: Task) -> bool:
    return isinstance(task.market, Files) and task.market.strict


def _trader(task: Task) -> Trader:
    strategy = make_strategy(task.strategy, task.params)
    mode = MarginMode.ISOLATED if task.mode == "isolated" else MarginMode.CROSS
    return Trader(TRADER, mode, task.leverage, Decimal(task.deposit), strategy, task.mode == "multi", task.params)


def _outcome(task: Task, player: Player, sources: Sequence[Source], curve: Curve, head: str) -> Outcome:
    """The figures of the account, in the asset that the first instrument settles in."""
    result = player.results.accounts[TRADER]
    pnl = curve.pnl()
    asset = curve.asset
    money = result.of(asset)
    others = [f"{name}={decimal_text(pnl[name])}" for name in pnl if name != asset]
    defects = sum(len(source.report.problems) for source in sources) + len(player.problems)
    return Outcome(
        id=task.id, status=Status.OK, asset=asset, pnl=pnl[asset], fees=money.fees, funding=money.funding,
        equity=pnl[asset] + money.deposits, volume=money.volume, max_drawdown=curve.max_drawdown,
        worst_margin_ratio=_units(result.peak_ratio), fills=result.fills, refusals=result.refusals,
        liquidations=result.liquidations, others=" ".join(others), defects=defects, records=player.state.seq,
        first_at=player.first_at, last_at=player.progress.at, head=head,
    )  # fmt: skip


def _units(ratio: float | None) -> int:
    """A margin ratio in 10^-8, no more than `RATIO_MOST`."""
    return 0 if ratio is None else int(min(ratio * UNIT, RATIO_MOST))
