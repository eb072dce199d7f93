"""`python -m benchmarks`: measure, print a table and, with --json, write the figures."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from benchmarks import (
    before,
    cascade,
    durable,
    filling,
    growing,
    level_replay,
    marks,
    matching,
    replaying,
    seeking,
    serving,
)
from benchmarks.figures import Figure, Grid, Sheet, new_sheet, show, write
from benchmarks.level_replay import LEVEL_ROWS

POSITIONS = [1_000, 10_000, 100_000, 1_000_000]


class Part(Enum):
    """What can be measured by itself."""

    MATCHING = "matching"
    BEFORE = "before"
    FILLING = "filling"
    GROWING = "growing"
    DURABLE = "durable"
    REPLAYING = "replaying"
    LEVELS = "levels"
    SEEKING = "seeking"
    MARKS = "marks"
    CASCADE = "cascade"
    SERVING = "serving"


def main(
    json: Annotated[Path | None, typer.Option(help="Also write the figures to this file.")] = None,
    only: Annotated[list[Part] | None, typer.Option(help="Measure this part, and others named so, only.")] = None,
    operations: Annotated[int, typer.Option(help="Operations of the matching flow.")] = 1_000_000,
    against: Annotated[str, typer.Option(help="The commit that runs the same flow.")] = before.COMPLETE_SET,
    orders: Annotated[list[int] | None, typer.Option(help="Orders, triggers, accounts in the table, rising.")] = None,
    rounds: Annotated[int, typer.Option(help="Commands of each kind in that table.")] = 5_000,
    records: Annotated[int, typer.Option(help="Records of the session that is opened.")] = 1_000_000,
    positions: Annotated[list[int] | None, typer.Option(help="Open positions under the marks, rising.")] = None,
    updates: Annotated[int, typer.Option(help="Mark updates of each walk.")] = 10_000,
    liquidations: Annotated[int, typer.Option(help="Pools that the crash makes due.")] = 100_000,
    levels: Annotated[int, typer.Option(help="Level rows of that replay; prints are a tenth.")] = LEVEL_ROWS,
    peers: Annotated[str, typer.Option(help="The Python that has the peers, if not this one.")] = "",
    serve_seconds: Annotated[float, typer.Option(help="How long each load on the server lasts, s.")] = 15.0,
    soak: Annotated[float, typer.Option(help="Instead: load a server so long, s, and watch its memory.")] = 0.0,
    seed: Annotated[int, typer.Option(help="Seed of everything generated.")] = 7,
) -> None:
    """Run every benchmark once."""
    sheet = new_sheet(seed)
    if soak:
        sheet.figures.extend(serving.soak(soak))
    for part in () if soak else only or Part:
        if part is Part.MATCHING:
            sheet.figures.extend(matching.measure(operations, seed))
        elif part is Part.BEFORE:
            sheet.figures.extend(before.measure(against, min(operations, before.OPERATIONS), seed))
        elif part is Part.FILLING:
            sheet.figures.extend(filling.measure())
        elif part is Part.GROWING:
            _add(sheet, *growing.measure(orders or growing.SIZES, rounds))
        elif part is Part.DURABLE:
            _add(sheet, *durable.measure(min(operations, durable.OPERATIONS), records, seed))
        elif part is Part.REPLAYING:
            sheet.figures.extend(replaying.measure(seed))
        elif part is Part.SEEKING:
            sheet.figures.extend(seeking.measure(seed))
        elif part is Part.LEVELS:
            sheet.figures.extend(level_replay.measure(levels, levels // 10, seed, peers))
        elif part is Part.MARKS:
            _add(sheet, *marks.measure(positions or POSITIONS, updates, seed))
        elif part is Part.SERVING:
            _add(sheet, *serving.measure(serve_seconds))
        else:
            sheet.figures.extend(cascade.measure(liquidations, seed))
    show(sheet)
    if json is not None:
        write(sheet, json)


def _add(sheet: Sheet, figures: list[Figure], grid: Grid) -> None:
    sheet.figures.extend(figures)
    sheet.grids.append(grid)


if __name__ == "__main__":
    typer.run(main)
