"""Replays of level changes and prints as users have them: parsed, applied, decided, and made durable in a session file.

Events are level rows and prints. CPU seconds are those of all threads of the process, from opening the sources to the
closed session file.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path
from time import process_time
from typing import NamedTuple

from benchmarks.figures import Figure
from benchmarks.level_market import SYMBOL, Written, write_market
from benchmarks.level_peers import ratios
from events.commands import AccountId, MarkSource, SessionOptions
from events.instruments import MarginMode, load_pack
from events.units import SECOND, Nanos
from gateway.commands.replay import replay
from gateway.reports.replay_figures import Replayed
from replay.recorded import Recorded
from replay.sources import Source, open_source
from replay.strategy import Context, Strategy
from replay.traders import Trader

LEVEL_ROWS, PRINT_ROWS = 2_000_000, 200_000

WARM_UP = 20
"""The flow by which everything is imported and warm is so many times shorter."""

EVERY = 91 * SECOND // 1000
"""About a hundred events of the flow pass in this time."""

TURNS = 3
"""Each replay is run so often; its figure is that of the median."""

TICKS_AWAY = 2
"""How far behind the best price the order stands."""

AWAY = TICKS_AWAY * Decimal("0.1")

SIZE = Decimal("0.01")


class Replays(NamedTuple):
    """The sources of a flow, as files and as the chunks of a session."""

    written: Written
    session: Path
    folder: Path


class Quoter(Strategy):
    """One order at a time, two ticks behind the best price, replaced every `EVERY`: a bid, with a position an ask."""

    every = Nanos(EVERY)

    def __init__(self) -> None:
        self.placed = 0
        self.fills = 0
        self._last = 0

    def on_timer(self, context: Context) -> None:
        """Take the order back if it is still there, and place the next one."""
        quote = context.quote(SYMBOL)
        if quote.bid is None or quote.ask is None:
            return
        if self._last in context.open_orders():
            context.cancel(self._last)
        if context.position(SYMBOL) > 0:
            self._last = context.sell(SYMBOL, SIZE, quote.ask + AWAY)
        else:
            self._last = context.buy(SYMBOL, SIZE, quote.bid - AWAY)
        self.placed += 1

    def on_fill(self, _context: Context, _trade: object) -> None:
        """Count it."""
        self.fills += 1


def measure(level_rows: int, print_rows: int, seed: int, peers: str = "") -> list[Figure]:
    """All four figures of one flow, and how they stand to other engines; `peers` is an interpreter that has those."""
    with tempfile.TemporaryDirectory(prefix="ringfence-bench-") as folder:
        _prepare(Path(folder) / "short", level_rows // WARM_UP, print_rows // WARM_UP, seed, 1)
        replays, figures = _prepare(Path(folder) / "long", level_rows, print_rows, seed, TURNS)
        return figures + ratios(replays.written, EVERY, TICKS_AWAY, figures[2], peers)


def _prepare(folder: Path, level_rows: int, print_rows: int, seed: int, turns: int) -> tuple[Replays, list[Figure]]:
    folder.mkdir()
    written = write_market(folder, level_rows, print_rows, seed)
    session = folder / "market.db"
    _play(_files(written), None, session)
    replays = Replays(written, session, folder)
    ways: Sequence[tuple[str, str, Callable[[], Sequence[Source]], float]] = (
        ("csv", "from CSV text, parsing included", lambda: _files(written), 400_000),
        ("chunk", "from the chunks of a session", lambda: _chunks(session), 1_000_000),
    )
    return replays, [
        figure
        for name, what, sources, aim in ways
        for figure in (
            _figure(replays, f"replay_{name}_strategy_events_per_cpu_s", what, sources, aim, True, turns),
            _figure(replays, f"replay_{name}_events_per_cpu_s", what, sources, 2 * aim, False, turns),
        )
    ]


def _figure(
    replays: Replays,
    name: str,
    what: str,
    sources: Callable[[], Sequence[Source]],
    aim: float,
    trades: bool,
    turns: int,
) -> Figure:
    runs = []
    for _ in range(turns):
        quoter = Quoter() if trades else None
        cpu = process_time()
        played = _play(sources(), quoter, replays.folder / "played.db")
        runs.append((process_time() - cpu, played, quoter))
    cpu, played, quoter = sorted(runs, key=lambda run: run[0])[len(runs) // 2]
    events = replays.written.events
    who = f"{quoter.placed:,} orders, {quoter.fills:,} fills, margin and fees" if quoter else "no trader"
    includes = (
        f"{events:,} events {what}, {who}, marks each second, session file of {played.progress.batches:,} batches; "
        f"{cpu:.2f} s, median of {turns}"
    )
    return Figure(name, events / cpu, "events/s", includes, f">= {aim:,.0f}")


def _play(sources: Sequence[Source], quoter: Quoter | None, out: Path) -> Replayed:
    for old in out.parent.glob(f"{out.name}*"):
        old.unlink()
    traders = [Trader(AccountId("ann"), MarginMode.CROSS, 20, Decimal(1_000_000), quoter)] if quoter else []
    return replay(sources, traders, load_pack("binance-usdm"), SessionOptions(mark_source=MarkSource.MID), out)


def _files(written: Written) -> list[Source]:
    return [open_source(path, load_pack("binance-usdm")) for path in (written.levels, written.prints)]


def _chunks(session: Path) -> Sequence[Source]:
    return Recorded(session).sources(load_pack("binance-usdm"), session.parent)
