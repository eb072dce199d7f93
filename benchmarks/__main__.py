"""`python -m benchmarks`: measure, print a table and, with --json, write the figures."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from benchmarks import cascade, filling, marks, matching, replaying
from benchmarks.figures import Sheet, new_sheet, show, write

POSITIONS = [1_000, 10_000, 100_000, 1_000_000]


class Part(Enum):
    """What can be measured by itself."""

    MATCHING = "matching"
    FILLING = "filling"
    REPLAYING = "replaying"
    MARKS = "marks"
    CASCADE = "cascade"


def main(
    json: Annotated[Path | None, typer.Option(help="Also write the figures to this file.")] = None,
    only: Annotated[list[Part] | None, typer.Option(help="Measure this part, and others named so, only.")] = None,
    operations: Annotated[int, typer.Option(help="Operations of the matching flow.")] = 1_000_000,
    positions: Annotated[list[int] | None, typer.Option(help="Open positions under the marks, rising.")] = None,
    updates: Annotated[int, typer.Option(help="Mark updates of each walk.")] = 10_000,
    liquidations: Annotated[int, typer.Option(help="Pools that the crash makes due.")] = 100_000,
    seed: Annotated[int, typer.Option(help="Seed of everything generated.")] = 7,
) -> None:
    """Run every benchmark once."""
    sheet = new_sheet(seed)
    for part in only or Part:
        if part is Part.MATCHING:
            sheet.figures.extend(matching.measure(operations, seed))
        elif part is Part.FILLING:
            sheet.figures.extend(filling.measure())
        elif part is Part.REPLAYING:
            sheet.figures.extend(replaying.measure(seed))
        elif part is Part.MARKS:
            _marks(sheet, positions or POSITIONS, updates)
        else:
            sheet.figures.extend(cascade.measure(liquidations, seed))
    show(sheet)
    if json is not None:
        write(sheet, json)


def _marks(sheet: Sheet, positions: list[int], updates: int) -> None:
    figures, grid = marks.measure(positions, updates, sheet.seed)
    sheet.figures.extend(figures)
    sheet.grids.append(grid)


if __name__ == "__main__":
    typer.run(main)
