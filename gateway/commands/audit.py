"""`ringfence audit`: every account's equity and margins, computed a second time by arithmetic of its own."""

from __future__ import annotations

import asyncio
from pathlib import Path
from time import perf_counter
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from events.instruments import AssetId
from events.store.sqlite import open_session
from events.units import decimal_text
from exchange.audit.books import exact_text
from exchange.projections.deficits import Bearer, Deficits
from gateway.console import OUT, progress, say_json
from gateway.errors import UsageError, about
from gateway.naming import there_are
from replay.audit import FIGURES, Audited, SessionAudit

DIFFERS = 1

PATIENCE = 2.0
"""The progress bar appears after so many seconds."""


def run(session: Path, account: str, as_json: bool) -> int:
    """Audit and report. Returns the exit status."""
    started = perf_counter()
    with about(session):
        audit = asyncio.run(_audit(session, account))
    report, seconds = audit.report, perf_counter() - started
    if account and report.ok and account not in audit.auditor.wallets:
        raise UsageError(f"{session}: no account {account!r}; {there_are(audit.auditor.wallets, account)}")
    if as_json:
        borne = {asset: _amounts(audit.deficits, asset) for asset in +audit.deficits.total}
        say_json({**_as_object(report), "deficits": borne, "seconds": round(seconds, 3)})
    else:
        show(report, seconds)
        if report.ok:
            show_deficits(audit.deficits)
    return 0 if report.ok else DIFFERS


async def _audit(session: Path, account: str) -> SessionAudit:
    log = await open_session(session, read_only=True)
    try:
        batches = (await log.head()).batch
        with progress("audit", batches, patience=PATIENCE) as advance:
            audit = SessionAudit(log, account, lambda done: advance(done, audit.observations, audit.state.now))
            await audit.run()
            return audit
    finally:
        await log.close()


def _amounts(deficits: Deficits, asset: AssetId) -> dict[str, str]:
    """What there was in all, and who bore it."""
    layers = {bearer.value: decimal_text(deficits.layers[asset][bearer]) for bearer in Bearer}
    return {"total": decimal_text(deficits.total[asset]), **layers}


def show_deficits(deficits: Deficits) -> None:
    """A line for each asset in which liquidations left a deficit: who bore it."""
    for asset, total in (+deficits.total).items():
        parts = [f"{name} {amount}" for name, amount in _amounts(deficits, asset).items() if amount != "0"]
        OUT.print(f"deficits {decimal_text(total)} {asset}: {', '.join(parts[1:])}", markup=False)


def _as_object(report: Audited) -> dict[str, Any]:
    found = report.disagreement
    return {
        "ok": report.ok,
        "records": report.head.seq,
        "head": report.head.digest.hex(),
        "comparisons": report.comparisons,
        "pools": [
            {
                "account": pool.account,
                "pool": pool.pool,
                "asset": pool.asset,
                "records": pool.records,
                **{name: exact_text(amount) for name, amount in zip(FIGURES, pool.figures, strict=True)},
            }
            for pool in report.pools.values()
        ],
        "difference": None
        if found is None
        else {
            "record": found.seq,
            "kind": found.kind,
            "account": found.account,
            "pool": found.pool,
            "figure": found.figure,
            "session": found.session,
            "auditor": found.auditor,
        },
    }


def show(report: Audited, seconds: float) -> None:
    """The verdict for people."""
    found = report.disagreement
    if found is not None:
        names = (("account", found.account), ("pool", found.pool))
        where = "".join(f", {name} {value}" for name, value in names if value)
        OUT.print(f"DIFFERS  at record {found.seq} ({found.kind}){where}", markup=False)
        OUT.print(f"figure   {found.figure}", markup=False)
        OUT.print(f"session  {found.session}", markup=False)
        OUT.print(f"auditor  {found.auditor}", markup=False)
        return
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in ("account", "pool"):
        table.add_column(name)
    table.add_column("records compared", justify="right")
    for pool in report.pools.values():
        table.add_row(pool.account, pool.pool, f"{pool.records:,}")
    OUT.print(table)
    OUT.print(f"audited  equity, initial and maintenance margin of {len(report.pools):,} pools: all the same")
    OUT.print(f"         {report.head.seq:,} records, {report.comparisons:,} comparisons, {seconds:.2f} s")
    OUT.print(f"head     {report.head.digest.hex()}")
