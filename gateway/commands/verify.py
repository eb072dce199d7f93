"""`ringfence verify`: chain, rebuild, re-decision."""

from __future__ import annotations

import asyncio
from pathlib import Path
from time import perf_counter
from typing import Any

from events.store.sqlite import open_session
from exchange.core.state import RULES_VERSION
from gateway.console import OUT, progress, say_json
from gateway.errors import about
from gateway.reports.replay_figures import market_figures
from replay.verify import Verification, Verifier

DIFFERS, OTHER_RULES = 1, 3


def run(session: Path, as_json: bool) -> int:
    """Verify and report. Returns the exit status."""
    started = perf_counter()
    with about(session):
        verifier, report = asyncio.run(_verify(session))
    seconds = perf_counter() - started
    if as_json:
        say_json({**_as_object(verifier, report), "seconds": round(seconds, 3)})
    else:
        show(report, seconds)
    if report.decided_by != RULES_VERSION:
        return OTHER_RULES
    return 0 if report.ok else DIFFERS


async def _verify(session: Path) -> tuple[Verifier, Verification]:
    log = await open_session(session, read_only=True)
    try:
        batches = (await log.head()).batch
        with progress("verify", batches) as advance:
            verifier = Verifier(log, lambda done: advance(done, verifier.observations, verifier.state.now))
            return verifier, await verifier.run()
    finally:
        await log.close()


def _as_object(verifier: Verifier, report: Verification) -> dict[str, Any]:
    difference = report.difference
    return {
        **market_figures(verifier.state),
        "ok": report.ok,
        "records": report.records,
        "chunks": report.chunks,
        "head": report.head.digest.hex(),
        "decided_by": report.decided_by,
        "compared_by": RULES_VERSION,
        "liquidations": verifier.results.liquidations,
        "own_fills": verifier.results.own_fills,
        "snapshots": report.snapshots,
        "false_snapshot": report.false_snapshot,
        "difference": None
        if difference is None
        else {
            "record": difference.seq,
            "kind": difference.kind,
            "recorded": difference.recorded,
            "decided": difference.decided,
        },
    }


def show(report: Verification, seconds: float) -> None:
    """The verdict for people."""
    if report.decided_by != RULES_VERSION:
        OUT.print(f"decided by rules {report.decided_by}, compared by rules {RULES_VERSION}")
    if report.difference is not None:
        difference = report.difference
        OUT.print(f"DIFFERS  at record {difference.seq} ({difference.kind})", markup=False)
        OUT.print(f"recorded {difference.recorded}", markup=False)
        OUT.print(f"decided  {difference.decided}", markup=False)
        return
    OUT.print(f"chain    {report.head.batch:,} batches, {report.chunks:,} chunks of market data hashed anew")
    OUT.print("rebuilt  from the facts: the same state as decided" if report.states_agree else "rebuilt  ANOTHER STATE")
    if report.false_snapshot is not None:
        OUT.print(f"kept     ANOTHER STATE in the snapshot of batch {report.false_snapshot:,}; open a copy without it")
    elif report.snapshots:
        OUT.print(f"kept     {report.snapshots} snapshots of the state, each as rebuilt")
    OUT.print(f"decided  again from the commands: {report.records:,} records, all the same, {seconds:.2f} s")
    OUT.print(f"head     {report.head.digest.hex()}")
