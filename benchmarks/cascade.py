"""One crash that makes every long position due: how fast it is decided, and how long other accounts' orders wait.

Each account holds one position in one instrument, half of them isolated; the mark loses 15 % at once, which is beyond
the end of every long. The book has no bids, so the fund takes over what it can bear and the rest is deleveraged against
the shorts, in the order of their ranks.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import NamedTuple

from msgspec.structs import replace

from benchmarks.figures import Figure
from benchmarks.marks import without_collector
from benchmarks.population import MARKS, populated, say
from events import commands as c
from events import facts as f
from events.instruments import InstrumentId, Liquidation, RulePack, load_pack
from events.log import Head
from events.record import Batch
from events.store.sqlite import open_session
from events.units import UNIT, Atoms, Lots, MarkUnits, Nanos, Ticks
from exchange.committer import GROUP_BATCHES, LINGER_SECONDS, Committer
from exchange.core.state import State
from exchange.core.step import step
from exchange.sequencer import PENDING_BATCHES, TURN_FACTS, Sequencer
from exchange.snapshots import Keeper

INSTRUMENT = InstrumentId(next(iter(MARKS)))
FALLEN = MarkUnits(MARKS[INSTRUMENT] * UNIT * 85 // 100)

FUND_PER_LIQUIDATION = Atoms(3_400 * UNIT)
"""What the insurance fund begins with, for each position to be liquidated: most of what it would need."""

TRADERS = 4
"""Accounts that place one order after the other while the cascade runs, each once the last one is acknowledged."""


class Crash(NamedTuple):
    """A crash that was decided: CPU seconds, how many facts of which kind, the largest batch."""

    seconds: float
    facts: Counter[str]
    largest: int


class Waits(NamedTuple):
    """How long orders waited: seconds, and how many batches were decided from submission to theirs."""

    seconds: list[float]
    batches: list[int]


def measure(liquidations: int, seed: int) -> list[Figure]:
    """Liquidations per CPU second without and with the log, and the wait of others meanwhile."""
    pack = load_pack("binance-usdm")
    whole = _bare(liquidations, seed, replace(pack, liquidation=Liquidation()))
    bare = _bare(liquidations, seed, pack)
    durable, waits = asyncio.run(_durable(liquidations, seed))
    counts = bare.facts
    what = (
        f"{counts['LiquidationEnded']:,} pools due by one mark, half cross, half isolated, a position each, rules of "
        f"binance-usdm: {counts['TakenOver']:,} takeovers by the fund, {counts['Deleveraged']:,} deleveragings; who "
        "is due found"
    )
    during = f"{len(waits.seconds):,} limit orders of {TRADERS} other accounts, each after the last one, in the cascade"
    ms = sorted(1000 * seconds for seconds in waits.seconds)
    batches = sorted(waits.batches)
    return [
        Figure(
            "liquidations_per_cpu_s", counts["LiquidationEnded"] / bare.seconds, "liquidations/CPU s",
            f"{what}, decided and applied, records made, no log", ">= 20,000",
        ),
        Figure(
            "liquidations_full_close_per_cpu_s", whole.facts["LiquidationEnded"] / whole.seconds, "liquidations/CPU s",
            f"{whole.facts['LiquidationEnded']:,} of the same pools; all closed at once, no margin calls, the fund "
            "takes over everything; no log", ">= 20,000",
        ),
        Figure(
            "liquidations_durable_per_cpu_s", durable.facts["LiquidationEnded"] / durable.seconds, "liquidations/CPU s",
            f"{what}; JSON, sha256 chain, SQLite synchronous=FULL; CPU of all threads, other accounts' orders included",
        ),
        Figure("cascade_largest_batch", max(bare.largest, durable.largest), "facts", "of the crash", "<= 4,096"),
        Figure("cascade_order_wait_p50_ms", median(ms), "ms", f"{during}: wall time until durable and acknowledged"),
        Figure("cascade_order_wait_p99_ms", _high(ms), "ms", f"{during}: the same"),
        Figure("cascade_order_wait_max_ms", ms[-1], "ms", f"{during}: the same"),
        Figure(
            "cascade_order_wait_p50_batches", median(batches), "batches",
            f"{during}: batches decided meanwhile, its own too",
        ),
        Figure("cascade_order_wait_max_batches", batches[-1], "batches", f"{during}: the same"),
    ]  # fmt: skip


def crowd(liquidations: int, seed: int, pack: RulePack) -> State:
    """So many longs and as many shorts, and a fund that is not rich enough."""
    state = populated(pack, 2 * liquidations, seed, held=1)
    settle = state.contracts[INSTRUMENT].settle
    say(state, f.Deposited(c.INSURANCE, settle, Atoms(FUND_PER_LIQUIDATION * liquidations)))
    for name in _traders():
        say(state, f.AccountOpened(name))
        say(state, f.Deposited(name, settle, Atoms(10**7 * UNIT)))
    state.seq = 0
    return state


def _traders() -> list[c.AccountId]:
    return [c.AccountId(f"trader{n}") for n in range(TRADERS)]


def _bare(liquidations: int, seed: int, pack: RulePack) -> Crash:
    with without_collector():
        state = crowd(liquidations, seed, pack)
        largest, facts = 0, Counter[str]()
        started = process_time()
        for command in _commands(state):
            batch = step(state, command)
            assert isinstance(batch, Batch)
            facts.update(type(fact).__name__ for fact in batch.facts)
            largest = max(largest, len(batch.records) - 1)
        return Crash(process_time() - started, facts, largest)


def _commands(state: State) -> Iterator[c.Command]:
    yield c.SetMarkPrice(Nanos(0), INSTRUMENT, FALLEN)
    while state.has_work:
        yield c.Proceed(state.now, TURN_FACTS, TURN_FACTS)


async def _durable(liquidations: int, seed: int) -> tuple[Crash, Waits]:
    with tempfile.TemporaryDirectory(prefix="ringfence-bench-") as folder, without_collector():
        log = await open_session(Path(folder) / "session.db", create=True)
        committer = Committer(log, Head(), GROUP_BATCHES, LINGER_SECONDS)
        state = crowd(liquidations, seed, load_pack("binance-usdm"))
        sequencer = Sequencer(log, state, committer, None, PENDING_BATCHES, Keeper(log, None, 0, 0))
        facts, sizes, waits = Counter[str](), [0], Waits([], [])

        def note(batch: Batch) -> None:
            facts.update(type(fact).__name__ for fact in batch.facts)
            sizes.append(len(batch.records) - 1)

        sequencer.on_batch = note
        started = process_time()
        crash = asyncio.ensure_future(sequencer.submit(c.SetMarkPrice(Nanos(0), INSTRUMENT, FALLEN)))
        await asyncio.gather(crash, *(_trade(sequencer, name, waits) for name in _traders()))
        await sequencer.flush()
        took = process_time() - started
        await sequencer.close()
        await log.close()
    return Crash(took, facts, max(sizes)), waits


async def _trade(sequencer: Sequencer, name: c.AccountId, waits: Waits) -> None:
    """Place one order after the other, far from the mark, until nothing is due any more."""
    await asyncio.sleep(0)
    for number in count(1):
        order = c.PlaceOrder(
            Nanos(0), name, c.RequestId(f"p{number}"), c.OrderNumber(number), INSTRUMENT, c.Side.BUY, Lots(5),
            Ticks(200_000), c.TimeInForce.GTC,
        )  # fmt: skip
        before, started = sequencer.state.batch, perf_counter()
        answer = await sequencer.submit(order)
        waits.seconds.append(perf_counter() - started)
        assert answer.batch is not None, "an order of a bystander was refused as repeated"
        waits.batches.append(answer.batch.number - before)
        if not sequencer.state.has_work:
            return


def _high(ordered: list[float]) -> float:
    return ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]
