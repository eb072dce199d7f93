"""What a mark update costs that liquidates nobody, with few and with very many open positions; and memory a position.

The marks of five instruments move in turn, each by a step up or down by chance, and stay within CORRIDOR of where they
began. Before anything is measured they wander so far with steps of 1 bp, and who falls due on the way is liquidated:
what is left is a market some time after its positions were opened, with pools at every distance from their ends. An
update that makes somebody due is not counted; the liquidation that follows is not measured here.
"""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from statistics import mean, median
from time import process_time_ns
from typing import NamedTuple

from msgspec.structs import replace

from benchmarks.figures import Figure, Grid
from benchmarks.peers import peer_costs, peer_name
from benchmarks.population import LEAST_PERCENT, MARKS, MOST_PERCENT, populated
from events import commands as c
from events.facts import LiquidationEnded
from events.instruments import InstrumentId, Liquidation, RulePack, load_pack
from events.record import Batch
from events.units import UNIT, MarkUnits, Rate
from exchange.core.liquidation import watch
from exchange.core.state import State
from exchange.core.step import step
from exchange.sequencer import TURN_FACTS

STEPS = (2, 10, 100)
"""Steps of the walk in hundredths of a bp. A tick of BTCUSDT is 0.017 bp at 60,000. Its mark, stated each second, moved
by 0.10 bp in the mean, 0.28 as the root of the mean square, in the 415 s of `binance_usdm_ws/btcusdt_20230405.dat.gz`:
16 % a year. Where volatility is 55 % a year the root of the mean square is 1 bp.
"""

HEADLINE = 10
"""The step of `mark_cost_ratio_1m_to_1k`."""

CORRIDOR = 10
"""bp up and down from the first mark."""

NONE = Rate(0)

RECOVERY = Rate(UNIT * 7 // 10)
"""The ratio of recovery of the rows that have one: no venue is known to publish its own."""

MOST_HOVERING = 100_000
"""Margin calls without a ratio of recovery are measured up to so many positions, and a tenth of the updates."""

HUNDREDTHS = 10**6
"""Hundredths of a bp in the whole."""


class Row(NamedTuple):
    """What one walk over one population cost: means over the updates that made nobody due.

    looked counts the pools that were looked at anew an update, moved the bands that were moved on; None of a peer.
    """

    engine: str
    positions: int
    step: int
    us: float
    median_us: float
    looked: float | None = None
    moved: float | None = None


def measure(sizes: list[int], updates: int, seed: int) -> tuple[list[Figure], Grid]:
    """The table of sizes x steps, the figures of the largest size against the smallest, and memory."""
    rows: list[Row] = []
    peers: list[Row] = []
    peer = peer_name()
    for size in sizes:
        before = resident()
        with without_collector():
            state = populated(rules(), size, seed)
            held = resident() - before
            if peer:
                costs = peer_costs(state, HEADLINE, seed)
                peers.append(Row(peer, size, HEADLINE, mean(costs) / 1000, median(costs) / 1000))
            walk = Walk(state, seed)
            walk.run(100, updates)
            rows += [_row(walk, size, hundredths, updates) for hundredths in STEPS]
    called = [_with_calls(size, updates, seed, RECOVERY) for size in sizes]
    called += [_with_calls(size, max(1, updates // 10), seed, NONE) for size in sizes if size <= MOST_HOVERING]
    figures = _figures(rows, updates, walk.liquidated)
    figures.append(
        Figure(
            "memory_per_position_bytes", held / sizes[-1], "bytes",
            f"growth of the process's resident memory while {sizes[-1]:,} positions were opened; accounts, wallets and "
            "triggers included, no orders, no log", "< 1,024",
        )
    )  # fmt: skip
    return figures, _grid(rows, [*called, *peers], peer)


def rules(*, calls: bool = False, recovery: Rate = NONE) -> RulePack:
    """Binance's, but that the fund keeps what it takes over: offering it to the book is not measured.

    Margin calls are left out unless asked for: without a ratio of recovery, pools that hover about the warning ratio
    are looked at with every mark.
    """
    pack = load_pack("binance-usdm")
    warning = pack.liquidation.warning if calls else NONE
    return replace(pack, liquidation=Liquidation(warning=warning, recovery=recovery)).check()


def _with_calls(size: int, updates: int, seed: int, recovery: Rate) -> Row:
    """What the headline's walk costs where owners are warned too, and recovered below a ratio or as it comes."""
    with without_collector():
        walk = Walk(populated(rules(calls=True, recovery=recovery), size, seed), seed)
        walk.run(100, updates)
        row = _row(walk, size, HEADLINE, updates)
    recovered = f", recovered below {recovery * 100 // UNIT} %" if recovery else ""
    return row._replace(engine=f"with margin calls{recovered}")


def _row(walk: Walk, size: int, hundredths: int, updates: int) -> Row:
    costs, looked, moved = walk.run(hundredths, updates)
    us = mean(costs) / 1000
    return Row("Ringfence", size, hundredths, us, median(costs) / 1000, looked / len(costs), moved / len(costs))


class Walk:
    """The marks of a populated state on their way; liquidated counts the pools that were due so far."""

    def __init__(self, state: State, seed: int) -> None:
        self.state = state
        self.liquidated = 0
        self._random = Random(seed)

    def run(self, hundredths: int, updates: int) -> tuple[list[int], int, int]:
        """So many updates by so many hundredths of a bp each.

        Returns the CPU ns of each that made nobody due, and in these how many pools were looked at anew, and how many
        bands were moved on by their pool's reserve.
        """
        costs, looked, moved = [], 0, 0
        names = [InstrumentId(name) for name in MARKS]
        with counted("arm") as arms, counted("moved_on") as moves:
            for n in range(updates):
                command = self._next(names[n % len(names)], hundredths)
                arms.clear()
                moves.clear()
                started = process_time_ns()
                batch = step(self.state, command)
                took = process_time_ns() - started
                if self.state.has_work:
                    self._liquidate()
                else:
                    assert isinstance(batch, Batch)
                    costs.append(took)
                    looked += len(arms)
                    moved += sum(moves)
        return costs, looked, moved

    def _next(self, name: InstrumentId, hundredths: int) -> c.Command:
        home = MARKS[name] * UNIT
        mark = self.state.contracts[name].mark
        change = home * hundredths // HUNDREDTHS * self._random.choice((-1, 1))
        if abs(mark + change - home) * 10_000 > CORRIDOR * home:
            change = -change
        return c.SetMarkPrice(self.state.now, name, MarkUnits(mark + change))

    def _liquidate(self) -> None:
        while self.state.has_work:
            batch = step(self.state, c.Proceed(self.state.now, TURN_FACTS, TURN_FACTS))
            assert isinstance(batch, Batch)
            self.liquidated += sum(type(fact) is LiquidationEnded for fact in batch.facts)


@contextmanager
def counted(name: str) -> Iterator[list[bool]]:
    """Let what a function of the watch answers be noted down."""
    function, answers = getattr(watch, name), []

    def counting(*given: object) -> bool:
        answer: bool = function(*given)
        answers.append(answer)
        return answer

    setattr(watch, name, counting)
    try:
        yield answers
    finally:
        setattr(watch, name, function)


@contextmanager
def without_collector() -> Iterator[None]:
    """Leave the cycle collector out, as a host with a large state does; what there is by now is no garbage."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


def resident() -> int:
    """The process's resident memory, bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _figures(rows: list[Row], updates: int, liquidated: int) -> list[Figure]:
    few, many = (next(row for row in rows[at:] if row.step == HEADLINE) for at in (0, -len(STEPS)))
    looked, moved = many.looked or 0, many.moved or 0
    what = (
        f"SetMarkPrice decided and applied, with watch and batch, no log; {updates:,} updates of five marks in turn by "
        f"{HEADLINE / 100:g} bp each (the mean that the mark of BTCUSDT moved by a second in a capture of 2023-04-05), "
        f"within {CORRIDOR} bp of the first marks; half of "
        f"the accounts cross, half isolated, margin ratios of {LEAST_PERCENT} to {MOST_PERCENT} % at first; no margin "
        "calls"
    )
    return [
        Figure("mark_cost_us_1k", few.us, "us of CPU", f"{what}; {few.positions:,} positions"),
        Figure("mark_cost_us_1m", many.us, "us of CPU", f"{what}; {many.positions:,} positions"),
        Figure(
            "mark_rearms_per_update_1m", looked + moved, "re-arms",
            f"in the same updates: {looked:.3g} pools looked at anew, {moved:.3g} bands moved on by a pool's reserve",
        ),
        Figure(
            "mark_cost_ratio_1m_to_1k", many.us / few.us, "ratio",
            f"means of updates that made nobody due, {many.positions:,} positions / {few.positions:,}; on the way and "
            f"before, {liquidated:,} pools were liquidated, not measured", "<= 3",
        ),
    ]  # fmt: skip


def _grid(rows: list[Row], others: list[Row], name: str | None) -> Grid:
    all_ = [*rows, *others]
    peer = "lrvx scans: its on_mark walks all accounts" if name else "lrvx: not installed (extra bench-peers), not run"
    return Grid(
        f"mark updates that make nobody due; {peer}",
        ["engine", "positions", "step, bp", "us of CPU", "median us", "pools looked at", "bands moved on", "ratio"],
        [_cells(row, next(r.us for r in all_ if (r.engine, r.step) == (row.engine, row.step))) for row in all_],
    )


def _cells(row: Row, least: float) -> list[str]:
    """A row as text; least is what the smallest size costs."""
    counts = ["" if count is None else f"{count:.3f}" for count in (row.looked, row.moved)]
    times = [f"{row.us:,.1f}", f"{row.median_us:,.1f}"]
    return [row.engine, f"{row.positions:,}", f"{row.step / 100:g}", *times, *counts, f"{row.us / least:.2f}"]
