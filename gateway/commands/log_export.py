"""`ringfence log export`: a session as tables for other tools."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.table import Table

from events.log import Head, check_chain
from events.store.entries import checked
from events.store.sqlite import SqliteLog, open_session
from events.units import SECOND
from exchange.core.state import State
from exchange.core.step import apply_batch
from exchange.projections.tables import TABLES, Tables
from gateway.console import OUT, progress
from gateway.errors import UsageError, about
from gateway.reports.table_files import FORMATS, TableFile
from replay.lending import Lender


def run(session: Path, folder: Path, format: str, tables: str, every: int) -> int:
    """Write a file a table. Returns 0."""
    names = [name.strip() for name in tables.split(",")] if tables else list(TABLES)
    if unknown := [name for name in names if name not in TABLES]:
        raise UsageError(f"--tables {unknown[0]!r}: there are {', '.join(TABLES)}")
    if format not in FORMATS:
        raise UsageError(f"--format {format!r}: there are {', '.join(FORMATS)}")
    paths = {name: folder / f"{name}.{format}" for name in names}
    if there := [path for path in paths.values() if path.exists()]:
        raise UsageError(f"{there[0]}: exists already; name another folder, or remove it")
    folder.mkdir(parents=True, exist_ok=True)
    with about(session):
        counts = asyncio.run(_export(session, paths, format, every * SECOND))
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("file", no_wrap=True)
    for column in ("rows", "bytes"):
        table.add_column(column, justify="right")
    for name, path in paths.items():
        table.add_row(str(path), f"{counts[name]:,}", f"{path.stat().st_size:,}")
    OUT.print(table)
    return 0


async def _export(session: Path, paths: dict[str, Path], format: str, every: int) -> Counter[str]:
    log = await open_session(session, read_only=True)
    files: dict[str, TableFile] = {}
    try:
        for name, path in paths.items():
            files[name] = FORMATS[format](path, TABLES[name])
        return await _fill(log, files, every)
    except BaseException:
        for name in files:
            paths[name].unlink(missing_ok=True)
        raise
    finally:
        for file in files.values():
            file.close()
        await log.close()


async def _fill(log: SqliteLog, files: dict[str, TableFile], every: int) -> Counter[str]:
    state, head, counts = State(), Head(), Counter[str]()
    tables, lender = Tables(state, every), Lender(log, [state])
    with progress("export", (await log.head()).batch, "batches") as advance:
        async for stored in log.read():
            batch = checked(head, stored)
            head = check_chain(head, stored, batch)
            await lender.lend(batch)
            apply_batch(state, batch)
            for name, row in tables.rows(batch):
                if file := files.get(name):
                    file.add(row)
                    counts[name] += 1
            advance(stored.number, stored.number, stored.at)
    return counts
